"""API keys: shown once, narrower than their user, replaced, revoked, from some networks only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import AuthenticationError, CrmClient
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import New, permission


def holder(stub: StubServer, key: str | None) -> CrmClient:
    return stub.client(api_key=key, dialects="platform", max_retries=0)


def test_a_key_is_shown_once(stub: StubServer, mode: str, call: Any) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    made = call(crm.security.api_keys.create({"name": "ci"}))
    assert (made.key or "").startswith(made.prefix)
    assert (len(made.key or ""), len(made.prefix), made.status, made.use_count) == (44, 12, "active", 0)
    worker = holder(stub, made.key)
    born = worker.contacts.create({"name": "Born"})
    assert (born.created_by, born.owner_id) == (made.id, made.user_id)
    (listed,) = stub.client(dialects="platform", strict=True).security.api_keys.list(search="ci").items
    assert (listed.key, listed.use_count, listed.last_used_ip) == (None, 1, "127.0.0.1")
    assert made.key not in str([dict(entry) for entry in stub.audit()])
    assert made.key not in str(stub.store.collection("tenant_acme", "idempotency").all())


def test_a_repeated_create_has_no_key(stub: StubServer) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json", "idempotency-key": "k1"}
    request = Request("POST", "/v1/security/api-keys", headers=headers, body=b'{"name": "ci"}')
    first, again = stub.handle(request), stub.handle(request)
    assert (first.status, first.headers["Cache-Control"]) == (201, "no-store")
    assert b'"key":"crm_' in first.body
    assert b'"key":null' in again.body
    assert again.headers["Idempotency-Replayed"] == "true"


REFUSED: list[Any] = [
    ({"permissions": ["planets:read"]}, "UNKNOWN_PERMISSION"),
    ({"permissions": ["deals:read@mine"]}, "UNKNOWN_PERMISSION"),
    ({"permissions": ["deals:read"], "user_id": "user_none"}, "REFERENCE_NOT_FOUND"),
    ({"permissions": ["security:manage"], "user_id": "user_sam"}, "ROLE_ESCALATION"),
    ({"ip_allowlist": ["no network"]}, "VALIDATION_ERROR"),
    ({"expires_at": datetime.fromisoformat("2020-01-01T00:00:00Z")}, "VALIDATION_ERROR"),
]  # fmt: skip


def test_keys_that_cannot_be(admin: CrmClient) -> None:
    for body, code in REFUSED:
        whole: Any = {"name": "x", **body}
        assert refused(partial(admin.security.api_keys.create, whole)).code == code


def test_a_key_may_do_less_than_its_user(stub: StubServer, admin: CrmClient) -> None:
    made = admin.security.api_keys.create({"name": "x", "permissions": ["leads:read", "leads:update@own"]})
    worker = holder(stub, made.key)
    mine, other = (admin.leads.create({"name": "L", "owner_id": owner}) for owner in ("user_ada", "user_sam"))
    assert worker.leads.update(mine.id, {"company": "X"}).company == "X"
    assert refused(lambda: worker.leads.update(other.id, {"company": "X"})).code == "FORBIDDEN"
    assert refused(lambda: worker.contacts.list()).code == "FORBIDDEN"
    assert refused(lambda: worker.security.api_keys.create({"name": "y"})).code == "FORBIDDEN"
    assert worker.security.check([{"action": "read", "resource": "deals"}])[0].reason == "no_permission"
    assert worker.security.api_keys.revoke(made.id).status == "revoked"
    with pytest.raises(AuthenticationError):
        worker.leads.list()


@pytest.mark.parametrize(("of_user", "of_key"), [("own", "team"), ("team", "own"), ("own", "own"), ("team", "team")])
def test_a_key_may_do_what_its_user_may_as_well(
    admin: CrmClient, stub: StubServer, new: New, of_user: str, of_key: str
) -> None:
    """The narrower of both scopes counts, also where the user's role has become narrower than the key."""
    one = new(permission("leads", "read"), permission("leads", "update", "team"))
    admin.users.teams.create({"name": "Both", "member_ids": [one.id, "user_sam"]})
    worker = holder(
        stub, one.crm.security.api_keys.create({"name": "x", "permissions": [f"leads:update@{of_key}"]}).key
    )
    now: Any = [permission("leads", "read"), permission("leads", "update", of_user)]
    admin.security.roles.update(one.role.id, {"permissions": now})
    mine, mates = (admin.leads.create({"name": "L", "owner_id": owner}).id for owner in (one.id, "user_sam"))
    assert worker.leads.update(mine, {"company": "X"}).company == "X"
    if "own" in (of_user, of_key):
        refusal = refused(lambda: worker.leads.update(mates, {"company": "X"}))
        assert refusal.code == "FORBIDDEN" and "only its own records" in str(refusal)
    else:
        assert worker.leads.update(mates, {"company": "X"}).company == "X"


@pytest.mark.parametrize("granted", ["create", "update", "delete"])
def test_a_key_does_what_it_was_granted_alone(stub: StubServer, admin: CrmClient, granted: str) -> None:
    lead = admin.leads.create({"name": "L"})
    worker = holder(stub, admin.security.api_keys.create({"name": "x", "permissions": [f"leads:{granted}"]}).key)
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: worker.leads.create({"name": "M"}),
        "update": lambda: worker.leads.update(lead.id, {"company": "X"}),
        "delete": lambda: worker.leads.delete(lead.id),
    }
    for action, call in calls.items():
        if action != granted:
            assert refused(call).code == "FORBIDDEN"
    calls[granted]()


def test_whose_keys_one_sees(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read"))
    own = one.crm.security.api_keys.create({"name": "own"})
    assert [key.id for key in one.crm.security.api_keys.list()] == [own.id]
    others = admin.security.api_keys.create({"name": "x"})
    assert refused(lambda: one.crm.security.api_keys.revoke(others.id)).code == "NOT_FOUND"
    assert refused(lambda: one.crm.security.api_keys.create({"name": "x", "user_id": "user_ada"})).code == "FORBIDDEN"
    assert own.id in [key.id for key in admin.security.api_keys.list(user_id=one.id)]
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(tenants.all()[0] | {"security": {"allow_api_keys": False}})
    assert refused(lambda: one.crm.security.api_keys.create({"name": "x"})).code == "FORBIDDEN"


def test_a_key_is_replaced(stub: StubServer, admin: CrmClient) -> None:
    old = admin.security.api_keys.create({"name": "x"})
    new = admin.security.api_keys.rotate(old.id, grace_seconds=60)
    assert new.id == old.id
    assert new.key != old.key
    assert holder(stub, old.key).contacts.list(limit=1).items
    stub.clock.advance(61)
    with pytest.raises(AuthenticationError):
        holder(stub, old.key).contacts.list()
    third = admin.security.api_keys.rotate(old.id)
    with pytest.raises(AuthenticationError):
        holder(stub, new.key).contacts.list()
    assert holder(stub, third.key).contacts.list(limit=1).items
    admin.security.api_keys.revoke(old.id)
    version = admin.security.api_keys.revoke(old.id).version
    assert admin.security.api_keys.revoke(old.id).version == version, "again: no change"
    assert refused(lambda: admin.security.api_keys.rotate(old.id)).code == "API_KEY_REVOKED"


def test_a_key_expires(stub: StubServer, admin: CrmClient) -> None:
    made = admin.security.api_keys.create({"name": "x", "expires_at": stub.clock.now() + timedelta(hours=1)})
    assert holder(stub, made.key).contacts.list(limit=1).items
    stub.clock.advance(3_600)
    with pytest.raises(AuthenticationError):
        holder(stub, made.key).contacts.list()
    assert [key.id for key in admin.security.api_keys.list(status="expired")] == [made.id]


def test_a_key_lasts_as_long_as_the_company_allows_and_no_longer(admin: CrmClient) -> None:
    admin.security.policies.update({"api_key_max_days": 10})
    keys, most, second = admin.security.api_keys, timedelta(days=10), timedelta(seconds=1)
    one, other = (keys.create({"name": name}) for name in "ab")
    assert one.created_at is not None and other.created_at is not None
    assert one.expires_at == one.created_at + most
    step = other.created_at - one.created_at  # from one request to the next
    last = other.created_at + step + most
    third = keys.create({"name": "c", "expires_at": last})
    assert third.created_at == last - most, "so it lasts ten days exactly"
    assert third.expires_at == last
    assert keys.create({"name": "d", "expires_at": last - most / 2}).expires_at == last - most / 2
    late = refused(lambda: keys.create({"name": "e", "expires_at": last + second}))
    assert (late.code, late.fields[0].field, late.fields[0].rule) == ("VALIDATION_ERROR", "expires_at", "max")


def test_a_key_works_from_its_networks_only(stub: StubServer, admin: CrmClient) -> None:
    there = admin.security.api_keys.create({"name": "x", "ip_allowlist": ["203.0.113.0/24"]})
    assert refused(lambda: holder(stub, there.key).contacts.list()).code == "FORBIDDEN"
    assert stub.audit()[-1]["metadata"] == {"reason": "address"}
    headers = {"authorization": f"Bearer {there.key}"}
    assert stub.handle(Request("GET", "/v1/contacts", headers=headers, peer="203.0.113.9")).status == 200


def test_the_plan_limits_the_keys(stub: StubServer, admin: CrmClient) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(tenants.all()[0] | {"limits": {"api_keys": 1}})
    assert refused(lambda: admin.security.api_keys.create({"name": "x"})).code == "LIMIT_EXCEEDED"


def test_uses_survive_a_snapshot(stub: StubServer, admin: CrmClient) -> None:
    made = admin.security.api_keys.create({"name": "x"})
    holder(stub, made.key).contacts.list()
    state = stub.snapshot()
    holder(stub, made.key).contacts.list()
    stub.restore(state)
    assert admin.security.api_keys.list(search="x").items[0].use_count == 1


def test_a_key_replaces_itself_and_no_wider_one(stub: StubServer, admin: CrmClient) -> None:
    wide = admin.security.api_keys.create({"name": "wide"})
    narrow = admin.security.api_keys.create({"name": "narrow", "permissions": ["contacts:read"]})
    crm = holder(stub, narrow.key)
    assert refused(lambda: crm.security.api_keys.rotate(wide.id)).code == "FORBIDDEN"
    assert crm.security.api_keys.rotate(narrow.id).key not in (None, narrow.key)
    assert holder(stub, wide.key).security.api_keys.rotate(narrow.id).key is not None


def test_a_key_that_a_key_makes_may_do_as_little(stub: StubServer, admin: CrmClient) -> None:
    granted = ["security:create", "leads:read@own", "contacts:read"]
    maker = holder(stub, admin.security.api_keys.create({"name": "maker", "permissions": granted}).key)
    made = maker.security.api_keys.create({"name": "made"})
    assert made.permissions == sorted(granted)
    assert refused(lambda: holder(stub, made.key).deals.list()).code == "FORBIDDEN"
    less = maker.security.api_keys.create({"name": "less", "permissions": ["leads:read", "contacts:read@own"]})
    assert sorted(less.permissions) == ["contacts:read@own", "leads:read"]
    for wanted in ("deals:read", "leads:read@all", "leads:update@own"):
        body: Any = {"name": "more", "permissions": [wanted]}
        more = refused(partial(maker.security.api_keys.create, body))
        assert (more.code, more.fields[0].field) == ("ROLE_ESCALATION", "permissions"), wanted
    every: Any = {"name": "every", "permissions": ["security:create", "leads:read@own", "contacts:read"]}
    assert sorted(maker.security.api_keys.create(every).permissions) == sorted(granted)
