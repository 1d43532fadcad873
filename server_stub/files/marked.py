"""Texts in cells: marked by an apostrophe where a spreadsheet or an import would take them for something else.

`mark` and `unmark` are each other's inverse, and so are `write_list` and `read_list`, `write_value` and `read_value`:
what an export writes, an import reads, whatever the text is. Cells of other programs are read as they are meant.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crm_sdk.wire import is_array

from .csv_files import FORMULA

NOTHING = frozenset({"n/a", "#n/a", "na", "n.a.", "null", "(null)", "nil", "none", "nan", "-", "--", "—", "?"})
"""What programs and people write in a cell that has no value."""
_TRUTH = ("true", "false")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,60})?(E[+-]?[0-9]{1,3})?")
_EXCEL_TEXT = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
_SEPARATORS = re.compile(r"\s*:::\s*|[,;|\n]")


def mark(text: str) -> str:
    """Return a text as a cell: with an apostrophe before it where it would be taken for a formula or for nothing."""
    needed = text.startswith(FORMULA) or text.lower() in NOTHING
    return f"'{text}" if needed or (text.startswith("'") and _is_marked(text)) else text


def unmark(cell: str) -> str:
    """Return the text of a cell, without an apostrophe that marks it as text, and out of Excel's ``="…"``.

    The apostrophe of ``'s-Hertogenbosch`` marks nothing.
    """
    if cell.startswith("'") and _is_marked(cell):
        return cell[1:]
    found = _EXCEL_TEXT.fullmatch(cell.strip()) if cell.lstrip().startswith("=") else None
    return found[1].replace('""', '"') if found else cell


def _is_marked(cell: str) -> bool:
    rest = cell[1:]
    return rest.startswith((*FORMULA, "'", "[", *"0123456789")) or rest.lower() in NOTHING or rest in _TRUTH


def is_nothing(text: str) -> bool:
    """Return whether a cell says that it has no value: empty, ``N/A``, ``null``."""
    plain = text.strip()
    return not plain or plain.lower() in NOTHING


# -- several texts in one cell -----------------------------------------------------------------------------------------


def write_list(texts: Sequence[str], *, whole: bool = False, by: str = ", ") -> str:
    """Return texts as one cell, separated by commas, or by ``;``; with `whole` a single text stands for itself."""
    if whole and len(texts) == 1 and not (texts[0].startswith('"') and texts[0].endswith('"')):
        return texts[0]
    if not whole and not any(_SEPARATORS.search(text) or '"' in text or text != text.strip() for text in texts):
        return by.join(texts)
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=by.strip(), quoting=csv.QUOTE_ALL, lineterminator="").writerow(texts)
    return out.getvalue()


def read_list(cell: str, *, whole: bool = False) -> list[str]:
    """Return the texts of a cell: quoted as in CSV, or separated by commas, semicolons, bars, lines or ``:::``.

    With `whole` a cell that is not quoted is one text.
    """
    text = cell.strip()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        quoted = re.compile(r'"((?:[^"]|"")*)"\s*([,;]\s*|\Z)')
        found: list[str] = []
        at = 0
        while at < len(text) and (part := quoted.match(text, at)) is not None:
            found.append(part[1].replace('""', '"'))
            at = part.end()
        if at == len(text):
            return found
    return [text] if whole else [part for part in (part.strip() for part in _SEPARATORS.split(text)) if part]


# -- values of several types -------------------------------------------------------------------------------------------


def write_value(value: Any) -> str:
    """Return the value of a custom field as a cell from which `read_value` returns it with its type."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        exact = Decimal(str(value))
        return str(int(exact)) if exact == exact.to_integral_value() and exact.adjusted() < 39 else str(exact)
    if is_array(value):
        return json.dumps(list(value), ensure_ascii=False)
    text = str(value)
    return f"'{text}" if _NUMBER.fullmatch(text) or text in _TRUTH or text.startswith("[") else mark(text)


def read_value(cell: str) -> Any:
    """Return the value in a cell of a custom field: a number, true or false, a list of texts, or a text."""
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return cell
        if is_array(found) and all(isinstance(item, str) for item in found):
            return list(found)
        return cell
    return unmark(cell)
