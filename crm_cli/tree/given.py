"""What is typed as a file: JSON, and the texts of a list."""

from __future__ import annotations

import sys
from typing import Any

from crm_sdk.wire import decode_json, is_array

from ..failures import MisuseError


def texts_in_file(text: str, flag: str) -> list[str] | None:
    """Return the texts in what is typed as ``@file`` or ``@-``: of a JSON array, else of its lines; None for a text.

    Raises: MisuseError for a file that is not there.
    """
    if not text.startswith("@") or text.startswith("@@") or text == "@":
        return None
    try:
        source = _content(text[1:])
    except FileNotFoundError:
        raise MisuseError(f"{flag}: there is no file {text[1:]!r}; what begins with @ is typed as @{text}") from None
    try:
        found = decode_json(source.encode("utf-8", "surrogateescape"))
    except ValueError:
        found = None
    items: list[Any] = found if is_array(found) else [line.strip() for line in source.splitlines()]
    return [str(item) for item in items if item != ""]


def _content(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    with open(name, encoding="utf-8-sig") as file:
        return file.read()


def read_json(text: str, flag: str) -> Any:
    """Read JSON from the command line, a file (``@file``) or stdin (``-``); JSON lines are read as a list."""
    source = _content(text.removeprefix("@")) if text == "-" or text.startswith("@") else text
    try:
        return decode_json(source.encode("utf-8", "surrogateescape"))
    except ValueError as error:
        lines = [line for line in source.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
            try:
                return [decode_json(line.encode("utf-8", "surrogateescape")) for line in lines]
            except ValueError:
                pass
        raise MisuseError(f"{flag}: this is not JSON ({error}); give JSON, @file, or - for stdin") from None
