"""Configuration: settings by level, feature flags, what a server is, and what territories are made of."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .accounts import TerritoryField
from .custom_fields import FieldOption
from .marks import INPUT, Default
from .patterns import FLAG_KEY_PATTERN
from .record import Model, Record
from .tenant_features import UsageLimit
from .tenants import PlanName
from .values import EMPTY, NOT_BLANK, Amount, FieldValue, Filter, FilterOperator, JsonValue, Name

SettingScope: TypeAlias = Literal["tenant", "role", "team", "user"]
SettingSource: TypeAlias = Literal["default", "tenant", "role", "team", "user"] | str
SettingType: TypeAlias = Literal["text", "integer", "decimal", "boolean", "select", "list", "json"] | str
FlagType: TypeAlias = Literal["boolean", "text", "integer"] | str
FlagReason: TypeAlias = Literal["disabled", "expired", "rule", "split", "default", "error"] | str
FlagSort: TypeAlias = Literal["id", "key", "created_at", "updated_at"] | str
TerritorySort: TypeAlias = Literal["id", "priority", "name", "created_at", "updated_at"] | str
SettingValues: TypeAlias = Annotated[dict[str, JsonValue], Field(min_length=1, max_length=200)]
"""Settings by their keys; null goes back to the value of the next level."""
FlagAttributes: TypeAlias = Annotated[dict[str, FieldValue], Field(max_length=100)]
"""What the rules of flags may ask for as ``attributes.<name>``, or values by the keys of flags."""


class Setting(Model):
    """A setting: its value, where the value comes from, and what it may be."""

    key: str
    """The key of the setting: ``calendar.meeting_minutes``."""
    group: str
    """The first word of the key."""
    label: str
    description: str | None = None
    type: SettingType
    value: JsonValue = None
    """The value in force for the caller, or that of the level that was asked for; the end of a secret one only."""
    default: JsonValue = None
    """The value where no level has one."""
    source: SettingSource
    """The level that the value is from."""
    scopes: list[SettingScope | str] = Field(default_factory=EMPTY)
    """The levels on which it can be set."""
    locked: bool = False
    """Whether the company's value is in force for everybody."""
    secret: bool = False
    """Whether only the end of the value is shown."""
    options: list[FieldOption] = Field(default_factory=EMPTY)
    min_value: Amount | None = None
    """The least value of a number."""
    max_value: Amount | None = None
    """The greatest value of a number."""
    updated_at: AwareDatetime | None = None
    updated_by: str | None = None
    """Who set the value: a user id, ``apikey_…``, ``app_…`` or ``system``."""


class FlagRule(Model):
    """A value of a flag for those who match its conditions, or for a share of them."""

    name: str | None = None
    filters: list[Filter] = Field(default_factory=EMPTY)
    """Conditions on the user, the company and the attributes of an evaluation, all of which must hold."""
    percentage: float | None = 100
    """The share of the users who match that get the value, from 0 to 100."""
    value: FieldValue
    """The value for those whom the rule is for."""


class FeatureFlag(Record):
    """A switch or a value that depends on who asks."""

    key: str
    """The key of the flag, by which programs ask for it."""
    name: str
    description: str | None = None
    type: Annotated[FlagType, Default("boolean")]
    """What its values are."""
    enabled: Annotated[bool, Default(True)]
    """Whether its rules count; else everybody gets the default."""
    default: Annotated[FieldValue, Default(False)] = None
    """The value for those for whom no rule is."""
    rules: list[FlagRule] = Field(default_factory=EMPTY)
    """The first rule that matches decides."""
    expires_at: AwareDatetime | None = None
    """When its rules cease to count."""
    evaluation_count: Annotated[int | None, Default(0)] = None
    """How often it was evaluated."""


@with_config(INPUT)
class FlagRuleInput(TypedDict, total=False):
    """A rule of a flag, as input."""

    name: Annotated[str, Field(max_length=100)] | None
    filters: Annotated[list[Filter], Field(max_length=10)]
    percentage: Annotated[float, Field(ge=0, le=100)]
    value: Required[FieldValue]


class _FlagMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=2_000)] | None
    enabled: bool
    default: FieldValue
    rules: Annotated[list[FlagRuleInput], Field(max_length=50)]
    expires_at: AwareDatetime | None


@with_config(INPUT)
class FeatureFlagCreate(_FlagMembers, total=False):
    """A new flag; its key and type cannot be changed later."""

    key: Required[Annotated[str, Field(pattern=FLAG_KEY_PATTERN)]]
    name: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]]
    type: FlagType


@with_config(INPUT)
class FeatureFlagUpdate(_FlagMembers, total=False):
    """Changes to a flag; the list of rules is replaced as a whole."""

    name: Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]


class FlagEvaluation(Model):
    """The value of a flag for one user, and why it is that one."""

    key: str
    """The key of the flag."""
    value: FieldValue = None
    """The value of the flag; of an unknown one that of `defaults`."""
    reason: FlagReason
    """Why it is that value, in the words of OpenFeature; ``split`` is a rule for a share of the users."""
    rule_index: int | None = None
    """The index of the rule that matched, from 0."""
    version: int | None = None
    """The version of the flag; null for an unknown one."""


class Environment(Model):
    """What a client has to know of the server that it talks to."""

    name: Literal["production", "sandbox", "test"] | str
    server_version: str
    """The version of the server's program."""
    api_versions: list[str] = Field(default_factory=EMPTY)
    """The versions of the API that it serves."""
    dialects: list[str] = Field(default_factory=EMPTY)
    """The dialects that it serves."""
    base_url: str
    """The address before the paths."""
    websocket_url: str
    """The address of live connections."""
    region: str | None = None
    """Where the company's data is."""
    time: AwareDatetime
    """The server's clock."""
    timezone: str
    plan: PlanName
    """The plan of the company."""
    languages: list[str] = Field(default_factory=EMPTY)
    """The languages of the company."""
    features: list[str] = Field(default_factory=EMPTY)
    """The services that the company has, by their keys."""
    limits: list[UsageLimit] = Field(default_factory=EMPTY)
    """How much of something the company may have, and has."""
    settings_version: int
    """Goes up by one with every change of settings; give it to `settings.update` to lock optimistically."""
    epoch: str
    """Another one after a restore: positions in feeds from before it are of no use."""


@with_config(INPUT)
class TerritoryRuleInput(TypedDict, total=False):
    """A condition on a member of an account or a lead, as input."""

    field: Required[TerritoryField]
    op: Required[FilterOperator]
    """The comparison operator."""
    value: FieldValue
    values: Annotated[list[FieldValue], Field(max_length=1_000)] | None


class _TerritoryMembers(TypedDict, total=False):
    code: Annotated[str, Field(min_length=1, max_length=50)] | None
    parent_id: str | None
    manager_id: str | None
    member_ids: Annotated[list[str], Field(max_length=1_000)] | None
    rules: Annotated[list[TerritoryRuleInput], Field(max_length=10)] | None
    """The rules that assign an account or a lead to it, all of which must hold."""
    priority: Annotated[int, Field(ge=0, le=1_000_000)]
    active: bool
    custom_fields: dict[str, FieldValue] | None


@with_config(INPUT)
class TerritoryCreate(_TerritoryMembers, total=False):
    """A new territory; only its name is required. Without rules, accounts are put into it by hand."""

    name: Required[Name]


@with_config(INPUT)
class TerritoryUpdate(_TerritoryMembers, total=False):
    """Changes to a territory; null clears a member, lists are replaced as a whole."""

    name: Name
