"""``crm api --paginate``: the records of all pages of an address, whichever dialect answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crm_sdk.dialects import DIALECTS, Dialect
from crm_sdk.wire import is_array, is_object

from ..failures import MisuseError


def merged_pages(
    path: str, asked: Mapping[str, Any], first: Any, fetch: Callable[[Mapping[str, Any]], Any]
) -> list[Any]:
    """Return the records of a page and of those after it in one list, each record once.

    `fetch` sends the request again with another query. Raises: MisuseError where the answer is not a list.
    """
    path = path.partition("?")[0]
    found: list[Any] = []
    known: set[str] = set()
    answer, query = first, dict(asked)
    while True:
        dialect = _dialect_of(answer, path)
        numbers = {name: int(query[name]) for name in ("limit", "offset", "page") if str(query.get(name)).isdecimal()}
        items, window = dialect.open(answer, listed=True, path=path, given=dialect.page_arguments(numbers))
        new = [item for item in items if (id := _id(item)) is None or id not in known]
        known.update(id for item in new if (id := _id(item)) is not None)
        found += new
        if not window.has_next or not new or not window.limit:
            return found
        rest = {name: value for name, value in query.items() if name not in ("limit", "offset", "page")}
        place = {"limit": window.limit, "offset": window.offset + (window.limit if window.by_page else len(items))}
        query = rest | dialect.page_arguments(place)
        answer = fetch(query)


def _dialect_of(answer: Any, path: str) -> Dialect:
    """Return the dialect in which an answer is a list."""
    if is_array(answer):
        return DIALECTS["flow"]
    if is_object(answer) and is_array(answer.get("data")):
        return DIALECTS["platform"]
    if is_object(answer) and is_array(answer.get(path.rstrip("/").rpartition("/")[2])):
        return DIALECTS["mvp"]
    raise MisuseError(f"--paginate is for lists, and the answer of {path} is none")


def _id(item: Any) -> str | None:
    id = item.get("id") if is_object(item) else None
    return id if isinstance(id, str) else None
