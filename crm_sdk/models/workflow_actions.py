"""The actions that workflows and the automation rules of pipelines carry out, and the conditions they depend on."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT
from .record import Model
from .values import EMPTY, NOT_BLANK, EntityType, FieldValue, FilterGroup, FilterOperator, JsonValue, Tag

ActionType: TypeAlias = (
    Literal[
        "update_field",
        "create_task",
        "create_record",
        "send_email",
        "notify",
        "call_webhook",
        "assign_owner",
        "move_stage",
        "add_tag",
        "remove_tag",
        "convert_lead",
        "enroll",
        "run_agent",
        "branch",
        "wait",
        "stop",
    ]
    | str
)


class Condition(Model):
    """One condition on a member."""

    field: str
    op: FilterOperator
    value: FieldValue = None
    high_value: FieldValue = None
    values: list[FieldValue] = Field(default_factory=EMPTY)


class ConditionGroup(Model):
    """Conditions that must all hold; of several groups, one must match."""

    filters: list[Condition] = Field(default_factory=EMPTY)


@wire(
    platform="type field? value? tag? owner_id? strategy? stage? lost_reason? title? description? due_in_days?"
    " priority? user_ids? role? message? channel? entity_type? fields? template_id? subject? body? to? url? method?"
    " headers? create_deal? workflow_id? agent_id? input? minutes? until_field? conditions? then? otherwise?"
)
class ActionSpec(Model):
    """One action; its parameters depend on its type, see `ActionSpecInput`. The secret of a webhook is not shown."""

    type: ActionType
    field: str | None = None
    value: Any = None
    tag: str | None = None
    owner_id: str | None = None
    strategy: str | None = None
    """How the owner is chosen."""
    stage: str | None = None
    lost_reason: str | None = None
    title: str | None = None
    description: str | None = None
    due_in_days: int | None = None
    """The number of days until the task is due."""
    priority: str | None = None
    user_ids: list[str] | None = None
    role: str | None = None
    message: str | None = None
    channel: str | None = None
    entity_type: EntityType | None = None
    """The kind of the record that is created."""
    fields: dict[str, Any] | None = None
    """The members of the record that is created."""
    template_id: str | None = None
    subject: str | None = None
    body: str | None = None
    to: str | None = None
    """The recipient of the e-mail: ``record``, ``owner``, or an address."""
    url: str | None = None
    method: str | None = None
    """The HTTP method."""
    headers: dict[str, str] | None = None
    """The headers beside those of a delivery."""
    create_deal: bool | None = None
    """Whether the conversion also creates a deal."""
    workflow_id: str | None = None
    agent_id: str | None = None
    input: str | None = None
    """The question for the agent."""
    minutes: int | None = None
    """How long to wait."""
    until_field: str | None = None
    """The member of the record to wait for: until the time that it holds, or until it has a value."""
    conditions: list[ConditionGroup] | None = None
    then: list[ActionSpec] | None = None
    """The actions where the conditions hold."""
    otherwise: list[ActionSpec] | None = None
    """The actions where the conditions do not hold."""


@with_config(INPUT)
class ActionSpecInput(TypedDict, total=False):
    """One action: ``{"type": "add_tag", "tag": "hot"}``.

    ``update_field`` has `field` and `value` (null clears it); ``add_tag`` and ``remove_tag`` `tag`; ``assign_owner``
    `owner_id` or a `strategy`; ``move_stage`` `stage` (a key or an id) and `lost_reason`; ``create_task`` `title`,
    `description`, `due_in_days`, `owner_id` and `priority`; ``create_record`` `entity_type` and `fields`;
    ``send_email`` a `template_id` or `subject` and `body`, and `to`; ``notify`` `user_ids` or a `role`, `title`,
    `message` and `channel`; ``call_webhook`` `url`, `method`, `headers` and `secret`; ``convert_lead`` `create_deal`;
    ``enroll`` `workflow_id`; ``run_agent`` `agent_id` and `input`; ``branch`` `conditions`, `then` and `otherwise`;
    ``wait`` `minutes` or `until_field`; ``stop`` ends the run.
    """

    type: Required[ActionType]
    field: str
    value: JsonValue
    tag: Tag
    owner_id: str
    strategy: Literal["round_robin", "load_balanced", "territory"] | str
    stage: str
    lost_reason: str
    title: Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]
    description: Annotated[str, Field(max_length=10_000)]
    due_in_days: Annotated[int, Field(ge=0, le=3650)]
    priority: Literal["high", "medium", "low"] | str
    user_ids: Annotated[list[str], Field(min_length=1, max_length=100)]
    role: Literal["admin", "manager", "sales", "read_only"] | str
    message: Annotated[str, Field(pattern=NOT_BLANK, max_length=2000)]
    channel: Literal["in_app", "email", "sms", "push", "chat"] | str
    entity_type: EntityType
    fields: dict[str, JsonValue]
    template_id: str
    subject: Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]
    body: Annotated[str, Field(pattern=NOT_BLANK, max_length=50_000)]
    to: Annotated[str, Field(min_length=1, max_length=254)]
    url: Annotated[str, Field(min_length=1, max_length=2048)]
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE"] | str
    """The HTTP method; POST by default."""
    headers: dict[str, str]
    """The headers beside those of a delivery."""
    secret: Annotated[str, Field(min_length=1, max_length=255)]
    """The secret that signs the request; it is never shown."""
    create_deal: bool
    workflow_id: str
    agent_id: str
    input: Annotated[str, Field(pattern=NOT_BLANK, max_length=5_000)]
    minutes: Annotated[int, Field(ge=1, le=525_600)]
    until_field: str
    conditions: list[FilterGroup]
    then: Annotated[list[ActionSpecInput], Field(max_length=50)]
    otherwise: Annotated[list[ActionSpecInput], Field(max_length=50)]
