"""What a new company is called and begins with, and what a live connection hears of the day's figures."""

from __future__ import annotations

from datetime import timedelta

from refusals import refused
from stub_data import some, stored
from wire import opened

from server_stub import StubServer


def test_the_day_counts_its_own_leads_only(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", max_retries=0)
    old = crm.leads.create({"name": "Old"})
    stored(stub, "lead", old.id, created_at=some(old.created_at) - timedelta(days=1))
    with opened(stub) as wire:
        first, second = (crm.leads.create({"name": name}) for name in "ab")
        for id in (old.id, second.id, first.id):
            crm.leads.delete(id)
        found = [entry["data"] for entry in wire.all() if entry["type"] == "metrics.update"]
        start = found[0]["value"]
        assert found == [
            {"metric": "leads_today", "value": start + more, "change": f"{change:+}",
             "changeType": "increase" if change > 0 else "decrease"}
            for more, change in ((0, 1), (1, 1), (0, -1), (-1, -1))
        ]  # fmt: skip
        stub.clock.advance(86_400)
        wire.all()
        crm.leads.create({"name": "Next day"})
        crm.leads.delete(crm.leads.create({"name": "Other"}).id)
        values = [entry["data"]["value"] for entry in wire.all() if entry["type"] == "metrics.update"]
        assert values[-3:] == [values[-3], values[-3] + 1, values[-3]]


def test_a_company_gets_a_free_slug_of_its_name(stub: StubServer) -> None:
    for number, (name, slug) in enumerate((
        ("Abc", "abc"), ("Abc", "abc-2"), ("ABC!", "abc-3"), ("Ab", "ab-crm"), ("Ab", "ab-crm-2"),
        ("Ünï & Söhne", "uni-sohne"), ("!!!", "crm"), ("x" * 41, "x" * 40), ("x" * 41, "x" * 38 + "-2"),
        ("y" * 39 + " z", "y" * 39), ("y" * 37 + " zzz", "y" * 37 + "-zz"), ("y" * 37 + " zzz", "y" * 37 + "-2"),
    )):  # fmt: skip
        crm = stub.client(api_key=None, dialects="platform", max_retries=0)
        made = crm.auth.register(email=f"a{number}@x{number}.test", password="Correct-Horse-7!", name="A", company=name)
        company = some(made.tenant)
        assert (company.name, company.slug) == (name, slug)
    tenant = some(stub.store.collection(company.id, "tenant").first())
    assert tenant["business_hours"] == {
        "timezone": "UTC", "days": [{"weekday": day, "start": "09:00", "end": "17:00"} for day in range(5)],
        "holidays": [],
    }  # fmt: skip
    names = ("languages", "currencies", "week_start", "fiscal_year_start_month", "lead_assignment", "version",
             "config_version", "branding", "email", "features", "limits")  # fmt: skip
    assert [tenant[name] for name in names] == [
        ["en", "de", "es", "ar"], [], 0, 1, "round_robin", 1, 1, {"app_name": name}, {"from_name": name}, {}, {},
    ]  # fmt: skip
    (pipeline,) = stub.store.collection(company.id, "pipeline")
    assert (pipeline["name"], pipeline["is_default"], pipeline["created_by"]) == ("Sales", True, "system")


def test_a_company_is_founded_by_who_makes_it_or_by_itself(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", max_retries=0)
    made = crm.tenants.create(
        {"name": "Made", "slug": "made-by-acme", "timezone": "Europe/Berlin", "admin_email": "m@made.test"}
    )
    own = stub.client(api_key=None, dialects="platform", max_retries=0)
    joined = own.auth.register(email="a@own.test", password="Correct-Horse-7!", name="A", company="Own")
    found = [some(stub.store.collection(id, "tenant").first()) for id in (made.id, some(joined.tenant).id)]
    assert [(one["created_by"], one["business_hours"]["timezone"]) for one in found] == [
        ("apikey_acme_admin", "Europe/Berlin"), ("system", "UTC"),
    ]  # fmt: skip
    error = refused(lambda: crm.tenants.create({"name": "Again", "slug": "made-by-acme", "admin_email": "n@made.test"}))
    assert (error.status, error.code, error.message) == (
        409, "TENANT_EXISTS", "another company has the slug 'made-by-acme'",
    )  # fmt: skip
