"""Activities of every kind: one store, several doors. Whatever writes one does so through the noun of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from typing_extensions import TypedDict, get_type_hints

from crm_sdk.models.activities import ACTIVITY_MODELS, ActivityRecord, Call, Email, Note, Task
from crm_sdk.models.activity_inputs import CallCreate, EmailCreate, NoteCreate, TaskCreate
from crm_sdk.models.calendar import CalendarEventCreate
from crm_sdk.models.marks import INPUT
from crm_sdk.resources.activities import (
    Activities,
    ActivityCalls,
    ActivityEmails,
    ActivityEvents,
    ActivityNotes,
    ActivityTasks,
)

from ...data.document import Document
from ...data.forms import FORMS, required_text
from ...data.mapped import Mapped
from ...data.queries.filters import by_time
from ...noun import Noun
from ...problems import FieldError, validation
from ...request.reading.intake import read_input
from ...serving import Context, Members, serves
from ..calendar.records import DEFAULTS, EVENTS
from .kinds import check_activity, is_overdue
from .privacy import as_published, as_seen, is_hidden
from .relations import REFERS

_TELLING = ("search", "contact_id", "lead_id", "deal_id", "account_id", "status", "priority", "tags")
"""Filters of which a private event of somebody else would tell more than when it is."""
_NAMES = ("contact_name", "contact_company")
"""What only 004 lets a caller say of an event."""


def _noun(resource: type[Any], kind: str, model: type[ActivityRecord], **facts: Any) -> Noun:
    return Noun(
        resource=resource,
        kind=kind,
        model=model,
        stored_as="activity",
        refers=facts.pop("refers", REFERS),
        defaults=DEFAULTS,
        computed=("reminders_since",),
        check=lambda call, members, before: check_activity(call, kind, members, before),
        shown=as_it_is,
        **facts,
    )


def as_it_is(call: Context, doc: Document) -> Document:
    """Return an activity as the caller may see it now: time alone makes a task overdue."""
    overdue = is_overdue(doc, call.now)
    return doc | {"is_overdue": overdue} if overdue is not doc.get("is_overdue", False) else as_seen(call, doc)


def _addresses(call: Context, values: Sequence[Members] | None) -> object:
    return [{"email": value["email"].strip(), "name": value.get("name")} for value in values or ()]


def _text(call: Context, value: Any) -> str:
    return str(value or "").strip()


def _text_or_none(call: Context, value: Any) -> str | None:
    return _text(call, value) or None


TASKS = _noun(ActivityTasks, "task", Task, forms={"title": required_text("title")})
CALLS = _noun(
    ActivityCalls,
    "call",
    Call,
    verbs={"created": "logged"},
    forms={"title": required_text("title"), **dict.fromkeys(("from_number", "to_number"), FORMS["phone"])},
)
EMAILS = _noun(
    ActivityEmails,
    "email",
    Email,
    verbs={"created": "logged"},
    refers={**REFERS, "template_id": "template"},
    unique={"message_id": "EMAIL_EXISTS"},
    published=as_published,
    forms={
        "subject": _text,
        "message_id": _text_or_none,
        **dict.fromkeys(("to", "cc", "bcc"), _addresses),
    },
)
NOTES = _noun(ActivityNotes, "note", Note)
NOUNS: Mapping[str, Noun] = {noun.kind: noun for noun in (TASKS, EVENTS, CALLS, EMAILS, NOTES)}
"""The noun of each kind of activity."""
_INPUTS: Mapping[str, Any] = {
    "task": TaskCreate, "event": CalendarEventCreate, "call": CallCreate, "email": EmailCreate, "note": NoteCreate,
}  # fmt: skip


def noun_of(doc: Members) -> Noun:
    """Return the noun of an activity."""
    return NOUNS[doc["kind"]]


def add(call: Context, kind: str, members: Members) -> Document:
    """Store a new activity, whatever door it comes through; events and all that follows are its noun's."""
    noun = NOUNS[kind]
    return noun.add(call, noun.stored_form(call, members))


# -- the doors of the kinds ------------------------------------------------------------------------------------------


def _created_activity(call: Context, kind: str, given: Members) -> Document:
    members = {name: value for name, value in given.items() if name not in _NAMES}
    return NOUNS[kind].answer(call, add(call, kind, members))


@serves(
    ActivityTasks.create, ActivityEvents.create, ActivityCalls.create, ActivityEmails.create, ActivityNotes.create
)  # fmt: skip
def create_of_kind(context: Context, /, **given: Members) -> Document:
    """Create an activity of the kind by which its only argument is called."""
    ((kind, members),) = given.items()
    return _created_activity(context, kind, members)


# -- the door of all kinds -------------------------------------------------------------------------------------------


@serves(Activities.create)
def create(call: Context, activity: Members) -> Document:
    """Create an activity, as the door of its kind does."""
    kind = activity["kind"]
    given = {name: value for name, value in activity.items() if name != "kind"}
    return _created_activity(call, kind, _own(kind, given, _INPUTS[kind]))


@cache
def _changes_of(kind: str) -> Any:
    """Return the input of changes of a kind: the members of a new one, none required."""
    make: Any = TypedDict
    hints = get_type_hints(_INPUTS[kind], include_extras=True)
    made = make(f"{kind.capitalize()}Changes", {n: _optional(hint) for n, hint in hints.items()}, total=False)
    made.__pydantic_config__ = INPUT
    return made


def _optional(hint: Any) -> Any:
    return hint.__args__[0] if str(getattr(hint, "__origin__", "")).endswith("Required") else hint


def _own(kind: str, given: Members, input: Any) -> dict[str, Any]:
    """Return the members that may be given of a kind; those that only the server sets are passed over. Raises 422."""
    known, record = get_type_hints(input).keys(), ACTIVITY_MODELS[kind].model_fields.keys()
    return read_input(input, {name: value for name, value in given.items() if name in known or name not in record})


def changes_of(call: Context, doc: Document, given: Members) -> dict[str, Any]:
    """Return changes of an activity in stored form. Raises 422, also for another kind, or members it does not have."""
    if call.ignored.get("kind", doc["kind"]) != doc["kind"]:
        raise validation([FieldError("kind", "read_only", f"this is a {doc['kind']}, and stays one")])
    members = _own(doc["kind"], given, _changes_of(doc["kind"]))
    return noun_of(doc).stored_form(call, {k: v for k, v in members.items() if k not in _NAMES}, doc)


@serves(Activities.get)
def get(call: Context, activity_id: str) -> Document:
    """Return an activity of any kind."""
    doc = ACTIVITIES.find_one(call, activity_id)
    return noun_of(doc).answer(call, doc)


@serves(Activities.list)
def list_(call: Context, **given: Any) -> Sequence[Document]:
    """Return the activities that were asked for."""
    docs = ACTIVITIES.select(call, given)
    if any(given.get(name) for name in _TELLING):
        docs = [doc for doc in docs if not is_hidden(call, doc)]
    return Mapped(docs, partial(as_it_is, call))


ACTIVITIES = Noun(
    resource=Activities,
    kind="activity",
    model=ActivityRecord,
    own=("create", "get", "update", "delete"),
    published=as_published,
    searched=(
        "title", "description", "body", "subject", "body_text", "location", "contact_name", "contact_company", "tags",
    ),
    sorts=("occurred_at", "due_at", "start_time", "priority"),
    filters={
        "kind": lambda call, kinds: lambda doc: doc["kind"] in kinds,
        "status": lambda call, status: lambda doc: doc.get("status") == status,
        "overdue": lambda call, wanted: lambda doc: is_overdue(doc, call.now) is wanted,
        "due_after": by_time("due_at", after=True),
        "due_before": by_time("due_at", after=False),
        "start_after": by_time("start_time", after=True),
        "start_before": by_time("start_time", after=False),
    },
)  # fmt: skip
"""Activities of any kind: what is looked for among all of them."""
