"""Map the columns of an imported file to members of contacts: by the given mapping, or by their headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ....data.queries.query import fold
from ....files.table import Remark
from ....problems import invalid
from ....serving import Members
from .headers import Header, header_of, importable, known_field, label_of, value_of

LISTS = frozenset({"tags", "secondary_emails", "notes", "social_profiles"})
SALUTATIONS = frozenset({"title", "titre", "titulo"})
"""Headers of the salutation in files that have another column with the job title (Outlook)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column and its member."""

    column: str
    field: str
    transform: str = "trim"
    default: str | None = None
    rank: int = 0
    """Of several columns with the same member the one with the lowest counts first, then the first in the file."""
    family: str = ""
    """Which address it is a part of."""
    label: str | None = None
    """The column that tells the type of the value: ``Phone 1 - Type``."""
    mapped: bool = False
    """Whether the mapping of the import names it."""
    day_first: bool | None = None
    """Whether its dates begin with the day, where that is seen in the column."""


def check_mapping(mapping: Sequence[Members]) -> None:
    """Raise 422 for a mapping to a member that contacts do not have."""
    for number, entry in enumerate(mapping):
        if known_field(entry["field"]) is None:
            raise invalid(
                f"mapping.{number}.field",
                "choice",
                f"a contact has no member {entry['field']!r} that can be imported",
                choices=sorted(importable()),
            )


def known_headers(mapping: Sequence[Members] | None, cells: Sequence[str]) -> int:
    """Return how many cells of a line are headers of columns that are mapped, or whose members are known."""
    if mapping is None:
        return len({header.field for cell in cells if (header := header_of(cell)) is not None})
    named = {fold(entry["column"]) for entry in mapping}
    numbers = sum(name.isdigit() and 1 <= int(name) <= len(cells) for name in named if len(name) < 6)
    return numbers or len(named & {fold(cell.strip()) for cell in cells})


def plan(columns: Sequence[str], mapping: Sequence[Members] | None) -> tuple[list[Column], list[str], list[Remark]]:
    """Return the columns with their members, the names of columns without one, and remarks on shared members."""
    if mapping is not None:
        found = [
            Column(
                _column(columns, entry["column"], number),
                known_field(entry["field"]) or entry["field"],
                entry.get("transform", "trim"),
                entry.get("default"),
                mapped=True,
            )
            for number, entry in enumerate(mapping)
        ]
    else:
        found = _by_headers(columns)
    used = {name for column in found for name in (column.column, column.label)}
    return found, [name for name in columns if name not in used], list(_shared_members(found))


def _by_headers(columns: Sequence[str]) -> list[Column]:
    headers = {name: header for name in columns if (header := header_of(name)) is not None}
    headers = _told_apart(headers)
    labels = {kind: name for name in columns if (kind := label_of(name)) is not None}
    found: list[Column] = []
    for name, header in headers.items():
        kind = value_of(name)
        label = labels.get(kind) if kind is not None else None
        found.append(Column(name, header.field, rank=header.rank, family=header.family, label=label))
    return found


def _told_apart(headers: Mapping[str, Header]) -> dict[str, Header]:
    """Return headers with those told apart that mean something else beside another one."""
    fields = [header.field for header in headers.values()]
    by_year = "birthday.year" in fields
    titles = fields.count("title")
    found: dict[str, Header] = {}
    for name, header in headers.items():
        if header.field == "birthday" and by_year:
            header = replace(header, field="birthday.day")  # Thunderbird's: beside the year it is a number
        elif header.field == "title" and titles > 1 and fold(name).strip() in SALUTATIONS:
            header, titles = replace(header, field="salutation"), titles - 1
        found[name] = header
    return found


def _shared_members(columns: Sequence[Column]) -> list[Remark]:
    """Return a remark for each member that several columns have."""
    by_field: dict[str, list[Column]] = {}
    for column in columns:
        if column.field not in LISTS:
            by_field.setdefault(column.field, []).append(column)
    remarks: list[Remark] = []
    for field, same in by_field.items():
        if len(same) > 1:
            first, *others = (repr(column.column) for column in sorted(same, key=lambda column: column.rank))
            kept = "; more addresses are secondary e-mails" if field == "email" else ""
            message = f"{first} and {', '.join(others)} are all {field}: the first that is not empty counts{kept}"
            remarks.append(Remark(message, column=same[0].column, value=field, code="SAME_MEMBER"))
    return remarks


def _column(columns: Sequence[str], named: str, number: int) -> str:
    if named in columns:
        return named
    if named.isdigit() and len(named) < 6 and 1 <= int(named) <= len(columns):
        return columns[int(named) - 1]
    folded = [name for name in columns if fold(name) == fold(named)]
    if folded:
        return folded[0]
    raise invalid(f"mapping.{number}.column", "choice", f"the file has no column {named!r}", choices=list(columns))
