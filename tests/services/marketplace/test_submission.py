"""What developers submit: what a listing needs, its review on the clock, its versions, and who may change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from crm_sdk.models import App
from server_stub import StubServer

from .conftest import HOUR, SCHEMA, Submit, listing


def deeds(stub: StubServer, app: App, tenant: str = "tenant_acme") -> list[str]:
    return [entry["action"] for entry in stub.audit(tenant) if entry["entity"]["id"] == app.id]


def test_a_submitted_app_is_reviewed_on_the_clock(stub: StubServer, acme: CrmClient, globex: CrmClient) -> None:
    made = acme.marketplace.apps.create(listing(name="Äpfel & Birnen!"))
    assert (made.slug, made.status, made.app_version, made.published_at) == ("apfel-birnen", "in_review", "1.0.0", None)
    assert (made.rating, made.install_count, made.installed, made.pricing and made.pricing.model) == (
        0,
        0,
        False,
        "free",
    )
    assert made.developer and (made.developer.name, made.developer.verified) == ("Acme", True)  # by its app of the demo
    refusal = refused(lambda: acme.marketplace.apps.install(made.id, granted_permissions=["deals:read"]))
    assert (refusal.status, refusal.code) == (409, "APP_NOT_PUBLISHED")
    for call in (globex.marketplace.apps.get, globex.marketplace.apps.analytics, globex.marketplace.apps.uninstall):
        with pytest.raises(NotFoundError):
            call(made.id)
    stub.clock.advance(HOUR - 60)
    assert acme.marketplace.apps.get("apfel-birnen").status == "in_review"
    stub.clock.advance(61)
    seen = acme.marketplace.apps.get(made.id)
    assert (seen.status, seen.published_at) == ("published", stub.audit()[-2]["occurred_at"])
    assert deeds(stub, made) == ["app.submitted", "app.published"]
    (told,) = [
        doc for doc in stub.store.collection("tenant_acme", "notification") if doc["metadata"].get("appId") == made.id
    ]
    assert (told["user_id"], told["title"]) == ("user_ada", f"{made.name} 1.0.0 is published")
    assert globex.marketplace.apps.get("Apfel-Birnen").id == made.id


def test_an_incomplete_listing_is_rejected_until_it_is_completed(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"events": ["deal.won"]}, "webhook_url"),
        ({"events": ["contact.created"], "webhook_url": "https://quotes.example/hook"}, "contacts:read"),
        ({"events": ["role.created"], "webhook_url": "https://quotes.example/hook"}, "users:read"),
        ({"events": ["backup.completed"], "webhook_url": "https://quotes.example/hook"}, "audit:read"),
        ({"pricing": {"model": "one_time", "amount": 5}}, "currency"),
        ({"pricing": {"model": "subscription", "amount": 5, "currency": "EUR"}}, "how often"),
    ]
    for members, reason in cases:
        made = acme.marketplace.apps.create(listing(**members))
        stub.clock.advance(HOUR)
        assert acme.marketplace.apps.get(made.id).status == "rejected"
        entry = [entry for entry in stub.audit() if entry["action"] == "app.rejected"][-1]
        assert entry["entity"]["id"] == made.id
        assert reason in entry["reason"] and entry["metadata"]["reasons"] == [entry["reason"]]
        changes: Any = {"events": [], "pricing": {"model": "free"}}
        assert acme.marketplace.apps.update(made.id, changes).status == "in_review"
        stub.clock.advance(HOUR)
        assert acme.marketplace.apps.get(made.id).status == "published"


def test_what_cannot_be_submitted_is_named(stub: StubServer, acme: CrmClient) -> None:
    def check(members: dict[str, Any], field: str, code: str) -> None:
        before = len(stub.audit())
        refusal = refused(lambda: acme.marketplace.apps.create(listing(**members)))
        assert (refusal.code, refusal.fields[0].field) == (code, field)
        assert len(stub.audit()) == before

    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"permissions": ["contacts:juggle"]}, "permissions.0", "VALIDATION_ERROR"),
        ({"optional_permissions": ["ships:read"]}, "optional_permissions.0", "VALIDATION_ERROR"),
        ({"events": ["deal.won", "deal.exploded"]}, "events.1", "VALIDATION_ERROR"),
        ({"events": ["auth.login"]}, "events.0", "VALIDATION_ERROR"),
        ({"slug": "search"}, "slug", "VALIDATION_ERROR"),
        ({"slug": "ringbridge"}, "slug", "APP_EXISTS"),
        ({"name": "Ringbridge"}, "slug", "APP_EXISTS"),
        ({"config_schema": [SCHEMA[0], SCHEMA[0]]}, "config_schema.1.key", "VALIDATION_ERROR"),
        ({"config_schema": [{**SCHEMA[2], "options": []}]}, "config_schema.0.options", "VALIDATION_ERROR"),
        ({"config_schema": [{**SCHEMA[3], "pattern": "(?=a"}]}, "config_schema.0.pattern", "VALIDATION_ERROR"),
        ({"config_schema": [{**SCHEMA[1], "pattern": "a"}]}, "config_schema.0.pattern", "VALIDATION_ERROR"),
        ({"config_schema": [{**SCHEMA[0], "default": "x"}]}, "config_schema.0.default", "VALIDATION_ERROR"),
        ({"config_schema": [{**SCHEMA[1], "default": "x"}]}, "config_schema.0.default", "VALIDATION_ERROR"),
    ]
    for case in cases:
        check(*case)


def test_what_has_no_form_is_named(acme: CrmClient) -> None:
    cases: list[tuple[str, Any, str]] = [
        ("permissions", ["contacts:read@own"], "permissions.0"),
        ("permissions", "contacts:read", "permissions"),
        ("supportEmail", "a@b..example", "supportEmail"),
        ("tagline", " ", "tagline"),
        ("category", "nowhere", "category"),
        ("slug", "No Slug", "slug"),
        ("pricing", {"model": "barter"}, "pricing.model"),
        ("pricing", {"model": "free", "trialDays": -1}, "pricing.trialDays"),
        ("screenshots", ["https://a.example/x.png"] * 11, "screenshots"),
        ("stray", 1, "stray"),
    ]
    for member, value, field in cases:
        app = acme.marketplace.apps.create(listing())
        refusal = acme.request("PUT", f"/v1/marketplace/apps/{app.slug}", json={member: value})
        assert (refusal.status, refusal.json()["errors"][0]["field"]) == (422, field)


def test_a_name_that_is_no_slug_gets_one(acme: CrmClient) -> None:
    assert acme.marketplace.apps.create(listing(name="Featured")).slug == "featured-app"
    assert acme.marketplace.apps.create(listing(name="Ωμέγα")).slug == "app"


def test_the_slug_of_an_app_that_one_may_not_see_is_taken_without_its_id(acme: CrmClient, globex: CrmClient) -> None:
    acme.marketplace.apps.create(listing(slug="hidden"))
    assert refused(lambda: globex.marketplace.apps.create(listing(slug="hidden"))).details == {}
    known = refused(lambda: globex.marketplace.apps.create(listing(slug="ringbridge")))
    assert known.details == {"existingId": "app_ringbridge"}


@pytest.mark.parametrize("who", ["acme", "sales"])
def test_no_other_company_writes_an_app(request: pytest.FixtureRequest, publish: Submit, who: str) -> None:
    app, client = publish(), request.getfixturevalue(who)
    calls: list[Callable[[], object]] = [
        lambda: client.marketplace.apps.update(app.id, {"name": "Ours"}),
        lambda: client.marketplace.apps.analytics(app.id),
        lambda: client.marketplace.apps.versions.create(app.id, {"version": "1.1.0", "changelog": "c"}),
    ]
    assert [refused(call).code for call in calls] == ["FORBIDDEN"] * 3


def test_the_developer_sees_and_changes_more_of_an_app(
    stub: StubServer, acme: CrmClient, globex: CrmClient, publish: Submit
) -> None:
    app = publish()
    theirs, ours = acme.marketplace.apps.get(app.id), globex.marketplace.apps.get(app.id)
    assert (theirs.client_id, theirs.client_secret, theirs.created_by) == (None, None, "system")
    assert ours.client_id and ours.client_secret and ours.created_by == "apikey_globex_admin"
    new = globex.marketplace.apps.update(app.slug or "", {"tagline": "Better"}, version=ours.version)
    assert (new.tagline, acme.marketplace.apps.get(app.id).tagline) == ("Better", "Better")
    assert deeds(stub, app, "tenant_globex")[-1] == "app.updated" and deeds(stub, app) == []


def test_what_a_published_app_asks_for_changes_by_a_version(
    globex: CrmClient, acme: CrmClient, publish: Submit
) -> None:
    def check(change: Any) -> None:
        app = publish(config_schema=SCHEMA)
        refusal = refused(lambda: globex.marketplace.apps.update(app.id, change))
        assert (refusal.status, refusal.code) == (409, "NEW_VERSION_REQUIRED")
        same = {
            name: app.model_dump(mode="json", by_alias=True)[name] for name in ("permissions", "events", "configSchema")
        }
        assert (
            globex.request("PUT", f"/v1/marketplace/apps/{app.id}", json=same).json()["data"]["version"] == app.version
        )
        mine = acme.marketplace.apps.create(listing())
        acme.marketplace.apps.update(mine.id, change)  # in review it changes as it likes

    cases: list[Any] = [
        {"permissions": []},
        {"optional_permissions": ["files:read"]},
        {"events": ["deal.won"]},
        {"config_schema": SCHEMA[1:]},
    ]
    for case in cases:
        check(case)


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9", "1.0.0-rc.1"])
def test_a_version_is_newer(globex: CrmClient, publish: Submit, version: str) -> None:
    app = publish()
    made = lambda: globex.marketplace.apps.versions.create(app.id, {"version": version, "changelog": "c"})  # noqa: E731 # it is called by `refused`
    refusal = refused(made)
    assert (refusal.status, refusal.code, refusal.fields[0].field) == (409, "VERSION_NOT_NEWER", "version")


def test_versions_come_in_the_order_of_semver(stub: StubServer, globex: CrmClient, publish: Submit) -> None:
    cases: list[tuple[str, str]] = [
        ("1.9.9", "1.10.0"),
        ("2.0.0-alpha", "2.0.0"),
        ("2.0.0-alpha.2", "2.0.0-alpha.10"),
        ("2.0.0-9", "2.0.0-alpha"),
    ]
    for less, more in cases:
        app = publish()
        for version in (less, more):
            globex.marketplace.apps.versions.create(app.id, {"app_version": version, "changelog": "c"})
            stub.clock.advance(HOUR)
            assert globex.marketplace.apps.get(app.id).app_version == version


def test_one_review_at_a_time(stub: StubServer, acme: CrmClient) -> None:
    app = acme.marketplace.apps.create(listing())
    versions = acme.marketplace.apps.versions

    def pending() -> str:
        return refused(lambda: versions.create(app.id, {"version": "1.1.0", "changelog": "c"})).code

    assert pending() == "REVIEW_PENDING"
    stub.clock.advance(HOUR)
    made = versions.create(app.id, {"version": "1.1.0", "changelog": "New", "optional_permissions": ["contacts:read"]})
    assert (made.app_version, made.status, made.version) == ("1.1.0", "in_review", 1)
    assert (made.permissions, made.optional_permissions) == (["deals:read"], ["contacts:read"])
    assert pending() == "REVIEW_PENDING"
    assert acme.marketplace.apps.get(app.id).app_version == "1.0.0"
    stub.clock.advance(HOUR)
    seen = acme.marketplace.apps.get(app.id)
    assert (seen.app_version, seen.optional_permissions) == ("1.1.0", ["contacts:read"])
    assert deeds(stub, app) == ["app.submitted", "app.published", "app.version_submitted", "app.published"]


def test_a_rejected_version_leaves_the_app_as_it_was(stub: StubServer, acme: CrmClient) -> None:
    app = acme.marketplace.apps.create(listing())
    stub.clock.advance(HOUR)
    acme.marketplace.apps.versions.create(app.id, {"version": "2.0.0", "changelog": "c", "events": ["deal.won"]})
    stub.clock.advance(HOUR)
    seen = acme.marketplace.apps.get(app.id)
    assert (seen.status, seen.app_version, seen.events) == ("published", "1.0.0", [])
    assert stub.audit()[-2]["action"] == "app.rejected" and "webhook_url" in stub.audit()[-2]["reason"]

    versions = stub.store.collection("", "app_version")
    states = [(one["app_version"], one["status"]) for one in versions.find("app_id", app.id)]
    assert states == [("1.0.0", "published"), ("2.0.0", "rejected")]
    acme.marketplace.apps.versions.create(app.id, {"version": "2.0.0", "changelog": "again"})
    stub.clock.advance(HOUR)
    assert [one["status"] for one in versions.find("app_id", app.id)] == ["published", "rejected", "published"]


def test_a_rejected_app_can_come_as_another_version(stub: StubServer, acme: CrmClient) -> None:
    app = acme.marketplace.apps.create(listing(events=["deal.won"]))
    stub.clock.advance(HOUR)
    acme.marketplace.apps.versions.create(app.id, {"version": "1.0.1", "changelog": "c", "events": []})
    assert acme.marketplace.apps.get(app.id).status == "in_review"
    stub.clock.advance(HOUR)
    seen = acme.marketplace.apps.get(app.id)
    assert (seen.status, seen.app_version) == ("published", "1.0.1")


@pytest.mark.parametrize(
    ("body", "field"), [({}, "app_version"), ({"app_version": "1.1.0", "version": "1.2.0"}, "app_version")]
)
def test_a_version_has_one_number(acme: CrmClient, body: Any, field: str) -> None:
    app = acme.marketplace.apps.create(listing())
    refusal = refused(lambda: acme.marketplace.apps.versions.create(app.id, body | {"changelog": "c"}))
    (wrong,) = refusal.fields
    assert (refusal.status, wrong.field, wrong.rule) == (422, field, "choice" if body else "required")
    missing = {"version": "1.1.0", "changelog": "c", "package_file_id": "file_none"}
    assert refused(lambda: acme.marketplace.apps.versions.create(app.id, missing)).code == "REFERENCE_NOT_FOUND"  # type: ignore[arg-type] # a dict of texts
