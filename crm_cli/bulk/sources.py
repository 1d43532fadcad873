"""The rows of a file that is imported, one after the other: CSV, JSON lines, workbooks and vCards."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast

from crm_sdk.wire import decode_json, encode_json, instant, is_object

from ..failures import MisuseError

Raw: TypeAlias = list[str] | Mapping[str, Any] | str
"""A row as it stands in the file: the cells of a line, the members of an object, or the text of a card."""

FORMATS: Mapping[str, str] = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "txt": "csv", "xlsx": "xlsx", "xlsm": "xlsx", "jsonl": "jsonl",
    "ndjson": "jsonl", "vcf": "vcf", "vcard": "vcf",
}  # fmt: skip
"""The format of a file, by the extension of its name."""
OWN = ("_row", "_member", "_rule", "_message")
"""The columns that a file of rows that failed has beside those of the row; an import does not read them."""
_DELIMITERS = ",;\t|"
_LONGEST = 10_000_000
"""The characters of the longest cell that is read."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableRow(str):
    """Why a row cannot be read."""

    __slots__ = ("raw",)
    raw: Raw


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is read."""

    path: Path
    name: str
    """What it is called in messages."""
    format: str
    has_header: bool = True
    delimiter: str = ","
    encoding: str = "utf-8"
    headers: Sequence[str] = ()
    """The names of the columns; of JSON lines and cards those of the first rows, of CSV without a header none."""

    @staticmethod
    def open(
        path: Path, name: str, *, format: str | None, has_header: bool, delimiter: str | None, encoding: str | None
    ) -> Source:
        """Return a file, with its columns. Raises: MisuseError where it cannot be read, or has no rows."""
        found = format or FORMATS.get(name.rpartition(".")[2].lower())
        if found is None:
            old = "; save an old workbook as .xlsx" if name.lower().endswith(".xls") else ""
            raise MisuseError(f"the name {name!r} does not tell the format: give --format csv, jsonl, xlsx or vcf{old}")
        if found not in FORMATS.values():
            raise MisuseError(f"--format is one of csv, jsonl, xlsx, vcf, not {format!r}")
        with path.open("rb") as file:
            begin = file.read(4)
        if not begin:
            raise MisuseError(f"{name} is empty")
        if found != "xlsx" and begin == b"PK\x03\x04":
            raise MisuseError(f"{name} is a workbook, not {found}: give --format xlsx")
        marked = next((known for mark, known in _MARKS if begin.startswith(mark)), None)
        source = Source(path, name, found, has_header, delimiter or ",", encoding or marked or "utf-8")
        if found == "csv" and delimiter is None:
            source = Source(path, name, found, has_header, source._guess_format(), source.encoding)
        return source._with_headers()

    def _guess_format(self) -> str:
        """Return the delimiter that the first line has most of."""
        with self._text() as file:
            first = next((line for line in file if line.strip()), "")
        named = re.fullmatch(r"(?i)\"?sep=(.)\"?\s*", first)  # what Excel reads and writes
        plain = re.sub(r'"[^"]*"', "", first)
        return named[1] if named else max(_DELIMITERS, key=plain.count)

    def _with_headers(self) -> Source:
        if self.format == "csv":
            headers: list[str] = next(self._lines(), list[str]()) if self.has_header else []
            if self.has_header and not headers:
                raise MisuseError(f"{self.name} is empty")
        elif self.format == "xlsx":
            headers = list(self._sheet(headers_only=True))
        else:
            first = islice(self.rows(), 1_000)
            headers = list(dict.fromkeys(name for row in first if is_object(row) for name in row))
        if next(self._with_rows(headers), None) is None:
            raise MisuseError(f"{self.name} has no rows" + (" below the header" if headers and self.has_header else ""))
        return Source(self.path, self.name, self.format, self.has_header, self.delimiter, self.encoding, tuple(headers))

    def _with_rows(self, headers: Sequence[str]) -> Iterator[Raw]:
        opened = Source(self.path, self.name, self.format, self.has_header, self.delimiter, self.encoding, headers)
        return opened.rows()

    # -- reading -------------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Raw]:
        """Yield the rows that have anything, each as it stands; an `UnreadableRow` for one that cannot be read."""
        if self.format == "csv":
            lines = self._lines()
            if self.has_header:
                next(lines, None)
            yield from map(self._check, lines)
        elif self.format == "xlsx":
            yield from self._sheet()
        elif self.format == "vcf":
            yield from self._cards()
        else:
            yield from self._objects()

    @contextmanager
    def _text(self) -> Generator[io.TextIOWrapper]:
        """Open the file as text. Raises: MisuseError for an encoding that it does not have."""
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise MisuseError(f"--encoding: there is no encoding {self.encoding!r}") from None
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                yield file
        except UnicodeError as error:
            message = f"{self.name} is not encoded in {self.encoding} ({error}): give --encoding, such as cp1252"
            raise MisuseError(message) from None

    def _lines(self) -> Iterator[list[str]]:
        """Yield the cells of the lines of a CSV file that have any, also of a line that goes on."""
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
        with self._text() as file:
            held: list[str] = []  # the lines of the row that is read
            lines = csv.reader(_kept_lines(file, held), delimiter=self.delimiter, strict=True)
            begin = 1
            while True:
                try:
                    cells = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    if len(held) > 1 or "unexpected end" in str(error):
                        message = f"{self.name}, line {begin}: a quotation mark opens a text that never ends"
                        raise MisuseError(message) from None
                    yield [_unreadable(f"the line cannot be read as CSV: {error}", held[-1].rstrip("\r\n"))]
                    cells = []
                named = begin == 1 and re.fullmatch(r"(?i)sep=.?", "".join(cells).strip())
                begin = lines.line_num + 1
                held.clear()
                if not named and any(cell.strip() for cell in cells):
                    yield cells

    def _check(self, cells: list[str]) -> Raw:
        if isinstance(cells[0], UnreadableRow):
            return cells[0]
        if not self.headers or len(cells) <= len(self.headers):
            return cells
        if not any(cell.strip() for cell in cells[len(self.headers) :]):
            return cells[: len(self.headers)]
        message = f"the row has {len(cells)} cells, the header {len(self.headers)}: does a text lack its quotes?"
        return _unreadable(message, cells)

    def _objects(self) -> Iterator[Raw]:
        with self._text() as file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    found: Any = decode_json(line.encode())
                except (ValueError, RecursionError) as error:
                    yield _unreadable(f"the line is not JSON: {error}", line.strip())
                    continue
                yield found if is_object(found) else _unreadable("the line is not a JSON object", line.strip())

    def _cards(self) -> Iterator[Raw]:
        card: list[str] = []
        with self._text() as file:
            for line in file:
                word = line.strip().upper().replace(" ", "")
                if word == "BEGIN:VCARD" and card:
                    yield _unreadable("the card has no END:VCARD", "".join(card))
                    card = []
                if card or word == "BEGIN:VCARD":
                    card.append(line)
                if word == "END:VCARD" and card:
                    yield "".join(card)
                    card = []
        if card:
            yield _unreadable("the card has no END:VCARD", "".join(card))

    def _sheet(self, *, headers_only: bool = False) -> Iterator[Any]:
        """Yield the rows of the first sheet as objects; or the names of its columns."""
        openpyxl: Any = library("openpyxl", "workbooks", "bulk")
        try:
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        except Exception as error:  # it has no class for files that are none
            raise MisuseError(f"{self.name} is no workbook: {error}") from None
        try:
            lines: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
            filled = (line for line in lines if any(value not in (None, "") for value in line))
            first = next(filled, None)
            if first is None:
                raise MisuseError(f"{self.name} is empty")
            names = _column_names(first) if self.has_header else [str(number + 1) for number in range(len(first))]
            if headers_only:
                yield from names
                return
            for line in filled if self.has_header else (first, *filled):
                yield {name: _plain(value) for name, value in zip(names, line, strict=False)}
        finally:
            book.close()

    # -- parts ---------------------------------------------------------------------------------------------------------

    def part(self, rows: Sequence[Raw]) -> tuple[str, bytes]:
        """Return rows as the name and the content of a file that the server reads."""
        if self.format == "csv":
            text = io.StringIO(newline="")
            lines = cast("Sequence[list[str]]", rows)
            csv.writer(text).writerows([list(self.headers), *lines] if self.has_header else lines)
            return "part.csv", text.getvalue().encode("utf-8", "surrogatepass")
        if self.format == "vcf":
            return "part.vcf", "".join(f"{str(row).rstrip()}\r\n" for row in rows).encode()
        return "part.jsonl", b"".join(encode_json(row) + b"\n" for row in rows)

    def options(self) -> dict[str, Any]:
        """Return how the server reads a part."""
        if self.format != "csv":
            return {}
        return {"delimiter": ",", "encoding": "utf-8", "has_header": self.has_header}


def _kept_lines(lines: Iterable[str], held: list[str]) -> Iterator[str]:
    """Yield lines, and keep each."""
    for line in lines:
        held.append(line)
        yield line.replace("\0", "")


def _unreadable(why: str, raw: Raw) -> UnreadableRow:
    found = UnreadableRow(why)
    found.raw = raw
    return found


def _column_names(cells: Sequence[Any]) -> list[str]:
    """Return the names of the columns of a sheet; a name that an earlier column has, and none, get a number."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = "" if cell is None else str(cell).strip()
        names.append(name if name and name not in names else f"{name} {number}".strip())
    return names


def _plain(value: Any) -> Any:
    """Return a cell of a workbook as JSON has it; a workbook has no time zones, so its times are UTC."""
    if isinstance(value, datetime):
        at_midnight = value.time() == time()
        return value.date().isoformat() if at_midnight else instant(value.replace(tzinfo=value.tzinfo or _utc()))
    return value.isoformat() if isinstance(value, (date, time)) else value


def _utc() -> Any:
    from datetime import UTC

    return UTC


def library(name: str, what: str, extra: str) -> Any:
    """Import a library that only some formats need. Raises: MisuseError where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise MisuseError(f"{what} need {name.partition('.')[0]}: pip install 'crm-sdk[{extra}]'") from None


def spooled_stdin(folder: Path) -> Path:
    """Copy stdin into a file, which is called by its content: a file is read more than once, and stdin only once."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "stdin.part"
    sum_ = sha256()
    with part.open("wb") as file:
        while block := sys.stdin.buffer.read(1 << 20):
            sum_.update(block)
            file.write(block)
    path = folder / f"{sum_.hexdigest()[:16]}.stdin"
    part.replace(path)
    return path


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file."""
    sum_ = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sum_.update(block)
    return sum_.hexdigest()
