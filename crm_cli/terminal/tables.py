"""Tables and cards for people: columns that fit the terminal, amounts with their currency, states in colour."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from crm_sdk.wire import is_array, is_object

from ..failures import complain, visible
from .columns import Columns
from .fields import at
from .values import cell
from .writers import write_text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_LAST = ("createdAt", "updatedAt", "createdBy", "version")
_WIDEST = 36
_NARROWEST = 4
_FIRST_PART = 50
"""So many rows are looked at for the widths of the columns; the later ones are printed as they arrive."""
_UNBOUND = 100_000
"""The width of a table that nobody looks at on a terminal: what is piped is not cut."""
_STATES = frozenset({"status", "stage", "state", "priority", "severity", "sentiment", "health", "rating", "lastStatus"})
"""The columns whose words have a colour."""
_COLOURS: Mapping[str, re.Pattern[str]] = {
    "green": re.compile(
        "accepted|active|answered|closed-won|completed|connected|converted|customer|delivered|healthy|low|online|paid|"
        "pass|positive|qualified|resolved|succeeded|success|won"
    ),
    "yellow": re.compile(
        "at-risk|away|contacted|draft|in[_-]progress|medium|negotiation|paused|pending|proposal|queued|retrying|"
        "running|scheduled|trialing|warm|warn(ing)?"
    ),
    "red": re.compile(
        "blocked|bounced|cancell?ed|closed-lost|critical|dead|declined|error|fail(ed)?|high|hot|lost|negative|overdue|"
        "past_due|rejected|revoked|suspended|unqualified|urgent"
    ),
    "dim": re.compile("archived|closed|cold|dismissed|expired|inactive|neutral|offline|read"),
}
"""The words of a state, and their colour."""


def room() -> int:
    """Return how wide a table may be: as the terminal, or as COLUMNS says; what is piped is not cut."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return _UNBOUND


def print_rows(items: Iterable[Any], columns: Sequence[str] | None, known: Columns | None) -> bool:
    """Print a table, its first rows as soon as they are there; return False where there are none."""
    rows = iter(items)
    layout: _Layout | None = None
    shown = False
    while part := list(islice(rows, _FIRST_PART)):
        if not all(map(is_object, part)):
            write_text("".join(f"{cell(item)}\n" for item in part))
        elif layout is None:
            layout = _layout(part, columns, known)
            _console(layout.table(part))
            layout.say_hidden()
        else:
            _console(layout.table(part, header=False))
        shown = True
    return shown


def print_card(record: Mapping[str, Any], columns: Sequence[str] | None) -> None:
    """Print one record: a line for each member, and a table for each list of records in it."""
    from rich.table import Table

    names = columns or sort_columns(record)
    lists = [name for name in names if _is_records(record.get(name))]
    card = Table(box=None, show_header=False, pad_edge=False)
    card.add_column(style="bold", no_wrap=True)
    card.add_column(overflow="fold")
    for name in names:
        value = record[name] if name in record else at(record, name)
        if name not in lists and value not in (None, [], {}):
            card.add_row(name, _styled_cell(name, cell(value)))
    _console(card)
    for name in lists:
        table = _layout(record[name], None, None).table(record[name])
        table.title, table.title_justify = name, "left"
        _console(table)


@dataclass(slots=True)
class _Layout:
    """The columns of a table and their widths, which stay the same for all of its rows."""

    names: Sequence[str]
    known: Columns | None
    chosen: bool
    """Whether somebody typed the columns, who wants all of their content."""
    widths: dict[str, int] = field(default_factory=dict[str, int])
    widest: int | None = None
    hidden: Sequence[str] = ()

    def texts(self, name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the cells of a column."""
        return [self._text(name, row).replace("\n", " ") for row in rows]

    def _text(self, name: str, row: Mapping[str, Any]) -> str:
        if self.known is None or "." in name:
            return cell(row[name] if name in row else at(row, name))
        text = self.known.text(name, row)
        return cell(self.known.value(name, row)) if text is None else visible(text)

    def table(self, rows: Sequence[Mapping[str, Any]], *, header: bool = True) -> Table:
        """Return a table of rows."""
        from rich.cells import cell_len
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=header)
        numbers = self.known.numbers if self.known is not None else frozenset[str]()
        cells = {name: self.texts(name, rows) for name in self.names}
        overflow: Literal["fold", "ellipsis"] = "fold" if self.chosen else "ellipsis"
        for name in self.names:
            justify: Literal["right", "left"] = "right" if name in numbers else "left"
            width = self.widths.get(name)
            if width is not None and (name in numbers or name == "id"):  # these are shown whole, later ones, too
                width = max(width, *map(cell_len, cells[name]))
            table.add_column(
                name, justify=justify, overflow=overflow, no_wrap=not self.chosen, width=width, max_width=self.widest
            )
        for n in range(len(rows)):
            table.add_row(*(_styled_cell(name, cells[name][n]) for name in self.names))
        return table

    def say_hidden(self) -> None:
        """Say on stderr which columns the terminal has no room for."""
        if self.hidden:
            count = len(self.hidden)
            complain(
                f"{count} column{'s' if count > 1 else ''} hidden: {', '.join(self.hidden)} (a wider terminal, or "
                f"--fields {','.join(self.hidden[:2])})"
            )


def _layout(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None, known: Columns | None) -> _Layout:
    if known is not None and (columns or known.chosen):
        layout = _Layout(columns or known.chosen, known, columns is not None)
        if columns is None:
            _fit(layout, rows, {*known.numbers, "id"})
        else:  # rows that arrive later stand in the same columns, where these fit
            widths = {name: _width(name, layout.texts(name, rows)) for name in columns}
            layout.widths = widths if _needed_width(widths, columns) <= room() else {}
        return layout
    names = columns or sort_columns(dict.fromkeys(name for row in rows for name in row))
    layout = _Layout(names, None, columns is not None)
    if columns is None:
        layout.names, layout.widest = _fitting_columns(names, layout, rows)
        layout.hidden = [name for name in names if name not in layout.names and any(layout.texts(name, rows))]
    return layout


def _fit(layout: _Layout, rows: Sequence[Mapping[str, Any]], whole: Container[str]) -> None:
    """Set the width of each column, so that all fit: the widest give, but for those to show whole; then some go."""
    widths = {name: _width(name, layout.texts(name, rows)) for name in layout.names}
    least = {name: width if name in whole else min(width, _NARROWEST) for name, width in widths.items()}
    kept = list(layout.names)
    while len(kept) > 2 and _needed_width(least, kept) > room():
        # The first column names the record and the last one is its id: these stay.
        kept.remove(kept[-2])
    for _ in range(max(_needed_width(widths, kept) - room(), 0)):
        widest = max((name for name in kept if name not in whole), key=widths.__getitem__, default=kept[0])
        widths[widest] = max(widths[widest] - 1, _NARROWEST)
    layout.hidden = [name for name in layout.names if name not in kept]
    layout.names = kept
    layout.widths = {name: widths[name] for name in kept}


def _needed_width(widths: Mapping[str, int], names: Sequence[str]) -> int:
    return sum(widths[name] + 2 for name in names) - 2


def _width(name: str, texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, [name, *texts]))


def _fitting_columns(
    names: Sequence[str], layout: _Layout, rows: Sequence[Mapping[str, Any]]
) -> tuple[list[str], int | None]:
    """Return the columns that have values and fit on the terminal, in the order of the document, and a width.

    Where not all columns fit, the width is the greatest width of a column; otherwise it is None.
    """
    cells = {name: layout.texts(name, rows) for name in names}
    filled = {name: _width("", column) for name, column in cells.items() if any(column)}
    left = room()
    if sum(max(width, len(name)) + 2 for name, width in filled.items()) <= left + 2:
        return list(filled), None
    shown: list[str] = []
    for name, width in filled.items():
        needed = max(min(width, _WIDEST), len(name)) + 2
        if not shown or needed <= left + 2:
            left -= needed
            shown.append(name)
    return shown, _WIDEST


def _styled_cell(name: str, text: str) -> Text:
    from rich.text import Text

    is_state = name.rpartition(".")[2] in _STATES
    return Text(text, next((style for style, words in _COLOURS.items() if is_state and words.fullmatch(text)), ""))


def _is_records(value: Any) -> bool:
    return is_array(value) and bool(value) and all(map(is_object, value))


def sort_columns(names: Iterable[str]) -> list[str]:
    """Return the names of columns, with the times and the author of a record last."""
    return sorted(names, key=lambda name: name in _LAST)


def _console(table: Table) -> None:
    from ..console import stdout

    # Cells have texts from a server: they must not be read as markup.
    stdout(None if sys.stdout.isatty() else room()).print(table)
