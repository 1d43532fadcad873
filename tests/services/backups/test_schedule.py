"""The schedule of backups by the hour: when one is due, how many are kept, and what becomes of those that fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backing_up import Founded
from stub_data import idle, some

from server_stub import StubServer
from server_stub.services.backups.schedule import schedule_of

HOUR = 3_600


def scheduled(acme: Founded) -> list[str]:
    made = acme.crm.backups.list(trigger="scheduled", sort="created_at", order="asc")
    return [f"{one.created_at:%d %H:%M} {one.status}" for one in made]


def test_a_schedule_is_read_as_times() -> None:
    for text, found in (
        ("off", None), ("hourly", {"frequency": "hourly", "at": "00:00"}),
        ("daily 02:00", {"frequency": "daily", "at": "02:00"}),
        ("monthly 03:10", {"frequency": "monthly", "at": "03:10"}),
        ("weekly monday 04:30", {"frequency": "weekly", "at": "04:30", "weekday": 0}),
        ("weekly sunday 04:30", {"frequency": "weekly", "at": "04:30", "weekday": 6}),
    ):  # fmt: skip
        assert schedule_of(text) == found, text


def test_backups_are_made_by_the_hour_and_the_last_ones_kept(acme: Founded, stub: StubServer) -> None:
    idle(stub)
    settings = acme.crm.configuration.settings
    by_hand = acme.backup(include=["configuration"])
    settings.update({"backup.schedule": "hourly", "backup.keep": 2})
    shown: list[list[str]] = []
    for _ in range(3):
        stub.clock.advance(HOUR)
        shown.append(scheduled(acme))
    assert shown == [
        ["15 10:00 succeeded"], ["15 10:00 succeeded", "15 11:00 succeeded"],
        ["15 11:00 succeeded", "15 12:00 succeeded"],
    ]  # fmt: skip
    first = acme.crm.backups.list(trigger="scheduled").items[0]
    assert (first.name, first.include, first.entity_types) == ("Backup 2026-01-15 12:00", first.include, None)
    assert set(first.include) >= {"data", "configuration"} and acme.archive(first)
    stub.clock.advance(5 * HOUR)
    assert scheduled(acme) == ["15 12:00 succeeded", "15 17:00 succeeded"], "of those that were missed the last"
    settings.update({"backup.keep": 1})
    stub.clock.advance(HOUR - 1)
    assert len(scheduled(acme)) == 2
    stub.clock.advance(60)
    assert scheduled(acme) == ["15 18:00 succeeded"]
    settings.update({"backup.schedule": "off"})
    stub.clock.advance(2 * HOUR)
    assert scheduled(acme) == ["15 18:00 succeeded"]
    assert acme.crm.backups.get(by_hand.id).status == "succeeded", "those by hand are not counted"
    settings.update({"backup.schedule": "hourly"})
    stub.clock.advance(HOUR)
    acme.crm.backups.create(include=["configuration"])  # it goes on when the next one is due
    assert [one.rpartition(" ")[0] for one in scheduled(acme)] == ["15 21:00"]


def test_a_schedule_makes_room_for_itself_or_fails(acme: Founded, stub: StubServer) -> None:
    idle(stub)
    tenants = stub.store.collection(acme.id, "tenant")

    def limited(**members: Any) -> None:
        tenant = some(tenants.first())
        limits = {**(tenant.get("limits") or {}), "backups": 2}
        tenants.put(tenant | {"limits": limits, **members})

    acme.crm.configuration.settings.update({"backup.schedule": "hourly", "backup.keep": 5})
    limited()
    by_hand = acme.backup(include=["configuration"])
    for _ in range(3):
        stub.clock.advance(HOUR)
        acme.crm.backups.list()
    assert scheduled(acme) == ["15 12:00 succeeded"], "the oldest of the schedule goes"
    last = acme.crm.backups.list(trigger="scheduled").items[0]
    acme.crm.backups.delete(last.id)
    acme.backup(include=["configuration"])
    stub.clock.advance(HOUR)
    assert scheduled(acme) == ["15 13:00 failed"]
    failed = acme.crm.backups.list(trigger="scheduled").items[0]
    assert failed.error is not None and failed.error.code == "LIMIT_EXCEEDED" and failed.file_id is None
    told = [one["action"] for one in stub.audit(acme.id) if one["entity"]["id"] == failed.id]
    assert told == ["backup.failed"] and acme.crm.backups.get(by_hand.id).status == "succeeded"
    limited(status="cancelled")
    stub.clock.advance(2 * HOUR)
    assert len(stub.store.collection(acme.id, "backup").find("trigger", "scheduled")) == 1


def test_a_backup_is_left_to_the_next_one_that_is_due_by_now(acme: Founded, stub: StubServer) -> None:
    idle(stub)
    acme.crm.configuration.settings.update({"backup.schedule": "hourly"})
    eleven = stub.clock.now().replace(hour=11, minute=0, second=0, microsecond=0)
    stub.clock.advance((eleven - stub.clock.now()).total_seconds())
    assert scheduled(acme) == ["15 11:00 succeeded"]
    stub.clock.advance((eleven + timedelta(hours=2, seconds=-1) - stub.clock.now()).total_seconds())
    assert scheduled(acme) == ["15 11:00 succeeded", "15 12:00 succeeded"]
