"""What a contact takes part in: deals by role, and communications as the activities they are kept as."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0)


def test_deals_are_those_of_a_contact_by_role_status_and_pipeline(client: CrmClient) -> None:
    ada, bob = (client.contacts.create({"name": name}).id for name in ("Ada", "Bob"))
    pipe = client.pipelines.create({"name": "P", "stages": [
        {"name": "Start", "probability": 10}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"},
    ]})  # fmt: skip

    def deal(title: str, **members: Any) -> None:
        given: Any = {"title": title, "value": 1, **members}
        client.deals.create(given)

    deal("own", contact_id=ada)
    deal("both", contact_id=bob, contact_roles=[
        {"contact_id": ada, "role": "influencer"}, {"contact_id": bob, "role": "decision_maker"},
    ])  # fmt: skip
    deal("any", contact_roles=[{"contact_id": ada}], pipeline_id=pipe.id)
    deal("won", contact_id=ada, pipeline_id=pipe.id, stage="won")
    deal("bob's", contact_id=bob)

    def found(contact_id: str, **given: Any) -> list[str]:
        return sorted(one.title for one in client.contacts.deals.list(contact_id, **given))

    for contact_id, given, titles in (
        (ada, {}, ["any", "both", "own", "won"]), (bob, {}, ["bob's", "both"]),
        (ada, {"role": "influencer"}, ["both"]), (bob, {"role": "influencer"}, []),
        (ada, {"role": "decision_maker"}, []), (bob, {"role": "decision_maker"}, ["both"]),
        (ada, {"role": "other"}, ["any", "own", "won"]), (ada, {"status": "won"}, ["won"]),
        (ada, {"pipeline_id": pipe.id}, ["any", "won"]), (ada, {"pipeline_id": pipe.id, "status": "open"}, ["any"]),
    ):  # fmt: skip
        assert found(contact_id, **given) == titles, (contact_id, given)
    sorted_by = [one.title for one in client.contacts.deals.list(ada, sort="title", order="desc")]
    assert sorted_by == ["won", "own", "both", "any"]


def test_a_communication_is_kept_as_an_activity_of_its_kind(client: CrmClient, stub: StubServer) -> None:
    flow = stub.client(dialects="flow", max_retries=0)
    account = client.accounts.create({"name": "Acme Foods"}).id
    ada = client.contacts.create({"name": "Ada", "account_id": account, "owner_id": "user_sam"}).id
    at = stub.clock.now().replace(microsecond=0) - timedelta(days=1)

    def kept(type: str, **given: Any) -> tuple[Any, Any]:
        said: Any = {"type": type, "date": at, "summary": " Great news.\nMore of it. ", **given}
        made = flow.contacts.communication.create(ada, said)
        assert (made.type, made.date, made.summary) == (type, at, "Great news.\nMore of it.")
        assert (made.sentiment, "positive" in (made.ai_analysis or "").lower()) == ("positive", True)
        return made, some(stub.store.collection("tenant_acme", "activity").get(made.id))

    first, whole = "Great news.", "Great news.\nMore of it."
    usual: dict[str, Any] = {"owner_id": "user_ada", "contact_id": ada}
    usual |= {"account_id": account, "occurred_at": at, "sentiment": "positive", "description": whole}
    for type, given, members in (
        ("email", {}, {"kind": "email", "subject": first, "title": first, "body_text": whole, "sent_at": at, "to": []}),
        ("email", {"subject": "Hello"}, {"kind": "email", "subject": "Hello", "title": "Hello"}),
        ("call", {"subject": " Asked "}, {"kind": "call", "title": "Asked", "start_time": at, "status": "completed"}),
        ("note", {}, {"kind": "note", "body": whole}),
        ("meeting", {}, {"kind": "event", "title": first, "start_time": at, "status": "completed",
                         "end_time": at + timedelta(minutes=30)}),
    ):  # fmt: skip
        made, doc = kept(type, **given)
        assert {name: doc[name] for name in (*usual, *members)} == usual | members, (type, given)
        assert made.subject == given.get("subject")
    assert client.contacts.get(ada).last_contact == at


def test_the_activities_of_a_contact_are_of_it_or_attended_by_it(client: CrmClient, stub: StubServer) -> None:
    ada, bob = (client.contacts.create({"name": name, "email": f"{name}@x.example"}).id for name in ("ada", "bob"))
    start = stub.clock.now().replace(microsecond=0)

    def made(kind: str, hours: int, **members: Any) -> str:
        calls: Any = client.activities
        id = str(getattr(calls, kind).create(members).id)
        stored(stub, "activity", id, occurred_at=start + timedelta(hours=hours))
        return id

    note = made("notes", -3, body="Note", contact_id=ada)
    task = made("tasks", -2, title="Task", contact_id=ada)
    event = made(
        "events", -1, title="Talk", start_time=start, end_time=start + timedelta(hours=1), visibility="private",
        attendees=[{"email": "ada@x.example"}, {"email": "sam@acme.test", "user_id": "user_sam"}],
    )  # fmt: skip
    made("notes", 0, body="Other", contact_id=bob)

    def found(**given: Any) -> list[str]:
        return [one.id for one in client.contacts.activities.list(ada, **given)]

    hour = timedelta(hours=1)
    assert found() == [event, task, note] and found(order="asc") == [note, task, event]
    assert (found(kind="note"), found(kind="event"), found(status="scheduled")) == ([note], [event], [event])
    assert (found(since=start - 2 * hour), found(until=start - 2 * hour)) == ([event, task], [note])
    assert found(since=start - 3 * hour, until=start - 2 * hour) == [note]
    assert found(sort="start_time")[-1] == event or found(sort="start_time")[0] == event
    reader = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    assert refused(lambda: list(reader.contacts.activities.list(ada))).status == 404
