"""Installing: consent, the token and what it may do, settings, updates, and what an uninstalled app leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import ApiError, CrmClient, NotFoundError
from crm_sdk.models import Installation
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import HOUR, SCHEMA, SETTINGS, Submit

NEEDED = ["contacts:read", "deals:update"]
OPTIONAL = ["accounts:read"]


def as_app(stub: StubServer, installation: Installation) -> CrmClient:
    assert installation.access_token
    return stub.client(api_key=str(installation.access_token), dialects="platform", max_retries=0, strict=True)


def may(call: Callable[[], object]) -> bool:
    """Tell whether a call is permitted; what it is about need not be there."""
    try:
        call()
    except ApiError as error:
        return error.code not in ("FORBIDDEN", "UNAUTHORIZED")
    return True


def test_an_app_is_installed_used_and_uninstalled(stub: StubServer, mode: str, call: Any, publish: Submit) -> None:
    app = publish(permissions=NEEDED)
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    made = call(crm.marketplace.apps.install(app.slug, granted_permissions=NEEDED))
    assert (made.app_id, made.app_name, made.app_version, made.status) == (app.id, app.name, "1.0.0", "active")
    assert (made.installed_by, made.created_by, made.granted_permissions) == ("user_ada", "apikey_acme_admin", NEEDED)
    seen = call(crm.marketplace.apps.get(app.id))
    assert (seen.installed, seen.installation_id, seen.install_count) == (True, made.id, 1)
    assert (seen.version, seen.updated_at) == (app.version, app.updated_at)
    (listed,) = [found for found in call(crm.marketplace.installations.list()) if found.id == made.id]
    assert listed.access_token is None
    assert made.id in {found.id for found in call(crm.marketplace.installations.list(category="productivity"))}
    assert made.id not in {found.id for found in call(crm.marketplace.installations.list(category="finance"))}
    assert made.id in {found.id for found in call(crm.marketplace.installations.list(status="active"))}
    refusal = refused(lambda: call(crm.marketplace.apps.install(app.id, granted_permissions=NEEDED)))
    assert (refusal.code, refusal.details) == ("ALREADY_INSTALLED", {"installationId": made.id})
    gone = call(crm.marketplace.apps.uninstall(app.id))
    assert (gone.id, gone.installed, gone.installation_id, gone.install_count) == (app.id, False, None, 0)
    with pytest.raises(NotFoundError):
        call(crm.marketplace.installations.status(made.id))
    assert refused(lambda: call(crm.marketplace.apps.uninstall(app.id))).code == "NOT_INSTALLED"
    deeds = [(entry["action"], entry["entity"], entry["metadata"]["installation_id"]) for entry in stub.audit()[-2:]]
    entity = {"type": "app", "id": app.id, "name": app.name}
    assert deeds == [("app.installed", entity, made.id), ("app.uninstalled", entity, made.id)]


def test_a_company_grants_what_is_needed_and_what_it_has(stub: StubServer, acme: CrmClient, publish: Submit) -> None:
    def check(granted: list[str], code: str, details: dict[str, Any]) -> None:
        app = publish(permissions=NEEDED, optional_permissions=[*OPTIONAL, "audit:delete"])
        before = len(stub.audit())
        refusal = refused(lambda: acme.marketplace.apps.install(app.id, granted_permissions=granted))
        assert (refusal.code, refusal.details) == (code, details)
        assert len(stub.audit()) == before and not acme.marketplace.apps.get(app.id).installed
        made = acme.marketplace.apps.install(app.id, granted_permissions=[f"{NEEDED[1]}@all", *NEEDED, *OPTIONAL])
        assert made.granted_permissions == [NEEDED[1], NEEDED[0], *OPTIONAL]
        refusal = refused(lambda: acme.marketplace.installations.configure(made.id, {}, granted_permissions=granted))
        assert (refusal.code, refusal.details) == (code, details)

    cases: list[tuple[list[str], str, dict[str, Any]]] = [
        (NEEDED[:1], "PERMISSION_NOT_GRANTED", {"missing": NEEDED[1:]}),
        ([], "PERMISSION_NOT_GRANTED", {"missing": NEEDED}),
        ([*NEEDED, "leads:read"], "VALIDATION_ERROR", {}),
        ([*NEEDED, "ships:read"], "VALIDATION_ERROR", {}),
        ([*NEEDED, "audit:delete"], "FORBIDDEN", {"permissions": ["audit:delete"]}),
    ]
    for case in cases:
        check(*case)


def test_a_token_does_what_was_granted_and_nothing_else(stub: StubServer, acme: CrmClient, publish: Submit) -> None:
    app = publish(permissions=NEEDED, optional_permissions=OPTIONAL)
    made = acme.marketplace.apps.install(app.id, granted_permissions=NEEDED)
    ours = as_app(stub, made)
    lead, deal = next(iter(acme.leads.list())), next(iter(acme.deals.list(status="open")))
    calls: dict[str, Callable[[], object]] = {
        "contacts:read": lambda: ours.contacts.list(limit=1),
        "contacts:create": lambda: ours.contacts.create({"name": "Eve"}),
        "contacts:export": lambda: ours.contacts.export(),
        "contacts:import": lambda: ours.contacts.imports.create(b"name\nEve\n"),
        "contacts:delete": lambda: ours.contacts.delete("contact_123"),
        "deals:read": lambda: ours.deals.list(limit=1),
        "deals:update": lambda: ours.deals.update(deal.id, {"title": "Better"}),
        "accounts:read": lambda: ours.accounts.list(limit=1),
        "leads:update": lambda: ours.leads.convert(lead.id),
        "activities:create": lambda: ours.activities.notes.create({"body": "x", "contact_id": "contact_123"}),
        "marketplace:manage": lambda: ours.marketplace.apps.uninstall(app.id),
    }
    permitted = {name for name, call in calls.items() if may(call)}
    assert permitted == set(NEEDED)
    entry = next(entry for entry in reversed(stub.audit()) if entry["action"] == "deal.updated")
    assert (entry["actor"]["type"], entry["actor"]["id"], entry["actor"]["name"]) == ("app", app.id, app.name)
    acme.marketplace.installations.configure(made.id, {}, granted_permissions=[*NEEDED, *OPTIONAL])
    assert {name for name, call in calls.items() if may(call)} == {*NEEDED, *OPTIONAL}
    acme.marketplace.apps.uninstall(app.id)
    assert {name for name, call in calls.items() if may(call)} == set()
    again = as_app(stub, acme.marketplace.apps.install(app.id, granted_permissions=NEEDED))
    assert again.contacts.list(limit=1) and refused(lambda: ours.contacts.list()).status == 401


def test_what_an_app_makes_is_made_by_it(stub: StubServer, acme: CrmClient, publish: Submit) -> None:
    app = publish(permissions=["contacts:create"])
    ours = as_app(stub, acme.marketplace.apps.install(app.id, granted_permissions=["contacts:create"]))
    made = ours.contacts.create({"name": "Eve"})
    assert (made.created_by, made.owner_id) == (app.id, None)
    assert acme.contacts.get(made.id).name == "Eve"


def test_a_search_and_a_feed_show_an_app_no_more(stub: StubServer, acme: CrmClient, publish: Submit) -> None:
    granted = ["search:read", "deals:read"]
    app = publish(permissions=granted)
    made = acme.marketplace.apps.install(app.id, granted_permissions=granted)
    acme.contacts.create({"name": "Zebra Zoo"})
    acme.deals.create({"title": "Zebra deal", "value": 1, "contact_id": "contact_123"})
    found = stub.client(api_key=str(made.access_token), dialects="flow").search.query("zebra")
    assert len(found.deals) == 1 and (found.contacts, found.messages, found.events) == ([], [], [])
    for key, status in ((str(made.access_token), 403), ("acme-admin", 200)):
        reply = stub.handle(Request("GET", "/api/events/stream", "", {"authorization": f"Bearer {key}"}))
        assert reply.status == status


def test_installations_are_each_companys_own(
    acme: CrmClient, globex: CrmClient, sales: CrmClient, publish: Submit
) -> None:
    app = publish()
    ours = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"])
    theirs = globex.marketplace.apps.install(app.id, granted_permissions=["deals:read"])
    assert acme.marketplace.apps.get(app.id).install_count == 2
    with pytest.raises(NotFoundError):
        globex.marketplace.installations.status(ours.id)
    with pytest.raises(NotFoundError):
        globex.marketplace.installations.configure(ours.id, {})
    assert sales.marketplace.installations.status(ours.id).health == "healthy"
    calls: list[Callable[[], object]] = [
        lambda: sales.marketplace.apps.install("clearname", granted_permissions=[]),
        lambda: sales.marketplace.apps.uninstall(app.id),
        lambda: sales.marketplace.installations.configure(ours.id, {}),
        lambda: sales.marketplace.apps.update(app.id, {"name": "Mine"}),
    ]
    assert {refused(call).code for call in calls} == {"FORBIDDEN"}
    acme.marketplace.apps.uninstall(app.id)
    assert globex.marketplace.installations.status(theirs.id).status == "active"
    assert globex.marketplace.apps.get(app.id).install_count == 1


def test_settings_are_completed_and_checked(stub: StubServer, acme: CrmClient, publish: Submit) -> None:
    app = publish(config_schema=SCHEMA)
    made = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], config={"language": "de"})
    installations = acme.marketplace.installations
    assert (made.status, made.config) == ("needs_configuration", {"language": "de"})
    assert installations.status(made.id).missing_config == ["api_key"]
    assert made.id in {found.id for found in installations.list(status="needs_configuration")}
    refusal = refused(lambda: installations.configure(made.id, {"language": "en"}))
    assert [(error.field, error.rule) for error in refusal.fields] == [("config.api_key", "required")]
    done = installations.configure(made.id, {"api_key": SETTINGS["api_key"], "days": 30}, version=1)
    assert (done.status, done.version) == ("active", 2)
    assert done.config == {"language": "de", "api_key": "••••abcd", "days": 30}
    events = len(stub.audit())
    again = installations.configure(made.id, dict(done.config))
    assert (again.version, again.updated_at, len(stub.audit())) == (2, done.updated_at, events)
    entry = stub.audit()[-1]
    assert (entry["action"], entry["entity"]["id"], entry["metadata"]["installation_id"]) == (
        "app.configured", app.id, made.id,
    )  # fmt: skip
    assert [change["field"] for change in entry["changes"]] == ["config"]
    other = installations.configure(made.id, {"api_key": "key-of-another-abcd", "days": None})
    assert (other.version, other.config) == (3, {"language": "de", "api_key": "••••abcd"})
    assert refused(lambda: installations.configure(made.id, {}, version=2)).code == "VERSION_CONFLICT"
    everything = json.dumps([dict(doc) for kind in stub.store.of_company("tenant_acme") for doc in kind], default=str)
    assert "key-0123456789abcd" not in everything and "key-of-another" not in everything


def test_settings_that_do_not_fit_are_named(acme: CrmClient, publish: Submit) -> None:
    app = publish(config_schema=SCHEMA)
    made = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], config=SETTINGS)
    assert made.status == "active"
    wrong: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
        ({"strange": 1}, [("strange", "unknown", "the app has no setting 'strange'")]),
        ({"days": "many"}, [("days", "type", "must be a number")]),
        ({"days": True}, [("days", "type", "must be a number")]),
        ({"language": "fr"}, [("language", "choice", "'fr' is not one of en, de")]),
        ({"copy_to": "nobody"}, [("copy_to", "format", "must be an e-mail address, like ada@example.com")]),
        ({"copy_to": 5}, [("copy_to", "type", "must be a text")]),
        ({"api_key": "••••wxyz"}, [
            ("api_key", "format", "is the mask of another secret: send the secret itself"),
        ]),
        ({"api_key": "x" * 10_001}, [("api_key", "length", "has more than 10,000 characters")]),
        ({"api_key": None}, [("api_key", "required", "has no value")]),
        ({"api_key": "", "days": "x"}, [
            ("days", "type", "must be a number"), ("api_key", "required", "has no value"),
        ]),
    ]  # fmt: skip
    for config, errors in wrong:
        refusal = refused(partial(acme.marketplace.installations.configure, made.id, config))
        found = [(error.field, error.rule, error.message) for error in refusal.fields]
        assert (refusal.status, found) == (422, [(f"config.{key}", *rest) for key, *rest in errors]), config
    assert acme.marketplace.installations.status(made.id).status == "active"


def test_a_value_is_of_its_fields_type(acme: CrmClient, publish: Submit) -> None:
    fields: list[tuple[Any, list[Any], list[Any]]] = [
        ({"type": "text"}, ["x" * 10_000, "••••wxyz"], ["x" * 10_001, 1]),
        ({"type": "text", "pattern": "[A-Z]{2}-"}, ["DE-"], ["de-", "XDE-", "DE-1"]),
        ({"type": "text", "pattern": "(a+)+"}, ["a"], ["a" * 5_000 + "b"]),
        ({"type": "url"}, ["https://x.example/y"], ["x.example", 1]),
        ({"type": "boolean"}, [True, False], ["true", 1]),
        ({"type": "number"}, [1, 0, -2.5], ["1", True]),
    ]
    schema = [{"key": f"it_{at}", "label": "It", **field} for at, (field, _, _) in enumerate(fields)]
    made = acme.marketplace.apps.install(publish(config_schema=schema).id, granted_permissions=["deals:read"])
    path = f"/v1/marketplace/installations/{made.id}/config"
    for one, (_, good, bad) in zip(schema, fields, strict=True):
        for value in good:
            answer = acme.request("PUT", path, json={"config": {one["key"]: value}})
            assert answer.status == 200 and answer.json()["data"]["config"][one["key"]] == value, (one, value)
        for value in bad:
            assert acme.request("PUT", path, json={"config": {one["key"]: value}}).status == 422, (one, value)


@pytest.mark.parametrize("keep", [True, False])
def test_settings_are_kept_for_the_next_time_or_erased(
    stub: StubServer, acme: CrmClient, publish: Submit, keep: bool
) -> None:
    app = publish(config_schema=SCHEMA)
    made = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], config=SETTINGS)
    acme.marketplace.apps.uninstall(app.id, keep_data=keep)
    stored = stub.store.collection("tenant_acme", "installation").get(made.id, deleted=True)
    assert stored is not None and stored["config"] == {}
    again = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"])
    assert again.id != made.id
    expected = ("active", {"api_key": "••••abcd", "language": "de"}) if keep else ("needs_configuration", {})
    assert (again.status, again.config) == expected


def test_an_update_waits_for_the_permissions_it_needs(
    stub: StubServer, acme: CrmClient, globex: CrmClient, publish: Submit
) -> None:
    app = publish(config_schema=SCHEMA[1:3], optional_permissions=["files:read"])
    granted = ["deals:read", "files:read"]
    made = acme.marketplace.apps.install(app.id, granted_permissions=granted, config={"language": "de", "days": 3})
    globex.marketplace.apps.versions.create(
        app.id,
        {
            "version": "2.0.0",
            "changelog": "Contacts",
            "permissions": ["deals:read", "contacts:read"],
            "optional_permissions": [],
            "config_schema": [SCHEMA[2], SCHEMA[3] | {"required": True}],
        },
    )
    installations = acme.marketplace.installations
    assert installations.status(made.id).update_available is False
    stub.clock.advance(HOUR)
    assert [found.status for found in installations.list() if found.id == made.id] == ["update_available"]
    assert made.id in {found.id for found in installations.list(status="update_available")}
    state = installations.status(made.id)
    assert (state.version, state.latest_version, state.update_available) == ("1.0.0", "2.0.0", True)
    assert (state.missing_permissions, state.missing_config) == (["contacts:read"], ["copy_to"])
    stays = installations.configure(made.id, {"days": 4})
    assert (stays.app_version, stays.status, stays.config["days"]) == ("1.0.0", "update_available", 4)
    refusal = refused(lambda: installations.configure(made.id, {}, granted_permissions=["deals:read"]))
    assert refusal.code == "PERMISSION_NOT_GRANTED"
    both = ["deals:read", "contacts:read"]
    refusal = refused(lambda: installations.configure(made.id, {}, granted_permissions=both))
    assert [error.field for error in refusal.fields] == ["config.copy_to"]
    done = installations.configure(made.id, {"copy_to": "it@acme.test"}, granted_permissions=both)
    assert (done.app_version, done.status, done.granted_permissions) == ("2.0.0", "active", both)
    assert done.config == {"language": "de", "copy_to": "it@acme.test"}, "what the version has no more is gone"
    assert stub.audit()[-1]["action"] == "app.configured"


def test_an_update_without_new_permissions_comes_with_the_next_configuring(
    stub: StubServer, acme: CrmClient, globex: CrmClient, publish: Submit
) -> None:
    app = publish()
    made = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"])
    globex.marketplace.apps.versions.create(app.id, {"version": "1.1.0", "changelog": "c"})
    stub.clock.advance(HOUR)
    assert acme.marketplace.installations.configure(made.id, {}).app_version == "1.1.0"
    acme.marketplace.apps.uninstall(app.id)
    older = acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], version="1.0.0")
    assert (older.app_version, older.status) == ("1.0.0", "update_available")
    acme.marketplace.apps.uninstall(app.id)
    refusal = refused(
        lambda: acme.marketplace.apps.install(app.id, granted_permissions=["deals:read"], version="3.0.0")
    )
    assert (refusal.status, refusal.fields[0].field) == (422, "version")
