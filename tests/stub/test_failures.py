"""A mistake in a rule is that rule's failure: what it wrote is undone, the log has it, and everything else goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient, Job, JobFailedError, ServerError
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.problems import Problem
from server_stub.serving import Context
from server_stub.timetable import Entry

HOUR = timedelta(hours=1)
Failures = list[logging.LogRecord]


def breaks(call: Context, *_: Any) -> Any:
    """Write something, and then make a mistake."""
    call.create("file", "file_", {"name": "half done"})
    raise KeyError("mistaken")


def ended(job: Job[Any]) -> Job[Any]:
    with pytest.raises(JobFailedError) as failed:
        job.wait()
    assert isinstance(failed.value.job, Job)
    return failed.value.job


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(max_retries=0)


@pytest.fixture
def expected(failures: Failures, stub: StubServer) -> Callable[[], list[str]]:
    """Return what was logged since, each with its traceback, and that nothing half done is left."""

    def logged() -> list[str]:
        assert all(record.exc_info and record.exc_info[0] is KeyError for record in failures)
        assert [doc for doc in stub.store.collection("tenant_acme", "file") if doc["name"] == "half done"] == []
        found = [record.getMessage() for record in failures]
        failures.clear()
        return found

    return logged


def test_a_job_fails_by_itself(stub: StubServer, client: CrmClient, expected: Callable[[], list[str]]) -> None:
    stub.steps = {**stub.steps, "enrichment": breaks}
    broken = client.leads.enrich(["lead_123"])
    good = client.contacts.imports.create(("people.csv", b"Name\nAda New\n"))
    assert good.wait().created_ids
    job = ended(broken)
    assert (job.status, job.progress) == ("failed", 0)
    assert job.finished_at is not None and job.error is not None and job.error.code == "INTERNAL_ERROR"
    assert "KeyError" in job.error.message
    assert expected() == [f"the job {broken.id} (enrichment) failed"]
    stub.clock.advance(86_400)
    assert client.leads.get("lead_123").id == "lead_123" and expected() == [], "it is not tried again"


def test_a_job_whose_step_is_not_there_any_more_fails(stub: StubServer, client: CrmClient, failures: Failures) -> None:
    stub.steps = {}
    assert ended(client.leads.enrich(["lead_123"])).status == "failed" and len(failures) == 1
    failures.clear()


def test_what_a_step_refuses_is_no_mistake(stub: StubServer, client: CrmClient) -> None:
    def refuses(call: Context, job: Document) -> Any:
        raise Problem("LIMIT_EXCEEDED", "too much")

    stub.steps = {**stub.steps, "enrichment": refuses}
    job = ended(client.leads.enrich(["lead_123"]))
    assert job.error is not None and (job.error.code, job.error.message) == ("LIMIT_EXCEEDED", "too much")


def test_recurring_work_is_done_again_at_its_next_time(
    stub: StubServer, client: CrmClient, expected: Callable[[], list[str]]
) -> None:
    done: list[str] = []
    entry = Entry("broken", HOUR)
    work = {entry: breaks, Entry("sound", HOUR): lambda call: done.append(call.caller.tenant_id)}
    stub.timetable = replace(stub.timetable, recurring=work)
    stub.clock.advance(2.5 * 3600)
    assert client.leads.get("lead_123").id == "lead_123"
    assert len(done) == 4, "both companies, twice"
    assert expected() == [f"broken of tenant_{name}" + " failed and was undone" for name in ("acme", "globex")] * 2
    stub.timetable = replace(stub.timetable, recurring={entry: lambda call: done.append("mended")})
    stub.clock.advance(3600)
    client.leads.get("lead_123")
    assert done[4:] == ["mended", "mended"] and expected() == []


def test_what_fell_due_and_failed_is_tried_later_and_later(
    stub: StubServer, client: CrmClient, expected: Callable[[], list[str]]
) -> None:
    (appointment, work), *_ = (
        entry for entry in stub.timetable.appointments.items() if entry[0].name == "calendar.remind"
    )
    stub.timetable = replace(stub.timetable, appointments={appointment: breaks})
    start = stub.clock.start + HOUR
    client.calendar.events.create({"title": "Soon", "start_time": start + HOUR, "end_time": start + 2 * HOUR})
    times: list[float] = []
    for _ in range(24):
        stub.clock.advance(300)
        client.leads.get("lead_123")
        if f"{appointment.name} of tenant_acme failed and was undone" in expected():
            times.append(round((stub.clock.now() - start) / timedelta(minutes=5)))
    assert times[:3] == [0, 1, 3]
    stub.timetable = replace(stub.timetable, appointments={appointment: work})
    stub.clock.advance(3 * 3600)
    client.leads.get("lead_123")
    assert "event.reminder" in [entry["action"] for entry in stub.audit()] and expected() == []


def test_a_reminder_that_cannot_be_sent_holds_up_no_other(
    stub: StubServer, client: CrmClient, expected: Callable[[], list[str]]
) -> None:
    start = stub.clock.start + 3 * HOUR
    ids = [
        client.calendar.events.create({"title": title, "start_time": start, "end_time": start + HOUR}).id
        for title in ("Broken", "Sound")
    ]
    events = stub.store.collection("tenant_acme", "activity")
    broken = next(doc for doc in events if doc["id"] == ids[0])
    events.put(broken | {"title": Odd()})
    stub.clock.advance(2.05 * 3600)
    client.leads.get("lead_123")
    assert expected() == [f"calendar.remind of {ids[0]} failed and was undone"]

    def reminded() -> list[str]:
        return [entry["entity"]["id"] for entry in stub.audit() if entry["action"] == "event.reminder"]

    assert ids[1] in reminded() and ids[0] not in reminded()
    events.put(broken | {"title": "Mended"})
    stub.clock.advance(300)
    client.leads.get("lead_123")
    assert ids[0] in reminded() and expected() == [], "it is tried again"


def test_what_fails_again_and_again_holds_up_nothing_that_comes_later(
    stub: StubServer, client: CrmClient, failures: Failures
) -> None:
    """Its own wait grows to a day; a record of the same kind is seen to at its own time."""
    start = stub.clock.start + 3 * HOUR
    broken = client.calendar.events.create({"title": "Broken", "start_time": start, "end_time": start + HOUR}).id
    events = stub.store.collection("tenant_acme", "activity")
    events.put(next(doc for doc in events if doc["id"] == broken) | {"title": Odd()})
    stub.clock.advance(6 * 3600)
    waits = [record.getMessage() for record in failures].count(f"calendar.remind of {broken} failed and was undone")
    assert 3 <= waits <= 12
    failures.clear()
    later = stub.clock.now() + 2 * HOUR
    sound = client.calendar.events.create({"title": "Sound", "start_time": later, "end_time": later + HOUR}).id
    stub.clock.advance(3600)
    (sent,) = (entry for entry in stub.audit() if (entry["action"], entry["entity"]["id"]) == ("event.reminder", sound))
    assert sent["occurred_at"] == later - HOUR
    failures.clear()


class Odd(str):
    """A title that cannot be written into a sentence."""

    def __format__(self, spec: str) -> str:
        raise KeyError(spec)


def test_a_reaction_belongs_to_the_write_it_follows(
    stub: StubServer, client: CrmClient, expected: Callable[[], list[str]]
) -> None:
    stub.reactions = {**stub.reactions, "lead.created": [breaks]}
    before = client.leads.list(limit=1).total
    with pytest.raises(ServerError) as failed:
        client.leads.create({"name": "Ada"})
    assert (failed.value.status, failed.value.code) == (500, "INTERNAL_ERROR")
    assert expected() == [f"leads.create failed ({failed.value.request_id})"]
    assert client.leads.list(limit=1).total == before, "the lead and what followed from it are undone together"
    assert "lead.created" not in [entry["action"] for entry in stub.audit()]


CALLS = {
    "mvp": ("leads.get", "/mvp/api/leads/lead_123"),
    "flow": ("deals.get", "/flow/api/deals/deal_123"),
    "platform": ("leads.sources", "/v1/leads/sources"),
}


@pytest.mark.parametrize("where", ["the rule", "what it gives"])
@pytest.mark.parametrize("dialect", CALLS)
def test_a_mistake_is_answered_as_its_dialect_writes_failures(
    stub: StubServer, dialect: str, where: str, failures: Failures
) -> None:
    def mistaken(*_: Any, **__: Any) -> Any:
        if where == "the rule":
            raise KeyError("mistaken")
        return object()

    name, path = CALLS[dialect]
    stub.rules = dict.fromkeys(stub.rules, mistaken)
    client = stub.client(max_retries=0, dialects=dialect)
    reply = client.request("GET", path)
    body = reply.json()
    error = body["errors"][0] if dialect == "platform" else body["error"]
    assert (reply.status, error["code"]) == (500, "INTERNAL_ERROR")
    request_id = reply.headers["x-request-id"]
    assert dialect != "platform" or body["meta"]["requestId"] == request_id
    (record,) = failures
    assert record.getMessage() == f"{name} failed ({request_id})" and record.exc_info
    failures.clear()
    with pytest.raises(ServerError) as failed:
        client.leads.get("lead_123") if dialect != "flow" else client.deals.get("deal_123")
    assert failed.value.status == 500 and failed.value.request_id
    failures.clear()
