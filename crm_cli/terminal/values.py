"""A value as data, as a field of CSV or TSV, and as a cell of a table."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from crm_sdk.wire import encode_json, instant, is_array, is_object

from ..failures import visible

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d ().-]*$)")
"""What a text begins with that a spreadsheet carries out; ``+49 30 1234`` is a number to dial, and harmless."""
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


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


def csv_text(value: Any) -> str:
    """Return a value as a field of a CSV file, with an apostrophe before what a spreadsheet would carry out."""
    text = field_text(value)
    guarded = isinstance(value, str) or is_array(value)
    return visible(f"'{text}" if guarded and _FORMULA.match(text) else text.replace("\r\n", "\n"))


def tsv_text(value: Any) -> str:
    r"""Return a value as a field of TSV, in which a tab is ``\t`` and a line end ``\n``."""
    return visible(field_text(value).translate(_ESCAPED))


def field_text(value: Any) -> str:
    """Return a value as a text for programs."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo is not None else value.isoformat()
    if is_array(value) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return encode_json(value).decode() if is_object(value) or is_array(value) else str(value)


def cell(value: Any) -> str:
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
        return ", ".join(f"{name}: {cell(item)}" for name, item in value.items() if item not in (None, [], {}))
    if is_array(value):
        return ", ".join(cell(item) for item in value)
    return "" if value is None else visible(str(value))
