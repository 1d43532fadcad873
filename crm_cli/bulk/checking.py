"""The check of an import: every row by the rules of the server's preview, into the journal, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import InvalidResponseError

from ..failures import MisuseError
from .journal import INVALID, READY, Entry, Journal, Wrong
from .mapping import Mapped
from .progress import Advance
from .sources import Raw, Source, UnreadableRow
from .working import Quota, in_order

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import ImportRow

_PART = 200
"""The rows of a preview: it shows no more."""


@dataclass(frozen=True, slots=True)
class Check:
    """The check of the rows of a file."""

    client: CrmClient
    source: Source
    mapped: Mapped
    mode: str
    quota: Quota

    def into(self, journal: Journal, jobs: int, advance: Advance) -> None:
        """Check every row, and put what is known of it into the journal."""
        for rows, entries in in_order(self._entries, self._parts(), jobs):
            journal.add([self._unique(entry, journal) for entry in entries])
            advance(len(rows))

    def _parts(self) -> Iterator[Sequence[tuple[int, Raw]]]:
        numbered = enumerate(self.source.rows(), start=1)
        while part := list(islice(numbered, _PART)):
            yield part

    def _entries(self, part: Sequence[tuple[int, Raw]]) -> list[Entry]:
        readable = [(number, row) for number, row in part if not isinstance(row, UnreadableRow)]
        found = {number: self._entry(number, row, one) for (number, row), one in self._looked_at(readable)}
        for number, row in part:
            if isinstance(row, UnreadableRow):
                found[number] = Entry(number, row.raw, INVALID, None, [Wrong("", "format", str(row))])
        return [found[number] for number, _ in part]

    def _looked_at(self, part: Sequence[tuple[int, Raw]]) -> Iterable[tuple[tuple[int, Raw], ImportRow]]:
        if not part:
            return ()
        rows = [row for _, row in part]
        preview = self.quota.call(lambda: self._preview(rows))
        if preview.errors:
            raise MisuseError("; ".join(error.message for error in preview.errors))
        if len(preview.rows) != len(rows):
            message = f"the server read {len(preview.rows)} rows where the file has {len(rows)}"
            raise InvalidResponseError(message)
        return zip(part, preview.rows, strict=True)

    def _preview(self, rows: Sequence[Raw]) -> Any:
        options: dict[str, Any] = {"mapping": self.mapped.of(rows)} if self.source.format != "vcf" else {}
        return self.client.imports.preview(
            self.mapped.entity.entity,
            self.source.part(rows),
            match_on=self.mapped.key,
            mode=self.mode,  # type: ignore[arg-type] # the SDK checks it
            sample=_PART,
            **options,
            **self.source.options(),
        )

    def _entry(self, number: int, raw: Raw, row: ImportRow) -> Entry:
        if row.outcome == "fail":
            errors = [Wrong(error.field or "", error.rule or error.code, error.message) for error in row.errors]
            return Entry(number, raw, INVALID, None, errors)
        if row.outcome == "skip":
            return Entry(number, raw, "unchanged", row.values)
        values = {name: value for name, value in row.values.items() if name != "id"}
        if row.match_id is not None:
            values["id"] = row.match_id
        return Entry(number, raw, READY, values)

    def _unique(self, entry: Entry, journal: Journal) -> Entry:
        """Return a row; one whose key an earlier row has is refused, as which of both counts would be chance."""
        value = self.mapped.key_in(entry.sent)
        if value is None:
            return entry
        text = str(value).casefold() if self.mapped.key == "email" else str(value)
        first = journal.first_with(text, entry.number)
        if first == entry.number:
            return entry
        message = f"row {first} has the {str(self.mapped.key).replace('_', ' ')} {value!r} already"
        return Entry(entry.number, entry.raw, INVALID, None, [Wrong(str(self.mapped.key), "unique", message)])
