"""``crm leads list -o ids | crm leads qualify -``: a call for each id of stdin, several at once, outcomes in order."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import ApiError, AuthenticationError
from crm_sdk.wire import is_array

from ..connection import open_client, open_writing_client
from ..failures import DECLINED, PARTIAL, MisuseError, complain
from ..lookups import Lookups
from ..plurals import singular
from ..settings import Settings
from ..terminal.asking import is_confirmed, verbs
from ..terminal.output import Printer
from ..tree.parameters import Form
from .working import Quota, in_order

if TYPE_CHECKING:
    from crm_sdk import CrmClient

_MOST = 1_000
"""The most ids of a call that takes several."""


def read_ids() -> list[str]:
    """Return the ids in stdin, one a line. Raises: MisuseError for what ids are not."""
    ids = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if any(id.startswith(("{", "[")) for id in ids[:1]):
        raise MisuseError("stdin has JSON where ids are read, one a line: -o ids prints them")
    return ids


@dataclass
class Each:
    """A command that is carried out for each id of stdin."""

    form: Form
    arguments: Mapping[str, Any]
    """The other arguments, the same for all."""
    jobs: int
    yes: bool
    _done: list[str] = field(default_factory=list[str])
    """As many ids as calls have done something with; several workers add to it, and to the next."""
    _failed: list[str] = field(default_factory=list[str])

    def status(self, settings: Settings, printer: Printer, *, show: bool) -> int | None:
        """Call for each id, print what came of it, and return the exit status; with `show` only show the calls."""
        ids = read_ids()
        if show:
            from ..showing import show_call

            with open_client(settings) as client:
                for part in self._parts(ids):
                    show_call(client, self.form, self._with(part), printer, settings)
            return None
        kinds = self.form.operation.id.split(".")[-2].replace("_", " ")
        noun = singular(kinds) if len(ids) == 1 else kinds
        if (
            self.form.destroys
            and ids
            and not self.yes
            and not is_confirmed(f"{verbs(self.form)[0]} {len(ids):,} {noun}")
        ):
            return DECLINED
        quota = Quota()
        try:
            with open_writing_client(settings) as client, quota.ending():
                printer.rows(self._results(client, ids, quota))
        finally:
            rest = len(ids) - len(self._done) - len(self._failed)
            left = f", {rest:,} not begun" if rest else ""
            failed = f", {len(self._failed):,} failed" if self._failed or not ids else ""
            complain(f"{len(self._done):,} of {len(ids):,} done{failed}{left}")
        return PARTIAL if self._failed else None

    @property
    def _many(self) -> bool:
        return self.form.ids is not None and self.form.ids.many

    def _parts(self, ids: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield the ids of each call: one, or as many as a call takes, shared out among the jobs."""
        size = min(_MOST, -(-len(ids) // self.jobs)) if self._many and ids else 1
        for first in range(0, len(ids), size):
            yield ids[first : first + size]

    def _with(self, part: Sequence[str]) -> dict[str, Any]:
        name = self.form.ids.name if self.form.ids is not None else ""
        return {**self.arguments, name: list(part) if self._many else part[0]}

    def _results(self, client: CrmClient, ids: Sequence[str], quota: Quota) -> Iterator[Any]:
        call = attrgetter(self.form.operation.id)(client)

        def work(part: Sequence[str]) -> list[Any] | Exception:
            arguments = self._with(part)
            try:
                if not self._many:
                    lookups = Lookups(self.form, arguments)
                    arguments |= lookups.ids(client, lookups.names)
                result = quota.call(lambda: call(**arguments))
                rows: list[Any] = list(result) if self.form.operation.kind == "page" else _rows(result, part)
            except (ApiError, MisuseError) as error:
                if isinstance(error, AuthenticationError):
                    raise  # it is the same for all
                self._failed.extend(part)
                return error
            bad = sum(1 for row in rows if getattr(row, "error", None) is not None)
            self._done.extend(part[bad:])
            self._failed.extend(part[:bad])
            return rows

        first = 0
        for part, rows in in_order(work, self._parts(ids), self.jobs):
            if isinstance(rows, Exception):
                code = f"{rows.code}: " if isinstance(rows, ApiError) else ""
                for id in part:
                    complain(f"  {id}: {code}{_message(rows)}")
            found: list[Any] = rows if isinstance(rows, list) else []
            for row in found:
                error = getattr(row, "error", None)
                if error is None:
                    yield row.model_copy(update={"index": first + row.index}) if hasattr(row, "index") else row
                else:
                    complain(f"  {row.id or row.key}: {error.code}: {error.message}")
            first += len(part)


def _rows(result: Any, part: Sequence[str]) -> list[Any]:
    """Return what a call has done: the items of a bulk call, its record, or the id where it answers nothing."""
    items: Any = getattr(result, "items", None)
    if is_array(items):
        return list(items)
    return [result] if result is not None else [{"id": id} for id in part]


def _message(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", None) or error).split())
