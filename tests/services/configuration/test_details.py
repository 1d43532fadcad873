"""What settings, flags, territories and the environment say of themselves, and what their changes tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import Setting
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import New

# key, type, default; then its levels, its options or bounds
SETTINGS = """
records.page_size integer 50 tenant,user 1..200
customization.strict_fields boolean False tenant
activities.reminder_minutes list [1440,60,15] tenant,team,user
calendar.meeting_minutes integer 30 tenant,user
calendar.buffer_minutes integer 0 tenant,user
calendar.feed_allowed boolean True tenant
imports.max_rows integer 100000 tenant 1..1000000
exports.keep_days integer 7 tenant
deals.rotten_notify boolean True tenant,team
backup.keep integer 7 tenant
backup.rpo_hours integer 24 tenant
chatops.confirm_writes boolean True tenant
privacy.block_erased boolean True tenant
ui.density select comfortable user comfortable,compact
ui.home_dashboard_id text None tenant,role,team,user
"""


def shown(crm: CrmClient, key: str, **level: Any) -> Setting:
    (found,) = crm.configuration.settings.list(keys=[key], **level)
    return found


def test_what_settings_are(admin: CrmClient) -> None:
    found = {one.key: one for one in admin.configuration.settings.list()}
    assert list(found) == sorted(found)
    for line in SETTINGS.strip().splitlines():
        key, kind, default, scopes, *more = line.split()
        one = found[key]
        assert (one.type, str(one.default).replace(" ", ""), ",".join(one.scopes)) == (kind, default, scopes), key
        assert (one.value, one.source, one.locked, one.secret) == (one.default, "default", False, False), key
        assert (one.updated_at, one.updated_by, one.group) == (None, None, key.partition(".")[0])
        assert one.label and one.description
        if kind != "integer":
            assert (one.min_value, one.max_value) == (None, None)
        elif more:
            assert f"{one.min_value}..{one.max_value}" == more[0]
        options = [option.value for option in one.options]
        assert options == (more[0].split(",") if kind == "select" else [])
    density = found["ui.density"].options
    assert [(one.value, one.label, one.position, one.active) for one in density] == [
        ("comfortable", "Comfortable", 0, True), ("compact", "Compact", 1, True),
    ]  # fmt: skip
    german = {one.key: one for one in admin.with_options(language="de").configuration.settings.list(group="ui")}
    assert {one.group for one in german.values()} == {"ui"} and "records.page_size" not in german
    assert german["ui.density"].label != found["ui.density"].label
    assert {one.key for one in admin.configuration.settings.list(scope="role", scope_id="sales")} == {
        key for key, one in found.items() if "role" in one.scopes
    }
    assert shown(admin, "ui.density", scope="user").value is None
    unchanged = {one.key for one in admin.configuration.settings.list(changed=False)}
    assert unchanged == {key for key, one in found.items() if one.source == "default"}
    assert admin.configuration.settings.list(scope="tenant", scope_id="elsewhere") == []
    assert admin.configuration.settings.list(scope="tenant", scope_id="tenant_acme") != []
    assert admin.configuration.settings.list(scope="tenant", scope_id="current") != []


def test_what_a_change_of_settings_tells(stub: StubServer, admin: CrmClient) -> None:
    put, begin = admin.configuration.settings.update, len(stub.audit())

    def told() -> list[tuple[Any, ...]]:
        nonlocal begin
        entries, begin = stub.audit()[begin:], len(stub.audit())
        assert {one["action"] for one in entries} <= {"configuration.settings_updated"}
        return [
            (one["metadata"]["scope"], one["metadata"]["scope_id"], one["metadata"]["keys"],
             [(each["field"], each["before"], each["after"]) for each in one["changes"]])
            for one in entries
        ]  # fmt: skip

    both = put({"calendar.buffer_minutes": 5, "backup.keep": 3})
    assert [one.key for one in both] == ["backup.keep", "calendar.buffer_minutes"]
    assert told() == [("tenant", "tenant_acme", ["backup.keep", "calendar.buffer_minutes"],
                       [("calendar.buffer_minutes", None, 5), ("backup.keep", None, 3)])]  # fmt: skip
    put({"calendar.buffer_minutes": 5}, locked=True)
    assert told() == [("tenant", "tenant_acme", ["calendar.buffer_minutes"],
                       [("calendar.buffer_minutes locked", False, True)])]  # fmt: skip
    put({"calendar.buffer_minutes": 6}, locked=False)
    ((*_, changes),) = told()
    assert changes == [("calendar.buffer_minutes", 5, 6), ("calendar.buffer_minutes locked", True, False)]
    version = admin.configuration.environment().settings_version
    put({"calendar.buffer_minutes": 6})
    assert told() == [] and admin.configuration.environment().settings_version == version
    put({"calendar.buffer_minutes": 7}, scope="user", scope_id="user_sam")
    assert told() == [("user", "user_sam", ["calendar.buffer_minutes"], [("calendar.buffer_minutes", None, 7)])]
    put({"calendar.buffer_minutes": None}, scope="user", scope_id="user_sam")
    assert told() == [("user", "user_sam", ["calendar.buffer_minutes"], [("calendar.buffer_minutes", 7, None)])]
    put({"calendar.buffer_minutes": None}, scope="user", scope_id="user_sam")
    assert told() == []
    put({"env.KEY": {"value": "longer-secret", "secret": True}})
    assert told()[0][3] == [("env.KEY", None, "••••cret")]
    put({"env.KEY": {"value": "other-one"}})
    assert told()[0][3] == [("env.KEY", "••••cret", "••••-one")] and shown(admin, "env.KEY").secret
    put({"env.PLAIN": "x"})
    assert told()[0][3] == [("env.PLAIN", None, "x")] and not shown(admin, "env.PLAIN").secret
    put({"env.FLAG": True})
    put({"env.FLAG": 1})
    assert [one[3] for one in told()][-1] == [("env.FLAG", True, 1)], "true is another value than 1"


def test_levels_that_are_not_there(stub: StubServer, admin: CrmClient, new: New) -> None:
    put = admin.configuration.settings.update
    for scope, scope_id, code, field in (
        ("role", None, "VALIDATION_ERROR", "scope_id"), ("team", None, "VALIDATION_ERROR", "scope_id"),
        ("role", "nobody", "REFERENCE_NOT_FOUND", "scope_id"), ("user", "user_none", "REFERENCE_NOT_FOUND", "scope_id"),
        ("tenant", "tenant_globex", "REFERENCE_NOT_FOUND", "scope_id"),
    ):  # fmt: skip
        level: Any = {"scope": scope, "scope_id": scope_id}
        error = refused(lambda level=level: put({"ui.navigation": ["deal"]}, **level))  # type: ignore[misc] # the value of this turn is bound
        assert (error.fields[0].code or error.code, error.fields[0].field) == (code, field), level
    locked = refused(lambda: put({"backup.keep": None}, locked=True))
    assert [(one.field, one.rule) for one in locked.fields] == [("values.backup.keep", "required")]
    user_lock = refused(lambda: put({"ui.density": "compact"}, scope="user", locked=True))
    assert [(one.field, one.rule) for one in user_lock.fields] == [("locked", "choice")]
    secret: Any = {"env.X": {"value": "x", "secret": "yes"}}
    assert [(one.field or "")[-7:] for one in refused(lambda: put(secret)).fields] == [".secret"]
    put({"calendar.buffer_minutes": 5}, locked=True)
    conflict = refused(lambda: put({"calendar.buffer_minutes": 6, "ui.density": "compact"}, scope="user"))
    assert (conflict.code, conflict.details) == (
        "SETTING_LOCKED",
        {"key": "calendar.buffer_minutes", "scope": "tenant"},
    )
    put({"calendar.buffer_minutes": 7})
    wrong = refused(lambda: put({"ui.navigation": ["deal", "x", "y"], "ui.density": "compact"}))
    assert [(one.field, one.code) for one in wrong.fields] == [
        ("values.ui.navigation", "VALIDATION_ERROR"), ("values.ui.navigation", "VALIDATION_ERROR"),
        ("values.ui.density", "SETTING_SCOPE"),
    ]  # fmt: skip
    put({"ui.navigation": ["deal", "onboarding"], "ui.terminology": {"onboarding": {"one": "O", "many": "Os"}}})
    assert admin.objects.describe("onboarding").label == "O"


def test_the_environment_names_the_host_that_was_asked(stub: StubServer, admin: CrmClient) -> None:
    def environment(**headers: str) -> Any:
        import json

        whole = {"authorization": "Bearer acme-admin", **headers}
        return json.loads(stub.handle(Request("GET", "/v1/configuration/environment", headers=whole)).body)["data"]

    for host, named in (({"host": "crm.example:8443"}, "crm.example:8443"), ({}, "stub.test")):
        found = environment(**host)
        assert (found["baseUrl"], found["websocketUrl"]) == (f"http://{named}", f"ws://{named}/ws")
    assert environment()["region"] == admin.tenants.get("current").region
    assert environment()["epoch"] == "e1"


# -- flags -------------------------------------------------------------------------------------------------------------


def test_what_flags_are(stub: StubServer, admin: CrmClient) -> None:
    flags, begin = admin.configuration.flags, len(stub.audit())
    filters: Any = [{"field": "user.role", "op": "eq", "value": "admin"}]
    made = flags.create({"key": "beta.one", "name": " Beta ", "rules": [{"value": True, "filters": filters}]})
    assert (made.name, made.type, made.enabled, made.default, made.expires_at) == ("Beta", "boolean", True, False, None)
    assert (made.evaluation_count or 0, made.version) == (0, 1)
    assert [(one.name, one.percentage, one.value) for one in made.rules] == [(None, 100, True)]
    assert flags.update("beta.one", {"rules": []}).rules == []
    flags.delete("beta.one")
    assert [entry["action"] for entry in stub.audit()[begin:]] == ["flag.created", "flag.updated", "flag.deleted"]
    for attempt in (
        lambda: flags.delete("beta.one"), lambda: flags.update("beta.one", {"name": "x"}),
        lambda: flags.update("Beta.one", {"name": "x"}),
    ):  # fmt: skip
        assert refused(attempt).code == "NOT_FOUND"
    cases: list[tuple[Any, str, str]] = [
        ({"type": "integer", "default": True}, "default", "type"), ({"type": "integer"}, "default", "type"),
        ({"default": 0}, "default", "type"), ({"rules": [{"value": True}, {"value": "x"}]}, "rules.1.value", "type"),
        ({"key": "contacts"}, "key", "unique"),
    ]  # fmt: skip
    for members, field, rule in cases:
        body: Any = {"key": "some", "name": "S", **members}
        error = refused(lambda body=body: flags.create(body))  # type: ignore[misc] # the value of this turn is bound
        assert (error.fields[0].field, error.fields[0].rule) == (field, rule)
    wrong: Any = [{"value": True}, {"value": True, "filters": [*filters, {"field": "user.x", "op": "eq", "value": 1}]}]
    error = refused(lambda: flags.create({"key": "some", "name": "S", "rules": wrong}))
    assert error.fields[0].field == "rules.1.filters.1.field"


def test_the_first_rule_that_fits_decides(stub: StubServer, admin: CrmClient, new: New) -> None:
    flags, (user_id, crm) = admin.configuration.flags, new()
    at = stub.clock.now() + timedelta(hours=1)

    def rule(value: int, field: str, wanted: Any, **more: Any) -> Any:
        return {"value": value, "filters": [{"field": field, "op": "eq", "value": wanted}], **more}

    flags.create({
        "key": "nn", "name": "N", "type": "integer", "default": 0, "expires_at": at,
        "rules": [
            rule(1, "user.id", "user_ada", percentage=0), rule(2, "user.role", "sales"),
            rule(3, "attributes.beta", True),
            rule(4, "tenant.plan", "enterprise", percentage=99.9), {"value": 5, "filters": []},
        ],
    })  # fmt: skip

    def asked(client: CrmClient, **more: Any) -> tuple[Any, str, int | None]:
        (one,) = client.configuration.flags.evaluate(["nn"], **more)
        assert one.key == "nn" and one.version == 1
        return one.value, one.reason or "", one.rule_index

    assert asked(crm) == (2, "rule", 1) and asked(admin, user_id=user_id) == (2, "rule", 1)
    assert asked(admin, attributes={"beta": True}) == (3, "rule", 2)
    assert asked(admin, attributes={"beta": None}) == (4, "split", 3)
    assert asked(crm, user_id=user_id) == (2, "rule", 1), "one may ask for oneself"
    stub.clock.advance((at - stub.clock.now()).total_seconds() - 0.002)
    assert asked(admin, attributes={"beta": True}) == (3, "rule", 2)
    assert asked(admin, attributes={"beta": True}) == (0, "expired", None)
    assert [flag.key for flag in flags.list(expired=True) if flag.key == "nn"] == ["nn"]
    count = next(flag.evaluation_count for flag in flags.list(search="nn") if flag.key == "nn")
    assert count == 7
    keyed = flags.evaluate(["nn", "nothing", "nn"], defaults={"nothing": "x"})
    assert [(one.key, one.value, one.reason) for one in keyed] == [
        ("nn", 0, "expired"), ("nothing", "x", "error"), ("nn", 0, "expired"),
    ]  # fmt: skip
    assert [one.key for one in flags.list(sort="key", order="desc")] == sorted(
        (one.key for one in flags.list()), reverse=True
    )


# -- territories -------------------------------------------------------------------------------------------------------


def test_what_territories_are(stub: StubServer, admin: CrmClient) -> None:
    territories, begin = admin.configuration.territories, len(stub.audit())
    parent = territories.create({"name": " Alps ", "code": "alps", "priority": 7})
    assert (parent.name, parent.active, parent.account_count, parent.lead_count) == ("Alps", True, 0, 0)
    child = territories.create({"name": "Tyrol", "parent_id": parent.id, "member_ids": ["user_sam"]})
    deeds = [entry["action"] for entry in stub.audit()[begin:] if entry["entity"]["type"] == "territory"]
    assert deeds == ["territory.created", "territory.created"]
    cycle = refused(lambda: territories.update(parent.id, {"parent_id": child.id}))
    assert (cycle.status, cycle.code) == (409, "HIERARCHY_CYCLE")
    assert [one.id for one in territories.list(member_id="user_sam") if one.id in (parent.id, child.id)] == [child.id]
    assert [one.id for one in territories.list(parent_id=parent.id)] == [child.id]
    assert [one.id for one in territories.list(search="alps")] == [parent.id]
    rules: Any = [{"field": "industry", "op": "in", "values": ["a", "b"]}, {"field": "country", "op": "is_set"}]
    kept = territories.update(child.id, {"rules": rules}).rules
    assert [(one.field, one.op, one.value, one.values) for one in kept] == [
        ("industry", "in", None, ["a", "b"]), ("country", "is_set", None, []),
    ]  # fmt: skip
    account = admin.accounts.create({"name": "A", "industry": "a", "billing_address": {"country": "AT"}})
    moved = admin.accounts.get(account.id)
    assert moved.territory_id == child.id
    assert territories.get(child.id).account_count == 1
    begin = len(stub.audit())
    territories.update(child.id, {"active": False})
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[begin:]]
    assert told.count(("account.territory_changed", account.id)) == 1 and ("territory.updated", child.id) in told
    assert admin.accounts.get(account.id).territory_id is None
    begin = len(stub.audit())
    territories.update(child.id, {"code": "ty", "manager_id": "user_ada"})
    assert [entry["action"] for entry in stub.audit()[begin:]] == ["territory.updated"]
    used = refused(lambda: territories.delete(parent.id))
    assert (used.code, used.details) == ("TERRITORY_IN_USE", {"territories": 1})
    assert "1 territories" in str(used)
    territories.delete(child.id)
    begin = len(stub.audit())
    territories.delete(parent.id, move_to="territory_europe")
    assert [entry["action"] for entry in stub.audit()[begin:]] == ["territory.deleted"]
    assert some(refused(lambda: territories.get(parent.id))).code == "NOT_FOUND"


@pytest.mark.parametrize("status", ["new", "converted", "unqualified"])
def test_leads_that_are_done_keep_no_territory(stub: StubServer, admin: CrmClient, status: str) -> None:
    territory = admin.configuration.territories.create({"name": "Alps"}).id
    leads = stub.store.collection("tenant_acme", "lead")
    leads.put(some(leads.first()) | {"territory_id": territory, "status": status})
    if status == "new":
        error = refused(lambda: admin.configuration.territories.delete(territory))
        assert error.details == {"leads": 1}
    else:
        admin.configuration.territories.delete(territory)
