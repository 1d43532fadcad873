"""What a change of the security policy answers and tells, and what it leaves as it is."""

from __future__ import annotations

import json
from typing import Any

from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.http import Request


def test_what_a_policy_has_by_default(admin: CrmClient) -> None:
    policy = admin.security.policies.get()
    assert (policy.lockout_attempts, policy.lockout_minutes, policy.password_history) == (5, 15, 5)
    assert (policy.session_idle_minutes, policy.password_max_age_days, policy.api_key_max_days) == (None, None, None)
    assert (policy.allow_share_links, policy.allow_api_keys, policy.default_scope) == (True, True, "all")


def test_what_a_change_answers_and_tells(stub: StubServer, admin: CrmClient) -> None:
    before, begin = admin.security.policies.get(), len(stub.audit())
    tried = admin.security.policies.update({"password_history": 7}, dry_run=True)
    assert (tried.dry_run, tried.policy.password_history, tried.policy.version) == (True, 7, before.version)
    assert admin.security.policies.get() == before and stub.audit()[begin:] == []
    done = admin.security.policies.update({"password_history": 7, "api_key_max_days": 30})
    assert (done.dry_run, done.policy.password_history, done.policy.api_key_max_days) == (False, 7, 30)
    assert done.policy.version == before.version + 1 and done.policy == admin.security.policies.get()
    (entry,) = stub.audit()[begin:]
    assert entry["action"] == "security.policy_updated" and "password_history" in str(entry["changes"])
    again = admin.security.policies.update({"password_history": 7})
    assert again.policy == done.policy and len(stub.audit()) == begin + 1, "no difference, no event"
    usual = admin.security.policies.update({"lockout_attempts": 5})
    assert usual.policy.version == done.policy.version, "what is in force by default is no change"
    back = admin.security.policies.update({"api_key_max_days": None})
    assert (back.policy.api_key_max_days, back.policy.version) == (None, done.policy.version + 1)
    stale = refused(lambda: admin.security.policies.update({"password_history": 8}, version=before.version))
    assert stale.code == "VERSION_CONFLICT"
    assert (
        admin.security.policies.update({"password_history": 8}, version=back.policy.version).policy.password_history
        == 8
    )


def test_who_would_be_locked_out(stub: StubServer, admin: CrmClient) -> None:
    mfa = refused(lambda: admin.security.policies.update({"require_mfa": True}))
    assert (mfa.status, mfa.code, mfa.fields[0].field) == (422, "LOCKOUT", "require_mfa")
    near: Any = {"ip_allowlist": ["127.0.0.0/8"]}
    assert admin.security.policies.update(near, dry_run=True).policy.ip_allowlist == ["127.0.0.0/8"]
    stored(stub, "user", "user_ada", mfa_enabled=True)
    result = admin.security.policies.update({"require_mfa": True})
    assert result.policy.require_mfa is True and "user_ada" not in {one.id for one in result.impact.users_without_mfa}
    named = {one.id: one.name for one in result.impact.users_without_mfa}
    assert named["user_sam"] == "Sam Okonkwo"
    assert admin.security.policies.update({"require_mfa": False}).impact.users_without_mfa == []


def test_addresses_that_would_be_blocked(stub: StubServer, admin: CrmClient) -> None:
    sessions = stub.store.collection("tenant_acme", "session")
    for session in sessions.all():
        sessions.remove(session["id"])
    crm = stub.client(api_key=None, dialects="platform", max_retries=0)
    crm.auth.login("ada@acme.test", "demo-password")
    (session,) = sessions.all()
    for number, (address, revoked) in enumerate((
        ("198.51.100.1", None), ("198.51.100.1", None), ("198.51.100.2", stub.clock.now()), (None, None),
    )):  # fmt: skip
        sessions.put(session | {"id": f"session_x{number}", "ip_address": address, "revoked_at": revoked})
    near: Any = {"ip_allowlist": ["127.0.0.0/8"]}
    impact = admin.security.policies.update(near, dry_run=True).impact
    assert impact.blocked_addresses == 1 and impact.sessions_ending == 0
    wide: Any = {"ip_allowlist": ["0.0.0.0/0"]}
    assert admin.security.policies.update(wide, dry_run=True).impact.blocked_addresses == 0


def test_nobody_locks_out_their_own_address(stub: StubServer, admin: CrmClient) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    for networks, status in ((["203.0.113.0/24"], 422), (["203.0.113.0/24", "198.51.100.0/24"], 200), ([], 200)):
        body = json.dumps({"ipAllowlist": networks}).encode()
        request = Request("PUT", "/v1/security/policies", "dryRun=true", headers, body, peer="198.51.100.9")
        reply = json.loads(stub.handle(request).body)
        assert (reply["success"], reply.get("errors", [{}])[0].get("code") if status == 422 else None) == (
            status == 200, "LOCKOUT" if status == 422 else None,
        )  # fmt: skip
        if status == 422:
            (error,) = reply["errors"]
            assert (error["field"], error["details"]) == ("ipAllowlist", {"ipAddress": "198.51.100.9"})
    assert admin.security.policies.get().ip_allowlist in (None, [])
