"""Settings: which value is in force, what may be set where, and what nobody is shown."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from stub_data import stored

from crm_sdk import ApiError, CrmClient
from crm_sdk.models import Setting
from server_stub import StubServer

from .conftest import New

KEY = "ui.navigation"


def of(crm: CrmClient, key: str = KEY, **level: Any) -> Setting:
    (found,) = crm.configuration.settings.list(keys=[key], **level)
    return found


def test_the_nearest_level_is_in_force(admin: CrmClient, new: New) -> None:
    user_id, crm = new()
    first, second = (admin.users.teams.create({"name": name, "member_ids": [user_id]}).id for name in ("One", "Two"))
    admin.users.roles.assign(user_id, "manager")
    put = admin.configuration.settings.update
    levels = (
        ("tenant", None), ("team", second), ("team", first), ("role", "manager"), ("role", "sales"), ("user", user_id)
    )  # fmt: skip
    assert of(crm).source == "default"
    for number, (scope, scope_id) in enumerate(levels):
        put({KEY: ["deal", "lead"][: number % 2 + 1]}, scope=scope, scope_id=scope_id)  # type: ignore[arg-type] # a plain dict
        shown = of(crm)
        assert (shown.source, shown.value) == (scope, ["deal", "lead"][: number % 2 + 1])
    for scope, _ in (("user", 0), ("role", 0), ("team", 0), ("tenant", 0), ("default", 0)):
        assert of(crm).source == scope
        for at, scope_id in levels:
            if at == scope:
                put({KEY: None}, scope=at, scope_id=scope_id)  # type: ignore[arg-type] # a plain dict


def test_a_lock_holds_for_everybody_and_ends_with_the_value(admin: CrmClient, new: New) -> None:
    _, crm = new()
    put, own = admin.configuration.settings.update, crm.configuration.settings.update
    own({KEY: ["lead"]}, scope="user")
    put({KEY: ["deal"]}, locked=True)
    assert (of(crm).value, of(crm).locked, of(crm).source) == (["deal"], True, "tenant")
    put({KEY: ["contact"]})
    assert of(crm).locked, "a lock that is not mentioned stays"
    for value in (["lead"], None):
        with pytest.raises(ApiError) as refused:
            own({KEY: value}, scope="user")
        assert (refused.value.status, refused.value.code) == (409, "SETTING_LOCKED")
    put({KEY: None})
    assert (of(crm).value, of(crm).locked) == (["lead"], False)
    with pytest.raises(ApiError) as refused:
        own({KEY: ["lead"]}, scope="user", locked=True)
    assert refused.value.status == 422


def test_a_level_is_shown_alone(admin: CrmClient, new: New) -> None:
    user_id, crm = new()
    admin.configuration.settings.update({KEY: ["deal"]})
    assert (of(crm, scope="user").value, of(crm, scope="user").source) == (None, "default")
    assert of(crm, scope="tenant").value == ["deal"]
    assert of(admin, scope="user", scope_id=user_id).value is None
    assert crm.configuration.settings.list(scope="team", scope_id="team_nowhere") == []
    assert "ui.density" not in {one.key for one in crm.configuration.settings.list(scope="tenant")}
    keys = {one.key for one in crm.configuration.settings.list(changed=True)}
    assert keys == {KEY, "env.ERP_TOKEN", "env.SUPPORT_EMAIL"}


WRONG: list[Any] = [
    ("nonsense", 1, "UNKNOWN_SETTING", "choice"),
    ("env.lower", "x", "UNKNOWN_SETTING", "choice"),
    ("ui.density", "compact", "SETTING_SCOPE", "choice"),
    ("records.page_size", 0, "VALIDATION_ERROR", "min"),
    ("records.page_size", 201, "VALIDATION_ERROR", "max"),
    ("records.page_size", True, "VALIDATION_ERROR", "type"),
    ("records.page_size", "50", "VALIDATION_ERROR", "type"),
    ("customization.strict_fields", 1, "VALIDATION_ERROR", "type"),
    ("activities.reminder_minutes", [15, -1], "VALIDATION_ERROR", "min"),
    ("activities.reminder_minutes", [15, 15], "VALIDATION_ERROR", "unique"),
    ("changes.keep_days", 91, "VALIDATION_ERROR", "max"),
    ("backup.schedule", "now and then", "VALIDATION_ERROR", "format"),
    ("ui.navigation", ["nothing"], "VALIDATION_ERROR", "choice"),
    ("ui.terminology", {"deal": {"few": "x"}}, "VALIDATION_ERROR", "type"),
    ("ui.home_dashboard_id", "dashboard_nowhere", "REFERENCE_NOT_FOUND", "reference"),
    ("env.LONG", "x" * 4097, "VALIDATION_ERROR", "length"),
]  # fmt: skip


def test_wrong_values_are_refused_and_nothing_is_written(admin: CrmClient) -> None:
    for key, value, code, rule in WRONG:
        before = admin.configuration.environment().settings_version
        with pytest.raises(ApiError) as refused:
            admin.configuration.settings.update({"calendar.buffer_minutes": 5, key: value})
        (wrong,) = refused.value.fields
        assert (refused.value.status, wrong.code, wrong.rule) == (422, code, rule)
        assert of(admin, "calendar.buffer_minutes").source == "default"
        assert admin.configuration.environment().settings_version == before


def test_what_is_right_has_the_bounds_as_values(admin: CrmClient) -> None:
    values: dict[str, Any] = {"records.page_size": 200, "changes.keep_days": 90, "env.LONG": "x" * 4096}
    assert {one.key: one.value for one in admin.configuration.settings.update(values)} == values
    assert of(admin, "changes.keep_days").max_value == 90


def test_levels_of_others_need_the_permission(admin: CrmClient, new: New) -> None:
    user_id, crm = new("manager")
    for level in (
        {"scope": "tenant"},
        {"scope": "role", "scope_id": "sales"},
        {"scope": "user", "scope_id": "user_ada"},
    ):
        with pytest.raises(ApiError) as refused:
            crm.configuration.settings.update({KEY: ["deal"]}, **level)  # type: ignore[arg-type] # a plain dict
        assert refused.value.code == "FORBIDDEN"
    crm.configuration.settings.update({KEY: ["deal"]}, scope="user", scope_id=user_id)
    _, seller = new()
    with pytest.raises(ApiError) as refused:
        of(seller, scope="user", scope_id=user_id)
    assert refused.value.code == "FORBIDDEN"


def test_a_change_counts_once_and_says_what_was_changed(stub: StubServer, admin: CrmClient) -> None:
    put, first = admin.configuration.settings.update, admin.configuration.environment().settings_version
    put({"calendar.buffer_minutes": 0}, version=first)
    shown = of(admin, "calendar.buffer_minutes")
    assert (shown.value, shown.source, shown.updated_by) == (0, "tenant", stub.audit()[-1]["actor"]["id"])
    put({"calendar.buffer_minutes": 0})
    assert admin.configuration.environment().settings_version == first + 1, "no difference, no write"
    with pytest.raises(ApiError) as refused:
        put({"calendar.buffer_minutes": 0}, version=first)
    assert refused.value.code == "VERSION_CONFLICT"
    (entry,) = [one for one in stub.audit() if one["action"] == "configuration.settings_updated"]
    assert entry["changes"] == [{"field": "calendar.buffer_minutes", "before": None, "after": 0}]
    assert entry["metadata"]["keys"] == ["calendar.buffer_minutes"]


def test_a_secret_is_shown_to_nobody_and_can_be_sent_back(stub: StubServer, admin: CrmClient) -> None:
    put = admin.configuration.settings.update
    put({"env.TOKEN": {"value": "s3cret-abcd", "secret": True}})
    shown = of(admin, "env.TOKEN")
    assert (shown.value, shown.secret) == ("••••abcd", True)
    put({"env.TOKEN": shown.value})
    put({"env.TOKEN": {"value": shown.value, "secret": True}})
    assert "s3cret" not in str(stub.audit()) and len(admin.audit.logs.list(entity_type="tenant").items) >= 1
    with pytest.raises(ApiError):
        put({"env.TOKEN": {"value": shown.value, "secret": False}})
    template = admin.notifications.templates.create(
        {"name": "T", "channel": "sms", "category": "custom", "content": "key {{ env.TOKEN }}"}
    )
    assert template.variables == []
    sent = admin.notifications.send_sms("+4930123456", template_id=template.id)
    assert sent.message == "key s3cret-abcd", "the masked value that came back has kept the stored one"
    put({"env.SHORT": {"value": "abc", "secret": True}})
    assert of(admin, "env.SHORT").value == "••••"


def test_the_page_size_is_that_of_whoever_asks(admin: CrmClient, new: New, other: CrmClient) -> None:
    _, crm = new()
    crm.configuration.settings.update({"records.page_size": 7}, scope="user")
    assert len(crm.contacts.list().items) == 7
    assert len(crm.contacts.list(limit=9).items) == 9
    assert len(admin.contacts.list().items) == 50 and len(other.contacts.list().items) > 7


def test_the_environment_is_for_every_credential(new: New, other: CrmClient) -> None:
    crm = new("read_only")[1]
    mine, theirs = crm.configuration.environment(), other.configuration.environment()
    assert (mine.name, mine.dialects, mine.api_versions) == ("test", ["mvp", "flow", "platform"], ["v1"])
    assert {"contacts", "configuration"} <= set(mine.features)
    assert {limit.key for limit in mine.limits} >= {"contacts", "flags"} and mine.timezone != theirs.timezone


def test_errors_name_a_setting_by_its_key(stub: StubServer) -> None:
    values = {"records.page_size": 0, "activities.reminder_minutes": [-1], "no.such_key": 1}
    with httpx.Client(transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}) as raw:
        reply = raw.put("http://stub.test/platform/v1/configuration/settings", json={"values": values})
    named = {error["field"] for error in reply.json()["errors"]}
    assert named == {"values.records.page_size", "values.activities.reminder_minutes.0", "values.no.such_key"}


def test_a_setting_that_is_taken_back_is_answered_as_the_next_level_has_it(admin: CrmClient) -> None:
    admin.configuration.settings.update({"records.page_size": 30})
    admin.configuration.settings.update({"records.page_size": 20}, scope="user", scope_id="user_ada")
    (own,) = admin.configuration.settings.update({"records.page_size": None}, scope="user", scope_id="user_ada")
    assert (own.value, own.source) == (30, "tenant")
    (company,) = admin.configuration.settings.update({"records.page_size": None})
    assert (company.value, company.source) == (50, "default")


@pytest.mark.parametrize(
    ("members", "languages", "timezone"),
    [
        ({"languages": ["de", "en"], "timezone": "Asia/Tokyo"}, ["de", "en"], "Asia/Tokyo"),
        ({"languages": [], "timezone": ""}, ["en"], "UTC"),
        ({"languages": None, "timezone": None}, ["en"], "UTC"),
    ],
)
def test_the_environment_has_the_languages_and_the_zone_of_the_company(
    stub: StubServer, admin: CrmClient, members: dict[str, Any], languages: list[str], timezone: str
) -> None:
    stored(stub, "tenant", "tenant_acme", **members)
    found = admin.configuration.environment()
    assert (found.languages, found.timezone) == (languages, timezone)
    assert (found.time, found.plan) == (stub.clock.now(), admin.tenants.get("current").plan)
