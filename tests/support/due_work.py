"""What starts each kind of work that the stub does on its clock: a stub in which one of it is due next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from stub_data import stored
from sync_cases import BOB, Crm
from valid_requests import COMPANY, Maker

from crm_sdk.catalogue import declared_operations
from server_stub import StubServer, timetable
from server_stub.data.document import Document
from server_stub.jobs import ENDED
from server_stub.services.ai_insights import predictions
from server_stub.services.imports.ledger import KIND as KEPT_OF_IMPORTS
from server_stub.services.reports import runs
from server_stub.serving import Context

LONG_AGO = timedelta(days=5 * 365)
Begin = Callable[[StubServer], object]


def by(operation_id: str) -> Begin:
    """Return what makes a valid request to an operation."""

    def begin(stub: StubServer) -> None:
        (operation,) = (one for one in declared_operations() if one.id == operation_id)
        reply = stub.handle(Maker(stub).of(operation, operation.routes["platform"]).request())
        assert reply.status < 300, reply.body

    return begin


def aged(kind: str, **times: timedelta) -> Begin:
    """Return what sets times of the first record of a kind to so long ago."""

    def begin(stub: StubServer) -> None:
        (doc, *_) = stub.collection(COMPANY, kind).all()
        stub.collection(COMPANY, kind).put(doc | {name: stub.clock.now() - ago for name, ago in times.items()})

    return begin


def in_a_job(module: Any, operation_id: str) -> Begin:
    """Return what makes a request that is so large that it takes a job: in the test, any is."""

    def begin(stub: StubServer) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "AT_ONCE", 0)
            by(operation_id)(stub)

    return begin


def _digest(stub: StubServer) -> None:
    stub.client().notifications.preferences.update({"digest": "daily"})


def _post(stub: StubServer) -> None:
    client = stub.client()
    account = client.social.accounts.connect("twitter", access_token="t" * 20)
    at = stub.clock.now() + timedelta(hours=1)
    client.social.posts.create({"account_ids": [account.id], "content": "Soon", "scheduled_at": at})


def _old_import(stub: StubServer) -> None:
    by("imports.create")(stub)
    stub.clock.advance(60)
    (part, *_) = (one for one in reversed(stub.collection(COMPANY, KEPT_OF_IMPORTS).all()) if one["entries"])
    stored(stub, "job", part["job_id"], finished_at=stub.clock.now() - LONG_AGO)


def _old_token(stub: StubServer) -> None:
    tokens: Any = {"access_token": "t" * 20}
    made = stub.client().integrations.connect("integration_hubspot", credentials=tokens)
    stored(stub, "integration", made.id, connected_at=stub.clock.start)


def _real_time(stub: StubServer) -> None:
    crm = Crm(stub, sync_frequency="real-time")
    crm.map("name", "email")
    crm.remote.put("contact", BOB)


def _change(stub: StubServer) -> None:
    stub.client().leads.create({"name": "Ada New"})
    aged("change", at=LONG_AGO)(stub)


def _slow_deals(stub: StubServer) -> None:
    given: Any = {
        "name": "Slow", "trigger": {"event": "days_in_stage", "days": 1}, "actions": [{"type": "add_tag", "tag": "x"}]
    }  # fmt: skip
    for pipeline in stub.client().pipelines.list():
        stub.client().pipelines.automation.create(pipeline.id, given)


def nothing(stub: StubServer) -> None:
    """Begin nothing: the demo data have it."""


BEGINNINGS: Mapping[str, Begin] = {
    "activities.due": nothing,
    "app review": by("marketplace.apps.versions.create"),
    "billing period": nothing,
    "calendar.remind": nothing,
    "communication.calls": by("communication.calls.dial"),
    "communication.delivery": by("communication.email.send"),
    "contacts.follow_up": nothing,
    "export schedules": nothing,
    "integration sync": by("integrations.mappings.create"),
    "message delivery": by("notifications.send_email"),
    "notification digest": _digest,
    "report schedules": nothing,
    "scheduled backups": nothing,
    "social alerts": by("social.monitoring.alerts.create"),
    "social posts": _post,
    "social tokens": nothing,
    "tenant provisioning": by("tenants.create"),
    "tenant purge": by("tenants.delete"),
    "workflows": by("workflows.execute"),
    "every audit retention": nothing,
    "every changes that are kept no longer": _change,
    "every contact churn risk": nothing,
    "every contact health": nothing,
    "every conversation sentiment trends": nothing,
    "every expired backups": aged("backup", expires_at=timedelta()),
    "every expired files": aged("file", expires_at=timedelta()),
    "every imports that cannot be taken back any more": _old_import,
    "every insights": nothing,
    "every integration access": _old_token,
    "every integration watch": _real_time,
    "every notification cleanup": nothing,
    "every pipeline rules": _slow_deals,
    "every rotten deals": nothing,
    "every social listening": nothing,
    "job audit_export": by("audit.reports.export"),
    "job backup": by("backups.create"),
    "job backup_restore": by("backups.restore"),
    "job calendar_sync": by("activities.calendar.sync"),
    "job contact_import": by("contacts.imports.create"),
    "job email_sync": by("communication.email.sync"),
    "job enrichment": by("leads.enrich"),
    "job export": by("exports.create"),
    "job import": by("imports.create"),
    "job import_revert": by("imports.revert"),
    "job integration_sync": by("integrations.sync.start"),
    "job prediction": in_a_job(predictions, "ai_insights.predictions.deals"),
    "job privacy_erase": by("privacy.erase"),
    "job privacy_export": by("privacy.export"),
    "job reindex": by("search.reindex"),
    "job report_export": by("reports.exports.csv"),
    "job report_run": in_a_job(runs, "reports.run"),
    "job training": by("ai_insights.lead_scoring.train"),
}
"""What begins each kind of work, so that the next of it writes something."""


def kinds(stub: StubServer) -> list[str]:
    """Return the kinds of work that there are: appointments, recurring work and jobs."""
    appointments = [one.name for one in stub.timetable.appointments]
    return [
        *appointments,
        *(f"every {one.name}" for one in stub.timetable.recurring),
        *(f"job {k}" for k in stub.steps),
    ]


def wait_for(stub: StubServer, kind: str, begins: Callable[[Context], None]) -> datetime:
    """Leave only one kind of work in the timetable, and move the clock to when it is due; `begins` is called before."""

    def told(work: Callable[..., Any]) -> Callable[..., Any]:
        def do(call: Context, *job: Document) -> Any:
            begins(call)
            return work(call, *job)

        return do

    table = stub.timetable
    stub.timetable = replace(
        table,
        appointments={one: told(work) for one, work in table.appointments.items() if one.name == kind},
        recurring={one: told(work) for one, work in table.recurring.items() if f"every {one.name}" == kind},
    )
    stub.steps = {name: told(step) for name, step in stub.steps.items()}
    if kind.startswith("job "):
        times = [doc["due_at"] for jobs in stub.store.across("job") for doc in jobs if doc["status"] not in ENDED]
    elif kind.startswith("every "):
        (entry,) = stub.timetable.recurring
        planned = stub.collection(COMPANY, timetable.KIND).get(entry.name)
        times = [planned["due_at"] if planned is not None else stub.clock.start + entry.every]
    else:
        times = [doc["next_at"] for each in stub.store.across(timetable.KIND) for doc in each if doc["id"] == kind]
    at: datetime = min(time for time in times if time is not None)
    stub.clock.offset = max(at, stub.clock.now()) - stub.clock.start
    return at


def add_probe(stub: StubServer, at: datetime, done: list[str]) -> None:
    """Let something else be due at a time: it notes that it was done."""
    probe = timetable.Entry("zz probe", timedelta(days=10_000))
    for company in (COMPANY, "tenant_globex"):
        stub.collection(company, timetable.KIND).put(Document(id=probe.name, due_at=at, last_run=at))
    recurring = {**stub.timetable.recurring, probe: lambda call: done.append(call.operation)}
    stub.timetable = replace(stub.timetable, recurring=recurring)
