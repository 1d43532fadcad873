"""A record of any noun: which model it has tells the prefix of its id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, ValidationError

from ..wire import is_object
from .record import Model, Record

if TYPE_CHECKING:
    from .accounts import Account
    from .activities import CalendarEvent, Call, Email, Note, Task
    from .contacts import Contact
    from .custom_records import CustomRecord
    from .deals import Deal
    from .leads import Lead

_MODELS: Mapping[str, str] = {
    "contact": "contacts:Contact",
    "lead": "leads:Lead",
    "account": "accounts:Account",
    "deal": "deals:Deal",
    "task": "activities:Task",
    "event": "activities:CalendarEvent",
    "call": "activities:Call",
    "email": "activities:Email",
    "note": "activities:Note",
    "record": "custom_records:CustomRecord",
    "user": "users:User",
    "team": "users:Team",
    "conversation": "conversations:Conversation",
    "message": "messages:Message",
    "pipeline": "pipelines:Pipeline",
    "template": "message_templates:MessageTemplate",
    "report": "reports:Report",
    "dashboard": "dashboards:Dashboard",
    "workflow": "workflows:Workflow",
    "file": "files:File",
    "comment": "collaboration:Comment",
    "territory": "accounts:Territory",
}
"""The module and the model of the records whose ids begin with a word."""


@cache
def model_of(prefix: str) -> type[Model]:
    """Return the model of the records whose ids begin with a word; `Record` for what is not known."""
    module, _, name = _MODELS.get(prefix, "record:Record").partition(":")
    try:
        found: type[Model] = getattr(import_module(f"{__package__}.{module}"), name)
    except (ImportError, AttributeError):
        return Record
    return found


def typed_record(value: object) -> object:
    """Return a record in the model of its noun. One with a part of its members only is a plain `Record`, if need be."""
    if not is_object(value):
        return value
    try:
        prefix, kind = str(value.get("id")).partition("_")[0], str(value.get("kind"))
        return model_of(prefix if prefix in _MODELS else kind).model_validate(value)
    except ValidationError:
        return Record.model_validate(value)


if TYPE_CHECKING:
    _Models: TypeAlias = (
        Contact | Lead | Account | Deal | Task | CalendarEvent | Call | Email | Note | CustomRecord | Record
    )
else:
    _Models = Any  # which of them it is says the id

AnyRecord: TypeAlias = Annotated[_Models, BeforeValidator(typed_record)]
"""A record of any noun, in the model of its own."""
