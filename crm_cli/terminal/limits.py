"""``--limit``: how many records a list has, whatever the size of a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from annotated_types import Le

from ..failures import MisuseError, complain
from ..tree.parameters import Form, bounds

if TYPE_CHECKING:
    from crm_sdk import Page

LIMIT = "How many records, over as many pages as it takes, or `all`; without it one page."


def count(text: str | int) -> int:
    """Return the number of records that a view is to show: what is typed, `all` as well. Raises: MisuseError."""
    if str(text).lower() == "all":
        return sys.maxsize
    found = int(text) if str(text).isascii() and str(text).isdigit() else 0
    if not found:
        raise MisuseError(f"--limit must be a number of records above 0, or all, not {text!r}")
    return min(found, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many records are wanted."""

    count: int | None
    """None for those of one page."""
    every: bool = False

    @classmethod
    def take(cls, form: Form, arguments: dict[str, Any], typed: str | None) -> Wanted:
        """Return how many are wanted, and leave the size of a page in the arguments; the SDK refuses other texts.

        Raises: MisuseError for a number of records that is none, where the call has no such argument.
        """
        has_limit = "limit" in form.operation.signature.parameters
        said = typed or arguments.get("limit")
        if said is None:
            return cls(None)
        if str(said).lower() == "all":
            arguments.pop("limit", None)
            return cls(None, every=True)
        count = int(said) if str(said).isascii() and str(said).isdigit() else 0
        if not count:
            if not has_limit:
                raise MisuseError(f"--limit must be a number of records above 0, or all, not {said!r}")
            return cls(None)
        if has_limit:
            arguments["limit"] = min(count, _greatest(form))
        return cls(min(count, sys.maxsize))


def _greatest(form: Form) -> int:
    """Return the greatest size of a page."""
    limits = bounds(form.operation.arguments.types["limit"])
    return next(int(str(bound.le)) for bound in limits if isinstance(bound, Le))


class Found:
    """The records of a list that are wanted, which are fetched as they are gone through."""

    def __init__(self, page: Page[Any], wanted: Wanted) -> None:
        self._page = page
        self._wanted = wanted
        self._count = 0
        self._more = False

    def __iter__(self) -> Iterator[Any]:
        page, count = self._page, self._wanted.count
        if self._wanted.every:
            yield from page
            return
        if count is None or count <= len(page.items):
            shown = page.items[:count]
            self._more = page.has_next or len(shown) < len(page.items)
            self._count = len(shown)
            yield from shown
            return
        records = iter(page)
        for record in islice(records, count):
            self._count += 1
            yield record
        if self._count == count:
            self._more = next(records, None) is not None if page.total is None else page.total > page.offset + count

    def say_more(self) -> None:
        """Say on stderr that there are more records than were shown, where there are."""
        if self._more:
            of = f" of {self._page.total}" if self._page.total else "; there are more"
            complain(f"showing {self._count}{of}: --limit all for all")
