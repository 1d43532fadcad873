"""Commands that write: what they would create and change is a plan first. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from crm_sdk.operation import Operation
from crm_sdk.resources.activities import (
    Activities,
    ActivityCalls,
    ActivityEmails,
    ActivityEvents,
    ActivityNotes,
    ActivityTasks,
)
from crm_sdk.resources.deals import Deals
from crm_sdk.wire import camel, instant

from ...data.document import Document
from ...data.queries.query import fold
from ...data.queries.relative_dates import Calendar
from ...problems import Problem
from ...request.access import permissions
from .. import company
from ..deals.stages import stage_named
from .moments import moment_of, times_of
from .subjects import RECORDS, Subject, subject_named, subject_of
from .tokens import Token, amount_of, joined_words, plain, tokens
from .turns import Reply, Turn, intent
from .words import Unclear, field_named, users_named

_GIVEN = re.compile(r"(?:^|\s)([A-Za-z_][\w.]*)=")
_LOG = re.compile(r"(?is)^(call|note|anruf|notiz|llamada|nota)\s+(?:on|zu|sobre|for)\s+(.+?)\s*:\s*(\S.*)$")
_CALLS = ("call", "anruf", "llamada")
_CREATES: Mapping[str, Any] = {
    "task": ActivityTasks.create, "event": ActivityEvents.create, "call": ActivityCalls.create,
    "note": ActivityNotes.create, "email": ActivityEmails.create,
}  # fmt: skip
_ABOUT = frozenset(["contact", "lead", "deal", "account"])
_TITLE = 200
_EMPTY = frozenset(["null", "none", "-", ""])
_FLAGS: Mapping[str, bool] = {
    "yes": True,
    "true": True,
    "ja": True,
    "si": True,
    "no": False,
    "false": False,
    "nein": False,
}


def step(
    operation: Operation[..., Any],
    members: Mapping[str, Any],
    *,
    entity: str,
    doc: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one write of a plan: the declared call that carries it out, with the members of its body."""
    return {
        "call": operation.id,
        "members": dict(members),
        "operation": {
            "action": "create" if doc is None else "update",
            "entity": entity,
            "id": doc["id"] if doc is not None else None,
            "version": doc.get("version") if doc is not None else None,
            "values": dict(members),
        },
        "changes": [
            {"field": name, "before": value, "after": after}
            for name, value, after in _differences(members, before if before is not None else doc or {})
        ],
    }


def _differences(members: Mapping[str, Any], before: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for wire_name, after in members.items():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()
        if name == "custom_fields":
            held: Mapping[str, Any] = before.get(name) or {}
            found += [(f"{name}.{key}", held.get(key), value) for key, value in after.items()]
        else:
            found.append((name, _json_value(before.get(name)), after))
    return found


def _json_value(value: Any) -> Any:
    """Return a stored value as JSON has it."""
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


def planned_reply(
    turn: Turn, name: str, subject: Subject, steps: Sequence[dict[str, Any]], docs: Sequence[Document]
) -> Reply:
    """Return the answer with a plan; without one where nothing would change."""
    real = [one for one in steps if one["operation"]["id"] is None or _differs(one)]
    records = [turn.reference(subject_of(subject.entity, doc.get("kind")) or subject, doc) for doc in docs]
    said = intent(name, subject, arguments={"id": records[0]["id"]} if len(records) == 1 else {})
    if not real:
        return Reply(turn.say("unchanged"), said, records, len(records) or None)
    summary = "; ".join(_summary(turn, subject, one, docs) for one in real)
    plan = {"steps": real, "summary": summary}
    return Reply(turn.say("plan", what=summary), said, records, len(records) or None, plan=plan)


def _differs(one: Mapping[str, Any]) -> bool:
    return any(change["before"] != change["after"] for change in one["changes"])


def _summary(turn: Turn, subject: Subject, one: Mapping[str, Any], docs: Sequence[Document]) -> str:
    operation = one["operation"]
    if operation["id"] is None:
        values = operation["values"]
        name = values.get("name") or values.get("title") or values.get("body") or values.get("subject") or ""
        return turn.say("create", entity=subject.key, total=1, name=name)
    doc = next(doc for doc in docs if doc["id"] == operation["id"])
    values = ", ".join(f"{change['field']} {change['after']}" for change in one["changes"])
    return turn.say("update", names=turn.title(subject, doc), values=values)


# -- values ------------------------------------------------------------------------------------------------------------


def split_values(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what is before ``field=value …``, and the fields with their values; a value goes on to the next field."""
    places = list(_GIVEN.finditer(text))
    if not places:
        return text.strip(), []
    ends = [*(place.start() for place in places[1:]), len(text)]
    values = [
        (place[1], text[place.end() : end].strip().strip('"“”„')) for place, end in zip(places, ends, strict=True)
    ]
    return text[: places[0].start()].strip(), values


def _members(
    turn: Turn, subject: Subject, operation: Operation[..., Any], values: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the members of a body, by wire names, from texts. Raises: Unclear for one that the records do not have."""
    found: dict[str, Any] = {}
    for given, text in values:
        name = field_named(subject, given)
        head, _, custom = name.partition(".")
        if head not in operation.arguments.members:
            raise Unclear("no_field", word=given, entity=subject.key)
        if custom:
            own: dict[str, Any] = found.setdefault("customFields", {})
            own[custom] = None if fold(text) in _EMPTY else text
        else:
            found[camel(name)] = _value(turn, subject, name, text)
    return found


def _value(turn: Turn, subject: Subject, name: str, text: str) -> Any:
    if fold(text) in _EMPTY:
        return None
    if name in ("owner_id", "manager_id", "user_id"):
        return _user(turn, text)
    kind = subject.fields.get(name)
    if kind == "number" and (amount := amount_of(plain(text))) is not None:
        number = amount[0]
        return int(number) if number == number.to_integral_value() else number
    if kind == "bool":
        return _FLAGS.get(fold(text), text)
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "date":
        return _day_or_time(turn, name, text, subject)
    return text


def _day_or_time(turn: Turn, name: str, text: str, subject: Subject) -> str:
    whole = "Datetime" in str(subject.model.model_fields[name].annotation)
    if whole and (moment := moment_of(turn, tokens(text))) is not None:
        return instant(moment)
    try:
        start, _ = Calendar(turn.call.now, company.zone(turn.call)).span(fold(text).replace(" ", "_"), name)
    except Problem:
        return text
    return instant(start) if whole else start.date().isoformat()


def _user(turn: Turn, text: str) -> str:
    found = users_named(turn.call, text)
    if len(found) != 1:
        raise Unclear("no_user", word=text)
    return str(found[0]["id"])


# -- the commands ------------------------------------------------------------------------------------------------------


def _writable(turn: Turn, found: Sequence[tuple[Subject, Document]]) -> None:
    """Refuse a plan for records that the caller may not change: 403."""
    for subject, doc in found:
        noun = turn.call.server.nouns[doc["kind"] if subject.entity == "activity" else subject.entity]
        noun.writable(turn.call, doc["id"])


def create(turn: Turn, rest: str) -> Reply:
    """Plan a new record: ``/create contact name=Eva Roth``."""
    head, values = split_values(rest)
    subject = subject_named(fold(head))
    if subject is None or subject.entity == "user" or not values:
        raise Unclear("usage", usage="/create <entity> field=value …")
    permissions.check(turn.call.caller, subject.word, "create")
    operation = _CREATES[subject.kind].operation if subject.kind else subject.call("create")
    members = _members(turn, subject, operation, values)
    return planned_reply(turn, "create", subject, [step(operation, members, entity=subject.entity)], [])


def change(turn: Turn, rest: str) -> Reply:
    """Plan changes of records: ``/set contact_7 title=Director``."""
    head, values = split_values(rest)
    if not values or not head:
        raise Unclear("usage", usage="/set <id> field=value …")
    found = turn.find_named(tokens(head))
    _writable(turn, found)
    steps = [
        step(one.call("update"), _members(turn, one, one.call("update"), values), entity=one.entity, doc=doc)
        for one, doc in found
    ]
    return planned_reply(turn, "update", found[0][0], steps, [doc for _, doc in found])


def move(turn: Turn, rest: str) -> Reply:
    """Plan the move of deals to a stage: ``/move deal_3 proposal``."""
    words = [token for token in tokens(rest) if token.word not in ("to", "nach", "a")]
    deals = [one for one in RECORDS if one.entity == "deal"]
    for count in range(1, min(len(words), 4)):
        named, stage = words[:-count], joined_words(words[-count:])
        found = _deals_and_stage(turn, named, stage, deals)
        if found is not None:
            pairs, key = found
            _writable(turn, pairs)
            steps = [step(Deals.move_stage.operation, {"stage": key}, entity="deal", doc=doc) for _, doc in pairs]
            return planned_reply(turn, "move", deals[0], steps, [doc for _, doc in pairs])
    if len(words) < 2:
        raise Unclear("usage", usage="/move <deal> <stage>")
    turn.find_named(words[:-1], deals)
    raise Unclear("no_value", word=words[-1].text, entity="deal")


def _deals_and_stage(
    turn: Turn, named: Sequence[Token], stage: str, deals: Sequence[Subject]
) -> tuple[list[tuple[Subject, Document]], str] | None:
    wanted = fold(stage).replace(" ", "-")
    keys = {
        key: str(one["key"])
        for one in turn.call.collection("stage")
        for key in (fold(one["key"]), fold(one["name"]).replace(" ", "-"), one["id"])
    }
    if wanted not in keys:
        return None
    found = turn.find_named(named, deals)
    pipeline = turn.call.record("pipeline", found[0][1]["pipeline_id"])
    return found, str(stage_named(turn.call, pipeline, keys[wanted])["key"])


def complete(turn: Turn, rest: str) -> Reply:
    """Plan to complete tasks: ``/done task_9``."""
    tasks = [one for one in (subject_of("activity", "task"),) if one is not None]
    found = turn.find_named(tokens(rest), tasks)
    other = next((doc for _, doc in found if doc["kind"] != "task"), None)
    if other is not None:
        raise Unclear("wrong_kind", name=turn.title(*next(pair for pair in found if pair[1] is other)))
    _writable(turn, found)
    update = Activities.update.operation
    steps = [step(update, {"status": "completed"}, entity="activity", doc=doc) for _, doc in found]
    return planned_reply(turn, "complete", tasks[0], steps, [doc for _, doc in found])


def assign(turn: Turn, rest: str) -> Reply:
    """Plan to give records to a user: ``/assign lead_4 to sam@acme.test``."""
    head, found_to, user = _parted_words(rest, ("to", "an", "a", "إلى", "الى"))
    if not found_to or not head or not user:
        raise Unclear("usage", usage="/assign <id> to <user>")
    found = turn.find_named(head)
    _writable(turn, found)
    owner = {"ownerId": _user(turn, joined_words(user))}
    steps = [step(one.call("update"), owner, entity=one.entity, doc=doc) for one, doc in found]
    return planned_reply(turn, "assign", found[0][0], steps, [doc for _, doc in found])


def _parted_words(text: str, words: Sequence[str]) -> tuple[list[Token], bool, list[Token]]:
    """Return the words before and after the last of some words, and whether there is one."""
    given = tokens(text)
    at = next((at for at in range(len(given) - 1, -1, -1) if given[at].word in words), None)
    return (given, False, []) if at is None else (given[:at], True, given[at + 1 :])


def log(turn: Turn, rest: str) -> Reply:
    """Plan a note or a call that took place: ``/log note on contact_7: likes tea``."""
    match = _LOG.match(rest)
    if match is None:
        raise Unclear("usage", usage="/log call|note on <record>: text")
    word, named, text = match.groups()
    found = turn.find_named(tokens(named), [one for one in RECORDS if one.entity in _ABOUT])
    subject, doc = found[0]
    about = {f"{subject.entity}Id": doc["id"]}
    if fold(word) in _CALLS:
        members: dict[str, Any] = {"title": text[:_TITLE], "description": text, "status": "completed", **about}
        return _logged_activity(turn, "call", members, subject, doc)
    return _logged_activity(turn, "note", {"body": text, **about}, subject, doc)


def _logged_activity(turn: Turn, kind: str, members: Mapping[str, Any], subject: Subject, doc: Document) -> Reply:
    activity = subject_of("activity", kind)
    assert activity is not None
    reply = planned_reply(turn, "log", activity, [step(_CREATES[kind].operation, members, entity="activity")], [])
    reply.records, reply.total = [turn.reference(subject, doc)], 1
    return reply


def schedule(turn: Turn, rest: str) -> Reply:
    """Plan a meeting: ``/schedule 30 with Eva Roth tomorrow 14:00``, without a time at the first that is free."""
    match = re.fullmatch(r"(?is)\s*(\d{1,3})\s*(?:min(?:ute[ns]?|utos)?)?\s+(?:with|mit|con|مع)\s+(.+)", plain(rest))
    if match is None or turn.call.caller.user_id is None:
        raise Unclear("usage", usage="/schedule <minutes> with <contact> [when]")
    words = tokens(match[2])
    read = ((at, times) for at in range(1, len(words)) if (times := times_of(turn, words[at:])) is not None)
    begin, times = next(read, (len(words), dict[str, Any]()))
    contacts = [one for one in RECORDS if one.entity == "contact"]
    ((subject, contact), *_) = turn.find_named(words[:begin], contacts)
    members: dict[str, Any] = {
        "title": f"Meeting with {contact['name']}"[:_TITLE],
        "durationMinutes": int(match[1]),
        "userIds": [turn.call.caller.user_id],
        "contactIds": [contact["id"]],
        **times,
    }
    event = subject_of("activity", "event")
    assert event is not None
    reply = planned_reply(
        turn, "schedule", event, [step(Activities.schedule.operation, members, entity="activity")], []
    )
    reply.records, reply.total = [turn.reference(subject, contact)], 1
    return reply
