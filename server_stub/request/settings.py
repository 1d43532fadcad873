"""Settings: what can be set, on which levels, and the value that is in force for a caller.

A value that was set is a record of the kind ``setting`` of the company, with its level, its key and the value; the
values of the company itself may be locked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from crm_sdk.wire import encode_json, is_array, is_object

from ..problems import Problem, invalid
from .access.plans import PLANS

if TYPE_CHECKING:
    from ..caller import Caller
    from ..data.document import Document
    from ..serving import Collections, Context

KIND = "setting"
Level: TypeAlias = Literal["tenant", "role", "team", "user"]
ALL: tuple[Level, ...] = ("tenant", "role", "team", "user")
ENV_NAME = re.compile(r"env\.[A-Z][A-Z0-9_]{0,63}")
_LONGEST_ENV = 4_096
_SCHEDULE = re.compile(
    r"off|hourly|((daily|weekly (mon|tues|wednes|thurs|fri|satur|sun)day|monthly) ([01]\d|2[0-3]):[0-5]\d)"
)
_RETENTION = (7, 30, 90)
"""The days that changes are kept at most, for the plans in their order."""
NAVIGATION = ("contact", "lead", "account", "deal", "activity", "conversation", "report", "dashboard")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A setting that there is."""

    key: str
    label: str
    type: str
    default: Any
    scopes: tuple[Level, ...] = ("tenant",)
    description: str = ""
    least: int | None = None
    most: int | None = None
    options: Sequence[str] = ()
    pattern: re.Pattern[str] | None = field(default=None, repr=False)

    def default_for(self, plan: str) -> Any:
        """Return the value where no level has one."""
        return self.most_for(plan) if self.key == "changes.keep_days" else self.default

    def most_for(self, plan: str) -> int | None:
        """Return the greatest value."""
        return _RETENTION[PLANS.index(plan)] if self.key == "changes.keep_days" else self.most


_OWN: tuple[Level, ...] = ("tenant", "user")
_SETTINGS = (
    Known(
        key="records.page_size", label="Page size", type="integer", default=50, scopes=_OWN, least=1, most=200,
        description="How many records a page of a list has where the call does not say it.",
    ),
    Known(
        key="customization.strict_fields", label="Strict fields", type="boolean", default=False,
        description="Whether values of undefined custom fields are refused.",
    ),
    Known(
        key="deals.rotten_notify", label="Tell of rotten deals", type="boolean", default=True,
        scopes=("tenant", "team"), description="Whether owners are told of deals that have been in a stage too long.",
    ),
    Known(
        key="activities.reminder_minutes", label="Reminders", type="list", default=(1440, 60, 15),
        scopes=("tenant", "team", "user"), least=0, most=525_600,
        description="How many minutes before an appointment one is reminded of it.",
    ),
    Known(
        key="calendar.meeting_minutes", label="Length of meetings", type="integer", default=30, scopes=_OWN, least=1,
        most=1_440, description="How many minutes a meeting lasts by default.",
    ),
    Known(
        key="calendar.buffer_minutes", label="Time between meetings", type="integer", default=0, scopes=_OWN, least=0,
        most=1_440, description="How many minutes stay free before and after a meeting.",
    ),
    Known(
        key="calendar.feed_allowed", label="Calendar feeds", type="boolean", default=True,
        description="Whether users may subscribe to their calendars from other programs.",
    ),
    Known(
        key="imports.max_rows", label="Rows of an import", type="integer", default=100_000, least=1, most=1_000_000,
        description="How many rows a file to import may have.",
    ),
    Known(
        key="exports.keep_days", label="Exports are kept", type="integer", default=7, least=1, most=3_650,
        description="How many days exported files are kept.",
    ),
    Known(
        key="changes.keep_days", label="Changes are kept", type="integer", default=None, least=1,
        description="How many days the feed of changes goes back, at most what the plan has.",
    ),
    Known(
        key="backup.schedule", label="Time of backups", type="text", default="daily 02:00", pattern=_SCHEDULE,
        description="When backups are made: off, hourly, daily 02:00, weekly monday 02:00 or monthly 02:00.",
    ),
    Known(
        key="backup.keep", label="Backups are kept", type="integer", default=7, least=0, most=3_650,
        description="How many backups of the schedule are kept; with 0 the last good backup may be deleted, too.",
    ),
    Known(
        key="backup.rpo_hours", label="Age of the last backup", type="integer", default=24, least=1, most=8_760,
        description="How many hours old the last backup may be.",
    ),
    Known(
        key="chatops.confirm_writes", label="Confirm commands", type="boolean", default=True,
        description="Whether a command that writes is shown before it is carried out.",
    ),
    Known(
        key="privacy.block_erased", label="Block erased people", type="boolean", default=True,
        description="Whether the addresses of people who were erased are refused.",
    ),
    Known(
        key="ui.navigation", label="Navigation", type="list", default=NAVIGATION, scopes=ALL,
        description="The kinds of records in the navigation, in order.",
    ),
    Known(
        key="ui.home_dashboard_id", label="First dashboard", type="text", default=None, scopes=ALL,
        description="Id of the dashboard that is shown first.",
    ),
    Known(
        key="ui.terminology", label="Terminology", type="json", default={},
        description='What kinds of records are called: {"deal": {"one": "Opportunity", "many": "Opportunities"}}.',
    ),
    Known(
        key="ui.density", label="Density", type="select", default="comfortable", scopes=("user",),
        options=("comfortable", "compact"), description="How close the lines of lists are.",
    ),
)  # fmt: skip
SETTINGS: Mapping[str, Known] = {one.key: one for one in sorted(_SETTINGS, key=lambda one: one.key)}
"""The settings by their keys, beside those of the environment."""
_ENV = "Is put in place of {{{{{key}}}}} in actions of workflows and in templates."


def known_setting(key: str, value: Any = None) -> Known | None:
    """Return the setting with a key; None for an unknown one. One of the environment has the type of its value."""
    if ENV_NAME.fullmatch(key) is None:
        return SETTINGS.get(key)
    return Known(
        key=key, label=key.partition(".")[2], type=_type_of(value), default=None, description=_ENV.format(key=key)
    )


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, Decimal):
        return "decimal"
    return "list" if is_array(value) else "json" if is_object(value) else "text"


def checked_setting(setting: Known, value: Any, plan: str) -> Any:
    """Return the stored form of a value that is not null. Raises: 422 for another type, and beyond the bounds."""
    field, kind = f"values.{setting.key}", setting.type
    if ENV_NAME.fullmatch(setting.key):
        if len(encode_json(value) if not isinstance(value, str) else value.encode()) > _LONGEST_ENV:
            raise invalid(field, "length", "has at most 4 kB")
        return value
    if kind == "boolean" and not isinstance(value, bool):
        raise invalid(field, "type", "must be true or false")
    if kind == "integer":
        _check_number(setting, value, plan, field)
    if kind in ("text", "select") and not isinstance(value, str):
        raise invalid(field, "type", "must be a text")
    if kind == "select" and value not in setting.options:
        words = list(setting.options)
        raise invalid(field, "choice", f"must be one of {', '.join(words)}", choices=words)
    if setting.pattern is not None and setting.pattern.fullmatch(str(value)) is None:
        raise invalid(field, "format", setting.description)
    if kind == "list":
        return _list(setting, value, plan, field)
    return _terms(value, field) if kind == "json" else value


def _check_number(setting: Known, value: Any, plan: str, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, "type", "must be a whole number")
    most = setting.most_for(plan)
    if setting.least is not None and value < setting.least:
        raise invalid(field, "min", f"must be at least {setting.least:,}")
    if most is not None and value > most:
        raise invalid(field, "max", f"must be at most {most:,}")


def _list(setting: Known, value: Any, plan: str, field: str) -> list[Any]:
    if not is_array(value):
        raise invalid(field, "type", "must be a list")
    if len(value) > 50:
        raise invalid(field, "length", "has at most 50 entries")
    for number, item in enumerate(value):
        if setting.least is not None:
            _check_number(setting, item, plan, f"{field}.{number}")
        elif not isinstance(item, str) or not item.strip():
            raise invalid(f"{field}.{number}", "type", "must be a text")
        if item in value[:number]:
            raise invalid(f"{field}.{number}", "unique", "is named twice")
    return list(value)


def _terms(value: Any, field: str) -> dict[str, dict[str, str]]:
    """Return what kinds of records are called; a kind has a word for one of them, and one for many."""
    if not is_object(value):
        raise invalid(field, "type", "must be an object")
    found: dict[str, dict[str, str]] = {}
    for kind, words in value.items():
        if not is_object(words) or not words.keys() <= {"one", "many"} or not words:
            raise invalid(f"{field}.{kind}", "type", 'must be an object with the members "one" and "many"')
        for name, word in words.items():
            if not isinstance(word, str) or not word.strip() or len(word) > 100:
                raise invalid(f"{field}.{kind}.{name}", "length", "must be a text of 1 to 100 characters")
        found[kind] = {name: word.strip() for name, word in words.items()}
    return found


# -- what is in force --------------------------------------------------------------------------------------------------


def id_of(level: str, level_id: str, key: str) -> str:
    """Return the id of the record with the value of a level."""
    return f"{level}/{level_id}/{key}"


def levels_of(collections: Collections, caller: Caller) -> Iterator[tuple[Level, str]]:
    """Yield the levels of a caller, the nearest first: user, roles in their order, teams by id, company."""
    return _levels(collections, caller.tenant_id, caller.user_id, caller.role)


def _levels(
    collections: Collections, tenant_id: str, user_id: str | None, role: str | None
) -> Iterator[tuple[Level, str]]:
    user = collections("user").get(user_id) if user_id is not None else None
    if user is not None:
        yield "user", user["id"]
        for held in user["roles"]:
            yield "role", held["id"]
        for team_id in sorted(user["team_ids"], key=_by_number):
            yield "team", team_id
    elif role is not None:
        yield "role", f"role_{role}"
    yield "tenant", tenant_id


def _by_number(id: str) -> tuple[str, int, str]:
    """Return the key to sort ids by: ``team_9`` comes before ``team_10``."""
    head, _, number = id.rpartition("_")
    return (head, int(number), "") if number.isdecimal() and number.isascii() else (head, -1, number)


def in_force(collections: Collections, caller: Caller, key: str) -> Document | None:
    """Return the record with the value of a setting that is in force for a caller; None where the default is."""
    return _nearest(collections, caller.tenant_id, key, levels_of(collections, caller))


def _nearest(
    collections: Collections, tenant_id: str, key: str, levels: Iterable[tuple[Level, str]]
) -> Document | None:
    records = collections(KIND)
    if not len(records):
        return None
    company = records.get(id_of("tenant", tenant_id, key))
    if company is not None and company["locked"]:
        return company
    found = (records.get(id_of(level, id, key)) for level, id in levels)
    return next((doc for doc in found if doc is not None), None)


def value_of(collections: Collections, caller: Caller, key: str, plan: str = "free") -> Any:
    """Return the value of a setting that is in force for a caller."""
    doc = in_force(collections, caller, key)
    return doc["value"] if doc is not None else SETTINGS[key].default_for(plan)


def value_for(call: Context, user_id: str | None, key: str) -> Any:
    """Return the value of a setting that is in force for a user of the caller's company, whoever asks.

    Without a user it is the company's.
    """
    tenant_id = call.caller.tenant_id
    doc = _nearest(call.collection, tenant_id, key, _levels(call.collection, tenant_id, user_id, None))
    return doc["value"] if doc is not None else SETTINGS[key].default_for(call.tenant["plan"])


def environment_of(collections: Collections) -> dict[str, Any]:
    """Return the values of the environment by their keys, for ``{{env.NAME}}``."""
    return {doc["key"]: doc["value"] for doc in collections(KIND) if doc["key"].startswith("env.")}


def masked_secret(value: Any) -> str:
    """Return a secret value as it is shown: its last four characters, those of a short one not even."""
    text = value if isinstance(value, str) else encode_json(value).decode()
    return f"••••{text[-4:]}" if len(text) >= 8 else "••••"


def unknown(key: str) -> Problem:
    """Return the 422 for a key that no setting has."""
    return Problem("UNKNOWN_SETTING", f"there is no setting {key!r}", field=f"values.{key}", rule="choice")
