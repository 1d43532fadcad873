"""The OpenAPI documents, as the stub serves them: of the whole server, and of each mount."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crm_sdk.wire import encode_json

from .http import Reply, Request

_PLACES: Mapping[str, tuple[str, str]] = {
    "/openapi.json": ("platform", "/v1"),
    "/v1/openapi.json": ("platform", "/v1"),
    "/platform/openapi.json": ("platform", "/platform/v1"),
    "/flow/openapi.json": ("flow", "/flow"),
    "/mvp/openapi.json": ("mvp", "/mvp"),
}
"""Each path with its dialect, and the URL that the paths of the document follow."""


def is_described(path: str) -> bool:
    """Tell whether a path is that of a document."""
    return path in _PLACES


def description(request: Request) -> Reply | None:
    """Return the document that is asked for; None for any other request. Nobody has to sign in for it."""
    place = _PLACES.get(request.path)
    if place is None or request.method != "GET":
        return None
    return Reply(200, {"Content-Type": "application/json"}, _encoded(*place))


@cache
def _encoded(dialect: str, server: str) -> bytes:
    from crm_sdk.openapi import document  # a server that nobody asks for it starts without it

    return encode_json(document(dialect, server))
