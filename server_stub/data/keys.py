"""Find records by a key that several members can have, such as the main and the secondary e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ..problems import Problem
from .collection import Collection
from .document import Document


def with_value(records: Collection, members: Sequence[str], value: object) -> list[Document]:
    """Return the live records with a value in one of the members, each once, without regard to case."""
    return list({doc["id"]: doc for name in members for doc in records.find(name, value)}.values())


def taken_values(
    records: Collection,
    given: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    codes: Mapping[str, str],
    places: Mapping[str, Sequence[str]],
    scope: str | None,
) -> Iterator[Problem]:
    """Yield a 409 for each given value that another live record has already; `details` names that record.

    `codes` maps a unique member to its error code, `places` to the members that share its values: what is unique in
    one record may be a further value of no other, while several may have the same further value. With `scope` a value
    is unique among the records that have the same value there.
    """
    own = before["id"] if before is not None else None
    within = {**(before or {}), **given}.get(scope) if scope else None
    for name, code in codes.items():
        shared = places.get(name, (name,))
        for member in shared:
            kept = _values(before.get(member)) if before is not None else ()
            for value in [value for value in _values(given.get(member)) if value not in kept]:
                for other in with_value(records, shared if member == name else (name,), value):
                    # The index ignores case, but external ids are case-sensitive.
                    exact = name != "external_id" or other[name] == value
                    if exact and other["id"] != own and (not scope or other[scope] == within):
                        message = f"{other['id']} has the {name.replace('_', ' ')} {value!r} already"
                        details = {"existing_id": other["id"]}
                        yield Problem(code, message, field=member, rule="unique", details=details)
                        break


def _values(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else (value,)
