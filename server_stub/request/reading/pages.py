"""The page of a list that a request asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_sdk.operation import Operation
from crm_sdk.route import Route

from ...caller import Caller
from ...serving import PAGING
from .. import settings
from ..answering.faces import FACES, Listing

if TYPE_CHECKING:
    from ...core import StubServer


def of_body(operation: Operation[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page that the body of a search names."""
    given: Mapping[str, Any] = arguments.get(operation.arguments.body or "") or {}
    return {name: given[name] for name in PAGING if name in given}


def cut(
    server: StubServer,
    caller: Caller,
    operation: Operation[..., Any],
    route: Route,
    items: Sequence[Any],
    window: Mapping[str, Any],
) -> Listing:
    """Return the page of a window; a list that its dialect does not page is one page."""
    if not (route.has("limit") and operation.is_paged):
        return Listing(items, len(items), None, 0)
    face = FACES[route.dialect.name]
    usual = face.limits.get(route.path, face.default_limit)
    if window["limit"] is None and usual is not None and face.name == "platform":
        usual = _page_size(server, caller, usual)
    limit = window["limit"] if window["limit"] is not None else usual
    if limit is None:
        return Listing(items, len(items), None, 0)
    page = window["page"] if window["page"] is not None else 1
    offset = window["offset"] if window["offset"] is not None else (page - 1) * limit
    return Listing(items[offset : offset + limit], len(items), limit, offset)


def _page_size(server: StubServer, caller: Caller, usual: int) -> int:
    """Return how many records a page has for a caller who has not said it."""
    if not caller.tenant_id:
        return usual
    collections = partial(server.collection, caller.tenant_id)
    doc = settings.in_force(collections, caller, "records.page_size")
    return int(doc["value"]) if doc is not None else usual
