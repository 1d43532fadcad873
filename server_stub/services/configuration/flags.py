"""The rules of feature flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

from crm_sdk.models.configuration import FeatureFlag
from crm_sdk.resources.configuration import Flags
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.filter_groups import FieldType, compile_filter
from ...noun import Noun
from ...problems import Problem, invalid, missing
from ...request.access import permissions
from ...serving import Context, Members, serves
from ..tenants.features import KEYS

_FIELDS: Mapping[str, FieldType] = {
    "user.id": "text", "user.role": "text", "user.email": "text", "user.team_ids": "list", "user.locale": "text",
    "tenant.id": "text", "tenant.plan": "text",
}  # fmt: skip
_OWN = "attributes."
_TYPES: Mapping[str, type] = {"boolean": bool, "text": str, "integer": int}
_WORDS: Mapping[str, str] = {"boolean": "true or false", "text": "a text", "integer": "a whole number"}


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return the rules with their defaults. Raises: 422 for a key of a service, another type, an unknown condition."""
    if before is None and members["key"] in KEYS:
        message = f"{members['key']} is a service, which is switched on by the features of the company"
        raise Problem("RESERVED_NAME", message, field="key", rule="unique")
    kind = before["type"] if before is not None else members.get("type", "boolean")
    _check_value(kind, members.get("default", before["default"] if before is not None else False), "default")
    if "rules" not in members:
        return {}
    rules: list[dict[str, Any]] = []
    given_rules: Sequence[Members] = members["rules"] or ()
    for number, rule in enumerate(given_rules):
        _check_value(kind, rule.get("value"), f"rules.{number}.value")
        filters: Sequence[Members] = rule.get("filters") or ()
        for place, given in enumerate(filters):
            _test(call, given, f"rules.{number}.filters.{place}")
        rules.append({"name": None, "percentage": 100, **rule, "filters": list(filters)})
    return {"rules": rules}


def _check_value(kind: str, value: Any, field: str) -> None:
    if type(value) is not _TYPES[kind]:
        raise invalid(field, "type", f"must be {_WORDS[kind]}")


FLAGS = Noun(
    resource=Flags,
    kind="flag",
    model=FeatureFlag,
    own=("update", "delete"),
    searched=("key", "name", "description"),
    sorts=("key",),
    forms={"name": required_text("name")},
    unique={"key": "FLAG_EXISTS"},
    limit="flags",
    filters={"expired": lambda call, wanted: lambda flag: _has_expired(call, flag) is wanted},
    check=_check,
)


def _found_flag(call: Context, key: str) -> Document:
    doc = next(iter(_known_flags(call, key)), None)
    if doc is None:
        raise missing("flag", key)
    return doc


def _known_flags(call: Context, key: str) -> list[Document]:
    return [flag for flag in call.collection("flag").find("key", key) if flag["key"] == key]


@serves(Flags.update)
def update(call: Context, key: str, changes: Members, version: int | None) -> Document:
    """Change a flag."""
    flag = _found_flag(call, key)
    call.lock(flag, version)
    return FLAGS.change(call, flag, FLAGS.stored_form(call, changes, flag))


@serves(Flags.delete)
def delete(call: Context, key: str, version: int | None) -> str:
    """Delete a flag."""
    flag = _found_flag(call, key)
    call.lock(flag, version)
    FLAGS.remove(call, flag)
    return str(flag["id"])


@serves(Flags.evaluate)
def evaluate(
    call: Context, keys: Sequence[str] | None, user_id: str | None, attributes: Members | None, defaults: Members | None
) -> list[dict[str, Any]]:
    """Return the values of flags for a user, and count that they were asked for."""
    own = call.caller.user_id
    if user_id is not None and user_id != own:
        permissions.check(call.caller, "configuration", "read")
        user = call.reference("user", user_id, "user_id")
    else:
        user = call.collection("user").get(own) if own is not None else None
    facts = _facts(call, user, attributes or {})
    flags = call.collection("flag")
    wanted = sorted(flag["key"] for flag in flags) if keys is None else keys
    found: list[dict[str, Any]] = []
    for key in wanted:
        flag = next(iter(_known_flags(call, key)), None)
        if flag is None:
            value = (defaults or {}).get(key)
            found.append({"key": key, "value": value, "reason": "error", "rule_index": None, "version": None})
            continue
        value, reason, index = _value(call, flag, facts)
        flags.put(flag | {"evaluation_count": (flag["evaluation_count"] or 0) + 1})  # not a change of the flag
        found.append({"key": key, "value": value, "reason": reason, "rule_index": index, "version": flag["version"]})
    return found


def _value(call: Context, flag: Document, facts: Members) -> tuple[Any, str, int | None]:
    """Return the value of a flag, the reason and the index of the rule."""
    if not flag["enabled"]:
        return flag["default"], "disabled", None
    if _has_expired(call, flag):
        return flag["default"], "expired", None
    for index, rule in enumerate(flag["rules"]):
        tests = [_test(call, given, f"rules.{index}.filters.{at}") for at, given in enumerate(rule["filters"])]
        percentage = rule["percentage"]
        if all(test(facts) for test in tests) and _is_in_share(flag["key"], facts["who"], percentage):
            return rule["value"], "rule" if percentage >= 100 else "split", index
    return flag["default"], "default", None


def _has_expired(call: Context, flag: Document) -> bool:
    return flag["expires_at"] is not None and flag["expires_at"] <= call.now


def _is_in_share(key: str, user_id: str, percentage: float) -> bool:
    """Return whether a user is in a share of the users of a flag."""
    place = int(sha256(f"{key}:{user_id}".encode()).hexdigest()[:8], 16)
    return Decimal(place) / 2**32 < Decimal(str(percentage)) / 100


def _facts(call: Context, user: Document | None, attributes: Members) -> dict[str, Any]:
    """Return what conditions may ask for, by the names of the fields; what is not known is absent."""
    tenant = call.tenant
    found: dict[str, Any] = {
        "tenant.id": tenant["id"],
        "tenant.plan": tenant["plan"],
        **{f"{_OWN}{name}": value for name, value in attributes.items() if value is not None},
        "who": user["id"] if user is not None else call.caller.actor_id,
    }
    if user is None:
        return found | {"user.role": call.caller.role}
    return {
        **found,
        "user.id": user["id"],
        "user.role": [role["key"] for role in user["roles"]] or user["role"],
        "user.email": user["email"],
        "user.team_ids": user["team_ids"],
        "user.locale": user.get("locale"),
    }


def _test(call: Context, given: Members, path: str) -> Callable[[Members], bool]:
    """Return the test of a condition. One on an attribute that was not sent does not hold, except ``is_not_set``.

    Raises: 422 UNKNOWN_FIELD, INVALID_OPERATOR.
    """
    field = str(given["field"])
    is_own = field.startswith(_OWN) and len(field) > len(_OWN)
    fields: Mapping[str, FieldType] = {field: _type_of(given)} if is_own else _FIELDS
    name = field if is_own else snake(field)
    absent_holds = given["op"] == "is_not_set" or not is_own

    def value(doc: Document, field: str) -> Any:
        return doc.get(name)

    _, test = compile_filter(given, fields, path, now=call.now, resolve=value)

    def holds(facts: Members) -> bool:
        return (absent_holds or name in facts) and test(Document(facts))

    return holds


def _type_of(given: Members) -> FieldType:
    """Return the type of an attribute: that of what it is compared with."""
    operands = given.get("values") if given["op"] in ("in", "not_in") else [given.get("value")]
    first = next(iter(operands or ()), None)
    if isinstance(first, bool):
        return "bool"
    if isinstance(first, (int, float, Decimal)):
        return "number"
    return "text"
