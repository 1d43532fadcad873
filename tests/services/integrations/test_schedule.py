"""Scheduled synchronisations: on the hour, on the day, and with every change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sync_cases import Crm

HOUR = timedelta(hours=1)
BOB = {"name": "Bob", "email": "bob@x.example"}


def _triggers(crm: Crm) -> list[str]:
    return [str(run.trigger) for run in crm.client.integrations.sync.history(crm.id)]


@pytest.mark.parametrize(("frequency", "every"), [("hourly", HOUR), ("daily", 24 * HOUR)])
def test_runs_start_when_they_are_due(crm: Crm, frequency: str, every: timedelta) -> None:
    crm.map("name", "email")
    crm.remote.put("contact", BOB)
    made = crm.client.integrations.update(crm.id, {"sync_frequency": frequency})
    assert made.next_sync_at is not None and made.updated_at is not None
    assert made.next_sync_at - made.updated_at == every
    crm.later(every.total_seconds() - 60)
    assert _triggers(crm) == []
    crm.later(120)
    assert _triggers(crm) == ["scheduled"] and crm.contact(name="Bob").created_by == "system"
    crm.later(3 * every.total_seconds())
    assert _triggers(crm) == ["scheduled"] * 4
    after = crm.client.integrations.get(crm.id)
    assert after.version == made.version and after.next_sync_at is not None
    assert timedelta(0) < after.next_sync_at - crm.stub.clock.now() <= every
    crm.client.integrations.update(crm.id, {"sync_frequency": "manual"})
    crm.later(2 * every.total_seconds())
    assert len(_triggers(crm)) == 4 and crm.client.integrations.get(crm.id).next_sync_at is None


def test_a_run_that_is_paused_holds_up_the_next_and_no_more(crm: Crm) -> None:
    crm.map("name", "email")
    crm.client.integrations.update(crm.id, {"sync_frequency": "hourly"})
    crm.client.integrations.sync.start(crm.id)
    crm.client.integrations.sync.pause(crm.id)
    crm.later(3 * 3600)
    assert _triggers(crm) == ["manual"]
    crm.client.integrations.sync.resume(crm.id)
    crm.later(2 * 3600)
    assert set(_triggers(crm)) == {"manual", "scheduled"}


def test_a_leap_of_the_clock_makes_up_for_a_day_at_most(crm: Crm) -> None:
    crm.map("name", "email")
    crm.client.integrations.update(crm.id, {"sync_frequency": "hourly"})
    crm.later(30 * 86_400)
    assert 20 <= len(_triggers(crm)) <= 30


def test_in_real_time_each_change_is_brought_within_a_minute(crm: Crm) -> None:
    crm.map("name", "email")
    crm.client.integrations.update(crm.id, {"sync_frequency": "real-time"})
    crm.later()
    assert _triggers(crm) == [], "nothing has changed"
    theirs = crm.remote.put("contact", BOB)
    crm.later(70)
    assert _triggers(crm) == ["webhook"]
    crm.later()
    assert _triggers(crm) == ["webhook"], "what a run has written is no change"
    crm.client.contacts.update(crm.contact(name="Bob").id, {"name": "Bobby"})
    crm.later(70)
    record = crm.remote.get("contact", theirs["id"])
    assert _triggers(crm) == ["scheduled", "webhook"] and record is not None and record["name"] == "Bobby"
    crm.remote.put("contact", {"email": "nameless@x.example"})
    crm.later()
    assert _triggers(crm) == ["webhook", "scheduled", "webhook"], "what was refused is not tried again and again"
