"""What a user does, with the sync and the async client, in every dialect that documents it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_sdk import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    RateLimitError,
    UnsupportedOperationError,
    ValidationError,
)
from server_stub import StubServer

LEADS, CONTACTS = ("mvp", "platform"), ("flow", "platform")


@pytest.fixture
def client(stub: StubServer, mode: str) -> Callable[..., Any]:
    """Return what makes a client in the mode of this run; strict, so that the stub keeps to the documents."""
    return lambda dialects="mvp,flow,platform", **options: (stub.client if mode == "sync" else stub.async_client)(
        dialects=dialects, strict=True, **options
    )


@pytest.mark.parametrize("dialect", LEADS)
def test_a_lead_comes_changes_and_goes(client: Any, call: Any, stub: StubServer, dialect: str) -> None:
    crm = client(dialect)
    made = call(crm.leads.create({"name": "Grace Hopper", "email": "GRACE@Navy.example", "value": Decimal("19.99")}))
    assert (made.email, made.value, made.status) == ("grace@navy.example", Decimal("19.99"), "new")
    assert made.created_at == made.updated_at and made.created_at.tzinfo is not None
    stub.clock.advance(60)
    changed = call(crm.leads.update(made.id, {"status": "qualified", "notes": "called"}))
    assert (changed.status, changed.notes, changed.name) == ("qualified", ["called"], "Grace Hopper")
    assert changed.updated_at - made.updated_at >= timedelta(seconds=60)
    assert call(crm.leads.get(made.id)) == changed
    assert made.id in {lead.id for lead in call(crm.leads.list(status="qualified", limit=50))}
    assert made.id not in {lead.id for lead in call(crm.leads.list(status="new", limit=50))}
    assert call(crm.leads.delete(made.id)) is None
    for gone, *more in ((crm.leads.get,), (crm.leads.update, {"name": "x"}), (crm.leads.delete,)):
        with pytest.raises(NotFoundError) as caught:
            call(gone(made.id, *more))
        assert (caught.value.code, caught.value.status) == ("NOT_FOUND", 404) and caught.value.request_id


@pytest.mark.parametrize("dialect", CONTACTS)
def test_a_contact_comes_is_talked_to_and_goes(client: Any, call: Any, dialect: str) -> None:
    crm = client(dialect)
    made = call(crm.contacts.create({"name": "Zoë Müller", "email": "zoe@acme.test", "title": "CTO", "tags": ["vip"]}))
    assert (made.title, made.tags) == ("CTO", ["vip"])
    assert call(crm.contacts.get(made.id)).communication_history == []
    call(
        client().contacts.communication.create(
            made.id,
            {"type": "call", "date": datetime(2026, 1, 15, 8, tzinfo=UTC), "summary": "She is delighted, great call"},
        )
    )
    known = call(crm.contacts.get(made.id))
    assert [event.sentiment for event in known.communication_history] == ["positive"]
    assert known.sentiment == "positive" and known.last_contact == datetime(2026, 1, 15, 8, tzinfo=UTC)
    assert [found.id for found in call(crm.contacts.list(search="zoe muller"))] == [made.id]
    call(crm.contacts.delete(made.id))
    with pytest.raises(NotFoundError):
        call(crm.contacts.get(made.id))


@pytest.mark.parametrize("dialect", ["mvp", "flow", "platform"])
def test_one_model_for_every_dialect(client: Any, call: Any, dialect: str) -> None:
    made = call(
        client().contacts.create({"name": "Bob Wilson", "email": "bob@startup.test", "position": "CEO", "notes": "one"})
    )
    found = next(contact for contact in call(client(dialect).contacts.list(search="bob@startup.test")))
    assert (found.id, found.name, found.email, found.title, found.notes) == (
        made.id,
        "Bob Wilson",
        "bob@startup.test",
        "CEO",
        ["one"],
    )


@pytest.mark.parametrize("dialect", LEADS)
@pytest.mark.parametrize("limit", [1, 7, 50, 200])
def test_iterating_meets_every_record_once(client: Any, call: Any, stub: StubServer, dialect: str, limit: int) -> None:
    if limit == 1:
        stub.faults.add("status", status=503, times=2, after=5)  # a hiccup in the middle
    found = [lead.id for lead in call(client(dialect).leads.list(limit=limit))]
    assert len(found) == len(set(found)) == len(stub.store.collection("tenant_acme", "lead"))


def test_pages_can_be_taken_one_by_one(client: Any, call: Any, mode: str) -> None:
    async def awaited(page: Any) -> Any:
        return await page

    def taken(page: Any) -> Any:
        return page if mode == "sync" else call(awaited(page))

    first = taken(client("platform").leads.list(limit=100))
    assert (first.page, first.offset, len(first.items), first.has_next, first.has_prev) == (1, 0, 100, True, False)
    second = taken(first.next_page())
    third = taken(second.next_page())
    assert (second.page, third.page, third.has_next, third.has_prev) == (2, 3, False, True)
    assert len(first.items) + len(second.items) + len(third.items) == first.total
    assert taken(third.next_page()) is None


def test_a_lost_answer_never_makes_two_records(client: Any, call: Any, stub: StubServer) -> None:
    leads = stub.store.collection("tenant_acme", "lead")
    before = len(leads)
    crm = client("mvp")
    stub.faults.add("drop", operation="leads.create", times=1)
    with pytest.raises(ConnectionFailedError) as lost:  # nobody knows yet whether this server honours keys
        call(crm.leads.create({"name": "Once"}))
    assert lost.value.sent and len(leads) == before + 1
    call(crm.leads.create({"name": "Shown"}))  # its answer echoes the key
    stub.faults.add("drop", operation="leads.create", times=1)
    made = call(crm.leads.create({"name": "Twice?"}))
    assert [lead["id"] for lead in leads if lead["name"] == "Twice?"] == [made.id]
    *_, sent, again = stub.journal.find(operation="leads.create")
    assert sent.idempotency_key == again.idempotency_key is not None
    vouched = client("mvp", idempotent_writes=True)
    stub.faults.add("drop", operation="leads.create", times=1)
    call(vouched.leads.create({"name": "Vouched"}))
    assert len(leads.find("name", "Vouched")) == 1


def test_limits_are_waited_for_or_told(client: Any, call: Any, stub: StubServer) -> None:
    stub.faults.add("status", status=429, retry_after=7, times=1)
    began = stub.clock.monotonic()
    assert call(client("mvp").leads.get("lead_123")).id == "lead_123"
    assert stub.clock.monotonic() - began >= 7
    stub.faults.add("status", status=429, retry_after=3600)
    with pytest.raises(RateLimitError) as caught:
        call(client("mvp").leads.get("lead_123"))
    assert caught.value.retry_after == 3600


def test_signing_in_staying_and_leaving(client: Any, call: Any, stub: StubServer) -> None:
    crm = client("flow,platform", api_key="nothing")
    with pytest.raises(AuthenticationError):
        call(crm.auth.me())
    with pytest.raises(AuthenticationError) as refused:
        call(crm.auth.login("ada@acme.test", "wrong"))
    assert refused.value.code == "INVALID_CREDENTIALS"
    session = call(crm.auth.login("ada@acme.test", "demo-password"))
    assert session.user.name == call(crm.auth.me()).name
    stub.clock.advance(3601)
    assert call(crm.auth.me()).email == "ada@acme.test"  # renewed on the way
    assert [entry.status for entry in list(stub.journal)[-3:]] == [401, 200, 200]
    call(crm.auth.logout())
    with pytest.raises(AuthenticationError):
        call(crm.auth.me())


def test_what_is_wrong_is_told_before_and_after_sending(client: Any, call: Any, stub: StubServer) -> None:
    crm = client("platform")
    asked = len(stub.journal)
    with pytest.raises(InvalidInputError) as early:
        call(crm.leads.create({"email": 5, "value": "much", "adress": {}}))
    assert {field.field for field in early.value.fields} == {"name", "email", "value", "adress"}
    with pytest.raises(UnsupportedOperationError) as unsupported:
        call(crm.with_options(dialects="mvp").leads.convert("lead_123"))
    assert unsupported.value.dialects == ("platform",)
    assert len(stub.journal) == asked
    with pytest.raises(ValidationError) as late:
        call(crm.leads.create({"name": "x", "status": "bogus"}))
    assert [(field.field, field.rule) for field in late.value.fields] == [("status", "choice")]
    with pytest.raises(ConflictError) as conflict:
        call(crm.contacts.create({"name": "Again", "email": "alice@company.com"}))
    assert conflict.value.code == "CONTACT_EXISTS" and conflict.value.details["existingId"] == "contact_123"


def test_a_version_locks(client: Any, call: Any) -> None:
    crm = client("platform")
    seen = call(crm.leads.get("lead_456"))
    call(crm.leads.update(seen.id, {"title": "CTO"}, version=seen.version))
    with pytest.raises(ConflictError) as caught:
        call(crm.leads.update(seen.id, {"title": "CEO"}, version=seen.version))
    assert caught.value.code == "VERSION_CONFLICT"
    with pytest.raises(ConflictError):
        call(crm.leads.delete(seen.id, version=seen.version))


def test_people_come_in_and_go_out_as_files(client: Any, call: Any, tmp_path: Path) -> None:
    crm = client()
    rows = tmp_path / "people.csv"
    rows.write_text(
        "name,email\n" + "".join(f"Person {n},p{n}@import.test\n" for n in range(120)) + "Bad,not-an-address\n"
    )
    progress: list[float] = []
    job = call(crm.contacts.imports.create(str(rows), tags=["imported"]))
    result = call(job.wait(on_progress=lambda state: progress.append(state.progress)))
    assert len(result.created_ids) == 120 and progress[0] < progress[-1] == 1.0
    ended = call(crm.contacts.imports.get(job.id))
    assert (ended.status, ended.counts.failed, ended.errors[0].row) == ("succeeded", 1, 121)
    target = tmp_path / "out.csv"
    download = call(crm.contacts.export(format="csv", tags=["imported"]))
    assert call(download.save(target)) == target.stat().st_size
    assert len(target.read_text().splitlines()) == 121
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
