"""The values of custom fields of contacts, leads, accounts, deals, activities and territories, checked in every write.

A record has them in `custom_fields`. Keys that nobody has defined are kept as they are, unless the company has switched
`customization.strict_fields` on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...data.document import Document
from ...data.queries.query import member
from ...noun import Noun
from ...nouns.write_checks import checks_every_write
from ...problems import FieldError, Problem, invalid, validation
from ...request.settings import value_of
from ...serving import Context, Members
from ..custom_objects.checking import assigned_numbers
from ..custom_objects.definitions import CORE, keys_of, records_of
from ..custom_objects.values import stored_value, term
from .defaults import default_of
from .overrides import overrides_of

_EMPTY: tuple[Any, ...] = (None, "", [], {})


@checks_every_write
def check(
    call: Context, noun: Noun, given: Members, members: dict[str, Any], before: Document | None
) -> Iterator[Problem]:
    """Put the values of custom fields into `members` as they are stored, and yield what is wrong with a write."""
    entity = noun.collection
    if entity not in CORE:
        return
    yield from _standard(call, noun, given, members, before)
    sent: Mapping[str, Any] = given.get("custom_fields") or {}
    keys = keys_of(call, entity)
    if not keys and not sent:
        return
    held: Mapping[str, Any] = (before.get("custom_fields") if before is not None else None) or {}
    values: dict[str, Any] = dict(members.get("custom_fields", held))
    wrong: set[str] = set()
    strict = bool(sent.keys() - keys.keys()) and value_of(call.collection, call.caller, "customization.strict_fields")
    for name, value in sent.items():
        path = f"custom_fields.{name}"
        if name not in keys:
            if strict and value is not None and value != held.get(name):
                yield validation([FieldError(path, "unknown", f"a {entity} has no field of this name")])
            continue
        try:
            values[name] = stored_value(call, keys[name], value, path, held.get(name))
        except Problem as problem:
            wrong.add(name)
            yield problem
    for name, key in keys.items():
        if name in wrong or key.get("type") == "auto_number":
            continue
        if before is None and values.get(name) is None:
            values[name] = key["default"]
        cleared = values.get(name) is None and held.get(name) is not None
        if values.get(name) is None:
            if key["required"] and (before is None or name in sent or cleared):
                yield invalid(f"custom_fields.{name}", "required", f"{key['label']} is required")
        elif key["unique"] and values[name] != held.get(name):
            yield from _taken_value(call, key, values[name], before)
    if before is None and not wrong:
        values |= assigned_numbers(call, {"id": entity})
    elif before is not None:  # an automatic number stays, whatever is sent
        numbers = {name: held[name] for name, key in keys.items() if key["type"] == "auto_number" and name in held}
        values |= numbers
    stored = {name: value for name, value in values.items() if value is not None}
    if stored != held or "custom_fields" in members:
        members["custom_fields"] = stored


def _taken_value(call: Context, key: Members, value: Any, before: Document | None) -> Iterator[Problem]:
    """Yield a 409 where another record has a value that only one may have."""
    name, own_id = key["api_name"], before["id"] if before is not None else None
    wanted = term(name, value).casefold()
    for doc in records_of(call, key["object_id"]):
        values: Mapping[str, Any] = doc.get("custom_fields") or {}
        held = values.get(name)
        if held is not None and doc["id"] != own_id and term(name, held).casefold() == wanted:
            yield Problem(
                "DUPLICATE_VALUE", f"{doc['id']} has this {key['label']} already", field=f"custom_fields.{name}",
                rule="unique", details={"existing_id": doc["id"]},
            )  # fmt: skip
            return


def _standard(
    call: Context, noun: Noun, given: Members, members: dict[str, Any], before: Document | None
) -> Iterator[Problem]:
    """Fill in the defaults that the company has set for standard fields, and yield what it requires and refuses."""
    held: Members = before or {}
    for name, changed in overrides_of(call, noun.collection).items():
        head = name.partition(".")[0]
        if head not in noun.model.model_fields:  # of another kind of activity
            continue
        if before is None and members.get(name) in _EMPTY:
            default = default_of(call, noun, changed, name)
            members |= {name: default} if default is not None else {}
        value = member(Document({head: members.get(head, held.get(head))}), name)
        if changed.get("required") and value in _EMPTY:
            yield invalid(name, "required", f"{changed.get('label') or name} is required")
        off = [one["value"] for one in changed.get("options") or () if not one["active"]]
        if name in given and value in off and value != held.get(name):
            yield invalid(name, "choice", f"{value!r} is not offered any more")
