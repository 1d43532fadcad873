"""How executions begin: they are records, queued in the transaction of what caused them and carried out after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ... import timetable
from ...data.document import Document
from ...problems import Problem
from ...serving import Collections, Context, Members
from ...timetable import Appointment
from .action_types import describe
from .subjects import ref_of

EXECUTION, TIMER = "execution", "workflow_timer"
"""The kinds of executions, and of the next times of schedules (their ids are those of the triggers)."""
OPEN = ("queued", "waiting")
_ENROLLED = "workflow_enrollment"


def _times(collections: Collections) -> Iterator[datetime]:
    executions = collections(EXECUTION)
    yield from (
        doc["due_at"] for status in OPEN for doc in executions.find("status", status) if doc["due_at"] is not None
    )
    yield from (timer["next_at"] for timer in collections(TIMER))


WORK = Appointment("workflows", _times)
"""When an execution goes on, or a schedule starts one."""


def plan(call: Context) -> None:
    """Note when the engine has something to do next; called after executions or schedules were written."""
    known = call.collection(timetable.KIND).get(WORK.name)
    if known is None or known["next_at"] is None or known["next_at"] > call.now:  # else it is due already
        timetable.plan(call.collection, WORK)


def depth_of(call: Context) -> int:
    """Return the depth of the execution that makes a call; 0 for any other call."""
    return int(call.source.get("depth", 0))


def begin(
    call: Context,
    workflow: Document,
    actions: Sequence[Members],
    record: Document | None,
    *,
    source: str,
    trigger_id: str | None = None,
    event_id: str | None = None,
    input: Members | None = None,
) -> Document:
    """Queue an execution of a workflow for a record.

    Raises: 409 ALREADY_ENROLLED for a record that was enrolled before, where the workflow takes each only once.
    """
    if record is not None:
        _enroll(call, workflow, record)
    members = execution_members(
        call, planned_actions(actions), record and ref_of(workflow["entity_type"], record), source=source,
        workflow=workflow, input=input,
    )  # fmt: skip
    return queue(call, members | {"trigger_id": trigger_id, "trigger_event_id": event_id})


def takes(call: Context, workflow: Members, record: Members) -> bool:
    """Return whether a workflow takes a record: each record, or each that was not enrolled before."""
    return bool(workflow["re_enroll"]) or _enrollment_id(workflow, record) not in call.collection(_ENROLLED)


def _enroll(call: Context, workflow: Document, record: Document) -> None:
    """Remember that a record was enrolled, whatever becomes of the execution."""
    if not takes(call, workflow, record):
        message = f"{record['id']} was enrolled in {workflow['name']} before, which takes each record once"
        raise Problem("ALREADY_ENROLLED", message, details={"entity_id": record["id"]})
    enrolled, id = call.collection(_ENROLLED), _enrollment_id(workflow, record)
    if id not in enrolled:
        enrolled.put(Document(id=id))


def _enrollment_id(workflow: Members, record: Members) -> str:
    return f"{workflow['id']}/{record['id']}"


def queue(call: Context, members: Members) -> Document:
    """Store an execution that is due at once."""
    made = call.create(EXECUTION, "execution_", members)
    plan(call)
    return made


def execution_members(
    call: Context,
    entries: Sequence[Mapping[str, Any]],
    entity: Mapping[str, Any] | None,
    *,
    source: str,
    workflow: Members | None = None,
    rule: Members | None = None,
    input: Members | None = None,
) -> dict[str, Any]:
    """Return the members of a new execution; those that no model has are the engine's own."""
    return {
        "workflow_id": workflow["id"] if workflow is not None else None,
        "rule_id": rule["id"] if rule is not None else None,
        "source": source,
        "revision": workflow["revision"] if workflow is not None else rule["version"] if rule is not None else None,
        "trigger_id": None,
        "trigger_event_id": None,
        "entity": entity,
        "status": "queued",
        "progress": 0.0,
        "started_at": None,
        "finished_at": None,
        "error": None,
        "dry_run": False,
        "depth": depth_of(call) + 1,
        "duration_ms": None,
        "steps": [blank_step(entry) for entry in entries],
        "entity_id": entity["id"] if entity is not None else None,
        "entity_type": workflow["entity_type"] if workflow is not None else "deal",
        "entries": list(entries),
        "input": dict(input or {}),
        "conditions": rule["conditions"] if rule is not None else [],
        "caller": call.caller.as_stored(),
        "due_at": call.now,
        "queue_number": call.server.store.count("execution_queue"),
    }


def planned_actions(actions: Iterable[Members]) -> list[dict[str, Any]]:
    """Return the entries of a workflow's actions: what is carried out, when, and what a failure does."""
    return [
        {
            "action_id": action["id"],
            "name": action["name"] or describe(action["spec"]),
            "spec": action["spec"],
            "delay": action["delay_minutes"],
            "on_error": action["on_error"],
            "conditions": action["conditions"],
            "level": 0,
            "waited": None,
        }
        for action in actions
    ]


def planned_specs(specs: Iterable[Members], *, level: int = 0, on_error: str = "stop") -> list[dict[str, Any]]:
    """Return the entries of bare actions: those of a rule, or those inside a branch, which is the level above."""
    return [
        {
            "action_id": None,
            "name": describe(spec),
            "spec": spec,
            "delay": 0,
            "on_error": on_error,
            "conditions": [],
            "level": level,
            "waited": None,
        }
        for spec in specs
    ]


def blank_step(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the step of an entry that is still to be done."""
    return {
        "action_id": entry["action_id"],
        "type": entry["spec"]["type"],
        "name": entry["name"],
        "status": "pending",
        "started_at": None,
        "finished_at": None,
        "changes": [],
        "output": None,
        "error": None,
        "resume_at": None,
    }
