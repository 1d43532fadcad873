"""Jobs: what they are called, whether they can be stopped, and the file that has all their errors."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from stub_data import some

from crm_sdk.models import EntityRef
from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.data.document import Document
from server_stub.jobs import PACE
from server_stub.problems import Problem
from server_stub.serving import Context


def file_rows(stub: StubServer, id: str | None) -> list[dict[str, str]]:
    """Return the rows of a CSV file that the stub made."""
    file = stub.store.collection("tenant_acme", "file").get(str(id))
    assert file is not None and file["content_type"] == "text/csv" and file["url"] == f"/v1/files/{id}/download"
    content = stub.contents.read(file["checksum"])
    assert file["size"] == len(content)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_an_import_lists_a_thousand_errors_and_keeps_all_in_a_file(stub: StubServer, client: Any, call: Any) -> None:
    crm, rows = client(), [f"Nobody {n},no-address-{n}" for n in range(1_005)]
    job = call(crm.contacts.imports.create(("people.csv", "\n".join(["name,email", *rows]).encode())))
    assert (job.title, job.entity, job.cancellable, job.file_id) == ("Import of people.csv", None, True, None)
    call(job.wait())
    done = call(crm.contacts.imports.get(job.id))
    assert (done.cancellable, len(done.errors), done.errors_truncated) == (False, 1_000, True)
    found = file_rows(stub, done.file_id)
    assert list(found[0]) == ["row", "field", "code", "message", "value"]
    assert [row["value"] for row in found] == [f"no-address-{n}" for n in range(1_005)]
    first = {"row": "1", "field": "email", "code": "VALIDATION_ERROR", "value": "no-address-0"}
    assert found[0] == first | {"message": done.errors[0].message}
    assert not stub.store.collection("tenant_acme", "job_errors").all(), "nothing is left beside a job that has ended"


def test_a_job_without_errors_has_no_file(stub: StubServer, client: Any, call: Any) -> None:
    crm = client()
    job = call(crm.contacts.imports.create(("people.csv", b"name,email\nAda,ada@new.example\n")))
    call(job.wait())
    done = call(crm.contacts.imports.get(job.id))
    assert (done.errors, done.errors_truncated, done.file_id) == ([], False, None)


def test_an_error_that_looks_like_a_formula_is_a_text_in_the_file(stub: StubServer, client: Any, call: Any) -> None:
    crm = client()
    job = call(crm.contacts.imports.create(("people.csv", b"name,email\nAda,=1+1\n")))
    call(job.wait())
    assert file_rows(stub, call(crm.contacts.imports.get(job.id)).file_id)[0]["value"] == "'=1+1"


def test_a_job_that_fails_keeps_the_errors_it_had(stub: StubServer, client: Any, call: Any) -> None:
    crm, step = client(), stub.steps["enrichment"]
    stub.steps = {**stub.steps, "enrichment": lambda running, job: {**step(running, job), "status": "failed"}}
    job = call(crm.leads.enrich(["lead_gone"]))
    assert job.title == "Enrichment of 1 lead"
    stub.clock.advance(5)
    done = call(crm.ai_insights.enrich.get(job.id))
    assert (done.status, [error.code for error in done.errors]) == ("failed", ["NOT_FOUND"])
    assert [row["value"] for row in file_rows(stub, done.file_id)] == ["lead_gone"]


def test_a_file_that_a_job_made_is_the_jobs(stub: StubServer, client: Any, call: Any) -> None:
    crm, step = client(), stub.steps["enrichment"]
    stub.steps = {**stub.steps, "enrichment": lambda running, job: {**step(running, job), "file_id": "file_made"}}
    job = call(crm.leads.enrich(["lead_gone"]))
    call(job.wait())
    assert call(crm.ai_insights.enrich.get(job.id)).file_id == "file_made"
    assert not stub.store.collection("tenant_acme", "job_errors").all()


def test_a_step_is_carried_out_at_its_very_time(stub: StubServer) -> None:
    job = stub.client(dialects="platform").leads.enrich(["lead_123"])

    def state() -> Document:
        return some(stub.store.collection("tenant_acme", "job").get(job.id))

    due = state()["due_at"]
    stub.clock.advance((due - stub.clock.now()).total_seconds() - 0.001)
    assert (state()["status"], state()["started_at"]) == ("queued", None)
    stub.clock.advance(0.001)
    assert stub.clock.now() == due
    assert (state()["status"], state()["started_at"], state()["finished_at"]) == ("succeeded", due, due)


def one_more(call: Context, job: Document) -> dict[str, Any]:
    """Do one of what a job has to do; a job of four is refused the third."""
    done = job["counts"]["processed"] + 1
    if (done, job["counts"]["total"]) == (3, 4):
        raise Problem("LIMIT_EXCEEDED", "too much", field="ids.2", details={"most": 2})
    ended = {"status": "succeeded"} if done == job["counts"]["total"] else {}
    return {"counts": job["counts"] | {"processed": done}, **ended}


def steps_of(stub: StubServer, count: int) -> list[Document]:
    """Return a job as it is after each of its steps, the first before any."""
    stub.steps = {**stub.steps, "enrichment": one_more}
    job = stub.client(dialects="platform").leads.enrich([f"lead_{n}" for n in range(count)])
    states = [some(stub.store.collection("tenant_acme", "job").get(job.id))]
    while states[-1]["status"] in ("queued", "running"):
        stub.clock.advance((states[-1]["due_at"] - stub.clock.now()).total_seconds())
        states.append(some(stub.store.collection("tenant_acme", "job").get(job.id)))
    return states


def test_each_step_moves_a_job_on(stub: StubServer) -> None:
    states = steps_of(stub, 3)
    first, times = states[0]["due_at"], [state["updated_at"] for state in states]
    assert [state["status"] for state in states] == ["queued", "running", "running", "succeeded"]
    assert [state["progress"] for state in states] == [0, 0.3333, 0.6667, 1]
    assert [state["version"] for state in states] == [1, 2, 3, 4]
    assert [state["started_at"] for state in states] == [None, first, first, first]
    assert [state["finished_at"] for state in states] == [None, None, None, times[-1]]
    assert [state["cancellable"] for state in states] == [True, True, True, False]
    assert times == [states[0]["created_at"], first, first + PACE, first + 2 * PACE]


def test_a_step_that_is_refused_ends_a_job_where_it_was(stub: StubServer) -> None:
    *_, before, failed = steps_of(stub, 4)
    assert (failed["status"], failed["progress"], failed["counts"]) == ("failed", 0.5, before["counts"])
    assert failed["error"] == {
        "code": "LIMIT_EXCEEDED", "message": "too much", "field": "ids.2", "details": {"most": 2},
    }  # fmt: skip
    assert (failed["version"], failed["started_at"]) == (before["version"] + 1, before["started_at"])
    assert failed["finished_at"] == before["due_at"] and not failed["cancellable"]
    stub.clock.advance(3600)
    assert stub.store.collection("tenant_acme", "job").get(failed["id"]) == failed, "it is not tried again"


def test_a_rule_at_work_is_about_its_deal(stub: StubServer) -> None:
    crm = stub.client()
    pipeline = crm.pipelines.list().items[0].id
    crm.pipelines.automation.create(
        pipeline,
        {"name": "Cheer", "trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "won"}]},
    )
    deal = next(deal for deal in crm.deals.list() if deal.stage == "negotiation")
    crm.deals.update(deal.id, {"stage": "closed-won"})
    (run,) = [doc for doc in stub.store.collection("tenant_acme", "execution").all() if doc["status"] == "queued"]
    assert EntityRef.model_validate(run["entity"]).id == deal.id
    assert (run["source"], run["entity"]["name"]) == ("pipeline_rule", deal.title)
    assert crm.workflows.executions.get(run["id"]).status == "succeeded"


@pytest.fixture
def client(stub: StubServer, mode: str) -> Any:
    """Return what makes a client in the mode of this run."""
    return lambda: (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)


def test_a_document_of_a_job_survives_a_restart(tmp_path: Any) -> None:
    path = str(tmp_path / "state.db")
    rows = "\n".join(["name,email", *(f"Nobody {n},no-address" for n in range(60))]).encode()
    with StubServer(db=path) as stub:
        job = stub.client(dialects="platform").contacts.imports.create(("people.csv", rows))
        stub.clock.advance(0.3)
        kept = stub.store.collection("tenant_acme", "job_errors").get(job.id)
        assert isinstance(kept, Document) and len(kept["errors"]) == 50
    with StubServer(db=path) as stub:
        stub.clock.advance(5)
        done = stub.client(dialects="platform").contacts.imports.get(job.id)
        assert len(file_rows(stub, done.file_id)) == 60


def test_a_job_of_an_app_may_do_what_the_app_may_also_after_a_restart(tmp_path: Path) -> None:
    """What a token was granted is kept with the job, in the state file too."""
    path = str(tmp_path / "state.db")
    with StubServer(db=path) as stub:
        tokens = stub.store.collection("tenant_acme", "app_token")
        (token,) = [one for one in tokens if one["app_id"] == "app_ledgerline_invoices"]
        tokens.put(token | {"permissions": ["contacts:create", "contacts:update", "contacts:import", "contacts:read"]})
        app = stub.client(api_key="acme-ledgerline", dialects="platform", max_retries=0)
        job = app.contacts.imports.create(("people.csv", b"name,email\nAda,ada@byron.example\n"))
    with StubServer(db=path) as stub:
        (kept,) = [one for one in stub.store.collection("tenant_acme", "job") if one["id"] == job.id]
        caller = Caller.of(kept["caller"])
        assert caller.granted is not None and "contacts:create" in caller.granted and caller.auth == "app"
        stub.clock.advance(60)
        assert stub.client(dialects="platform").contacts.imports.get(job.id).status == "succeeded"
        assert stub.client(dialects="platform").contacts.list(search="ada@byron.example").total == 1
