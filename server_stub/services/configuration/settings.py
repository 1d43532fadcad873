"""The rules of settings: their values by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_sdk.resources.configuration import Settings
from crm_sdk.wire import is_object

from ...data.document import Document
from ...languages.catalogue import label
from ...problems import AsGiven, FieldError, Problem, invalid, refuse_any, validation
from ...request.access import permissions
from ...request.settings import (
    KIND,
    SETTINGS,
    Known,
    checked_setting,
    id_of,
    in_force,
    known_setting,
    masked_secret,
    unknown,
)
from ...serving import Context, Members, serves
from ..users.roles import find_role

_STATE, _STATE_ID = "setting_state", "settings"


@serves(Settings.list)
def list_(
    call: Context,
    group: str | None,
    keys: Sequence[str] | None,
    scope: str | None,
    scope_id: str | None,
    changed: bool | None,
) -> list[dict[str, Any]]:
    """Return settings by key: as they are in force for the caller, or as one level has them."""
    level_id: str | None = None
    if scope is not None:
        level_id = _level_id(call, scope, scope_id)
        if scope == "user" and level_id != call.caller.user_id:
            permissions.check(call.caller, "configuration", "read")
        if level_id is None:
            return []
    records = call.collection(KIND)
    own = {doc["key"] for doc in records if doc["key"].startswith("env.")}
    shown = [
        _shown_setting(call, key, scope, level_id) for key in sorted({*SETTINGS, *own}) if keys is None or key in keys
    ]
    return [
        one for one in shown
        if (group is None or one["group"] == group)
        and (scope is None or scope in one["scopes"])
        and (changed is None or (one["source"] != "default") is changed)
    ]  # fmt: skip


@serves(Settings.update)
def update(
    call: Context, values: Members, scope: str, scope_id: str | None, locked: bool | None, version: int | None
) -> list[dict[str, Any]]:
    """Set settings of one level, all of them or none."""
    level_id = _writable_level(call, scope, scope_id)
    call.lock(Document(version=settings_version(call)), version)
    if locked is not None and scope != "tenant":
        raise invalid("locked", "choice", "only values of the company can be locked")
    records = call.collection(KIND)
    problems, writes = list[Problem](), list[tuple[Known, Document | None, Document | None]]()
    for key, value in values.items():
        before = records.get(id_of(scope, level_id, key))
        try:
            writes.append(_written_setting(call, key, value, before, scope, level_id, locked))
        except Problem as problem:
            problems.append(problem)
    _refuse(problems)
    _write(call, writes, scope, level_id)
    return [_shown_setting(call, key, scope, level_id, falls_back=True) for key in sorted(values)]


def settings_version(call: Context) -> int:
    """Return the version of all settings of a company, which goes up with every change of one."""
    state = call.collection(_STATE).get(_STATE_ID)
    return int(state["version"]) if state is not None else 1


def _refuse(problems: Sequence[Problem]) -> None:
    """Raise what was found to be wrong: all that cannot be accepted at once, else the first conflict."""
    named = [(entry, entry.field) for problem in problems if problem.status == 422 for entry in problem.entries]
    # The keys of settings are no names of members, and have no other form on the wire.
    entries = [replace(entry, field=AsGiven(field)) if field is not None else entry for entry, field in named]
    if entries:
        raise validation(entries)
    refuse_any(problems)


# -- levels ------------------------------------------------------------------------------------------------------------


def _level_id(call: Context, scope: str, scope_id: str | None) -> str | None:
    """Return the id of what has a level; None where there is no such role, team or user. Raises: 422 without one."""
    if scope == "tenant":
        return call.caller.tenant_id if scope_id in (None, "current", call.caller.tenant_id) else None
    if scope == "user" and scope_id in (None, "me"):
        if call.caller.user_id is None:
            raise Problem("NO_USER", "only a user has settings of one's own: name a user by scopeId")
        return call.caller.user_id
    if scope_id is None:
        raise invalid("scope_id", "required", f"name the {scope}")
    doc = find_role(call, scope_id) if scope == "role" else call.find_one(scope, scope_id)
    return str(doc["id"]) if doc is not None else None


def _writable_level(call: Context, scope: str, scope_id: str | None) -> str:
    """Return the id of what has a level that the caller may write. Raises: 403; 422 for an unknown one."""
    if scope != "user" or scope_id not in (None, "me", call.caller.user_id):
        permissions.check(call.caller, "configuration", "update")
    level_id = _level_id(call, scope, scope_id)
    if level_id is None:
        message = f"no {scope} has the id {scope_id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="scope_id", rule="reference")
    return level_id


# -- writing -----------------------------------------------------------------------------------------------------------


def _written_setting(
    call: Context, key: str, given: Any, before: Document | None, scope: str, level_id: str, locked: bool | None
) -> tuple[Known, Document | None, Document | None]:
    """Return a setting with its record before and after. Raises: 422, 409 SETTING_LOCKED."""
    value, secret = _read(key, given, before)
    setting = known_setting(key, value)
    if setting is None:
        raise unknown(key)
    if scope not in setting.scopes:
        levels = ", ".join(setting.scopes)
        message = f"{key} can be set for: {levels}"
        details = {"scopes": list(setting.scopes)}
        raise Problem("SETTING_SCOPE", message, field=f"values.{key}", rule="choice", details=details)
    company = call.collection(KIND).get(id_of("tenant", call.caller.tenant_id, key))
    if scope != "tenant" and company is not None and company["locked"]:
        message = f"the company has locked {key}"
        raise Problem(
            "SETTING_LOCKED", message, field=AsGiven(f"values.{key}"), details={"key": key, "scope": "tenant"}
        )
    if value is None:
        if locked:
            raise invalid(f"values.{key}", "required", "only a value can be locked")
        return setting, before, None
    value = checked_setting(setting, value, call.tenant["plan"])
    _check_reference(call, key, value)
    was_locked = bool(before["locked"]) if before is not None else False
    members = {
        "id": id_of(scope, level_id, key), "scope": scope, "scope_id": level_id, "key": key, "value": value,
        "secret": secret, "locked": was_locked if locked is None else locked,
    }  # fmt: skip
    stamp = {"updated_at": call.now, "updated_by": call.caller.actor_id}
    same = before is not None and all(_alike(before[name], one) for name, one in members.items())
    return setting, before, before if same else Document({**members, **stamp})


def _alike(one: Any, other: Any) -> bool:
    """Return whether values are the same: true is another one than 1."""
    return type(one) is type(other) and bool(one == other)


def _read(key: str, given: Any, before: Document | None) -> tuple[Any, bool]:
    """Return a value as given, and whether it is secret: only those of the environment may be.

    A masked value that comes back is the one that is stored.
    """
    is_secret = bool(before["secret"]) if before is not None else False
    if not key.startswith("env."):
        return given, False
    if is_object(given) and "value" in given and given.keys() <= {"value", "secret"}:
        given, said = given["value"], given.get("secret")
        if said is not None and not isinstance(said, bool):
            raise invalid(f"values.{key}.secret", "type", "must be true or false")
        secret = is_secret if said is None else said
    else:
        secret = is_secret
    if before is not None and is_secret and given == masked_secret(before["value"]):
        if not secret:
            raise invalid(f"values.{key}.secret", "read_only", "a secret value is not shown again: give another one")
        return before["value"], True
    return given, secret


def _check_reference(call: Context, key: str, value: Any) -> None:
    """Raise 422 for a dashboard or a kind of records that is not there."""
    if key == "ui.home_dashboard_id":
        call.reference("dashboard", value, f"values.{key}")
    if key in ("ui.navigation", "ui.terminology"):
        own = {doc["api_name"] for doc in call.collection("custom_object")}
        wrong = [kind for kind in value if kind not in call.server.nouns and kind not in own]
        if wrong:
            raise validation(
                FieldError(f"values.{key}", "choice", f"there is no kind of records {kind!r}") for kind in wrong
            )


def _write(
    call: Context, writes: Sequence[tuple[Known, Document | None, Document | None]], scope: str, level_id: str
) -> None:
    records, changes = call.collection(KIND), list[dict[str, Any]]()
    for setting, before, after in writes:
        if after is before:
            continue
        if after is None:
            records.remove(id_of(scope, level_id, setting.key))
        else:
            records.put(after)
        changes += _changes(setting.key, before, after)
    if not changes:
        return
    call.collection(_STATE).put(Document(id=_STATE_ID, version=settings_version(call) + 1))
    keys = sorted({change["field"].removesuffix(" locked") for change in changes})
    said = {"scope": scope, "scope_id": level_id, "keys": keys}
    call.emit("configuration.settings_updated", "tenant", call.tenant, changes=changes, metadata=said)


def _changes(key: str, before: Document | None, after: Document | None) -> list[dict[str, Any]]:
    was, now = _plain(before), _plain(after)
    found: list[dict[str, Any]] = [{"field": key, "before": was, "after": now}]
    if before is not None and after is not None and before["locked"] != after["locked"]:
        lock = {"field": f"{key} locked", "before": before["locked"], "after": after["locked"]}
        found = [*(found if not _alike(before["value"], after["value"]) else ()), lock]
    return found


def _plain(doc: Mapping[str, Any] | None) -> Any:
    """Return the value of a setting as it may be shown."""
    if doc is None:
        return None
    return masked_secret(doc["value"]) if doc["secret"] else doc["value"]


# -- answers -----------------------------------------------------------------------------------------------------------


def _shown_setting(
    call: Context, key: str, scope: str | None, level_id: str | None, *, falls_back: bool = False
) -> dict[str, Any]:
    """Return a setting as it is in force for the caller, or as a level has it: null where that has no value.

    What `falls_back` is shown as the company has it where the level has no value, else by its default.
    """
    records, plan = call.collection(KIND), call.tenant["plan"]
    company = records.get(id_of("tenant", call.caller.tenant_id, key))
    doc = (
        in_force(call.collection, call.caller, key) if scope is None else records.get(id_of(scope, str(level_id), key))
    )
    doc = company if doc is None and falls_back else doc
    setting = known_setting(key, doc["value"] if doc is not None else None)
    assert setting is not None  # the keys are those of settings
    default = setting.default_for(plan)
    is_number = setting.type == "integer"
    return {
        "key": key,
        "group": key.partition(".")[0],
        "label": label(call.language, setting.label),
        "description": label(call.language, setting.description),
        "type": setting.type,
        "value": _plain(doc) if doc is not None else default if scope is None or falls_back else None,
        "default": default,
        "source": doc["scope"] if doc is not None else "default",
        "scopes": list(setting.scopes),
        "locked": bool(company is not None and company["locked"]),
        "secret": bool(doc is not None and doc["secret"]),
        "options": [
            {"value": word, "label": label(call.language, word.capitalize()), "active": True, "position": at}
            for at, word in enumerate(setting.options)
        ],
        "min_value": setting.least if is_number else None,
        "max_value": setting.most_for(plan) if is_number else None,
        "updated_at": doc["updated_at"] if doc is not None else None,
        "updated_by": doc["updated_by"] if doc is not None else None,
    }
