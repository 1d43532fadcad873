"""The answers of AI agents, computed from the input and the company's data, with proposed actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from crm_sdk.wire import encode_json, instant, snake

from ...data.document import Document
from ...data.queries.query import fold
from ...serving import Context, Members
from .. import sentiment
from ..calendar.working_time import user_of, zone_of
from .intents import intent_of, is_about_meeting
from .wishes import USUAL_HOUR, wished_time, working_day
from .wording import language_for, moment, say

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "qualify": ("lead-qualification",),
    "meet": ("appointment-scheduling",),
    "help": ("faq-answers", "ticket-routing"),
    "complain": ("ticket-routing", "faq-answers"),
    "cancel": ("ticket-routing", "faq-answers", "appointment-scheduling"),
}
"""The capabilities for an intent; an agent without them has a lower confidence."""
_READY, _PROMISING = 50, 25
"""The least points of a lead to be qualified, and of a lead to be asked further questions."""
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Task:
    """The task of an agent, and the record that it is about."""

    text: str
    intent: str
    label: str
    record: Document | None
    kind: str
    facts: Mapping[str, Any]
    """The members of the input and context beside the text, in snake_case."""

    @property
    def language(self) -> str:
        """The language to answer in."""
        return language_for(self.text, self.record)

    def say(self, phrase: str, **facts: object) -> str:
        """Return a phrase in the language of the task."""
        return say(self.language, phrase, **facts)

    @staticmethod
    def read(call: Context, request: Members) -> Task:
        """Parse a request. Raises: 422 for an unknown record."""
        given = request["input"]
        facts = dict(_facts({"context": request.get("context") or {}}))
        if isinstance(given, Mapping):
            members = cast("Members", given)
            facts |= dict(_facts(members))
            spoken = [members.get(name) for name in ("message", "text", "prompt", "question", "task", "input")]
            text = next((str(part) for part in spoken if part), "")
        else:
            text = str(given)
        kind, record = _about(call, text, facts)
        folded = fold(text)
        intent, verb = intent_of(folded)
        return Task(text, intent, f"{verb} {record['id'] if record else 'somebody'}", record, kind, facts)


@dataclass(frozen=True, slots=True)
class Said:
    """The answer of an agent."""

    response: str
    actions: Sequence[Mapping[str, Any]]
    confidence: float
    read: str = ""
    """The company's data that the answer is based on, which count as input tokens."""


def _facts(members: Members, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the members of an object at any depth by snake_case names; outer members last, so that they win."""
    for value in members.values():
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _facts(cast("Members", value), depth + 1)
    for name, value in members.items():
        yield snake(str(name)), value


def _about(call: Context, text: str, facts: Members) -> tuple[str, Document | None]:
    """Return the lead or contact that a member or the text names."""
    for kind in ("lead", "contact"):
        id = facts.get(f"{kind}_id")
        if isinstance(id, str):
            return kind, _record_named(call, kind, id) or call.reference(kind, id, f"{kind}_id")
    for id in re.findall(r"\b(?:lead|contact)_\w+", text):
        kind = id.partition("_")[0]
        if (record := _record_named(call, kind, id)) is not None:
            return kind, record
    return "", None


def _record_named(call: Context, kind: str, id: str) -> Document | None:
    return call.find_one(kind, id)


def answer(call: Context, agent: Document, task: Task) -> Said:
    """Answer a task."""
    work = _WORK.get(task.intent, _general)
    said = work(call, task)
    confidence = said.confidence
    needed = _NEEDS.get(task.intent, ())
    if needed and not set(needed) & set(agent.get("capabilities") or ()):
        confidence -= 0.25
    if task.record is None:
        confidence -= 0.15
    read = encode_json(task.record).decode() if task.record is not None else ""
    return Said(said.response, said.actions, round(min(max(confidence, 0.05), 0.99), 2), read)


def _qualify(call: Context, task: Task) -> Said:
    lead = task.record
    if lead is None:
        return Said(
            "Tell me which lead it is about: name its id.", [_action("request_information", field="leadId")], 0.4
        )
    if task.kind == "contact":
        return Said(f"{lead['name']} is a contact already; there is nothing to qualify.", [], 0.8)
    points, reasons = _worth(lead, task.facts)
    told = f"{lead['name']} has {points} points: {'; '.join(reasons) or 'nothing speaks for it yet'}."
    sure = 0.6 + abs(points - (_READY + _PROMISING) / 2) / 200
    if lead["status"] in ("qualified", "converted"):
        return Said(f"{told} The lead is {lead['status']} already.", [], 0.95)
    if points >= _READY:
        actions = [
            _action("update_lead", leadId=lead["id"], changes={"status": "qualified"}),
            _action("schedule_call", leadId=lead["id"], suggestedTime=_next_time(call.now)),
        ]
        return Said(f"{told} I suggest to qualify the lead and to call.", actions, sure)
    if points >= _PROMISING:
        missing = [name for name in ("phone", "company", "title", "value") if not lead.get(name)] or ["budget"]
        action = _action("request_information", leadId=lead["id"], fields=missing)
        return Said(f"{told} Before it is qualified, find out: {', '.join(missing)}.", [action], sure)
    return Said(f"{told} I suggest to nurture it.", [_action("add_tag", leadId=lead["id"], tag="nurture")], sure)


def _worth(lead: Members, facts: Members) -> tuple[int, list[str]]:
    """Return the points of a lead and their reasons."""
    value = max(Decimal(lead.get("value") or 0), _number(facts.get("lead_value")))
    talks = int(_number(facts.get("previous_interactions")))
    found_points = (
        ("e-mail address known", 10 if lead.get("email") else 0),
        ("phone number known", 10 if lead.get("phone") else 0),
        (f"works for {lead.get('company')}", 10 if lead.get("company") else 0),
        (f"worth {value:,.0f}", 30 if value >= 10_000 else 15 if value >= 2_500 else 0),
        (f"came by {lead.get('source')}", 15 if lead.get("source") in ("referral", "partner") else 0),
        ("was contacted", 15 if lead.get("status") == "contacted" else 0),
        (f"{talks} interactions before", min(talks * 5, 15)),
        (f"scored {lead.get('score')}", int(lead.get("score") or 0) // 5),
    )
    return min(sum(points for _, points in found_points), 100), [label for label, points in found_points if points]


def _number(value: object) -> Decimal:
    return (
        Decimal(str(value)) if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else Decimal()
    )


def _price(call: Context, task: Task) -> Said:
    record: Members = task.record or {}
    currency = record.get("currency") or call.tenant["base_currency"]
    value = max(Decimal(record.get("value") or 0), _number(task.facts.get("lead_value")))
    fitting = task.say("fitting", value=f"{value:,.0f}", currency=currency) if value else ""
    actions = [
        _action("send_email", **_who(task), template="pricing"),
        _action("schedule_call", **_who(task), suggestedTime=_next_time(call.now)),
    ]
    said = task.say("price", name=_dear(task), fitting=fitting)
    return Said(said, actions if task.record else [], 0.85 if value else 0.75)


def _meet(call: Context, task: Task) -> Said:
    """Plan what is asked for, at the time that is asked for, on the clock of whom it is with."""
    folded = fold(task.text)
    here = _zone(call, task.record)
    wished = wished_time(folded, call.now.astimezone(here))
    at = wished or _usual_time(call.now.astimezone(here))
    meets = is_about_meeting(folded)
    action = _action(
        "schedule_meeting" if meets and wished else "schedule_call",
        **_who(task), suggestedTime=instant(at), **({"timezone": str(here)} if wished else {}),
    )  # fmt: skip
    what = task.say("meeting" if meets else "call")
    with_name = task.say("with", name=task.record["name"]) if task.record is not None else ""
    phrase = "meet_wished" if wished else "meet"
    said = task.say(phrase, what=what, with_name=with_name, at=moment(task.language, at))
    return Said(said, [action], 0.92 if wished else 0.85)


def _zone(call: Context, record: Members | None) -> ZoneInfo:
    """Return the zone of whom a task is about: their own, else their owner's, else the company's."""
    about: Members = record or {}
    name = about.get("timezone")
    return ZoneInfo(name) if name else zone_of(call, user_of(call, about.get("owner_id")))


def _thank(call: Context, task: Task) -> Said:
    return Said(task.say("thanks", name=_dear(task)), [], 0.95)


def _cancel(call: Context, task: Task) -> Said:
    """Hand a cancellation over to a person: an agent ends nothing."""
    meets = is_about_meeting(fold(task.text), calls=True)
    owner = task.record.get("owner_id") if task.record is not None else None
    queue = "scheduling" if meets else "retention"
    actions = [_action("route_ticket", **_who(task), queue=queue, priority="medium" if meets else "high")]
    if owner:
        reason = "cancels a meeting" if meets else "wants to cancel"
        actions.append(_action("notify_owner", **_who(task), ownerId=owner, reason=reason))
    return Said(task.say("cancel_meeting" if meets else "cancel", name=_dear(task)), actions, 0.85)


def _follow(call: Context, task: Task) -> Said:
    record: Members = task.record or {}
    last = record.get("last_contact") or record.get("last_activity_at") or record.get("updated_at")
    days = (call.now - last).days if last is not None else None
    since = f" The last thing that happened was {days} days ago." if days is not None else ""
    action = _action("create_task", **_who(task), title=f"Follow up{_with(task)}", dueAt=_next_time(call.now))
    return Said(f"I suggest to follow up{_with(task)} on the next working day.{since}", [action], 0.8)


def _help(call: Context, task: Task) -> Said:
    urgent = sentiment.tone(task.text).sentiment == "negative"
    action = _action("route_ticket", **_who(task), queue="support", priority="high" if urgent else "medium")
    said = task.say("help_urgent" if urgent else "help", name=_dear(task), text=task.text.strip()[:120])
    return Said(said, [action], 0.7)


def _complain(call: Context, task: Task) -> Said:
    words = sentiment.words_of_leaving(task.text)
    actions = [_action("route_ticket", **_who(task), queue="retention" if words else "support", priority="high")]
    if task.record is not None and task.record.get("owner_id"):
        actions.append(_action("notify_owner", **_who(task), ownerId=task.record["owner_id"]))
    return Said(task.say("complain", name=_dear(task)), actions, 0.75)


def _general(call: Context, task: Task) -> Said:
    if task.record is None:
        return Said(f"I am not sure what to do about: {task.text.strip()[:120] or 'nothing was said'}.", [], 0.45)
    record = task.record
    about = ", ".join(str(part) for part in (record.get("title"), record.get("company"), record.get("status")) if part)
    return Said(f"{record['name']} ({about}). What would you like me to do?", [], 0.6)


_WORK = {
    "qualify": _qualify,
    "price": _price,
    "meet": _meet,
    "follow": _follow,
    "help": _help,
    "complain": _complain,
    "thank": _thank,
    "cancel": _cancel,
}


def _action(type: str, **parameters: object) -> dict[str, Any]:
    # Parameters are free-form: they are written with their wire names.
    return {"type": type, "parameters": parameters}


def _who(task: Task) -> dict[str, Any]:
    return {f"{task.kind}Id": task.record["id"]} if task.record is not None else {}


def _with(task: Task) -> str:
    return f" with {task.record['name']}" if task.record is not None else ""


def _dear(task: Task) -> str:
    return f", {task.record.get('first_name') or task.record['name']}" if task.record is not None else ""


def _next_time(now: datetime) -> str:
    """Return 14:00 of the next working day in wire form."""
    return instant(_usual_time(now))


def _usual_time(now: datetime) -> datetime:
    return datetime.combine(working_day(now.date() + timedelta(days=1)), time(USUAL_HOUR), now.tzinfo)
