"""Companies: who sees them, how they are founded, changed and ended, and that they share no data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some
from wire import opened

from crm_sdk import AuthenticationError, CrmClient
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.data.document import Document
from server_stub.request.http import Request
from server_stub.services.tenants.ending import PURGE, purge
from server_stub.timetable import system_call

from .conftest import DAY, Found

Call = Callable[[CrmClient, str], object]
PARTS: dict[str, Call] = {
    "get": lambda crm, one: crm.tenants.get(one),
    "update": lambda crm, one: crm.tenants.update(one, {"name": "X"}),
    "delete": lambda crm, one: crm.tenants.delete(one, confirm="globex"),
    "config.get": lambda crm, one: crm.tenants.config.get(one),
    "config.update": lambda crm, one: crm.tenants.config.update(one, {"week_start": 1}),
    "features.get": lambda crm, one: crm.tenants.features.get(one),
    "features.update": lambda crm, one: crm.tenants.features.update(one, {"social": False}),
    "limits.get": lambda crm, one: crm.tenants.limits.get(one),
    "limits.update": lambda crm, one: crm.tenants.limits.update(one, {"users": 40}),
    "usage": lambda crm, one: crm.tenants.usage(one),
    "billing.get": lambda crm, one: crm.tenants.billing.get(one),
    "billing.update": lambda crm, one: crm.tenants.billing.update(one, {"seats": 40}),
    "billing.upgrade": lambda crm, one: crm.tenants.billing.upgrade(one, "pro", cycle="annual"),
    "invoices.list": lambda crm, one: crm.tenants.invoices.list(one),
}
WRITES = [name for name in PARTS if name.partition(".")[2] in ("update", "upgrade") or name in ("update", "delete")]


def test_a_company_sees_itself_in_both_modes(stub: StubServer, mode: str, call: Any) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    own = call(crm.tenants.get("current"))
    assert (own.slug, own.plan, own.status, own.managed_by, own.user_count) == ("acme", "enterprise", "active", None, 6)
    assert call(crm.tenants.get(own.id)) == own
    config = call(crm.tenants.config.get("current"))
    assert (config.base_currency, config.default_pipeline_id, config.version) == ("USD", "pipeline_acme", 1)
    assert [one.id for one in call(crm.tenants.list())] == ["tenant_acme"]


def test_another_company_is_not_there(acme: CrmClient, globex: CrmClient, stub: StubServer) -> None:
    def check(part: str) -> None:
        before = len(stub.audit("tenant_globex"))
        assert refused(lambda: PARTS[part](acme, "tenant_globex")).code == "NOT_FOUND"
        assert len(stub.audit("tenant_globex")) == before
        PARTS[part](globex, "tenant_globex")

    for case in sorted(PARTS, key="delete".__eq__):
        check(case)


def test_only_admins_may(sales: CrmClient) -> None:
    def check(part: str) -> None:
        assert refused(lambda: PARTS[part](sales, "current")).code == "FORBIDDEN"

    for case in [name for name in PARTS if name != "config.get"]:
        check(case)


def test_everybody_reads_the_configuration_without_its_security(
    acme: CrmClient, sales: CrmClient, found: Found
) -> None:
    assert acme.tenants.config.get("current").security is not None
    mine = sales.tenants.config.get("current")
    assert mine.security is None and mine.currencies
    assert refused(lambda: sales.tenants.config.get(found().id)).code == "NOT_FOUND"


def test_what_is_named_twice_is_held_once(acme: CrmClient) -> None:
    given: Any = {"languages": ["de", "en", "de"], "security": {"allowed_email_domains": ["ACME.test", "acme.TEST"]}}
    held = acme.tenants.config.update("current", given)
    assert held.languages == ["de", "en"] and held.security is not None
    assert held.security.allowed_email_domains == ["acme.test"]


def test_a_company_is_founded_and_set_up(acme: CrmClient, globex: CrmClient, stub: StubServer, found: Found) -> None:
    made = acme.tenants.create({"name": "Müßig & Söhne", "admin_email": "Ida@Muessig.TEST", "region": "eu"})
    assert (made.slug, made.plan, made.region, made.managed_by) == ("mussig-sohne", "free", "eu", "tenant_acme")
    assert (made.status, made.admin_email, made.user_count) == ("provisioning", "ida@muessig.test", 1)
    stub.clock.advance(3)
    assert acme.tenants.get(made.id).status == "active"
    assert {"tenant.created", "tenant.provisioned"} <= {one["action"] for one in stub.audit()}
    assert {"tenant.created", "user.invited", "tenant.provisioned"} <= {one["action"] for one in stub.audit(made.id)}
    again = acme.tenants.create({"name": "Müßig & Söhne", "admin_email": "b@muessig.test"})
    assert again.slug == "mussig-sohne-2"
    taken: Any = {"name": "X", "slug": "globex", "admin_email": "c@muessig.test"}
    assert refused(lambda: acme.tenants.create(taken)).code == "TENANT_EXISTS"
    paid: Any = {"name": "X", "plan": "pro", "admin_email": "c@muessig.test"}
    assert refused(lambda: acme.tenants.create(paid)).code == "PAYMENT_METHOD_REQUIRED"
    assert [one.id for one in acme.tenants.list()] == ["tenant_acme", again.id, made.id]
    assert [one.id for one in acme.tenants.list(plan="free", sort="created_at")] == [made.id, again.id]
    assert [one.id for one in acme.tenants.list(search="sohne-2")] == [again.id]
    assert [one.id for one in globex.tenants.list()] == ["tenant_globex"]


def test_a_company_is_set_up_two_seconds_after_it_was_founded(acme: CrmClient, stub: StubServer) -> None:
    made = acme.tenants.create({"name": "Hooli", "admin_email": "gavin.belson@hooli.test"})
    assert made.created_at is not None
    left = made.created_at + timedelta(seconds=2) - stub.clock.now()
    stub.clock.advance((left - 2 * TICK).total_seconds())  # a request moves the clock by a tick
    early = acme.tenants.get(made.id)
    assert (early.status, early.version) == ("provisioning", 1)
    ready = acme.tenants.get(made.id)
    assert (ready.status, ready.version, ready.updated_at) == ("active", 2, made.created_at + timedelta(seconds=2))
    (told,) = [one for one in stub.audit() if one["action"] == "tenant.provisioned"]
    assert (told["entity"]["id"], stub.audit(made.id)[-1]["action"]) == (made.id, "tenant.provisioned")
    (admin,) = stub.store.collection(made.id, "user")
    assert (admin["name"], admin["role"], admin["status"]) == ("Gavin Belson", "admin", "invited")


def test_companies_share_no_data(acme: CrmClient, found: Found) -> None:
    company = found()
    (pipeline,) = company.own.pipelines.list()
    assert pipeline.is_default and len(company.own.pipelines.get(pipeline.id).stages) == 6
    assert company.own.leads.list().total == company.own.contacts.list().total == 0
    lead = company.own.leads.create({"name": "Ours"})
    assert refused(lambda: acme.leads.get(lead.id)).code == "NOT_FOUND"
    assert refused(lambda: acme.pipelines.get(pipeline.id)).code == "NOT_FOUND"
    theirs = acme.leads.create({"name": "Theirs"})
    assert refused(lambda: company.own.leads.get(theirs.id)).code == "NOT_FOUND"


def test_what_is_fixed_stays(stub: StubServer, acme: CrmClient, found: Found) -> None:
    company = found()
    for name, value in {"slug": "other", "plan": "pro", "region": "eu", "adminEmail": "x@y.test"}.items():
        body = json.dumps({name: value}).encode()
        headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
        reply = stub.handle(Request("PUT", f"/platform/v1/tenants/{company.id}", "", headers, body))
        assert (reply.status, b'"read_only"' in reply.body) == (422, True), name
    before = acme.tenants.get(company.id)
    same: Any = before.model_dump(by_alias=True, mode="json")
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    reply = stub.handle(Request("PUT", f"/platform/v1/tenants/{company.id}", "", headers, json.dumps(same).encode()))
    assert reply.status == 200 and acme.tenants.get(company.id) == before
    changed = acme.tenants.update(company.id, {"name": "Hooli XYZ"}, version=before.version)
    assert (changed.name, changed.version) == ("Hooli XYZ", (before.version or 0) + 1)
    stale = refused(lambda: acme.tenants.update(company.id, {"name": "Y"}, version=before.version))
    assert stale.code == "VERSION_CONFLICT"
    assert (
        [one["action"] for one in stub.audit()].count("tenant.updated") == 1 == company.trail().count("tenant.updated")
    )


@pytest.mark.parametrize("code", ["ZZZ", "XXX", "XTS"])
def test_what_is_no_currency_is_refused_wherever_a_company_names_one(found: Found, code: str) -> None:
    crm = found().own
    new: Any = {"name": "New", "admin_email": "n@new.test", "base_currency": code}
    rates: Any = {"currencies": [{"currency": code, "rate": 2}]}
    for call in (
        lambda: crm.tenants.create(new),
        lambda: crm.tenants.update("current", {"base_currency": code}),
        lambda: crm.tenants.config.update("current", rates),
    ):
        wrong = refused(call)
        assert (wrong.code, wrong.fields[0].rule) == ("VALIDATION_ERROR", "choice")


def test_the_base_currency_stays_once_there_is_a_deal(found: Found) -> None:
    company = found()
    crm = company.own
    rates: Any = [{"currency": "CHF", "rate": 2}, {"currency": "GBP", "rate": 3}]
    crm.tenants.config.update("current", {"currencies": rates})
    assert crm.tenants.update("current", {"base_currency": "CHF"}).base_currency == "CHF"
    kept = {one.currency: one.rate for one in crm.tenants.config.get("current").currencies}
    assert kept == {"USD": Decimal("0.5"), "GBP": Decimal("1.5")}
    assert refused(lambda: crm.tenants.update("current", {"base_currency": "ZZZ"})).code == "VALIDATION_ERROR"
    deal = crm.deals.create({"title": "D", "value": 1})
    assert refused(lambda: crm.tenants.update("current", {"base_currency": "USD"})).code == "CURRENCY_IN_USE"
    crm.deals.delete(deal.id)
    assert refused(lambda: crm.tenants.update("current", {"base_currency": "USD"})).code == "CURRENCY_IN_USE"


@pytest.mark.thorough
def test_an_ended_company_has_no_access_and_then_no_data(acme: CrmClient, stub: StubServer, found: Found) -> None:
    company = found()
    company.own.leads.create({"name": "Somebody"})
    assert refused(lambda: acme.tenants.delete(company.id)).code == "CONFIRMATION_REQUIRED"
    assert refused(lambda: acme.tenants.delete(company.id, confirm="hooli")).code == "CONFIRMATION_REQUIRED"
    ended = company.own.tenants.delete("current", confirm=company.slug)
    assert ended.status == "cancelled" and ended.cancelled_at is not None
    with pytest.raises(AuthenticationError):
        company.own.leads.list()
    assert acme.tenants.get(company.id).status == acme.tenants.billing.get(company.id).status == "cancelled"
    for part in WRITES:
        assert refused(partial(PARTS[part], acme, company.id)).code == "TENANT_CANCELLED", part
    stub.clock.advance(29 * DAY)
    assert len(stub.store.collection(company.id, "lead")) == 1
    stub.clock.advance(2 * DAY)
    left = {one.kind for one in stub.store.of_company(company.id) if one.first() is not None}
    assert left <= {"tenant", "timetable"} and acme.tenants.get(company.id).status == "cancelled"


def test_no_credential_is_let_into_an_ended_company(stub: StubServer, acme: CrmClient) -> None:
    """Neither those of tests, which the company does not keep."""
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(tenants.all()[0] | {"status": "cancelled"})
    with pytest.raises(AuthenticationError, match="was ended"):
        acme.leads.list()


def test_the_credentials_of_an_ended_company_end_and_those_that_had_ended_keep_their_time(
    stub: StubServer, found: Found
) -> None:
    company, past = found(), stub.clock.now()
    kinds = ("session", "api_key", "app_token")
    for kind in kinds:
        company.put(kind, id=f"{kind}_new", user_id="user_x", fingerprint=f"new {kind}")
        company.put(kind, id=f"{kind}_old", user_id="user_x", fingerprint=f"old {kind}", revoked_at=past)
    stub.clock.advance(60)
    ended = company.own.tenants.delete("current", confirm=company.slug)
    for kind in kinds:
        records = stub.store.collection(company.id, kind)
        assert {doc["id"]: doc["revoked_at"] for doc in records} == {
            doc["id"]: past if doc["id"].endswith("_old") else ended.cancelled_at for doc in records
        }


def test_a_company_with_an_open_invoice_goes_on(acme: CrmClient, found: Found) -> None:
    company = found()
    billing = company.own.tenants.billing
    billing.update("current", {"payment_method_token": "tok_invoice"})
    invoice = billing.upgrade("current", "pro").invoice
    assert invoice is not None and invoice.status == "open"
    error = refused(lambda: acme.tenants.delete(company.id, confirm=company.slug))
    assert (error.code, error.details) == ("INVOICE_OPEN", {"ids": [invoice.id]})
    billing.update("current", {"payment_method_token": "tok_bank"})
    assert acme.tenants.invoices.list(company.id, status="open").total == 0
    assert acme.tenants.delete(company.id, confirm=company.slug).status == "cancelled"


def test_the_live_connections_of_an_ended_company_end_and_no_others(stub: StubServer) -> None:
    with opened(stub, "/ws?token=globex-admin", {}) as theirs, opened(stub, "/ws?token=acme-admin", {}) as others:
        assert theirs.next() is None and others.next() is None
        stub.client(api_key="globex-admin", dialects="platform").tenants.delete("current", confirm="globex")
        with pytest.raises(SocketClosedError) as closed:
            theirs.all()
        assert (closed.value.code, closed.value.reason) == (4401, "the company was ended")
        assert others.next() is None


def test_the_users_of_an_ended_company_cannot_sign_in(stub: StubServer) -> None:
    gina = stub.client(api_key="globex-admin", dialects="platform")
    gina.tenants.delete("current", confirm="globex")
    guest = stub.client(api_key=None, dialects="platform", max_retries=0)
    assert refused(lambda: guest.auth.login("gina@globex.test", "demo-password")).code == "INVALID_CREDENTIALS"


def test_dates_of_a_company_are_those_of_its_zone(found: Found) -> None:
    company = found(timezone="Pacific/Auckland")
    company.own.leads.list()
    company.stub.clock.advance(3 * 3_600)
    company.own.leads.list()
    usage = company.own.tenants.usage("current", start_date=date(2026, 1, 15), end_date=date(2026, 1, 16))
    assert [(point.period, int(point.value)) for point in usage.api_calls] == [("2026-01-15", 1), ("2026-01-16", 1)]


def test_no_name_of_the_first_admin_may_be_written_as_null(stub: StubServer) -> None:
    made = stub.client(dialects="platform").tenants.create(
        {"name": "Hooli", "admin_email": "gavin.belson@hooli.test", "admin_name": None}
    )
    assert made.admin_name is None


def test_what_the_end_of_a_company_leaves_undone_and_when_its_data_go(
    acme: CrmClient, stub: StubServer, found: Found
) -> None:
    company = found()
    jobs, later = stub.store.collection(company.id, "job"), stub.clock.now() + timedelta(days=1)
    for status in ("queued", "running", "succeeded"):
        job = {"kind": "export", "status": status, "finished_at": None, "cancellable": True, "due_at": later}
        jobs.put(Document(job | {"id": f"job_{status}"}))
    for confirm in (None, "hooli"):
        wrong = refused(partial(company.own.tenants.delete, "current", confirm=confirm))
        assert (wrong.status, wrong.code, wrong.fields[0].field) == (422, "CONFIRMATION_REQUIRED", "confirm")
    before = stub.tenant(company.id)
    company.own.leads.list(limit=1)
    assert acme.tenants.usage(company.id).api_calls_by_operation["leads.list"] == 1
    ended = company.own.tenants.delete("current", confirm=company.slug)
    kept, at = stub.tenant(company.id), some(ended.cancelled_at)
    assert {name: kept[name] for name in kept if kept[name] != before.get(name)} == {
        "status": "cancelled", "cancelled_at": at, "updated_at": at, "version": before["version"] + 1,
    }  # fmt: skip
    entry = stub.audit(company.id)[-1]
    assert (entry["action"], entry["changes"]) == (
        "tenant.deleted", [{"field": "status", "before": "active", "after": "cancelled"}],
    )  # fmt: skip
    assert [(job["id"], job["status"], job["finished_at"], job["cancellable"]) for job in jobs] == [
        ("job_queued", "cancelled", at, False), ("job_running", "cancelled", at, False),
        ("job_succeeded", "succeeded", None, True),
    ]  # fmt: skip
    for part in WRITES:
        over = refused(partial(PARTS[part], acme, company.id))
        assert (over.status, over.code) == (409, "TENANT_CANCELLED") and f"ended on {at:%Y-%m-%d}" in over.message
    assert list(PURGE.times(lambda kind: stub.store.collection(company.id, kind))) == [at + timedelta(days=30)]
    assert list(PURGE.times(lambda kind: stub.store.collection("tenant_acme", kind))) == []
    assert list(PURGE.times(lambda kind: stub.store.collection("tenant_none", kind))) == []
    others = len(stub.store.collection("tenant_acme", "lead"))
    with stub.store.transaction():
        purge(system_call(stub, company.id, stub.clock.now(), "test"))
    left = {one.kind: [doc["id"] for doc in one.backwards()] for one in stub.store.of_company(company.id)}
    assert {kind for kind, ids in left.items() if ids} <= {"tenant", "timetable"} and left["tenant"] == [company.id]
    assert list(PURGE.times(lambda kind: stub.store.collection(company.id, kind))) == []
    assert len(stub.store.collection("tenant_acme", "lead")) == others and stub.tenant(company.id)["purged"] is True
    assert acme.tenants.usage(company.id).api_calls_by_operation == {}
