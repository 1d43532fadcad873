"""What follows an activity, whatever door it was written through: the figures of those it concerns, and who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...data.document import Document
from ...serving import Collections, Context, Members, changes_between, reacts
from ...timetable import Appointment, apart, falls_due, plan
from ..calendar import reminders
from ..calendar.working_time import user_of, zone_of
from ..contacts import health
from ..deals import figures as deal_figures
from ..deals.records import bring_along
from ..leads.points import current_score_members, remember_score
from ..leads.responses import first_response
from ..notifications import notify
from .kinds import DONE
from .privacy import as_published
from .records import TASKS
from .recurrence import clock_distance, next_start, shifted_time, without

_COPIED = (
    "title", "description", "owner_id", "contact_id", "lead_id", "deal_id", "account_id", "contact_name",
    "contact_company", "priority", "tags", "attachments", "type", "custom_fields",
)  # fmt: skip
"""What the next task of a series has of the one before."""


@reacts("activity.created", "activity.updated", "activity.deleted", "activity.restored")
def move_figures(call: Context, entry: Document) -> None:
    """Bring up to date what is computed from an activity: of its contact, deal and lead, and of the former ones."""
    doc = call.collection("activity").get(entry["entity"]["id"], deleted=True)
    if doc is None:
        return
    reminders.schedule_next(call)
    plan(call.collection, DUE)
    former = {change["field"]: change["before"] for change in entry["changes"]}
    for deal_id in dict.fromkeys((doc.get("deal_id"), former.get("deal_id"))):
        _move_deal(call, deal_id, doc if entry["action"] == "activity.created" else None)
    for contact_id in dict.fromkeys((doc.get("contact_id"), former.get("contact_id"))):
        health.refresh(call, contact_id)
    for lead_id in dict.fromkeys((doc.get("lead_id"), former.get("lead_id"))):
        _move_lead(call, lead_id, (former.get("occurred_at"), doc["occurred_at"]))


def _move_deal(call: Context, deal_id: str | None, added: Document | None) -> None:
    """Weigh a deal anew, tell of a new activity, and plan what it says comes next."""
    deal = call.collection("deal").get(deal_id) if deal_id is not None else None
    if deal is None:
        return
    own: Members = (added.get("deal_activity") or {}) if added is not None else {}
    next_step = (added.get("next_step") or own.get("next_step")) if added is not None else None
    if next_step and next_step != deal.get("next_step"):
        new = call.update("deal", deal, {"next_step": next_step, **deal_figures.computed_members(call, deal)})
    else:
        new = call.collection("deal").put(deal | deal_figures.computed_members(call, deal))
    changes = changes_between(deal, new)
    if added is not None:
        told = deal_figures.activity_of(as_published(added))
        said = {"activity_id": added["id"], "activity": told or _task_of_deal(added)}
        call.emit("deal.activity_added", "deal", new, changes=changes, metadata=said)
        bring_along(call, new)
    elif new["probability"] != deal["probability"] and deal["created_at"] != call.now:  # else it is told of as made
        call.emit("deal.updated", "deal", new, changes=changes)


def _task_of_deal(task: Document) -> dict[str, Any]:
    """Return a task as an activity of a deal, for which 004 has no other word than note."""
    return {
        "id": task["id"], "type": "note", "date": task["occurred_at"], "description": task["title"], "outcome": None,
        "next_step": task["title"],
    }  # fmt: skip


def _move_lead(call: Context, lead_id: str | None, times: tuple[datetime | None, ...]) -> None:
    """Note when something happened with a lead last, and when it was first answered, and score it anew.

    Nobody has edited it, so its version stays. `times` are those of the activity that was written.
    """
    leads = call.collection("lead")
    lead = leads.get(lead_id) if lead_id is not None else None
    if lead is None or lead["converted_contact_id"] is not None:
        return
    own = call.collection("activity").find("lead_id", lead["id"])
    happened = [*(doc["occurred_at"] for doc in own), lead["last_activity_at"]]
    moved = {
        "last_activity_at": max((at for at in happened if at is not None and at <= call.soon), default=None),
        "first_response_at": first_response(lead, own, call.soon, times),
    }
    scored = current_score_members(call, lead | moved)
    if all(lead[name] == value for name, value in moved.items()) and scored["score"] == lead["score"]:
        return
    new = leads.put(lead | scored | moved)
    if new["score"] != lead["score"]:
        remember_score(call, new, lead)


@reacts("activity.updated")
def tell_completion(call: Context, entry: Document) -> None:
    """Tell that an activity was completed."""
    states = [change for change in entry["changes"] if change["field"] == "status"]
    doc = call.collection("activity").get(entry["entity"]["id"])
    if doc is not None and any(change["after"] == "completed" for change in states):
        call.emit("activity.completed", "activity", as_published(doc), changes=states)


@reacts("activity.completed")
def come_again(call: Context, entry: Document) -> None:
    """Create the next task of a series when one is completed, once."""
    task = call.collection("activity").get(entry["entity"]["id"])
    if task is None or task["kind"] != "task" or not task.get("recurrence") or task.get("next_task_id"):
        return
    zone = zone_of(call, user_of(call, task["owner_id"]))
    base: datetime = task["due_at"] or task["start_time"] or task["completed_at"]
    at, rule = next_start(task["recurrence"], base, zone), without(task["recurrence"], 1)
    if at is None or rule is None:
        return
    shift = clock_distance(base, at, zone)
    moved: dict[str, Any] = {
        name: shifted_time(task[name], shift, zone) for name in ("due_at", "start_time") if task.get(name) is not None
    }
    given = {name: task[name] for name in _COPIED} | moved | {"recurrence": rule}
    if not moved:
        given["due_at"] = at
    given["reminders"] = [{**entry, "sent_at": None} for entry in task["reminders"]]
    new = TASKS.add(call, TASKS.stored_form(call, given), metadata={"previous_task_id": task["id"]})
    call.collection("activity").put(task | {"next_task_id": new["id"]})


# -- who is told -----------------------------------------------------------------------------------------------------


@reacts("task.created", "task.updated")
def tell_assignee(call: Context, entry: Document) -> None:
    """Notify who has to do a task that somebody else gave to them."""
    task = call.collection("activity").get(entry["entity"]["id"])
    given = entry["action"] == "task.created" or any(change["field"] == "owner_id" for change in entry["changes"])
    if task is not None and given and task["owner_id"] not in (None, call.caller.user_id):
        by = call.caller.name or "Somebody"
        what = f"{by} gave you the task {task['title']}."
        title = f"New task: {task['title']}"
        notify(call, task["owner_id"], "assignment", title, what, priority=_priority(task), about=("task", task["id"]))


@reacts("note.created", "note.updated")
def tell_mentioned(call: Context, entry: Document) -> None:
    """Notify users whom a note names, each once."""
    note = call.collection("activity").get(entry["entity"]["id"])
    if note is None:
        return
    former = [change["before"] or () for change in entry["changes"] if change["field"] == "mentions"]
    told: set[str] = set(former[0]) if former else set(note["mentions"] if entry["action"] == "note.updated" else ())
    for user_id in note["mentions"]:
        if user_id not in told and user_id != call.caller.user_id:
            title = f"You were mentioned: {note['title']}"
            notify(call, user_id, "mention", title, note["body"][:500], about=("note", note["id"]))


def _priority(doc: Members) -> str:
    return str(doc.get("priority") or "medium")


# -- what time brings ------------------------------------------------------------------------------------------------


def _times(collections: Collections) -> Iterator[datetime]:
    """Return when the tasks of a company fall due that are not done."""
    return (task["due_at"] for task in _open_tasks(collections))


def _open_tasks(collections: Collections) -> list[Document]:
    return [
        task
        for task in collections("activity").find("kind", "task")
        if task["due_at"] is not None and not task["is_overdue"] and task["status"] not in DONE
    ]


DUE = Appointment("activities.due", _times)


@falls_due(DUE)
def fall_due(call: Context) -> None:
    """Note that tasks have fallen due, and tell who has to do them. Nobody has edited them: their version stays."""
    for task in sorted(_open_tasks(call.collection), key=lambda task: (task["due_at"], task["id"])):
        if task["due_at"] > call.now:
            break
        with apart(call, task):
            call.collection("activity").put(task | {"is_overdue": True})
            if call.collection("user").get(task["owner_id"] or "") is not None:
                title, about = f"Due now: {task['title']}", ("task", task["id"])
                notify(call, task["owner_id"], "task_due", title, _of_whom(task), priority=_priority(task), about=about)


def _of_whom(task: Mapping[str, Any]) -> str:
    return f"{task['title']}, with {task['contact_name']}" if task.get("contact_name") else str(task["title"])
