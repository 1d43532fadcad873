"""CSV as programs write it: with any of the usual delimiters, lines before the header, and quotes out of place."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .table import Remark, Row, Table, UnreadableFileError, names_of

Score = Callable[[Sequence[str]], int]
"""Returns how many cells of a line are headers of known columns."""

_DELIMITERS = ",;\t|"
_TITLES = 12
"""The header is among the first filled lines of a file; so many are looked at."""
_LIMIT = threading.Lock()
"""Held while the longest cell the module reads is raised: that is one number for the whole process."""


def read(text: str, *, has_header: bool, delimiter: str, score: Score, detect: bool) -> Table:
    """Read a CSV file. With `detect` another delimiter is used where it shows more of the columns.

    Raises: `UnreadableFileError`.
    """
    lines = io.StringIO(text, newline="").readlines()  # at \n, \r and \r\n, not at U+2028
    remarks: list[Remark] = []
    if lines and (named := re.fullmatch(r"(?i)\"?sep=(.)\"?\s*", lines[0])):  # what Excel reads and writes
        delimiter, detect = named[1], False
        del lines[0]
    if detect:
        best = _best_delimiter(lines, delimiter, score if has_header else len)
        if best != delimiter:
            shown = "a tab" if best == "\t" else repr(best)
            remarks.append(
                Remark(f"the columns are separated by {shown}, not by {delimiter!r}", code="DELIMITER_GUESSED")
            )
            delimiter = best
    table = table_of(list(records(lines, delimiter)), has_header=has_header, score=score)
    return replace(table, remarks=(*remarks, *table.remarks), delimiter=delimiter)


def table_of(found: Sequence[Sequence[str] | str], *, has_header: bool, score: Score) -> Table:
    """Return lines of cells as a table; a text in place of a line is why that line cannot be read.

    Raises: `UnreadableFileError` where there is nothing.
    """
    filled = [line for line in found if isinstance(line, str) or any(cell.strip() for cell in line)]
    if not filled:
        raise UnreadableFileError("the file is empty")
    remarks: list[Remark] = []
    header: Sequence[str] = ()
    if has_header:
        at = _header_at(filled, score)
        if at:
            remarks.append(Remark(f"the {at} lines before the header were not read", code="LINES_SKIPPED"))
        first = filled[at]
        if isinstance(first, str):
            raise UnreadableFileError(f"the header cannot be read: {first}")
        header, filled = first, filled[at + 1 :]
    width = max((len(line) for line in (header, *filled) if not isinstance(line, str)), default=0)
    names = names_of(header, width)
    rows: list[Row] = [line if isinstance(line, str) else dict(zip(names, line, strict=False)) for line in filled]
    headers = tuple(header[number].strip() if number < len(header) else "" for number in range(width))
    return Table(names, tuple(rows), tuple(remarks), headers)


def records(lines: Sequence[str], delimiter: str) -> Iterator[list[str] | str]:
    """Yield the cells of each line, or why it cannot be read; a line that cannot be read takes none after it along.

    The time is linear: a line opens a quote by an odd number of quotation marks, and such a line closes one, too.
    """
    at = 0
    with _LIMIT:
        before = csv.field_size_limit(max(csv.field_size_limit(), sum(map(len, lines))))
        try:
            while at < len(lines):
                start = at
                rest = (lines[number] for number in range(start, len(lines)))
                reader = csv.reader(rest, delimiter=delimiter, strict=True)
                try:
                    for cells in reader:
                        yield cells
                        at = start + reader.line_num
                except csv.Error as error:
                    yield f"the line cannot be read as CSV ({error}): {lines[at].strip()[:200]}"
                    at += 1
        finally:
            csv.field_size_limit(before)


def _best_delimiter(lines: Sequence[str], given: str, score: Score) -> str:
    """Return the delimiter that shows the most known columns in one line; `given` where no other shows more."""

    def most(delimiter: str) -> int:
        found = list(records(lines[: _TITLES + 8], delimiter))
        return max((score(cells) for cells in found if not isinstance(cells, str)), default=0)

    return max((given, *(other for other in _DELIMITERS if other != given)), key=most)


def _header_at(filled: Sequence[Sequence[str] | str], score: Score) -> int:
    """Return the position of the header: the first line, or one below titles that are narrower than it."""
    scores = [0 if isinstance(one, str) else score(one) for one in filled[:_TITLES]]
    best = max(scores)
    if best < 2:
        return 0
    at = scores.index(best)
    width = _width(filled[at])
    return at if all(_width(line) < width for line in filled[:at]) else 0


def _width(line: Sequence[str] | str) -> int:
    return 0 if isinstance(line, str) else sum(bool(cell.strip()) for cell in line)
