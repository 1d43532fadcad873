"""The security policy: one value with the company's configuration, whom it affects, and what it forbids."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import httpx
import pytest
from stub_data import stored

from crm_sdk import ApiError, CrmClient
from crm_sdk.models import PolicyImpact
from server_stub import StubServer

from .conftest import PASSWORD, New, permission


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_it_is_one_value_with_the_configuration(admin: CrmClient) -> None:
    policy = admin.security.policies.get()
    assert (policy.lockout_attempts, policy.password_history, policy.default_scope) == (5, 5, "all")
    result = admin.security.policies.update({"password_min_length": 12, "lockout_attempts": 3}, version=policy.version)
    assert (result.dry_run, result.policy.password_min_length, result.policy.version) == (False, 12, policy.version + 1)
    security = admin.tenants.config.get("current").security
    assert security is not None and security.password_min_length == 12
    admin.tenants.config.update("current", {"security": {"password_min_length": 10}})
    held = admin.security.policies.get()
    assert (held.password_min_length, held.lockout_attempts) == (10, 3)
    assert code_of(admin.security.policies.update, {"lockout_attempts": 4}, version=1) == "VERSION_CONFLICT"
    assert [one.action for one in admin.audit.logs.list(action="security.policy_updated")] == [
        "security.policy_updated"
    ]


def test_a_dry_run_only_says_whom_it_affects(admin: CrmClient) -> None:
    before = admin.security.policies.get()
    body: Any = {"allowed_email_domains": ["else.test"], "api_key_max_days": 1}
    admin.security.api_keys.create({"name": "for ever"})
    result = admin.security.policies.update(body, dry_run=True)
    assert result.dry_run and len(result.impact.users_outside_domains) >= 2
    assert result.impact.keys_expiring >= 1 and result.policy.api_key_max_days == 1
    assert admin.security.policies.get() == before


def test_the_impact_counts_whom_it_affects_and_nobody_else(stub: StubServer, admin: CrmClient, new: New) -> None:
    def impact(**policy: Any) -> PolicyImpact:
        body: Any = policy
        return admin.security.policies.update(body, dry_run=True).impact

    idle, keys = impact(session_idle_minutes=5).sessions_ending, impact(api_key_max_days=10).keys_expiring
    somebody = new(permission("contacts", "read"))
    stub.clock.advance(60)
    new(permission("contacts", "read"))
    stub.clock.advance(4 * 60)
    assert impact(session_idle_minutes=5).sessions_ending == idle + 1, "it was not used for five minutes, to the second"
    assert (impact().sessions_ending, impact().keys_expiring) == (0, 0)
    for days in (10, 11, None):
        until = stub.clock.now() + timedelta(days=days) if days is not None else None
        admin.security.api_keys.create({"name": f"for {days}", "expires_at": until})
    assert impact(api_key_max_days=10).keys_expiring == keys + 2
    for late, counted in ((0, 2), (1, 3)):
        until = stub.clock.now() + timedelta(days=10, milliseconds=2 + late)  # each call takes a millisecond
        admin.security.api_keys.create({"name": f"late by {late}", "expires_at": until})
        assert impact(api_key_max_days=10).keys_expiring == keys + counted, "to the millisecond"
    outside = {ref.id for ref in impact(allowed_email_domains=["ACME.test"]).users_outside_domains}
    active = list(admin.users.list(status="active"))
    assert outside == {user.id for user in active if not user.email.endswith("@acme.test")}
    stored(stub, "user", "user_ada", mfa_enabled=True)
    without = {ref.id for ref in impact(require_mfa=True).users_without_mfa}
    assert somebody.id in without and without == {user.id for user in active} - {"user_ada"}
    assert impact().users_without_mfa == impact().users_outside_domains == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_nobody_without_a_second_factor_asks_for_one(admin: CrmClient, dry_run: bool) -> None:
    assert code_of(admin.security.policies.update, {"require_mfa": True}, dry_run=dry_run) == "LOCKOUT"
    assert admin.security.policies.get().require_mfa is not True


@pytest.mark.parametrize("scope", ["own", "team"])
def test_the_sales_role_reads_what_the_policy_says(
    stub: StubServer, admin: CrmClient, scope: Literal["own", "team"]
) -> None:
    sales = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    me = "user_sam"
    assert {one.owner_id for one in sales.deals.list()} > {me}
    admin.security.policies.update({"default_scope": scope})
    owners = {one.owner_id for one in sales.deals.list()}
    assert owners == {me} if scope == "own" else me in owners
    assert {one.owner_id for one in admin.deals.list()} > {me}


def test_only_who_manages_security_sees_it(new: New) -> None:
    crm = new({"resource": "security", "action": "read", "scope": "all"}).crm
    assert code_of(crm.security.policies.get) == "FORBIDDEN"


def test_it_is_in_force_at_once(stub: StubServer, admin: CrmClient, new: New) -> None:
    somebody = new({"resource": "contacts", "action": "read", "scope": "all"})
    admin.security.policies.update({
        "allow_api_keys": False, "api_key_max_days": 10, "session_idle_minutes": 5, "lockout_attempts": 3,
        "password_history": 0,
    })  # fmt: skip
    assert code_of(somebody.crm.security.api_keys.create, {"name": "mine"}) == "FORBIDDEN"
    last = stub.clock.now() + timedelta(days=10)
    assert admin.security.api_keys.create({"name": "last", "expires_at": last}).expires_at == last
    late = last + timedelta(seconds=1)
    assert code_of(admin.security.api_keys.create, {"name": "late", "expires_at": late}) == "VALIDATION_ERROR"
    crm = stub.client(api_key=None, dialects="platform", max_retries=0)
    for _ in range(3):
        assert code_of(crm.auth.login, somebody.user.email, "wrong") == "INVALID_CREDENTIALS"
    assert code_of(crm.auth.login, somebody.user.email, PASSWORD) == "TOO_MANY_ATTEMPTS"


def test_an_error_names_the_member_of_the_policy(stub: StubServer) -> None:
    with httpx.Client(transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}) as raw:
        reply = raw.put("http://stub.test/platform/v1/security/policies", json={"ipAllowlist": ["nowhere"]})
    assert [error["field"] for error in reply.json()["errors"]] == ["ipAllowlist.0"]


def test_what_was_read_is_no_change_sent_back(admin: CrmClient) -> None:
    read = admin.request("GET", "/v1/security/policies").json()["data"]
    for body in (read, *({name: value} for name, value in read.items() if name != "version" and value is not None)):
        policy = admin.request("PUT", "/v1/security/policies", json=body).json()["data"]["policy"]
        assert policy == read, body
    assert not list(admin.audit.logs.list(action="security.policy_updated"))
