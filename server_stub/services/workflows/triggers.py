"""What starts workflows: the events of their records, the times of schedules, and requests of other systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...data.document import Document
from ...data.queries.query import member
from ...data.schedules import check_schedule, next_time, next_time_of_last
from ...problems import Problem, invalid
from ...request.access.plans import has_feature
from ...serving import Context, Members, reacts
from ...timetable import MADE_UP, apart
from .. import company
from ..conversations.state import contact_of
from ..custom_objects.stored import RECORDS
from .starting import TIMER, begin, plan, takes
from .subjects import check_conditions, holds, may_name, noun_of, records_of

_FIRED = "workflow_firing"
"""The kind of what last started a workflow for a record, so that the events of one write start it once."""
_ONLY: Mapping[str, frozenset[str]] = {
    "stage_changed": frozenset({"deal"}),
    "score_changed": frozenset({"lead"}),
    "form_submitted": frozenset({"lead"}),
    "message_received": frozenset({"lead", "contact", "deal", "account"}),
}
"""The kinds of records that some types of triggers are offered for; the others are for all."""
_NEEDS: Mapping[str, str] = {"field_changed": "field", "schedule": "schedule"}
_VALUES = frozenset({"field_changed", "stage_changed", "score_changed"})
"""The types whose triggers may ask for a value before and after."""
WITHOUT_RECORD = frozenset({"schedule", "webhook", "manual"})
"""The types of triggers that need no record."""


# -- checking ----------------------------------------------------------------------------------------------------------


def check_trigger(call: Context, kind: str, trigger: Members, path: str = "") -> None:
    """Check a trigger for records of a kind.

    Raises: 422 for a type that the kind does not have, a parameter that is missing or not the type's, an unknown
    member, and a schedule that cannot be kept.
    """
    type, prefix = trigger["type"], f"{path}." if path else ""
    if kind not in _ONLY.get(type, (kind,)):
        message = f"{type} is a trigger of {' and '.join(sorted(_ONLY[type]))}, not of {kind}"
        raise Problem("TRIGGER_NOT_SUPPORTED", message, field=f"{prefix}type", details={"entity_type": kind})
    needed = _NEEDS.get(type)
    if needed is not None and not trigger.get(needed):
        raise invalid(f"{prefix}{needed}", "required", f"{type} needs {needed}")
    for owner, name in _NEEDS.items():
        if type != owner and trigger.get(name) is not None:
            raise invalid(f"{prefix}{name}", "choice", f"a trigger of the type {type} has no {name}")
    for name in ("from_value", "to_value"):
        if type not in _VALUES and trigger.get(name) is not None:
            raise invalid(f"{prefix}{name}", "choice", f"a trigger of the type {type} has no {name}")
    if type == "field_changed":
        name = trigger["field"]
        if not may_name(call, kind, name):
            message = f"a {kind} has no member {name!r}"
            raise Problem("UNKNOWN_FIELD", message, field=f"{prefix}field", rule="choice", details={"field": name})
    if type == "schedule":
        check_schedule(trigger["schedule"], f"{prefix}schedule")
    check_conditions(call, kind, trigger.get("conditions") or (), f"{prefix}conditions")


# -- events ------------------------------------------------------------------------------------------------------------


@reacts("*")
def after_event(call: Context, entry: Document) -> None:
    """Start the active workflows that have a trigger for an event and whose conditions hold."""
    if not has_feature(call.tenant, "workflows"):
        return
    for workflow in call.collection("workflow").find("status", "active"):
        for trigger, record in _matches(call, workflow, entry):
            if _is_own_write(call, workflow, record) or not _holds(call, workflow, trigger, record):
                continue
            if trigger["type"] != "message_received" and _has_fired(call, workflow, record):
                continue
            start(call, workflow, trigger, record, event_id=entry["id"])
            break


def start(
    call: Context, workflow: Document, trigger: Members, record: Document | None, *, event_id: str | None = None
) -> None:
    """Start a workflow by a trigger; a record that it does not take again is passed over."""
    if record is None or takes(call, workflow, record):
        begin(
            call, workflow, actions_of(call, workflow), record, source="trigger", trigger_id=trigger["id"],
            event_id=event_id,
        )  # fmt: skip


def actions_of(call: Context, workflow: Members) -> list[Document]:
    """Return the actions of a workflow, in order."""
    return sorted(call.collection("action").find("workflow_id", workflow["id"]), key=lambda action: action["position"])


def triggers_of(call: Context, workflow: Members) -> list[Document]:
    """Return the triggers of a workflow, in the order in which they were made."""
    return call.collection("trigger").find("workflow_id", workflow["id"])


def _matches(call: Context, workflow: Document, entry: Document) -> Iterator[tuple[Document, Document]]:
    """Yield the active triggers of a workflow for an event, each with the record that it is about."""
    kind = workflow["entity_type"]
    noun = noun_of(call, kind)
    type = kind if noun is RECORDS else noun.collection
    own = entry["entity"]["type"] == type and entry["action"].startswith(noun.events or f"{noun.kind}.")
    if not own and entry["action"] != "message.received":
        return
    verb = entry["action"].partition(".")[2]
    changes = {change["field"].removeprefix("fields."): change for change in entry["changes"]}
    for trigger in triggers_of(call, workflow):
        if not trigger["active"]:
            continue
        if trigger["type"] == "message_received":
            record = _correspondent(call, kind, entry) if entry["action"] == "message.received" else None
        else:
            record = _record(call, noun.collection, entry) if own and _fires(trigger, verb, changes, entry) else None
        if record is not None:
            yield trigger, record


def _fires(trigger: Members, verb: str, changes: Mapping[str, Members], entry: Members) -> bool:
    """Return whether an event of a record fires a trigger."""
    type = trigger["type"]
    if type in ("record_created", "record_deleted"):
        return bool(verb == type.removeprefix("record_"))
    if type == "form_submitted":
        return verb == "captured" and entry["metadata"].get("channel") == "web_form"
    if verb in ("created", "deleted") or not changes:
        return False
    if type == "record_updated":
        return True
    name = {"stage_changed": "stage", "score_changed": "score"}.get(type) or (trigger.get("field") or "").removeprefix(
        "fields."
    )
    head, _, rest = name.partition(".")
    change = changes.get(head)
    if change is None or (type == "stage_changed" and verb != "stage_changed"):
        return False
    before, after = (member(Document({head: change[side]}), name) for side in ("before", "after"))
    if rest and before == after:
        return False
    if type == "stage_changed" and "stage_id" in changes:  # by its key or its id
        ids = changes["stage_id"]
        return _is(trigger["from_value"], before, ids["before"]) and _is(trigger["to_value"], after, ids["after"])
    return _is(trigger["from_value"], before) and _is(trigger["to_value"], after)


def _is(wanted: Any, *there: Any) -> bool:
    return wanted is None or any(wanted == value or str(wanted) == str(value) for value in there)


def _record(call: Context, collection: str, entry: Members) -> Document | None:
    return call.collection(collection).get(entry["entity"]["id"], deleted=True)


def _correspondent(call: Context, kind: str, entry: Members) -> Document | None:
    """Return the record that a received message is about, by its conversation."""
    conversation: Members = call.collection("conversation").get(entry["metadata"]["conversation_id"]) or {}
    id = contact_of(call, conversation) if kind == "contact" else conversation.get(f"{kind}_id")
    return call.find_one(kind, id or "")


def _holds(call: Context, workflow: Members, trigger: Members, record: Document | None) -> bool:
    """Return whether the conditions of a workflow and of its trigger hold."""
    return all(holds(call, workflow["entity_type"], one["conditions"], record) for one in (workflow, trigger))


def _is_own_write(call: Context, workflow: Members, record: Members) -> bool:
    return (call.source.get("workflow_id"), call.source.get("entity_id")) == (workflow["id"], record["id"])


def _has_fired(call: Context, workflow: Members, record: Members) -> bool:
    """Return whether another event of the same write has started the workflow; remember that this one does."""
    fired, id = call.collection(_FIRED), f"{workflow['id']}/{record['id']}"
    write = [record["version"], call.request_id]
    known = fired.get(id)
    if known is not None and known["write"] == write:
        return True
    fired.put(Document(id=id, write=write))
    return False


# -- schedules ---------------------------------------------------------------------------------------------------------


def set_timers(call: Context, workflow: Members) -> None:
    """Set the timers of the schedules of a workflow; a workflow that is not active has none."""
    timers = call.collection(TIMER)
    for timer in timers.find("workflow_id", workflow["id"]):
        timers.remove(timer["id"])
    if workflow["status"] == "active":
        for trigger in triggers_of(call, workflow):
            if trigger["type"] == "schedule" and trigger["active"]:
                at = next_time(trigger["schedule"], call.now, company.zone(call))
                if at is not None:
                    timers.put(Document(id=trigger["id"], workflow_id=workflow["id"], next_at=at))
    plan(call)


def keep_schedules(call: Context) -> None:
    """Start the workflows whose time has come, and set their timers anew."""
    timers = call.collection(TIMER)
    for timer in sorted(timers, key=lambda timer: (timer["next_at"], timer["id"])):
        if timer["next_at"] > call.now:
            return
        with apart(call, timer):
            _keep_schedule(call, timer)


def _keep_schedule(call: Context, timer: Members) -> None:
    timers = call.collection(TIMER)
    trigger = call.collection("trigger").get(timer["id"])
    workflow = call.collection("workflow").get(timer["workflow_id"])
    timers.remove(timer["id"])
    if trigger is None or workflow is None or workflow["status"] != "active":
        return
    now = call.server.clock.now()
    at = next_time_of_last(trigger["schedule"], call.now, now, company.zone(call), most=MADE_UP)
    if at is not None:
        timers.put(Document(id=timer["id"], workflow_id=workflow["id"], next_at=at))
    if has_feature(call.tenant, "workflows"):
        for record in _scheduled_records(call, workflow, trigger):
            start(call, workflow, trigger, record)


def _scheduled_records(call: Context, workflow: Members, trigger: Members) -> list[Document] | list[None]:
    """Return the records that a schedule starts a workflow for: those that meet its conditions.

    A workflow without conditions starts once, without a record.
    """
    if not workflow["conditions"] and not trigger["conditions"]:
        return [None]
    return [doc for doc in records_of(call, workflow["entity_type"]) if _holds(call, workflow, trigger, doc)]
