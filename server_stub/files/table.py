"""What every reader of a file returns: rows of columns, and remarks about what was not read as it stood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any] | str
"""The value of each column; or an error message for a row that cannot be read."""


class UnreadableFileError(Exception):
    """The file is not what its format says."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning about one cell, one column (`row` is None) or the whole file (`column` is None too)."""

    message: str
    row: int | None = None
    """The number of the row, from 1; a header is not counted."""
    column: str | None = None
    value: Any = None
    code: str = "NOT_READ"


@dataclass(frozen=True, slots=True)
class Table:
    """The rows and columns of a file."""

    columns: tuple[str, ...]
    """Their names, each once: a header that comes again has its number behind it."""
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...] = ()
    headers: tuple[str, ...] = ()
    """What the file itself calls its columns: several may be called the same. Empty where a format has names only."""
    delimiter: str | None = None
    """What separates the columns of a text."""
    encoding: str | None = None
    """What its bytes were read as."""


def names_of(header: Sequence[str], width: int) -> tuple[str, ...]:
    """Return a name for each of `width` columns, each once; one without a header is called by its number."""
    names: dict[str, None] = {}
    times: dict[str, int] = {}
    for number in range(width):
        name = (header[number].strip() if number < len(header) else "") or str(number + 1)
        unique = name
        while unique in names:
            times[name] = times.get(name, 1) + 1
            unique = f"{name} ({times[name]})"
        names[unique] = None
    return tuple(names)


def has_surrogate(text: str) -> bool:
    """Return whether a text has half of a character (a lone surrogate), which no file and no answer can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def checked_rows(rows: Iterable[Row]) -> Iterable[Row]:
    """Yield rows; one with bytes or characters that are none is an error message."""
    for row in rows:
        if isinstance(row, str):
            yield whole(row)
            continue
        broken = [name for name, value in row.items() if _is_broken(name, value)]
        yield f"{whole(', '.join(broken))}: there are characters that cannot be read" if broken else row


def whole(text: str) -> str:
    """Return a text with a question mark for each half of a character."""
    return text.encode(errors="replace").decode()


def _is_broken(*values: Any) -> bool:
    for value in values:
        if isinstance(value, str):
            if has_surrogate(value):
                return True
        elif isinstance(value, Mapping):
            if _is_broken(*value, *value.values()):
                return True
        elif isinstance(value, (list, tuple)) and _is_broken(*value):
            return True
    return False
