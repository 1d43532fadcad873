"""Change a member of a TOML file by its line, so that comments and the order of a hand-made file stay."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from crm_sdk.wire import is_object

from ..failures import MisuseError

_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_VALUE = r"""("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\[\]]*\]|[^#\s]+)"""


def with_member(
    text: str, data: Mapping[str, Any], table: str | None, name: str, value: Any, path: Path
) -> tuple[str, dict[str, Any]]:
    """Return a file's text and what it says with a member of a table set, or removed where the value is None.

    Raises: MisuseError where the file is written in a way that this cannot change.
    """
    wanted: dict[str, Any] = deepcopy(dict(data))
    inner = wanted
    for part in table.split(".") if table is not None else ():
        inner = inner.setdefault(part, {})
    inner.pop(name, None)
    if value is not None:
        inner[name] = value
    lines = text.splitlines()
    first, end = _bounds(lines, table)
    line = f"{name} = {_literal(value)}"
    member = re.compile(rf"^(\s*){re.escape(name)}\s*=\s*{_VALUE}(\s*(?:#.*)?)$")
    at = next((n for n in range(first, end) if member.match(lines[n])), None)
    if at is not None and value is None:
        del lines[at]
    elif at is not None:
        lines[at] = member.sub(lambda match: f"{match[1]}{line}{match[3]}", lines[at])
    elif first < 0 and value is not None:
        lines += [*([""] if lines else []), f"[{table}]", line]
    elif value is not None:
        while end > first and not lines[end - 1].strip():
            end -= 1
        lines.insert(end, line)
        if end + 1 < len(lines) and lines[end + 1].strip():
            lines.insert(end + 1, "")
    changed = "\n".join(lines) + "\n" if lines else ""
    if _without_empty(_parsed_toml(changed)) != _without_empty(wanted):
        raise MisuseError(f"{path} is written in a way that {name} cannot be changed in: edit it by hand")
    return changed, wanted


def _bounds(lines: list[str], table: str | None) -> tuple[int, int]:
    """Return the first line after a table's header and the line after its last; -1 where there is no such table."""
    headers = [(n, match[1].replace('"', "")) for n, line in enumerate(lines) if (match := _HEADER.match(line))]
    if table is None:
        return 0, headers[0][0] if headers else len(lines)
    at = next((n for n, found in headers if found == table), None)
    if at is None:
        return -1, -1
    return at + 1, next((n for n, _ in headers if n > at), len(lines))


def _literal(value: Any) -> str:
    """Return a value as TOML: texts and lists of texts are written as in JSON."""
    return json.dumps(value, ensure_ascii=False)


def _parsed_toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _without_empty(data: dict[str, Any] | None) -> Any:
    """Return what a file says without tables that say nothing: an edit may leave one, or need none."""
    if data is None:
        return None
    found: dict[str, Any] = {name: _without_empty(item) if is_object(item) else item for name, item in data.items()}
    return {name: item for name, item in found.items() if item != {}}
