"""Events and pushes: what is documented reads as it is typed, and nothing that comes can fail a reader."""

from __future__ import annotations

import contextlib
import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crm_sdk
from crm_sdk import InvalidEventError, models
from crm_sdk.models import Event, KnownPush, UnknownEvent, UnknownPush
from crm_sdk.models.channels import ChannelPush, read_push
from crm_sdk.models.events import read_event
from crm_sdk.models.record import Model

WHEN = datetime(2024, 1, 15, 16, 30, tzinfo=UTC)
# The examples of the document; for the two events without one, what their models name.
EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "lead.created": (
        "LeadCreated", {"id": "lead_123", "name": "Jane Doe", "email": "jane@example.com", "source": "website"},
    ),
    "lead.updated": ("LeadUpdated", {"id": "lead_123", "status": "qualified", "value": 12000.5}),
    "message.received": (
        "MessageReceived", {"id": "msg_123", "leadId": "lead_123", "content": "Hi, I'm interested", "sender": "lead"},
    ),
    "agent.status": (
        "AgentStatusUpdate", {"agentId": "agent_123", "status": "processing", "currentTask": "Qualifying lead_456"},
    ),
    "agent.completed": ("AgentCompleted", {"agentId": "agent_123", "task": "qualify", "confidence": 0.92}),
    "integration.error": ("IntegrationError", {"integrationId": "integration_123", "code": "X", "message": "down"}),
    "metrics.update": (
        "MetricsUpdate", {"metric": "leads_today", "value": 25, "change": "+2", "changeType": "increase"},
    ),
}  # fmt: skip


def event(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, "data": EXAMPLES[kind][1], "timestamp": "2024-01-15T16:30:00Z", **members}


def kinds(value: Model) -> list[tuple[str, str]]:
    return [(mismatch.path, mismatch.kind) for mismatch in value.mismatches]


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("form", ["bytes", "text", "object"])
@pytest.mark.parametrize("member", ["type", "event"])
def test_a_documented_event_has_its_class_and_its_members(kind: str, form: str, member: str) -> None:
    body: dict[str, Any] = {member: kind, "data": EXAMPLES[kind][1], "timestamp": "2024-01-15T16:30:00Z"}
    body |= {"id": "evt_1", "seq": 42, "epoch": "e1"}
    text = json.dumps(body)
    forms: dict[str, bytes | str | dict[str, Any]] = {"bytes": text.encode(), "text": text, "object": body}
    found = read_event(forms[form])
    assert type(found).__name__ == EXAMPLES[kind][0]
    assert type(found) is getattr(models, EXAMPLES[kind][0])
    assert (found.type, found.timestamp, found.id, found.seq, found.epoch) == (kind, WHEN, "evt_1", 42, "e1")
    assert found.timestamp is not None and found.timestamp.tzinfo is not None
    assert found.mismatches == ()
    assert not found.model_extra and not found.data.model_extra, "each member of the example is typed"
    assert found.data.model_dump(mode="json", by_alias=True, exclude_unset=True) == EXAMPLES[kind][1]


def test_every_class_of_the_union_has_an_example() -> None:
    branches = {get_args(branch)[0] for branch in get_args(get_args(Event)[0])}
    assert {branch.__name__ for branch in branches} == {name for name, _ in EXAMPLES.values()} | {"UnknownEvent"}


def test_members_are_python_values() -> None:
    created = read_event(event("lead.created"))
    assert isinstance(created, models.LeadCreated)
    assert (created.data.id, created.data.name, created.data.source) == ("lead_123", "Jane Doe", "website")
    updated = read_event(event("lead.updated"))
    assert isinstance(updated, models.LeadUpdated)
    assert updated.data.value == Decimal("12000.5") and type(updated.data.value) is Decimal
    told = read_event(event("agent.status"))
    assert isinstance(told, models.AgentStatusUpdate)
    assert (told.data.agent_id, told.data.current_task) == ("agent_123", "Qualifying lead_456")
    moved = read_event(event("metrics.update"))
    assert isinstance(moved, models.MetricsUpdate)
    assert (moved.data.value, type(moved.data.value), moved.data.change_type) == (25, int, "increase")


def test_what_the_document_does_not_name_is_kept() -> None:
    found = read_event(
        event("lead.created", signature="sha256=abc", data={"id": "1", "name": "A", "mood": {"now": [1.5]}})
    )
    assert found.mismatches == ()
    assert (found.model_extra, found.data.model_extra) == ({"signature": "sha256=abc"}, {"mood": {"now": [1.5]}})
    assert found.model_dump(by_alias=True, exclude_unset=True)["data"]["mood"] == {"now": [1.5]}


def test_an_amount_keeps_every_digit() -> None:
    found = read_event('{"type": "lead.updated", "data": {"id": "1", "value": 12345678901234567.25}}')
    assert isinstance(found, models.LeadUpdated)
    assert found.data.value == Decimal("12345678901234567.25")


def test_an_event_can_be_made_pickled_and_not_changed() -> None:
    made = models.LeadCreated(data=models.CreatedLead(id="lead_1", name="Ada"), seq=3)
    assert (made.type, made.timestamp, made.id) == ("lead.created", None, None)
    again = read_event(made.model_dump_json(by_alias=True))
    assert type(again) is models.LeadCreated and again.data == made.data and again.seq == 3
    odd = read_event({"type": "lead.created", "data": {"id": "1"}})
    assert pickle.loads(pickle.dumps(odd)) == odd
    assert pickle.loads(pickle.dumps(odd)).mismatches == odd.mismatches != ()
    with pytest.raises(ValueError, match="frozen"):
        made.seq = 4


def test_an_unknown_type_is_an_unknown_event() -> None:
    found = read_event({"type": "deal.won", "data": {"id": "deal_1", "x": [1]}, "seq": 7, "timestamp": WHEN})
    assert type(found) is UnknownEvent
    assert (found.type, found.data, found.seq, found.timestamp) == ("deal.won", {"id": "deal_1", "x": [1]}, 7, WHEN)
    assert found.mismatches == ()
    ready = read_event('{"type":"stream.ready","data":{"seq":41,"epoch":"e1","gap":null}}')
    assert type(ready) is UnknownEvent and ready.data == {"seq": 41, "epoch": "e1", "gap": None}


@pytest.mark.parametrize("data", [None, "text", 5, [], True])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_known_type_whose_data_is_no_object_is_an_unknown_event(kind: str, data: Any) -> None:
    found = read_event(event(kind, data=data, seq=5, extra="kept"))
    assert type(found) is UnknownEvent
    assert (found.type, found.data, found.seq, found.timestamp) == (kind, data, 5, WHEN)
    assert found.model_extra == {"extra": "kept"}
    assert kinds(found) == [("data", "model_type")]
    missing = read_event({"type": kind})
    assert type(missing) is UnknownEvent
    assert kinds(missing) == [("data", "missing")]


def test_data_that_deviates_is_usable_and_says_how() -> None:
    found = read_event(event("lead.created", data={"id": 5, "email": "x", "planet": "Earth"}))
    assert type(found) is models.LeadCreated
    assert vars(found.data) == {"id": None, "name": None, "email": "x", "source": None}
    assert found.data.model_extra == {"planet": "Earth"}
    assert kinds(found) == [("data.id", "string_type"), ("data.name", "missing")]
    assert found.data.mismatches == found.mismatches


def test_the_numbers_of_an_event_are_what_they_are_typed_as_or_none() -> None:
    odd = {"id": 7, "seq": "many", "epoch": ["e"], "timestamp": "yesterday"}
    for found in (read_event(event("lead.created", **odd)), read_event({"type": "x.y", "data": 1, **odd})):
        assert (found.id, found.seq, found.epoch, found.timestamp) == (None, None, None, None)
        noted = {mismatch.path: mismatch.value for mismatch in found.mismatches}
        assert noted == odd, "what came is in the mismatches"
    assert read_event(event("lead.created", seq="12")).seq == 12


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    found = read_event(event("lead.created", timestamp="2024-01-15T16:30:00"))
    assert found.timestamp == WHEN
    assert kinds(found) == [("timestamp", "timezone_aware")]
    assert read_event(event("lead.created", timestamp="2024-01-15T18:30:00+02:00")).timestamp == WHEN


@pytest.mark.parametrize("odd", [None, 5, [], {}, True])
def test_a_type_that_is_no_text_is_an_unknown_event(odd: Any) -> None:
    for body in ({"type": odd}, {"event": odd}, {}):
        found = read_event(json.dumps(body))
        assert type(found) is UnknownEvent and found.type == "" and found.mismatches


@pytest.mark.parametrize(
    "raw",
    [b"", b"  ", b"null", b"[]", b"[[]]", b'"text"', b"7", b"true", b'{"type": "lead', b"<html>", b"\xff\xfe\x00",
     b"[" * 100_000, b'{"a":' * 100_000, b'{"seq": ' + b"9" * 5000 + b"}", "", "\ud800", "[1]"],
    ids=lambda raw: repr(raw[:12]),
)  # fmt: skip
def test_what_is_no_object_is_one_error(raw: bytes | str) -> None:
    with pytest.raises(InvalidEventError, match="this is not an event: ") as raised:
        read_event(raw)
    assert isinstance(raised.value, (crm_sdk.CrmError, ValueError))
    assert raised.value.__cause__ is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_NAMES = ["id", "name", "leadId", "agentId", "status", "metric", "value", "content", "seq", "deal", "changes"]
payloads = st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=4), json_values, max_size=6)


@given(st.sampled_from([*EXAMPLES, "x.y"]) | json_values, payloads | json_values, payloads)
def test_any_object_reads_as_an_event_with_a_type_and_numbers(kind: Any, data: Any, more: dict[str, Any]) -> None:
    body = {**more, "type": kind, "data": data}
    for found in (read_event(body), read_event(json.dumps(body))):
        assert isinstance(found.type, str)
        assert type(found) is UnknownEvent or isinstance(found.data, Model)
        assert found.seq is None or type(found.seq) is int
        assert found.id is None or type(found.id) is str
        assert found.epoch is None or type(found.epoch) is str
        assert found.timestamp is None or found.timestamp.tzinfo is not None
        if isinstance(kind, str):
            assert found.type == kind
        if type(found) is UnknownEvent:
            assert found.data == data or data is None


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_content_reads_or_is_the_one_error(raw: bytes | str) -> None:
    with contextlib.suppress(InvalidEventError):
        assert isinstance(read_event(raw).type, str)


# -- pushes ------------------------------------------------------------------------------------------------------------

DEAL = {"id": "deal_1", "title": "Licence", "value": 1250.5, "stage": "proposal", "createdDate": "2026-01-15T09:00:00Z"}
MESSAGE = {"id": "msg_1", "content": "Hi", "timestamp": "2026-01-15T09:00:00Z", "status": "delivered", "type": "chat"}
ACTIVITY = {"id": "act_1", "type": "call", "date": "2026-01-15T09:00:00Z", "description": "Talked"}
MEETING = {"id": "event_1", "title": "Demo", "startTime": "2026-01-15T09:00:00Z", "endTime": "2026-01-15T10:00:00Z"}
NOTICE = {"id": "notif_1", "userId": "user_1", "type": "system", "title": "T", "message": "M", "read": False}
CHANGES = {"id": "x_1", "changes": {"expectedCloseDate": "2026-03-01", "value": 5}}
PUSHES: dict[str, tuple[str, dict[str, Any]]] = {
    "deal:created": ("DealCreatedPush", {"deal": DEAL}),
    "deal:updated": ("DealUpdatedPush", CHANGES),
    "deal:stage_changed": (
        "DealStageChangedPush", {"id": "deal_1", "oldStage": "prospect", "newStage": "qualified", "probability": 25},
    ),
    "deal:activity_added": ("DealActivityAddedPush", {"dealId": "deal_1", "activity": ACTIVITY}),
    "message:received": ("MessageReceivedPush", {"conversationId": "conv_1", "message": MESSAGE}),
    "conversation:updated": ("ConversationUpdatedPush", CHANGES),
    "conversation:unread_count": ("ConversationUnreadCountPush", {"conversationId": "conv_1", "count": 2}),
    "event:created": ("EventCreatedPush", {"event": MEETING}),
    "event:updated": ("EventUpdatedPush", CHANGES),
    "event:reminder": ("EventReminderPush", {"id": "event_1", "minutesUntil": 15}),
    "contact:updated": ("ContactUpdatedPush", CHANGES),
    "contact:health_changed": ("ContactHealthChangedPush", {"id": "contact_1", "oldScore": 71, "newScore": 64}),
    "notification:new": ("NotificationNewPush", {"notification": NOTICE}),
    "notification:read": ("NotificationReadPush", {"id": "notif_1"}),
    "notification:deleted": ("NotificationDeletedPush", {"id": "notif_1"}),
}  # fmt: skip
NUMBERS = {"eventId": "evt_9", "seq": 9, "epoch": "e1"}


@pytest.mark.parametrize("name", PUSHES)
def test_a_documented_push_has_its_class_and_its_members(name: str) -> None:
    kind, payload = PUSHES[name]
    push = read_push("user:user_1:any", name, {**payload, **NUMBERS})
    assert type(push) is getattr(models, kind)
    assert (push.topic, push.type, push.event_id, push.seq, push.epoch) == ("user:user_1:any", name, "evt_9", 9, "e1")
    assert push.mismatches == ()
    assert not push.model_extra, "each member of the document is typed"
    sent = push.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert sent == {**payload, **NUMBERS, "topic": "user:user_1:any", "type": name}
    assert type(read_push("t", name, payload)) is type(push), "the numbers are ours, and may be absent"


def test_every_push_has_an_example() -> None:
    assert {kind.__name__ for kind in get_args(KnownPush)} == {name for name, _ in PUSHES.values()}
    assert {kind.__name__ for kind in ChannelPush.__subclasses__()} == {
        *(name for name, _ in PUSHES.values()),
        "UnknownPush",
    }


def test_records_in_pushes_are_the_models_of_calls() -> None:
    created = read_push("t", "deal:created", {"deal": DEAL})
    assert isinstance(created, models.DealCreatedPush)
    assert type(created.deal) is models.Deal and created.deal.value == Decimal("1250.5")
    planned = read_push("t", "event:created", {"event": MEETING, "seq": 1})
    assert isinstance(planned, models.EventCreatedPush)
    assert type(planned.event) is models.CalendarEvent and planned.event.start_time.tzinfo is not None
    changed = read_push("t", "deal:updated", {**CHANGES, **NUMBERS})
    assert isinstance(changed, models.DealUpdatedPush)
    assert (changed.id, changed.event_id) == ("x_1", "evt_9"), "the deal's id is not the event's"
    assert changed.changes == {"expectedCloseDate": "2026-03-01", "value": 5}


@pytest.mark.parametrize("name", ["cursor", "stream:position", "deal:won", ""])
def test_an_unknown_push_is_kept_whole(name: str) -> None:
    push = read_push("record:deal:1", name, {"x": 1, "type": "own", **NUMBERS})
    assert type(push) is UnknownPush
    assert (push.topic, push.type, push.event_id, push.seq, push.epoch) == ("record:deal:1", name, "evt_9", 9, "e1")
    assert push.payload == {"x": 1, "type": "own", **NUMBERS}
    assert push.mismatches == ()
    binary = read_push("t", "deal:created", b"\x00\xff")
    assert type(binary) is UnknownPush and binary.payload == b"\x00\xff"


@pytest.mark.parametrize(
    ("name", "payload", "path"),
    [
        ("deal:created", {"deal": "deal_1"}, "deal"),
        ("deal:created", {}, "deal"),
        ("deal:updated", {"id": "1", "changes": ["value"]}, "changes"),
        ("message:received", {"conversationId": "1", "message": None}, "message"),
        ("event:created", {"event": 5}, "event"),
    ],
)
def test_a_known_push_without_its_record_is_an_unknown_push(name: str, payload: dict[str, Any], path: str) -> None:
    push = read_push("t", name, {**payload, "seq": 4})
    assert type(push) is UnknownPush
    assert (push.type, push.payload, push.seq) == (name, {**payload, "seq": 4}, 4)
    assert [mismatch.path for mismatch in push.mismatches] == [path]


def test_a_push_that_deviates_is_usable_and_says_how() -> None:
    push = read_push("t", "deal:created", {"deal": {**DEAL, "probability": "high"}, "seq": "x", "eventId": 4})
    assert type(push) is models.DealCreatedPush
    assert push.deal.title == "Licence" and push.deal.probability is None
    assert (push.seq, push.event_id) == (None, None)
    assert sorted(path for path, _ in kinds(push)) == ["deal.probability", "eventId", "seq"]


@given(st.sampled_from([*PUSHES, "other"]), payloads, st.integers(0, 3))
def test_any_payload_reads_as_a_push(name: str, more: dict[str, Any], keep: int) -> None:
    known = PUSHES.get(name, ("", {}))[1]
    payload = {**dict(list(known.items())[:keep]), **more}
    push = read_push("t", name, payload)
    assert (push.topic, push.type) == ("t", name)
    assert push.seq is None or type(push.seq) is int
    if type(push) is UnknownPush:
        assert push.payload == payload
    elif isinstance(push, models.DealCreatedPush):
        assert type(push.deal) is models.Deal


def test_importing_the_models_does_not_load_events() -> None:
    code = "import sys, crm_sdk.models; assert 'crm_sdk.models.events' not in sys.modules, 'loaded'"
    subprocess.run([sys.executable, "-c", code], check=True)
