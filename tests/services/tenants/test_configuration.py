"""Configuration, features and limits: what is checked, what follows, and what is counted."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused

from crm_sdk import ApiError, CrmClient
from crm_sdk.catalogue import declared_operations
from crm_sdk.models import TenantLimits, UsageLimit
from crm_sdk.vocabulary.codes import features_of
from server_stub import StubServer
from server_stub.request.http import Reply, Request

from .conftest import DAY, Found

FREE = {
    "users": 3, "contacts": 1_000, "deals": 500, "storage_bytes": 10**9, "file_size_bytes": 10**7,
    "api_requests_per_hour": 1_000, "bulk_requests_per_hour": 100, "websocket_connections": 5,
    "agent_calls_per_day": 100, "custom_objects": 0, "custom_fields_per_object": 0, "workflows": 0,
    "emails_per_day": 100,
    "flags": 5,
    "layouts": 10,
    "api_keys": 2,
    "chat_messages_per_day": 50,
    "export_schedules": 0,
    "backups": 1,
}  # fmt: skip
LACKING = {"custom_objects", "workflows", "marketplace", "social", "audit", "customization", "backups"}


def limits(crm: CrmClient) -> dict[str, UsageLimit]:
    return by_key(crm.tenants.limits.get("current"))


def by_key(found: TenantLimits) -> dict[str, UsageLimit]:
    return {one.key: one for one in found.limits}


def put(stub: StubServer, path: str, body: Any, query: str = "", peer: str | None = None) -> Reply:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    return stub.handle(Request("PUT", f"/platform/v1{path}", query, headers, json.dumps(body).encode(), peer))


# -- configuration -----------------------------------------------------------------------------------------------------


def test_objects_merge_and_nothing_new_is_no_write(acme: CrmClient, stub: StubServer) -> None:
    before = acme.tenants.config.get("current")
    closed: Any = {"holidays": ["2026-12-25"]}
    changed = acme.tenants.config.update("current", {"business_hours": closed, "config": {"a": {"b": 1}}}, version=1)
    assert changed.version == 2 and before.business_hours and changed.business_hours
    assert changed.business_hours.days == before.business_hours.days
    assert changed.business_hours.holidays == [date(2026, 12, 25)] and changed.config == {"a": {"b": 1}}
    assert acme.tenants.config.update("current", {"business_hours": closed}).version == 2
    assert acme.tenants.get("current").version == 1, "the record has a version of its own"
    sent_back = put(stub, "/tenants/current/config", json.loads(changed.model_dump_json(by_alias=True)))
    assert sent_back.status == 200 and acme.tenants.config.get("current") == changed
    assert [one["action"] for one in stub.audit()].count("tenant.config_updated") == 1
    assert (
        refused(lambda: acme.tenants.config.update("current", {"week_start": 1}, version=1)).code == "VERSION_CONFLICT"
    )


def test_the_time_zone_is_one_value_in_both_places(acme: CrmClient) -> None:
    config = acme.tenants.config.update("current", {"timezone": "Asia/Tokyo"})
    tenant = acme.tenants.get("current")
    assert (config.version, tenant.timezone, tenant.version) == (2, "Asia/Tokyo", 2)


def rates(*codes: str, rate: int = 1) -> dict[str, Any]:
    return {"currencies": [{"currency": code, "rate": rate} for code in codes]}


def hours(*spans: tuple[str, str]) -> dict[str, Any]:
    return {"businessHours": {"days": [{"weekday": 0, "start": start, "end": end} for start, end in spans]}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "timezone": ({"timezone": "Mars/Olympus"}, "VALIDATION_ERROR"),
    "languages.1": ({"languages": ["en", "xx"]}, "VALIDATION_ERROR"),
    "currencies.1.currency": (rates("EUR", "ZZZ"), "VALIDATION_ERROR"),
    "currencies.2.currency": (rates("EUR", "GBP", "EUR"), "VALIDATION_ERROR"),
    "currencies.0.currency": (rates("USD"), "VALIDATION_ERROR"),
    "currencies.0.rate": (rates("EUR", rate=0), "VALIDATION_ERROR"),
    "currencies": (rates(), "CURRENCY_IN_USE"),
    "business_hours.days.0.end": (hours(("10:00", "09:00")), "VALIDATION_ERROR"),
    "business_hours.days.1.start": (hours(("09:00", "12:00"), ("11:59", "13:00")), "VALIDATION_ERROR"),
    "branding.primary_color": ({"branding": {"primaryColor": "red"}}, "VALIDATION_ERROR"),
    "security.password_min_length": ({"security": {"passwordMinLength": 7}}, "VALIDATION_ERROR"),
    "security.ip_allowlist.0": ({"security": {"ipAllowlist": ["10.0.0.0/33"]}}, "VALIDATION_ERROR"),
    "email.from_address": ({"email": {"fromAddress": "nobody"}}, "VALIDATION_ERROR"),
    "default_pipeline_id": ({"defaultPipelineId": "pipeline_none"}, "REFERENCE_NOT_FOUND"),
    "fiscal_year_start_month": ({"fiscalYearStartMonth": 13}, "VALIDATION_ERROR"),
    "shoe_size": ({"shoeSize": 43}, "VALIDATION_ERROR"),
}


def test_what_cannot_be_is_refused(stub: StubServer) -> None:
    def check(field: str) -> None:
        changes, code = WRONG[field]
        stub.client(dialects="platform").deals.create({"title": "In euros", "value": 1, "currency": "EUR"})
        reply = put(stub, "/tenants/current/config", changes)
        error = json.loads(reply.body)["errors"][0]
        assert (reply.status, error["code"]) == (409 if code == "CURRENCY_IN_USE" else 422, code)
        assert error["field"].replace("_", "").casefold() == field.replace("_", "").casefold()

    for case in WRONG:
        check(case)


def test_rates_change_sums_and_not_what_is_stored(found: Found) -> None:
    crm = found().own
    crm.tenants.config.update(
        "current", {"currencies": [{"currency": "EUR", "rate": 2}, {"currency": "GBP", "rate": 3}]}
    )
    crm.deals.create({"title": "A", "value": 100})
    crm.deals.create({"title": "B", "value": 50, "currency": "EUR"})
    assert crm.deals.forecast().total_pipeline == 200
    crm.tenants.config.update("current", {"currencies": [{"currency": "EUR", "rate": 4}]})
    assert crm.deals.forecast().total_pipeline == 300
    assert {(deal.value, deal.currency) for deal in crm.deals.list()} == {(Decimal(100), "USD"), (Decimal(50), "EUR")}


def test_the_default_pipeline_is_that_of_the_pipelines(acme: CrmClient) -> None:
    acme.tenants.config.update("current", {"default_pipeline_id": "pipeline_acme_renewals"})
    assert acme.tenants.config.get("current").version == 2
    assert [one.id for one in acme.pipelines.list() if one.is_default] == ["pipeline_acme_renewals"]
    acme.pipelines.update("pipeline_acme", {"is_default": True})
    assert acme.tenants.config.get("current").default_pipeline_id == "pipeline_acme"
    acme.pipelines.update("pipeline_acme_renewals", {"active": False})
    changes: Any = {"default_pipeline_id": "pipeline_acme_renewals"}
    assert refused(lambda: acme.tenants.config.update("current", changes)).code == "PIPELINE_INACTIVE"


def test_nobody_locks_himself_out(stub: StubServer) -> None:
    def answer(networks: list[str], peer: str) -> int:
        return put(stub, "/tenants/current/config", {"security": {"ipAllowlist": networks}}, peer=peer).status

    assert answer(["10.0.0.0/8"], "192.168.1.1") == 422
    assert answer(["10.0.0.0/8", "2001:db8::/32"], "10.1.2.3") == 200
    assert answer(["192.168.0.0/16"], "192.168.1.1") == 403, "who is outside is not served"
    assert answer([], "2001:db8::1") == 200
    assert answer([], "192.168.1.1") == 200


# -- features ----------------------------------------------------------------------------------------------------------


def test_a_feature_that_is_off_refuses_every_call_of_its_service(acme: CrmClient, stub: StubServer) -> None:
    calls = [(one, one.routes["platform"]) for one in declared_operations() if "platform" in one.routes]
    optional = {key for one, route in calls for key in features_of(one, route)}
    every: Any = dict.fromkeys(sorted(optional), False)
    found = {one.key: one for one in acme.tenants.features.update("current", every).features}
    assert {key for key, one in found.items() if not one.enabled} == optional and len(found) == 41
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    for operation, route in calls:
        path = route.full_path
        for name in route.placeholders:
            path = path.replace(f"{{{name}}}", "x")
        reply = stub.handle(Request(route.method, f"/platform{path}", "", headers, b"{}"))
        if operation.flags.auth:
            refusal = b'"FEATURE_DISABLED"' in reply.body
            assert refusal == bool(features_of(operation, route)), operation.id
    on: Any = dict.fromkeys(every, True)
    acme.tenants.features.update("current", on)
    assert acme.dashboards.list(limit=1).items


def test_which_features_can_be_switched(acme: CrmClient, stub: StubServer, found: Found) -> None:
    assert refused(lambda: acme.tenants.features.update("current", {"contacts": False})).code == "FEATURE_REQUIRED"
    assert acme.tenants.features.update("current", {"contacts": True})
    for body in ({"workflows": False}, {"features": {"workflows": False}}):
        assert put(stub, "/tenants/current/features", body).status == 200
    assert [one["action"] for one in stub.audit()].count("tenant.features_updated") == 1
    assert put(stub, "/tenants/current/features", {"teleports": False}).status == 422
    assert put(stub, "/tenants/current/features", {"workflows": "no"}).status == 422
    company = found()
    features = company.own.tenants.features.get("current").features
    assert {one.key for one in features if not one.enabled} == LACKING
    error = refused(lambda: company.own.tenants.features.update("current", {"workflows": True}))
    assert (error.code, error.details) == ("FEATURE_NOT_IN_PLAN", {"features": ["workflows"]})
    assert refused(company.own.workflows.list).code == "FEATURE_DISABLED"


def test_workflows_that_are_off_start_by_nothing(acme: CrmClient, stub: StubServer) -> None:
    trigger: Any = {"type": "webhook"}
    action: Any = {"spec": {"type": "add_tag", "tag": "seen"}}
    made = acme.workflows.create(
        {"name": "W", "entity_type": "lead", "triggers": [trigger, {"type": "record_created"}], "actions": [action]}
    )
    acme.workflows.activate(made.id)
    (key,) = [str(one.webhook_key) for one in made.triggers if one.webhook_key]
    acme.tenants.features.update("current", {"workflows": False})
    lead = acme.leads.create({"name": "Somebody"})
    error = refused(lambda: acme.workflows.triggers.fire(key, entity_id=lead.id))
    assert (error.code, error.details) == ("FEATURE_DISABLED", {"feature": "workflows"})
    stub.clock.advance(60)
    assert acme.leads.get(lead.id).tags == []


# -- limits and use ----------------------------------------------------------------------------------------------------


def test_limits_count_what_is_there_and_hold(stub: StubServer, found: Found) -> None:
    crm = found().own
    assert {key: one.limit for key, one in limits(crm).items()} == FREE
    ids = [crm.contacts.create({"name": f"C{n}"}).id for n in range(3)]
    assert (limits(crm)["contacts"].used, limits(crm)["contacts"].remaining) == (3, 997)
    assert by_key(crm.tenants.limits.update("current", {"contacts": 4}))["contacts"].remaining == 1
    below = refused(lambda: crm.tenants.limits.update("current", {"contacts": 2}))
    assert (below.code, below.details["used"]) == ("LIMIT_BELOW_USAGE", 3)
    assert refused(lambda: crm.tenants.limits.update("current", {"contacts": 1_001})).code == "LIMIT_ABOVE_PLAN"
    crm.contacts.create({"name": "Four"})
    full = refused(lambda: crm.contacts.create({"name": "Five"}))
    assert (full.code, full.details) == ("LIMIT_EXCEEDED", {"key": "contacts", "limit": 4, "used": 4})
    bulk = crm.contacts.bulk_upsert([{"name": "Five"}, {"id": ids[1], "name": "Two"}])
    assert [item.error and item.error.code for item in bulk.items] == ["LIMIT_EXCEEDED", None]
    lead = crm.leads.create({"name": "Lead"})
    assert refused(lambda: crm.leads.convert(lead.id)).code == "LIMIT_EXCEEDED"
    crm.contacts.delete(ids[0])
    crm.contacts.create({"name": "Five"})
    assert limits(crm)["contacts"].remaining == 0
    assert by_key(crm.tenants.limits.update("current", {"contacts": None}))["contacts"].limit == 1_000
    crm.tenants.limits.update("current", {"flags": 4})
    kept = by_key(crm.tenants.limits.update("current", {"deals": 0}))
    assert (kept["flags"].limit, kept["deals"].limit) == (4, 0)
    assert refused(lambda: crm.deals.create({"title": "D", "value": 1})).code == "LIMIT_EXCEEDED"


def test_a_limit_of_ones_own_holds_for_all_calls_of_the_hour(
    stub: StubServer, acme: CrmClient, sales: CrmClient
) -> None:
    stub.enforce_limits = True
    used = limits(acme)["api_requests_per_hour"].used
    acme.tenants.limits.update("current", {"api_requests_per_hour": used + 4})
    sales.leads.list(limit=1)
    sales.leads.list(limit=1)
    with pytest.raises(ApiError) as caught:
        sales.leads.list(limit=1)
    assert (caught.value.code, caught.value.status) == ("RATE_LIMIT_EXCEEDED", 429)
    stub.clock.advance(3_600)
    sales.leads.list(limit=1)
    usage = acme.tenants.usage("current")
    assert usage.rate_limited == 1 and usage.api_calls_by_user["user_sam"] == 4


def test_use_is_counted_from_the_calls(stub: StubServer, acme: CrmClient, globex: CrmClient) -> None:
    acme.leads.list(limit=1)
    acme.contacts.bulk_upsert([])
    globex.leads.list(limit=1)
    stub.clock.advance(DAY)
    acme.leads.list(limit=1)
    usage = acme.tenants.usage("current")
    assert (usage.period_start, usage.period_end) == (date(2026, 1, 1), date(2026, 1, 31))
    assert usage.api_calls_by_operation == {"leads.list": 2, "contacts.bulk_upsert": 1}
    assert usage.api_calls_by_user == {"user_ada": 3}
    points = {point.period: int(point.value) for point in usage.api_calls}
    assert len(points) == 31 and (points["2026-01-15"], points["2026-01-16"], sum(points.values())) == (2, 1, 3)
    metrics = {one.key: one for one in usage.metrics}
    assert (metrics["api_requests_per_hour"].used, metrics["api_requests_per_hour"].peak) == (3, 2)
    assert (metrics["bulk_requests_per_hour"].used, metrics["contacts"].used) == (1, 138)
    assert metrics["storage_bytes"].unit == "bytes"
    weekly = acme.tenants.usage("current", start_date=date(2026, 1, 16), end_date=date(2026, 1, 31), period="week")
    assert [point.period for point in weekly.api_calls] == ["2026-W03", "2026-W04", "2026-W05"]
    assert [int(point.value) for point in weekly.api_calls] == [2, 0, 0]


def test_use_outlives_the_process_and_goes_with_a_snapshot(tmp_path: Any) -> None:
    for _ in range(2):
        with StubServer(db=str(tmp_path / "state.db")) as stub:
            stub.client(dialects="platform").leads.list(limit=1)
            stub.clock.advance(3_600)
    with StubServer(db=str(tmp_path / "state.db")) as stub:
        crm = stub.client(dialects="platform")
        before = stub.snapshot()
        assert crm.tenants.usage("current").api_calls_by_operation == {"leads.list": 2}
        stub.restore(before)
        assert crm.tenants.usage("current").api_calls_by_operation == {"leads.list": 2}


def test_a_currency_of_quotas_is_in_use_and_one_that_is_gone_is_nobody_s_choice(acme: CrmClient) -> None:
    known: Any = [{"currency": code, "rate": 1} for code in ("EUR", "GBP", "CHF")]
    acme.tenants.config.update("current", {"currencies": known})
    acme.users.update("user_sam", {"monthly_quota": 1000, "quota_currency": "CHF"})
    acme.users.preferences.update("user_sam", {"currency": "CHF"})
    error = refused(lambda: acme.tenants.config.update("current", {"currencies": known[:2]}))
    assert (error.code, error.details) == ("CURRENCY_IN_USE", {"currency": "CHF", "kinds": ["user"]})
    acme.users.update("user_sam", {"quota_currency": "EUR"})
    acme.tenants.config.update("current", {"currencies": known[:2]})
    found = acme.users.preferences.get("user_sam")
    assert found.currency == "USD"
    assert acme.users.preferences.update("user_sam", {"currency": found.currency}).currency == "USD"


def test_e_mails_count_however_they_are_sent(acme: CrmClient, stub: StubServer) -> None:
    def used() -> int:
        return next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "emails_per_day")

    before = used()
    acme.notifications.send_email("a@example.com", subject="S", content="C")
    acme.notifications.unsubscribe(address="b@example.com")
    acme.notifications.send_email("b@example.com", subject="S", content="C")  # held back
    acme.notifications.send_sms("+4930123456", content="C")
    for name in ("sam", "mia"):
        acme.auth.password.reset(f"{name}@acme.test")  # the platform's own
    assert used() == before + 1
    acme.communication.email.send({"to": ["a@example.com"], "subject": "S", "body_text": "B"})
    assert used() == before + 2
    acme.tenants.limits.update("current", {"emails_per_day": before + 3})
    people: Any = [{"to": f"{name}@example.com"} for name in "cde"]
    done = acme.notifications.send_bulk("email", people, subject="S", content="C")
    assert [one.error.code if one.error else None for one in done.items] == [None, *["LIMIT_EXCEEDED"] * 2]
    error = refused(lambda: acme.notifications.send_email("a@example.com", subject="S", content="C"))
    assert (error.status, error.code, error.details["used"]) == (403, "LIMIT_EXCEEDED", before + 3)
    assert acme.notifications.send_sms("+4930123456", content="C").delivery_status == "sent"
    stub.clock.advance(86_400)
    assert used() == 0
