"""Whatever writes an activity says so twice: as an activity, and as the kind it is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import CalendarEvent
from server_stub import StubServer
from server_stub.data.document import Document

AT: Any = "2026-01-14T10:00:00Z"
MEETING: Any = {"title": "Review", "start_time": "2026-02-02T10:00:00Z", "end_time": "2026-02-02T11:00:00Z"}
OUTCOME: Any = {"summary": "Agreed", "follow_up_required": True}
LOGGED = ("call", "email")


def meeting(crm: CrmClient) -> CalendarEvent:
    return crm.calendar.events.create(MEETING)


def on_a_deal(type: str) -> Callable[[CrmClient], object]:
    def record(crm: CrmClient) -> object:
        told: Any = {"type": type, "date": AT, "description": "We spoke"}
        return crm.deals.activities.create(crm.deals.list().items[0].id, told)

    return record


def with_a_contact(type: str) -> Callable[[CrmClient], object]:
    def record(crm: CrmClient) -> object:
        told: Any = {"type": type, "date": AT, "summary": "We spoke"}
        return crm.contacts.communication.create("contact_123", told)

    return record


def by_a_rule(crm: CrmClient) -> object:
    rule: Any = {
        "name": "x",
        "trigger": {"event": "deal_created"},
        "actions": [{"type": "create_task", "title": "Call"}],
    }
    crm.pipelines.automation.create(crm.pipelines.list().items[0].id, rule)
    crm.deals.create({"title": "New", "value": 100})
    return crm.leads.list(limit=1)  # the rule runs with the next thing the server does


def converted(crm: CrmClient) -> object:
    captured = crm.leads.capture.email({"from_email": "new@some.example", "subject": "Hello", "body": "Hello there"})
    assert captured.lead is not None
    return crm.leads.convert(captured.lead.id)


PLACES: dict[str, tuple[Callable[[CrmClient], object], set[str]]] = {
    "an event is created": (meeting, {"activity.created", "event.created"}),
    "an event is changed": (
        lambda crm: crm.calendar.events.update(meeting(crm).id, {"title": "Other"}),
        {"activity.updated", "event.updated"},
    ),
    "an event is cancelled": (
        lambda crm: crm.calendar.events.set_status(meeting(crm).id, "cancelled"),
        {"activity.updated", "event.updated"},
    ),
    "an event has an outcome": (
        lambda crm: crm.calendar.events.outcome(meeting(crm).id, OUTCOME),
        {"activity.updated", "event.updated"},
    ),
    "an event is deleted": (
        lambda crm: crm.calendar.events.delete(meeting(crm).id),
        {"activity.deleted", "event.deleted"},
    ),
    **{
        f"a {type} on a deal": (on_a_deal(type), {"activity.created"})
        for type in ("call", "email", "meeting", "demo", "proposal", "note")
    },
    **{
        f"a {type} with a contact": (with_a_contact(type), {"activity.created"})
        for type in ("call", "email", "meeting", "note")
    },
    "a rule makes a task": (by_a_rule, {"activity.created", "task.created"}),
    "a lead is captured and converted": (converted, {"activity.created", "activity.updated", "email.updated"}),
}


def own_event(action: str, kind: str) -> str:
    """Return what an event of all activities is called among those of a kind."""
    verb = action.partition(".")[2]
    return f"{kind}.{'logged' if verb == 'created' and kind in LOGGED else verb}"


@pytest.mark.parametrize("place", PLACES)
def test_each_write_of_an_activity_is_an_event_of_its_kind_too(stub: StubServer, place: str) -> None:
    write, wanted = PLACES[place]
    before = len(stub.audit())
    write(stub.client())
    entries = [one for one in stub.audit()[before:] if one["entity"]["type"] == "activity"]
    entries = [one for one in entries if one["action"] != "activity.completed"]  # that is no kind of write
    assert wanted <= {entry["action"] for entry in entries}
    written = [pair for pair in pairwise(entries) if pair[0]["action"].startswith("activity.")]
    assert len(written) * 2 == len(entries), [entry["action"] for entry in entries]
    for general, own in written:
        assert general["entity"]["id"] == own["entity"]["id"]
        assert own["action"] == own_event(general["action"], kind_of(stub, general))
        assert general["changes"] == own["changes"]


def kind_of(stub: StubServer, entry: Document) -> str:
    doc = stub.store.collection("tenant_acme", "activity").get(entry["entity"]["id"], deleted=True)
    assert doc is not None
    kind: str = doc["kind"]
    return kind
