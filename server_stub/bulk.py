"""Carry out a bulk call: every item in its own transaction, or all items in one (`atomic`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from crm_sdk.wire import camel

from .languages.catalogue import in_language
from .problems import FieldError, Problem
from .request.answering.faces import wire_path
from .request.reading.intake import UnreadableItem
from .serving import Context

Item = TypeVar("Item")

MAX_ITEMS = 1_000


def check_size(items: Sequence[object], field: str) -> None:
    """Raise 422 for a call with too many items."""
    if len(items) > MAX_ITEMS:
        raise Problem(
            "TOO_MANY_ITEMS",
            f"{len(items):,} items; a call takes at most {MAX_ITEMS:,}",
            field=field,
            rule="max",
            details={"limit": MAX_ITEMS, "given": len(items)},
        )


def carry_out(
    call: Context,
    items: Sequence[Item | UnreadableItem],
    work: Callable[[Item], Any],
    *,
    field: str,
    id_of: Callable[[Item], str | None],
    key_of: Callable[[Item], str | None] | None = None,
    atomic: bool = False,
) -> dict[str, Any]:
    """Return the BulkResult of calling `work` for each item, in order.

    An item that fails is undone, and its error is in its place of the result, as is that of one that
    could not be read. With `atomic`, a failure undoes all
    items, and the 422 has the errors of all items that failed. `field` is the argument with the items; `key_of` returns
    the key of an item that has no id.
    """
    results: list[dict[str, Any]] = []
    failures: list[tuple[int, Problem]] = []
    for index, item in enumerate(items):
        id, key = (item.id, item.id) if isinstance(item, UnreadableItem) else (id_of(item), (key_of or id_of)(item))
        outcome = {"index": index, "key": key, "id": id}
        try:
            if isinstance(item, UnreadableItem):
                raise item.problem
            with call.server.store.transaction():
                result = work(item)
        except Problem as problem:
            failures.append((index, problem))
            results.append({**outcome, "status": "failed", "error": error_of(problem, call.language), "result": None})
        else:
            results.append({**outcome, "status": "ok", "error": None, "result": result})
    if atomic and failures:
        message = f"{len(failures)} of {len(items)} items cannot be done, so nothing was"
        # An envelope has codes only in its errors: the first error is that of the call, the others those of items.
        whole = FieldError(field, None, message, "BULK_REJECTED", {"failed": len(failures), "total": len(items)})
        raise Problem(
            "BULK_REJECTED",
            message,
            errors=[whole, *(entry for failure in failures for entry in _entries(field, *failure))],
        )
    return {
        "items": results,
        "total": len(results),
        "succeeded": len(results) - len(failures),
        "failed": len(failures),
    }


def error_of(problem: Problem, language: str = "en") -> Mapping[str, Any]:
    """Return a problem as the ErrorDetail of an item, in a language."""
    problem = in_language(language, problem) or problem
    first = problem.entries[0]
    return {
        "code": problem.code,
        "message": problem.message,
        "field": wire_path(first.field) if first.field is not None else None,
        "rule": first.rule,
        "details": {camel(name): value for name, value in {**problem.details, **first.details}.items()},
    }


def _entries(field: str, index: int, problem: Problem) -> Iterator[FieldError]:
    """Yield what is wrong with an item, with the whole path of each member."""
    for entry in problem.entries:
        where = f"{field}.{index}" if entry.field is None else f"{field}.{index}.{entry.field}"
        yield replace(entry, field=where, details={**problem.details, **entry.details})
