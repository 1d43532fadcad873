"""Synchronisations: what they bring, what they refuse, conflicts, and runs that are paused, fail, and go on."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from sync_cases import Crm

from crm_sdk import ConflictError, JobFailedError, NotFoundError
from crm_sdk.errors import ApiError
from server_stub import StubServer

ADA: Any = {"name": "Ada", "email": "ada@x.example", "phone": "+49 30 1234567"}
BOB: Any = {"name": "Bob", "email": "bob@x.example"}


def refusal(error: pytest.ExceptionInfo[Any]) -> str:
    assert isinstance(error.value, ApiError)
    return str(error.value.code)


def test_records_come_once_and_then_only_their_changes(crm: Crm) -> None:
    crm.map("name", "email", "phone")
    ada, _ = crm.remote.put("contact", ADA), crm.remote.put("contact", BOB)
    assert crm.counts() == {"total": 2, "created": 2}
    assert crm.contact(email=ADA["email"]).phone == "+49301234567", "in the form in which contacts have it"
    assert crm.counts() == {}, "nothing has changed"
    assert crm.counts(mode="full") == {"total": 2, "skipped": 2}
    crm.remote.put("contact", {"id": ada["id"], "name": "Ada King"})
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.contact(name="Ada King").version == 2 and len(crm.client.contacts.list().items) == 2


def test_our_records_go_out_and_their_changes_as_well(crm: Crm) -> None:
    crm.map("name", "email")
    made = crm.client.contacts.create({"name": "Cleo", "email": "cleo@x.example"})
    assert crm.counts(direction="inbound") == {}
    assert crm.counts(direction="outbound") == {"total": 1, "created": 1}
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo"
    crm.client.contacts.update(made.id, {"name": "Cleo Two"})
    assert crm.counts(direction="inbound") == {"total": 1, "skipped": 1}, "this run may not write theirs"
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo"
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo Two"
    assert crm.counts() == {} and crm.contact(name="Cleo Two").version == 2


def test_who_is_known_by_a_key_is_linked_and_nobody_is_made_twice(crm: Crm) -> None:
    crm.map("name", "email")
    ours = crm.client.contacts.create(BOB)
    theirs = crm.remote.put("contact", BOB | {"email": "BOB@x.example"})
    assert crm.counts() == {"total": 1, "skipped": 1}
    assert len(crm.client.contacts.list().items) == len(crm.remote.all("contact")) == 1
    crm.remote.put("contact", {"id": theirs["id"], "name": "Robert"})
    assert crm.counts() == {"total": 1, "updated": 1} and crm.client.contacts.get(ours.id).name == "Robert"
    twin = crm.remote.put("contact", BOB)
    run = crm.sync()
    assert [(e.code, e.field, e.value) for e in run.errors] == [("DUPLICATE_VALUE", "email", twin["id"])]


def test_several_leads_with_a_key_are_ambiguous(crm: Crm) -> None:
    crm.map("name", "email", entity_type="lead")
    for _ in range(2):
        crm.client.leads.create(BOB)
    crm.remote.put("contact", BOB)
    run = crm.sync(direction="inbound")
    assert run.counts is not None and run.counts.failed == 1 and [e.code for e in run.errors] == ["AMBIGUOUS_MATCH"]


def test_deals_and_accounts_have_counterparts_too(crm: Crm) -> None:
    crm.map("name>title", "amount>value", entity_type="deal")
    crm.map("name", "phone", entity_type="account")
    crm.remote.put("deal", {"name": "Engine", "amount": Decimal("12.50")})
    crm.remote.put("company", {"name": "Analytical"})
    account = crm.client.accounts.create({"name": "Analytical", "phone": "+49301234567"})
    assert crm.counts() == {"total": 2, "created": 1, "updated": 1}
    (deal,) = crm.client.deals.list().items
    assert (deal.title, deal.value) == ("Engine", Decimal("12.5"))
    assert crm.remote.all("company")[0]["phone"] == "+49301234567" and account.phone is not None
    crm.client.deals.update(deal.id, {"value": 99})
    assert crm.counts(entity_types=["account"]) == {}
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.remote.all("deal")[0]["amount"] == 99


def test_a_record_that_cannot_be_taken_holds_up_no_other(crm: Crm) -> None:
    crm.map("email", "name")
    crm.map("title", required=True)
    bad = [
        crm.remote.put("contact", {"name": "Nobody", "email": "no address", "title": "x"}),
        crm.remote.put("contact", {"email": "nameless@x.example", "title": "x"}),
        crm.remote.put("contact", {"name": "Untitled", "email": "u@x.example"}),
    ]
    crm.remote.put("contact", {**ADA, "title": "CTO"})
    run = crm.sync()
    assert run.status == "succeeded" and run.counts is not None
    assert (run.counts.created, run.counts.failed, run.counts.succeeded) == (1, 3, 1)
    assert [(e.row, e.field, e.value) for e in run.errors] == [
        (1, "email", bad[0]["id"]), (2, "name", bad[1]["id"]), (3, "title", bad[2]["id"]),
    ]  # fmt: skip
    crm.remote.put("contact", {"id": bad[0]["id"], "email": "now@x.example"})
    assert crm.counts() == {"total": 3, "created": 1, "failed": 2}


def test_what_was_deleted_or_merged_here_is_not_made_anew(crm: Crm) -> None:
    crm.map("name", "email")
    for person in (ADA, BOB):
        crm.remote.put("contact", {name: person[name] for name in ("name", "email")})
    crm.counts()
    ada, bob = (crm.contact(name=name) for name in ("Ada", "Bob"))
    crm.client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": ada.id, "contact_ids": [ada.id, bob.id]}])
    crm.remote.put("contact", {"id": crm.theirs()[BOB["email"]]["id"], "name": "Bobby"})
    assert crm.counts()["total"] >= 1 and len(crm.client.contacts.list().items) == 1
    crm.client.contacts.delete(ada.id)
    assert "created" not in crm.counts(mode="full")
    assert crm.client.contacts.list().items == [] and len(crm.remote.all("contact")) == 2


def _diverged(crm: Crm, *, ours_last: bool) -> tuple[str, str]:
    """Let both sides change the title of a contact; return its id here and there."""
    theirs = crm.remote.put("contact", {**BOB, "title": "Old"})
    crm.counts()
    id = crm.contact(name="Bob").id
    for step in ("ours", "theirs") if not ours_last else ("theirs", "ours"):
        crm.later()
        if step == "ours":
            crm.client.contacts.update(id, {"title": "Ours"})
        else:
            crm.remote.put("contact", {"id": theirs["id"], "title": "Theirs"})
    crm.later()
    crm.client.contacts.update(id, {"company": "what else is changed does not count"})
    return id, theirs["id"]


@pytest.mark.parametrize(
    ("policy", "of_mapping", "ours_last", "kept", "resolution"),
    [
        ("newest_wins", None, True, "Ours", "local"),
        ("newest_wins", None, False, "Theirs", "remote"),
        ("local_wins", None, False, "Ours", "local"),
        ("remote_wins", None, True, "Theirs", "remote"),
        ("manual", None, True, None, "unresolved"),
        ("manual", "remote_wins", True, "Theirs", "remote"),
    ],
)
def test_a_field_changed_on_both_sides_is_a_conflict(
    stub: StubServer, crm: Crm, policy: str, of_mapping: str | None, ours_last: bool, kept: str | None, resolution: str
) -> None:
    crm.client.integrations.update(crm.id, {"conflict_resolution": policy})
    crm.map("name", "email")
    crm.map("title", conflict_resolution=of_mapping)
    id, remote_id = _diverged(crm, ours_last=ours_last)
    run = crm.sync()
    (conflict,) = run.conflicts
    assert (conflict.field, conflict.local, conflict.remote) == ("title", "Ours", "Theirs")
    assert (conflict.resolution, conflict.entity.id) == (resolution, id)
    assert conflict.local_changed_at is not None and conflict.remote_changed_at is not None
    assert (conflict.local_changed_at > conflict.remote_changed_at) is ours_last
    record = crm.remote.get("contact", remote_id)
    assert record is not None
    assert (crm.client.contacts.get(id).title, record["title"]) == ((kept, kept) if kept else ("Ours", "Theirs"))
    reason = crm.entry("contact.updated")["reason"]
    assert reason == ("conflict with Partner: theirs was kept for title" if resolution == "remote" else None)
    (told,) = crm.entry("integration.sync_completed")["metadata"]["conflicts"]
    assert (told["field"], told["resolution"]) == ("title", resolution)
    status = crm.client.integrations.sync.status(crm.id)
    assert status.pending_conflicts == (0 if kept else 1)
    if kept:
        assert crm.counts() == {}
        return
    assert crm.sync().conflicts[0].resolution == "unresolved", "it stays until somebody decides"
    crm.client.contacts.update(id, {"title": "Theirs"})
    assert crm.sync().conflicts == []
    assert crm.client.integrations.sync.status(crm.id).pending_conflicts == 0


def test_what_only_one_side_has_is_no_conflict(crm: Crm) -> None:
    crm.map("name", "email", "title", "company")
    ours: Any = {**BOB, "title": "CTO"}
    crm.client.contacts.create(ours)
    crm.remote.put("contact", {**BOB, "company": "Analytical"})
    run = crm.sync()
    assert run.conflicts == []
    assert crm.contact(title="CTO").company == "Analytical" and crm.theirs()[BOB["email"]]["title"] == "CTO"


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_mapping_writes_the_side_it_is_for(crm: Crm, direction: str) -> None:
    crm.map("name", "email")
    crm.map("title", direction=direction)
    id, remote_id = _diverged(crm, ours_last=True)
    crm.sync(mode="full")
    ours, theirs = crm.client.contacts.get(id).title, crm.remote.get("contact", remote_id)
    assert theirs is not None
    assert (ours, theirs["title"]) == (("Ours", "Theirs") if direction == "inbound" else ("Ours", "Ours"))
    crm.remote.put("contact", {"id": remote_id, "title": "Newer"})
    crm.counts()
    assert crm.client.contacts.get(id).title == ("Newer" if direction == "inbound" else "Ours")


def test_a_value_that_is_cleared_is_cleared_on_the_other_side(crm: Crm) -> None:
    crm.map("name", "email", "title", "company")
    theirs = crm.remote.put("contact", {**BOB, "title": "CTO", "company": "Analytical"})
    crm.counts()
    crm.remote.put("contact", {"id": theirs["id"], "title": None})
    crm.client.contacts.update(crm.contact(name="Bob").id, {"company": None})
    assert crm.counts() == {"total": 1, "updated": 1}
    record = crm.remote.get("contact", theirs["id"])
    assert record is not None and record["company"] is None and crm.contact(name="Bob").title is None


# -- runs --------------------------------------------------------------------------------------------------------------


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
    assert paused.counts is not None and paused.counts.processed == 50 and paused.cursor is not None
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
    assert crm.entry("integration.sync_paused")["metadata"]["run_id"] == run.id


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
