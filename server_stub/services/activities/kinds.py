"""What each kind of activity but events demands of its members, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from crm_sdk.models.activities import ACTIVITY_MODELS

from ...data.blanks import blank
from ...data.document import Document
from ...data.merging import differences
from ...problems import Problem, invalid
from ...serving import Context, Members
from ..calendar.reminders import reminder_members
from ..calendar.working_time import user_of, zone_of
from ..contacts.talks import analysis
from ..mentioning import mentioned_users
from .recurrence import read_rule
from .relations import LINKS, found_by, relation_members

DONE = frozenset({"completed", "cancelled"})
"""What a task may be without being something to do any more."""
ENDED = frozenset({"completed", "busy", "no_answer", "failed", "cancelled"})
"""What a call is when it is over."""
_PEOPLE = {
    "number": (("contact_id", "contact", ("phone", "mobile")), ("lead_id", "lead", ("phone",))),
    "address": (("contact_id", "contact", ("email", "secondary_emails")), ("lead_id", "lead", ("email",))),
}
"""Where somebody is looked for by a number or an address."""
_SENT = frozenset({"sent", "delivered", "received", "bounced", "failed"})
_OPEN_WHEN_SENT = frozenset({*LINKS, "tags", "is_read", "contact_name", "contact_company", "other_matches"})
"""The members of an e-mail that can be changed when it has been sent."""
_PREFIX = re.compile(r"^\s*((re|aw|sv|rv|fwd?|wg)\s*:\s*)+", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def check_activity(call: Context, kind: str, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return the members of an activity other than an event that follow from others, after those of its kind."""
    derived = relation_members(call, members, before)
    whole = {**(before or blank(ACTIVITY_MODELS[kind])), **members, **derived}
    whole["owner_id"] = whole["owner_id"] or call.caller.user_id
    own = _CHECKS[kind](call, members, whole, before)
    if own.keys() & set(LINKS):  # whom a number or an address belongs to
        own |= relation_members(call, {**members, **{name: own[name] for name in LINKS if name in own}}, before)
    whole |= own
    derived |= own
    if "occurred_at" not in members:
        derived["occurred_at"] = _happens(call, whole, before)
    derived |= reminder_members(call, members, whole, before)
    return {**derived, **_judged_tone(members, whole, before)}


def _happens(call: Context, whole: Members, before: Members | None) -> datetime:
    """Return what timelines sort an activity by (002): the first of its times that is set."""
    names = ("start_time", "sent_at", "completed_at", "due_at")
    if before is not None and all(whole.get(name) == before.get(name) for name in names):
        kept: datetime = before["occurred_at"]
        return kept
    made: datetime = before["created_at"] if before is not None else call.now
    return next((whole[name] for name in names if whole.get(name) is not None), made)


def _judged_tone(members: Members, whole: Members, before: Members | None) -> dict[str, Any]:
    """Return the tone of what was said, where it is told or was told anew."""
    text = text_of(whole)
    if "sentiment" in members or whole["kind"] == "task" or (before is not None and text == text_of(before)):
        return {}
    if not text:
        return {"sentiment": None, "ai_analysis": None}
    subject = whole.get("subject") if whole["kind"] == "email" else whole.get("title")
    return dict(analysis(subject if whole["kind"] != "note" else None, text))


def text_of(activity: Members) -> str:
    """Return what was said or written."""
    names = {"note": ("body",), "email": ("body_text", "description"), "call": ("description", "transcript")}
    found = (activity.get(name) for name in names.get(str(activity["kind"]), ("description",)))
    return next((text for text in found if text), "") or _TAG.sub(" ", unescape(activity.get("body_html") or ""))


# -- tasks -----------------------------------------------------------------------------------------------------------


def _task(call: Context, members: Members, task: Members, before: Members | None) -> dict[str, Any]:
    due, start = task.get("due_at"), task.get("start_time")
    if due is not None and start is not None and due < start:
        raise invalid("due_at", "min", "a task is not due before it begins")
    derived: dict[str, Any] = {}
    if members.get("recurrence") or (task.get("recurrence") and before is not None and due != before.get("due_at")):
        zone = zone_of(call, user_of(call, task.get("owner_id")))
        derived["recurrence"] = read_rule(task["recurrence"], due or start or call.now, zone)
    if task["status"] != "completed":
        derived["completed_at"] = None
    elif before is None or before["status"] != "completed":
        derived["completed_at"] = call.now
    return derived | {"is_overdue": is_overdue(task, call.now)}


def is_overdue(doc: Members, now: datetime) -> bool:
    """Tell whether something should have been done by now and is not."""
    due = doc.get("due_at")
    return doc.get("kind") == "task" and due is not None and due < now and doc["status"] not in DONE


# -- calls -----------------------------------------------------------------------------------------------------------


def _call(call: Context, members: Members, made: Members, before: Members | None) -> dict[str, Any]:
    if before is not None and before["status"] in ENDED and made["status"] != before["status"]:
        raise Problem("CALL_ENDED", f"the call is {before['status']}: that does not change any more", field="status")
    start, end = made.get("start_time") or (call.now if before is None else None), made.get("end_time")
    if start is not None and end is not None and end < start:
        raise invalid("end_time", "min", "a call does not end before it begins")
    derived: dict[str, Any] = {"start_time": start}
    if start is not None and end is not None:
        derived["duration_seconds"] = int((end - start).total_seconds())
    if before is None and made.get("contact_id") is None and made.get("lead_id") is None:
        numbers = [made.get("from_number"), made.get("to_number")]
        derived |= found_by(call, _PEOPLE["number"], numbers if made["direction"] == "inbound" else numbers[::-1])
    return derived


# -- e-mails ---------------------------------------------------------------------------------------------------------


def _email(call: Context, members: Members, mail: Members, before: Members | None) -> dict[str, Any]:
    """Return what follows from an e-mail; one that was sent stays as it was."""
    if before is not None:
        fixed = differences(before, {k: v for k, v in members.items() if k not in _OPEN_WHEN_SENT})
        if fixed and before.get("status") in _SENT:
            names = ", ".join(sorted(fixed))
            raise Problem("EMAIL_SENT", f"the e-mail was sent: {names} cannot be changed any more")
        return _safe_html(members)
    queued = members.get("status") == "queued"  # it is sent from here, and has not left yet
    if mail.get("sent_at") is None and mail.get("received_at") is None and not queued:
        raise invalid("sent_at", "required", "an e-mail that is logged was sent at some time")
    inbound = mail["direction"] == "inbound"
    ours = call.collection("user").get(mail.get("owner_id") or "")
    own = {"email": ours["email"], "name": ours["name"]} if ours is not None else None
    derived: dict[str, Any] = {
        "title": (mail.get("title") or mail["subject"] or "(no subject)")[:255],
        "status": "queued" if queued else "received" if inbound else "sent",
        "folder": "drafts" if queued else "inbox" if inbound else "sent",
        "is_read": not inbound if mail.get("is_read") is None else mail["is_read"],
        "received_at": mail.get("received_at") or (mail["sent_at"] if inbound else None),
        "from_address": mail.get("from_address") or (None if inbound else own),
        "thread_id": mail.get("thread_id") or _thread(call, mail),
        **_safe_html(members),
    }
    if mail.get("contact_id") is None and mail.get("lead_id") is None:
        derived |= found_by(call, _PEOPLE["address"], list(_others(mail, inbound)))
    return derived


def _safe_html(members: Members) -> dict[str, Any]:
    """Return the HTML of an e-mail without what could run in it."""
    if not members.get("body_html"):
        return {}
    import nh3  # here: it is needed for HTML only

    return {"body_html": nh3.clean(members["body_html"])}


def _others(mail: Members, inbound: bool) -> Iterator[str]:
    """Give the addresses of those an e-mail was written with, the first of them first."""
    people = [mail.get("from_address")] if inbound else [*mail["to"], *(mail.get("cc") or ())]
    for person in people:
        if person is not None:
            yield person["email"].strip().lower()


def _thread(call: Context, mail: Members) -> str:
    """Return the id of the thread an e-mail is in: that of what it answers, or of its subject among the same people."""
    activities = call.collection("activity")
    answered = activities.find("message_id", mail["in_reply_to"]) if mail.get("in_reply_to") else []
    if not answered and (topic := _PREFIX.sub("", mail["subject"])) != mail["subject"]:
        people = _people(mail)
        answered = [
            doc
            for doc in activities.find("kind", "email")
            if doc.get("thread_id") and _PREFIX.sub("", doc["subject"] or "") == topic and people & _people(doc)
        ]
    return next((doc["thread_id"] for doc in answered if doc.get("thread_id")), None) or call.new_id("thread_")


def _people(mail: Members) -> set[str]:
    found = [mail.get("from_address"), *(mail.get("to") or ())]
    return {person["email"].lower() for person in found if person is not None}


# -- notes -----------------------------------------------------------------------------------------------------------


def _note(call: Context, members: Members, note: Members, before: Members | None) -> dict[str, Any]:
    if before is None and not any(note.get(name) for name in LINKS):
        raise invalid("contact_id", "required", "a note is about a contact, a lead, a deal or an account")
    body = note["body"].strip()
    if before is not None and body == before["body"]:
        return {"body": body}
    first = body.partition("\n")[0].strip()[:255]
    title = note.get("title") if before is None else first
    return {"body": body, "title": title or first, "mentions": mentioned_users(call, body)}


_CHECKS: Mapping[str, Any] = {"task": _task, "call": _call, "email": _email, "note": _note}
"""The rules of each kind; the calendar has those of events."""
