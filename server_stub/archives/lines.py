"""Records as lines of JSON that lose nothing: beside the members, a line says which of its texts are other values.

The member ``$types`` has, for each type without a form in JSON, the paths (RFC 6901) of its values. Without it, a line
is the record as any program reads it. Secrets are empty: no archive has them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crm_sdk.wire import is_array, is_object

from ..data.document import Document

TYPES = "$types"
_SECRET = re.compile(r"(^|_)(passwords?|secrets?|tokens?|api_key|private_key|webhook_key|credentials|fingerprint)(_|$)")
_JSON = frozenset({str, int, float, bool, type(None)})
"""The types of the values that are in a line as they are."""
_OWN = frozenset({"custom_fields", "fields", "values", "metadata"})
"""The members whose names the company chooses: none of them is one of our secrets."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_READ: Mapping[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal, "bytes": base64.b64decode,
}  # fmt: skip


def write_line(doc: Mapping[str, Any]) -> bytes:
    """Return a record as a line, with null in place of its secrets. The same record is always the same line.

    A stored document keeps its line, since the next archive has most of them again.
    """
    return doc.write_once(write_line, _line_of) if type(doc) is Document else _line_of(doc)


def _line_of(doc: Mapping[str, Any]) -> bytes:
    types: dict[str, list[str]] = {}
    plain: dict[str, Any] = _plain_members(doc, "", types, own=False)
    if types:
        plain[TYPES] = {name: types[name] for name in sorted(types)}
    return _ENCODER.encode(plain).encode("utf-8", "surrogatepass")


def _plain_members(members: Mapping[str, Any], path: str, types: dict[str, list[str]], *, own: bool) -> dict[str, Any]:
    """Return members as JSON has them; what is below those whose names the company chooses is its `own`."""
    found: dict[str, Any] = {}
    for name, item in sorted(members.items()):
        if not own and _is_secret(name, item):
            found[name] = None
        elif type(item) in _JSON:
            found[name] = item
        else:
            found[name] = _plain(item, f"{path}/{_escaped_name(name)}", types, own=own or name in _OWN)
    return found


def _plain(value: Any, path: str, types: dict[str, list[str]], *, own: bool) -> Any:
    """Return a value as JSON has it, and note the paths of the values that JSON has no type for."""
    if is_object(value):
        return _plain_members(value, path, types, own=own)
    if is_array(value):
        return [
            item if type(item) in _JSON else _plain(item, f"{path}/{place}", types, own=own)
            for place, item in enumerate(value)
        ]
    if isinstance(value, datetime):
        return _noted_type("datetime", value.isoformat(), path, types)
    if isinstance(value, date):
        return _noted_type("date", value.isoformat(), path, types)
    if isinstance(value, Decimal):
        return _noted_type("decimal", str(value), path, types)
    if isinstance(value, bytes):
        return _noted_type("bytes", base64.b64encode(value).decode(), path, types)
    return value


def _noted_type(kind: str, text: str, path: str, types: dict[str, list[str]]) -> str:
    types.setdefault(kind, []).append(path)
    return text


def read_line(line: bytes) -> Document:
    """Return the record of a line. Raises: ValueError, KeyError, TypeError for what is none."""
    plain: Any = json.loads(line.decode("utf-8", "surrogatepass"))
    if not is_object(plain) or not isinstance(plain.get("id"), str) or not plain["id"]:
        raise ValueError("a line is no record with an id")
    members = dict(plain)
    for kind, paths in members.pop(TYPES, {}).items():
        for path in paths:
            _convert(members, path, _READ[kind])
    return Document(members)


def _convert(members: Any, path: str, read: Callable[[str], Any]) -> None:
    """Put the value at a path in place of its text."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    held = members
    for part in way:
        held = held[int(part)] if is_array(held) else held[part]
    key: Any = int(last) if is_array(held) else last
    held[key] = read(held[key])


def _escaped_name(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


# -- secrets -----------------------------------------------------------------------------------------------------------


def _is_secret(name: str, value: Any) -> bool:
    return _names_secret(name) and isinstance(value, (str, bytes, Mapping))


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


def with_secrets_of(doc: Document, present: Mapping[str, Any]) -> Document:
    """Return a record with the secrets of the present one, which no archive has."""
    return Document(_with_secrets(doc, present))


def _with_secrets(doc: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    def pairs() -> Iterator[tuple[str, Any]]:
        for name, value in doc.items():
            now = present.get(name)
            if name not in _OWN and value is None and _is_secret(name, now):
                yield name, now
            elif name not in _OWN and is_object(value) and is_object(now):
                yield name, _with_secrets(value, now)
            else:
                yield name, value

    return dict(pairs())
