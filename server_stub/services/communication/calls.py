"""Telephone calls: logged, dialled, and carried on by the clock."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.communication import CommunicationCalls

from ...caller import Caller
from ...data import normalise
from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.filters import by_time
from ...data.queries.select import select
from ...problems import Problem, invalid
from ...request.answering.links import link, opens
from ...request.http import Reply
from ...serving import Collections, Context, Members, reacts, serves
from ...timetable import Appointment, apart, falls_due, plan
from ..activities import records as activities
from ..activities.kinds import ENDED
from ..activities.records import as_it_is
from .doors import Doors

KIND = "call_progress"
"""The collection with the calls under way: by the id of the call, `at`, and the `caller` who dialled."""
_RINGS, _ANSWERED, _LASTS = timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=90)
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_WITHOUT_ANSWER = {"1": "busy", "2": "no_answer", "3": "failed"}
"""What becomes of a call by the last digit of a number that ends with 000 and it."""
_RATE = 8_000


@serves(CommunicationCalls.create)
def create(call_: Context, call: Members) -> Document:
    """Log a call."""
    return Doors.call.answer(call_, activities.add(call_, "call", call))


@serves(CommunicationCalls.get)
def get(call: Context, call_id: str) -> Document:
    """Return a call."""
    return Doors.call.answer(call, Doors.call.find_one(call, call_id))


@serves(CommunicationCalls.update)
def update(call: Context, call_id: str, changes: Members, version: int | None) -> Document:
    """Change a call; one that is dialled ends with its status."""
    doc = Doors.call.writable(call, call_id)
    call.lock(doc, version)
    given = dict(changes)
    if doc.get("provider_call_id") and doc["status"] not in ENDED and given.get("status") in ENDED:
        given.setdefault("end_time", call.now)
    return Doors.call.answer(call, Doors.call.change(call, doc, Doors.call.stored_form(call, given, doc)))


@reacts("call.updated")
def tell_completion(call: Context, entry: Document) -> None:
    """Tell that a call is over."""
    states = [change for change in entry["changes"] if change["field"] == "status"]
    doc = call.collection("activity").get(entry["entity"]["id"])
    if doc is not None and any(change["after"] == "completed" for change in states):
        call.emit("call.completed", "activity", doc, changes=states)


@serves(CommunicationCalls.history)
def history(
    call: Context,
    direction: str | None,
    status: str | None,
    outcome: str | None,
    owner_id: str | None,
    contact_id: str | None,
    lead_id: str | None,
    deal_id: str | None,
    number: str | None,
    since: datetime | None,
    until: datetime | None,
    min_duration: int | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the calls that were asked for."""
    same = {
        "direction": direction, "status": status, "outcome": outcome, "owner_id": owner_id, "contact_id": contact_id,
        "lead_id": lead_id, "deal_id": deal_id,
    }  # fmt: skip
    tests: list[Callable[[Document], bool]] = [
        by_time("start_time", after=after)(call, at) for at, after in ((since, True), (until, False)) if at is not None
    ]
    if number is not None:
        wanted = normalise.phone(number, call.tenant.get("country"))
        tests.append(lambda doc: wanted in (doc.get("from_number"), doc.get("to_number")))
    if min_duration is not None:
        tests.append(lambda doc: (doc.get("duration_seconds") or 0) >= min_duration)
    docs = select(
        call.collection("activity"),
        equal={"kind": "call", **{name: value for name, value in same.items() if value is not None}},
        tests=tests, sort=sort, order=order, sorts=("start_time", "duration_seconds"), default="start_time",
    )  # fmt: skip
    return Mapped(docs, lambda doc: as_it_is(call, doc))


# -- dialling ----------------------------------------------------------------------------------------------------------


@serves(CommunicationCalls.dial)
def dial(
    call: Context,
    to_number: str | None,
    contact_id: str | None,
    lead_id: str | None,
    deal_id: str | None,
    from_number: str | None,
    record: bool,
) -> Document:
    """Begin a call through the telephone system of the company."""
    given = {"contact_id": contact_id, "lead_id": lead_id, "deal_id": deal_id}
    people = [call.reference(name[:-3], id, name) for name, id in given.items()]
    contact, lead, deal = people
    if contact is None and lead is None and deal is not None and deal.get("contact_id"):
        contact = call.find_one("contact", deal["contact_id"])
    person = contact or lead
    number = to_number or _number_of(person or {})
    if number is None:
        raise invalid("to_number", "required", "say which number to call, or whom who has one")
    dialled = _dialled_number(call, number, "to_number")
    own = _dialled_number(call, from_number, "from_number") if from_number is not None else None
    named = [one for one in (contact, lead) if one is not None]
    theirs = any(dialled in (one.get("phone"), one.get("mobile")) for one in named)
    for one in named if theirs else [*named, *_with_number(call, dialled)]:  # others may share a number
        if one.get("do_not_contact"):
            who = [{"type": one["id"].partition("_")[0], "id": one["id"], "number": dialled}]
            raise Problem("RECIPIENT_OPTED_OUT", f"{one['name']} wants no calls", details={"recipients": who})
    system = _telephony(call)
    busy = _under_way(call)
    if busy is not None:
        raise Problem("USER_BUSY", f"{busy['id']} is not over yet", details={"call_id": busy["id"]})
    config: Members = system.get("config") or {}
    members: dict[str, Any] = {
        **given, "title": f"Call to {person['name'] if person is not None else dialled}"[:255],
        "contact_id": contact["id"] if contact is not None else None, "to_number": dialled, "status": "queued",
        "from_number": own or config.get("number"), "direction": "outbound",
    }  # fmt: skip
    stored = Doors.call.stored_form(call, members) | {
        "provider": system["provider"], "provider_call_id": call.new_id("CA"), "recorded": record,
        "integration_id": system["id"],
    }  # fmt: skip
    doc = Doors.call.add(call, stored)
    call.emit("call.started", "activity", doc, metadata={"to_number": dialled})
    _wait(call, doc, _RINGS)
    return Doors.call.answer(call, doc)


def _number_of(person: Members) -> str | None:
    return person.get("phone") or person.get("mobile")


def _dialled_number(call: Context, number: str, field: str) -> str:
    found = normalise.phone(number, call.tenant.get("country")) or ""
    if not _NUMBER.fullmatch(found):
        raise Problem("INVALID_PHONE", f"{number!r} is no telephone number", field=field, rule="format")
    return found


def _with_number(call: Context, number: str) -> list[Document]:
    contacts = [doc for place in ("phone", "mobile") for doc in call.collection("contact").find(place, number)]
    return [*contacts, *call.collection("lead").find("phone", number)]


def _telephony(call: Context) -> Document:
    found = call.collection("integration").find("type", "telephony")
    for doc in found:
        if doc["status"] == "connected":
            return doc
    raise Problem("NO_TELEPHONY", "the company has no telephone system that is connected")


def _under_way(call: Context) -> Document | None:
    """Return the call that the caller is in."""
    for entry in call.collection(KIND).all():
        doc = call.collection("activity").get(entry["id"])
        same = entry["caller"]["user_id"] == call.caller.user_id and entry["caller"]["user_id"] is not None
        if doc is not None and doc["status"] not in ENDED and (same or doc["created_by"] == call.caller.actor_id):
            return doc
    return None


def _times(collections: Collections) -> Iterator[datetime]:
    return (doc["at"] for doc in collections(KIND))


DUE = Appointment("communication.calls", _times)


def _wait(call: Context, doc: Document, time: timedelta) -> None:
    entry = Document(id=doc["id"], at=call.now + time, caller=call.caller.as_stored())
    call.collection(KIND).put(entry)
    plan(call.collection, DUE)


@falls_due(DUE)
def go_on(call: Context) -> None:
    """Take the calls that are due one step further: they ring, are answered or not, and end."""
    waiting = call.collection(KIND)
    for entry in sorted(waiting.all(), key=lambda entry: (entry["at"], entry["id"])):
        if entry["at"] > call.now:
            break
        with apart(call, entry):
            _go_on(call, entry)


def _go_on(call: Context, entry: Document) -> None:
    doc = call.collection("activity").get(entry["id"])
    call.collection(KIND).remove(entry["id"])
    if doc is None or doc["status"] in ENDED:
        return
    acting = call.acting_as(Caller.of(entry["caller"]))
    if doc["status"] == "queued":
        _wait(acting, _become(acting, doc, "ringing"), _ANSWERED - _RINGS)
    elif doc["status"] == "ringing":
        lost = _WITHOUT_ANSWER.get(doc["to_number"][-1]) if doc["to_number"][-4:-1] == "000" else None
        if lost is None:
            _wait(acting, _become(acting, doc, "in_progress"), _LASTS)
        else:
            outcome = {"outcome": lost} if lost != "failed" else {}
            _become(acting, doc, lost, end_time=call.now, duration_seconds=0, **outcome)
    else:
        _end(acting, doc)


def _end(call: Context, doc: Document) -> None:
    recording = {"recording_url": link(call, "recording", doc["id"])} if doc.get("recorded") else {}
    _become(call, doc, "completed", end_time=call.now, outcome=doc.get("outcome") or "connected", **recording)


def _become(call: Context, doc: Document, status: str, **members: Any) -> Document:
    changes = Doors.call.stored_form(call, {"status": status, **members}, doc)
    return Doors.call.change(call, doc, {**changes, **{k: v for k, v in members.items() if k == "duration_seconds"}})


@opens("recording")
def recording(call: Context, call_id: str) -> Reply:
    """Return the recording of a call: as long as the call was, and silent, as nobody spoke."""
    doc = call.record("activity", call_id)
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(_RATE)
        sound.writeframes(b"\x80" * _RATE * min(int(doc.get("duration_seconds") or 0), 3_600))
    return Reply(200, {"Content-Type": "audio/wav"}, file.getvalue())
