"""The types of actions: their parameters, and the check that an action could work."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from crm_sdk.wire import camel

from ...data import normalise
from ...data.document import Document
from ...problems import FieldError, Problem, invalid, validation
from ...request.reading.intake import receive_changes
from ...serving import Context, Members
from ..custom_objects.definitions import keys_of, object_named
from ..custom_objects.values import stored_value
from .subjects import (
    ACTIVITY,
    REFERENCES,
    body_with,
    check_conditions,
    has_variables,
    may_name,
    noun_of,
    own_field,
    settable,
    stands_alone,
)

_DEEPEST = 5
"""The greatest depth of branches within branches."""


@dataclass(frozen=True, slots=True)
class ActionType:
    """The parameters of a type of action: required ones (of ``a|b`` one, of ``a+b`` both), and others."""

    needs: Sequence[str] = ()
    takes: Sequence[str] = ()
    only: str | None = None
    """The only kind of record that has it."""

    def names(self) -> frozenset[str]:
        """Return the names of all parameters."""
        split = (name for need in self.needs for either in need.split("|") for name in either.split("+"))
        return frozenset({"type", *split, *self.takes})


TYPES: Mapping[str, ActionType] = {
    "update_field": ActionType(("field",), ("value",)),
    "create_task": ActionType(("title",), ("description", "due_in_days", "owner_id", "priority")),
    "create_record": ActionType(("entity_type", "fields")),
    "send_email": ActionType(("template_id|subject+body", "to")),
    "notify": ActionType(("user_ids|role", "title", "message"), ("channel",)),
    "call_webhook": ActionType(("url",), ("method", "headers", "secret")),
    "assign_owner": ActionType(("owner_id|strategy",)),
    "move_stage": ActionType(("stage",), ("lost_reason",), only="deal"),
    "add_tag": ActionType(("tag",)),
    "remove_tag": ActionType(("tag",)),
    "convert_lead": ActionType((), ("create_deal",), only="lead"),
    "enroll": ActionType(("workflow_id",)),
    "run_agent": ActionType(("agent_id", "input")),
    "branch": ActionType(("conditions", "then"), ("otherwise",)),
    "wait": ActionType(("minutes|until_field",)),
    "stop": ActionType(),
}


def check_actions(
    call: Context, kind: str, actions: Sequence[Members], path: str = "actions", *, within: str | None = None,
    depth: int = 1,
) -> None:  # fmt: skip
    """Check actions on records of a kind, see `check_action`."""
    for number, spec in enumerate(actions):
        check_action(call, kind, spec, f"{path}.{number}", within=within, depth=depth)


def check_action(
    call: Context, kind: str, spec: Members, path: str, *, within: str | None = None, depth: int = 1
) -> None:
    """Check one action; `within` is the id of the workflow that it is a part of.

    Raises: 422 for a parameter that is missing or that the type does not have, an unknown member of the record, a
    reference to nothing, and an address that must not be called.
    """
    known = TYPES[spec["type"]]  # no other is taken in
    if known.only not in (None, kind):
        raise invalid(f"{path}.type", "choice", f"{spec['type']} is an action on a {known.only}, not on a {kind}")
    strange = sorted(spec.keys() - known.names())
    if strange:
        raise validation(
            FieldError(f"{path}.{name}", "unknown", f"{spec['type']} has no parameter {name}") for name in strange
        )
    for need in known.needs:
        if not any(all(_is_given(spec, name) for name in either.split("+")) for either in need.split("|")):
            missing = next(name for name in need.partition("|")[0].split("+") if not _is_given(spec, name))
            message = f"{spec['type']} needs {need.replace('|', ' or ').replace('+', ' and ')}"
            raise invalid(f"{path}.{missing}", "required", message)
    _check_references(call, spec, path)
    check = _CHECKS.get(spec["type"])
    if check is not None:
        check(call, kind, spec, path)
    if spec["type"] == "enroll" and within is not None and spec["workflow_id"] == within:
        message = "a workflow that enrolls its records in itself would never end"
        raise Problem("WORKFLOW_LOOP", message, field=f"{path}.workflow_id")
    if spec["type"] == "branch":
        if depth > _DEEPEST:
            raise invalid(path, "max", f"branches are at most {_DEEPEST} deep")
        check_conditions(call, kind, spec["conditions"], f"{path}.conditions")
        for name in ("then", "otherwise"):
            check_actions(call, kind, spec.get(name) or (), f"{path}.{name}", within=within, depth=depth + 1)


def _is_given(spec: Members, name: str) -> bool:
    # An empty `then`, `fields` or text is as good as none, except where it is the value to set.
    return spec.get(name) not in (None, "", []) or (name == "then" and spec.get(name) == [])


def every_action(actions: Sequence[Members]) -> Iterator[Members]:
    """Yield actions with those inside their branches."""
    for spec in actions:
        yield spec
        yield from every_action([*(spec.get("then") or ()), *(spec.get("otherwise") or ())])


# -- the parameters ----------------------------------------------------------------------------------------------------


def _check_references(call: Context, spec: Members, path: str) -> None:
    for name in ("owner", "template", "workflow", "agent"):
        call.reference("user" if name == "owner" else name, spec.get(f"{name}_id"), f"{path}.{name}_id")
    call.resolve("user", spec.get("user_ids") or [], f"{path}.user_ids")


def _check_field(call: Context, kind: str, spec: Members, path: str) -> None:
    """Refuse a value that no update of the record would take. Raises 422 that names the place in the value."""
    name, where = spec["field"], f"{path}.value"
    noun = noun_of(call, kind)
    if not settable(call, kind, name):
        raise _unknown_field(f"{path}.field", kind, name)
    if "value" not in spec:
        raise invalid(where, "required", "update_field needs a value; null clears the member")
    update = noun.declared("update")
    assert update is not None, "only kinds with an update have workflows"
    head = name.partition(".")[0]
    if has_variables(spec["value"]):
        return
    own = own_field(call, kind, name)
    if own is not None:
        stored_value(call, own, spec["value"], where)
        return
    try:
        value = receive_changes(update, body_with(name, spec["value"]), typed=True)[head]
        if kind != ACTIVITY:
            noun.stored_value(call, head, value)
    except Problem as problem:
        entries = [replace(entry, field=where + (entry.field or "").removeprefix(head)) for entry in problem.entries]
        raise validation(entries) from None
    reference = {**REFERENCES, **noun.refers}.get(name)
    if reference is not None:
        call.resolve(reference, value, where)


def _unknown_field(field: str, kind: str, name: str) -> Problem:
    message = f"a {kind} has no member {name!r} that can be set"
    return Problem("UNKNOWN_FIELD", message, field=field, rule="choice", details={"field": name})


def _check_fields(call: Context, kind: str, spec: Members, path: str) -> None:
    """Refuse a new record that could not be created: its kind, its members and their values."""
    made = object_named(call, spec["entity_type"])
    if spec["entity_type"] not in call.server.nouns and made is not None and made["active"]:
        _check_own_fields(call, made, spec["fields"], f"{path}.fields")
        return
    noun = call.server.nouns.get(spec["entity_type"])
    create = noun.declared("create") if noun is not None and noun.within is None else None
    if noun is None or create is None or not stands_alone(create):
        raise invalid(f"{path}.entity_type", "choice", f"{spec['entity_type']!r} is not a kind of record to create")
    where = f"{path}.fields"
    strange = [name for name in spec["fields"] if name not in {camel(known) for known in create.arguments.members}]
    strange = [name for name in strange if name not in create.arguments.members]
    if strange:
        raise _unknown_field(f"{where}.{strange[0]}", spec["entity_type"], strange[0])
    try:
        receive_changes(create, {camel(name): value for name, value in spec["fields"].items()}, typed=True)
    except Problem as problem:
        filled = {camel(name) for name, value in spec["fields"].items() if has_variables(value)}
        entries = [
            replace(entry, field=f"{where}.{entry.field}") for entry in problem.entries
            if camel((entry.field or "").partition(".")[0]) not in filled
        ]  # fmt: skip
        if entries:
            raise validation(entries) from None


def _check_own_fields(call: Context, object: Document, values: Members, where: str) -> None:
    """Refuse values that a new record of a custom object could not have."""
    keys = keys_of(call, object["id"])
    for name, value in values.items():
        if name not in keys:
            raise _unknown_field(f"{where}.{name}", object["api_name"], name)
        if not has_variables(value):
            stored_value(call, keys[name], value, f"{where}.{name}")


def _check_mail(call: Context, kind: str, spec: Members, path: str) -> None:
    if spec["to"] not in ("record", "owner"):
        normalise.email(spec["to"], f"{path}.to")


def _check_stage(call: Context, kind: str, spec: Members, path: str) -> None:
    if not any(spec["stage"] in (stage["id"], stage["key"]) for stage in call.collection("stage")):
        message = f"no stage has the key or the id {spec['stage']!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field=f"{path}.stage", rule="reference")


def _check_enrolment(call: Context, kind: str, spec: Members, path: str) -> None:
    other = call.reference("workflow", spec["workflow_id"], f"{path}.workflow_id")
    if other is not None and other["entity_type"] != kind:
        message = f"{other['name']} is about a {other['entity_type']}, not a {kind}"
        raise invalid(f"{path}.workflow_id", "reference", message)


def _check_wait(call: Context, kind: str, spec: Members, path: str) -> None:
    name = spec.get("until_field")
    if name is not None and not may_name(call, kind, name):
        message = f"a {kind} has no member {name!r} to wait for"
        raise Problem("UNKNOWN_FIELD", message, field=f"{path}.until_field", details={"field": name})


def _check_member(name: str) -> Callable[[Context, str, Members, str], None]:
    def check(call: Context, kind: str, spec: Members, path: str) -> None:
        if not settable(call, kind, name):
            raise invalid(f"{path}.type", "choice", f"a {kind} has no {name}, which {spec['type']} sets")

    return check


def _check_url(call: Context, kind: str, spec: Members, path: str) -> None:
    check_url(spec["url"], f"{path}.url")


def check_url(url: str, field: str) -> None:
    """Raise 422 URL_NOT_ALLOWED for an address in a private network, or one that is none of the web."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        whole = (parts.port or 1) > 0 and parts.scheme.lower() in ("http", "https")
    except ValueError:  # an unclosed bracket, a port that is not a number
        host, whole = "", False
    if not whole or not host:
        raise invalid(field, "format", f"{url!r} is not an address like https://example.com/hook")
    address = _address(host)
    if _is_local(host) or (address is not None and not address.is_global):
        raise Problem("URL_NOT_ALLOWED", f"{host} is not a public address", field=field, rule="choice")


def _is_local(host: str) -> bool:
    if "." not in host and ":" not in host and not host.isdigit():
        return True  # the name of a machine in the same network
    return host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, in any of the spellings that resolvers know; None for a name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return _old_spelling(host)
    mapped = found.ipv4_mapped or found.sixtofour if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _old_spelling(host: str) -> ipaddress.IPv4Address | None:
    """Read 2130706433, 0x7f000001, 0177.0.0.1 and 127.1, which the C library's inet_aton takes for addresses."""
    parts = host.split(".")
    try:
        numbers = [int(part, 16 if part.startswith("0x") else 8 if part.startswith("0") else 10) for part in parts]
    except ValueError:
        return None
    *first, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in first) or last >= 256 ** (5 - len(numbers)):
        return None
    return ipaddress.IPv4Address(sum(number << 8 * (3 - at) for at, number in enumerate(first)) + last)


_CHECKS: Mapping[str, Callable[[Context, str, Members, str], None]] = {
    "update_field": _check_field,
    "create_record": _check_fields,
    "send_email": _check_mail,
    "call_webhook": _check_url,
    "move_stage": _check_stage,
    "enroll": _check_enrolment,
    "wait": _check_wait,
    "assign_owner": _check_member("owner_id"),
    "add_tag": _check_member("tags"),
    "remove_tag": _check_member("tags"),
}


def merged_action(stored: Members | None, given: Members) -> dict[str, Any]:
    """Return an action after a change: of the same type member by member, of another type as it is given."""
    if stored is None or given.get("type", stored["type"]) != stored["type"]:
        return dict(given)
    return {name: value for name, value in {**stored, **given}.items() if value is not None or name == "value"}


def describe(spec: Members) -> str:
    """Return a short description of an action: ``add_tag: hot``."""
    names = ("tag", "field", "stage", "title", "owner_id", "subject", "url", "entity_type", "until_field")
    first = next((spec[name] for name in names if spec.get(name)), None)
    return f"{spec['type']}: {first}" if first else str(spec["type"])
