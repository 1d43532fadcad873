"""The catalogue: what is found and in which order, what is recommended, and the figures of a developer."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import App, CategoryKey
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.data.document import Document
from server_stub.services.marketplace.words import CATEGORIES

from .conftest import Submit, listing


def slugs(apps: Any) -> list[str]:
    return [app.slug for app in apps]


def test_a_word_counts_most_in_the_name(publish: Submit, acme: CrmClient) -> None:
    words = ("description", "tagline", "tags", "name")
    for place in words:
        publish(slug=place, **{place: ["Zebra"] if place == "tags" else f"The zebra {place}"})
    publish(slug="whole", name="Zebra")
    publish(slug="beginning", name="Zebra stripes")
    found = slugs(acme.marketplace.apps.search("zEbra"))
    assert found == ["whole", "beginning", "name", "tags", "tagline", "description"]
    assert slugs(acme.marketplace.apps.search("the zebra")) == ["name", "tagline", "description"]
    assert slugs(acme.marketplace.apps.search("zebra", category="finance")) == []
    by_time = acme.marketplace.apps.search("zebra", pricing="free", sort="published_at", limit=2)
    assert [app.slug for app in by_time.items] == list(words[:2])
    assert [app.slug for app in acme.marketplace.apps.search("zebra", limit=2, page=2).items] == ["name", "tags"]
    assert slugs(acme.marketplace.apps.search(" ze ")) == found, "two characters are enough"
    refusal = refused(lambda: acme.marketplace.apps.search(" z "))
    assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, "QUERY_TOO_SHORT", "q")


def test_the_list_has_the_published_and_the_companys_own(publish: Submit, acme: CrmClient, globex: CrmClient) -> None:
    app = publish(tags=["Blue"])
    mine = acme.marketplace.apps.create(listing(tags=["blue", "red"], category="support"))
    ours, theirs = (set(slugs(client.marketplace.apps.list())) for client in (acme, globex))
    assert ours - theirs == {mine.slug} and app.slug in ours & theirs
    assert slugs(acme.marketplace.apps.list(tags=["blue"], sort="created_at")) == [app.slug, mine.slug]
    assert slugs(acme.marketplace.apps.list(tags=["blue", "red"])) == [mine.slug]
    assert slugs(acme.marketplace.apps.list(category="support")) == [mine.slug]
    assert slugs(acme.marketplace.apps.list(category="nowhere")) == []
    assert slugs(acme.marketplace.apps.list(pricing="subscription")) == ["ledgerline-invoices"]
    assert slugs(acme.marketplace.apps.list(min_rating=4.4, sort="rating")) == [
        "territory-heatmap",
        "ledgerline-invoices",
    ]
    assert set(slugs(acme.marketplace.apps.list(developer_id="dev_acme"))) == {mine.slug, "territory-heatmap"}
    assert set(slugs(acme.marketplace.apps.list(installed=True))) == {"ledgerline-invoices", "angebotsmappe"}
    assert set(slugs(acme.marketplace.apps.list(installed=False))) == ours - {"ledgerline-invoices", "angebotsmappe"}


def test_a_listing_is_in_one_of_the_categories() -> None:
    words = {word for part in get_args(CategoryKey) for word in get_args(part)}
    assert words == CATEGORIES.keys()


def test_categories_count_what_is_published(publish: Submit, acme: CrmClient) -> None:
    counts = {found.key: found.app_count for found in acme.marketplace.apps.categories()}
    assert counts["support"] == 0 and sum(counts.values()) == 5
    acme.marketplace.apps.create(listing(category="support"))
    assert {found.key: found.app_count for found in acme.marketplace.apps.categories()} == counts
    publish(category="support")
    after = {found.key: found.app_count for found in acme.marketplace.apps.categories()}
    assert after == counts | {"support": 2}, "the other's review has ended, too"


def test_recommended_come_first_then_what_was_installed_lately_and_liked(stub: StubServer, acme: CrmClient) -> None:
    apps = {app.id: app for app in acme.marketplace.apps.list()}
    uses = stub.store.collection("", "app_use")
    since = stub.clock.now() - timedelta(days=30)
    recent = {id: sum(use["installed_at"] > since for use in uses.find("app_id", id)) for id in apps}
    expected = sorted(apps.values(), key=lambda app: (not app.featured, -recent[app.id] * (app.rating or 0)))
    found = acme.marketplace.apps.featured()
    assert slugs(found) == slugs(expected) and found[0].featured
    assert slugs(acme.marketplace.apps.featured(limit=2)) == slugs(expected[:2])
    assert slugs(acme.marketplace.apps.featured(category="data")) == ["clearname"]
    last = next(app for app in reversed(expected) if not app.installed)
    for hours, place in ((-1, len(expected) - 1 - expected[::-1].index(last)), (1, 1)):
        at = since + timedelta(hours=hours)
        for number in range(100):
            uses.put(Document(id=f"use_x{number}", app_id=last.id, installed_at=at, uninstalled_at=None))
        assert acme.marketplace.apps.featured()[place].id == last.id


def test_of_two_apps_the_one_with_more_installs_times_rating_comes_first(stub: StubServer, acme: CrmClient) -> None:
    uses, docs = (stub.store.collection("", kind) for kind in ("app_use", "app"))
    for use in uses.all():
        uses.remove(use["id"])
    (plenty, liked, other), month = [app for app in docs.all() if not app["featured"]][:3], timedelta(days=30)
    for app, rating, count in ((plenty, Decimal(2), 10), (liked, Decimal(5), 6), (other, Decimal(5), 1)):
        docs.put(app | {"rating": rating})
        for number in range(count):
            uses.put(Document(id=f"use_{app['id']}_{number}", app_id=app["id"], installed_at=stub.clock.now(),
                              uninstalled_at=None))  # fmt: skip
    ids = (plenty["id"], liked["id"], other["id"])
    shown = [app.id for app in acme.marketplace.apps.featured(limit=50) if app.id in ids]
    assert shown == [liked["id"], plenty["id"], other["id"]], "30, 20 and 5"
    for since, first in ((month, plenty["id"]), (month - TICK, liked["id"])):
        for number in range(6):
            known = some(uses.get(f"use_{liked['id']}_{number}"))
            uses.put(known | {"installed_at": stub.clock.now() + TICK - since})  # a request is a tick later
        assert next(app.id for app in acme.marketplace.apps.featured(limit=50) if app.id in ids) == first


def test_the_demo_counts_what_is_there(stub: StubServer, acme: CrmClient) -> None:
    uses = stub.store.collection("", "app_use")
    for app in acme.marketplace.apps.list():
        assert app.install_count == sum(use["uninstalled_at"] is None for use in uses.find("app_id", app.id))
        assert app.status == "published" and app.published_at and app.published_at <= stub.clock.now()
    found = {doc.app_name: doc for doc in acme.marketplace.installations.list()}
    invoices, quotes = found["Ledgerline Invoices"], found["Angebotsmappe"]
    assert (invoices.status, invoices.config["api_key"]) == ("active", "••••2a77")
    assert (quotes.status, quotes.app_version) == ("update_available", "1.0.0")
    assert acme.marketplace.installations.status(quotes.id).missing_permissions == ["files:create"]
    invoicing = stub.client(api_key="acme-ledgerline", dialects="platform", max_retries=0)
    assert invoicing.deals.list(limit=1).items and refused(lambda: invoicing.leads.list()).code == "FORBIDDEN"


@pytest.fixture
def paid(publish: Submit) -> App:
    pricing = {
        "model": "subscription",
        "amount": Decimal("9.50"),
        "currency": "EUR",
        "interval": "month",
        "trial_days": 10,
    }
    return publish(pricing=pricing)


def used(stub: StubServer, app: App, plan: str, since: str, until: str | None = None) -> None:
    """Let a company have an app from one day to another."""
    uses = stub.store.collection("", "app_use")
    at, gone = (datetime.fromisoformat(f"{day}T12:00Z") if day else None for day in (since, until))
    use = {"app_id": app.id, "plan": plan, "app_version": app.app_version, "installed_at": at, "uninstalled_at": gone}
    uses.put(Document(id=f"use_{len(uses)}", **use))


def test_a_developer_sees_how_an_app_does_and_not_by_whom(
    stub: StubServer, acme: CrmClient, globex: CrmClient, paid: App
) -> None:
    used(stub, paid, "enterprise", "2025-10-01", "2025-12-20")
    used(stub, paid, "pro", "2025-12-05")
    seen = globex.marketplace.apps.analytics(paid.id, start_date=date(2025, 10, 1), end_date=date(2026, 1, 31))
    assert (seen.installs, seen.uninstalls, seen.active_installs, seen.churn_rate) == (2, 1, 1, 0.5)
    assert (seen.revenue, seen.currency) == (5 * Decimal("9.50"), "EUR"), "the 11th of three months, the 15th of two"
    assert (seen.by_version, seen.by_plan) == ({"1.0.0": 1}, {"pro": 1})
    points = {series.name: [int(point.value) for point in series.points] for series in seen.series}
    assert points == {"installs": [1, 0, 1, 0], "uninstalls": [0, 0, 1, 0], "active": [1, 1, 1, 1]}
    december = globex.marketplace.apps.analytics(paid.id, start_date=date(2025, 12, 1), end_date=date(2025, 12, 31))
    assert (december.installs, december.uninstalls, december.churn_rate) == (1, 1, 0.5)
    assert december.revenue == 2 * Decimal("9.50")
    for day in (date(2025, 11, number) for number in (10, 11, 12)):  # wherever a range is cut, its parts add up
        parts = [(date(2025, 10, 1), day - timedelta(days=1)), (day, date(2026, 1, 31))]
        cut = [globex.marketplace.apps.analytics(paid.id, start_date=start, end_date=end) for start, end in parts]
        assert [sum(getattr(one, name) for one in cut) for name in ("installs", "uninstalls", "revenue")] == [
            seen.installs, seen.uninstalls, seen.revenue
        ]  # fmt: skip
    acme.marketplace.apps.install(paid.id, granted_permissions=["deals:read"])
    seen = globex.marketplace.apps.analytics(paid.id)
    assert (seen.installs, seen.active_installs, seen.by_plan) == (3, 2, {"pro": 1, "enterprise": 1})
    assert "acme" not in seen.model_dump_json()
    gone = acme.marketplace.apps.uninstall(paid.id)
    assert gone.install_count == globex.marketplace.apps.analytics(paid.id).active_installs == 1
    refusal = refused(
        lambda: globex.marketplace.apps.analytics(paid.id, start_date=date(2026, 1, 2), end_date=date(2026, 1, 1))
    )
    assert refusal.status == 422


@pytest.mark.parametrize(("until", "times"), [("2025-11-10", 1), ("2025-11-11", 1), ("2025-11-12", 2)])
def test_nothing_is_due_on_the_day_on_which_an_app_is_gone(
    stub: StubServer, globex: CrmClient, paid: App, until: str, times: int
) -> None:
    used(stub, paid, "pro", "2025-10-01", until)
    seen = globex.marketplace.apps.analytics(paid.id, start_date=date(2025, 10, 1), end_date=date(2026, 1, 31))
    assert seen.revenue == times * Decimal("9.50")


def test_what_is_due_follows_the_pricing(stub: StubServer, globex: CrmClient, publish: Submit) -> None:
    cases: list[tuple[Any, int]] = [
        ({"model": "one_time", "amount": 100, "currency": "USD", "trial_days": 3}, 100),
        ({"model": "one_time", "amount": 100, "currency": "USD", "trial_days": 300}, 0),
        ({"model": "subscription", "amount": 100, "currency": "USD", "interval": "year"}, 200),
        ({"model": "freemium", "amount": 100, "currency": "USD"}, 0),
    ]
    for pricing, revenue in cases:
        app = publish(pricing=pricing)
        used(stub, app, "pro", "2025-01-10", None if pricing.get("trial_days") != 300 else "2025-10-01")
        seen = globex.marketplace.apps.analytics(
            app.id, start_date=date(2025, 1, 1), end_date=date(2999, 1, 1), period="year"
        )
        assert seen.revenue == revenue
