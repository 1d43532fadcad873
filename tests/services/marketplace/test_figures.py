"""The figures of an app to the instant: who has it, what is due, how its deliveries went, and what a review finds."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from refusals import refused
from stub_data import plain, some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document

from .conftest import HOUR, SCHEMA, SETTINGS, Submit, listing

DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
HOOK = {"webhook_url": "https://quotes.example/hook"}
LACKS_HOOK = "it subscribes to events and has no webhook_url that they could be posted to"
LACKS_RIGHT = "it subscribes to events without the permission to read them: {}"
LACKS_PRICE = "its pricing is {} and names no amount and currency"
LACKS_INTERVAL = "its pricing is subscription and does not say how often it is paid"


def test_a_review_names_all_that_is_lacking(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"pricing": {"model": "free"}}, []),
        ({"pricing": {"model": "freemium"}}, []),
        ({"pricing": {"model": "one_time", "amount": 5, "currency": "EUR"}}, []),
        ({"pricing": {"model": "one_time", "amount": 5}}, [LACKS_PRICE.format("one_time")]),
        ({"pricing": {"model": "one_time", "currency": "EUR"}}, [LACKS_PRICE.format("one_time")]),
        ({"pricing": {"model": "subscription", "amount": 5, "currency": "EUR", "interval": "year"}}, []),
        ({"pricing": {"model": "subscription"}}, [LACKS_PRICE.format("subscription"), LACKS_INTERVAL]),
        ({"events": ["deal.won"], **HOOK}, []),
        ({"events": ["lead.created"], **HOOK, "optional_permissions": ["leads:read"]}, []),
        (
            {"events": ["lead.created", "deal.won", "contact.created"]},
            [LACKS_HOOK, LACKS_RIGHT.format("contacts:read, leads:read")],
        ),
    ]
    ids = [acme.marketplace.apps.create(listing(**members)).id for members, _ in cases]
    stub.clock.advance(HOUR)
    said = {entry["entity"]["id"]: entry for entry in stub.audit() if entry["action"].startswith("app.")}
    for id, (members, reasons) in zip(ids, cases, strict=True):
        entry = said[id]
        assert entry["action"] == ("app.rejected" if reasons else "app.published"), members
        assert entry["metadata"].get("reasons", []) == reasons, members
        assert (entry["reason"], entry["metadata"]["app_version"]) == ("; ".join(reasons) or None, "1.0.0")
        assert acme.marketplace.apps.get(id).status == ("rejected" if reasons else "published")
    told = {doc["metadata"].get("appId"): doc for doc in stub.store.collection("tenant_acme", "notification")}
    whole = acme.marketplace.apps.get(ids[-1])
    assert (told[ids[-1]]["title"], told[ids[-1]]["message"]) == (
        f"{whole.name} 1.0.0 was rejected",
        f"{LACKS_HOOK.capitalize()}; {LACKS_RIGHT.format('contacts:read, leads:read')}.",
    )
    fine = acme.marketplace.apps.get(ids[0])
    assert told[ids[0]]["title"] == f"{fine.name} 1.0.0 is published"
    assert told[ids[0]]["message"] == "It can be installed now."


def test_who_has_an_app_is_counted_to_the_instant(stub: StubServer, globex: CrmClient, publish: Submit) -> None:
    uses = stub.store.collection("", "app_use")
    start, end = date(2025, 10, 1), date(2025, 10, 31)
    free = publish()
    begins, over = (datetime(2025, month, 1, tzinfo=ZoneInfo("Europe/Berlin")) for month in (10, 11))

    def figures(id: str, *times: tuple[datetime, datetime | None]) -> tuple[Any, ...]:
        for known in uses.find("app_id", id):
            uses.remove(known["id"])
        for number, (since, until) in enumerate(times):
            use = {"app_id": id, "plan": "pro", "app_version": "1.0.0", "installed_at": since, "uninstalled_at": until}
            uses.put(Document(id=f"use_y{number}", **use))
        seen = globex.marketplace.apps.analytics(id, start_date=start, end_date=end, period="month")
        return seen.installs, seen.uninstalls, seen.active_installs, round(seen.churn_rate or 0, 2)

    assert figures(free.id) == (0, 0, 0, 0)
    cases: list[tuple[tuple[datetime, datetime | None], tuple[int, int, int, float]]] = [
        ((begins - MS, None), (0, 0, 1, 0)),
        ((begins, None), (1, 0, 1, 0)),
        ((over - MS, None), (1, 0, 1, 0)),
        ((over, None), (0, 0, 0, 0)),
        ((begins - DAY, begins - MS), (0, 0, 0, 0)),
        ((begins - DAY, begins), (0, 1, 0, 1)),
        ((begins - DAY, over - MS), (0, 1, 0, 1)),
        ((begins - DAY, over), (0, 0, 1, 0)),
    ]
    for times, found in cases:
        assert figures(free.id, times) == found, times
    assert figures(free.id, (begins - DAY, begins), (begins, None), (begins, None)) == (2, 1, 2, 0.33)
    seen = globex.marketplace.apps.analytics(free.id, start_date=start, end_date=end)
    assert (seen.revenue, seen.currency, seen.start_date, seen.end_date) == plain(0, "EUR", start, end)
    assert (seen.app_id, seen.rating, seen.rating_count) == (free.id, 0, 0)
    assert (seen.by_version, seen.by_plan) == ({"1.0.0": 2}, {"pro": 2})


def test_what_is_due_follows_the_days_of_the_company(stub: StubServer, globex: CrmClient, publish: Submit) -> None:
    """What is due is due from the day after the trial to the day before the app is gone, and not after today."""
    today = stub.clock.now().astimezone(ZoneInfo("Europe/Berlin")).date()
    price: dict[str, Any] = {"amount": Decimal(10), "currency": "USD"}
    monthly = publish(pricing={"model": "subscription", **price, "interval": "month"})
    daily = publish(pricing={"model": "one_time", **price, "trial_days": 1})
    uses = stub.store.collection("", "app_use")

    def due(app: Any, since: date, until: date | None, *asked: date) -> Decimal:
        at, gone = (datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("UTC")) if day else None
                    for day in (since, until))  # fmt: skip
        use = {"plan": "pro", "app_version": "1.0.0", "installed_at": at, "uninstalled_at": gone}
        uses.put(Document(id="use_x", app_id=app.id, **use))
        seen = globex.marketplace.apps.analytics(app.id, start_date=asked[0], end_date=asked[1])
        assert seen.currency == "USD"
        return some(seen.revenue) / 10

    first = date(2025, 10, 1)
    cases = [
        (monthly, first, None, (first, first), 1),
        (monthly, first, None, (first, date(2025, 10, 31)), 1),
        (monthly, first, None, (first, date(2025, 11, 1)), 2),
        (monthly, first, None, (first + DAY, date(2025, 11, 1)), 1),
        (monthly, first, date(2025, 11, 1), (first, date(2025, 12, 31)), 1),
        (monthly, first, date(2025, 11, 2), (first, date(2025, 12, 31)), 2),
        (daily, first, None, (first, first), 0),
        (daily, first, None, (first, first + DAY), 1),
        (daily, first, first + DAY, (first, first + DAY), 0),
        (daily, first, first + 2 * DAY, (first, first + 2 * DAY), 1),
        (daily, today - DAY, None, (first, today + DAY), 1),
        (daily, today, None, (first, today + DAY), 0),
    ]
    for app, since, until, asked, times in cases:
        assert due(app, since, until, *asked) == times, (app.pricing, since, until, asked)


def test_a_status_judges_to_the_instant_and_whole(
    stub: StubServer, acme: CrmClient, globex: CrmClient, publish: Submit
) -> None:
    app = publish(events=["deal.created"], config_schema=SCHEMA, **HOOK)
    made = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], config=SETTINGS)
    (endpoint,) = stub.store.collection("tenant_acme", "webhook").find("installation_id", made.id)
    deliveries = stub.store.collection("tenant_acme", "webhook_delivery")

    def status(*went: tuple[bool, timedelta, dict[str, Any]]) -> dict[str, Any]:
        """Ask right after the given deliveries, which happened so long before."""
        for doc in deliveries.find("webhook_id", endpoint["id"]):
            deliveries.remove(doc["id"])
        now = stub.clock.now() + MS
        for number, (is_well, age, attempt) in enumerate(went):
            done = {"at": now - age, "status": 200 if is_well else 500, "error": None, **attempt}
            deliveries.put(
                Document(id=f"delivery_{number}", webhook_id=endpoint["id"], attempts=[done],
                         status="delivered" if is_well else "failed")
            )  # fmt: skip
        deliveries.put(Document(id="delivery_y", webhook_id=endpoint["id"], attempts=[], status="pending"))
        seen = acme.marketplace.installations.status(made.id)
        assert seen.checked_at == now
        return seen.model_dump(exclude={"checked_at"})

    nothing = {
        "installation_id": made.id, "status": "active", "health": "healthy", "version": "1.0.0",
        "latest_version": "1.0.0", "update_available": False, "missing_permissions": [], "missing_config": [],
        "api_calls_24h": 0, "events_delivered_24h": 0, "events_failed_24h": 0, "last_event_at": None,
        "last_error": None,
    }  # fmt: skip
    assert status() == nothing
    seen = status((True, DAY, {}), (True, DAY - MS, {}), (False, DAY, {}), (False, DAY - MS, {}))
    assert (seen["events_delivered_24h"], seen["events_failed_24h"]) == (1, 1)
    hour = timedelta(hours=1)
    failed = status((True, 2 * hour, {}), (False, hour, {}))
    error = {"code": "BAD_GATEWAY", "message": "its webhook address answered 500", "field": None, "rule": None,
             "details": {"status": 500}}  # fmt: skip
    assert failed["last_error"] == error and failed["last_event_at"] == stub.clock.now() - 2 * hour
    assert (failed["health"], failed["events_delivered_24h"], failed["events_failed_24h"]) == ("degraded", 1, 1)
    broken = status((False, hour, {"status": None, "error": "nobody answers"}), (True, 2 * hour, {}))["last_error"]
    assert broken == error | {"message": "nobody answers", "details": {"status": None}}
    assert status((False, 2 * hour, {}), (True, hour, {}))["last_error"] is None
    cases = [(1, 1, "failing"), (3, 1, "degraded"), (10, 1, "healthy"), (9, 1, "degraded"), (4, 2, "degraded")]
    for count, bad, health in [*cases, (20, 2, "healthy"), (21, 2, "healthy"), (21, 3, "degraded")]:
        went = [(number >= bad, hour + number * MS, dict[str, Any]()) for number in range(count)]
        assert status(*went)["health"] == health, "the first are the latest"
    aged = [(number >= 3, hour - number * MS, dict[str, Any]()) for number in range(21)]
    assert status(*aged[::-1])["health"] == "healthy", "one of three is before the last twenty"


def test_what_an_app_is_like_is_each_companys_view(
    acme: CrmClient, globex: CrmClient, sales: CrmClient, stub: StubServer, publish: Submit
) -> None:
    app = publish(slug="quick", name="  Quick  ")
    assert (app.name, app.slug) == ("Quick", "quick")
    developer = app.developer.model_dump() if app.developer else {}
    company = some(stub.store.collection("tenant_globex", "tenant").get("tenant_globex"))
    assert developer == {
        "id": "dev_globex", "name": company["name"], "verified": True,
        "website": f"https://{company['domain']}" if company.get("domain") else None,
    }  # fmt: skip
    new = globex.marketplace.apps.create(listing())
    stored(stub, "tenant", "tenant_acme", domain=None)
    bare = acme.marketplace.apps.create(listing())
    assert new.developer and new.developer.verified and bare.developer and bare.developer.website is None
    taken = refused(lambda: globex.marketplace.apps.update(new.id, {"slug": "quick"}))
    assert (taken.status, taken.code, taken.details) == (409, "APP_EXISTS", {"existingId": app.id})
    assert globex.marketplace.apps.update(app.id, {"slug": "quick", "tagline": "T"}).tagline == "T"
    mine = acme.marketplace.apps.get(bare.id)
    as_sales = sales.marketplace.apps.get(bare.id)
    assert mine.client_secret and mine.client_id == as_sales.client_id
    assert (as_sales.client_secret, as_sales.created_by) == (None, "apikey_acme_admin")
