"""Write data to stdout as JSON, YAML, CSV and TSV, without what could steer a terminal."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from crm_sdk.wire import encode_json, instant, is_array, is_object

from ..failures import CONTROL, visible
from .shape import missing_extra


def write(content: bytes) -> None:
    """Write bytes to stdout, now."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def write_text(text: str) -> None:
    """Write a text to stdout."""
    write(text.encode("utf-8", "surrogatepass"))


def write_json(value: Any, indent: int | None = None) -> None:
    """Write a value as JSON, in which what could steer a terminal is escaped."""
    write_text(f"{json_text(value, indent)}\n")


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, in which what could steer a terminal is escaped."""
    return escaped_json(encode_json(value, indent=indent).decode("utf-8", "surrogatepass"))


def escaped_json(text: str) -> str:
    """Return JSON in which what could steer a terminal is escaped."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write_array(items: Iterable[Any]) -> None:
    """Write a JSON array, each item as it arrives."""
    begun = False
    for item in items:
        text = json_text(item, 2).replace("\n", "\n  ")
        write_text(f"{',' if begun else '['}\n  {text}")
        begun = True
    write_text("\n]\n" if begun else "[]\n")


def write_csv(rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(text.getvalue())


def write_tsv(rows: Iterable[Sequence[str]]) -> None:
    """Write rows as TSV; the fields have neither tabs nor line ends."""
    write_text("".join("\t".join(row) + "\n" for row in rows))


def write_yaml(value: Any) -> None:
    """Write a value as YAML: amounts as numbers with their digits, times as texts.

    Raises: MisuseError where PyYAML is not installed.
    """
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        raise missing_extra("pyyaml", "--output yaml") from None
    dumper: Any = type("Dumper", (yaml.SafeDumper,), {})  # one of our own, which knows amounts
    dumper.add_representer(Decimal, _amount)
    write_text(yaml.dump(_for_yaml(value), Dumper=dumper, allow_unicode=True, sort_keys=False, width=100))


def _amount(dumper: Any, value: Decimal) -> Any:
    digits = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in digits else 'int'}", digits)


def _for_yaml(value: Any) -> Any:
    if is_object(value):
        return {name: _for_yaml(item) for name, item in value.items()}
    if is_array(value):
        return [_for_yaml(item) for item in value]
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo is not None else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):  # it may have more digits than a float
        return Decimal(str(value))
    # Texts have classes of their own, such as those of secrets.
    return visible(str(value)) if isinstance(value, str) else value
