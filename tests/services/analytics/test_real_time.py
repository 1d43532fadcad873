"""What has happened today, compared with yesterday at the same time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stub_data import plain, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.clock import TICK

from .conftest import Make, Wait, part, values


def test_today_follows_what_is_done(platform: CrmClient, stub: StubServer, pipe: Pipeline, deal: Make) -> None:
    def seen(**more: Any) -> Any:
        return platform.analytics.metrics.real_time(**more)

    names = ("leads_today", "deals_created_today", "deals_won_today", "revenue_today", "tasks_due_today")
    before = part(seen(), *names)
    lead = platform.leads.create({"name": "Now"})
    won = deal(value=500)
    platform.deals.move_stage(won.id, "won")
    task = platform.activities.tasks.create({"title": "Due", "due_at": stub.clock.now() + timedelta(hours=1)})
    found = seen()
    assert tuple(b - a for a, b in zip(before, part(found, *names), strict=True)) == (1, 1, 1, 500, 1)
    types = [event.type for event in found.recent_events]
    assert types[:2] == ["task.created", "activity.created"] and "deal.won" in types
    assert [event.occurred_at for event in found.recent_events] == sorted(
        (event.occurred_at for event in found.recent_events), reverse=True
    )
    assert {event.entity.id for event in found.recent_events} >= {lead.id, won.id}
    platform.activities.update(task.id, {"status": "completed"})
    assert part(seen(), "tasks_due_today") == (before[4],)
    nobody = seen(owner_id="user_nobody")
    assert set(values(nobody).values()) == {0} and nobody.recent_events == [] and nobody.api_requests_last_minute == 0


def test_today_is_compared_with_yesterday_at_the_same_time(platform: CrmClient, wait: Wait) -> None:
    platform.leads.create({"name": "At four in New York", "owner_id": "user_rita"})
    found = [platform.analytics.metrics.real_time(owner_id="user_rita").leads_today]
    for days in (0.8, 0.1, 0.2):  # to 23:12, 01:36 and 06:24
        wait(days)
        found.append(platform.analytics.metrics.real_time(owner_id="user_rita").leads_today)
    assert [plain(value.value, value.previous) for value in found] == [(1, 0), (1, 0), (0, 0), (0, 1)]


def test_who_is_active_is_who_calls(platform: CrmClient, sam: CrmClient, stub: StubServer, wait: Wait) -> None:
    wait(1 / 24)
    assert part(platform.analytics.metrics.real_time(), "active_users") == (1,)
    for _ in range(3):
        sam.leads.list(limit=1)
    found = platform.analytics.metrics.real_time()
    assert part(found, "active_users") == (2,) and found.api_requests_last_minute == 5
    assert platform.analytics.metrics.real_time(owner_id="user_sam").api_requests_last_minute == 3
    wait(2 / 24 / 60)
    found = platform.analytics.metrics.real_time()
    assert part(found, "active_users") == (2,) and found.api_requests_last_minute == 1
    wait(4 / 24 / 60)
    assert part(platform.analytics.metrics.real_time(), "active_users") == (1,)
    wait(1 - 6 / 24 / 60)
    assert platform.analytics.metrics.real_time().active_users.previous == 2


def test_messages_count_until_they_are_answered(platform: CrmClient, stub: StubServer) -> None:
    lead = platform.leads.create({"name": "Writes", "owner_id": "user_sam"})
    mvp = stub.client(dialects="mvp")
    mvp.messages.create({"lead_id": lead.id, "content": "Hello?", "sender": "lead"})
    found = platform.analytics.metrics.real_time(owner_id="user_sam")
    mvp.messages.create({"lead_id": lead.id, "content": "Hello!"})
    after = platform.analytics.metrics.real_time(owner_id="user_sam")
    assert after.messages_today.value - found.messages_today.value == 1
    assert after.unread_messages.value - found.unread_messages.value == -1


def test_events_are_those_of_records_one_may_see(platform: CrmClient, sam: CrmClient, stub: StubServer) -> None:
    at = stub.clock.now()
    secret: Any = {"title": "Secret", "start_time": at, "end_time": at + timedelta(hours=1), "visibility": "private"}
    made = platform.activities.events.create(secret)
    stub.client(dialects="mvp").webhooks.create({"url": "https://app.example/hook", "events": ["*"]})
    lead = platform.leads.create({"name": "Open"})
    ids = [event.entity.id for event in sam.analytics.metrics.real_time().recent_events]
    assert lead.id in ids and made.id not in ids and not any(id.startswith("webhook") for id in ids)
    mine = platform.analytics.metrics.real_time().recent_events
    assert made.id in [event.entity.id for event in mine]


def test_a_day_begins_at_midnight(platform: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[int, bool, tuple[int, int], tuple[int, int]]] = [
        (0, False, (1, 0), (1, 0)),
        (0, True, (0, 0), (0, 1)),
        (1, False, (0, 0), (0, 0)),
        (1, True, (0, 0), (1, 0)),
        (-1, False, (0, 1), (0, 1)),
        (-1, True, (0, 0), (0, 0)),
    ]
    fresh = stub.snapshot()
    for days, early, calls, due in cases:
        stub.restore(fresh)
        here = stub.clock.now().astimezone(ZoneInfo("America/New_York"))
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
        at = midnight - timedelta(milliseconds=early)
        platform.activities.calls.create({"title": "We talked", "start_time": at, "owner_id": "user_rita"})
        found = platform.analytics.metrics.real_time(owner_id="user_rita")
        assert plain(found.activities_today.value, found.activities_today.previous) == calls, days
        platform.activities.tasks.create({"title": "Due", "due_at": at, "owner_id": "user_rita"})
        found = platform.analytics.metrics.real_time(owner_id="user_rita")
        assert plain(found.tasks_due_today.value, found.tasks_due_today.previous) == due, days


def test_what_was_unread_yesterday_had_come_by_then(platform: CrmClient, stub: StubServer) -> None:
    lead = platform.leads.create({"name": "Writes", "owner_id": "user_rita"})
    stub.client(dialects="mvp").messages.create({"lead_id": lead.id, "content": "Hello?", "sender": "lead"})
    (message,) = stub.store.collection("tenant_acme", "message").find("lead_id", lead.id)
    moment, day = timedelta(microseconds=1), timedelta(days=1)
    for after, unread, messages in ((timedelta(), 1, 1), (moment, 0, 0)):
        now = stub.clock.now() + TICK  # a request is a tick after the one before it
        stored(stub, "message", message["id"], timestamp=now - day + after)
        found = platform.analytics.metrics.real_time(owner_id="user_rita")
        assert found.as_of == now and found.unread_messages.value == 1
        assert plain(found.unread_messages.previous, found.messages_today.previous) == (unread, messages)


def test_a_task_is_due_until_it_is_done(platform: CrmClient, stub: StubServer) -> None:
    task = platform.activities.tasks.create({"title": "Due", "due_at": stub.clock.now(), "owner_id": "user_rita"})
    moment = timedelta(microseconds=1)
    for done, status, due in (
        (None, "not_started", 1), (timedelta(), "completed", 0), (moment, "completed", 1), (None, "cancelled", 0),
    ):  # fmt: skip
        now = stub.clock.now() + TICK
        completed = now + done if done is not None else None
        stored(stub, "activity", task.id, status=status, completed_at=completed)
        assert platform.analytics.metrics.real_time(owner_id="user_rita").tasks_due_today.value == due, status


def test_the_latest_twenty_events_say_what_and_whose_they_are(platform: CrmClient, stub: StubServer) -> None:
    mine = stub.client(dialects="platform", max_retries=0)
    mine.auth.login("ada@acme.test", "demo-password")
    ids = [mine.leads.create({"name": f"Lead {number}", "owner_id": "user_ada"}).id for number in range(21)]
    last = mine.contacts.create({"name": "Last", "owner_id": "user_sam"})
    found = platform.analytics.metrics.real_time().recent_events
    assert [event.entity.id for event in found] == [last.id, *ids[:1:-1]]
    event, entry = found[0].model_dump(exclude={"id"}), stub.audit()[-1]
    assert event == {
        "type": "contact.created", "entity": {"type": "contact", "id": last.id, "name": "Last"},
        "actor": {"id": "user_ada", "name": "Ada Lindqvist", "avatar": event["actor"]["avatar"]},
        "occurred_at": entry["occurred_at"],
    }  # fmt: skip
    told = platform.analytics.metrics.real_time(owner_id="user_sam").recent_events
    assert told[0].entity.id == last.id and not {event.entity.id for event in told} & {*ids}
