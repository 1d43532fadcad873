"""Print results: as a table for people, as JSON, JSON lines or CSV for programs.

Members have their wire names, as in the documents, so that printed JSON can be passed to ``--data``.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from crm_sdk.wire import encode_json, instant, is_array, is_object

from ..failures import CONTROL, PARTIAL, MisuseError, complain, visible
from .columns import Columns, refuse_unknown

if TYPE_CHECKING:
    from rich.table import Table

_LAST = ("createdAt", "updatedAt", "createdBy", "version")
_WIDEST = 36
_NARROWEST = 4
_SHOWN_FAILURES = 10
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d ().-]*$)")
"""What a text begins with that a spreadsheet carries out; ``+49 30 1234`` is a number to dial, and harmless."""


class Printer:
    """Prints results in one format."""

    def __init__(self, format: str, columns: str | None = None, known: Columns | None = None) -> None:
        """`known` are the columns there are; without it they are those of the records."""
        self.format = format
        self._known = known
        self._columns = [name.strip() for name in columns.split(",") if name.strip()] if columns else None
        if self._columns is not None and format not in ("table", "csv"):
            raise MisuseError("--columns is for table and csv output")
        if self._columns is not None and known is not None:
            self._columns = known.resolve(self._columns)

    @property
    def is_for_people(self) -> bool:
        """Whether somebody looks at it, who chose no columns."""
        return self.format == "table" and self._columns is None

    @property
    def has_columns(self) -> bool:
        """Whether members become columns, which a call may choose for its records."""
        return self.format in ("table", "csv")

    def show(self, result: Any) -> None:
        """Print one result; None prints nothing."""
        if result is None:
            return
        value = plain(result)
        if is_array(value):
            self.rows(value)
        elif self.format == "json":
            _write_json(value, indent=2)
        elif self.format == "jsonl":
            _write_json(value)
        elif self.format == "csv":
            self._csv([value])
        elif is_object(value):
            self._card(value)
        else:
            _write(_cell(value).encode() + b"\n")

    def rows(self, items: Iterable[Any]) -> None:
        """Print several results; JSON lines and CSV are printed as the results arrive."""
        if self.format == "jsonl":
            for item in items:
                _write_json(plain(item))
        elif self.format == "csv":
            self._csv(map(plain, items))
        elif self.format == "json":
            _write_json([plain(item) for item in items], indent=2)
        else:
            found = [plain(item) for item in items]
            if not found:
                complain("nothing found")
            elif all(map(is_object, found)):
                self._refuse_unknown(found)
                _console(_table(found, self._columns, self._known))
            else:
                _write("".join(f"{_cell(item)}\n" for item in found).encode())

    def _csv(self, items: Iterable[Any]) -> None:
        # The columns are those of the first records, since a stream is printed before its end.
        rows = (item if is_object(item) else {"value": item} for item in items)
        first = list(_take(rows, 200))
        self._refuse_unknown(first)
        known = self._known.every if self._known is not None else ()
        columns = self._columns or list(dict.fromkeys([*known, *(name for row in first for name in row)]))
        _write_csv([columns] if columns else [])
        value = self._known.value if self._known is not None else _member
        missed: dict[str, None] = {}
        for row in chain(first, rows):
            _write_csv([[_text(value(name, row)) for name in columns]])
            if self._columns is None:
                missed |= dict.fromkeys(name for name in row if name not in columns)
        if missed:
            complain(f"note: later records also have {', '.join(missed)}: choose with --columns")

    def _refuse_unknown(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Refuse columns that no record has, where only the records say which there are."""
        if self._known is None and self._columns is not None and rows:
            there = dict.fromkeys(name for row in rows for name in row)
            refuse_unknown([name for name in self._columns if name not in there], there)

    def _card(self, record: Mapping[str, Any]) -> None:
        """Print one record: a line for each member, and a table for each list of records in it."""
        from rich.table import Table

        self._refuse_unknown([record])
        names = self._columns or _sort_columns(record)
        lists = [name for name in names if _is_records(record.get(name))]
        card = Table(box=None, show_header=False, pad_edge=False)
        card.add_column(style="bold", no_wrap=True)
        card.add_column(overflow="fold")
        for name in names:
            if name not in lists and record.get(name) not in (None, [], {}):
                card.add_row(name, _cell(record[name]))
        _console(card)
        for name in lists:
            table = _table(record[name], None, None)
            table.title, table.title_justify = name, "left"
            _console(table)


def say_bulk_failures(result: Any) -> int | None:
    """Say on stderr which items of a bulk call failed and why; returns the exit status for it, None where none did."""
    failures: Any = getattr(result, "failures", None)
    if not is_array(failures) or not failures:
        return None
    complain(f"{result.failed} of {result.total} failed, the others are done")
    for item in failures[:_SHOWN_FAILURES]:
        why = f"{item.error.code}: {item.error.message}" if item.error is not None else "failed"
        complain(f"  item {item.index}{f' ({item.key})' if item.key else ''}: {why}")
    if len(failures) > _SHOWN_FAILURES:
        complain("  …")
    return PARTIAL


def plain(value: Any) -> Any:
    """Return a result as JSON-like data with Python numbers and times, with only the members of the answer."""
    dump: Any = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(by_alias=True, exclude_unset=True, warnings=False)
    if is_array(value):
        return [plain(item) for item in value]
    if is_object(value):
        return {name: plain(item) for name, item in value.items()}
    return value


def _write(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _write_json(value: Any, indent: int | None = None) -> None:
    """Write a value as JSON, in which what could steer a terminal is escaped."""
    text = encode_json(value, indent=indent).decode("utf-8", "surrogatepass")
    escaped = CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    _write(f"{escaped}\n".encode("utf-8", "surrogatepass"))


def _write_csv(rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    _write(text.getvalue().encode("utf-8", "surrogatepass"))


def _take(rows: Iterator[Any], count: int) -> Iterator[Any]:
    for _, row in zip(range(count), rows, strict=False):
        yield row


def _text(value: Any) -> str:
    """Return a value as a field of a CSV file, with an apostrophe before what a spreadsheet would carry out."""
    text = _plain_text(value)
    guarded = isinstance(value, str) or is_array(value)
    return visible(f"'{text}" if guarded and _FORMULA.match(text) else text.replace("\r\n", "\n"))


def _plain_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo is not None else value.isoformat()
    if is_array(value) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return encode_json(value).decode() if is_object(value) or is_array(value) else str(value)


def _cell(value: Any) -> str:
    """Return the text of a value in a table."""
    from crm_sdk.models.auth import Credential

    if isinstance(value, Credential) and not value.shown:
        return "***"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone() if value.tzinfo is not None else value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if is_object(value):
        return ", ".join(f"{name}: {_cell(item)}" for name, item in value.items() if item not in (None, [], {}))
    if is_array(value):
        return ", ".join(_cell(item) for item in value)
    return "" if value is None else visible(str(value))


def _member(name: str, record: Mapping[str, Any]) -> Any:
    return record.get(name)


def _is_records(value: Any) -> bool:
    return is_array(value) and bool(value) and all(map(is_object, value))


def _sort_columns(names: Iterable[str]) -> list[str]:
    """Return the names of columns, with the times and the author of a record last."""
    return sorted(names, key=lambda name: name in _LAST)


def _table(rows: list[dict[str, Any]], columns: list[str] | None, known: Columns | None) -> Table:
    from rich.table import Table

    if known is not None and (columns or known.chosen):
        return _known_table(rows, columns, known)
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = columns or _sort_columns(dict.fromkeys(name for row in rows for name in row))
    cells = {name: [_cell(row.get(name)) for row in rows] for name in names}
    chosen, widest = (columns, None) if columns else _choose_columns(cells)
    for name in chosen:
        if columns is None:
            table.add_column(name, overflow="ellipsis", no_wrap=True, max_width=widest)
        else:
            table.add_column(name, overflow="fold")
    shown = [str(column.header) for column in table.columns]
    for n in range(len(rows)):
        table.add_row(*(cells[name][n].replace("\n", " ") for name in shown))
    return table


def _known_table(rows: list[dict[str, Any]], columns: list[str] | None, known: Columns) -> Table:
    """Return a table with the columns that were typed, or with those that are chosen for the model."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    names = columns or known.chosen
    texts: dict[str, list[str]] = {}
    for name in names:
        found = ((known.value(name, row), known.text(name, row)) for row in rows)
        texts[name] = [(_cell(value) if text is None else visible(text)).replace("\n", " ") for value, text in found]
    widths = _widths(texts, {*known.numbers, "id"}) if columns is None else {}
    for name in names:
        # Whoever typed the columns wants all of their content.
        overflow: Literal["fold", "ellipsis"] = "ellipsis" if columns is None else "fold"
        justify: Literal["right", "left"] = "right" if name in known.numbers else "left"
        table.add_column(name, justify=justify, overflow=overflow, no_wrap=columns is None, width=widths.get(name))
    for n in range(len(rows)):
        table.add_row(*(texts[name][n] for name in names))
    return table


def _widths(texts: Mapping[str, Sequence[str]], whole: Container[str]) -> dict[str, int]:
    """Return the width of each column, so that all fit: the widest give, but for those to show whole."""
    from rich.cells import cell_len

    widths = {name: max(map(cell_len, [name, *column])) for name, column in texts.items()}
    excess = sum(width + 2 for width in widths.values()) - 2 - shutil.get_terminal_size().columns
    for _ in range(excess):
        widest = max((name for name in widths if name not in whole), key=widths.__getitem__)
        widths[widest] = max(widths[widest] - 1, _NARROWEST)
    return widths


def _choose_columns(cells: Mapping[str, list[str]]) -> tuple[list[str], int | None]:
    """Return the columns that have values and fit on the terminal, in the order of the document, and a width.

    Where not all columns fit, the width is the greatest width of a column; otherwise it is None.
    """
    from rich.cells import cell_len

    filled = {name: max(map(cell_len, column)) for name, column in cells.items() if any(column)}
    left = shutil.get_terminal_size().columns
    if sum(max(width, len(name)) + 2 for name, width in filled.items()) <= left + 2:
        return list(filled), None
    shown: list[str] = []
    for name, width in filled.items():
        needed = max(min(width, _WIDEST), len(name)) + 2
        if not shown or needed <= left + 2:
            left -= needed
            shown.append(name)
    return shown, _WIDEST


def _console(table: Table) -> None:
    from ..console import stdout

    # Cells have texts from a server: they must not be read as markup.
    stdout().print(table)
