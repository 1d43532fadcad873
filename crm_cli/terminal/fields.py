"""``--fields a,b.c``: which members of a record are printed, and those of records within it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crm_sdk.wire import camel, is_array, is_object

from ..failures import MisuseError
from .columns import Columns, refuse_unknown


def names_in(text: str) -> list[str]:
    """Return the names in the value of an option. Raises: MisuseError where there is none."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found or any(not part for name in found for part in name.split(".")):
        raise MisuseError(f"--fields must be names separated by commas, as in id,name,address.city, not {text!r}")
    return found


def resolved_fields(typed: Sequence[str], known: Columns | None, flag: str) -> list[str]:
    """Return the names of fields as they are on the wire. Raises: MisuseError for one that the model does not have."""
    if known is None:
        return list(typed)
    plain = [name for name in typed if "." not in name]
    heads = {name: name.partition(".") for name in typed if "." in name}
    single = dict(zip(plain, known.resolve(plain, flag), strict=True))
    inner = {name: known.resolve([head], flag)[0] + dot + rest for name, (head, dot, rest) in heads.items()}
    return [(single | inner)[name] for name in typed]


def at(value: Any, path: str) -> Any:
    """Return what a record has at a path; of a list, of each of its items; None where it has nothing there."""
    head, _, rest = path.partition(".")
    if is_array(value):
        if head.isdigit():
            found = value[int(head)] if int(head) < len(value) else None
            return at(found, rest) if rest else found
        return [at(item, path) for item in value]
    if not is_object(value):
        return None
    found = value.get(head, value.get(camel(head)))
    return at(found, rest) if rest else found


def refuse_absent(names: Sequence[str], rows: Iterable[Any], flag: str) -> None:
    """Refuse names that no record has, where only the records say which there are."""
    there = dict.fromkeys(name for row in rows if is_object(row) for name in row)
    if there:
        heads = [name.partition(".")[0] for name in names]
        refuse_unknown([head for head in heads if head not in there and camel(head) not in there], there, flag)


def project(value: Any, names: Sequence[str], known: Columns | None = None) -> Any:
    """Return a record with no other members than these; what it does not have is null."""
    if not is_object(value):
        return value
    picked: dict[str, Any] = {}
    inner: dict[str, list[str]] = {}
    for name in names:
        head, _, rest = name.partition(".")
        key = head if head in value else camel(head)
        if rest and not (is_array(value.get(key)) and rest.partition(".")[0].isdigit()):
            inner.setdefault(key, []).append(rest)
            picked.setdefault(key, None)
        elif rest:
            picked[name] = at(value, name)
        else:
            picked[head if key not in value else key] = (
                known.value(head, value) if known is not None else value.get(key)
            )
    for key, rests in inner.items():
        part = value.get(key)
        if picked[key] is None:
            picked[key] = [project(item, rests) for item in part] if is_array(part) else project(part, rests)
    return picked
