"""Runs: where they can start, how they are paused, fail, go on and end, and their history."""

from __future__ import annotations

import logging

import pytest
from refusals import refused
from stub_data import stored
from sync_cases import BOB, Crm, refusal

from crm_sdk import ConflictError, JobFailedError, NotFoundError
from crm_sdk.errors import ApiError
from server_stub import StubServer


def test_a_run_is_started_where_it_can_be(crm: Crm) -> None:
    sync = crm.client.integrations.sync
    assert sync.status(crm.id).state == "idle" and sync.history(crm.id).items == []
    with pytest.raises(ConflictError) as caught:
        sync.start(crm.id)
    assert refusal(caught) == "NO_MAPPINGS"
    mapping = crm.map("email", direction="inbound")
    for options in ({"direction": "outbound"}, {"entity_types": ["deal"]}):
        with pytest.raises(ConflictError) as caught:
            sync.start(crm.id, **options)
        assert refusal(caught) == "NO_MAPPINGS"
    crm.client.integrations.mappings.update(crm.id, mapping.id, {"active": False})
    with pytest.raises(ConflictError):
        sync.start(crm.id)
    crm.client.integrations.mappings.update(crm.id, mapping.id, {"active": True})
    run = sync.start(crm.id, mode="full")
    assert (run.status, run.mode, run.trigger, run.direction, run.entity_types, run.progress) == (
        "queued", "full", "manual", "bidirectional", ["contact"], 0,
    )  # fmt: skip
    with pytest.raises(ConflictError) as caught:
        sync.start(crm.id)
    assert refusal(caught) == "SYNC_IN_PROGRESS"
    status = sync.status(crm.id)
    assert status.state == "queued" and status.current is not None and status.last is None
    assert status.current.model_dump() == run.model_dump()
    crm.ended(run.id)
    assert sync.status(crm.id).state == "idle" and sync.status(crm.id).current is None
    assert [deed.partition("_")[2] for deed in crm.deeds() if ".sync_" in deed] == ["started", "completed"]
    after = crm.client.integrations.get(crm.id)
    assert after.last_sync is not None and after.last_sync >= run.created_at  # type: ignore[operator] # a run has it


def _many(crm: Crm, count: int = 120) -> None:
    crm.map("name", "email")
    for number in range(count):
        crm.remote.put("contact", {"name": f"N {number}", "email": f"n{number}@x.example"})


def test_a_run_is_paused_and_goes_on_where_it_was(crm: Crm) -> None:
    _many(crm)
    sync = crm.client.integrations.sync
    with pytest.raises(ConflictError) as caught:
        sync.pause(crm.id)
    assert refusal(caught) == "SYNC_NOT_RUNNING"
    run = sync.start(crm.id)
    crm.stub.clock.advance(0.2)
    paused = sync.pause(crm.id)
    assert paused.status == "paused" and paused.paused_by == "apikey_acme_admin" and paused.paused_at is not None
    assert paused.counts is not None and paused.counts.processed == 50 and paused.progress == 0.4167
    assert paused.cursor == f"50/contact/remote/{crm.remote.all('contact')[49]['id']}"
    told = crm.entry("integration.sync_paused")["metadata"]
    assert told == {"run_id": run.id, "cursor": paused.cursor}
    crm.later()
    status = sync.status(crm.id)
    assert status.state == "paused" and status.current is not None
    assert (status.current.id, status.current.version) == (run.id, paused.version), "no time moves it"
    assert len(crm.client.contacts.list().items) == 50
    for forbidden, code in (
        (lambda: sync.start(crm.id), "SYNC_IN_PROGRESS"),
        (lambda: sync.pause(crm.id), "SYNC_NOT_RUNNING"),
        (lambda: crm.client.integrations.update(crm.id, {"direction": "inbound"}), "SYNC_IN_PROGRESS"),
        (lambda: crm.client.integrations.update(crm.id, {"entity_types": ["deal"]}), "SYNC_IN_PROGRESS"),
    ):
        with pytest.raises(ConflictError) as caught:
            forbidden()
        assert refusal(caught) == code
    assert crm.client.integrations.update(crm.id, {"direction": "bidirectional", "category": "x"}).category == "x"
    stored(crm.stub, "integration", crm.id, status="error")
    error = refused(lambda: sync.resume(crm.id))
    assert (error.status, error.code, error.message) == (409, "INTEGRATION_NOT_CONNECTED", "Partner is not connected")
    stored(crm.stub, "integration", crm.id, status="connected")
    resumed = sync.resume(crm.id)
    assert (resumed.status, resumed.paused_at, resumed.cursor) == ("running", None, paused.cursor)
    done = crm.ended(run.id)
    assert done.status == "succeeded" and done.counts is not None and done.counts.created == 120
    assert len({contact.email for contact in crm.client.contacts.list(limit=200)}) == 120
    with pytest.raises(ConflictError) as caught:
        sync.resume(crm.id)
    assert refusal(caught) == "SYNC_NOT_PAUSED"
    assert [deed.partition("_")[2] for deed in crm.deeds() if ".sync_" in deed] == [
        "started", "paused", "resumed", "completed",
    ]  # fmt: skip
    assert crm.entry("integration.sync_resumed")["metadata"] == told


def test_a_run_is_of_the_kinds_that_are_asked_for_or_those_of_its_integration(crm: Crm) -> None:
    crm.map("name", "email")
    crm.map("name>title", entity_type="deal")
    crm.remote.put("contact", BOB)
    crm.remote.put("deal", {"name": "Engine"})
    crm.client.integrations.update(crm.id, {"entity_types": ["lead"]})
    with pytest.raises(ConflictError) as caught:
        crm.client.integrations.sync.start(crm.id)
    assert refusal(caught) == "NO_MAPPINGS"
    assert caught.value.message == "Partner has no active mapping for what is to be synchronised"
    run = crm.sync(entity_types=["deal"])
    assert (run.entity_types, run.counts and run.counts.created) == (["deal"], 1)
    begun = crm.entry("integration.sync_started")["metadata"]
    assert begun == {"run_id": run.id, "mode": "incremental", "trigger": "manual"}
    run = crm.sync(entity_types=[], mode="full")
    assert (run.entity_types, run.counts and run.counts.created, run.counts and run.counts.skipped) == (
        ["contact", "deal"], 1, 1,
    )  # fmt: skip
    crm.client.integrations.update(crm.id, {"entity_types": ["deal", "contact"]})
    assert crm.sync().entity_types == ["contact", "deal"]


def test_a_run_shows_the_first_of_many_errors(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.services.integrations.syncing._KEPT", 2)
    monkeypatch.setattr("server_stub.services.integrations.syncing._A_STEP", 2)
    crm.map("email")
    bad = [crm.remote.put("contact", {"email": f"{number}@x.example"})["id"] for number in range(3)]
    run = crm.sync()
    assert (run.status, run.counts and run.counts.failed) == ("succeeded", 3)
    assert [(error.row, error.field, error.code, error.value) for error in run.errors] == [
        (1, "name", "VALIDATION_ERROR", bad[0]), (2, "name", "VALIDATION_ERROR", bad[1]),
    ]  # fmt: skip
    (job,) = [doc for doc in crm.stub.store.collection("tenant_acme", "job").all()
              if doc["payload"].get("run_id") == run.id]  # fmt: skip
    assert [error["value"] for error in job["errors"]] == bad[:2]
    assert (job["title"], job["status_url"]) == (
        "Synchronisation with Partner", f"/integrations/{crm.id}/sync-status",
    )  # fmt: skip
    assert job["entity"] == {"type": "integration", "id": crm.id, "name": "Partner"}


def test_a_run_keeps_the_mappings_it_began_with(crm: Crm) -> None:
    _many(crm, 60)
    run = crm.client.integrations.sync.start(crm.id)
    crm.map("name>title")
    for mapping in crm.client.integrations.mappings.list(crm.id):
        if mapping.target_field == "email":
            crm.client.integrations.mappings.delete(crm.id, mapping.id)
    crm.ended(run.id)
    assert all(contact.email and not contact.title for contact in crm.client.contacts.list())
    crm.client.integrations.sync.start(crm.id)
    crm.later(60)
    assert all(contact.title == contact.name for contact in crm.client.contacts.list())


def test_a_run_that_fails_half_way_is_continued_without_loss_or_duplicates(crm: Crm) -> None:
    _many(crm)
    crm.remote.lose_connection(after=70)
    run = crm.sync()
    assert run.status == "failed" and run.error is not None and run.error.code == "CONNECTION_REFUSED"
    assert run.counts is not None and (run.counts.processed, run.counts.created) == (70, 70)
    status = crm.client.integrations.sync.status(crm.id)
    assert status.state == "error" and crm.client.integrations.get(crm.id).status == "error"
    error = crm.client.integrations.get(crm.id).last_error
    assert error is not None and error.message == "demo_crm does not answer"
    told = crm.entry("integration.error")
    assert told["metadata"]["run_id"] == run.id and told["metadata"]["code"] == "CONNECTION_REFUSED"
    with pytest.raises(ConflictError) as caught:
        crm.client.integrations.sync.start(crm.id)
    assert refusal(caught) == "INTEGRATION_NOT_CONNECTED"
    assert crm.client.integrations.test(crm.id).ok is False
    crm.remote.restore_connection()
    assert crm.client.integrations.test(crm.id).ok is True
    assert crm.counts() == {"total": 50, "created": 50}
    assert len({contact.email for contact in crm.client.contacts.list(limit=200)}) == 120
    assert [found.status for found in crm.client.integrations.sync.history(crm.id)] == ["succeeded", "failed"]
    assert crm.client.integrations.get(crm.id).last_error is None


def test_a_run_that_fails_says_so_to_who_waits(crm: Crm) -> None:
    _many(crm)
    crm.remote.lose_connection(after=10)
    looks: list[str] = []
    run = crm.client.integrations.sync.start(crm.id)
    with pytest.raises(JobFailedError, match="demo_crm does not answer") as caught:
        run.wait(on_progress=lambda one: looks.append(one.status))
    assert caught.value.code == "CONNECTION_REFUSED" and looks[0] == "queued" and looks[-1] == "failed"


def test_a_mistake_in_a_rule_ends_the_run(
    crm: Crm, monkeypatch: pytest.MonkeyPatch, failures: list[logging.LogRecord]
) -> None:
    from server_stub.services.integrations import pairs

    def broken(self: object, id: str) -> None:
        raise ZeroDivisionError

    crm.map("email")
    crm.remote.put("contact", BOB)
    monkeypatch.setattr(pairs.Pairing, "take", broken)
    run = crm.sync()
    assert run.status == "failed" and run.error is not None and run.error.code == "INTERNAL_ERROR"
    assert crm.client.integrations.get(crm.id).status == "connected"
    failures.clear()


def test_nothing_outlives_an_integration_but_what_it_has_brought(crm: Crm) -> None:
    _many(crm)
    run = crm.client.integrations.sync.start(crm.id)
    crm.stub.clock.advance(0.2)
    crm.client.integrations.delete(crm.id)
    crm.later()
    kept = crm.stub.store.collection("tenant_acme", "sync_run").get(run.id)
    assert kept is not None and kept["status"] == "cancelled" and kept["finished_at"] is not None
    assert len(crm.client.contacts.list().items) == 50
    assert crm.stub.store.collection("tenant_acme", "sync_link").find("integration_id", crm.id) == []
    for call in (crm.client.integrations.sync.status, crm.client.integrations.sync.start):
        with pytest.raises(NotFoundError):
            call(crm.id)
    again = Crm(crm.stub)
    again.map("name", "email")
    assert again.counts() == {"total": 120, "created": 70, "skipped": 50}, "who was brought is known by the address"


def test_the_job_of_a_cancelled_run_ends_with_it(crm: Crm) -> None:
    _many(crm)
    run = crm.client.integrations.sync.start(crm.id)
    crm.stub.clock.advance(0.2)
    (job,) = crm.stub.store.collection("tenant_acme", "job").find("status", "running")
    crm.client.integrations.delete(crm.id)
    kept = crm.stub.store.collection("tenant_acme", "job").get(job["id"])
    ended = crm.stub.store.collection("tenant_acme", "sync_run").get(run.id)
    assert kept is not None and ended is not None and kept["id"] == ended["job_id"]
    assert (kept["status"], kept["cancellable"], kept["version"]) == ("cancelled", False, job["version"] + 1)
    assert kept["finished_at"] == ended["finished_at"] == kept["updated_at"]


def test_a_run_ends_with_its_job_that_is_stopped(crm: Crm) -> None:
    _many(crm)
    jobs, runs = (crm.stub.store.collection("tenant_acme", kind) for kind in ("job", "sync_run"))
    for seconds in (0.0, 0.2):
        run = crm.client.integrations.sync.start(crm.id)
        crm.stub.clock.advance(seconds)
        (job,) = (doc for doc in jobs.all() if doc["payload"].get("run_id") == run.id)
        assert crm.client.jobs.cancel(job["id"]).status == "cancelled"
        kept, ended = jobs.get(job["id"]), runs.get(run.id)
        assert kept is not None and ended is not None
        assert (kept["status"], kept["version"]) == ("cancelled", job["version"] + 1)
        assert (ended["status"], ended["finished_at"]) == ("cancelled", kept["finished_at"])
        status = crm.client.integrations.sync.status(crm.id)
        assert status.current is None and status.last is not None and status.last.id == run.id
    assert crm.sync().status == "succeeded"


def test_the_history_is_filtered_and_paged(crm: Crm) -> None:
    crm.map("email", direction="inbound")
    first, second = crm.sync(), crm.sync(mode="full")
    history = crm.client.integrations.sync.history
    assert [run.id for run in history(crm.id)] == [second.id, first.id]
    assert [run.id for run in history(crm.id, limit=1, page=2).items] == [first.id]
    assert [run.id for run in history(crm.id, order="asc", sort="created_at")] == [first.id, second.id]
    for options, count in (
        ({"status": "succeeded"}, 2), ({"status": "failed"}, 0), ({"trigger": "manual"}, 2),
        ({"trigger": "scheduled"}, 0), ({"since": second.created_at}, 1), ({"until": second.created_at}, 1),
        ({"since": second.created_at, "until": second.created_at}, 0),
    ):  # fmt: skip
        assert history(crm.id, **options).total == count, options


def test_the_right_to_write_a_record_is_that_of_who_starts_the_run(crm: Crm) -> None:
    """Only administrators start runs; what runs write is written in their name."""
    crm.map("name", "email")
    crm.remote.put("contact", BOB)
    crm.counts()
    contact = crm.contact(name="Bob")
    assert contact.created_by == "apikey_acme_admin" and crm.deeds(contact.id) == ["contact.created"]
    assert crm.entry("contact.created")["metadata"] == {"integration_id": crm.id}
    sales = crm.stub.client(api_key="acme-sales")
    assert sales.integrations.sync.status(crm.id).state == "idle"
    for call in (sales.integrations.sync.start, sales.integrations.sync.pause, sales.integrations.sync.resume):
        with pytest.raises(ApiError) as caught:
            call(crm.id)
        assert refusal(caught) == "FORBIDDEN"


def test_companies_have_systems_of_their_own(crm: Crm) -> None:
    crm.map("name", "email")
    crm.stub.remotes.of("tenant_globex")["demo_crm"].put("contact", BOB)
    assert crm.counts() == {} and crm.client.contacts.list().items == []


@pytest.mark.parametrize("provider", ["salesforce", "pipedrive"])
def test_the_demo_data_tell_what_a_run_finds(stub: StubServer, provider: str) -> None:
    client, id = stub.client(), f"integration_{provider}"
    runs = client.integrations.sync.history(id).items
    assert len(runs) >= 3 and client.integrations.get(id).last_sync == runs[0].finished_at
    assert all(run.counts is not None and run.counts.processed <= run.counts.total for run in runs)
    for mode, names in (("incremental", set()), ("full", {"total", "processed", "skipped"})):
        client.integrations.sync.start(id, mode=mode)
        stub.clock.advance(10)
        last = client.integrations.sync.status(id).last
        assert last is not None and last.status == "succeeded" and last.counts is not None
        assert {name for name, count in last.counts.model_dump().items() if count} == names, last
    assert client.integrations.mappings.validate(id).valid
    assert len(stub.remotes[provider].all("contact")) == 12
    made = stub.remotes[provider].put("contact", {"name": "New"})
    assert (
        len(stub.remotes[provider].all("contact")) == 13 and stub.remotes[provider].get("contact", made["id"]) == made
    )
