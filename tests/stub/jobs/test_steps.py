"""Jobs, step by step: what is stored of one, how its steps end, what is told and kept of errors, and who sees them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from stub_data import some

from server_stub import StubServer, jobs
from server_stub.caller import Caller
from server_stub.data.document import Document
from server_stub.problems import Problem
from server_stub.serving import Context

TENANT = "tenant_acme"


@pytest.fixture
def stub(restored: StubServer) -> Iterator[StubServer]:
    steps = restored.steps
    yield restored
    restored.steps = steps


@pytest.fixture
def call(stub: StubServer) -> Context:
    return as_user(stub, "user_ada")


def as_user(stub: StubServer, id: str, **members: Any) -> Context:
    caller = Caller(TENANT, id, id, "admin", "Somebody", **members)
    return Context(
        stub, caller, stub.clock.now(), dialect="platform", operation="leads.list", request_id="req_1",
        source={"dialect": "platform"}, reason="why",
    )  # fmt: skip


def started(call: Context, total: int = 2, **members: Any) -> Document:
    usual: dict[str, Any] = {"title": "Some work", "status_url": None}
    return jobs.start(call, "work", {"of": 1}, total=total, **{**usual, **members})


def job(stub: StubServer, id: str) -> Document:
    return some(stub.store.collection(TENANT, "job").get(id))


def stepped(stub: StubServer, id: str, step: Callable[[Context, Document], Any] | None = None) -> Document:
    """Carry out the next step of a job."""
    if step is not None:
        stub.steps = {**stub.steps, "work": step}
    stub.clock.advance((job(stub, id)["due_at"] - stub.clock.now()).total_seconds())
    return job(stub, id)


def told(stub: StubServer, id: str) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == id]


NOTHING = dict.fromkeys(("processed", "succeeded", "failed", "skipped", "created", "updated", "deleted"), 0)


def test_what_is_stored_of_a_job(stub: StubServer, call: Context) -> None:
    one = started(call, 5, status_url="/work/{id}", entity={"type": "lead", "id": "lead_1"})
    now = call.now
    assert one == {
        "id": one["id"], "kind": "work", "title": "Some work", "entity": {"type": "lead", "id": "lead_1"},
        "cancellable": True, "created_at": now, "updated_at": now, "created_by": "user_ada", "version": 1,
        "status": "queued", "progress": 0.0, "started_at": None, "finished_at": None, "error": None,
        "counts": {"total": 5, **NOTHING}, "errors": [], "errors_truncated": False, "file_id": None, "result": None,
        "status_url": f"/work/{one['id']}", "payload": {"of": 1}, "caller": call.caller.as_stored(),
        "due_at": now + jobs.PACE, "source": {"dialect": "platform"}, "reason": "why",
    }  # fmt: skip
    assert one["id"].startswith("job_") and job(stub, one["id"]) == one
    bare = started(call, cancellable=False)
    assert (bare["entity"], bare["status_url"], bare["cancellable"]) == (None, None, False)
    ended = jobs.finish(call, one, {"made": 3}, processed=5, created=3)
    assert ended["counts"] == {"total": 5, **NOTHING, "processed": 5, "created": 3}
    assert (ended["status"], ended["progress"], ended["result"], ended["cancellable"]) == (
        "succeeded", 1.0, {"made": 3}, False,
    )  # fmt: skip
    assert ended["started_at"] == ended["finished_at"] == now and job(stub, one["id"]) == ended


def test_a_job_that_is_stopped_keeps_what_it_did(stub: StubServer, call: Context) -> None:
    one = started(call, 4)
    error = {"row": 1, "field": "name", "code": "C", "message": "M", "value": "V"}
    half = stepped(stub, one["id"], lambda call, job: {
        "counts": job["counts"] | {"processed": 1}, "new_errors": [error],
    })  # fmt: skip
    assert (half["progress"], half["status"], half["file_id"], half["errors"]) == (0.25, "running", None, [error])
    later = as_user(stub, "user_ada")
    stopped = jobs.cancel(later, half)
    assert (stopped["status"], stopped["progress"], stopped["version"]) == ("cancelled", 0.25, half["version"] + 1)
    assert stopped["updated_at"] == stopped["finished_at"] == later.now and not stopped["cancellable"]
    assert stopped["file_id"] is not None and stopped["errors"] == [error]
    stub.clock.advance(60)
    assert job(stub, one["id"]) == stopped and told(stub, one["id"]) == []


def test_a_step_acts_as_whoever_started_the_job_and_at_its_time(stub: StubServer, call: Context) -> None:
    seen: list[Any] = []

    def step(acting: Context, job: Document) -> dict[str, Any]:
        seen.extend([acting.caller, acting.now, acting.operation, acting.request_id, acting.reason, acting.dialect])
        seen.extend([dict(acting.source), job["status"], job["started_at"], job["version"]])
        return {"status": "succeeded"}

    one = started(call, 0)
    done = stepped(stub, one["id"], step)
    at = one["due_at"]
    assert seen == [call.caller, at, "job:work", one["id"], "why", "system", {"dialect": "platform"}, "running", at, 2]
    assert (done["version"], done["started_at"], done["finished_at"], done["progress"]) == (2, at, at, 1.0)
    assert told(stub, one["id"]) == ["job.completed"]
    (entry,) = [entry for entry in stub.audit() if entry["entity"]["id"] == one["id"]]
    assert (entry["entity"], entry["metadata"]) == (
        {"type": "job", "id": one["id"], "name": "Some work"}, {"kind": "work"},
    )  # fmt: skip


def test_without_a_total_a_job_says_itself_how_far_it_is(stub: StubServer, call: Context) -> None:
    one = started(call, 0)
    half = stepped(stub, one["id"], lambda call, job: {"progress": 0.5})
    assert (half["status"], half["progress"]) == ("running", 0.5)
    third = stepped(stub, one["id"], lambda call, job: {"counts": job["counts"] | {"total": 3, "processed": 1}})
    assert third["progress"] == 0.3333 and third["due_at"] == one["due_at"] + 2 * jobs.PACE
    failed = stepped(stub, one["id"], lambda call, job: {"status": "failed"})
    assert (failed["progress"], told(stub, one["id"])) == (0.3333, ["job.failed"])


def refused(call: Context, job: Document) -> Any:
    call.collection("lead").put(Document(id="lead_made", version=1))
    raise Problem("LIMIT_EXCEEDED", "too much", field="a", details={"most": 1})


def mistaken(call: Context, job: Document) -> Any:
    call.collection("lead").put(Document(id="lead_made", version=1))
    raise KeyError("on purpose")


@pytest.mark.parametrize("step", [refused, mistaken])
def test_a_step_that_fails_is_undone_and_ends_its_job_alone(
    stub: StubServer, call: Context, failures: list[logging.LogRecord], step: Any
) -> None:
    one, other = started(call), jobs.start(call, "other", {}, title="T", total=0, status_url=None)
    stub.steps = {**stub.steps, "other": lambda call, job: {"status": "succeeded"}}
    failed = stepped(stub, one["id"], step)
    problem = step is refused
    assert failed["error"] == {
        "code": "LIMIT_EXCEEDED" if problem else "INTERNAL_ERROR", "field": "a" if problem else None,
        "message": "too much" if problem else "the step raised KeyError; the log has more",
        "details": {"most": 1} if problem else {},
    }  # fmt: skip
    assert (failed["status"], failed["version"], failed["finished_at"]) == ("failed", 2, one["due_at"])
    assert "lead_made" not in stub.store.collection(TENANT, "lead")
    assert told(stub, one["id"]) == ["job.failed"]
    assert [record.getMessage() for record in failures] == ([] if problem else [f"the job {one['id']} (work) failed"])
    failures.clear()
    stub.clock.advance(5)
    assert job(stub, other["id"])["status"] == "succeeded"


def test_a_failure_that_cannot_be_told_is_one_nevertheless(
    stub: StubServer, call: Context, failures: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def react(call: Context, entry: Document) -> None:
        raise KeyError("on purpose")

    monkeypatch.setattr(stub, "reactions", {**stub.reactions, "job.failed": [react]})
    one = started(call)
    failed = stepped(stub, one["id"], refused)
    assert (failed["status"], failed["error"]["code"], told(stub, one["id"])) == ("failed", "LIMIT_EXCEEDED", [])
    assert [record.getMessage() for record in failures] == [f"the end of the job {one['id']} (work) was not told"]
    failures.clear()


def test_what_a_failed_job_was_to_make_ends_with_it(stub: StubServer, call: Context) -> None:
    made = call.create("prediction", "prediction_", {"status": "running"})
    payload = {"made_id": made["id"]}
    failed = jobs.start(call, "work", payload, title="T", total=1, status_url=None) | {"error": {"code": "C"}}
    call.collection("job").put(failed)
    entry = {"entity": {"id": failed["id"]}}
    assert jobs.job_of(call, entry) == failed
    assert jobs.job_of(call, {"entity": {"id": "job_none"}}) == {"kind": None, "payload": {}}
    jobs.fail_record(call, entry, "other_work", "prediction", "made_id")
    jobs.fail_record(call, {"entity": {"id": "job_none"}}, "work", "prediction", "made_id")
    assert call.collection("prediction").get(made["id"]) == made
    jobs.fail_record(call, entry, "work", "prediction", "made_id")
    after = some(call.collection("prediction").get(made["id"]))
    assert (after["status"], after["error"], after["finished_at"], after["version"]) == (
        "failed", {"code": "C"}, call.now, 2,
    )  # fmt: skip
    call.collection("prediction").remove(made["id"])
    jobs.fail_record(call, entry, "work", "prediction", "made_id")


@pytest.mark.parametrize(("first", "second", "truncated"), [(1_000, 0, False), (600, 400, False), (600, 401, True)])
def test_a_job_shows_its_first_thousand_errors(
    stub: StubServer, call: Context, first: int, second: int, truncated: bool
) -> None:
    def errors(start: int, count: int) -> list[dict[str, Any]]:
        return [
            {"row": row, "field": None, "code": "C", "message": "=M", "value": None}
            for row in range(start, start + count)
        ]

    one = started(call)
    stepped(stub, one["id"], lambda call, job: {"new_errors": errors(0, first)})
    done = stepped(stub, one["id"], lambda call, job: {"new_errors": errors(first, second), "status": "succeeded"})
    assert [error["row"] for error in done["errors"]] == list(range(min(first + second, 1_000)))
    assert done["errors_truncated"] is truncated
    file = some(stub.store.collection(TENANT, "file").get(done["file_id"]))
    lines = stub.contents.read(file["checksum"]).decode("utf-8-sig").splitlines()
    assert lines[0] == "row,field,code,message,value" and len(lines) == first + second + 1
    assert lines[-1] == f"{first + second - 1},,C,'=M," and file["name"] == f"{one['id']}-errors.csv"
    assert one["id"] not in stub.store.collection(TENANT, "job_errors")


def test_a_job_that_made_a_file_has_none_of_errors(stub: StubServer, call: Context) -> None:
    one = started(call)
    error = {"row": 1, "field": None, "code": "C", "message": "M", "value": None}
    files = len(stub.store.collection(TENANT, "file"))
    done = stepped(stub, one["id"], lambda call, job: {
        "new_errors": [error], "status": "succeeded", "file_id": "file_1",
    })  # fmt: skip
    assert (done["file_id"], done["errors"]) == ("file_1", [error])
    assert len(stub.store.collection(TENANT, "file")) == files
    assert one["id"] not in stub.store.collection(TENANT, "job_errors")


def test_who_sees_which_errors(stub: StubServer) -> None:
    """What is hidden from the caller is hidden in the errors of others' jobs too, by the entity these are about."""
    errors = [
        {"row": row, "field": field, "value": "v", "message": "m"} for row, field in enumerate(("email", "name", None))
    ]
    blind = as_user(stub, "user_sam", hidden=frozenset({"contact.email"}))
    hidden: dict[str, Any] = {"field": None, "value": None, "message": "the error is about what is hidden from you"}
    less, whole = [errors[0] | hidden, *errors[1:]], errors
    for members, found in (
        ({"kind": "contact_import"}, less),
        ({"kind": "work", "payload": {"entity": "contact"}}, less),
        ({"kind": "work", "payload": {"entity": "lead"}}, whole),
        ({"kind": "contact_import", "payload": {"entity": "lead"}}, whole),
        ({"kind": "work", "payload": {"entity": {"type": "contact"}}}, whole),
        ({"kind": "work", "payload": None}, whole),
        ({"kind": "contact_import", "created_by": "user_sam"}, whole),
    ):
        one = {"created_by": "user_ada", "errors": errors, **members}
        assert jobs.errors_seen(blind, one) == found, members
        assert jobs.errors_seen(as_user(stub, "user_ada"), one) == whole


def test_nothing_is_looked_for_until_it_is_due_or_something_is_written(stub: StubServer, call: Context) -> None:
    stub.clock.advance(0)
    rest = some(stub.rest)
    jobs.run_due(stub)
    assert stub.rest is rest, "nothing was written and nothing is due"
    one = started(call)
    jobs.run_due(stub)
    again = some(stub.rest)
    assert again is not rest and again.until <= one["due_at"]
    stub.steps = {**stub.steps, "work": lambda call, job: {"status": "succeeded"}}
    stub.clock.advance((one["due_at"] - stub.clock.now()).total_seconds() - 0.001)
    assert job(stub, one["id"])["status"] == "queued"
    stub.clock.advance(0.001)
    assert job(stub, one["id"])["status"] == "succeeded"


def test_where_nothing_is_due_nothing_is_looked_for_again() -> None:
    with StubServer(demo=False) as stub:
        jobs.run_due(stub)
        assert some(stub.rest).until == datetime.max.replace(tzinfo=UTC)
        stub.clock.advance(86_400)
        assert some(stub.rest).until == datetime.max.replace(tzinfo=UTC)
