"""What API keys are: their members, their lists, where they are wrong, and until when they work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import New, permission


def holder(stub: StubServer, key: str | None) -> CrmClient:
    return stub.client(api_key=key, dialects="platform", max_retries=0)


def test_a_key_has_every_member(stub: StubServer, admin: CrmClient) -> None:
    begin = len(stub.audit())
    made = admin.security.api_keys.create({"name": " ci ", "description": "For it", "ip_allowlist": ["10.0.0.0/8"]})
    assert (made.name, made.description, made.user_id, made.ip_allowlist) == (
        "ci",
        "For it",
        "user_ada",
        ["10.0.0.0/8"],
    )
    assert (made.status, made.expires_at, made.revoked_at, made.previous_valid_until) == ("active", None, None, None)
    assert (made.last_used_at, made.last_used_ip, made.use_count) == (None, None, 0)
    assert made.id.startswith("apikey_") and (made.key or "")[:4] == "crm_" and made.prefix == (made.key or "")[:12]
    assert "contacts:read@all" in made.permissions and len(made.permissions) > 20
    few = admin.security.api_keys.create(
        {"name": "few", "permissions": ["deals:read@all", "leads:read", "contacts:read@own"]}
    )
    assert few.permissions == ["deals:read", "leads:read", "contacts:read@own"]
    rotated = admin.security.api_keys.rotate(few.id)
    assert rotated.key not in (None, few.key) and (rotated.id, rotated.previous_valid_until) == (few.id, None)
    assert refused(lambda: holder(stub, few.key).deals.list()).status == 401
    graced = admin.security.api_keys.rotate(few.id, grace_seconds=60)
    assert some(graced.previous_valid_until) == stub.clock.now() + timedelta(seconds=60)
    assert holder(stub, rotated.key).deals.list(limit=1).items and holder(stub, graced.key).deals.list(limit=1).items
    stub.clock.advance(61)
    assert refused(lambda: holder(stub, rotated.key).deals.list()).status == 401
    first = admin.security.api_keys.revoke(few.id)
    again = admin.security.api_keys.revoke(few.id)
    assert (first.status, first.key, again) == ("revoked", None, first) and first.revoked_at is not None
    assert refused(lambda: holder(stub, graced.key).deals.list()).status == 401
    gone = refused(lambda: admin.security.api_keys.rotate(few.id))
    assert (gone.status, gone.code) == (409, "API_KEY_REVOKED") and "is revoked" in str(gone)
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[begin:]]
    assert [action for action, id in told if id == few.id] == [
        "api_key.created", "api_key.rotated", "api_key.rotated", "api_key.revoked",
    ]  # fmt: skip
    assert "fingerprint" not in str(stub.audit()[begin:])


def test_what_is_wrong_with_a_key_is_named(stub: StubServer, admin: CrmClient, new: New) -> None:
    now = stub.clock.now()
    cases: list[tuple[Any, list[tuple[str, str | None]]]] = [
        ({"ip_allowlist": ["10.0.0.0/8", "x", "1.2.3.4", "y/8"]},
         [("ip_allowlist.1", "format"), ("ip_allowlist.3", "format")]),
        ({"permissions": ["deals:read", "deals:fly", "deals:read@", "odd"]},
         [("permissions.1", "choice"), ("permissions.2", "choice"), ("permissions.3", "choice")]),
        ({"expires_at": now}, [("expires_at", "min")]), ({"name": " "}, [("name", "length")]),
    ]  # fmt: skip
    for members, wrong in cases:
        body: Any = {"name": "x", **members}
        error = refused(lambda body=body: admin.security.api_keys.create(body))  # type: ignore[misc] # the value of this turn is bound
        found = [(one.field, one.rule) for one in error.fields]
        assert found == wrong, members
    admin.security.policies.update({"api_key_max_days": 10})
    late: Any = {"name": "x", "expires_at": stub.clock.now() + timedelta(days=11)}
    assert [(one.field, one.rule) for one in refused(lambda: admin.security.api_keys.create(late)).fields] == [
        ("expires_at", "max")
    ]
    usual = admin.security.api_keys.create({"name": "usual"})
    assert some(usual.expires_at) == some(usual.created_at) + timedelta(days=10)
    stub.clock.advance(86_400)
    kept = admin.security.api_keys.rotate(usual.id)
    assert kept.expires_at == usual.expires_at, "a new key of the same id lasts no longer"
    one = new(permission("contacts", "read"))
    for attempt in (
        lambda: one.crm.security.api_keys.create({"name": "x", "user_id": "user_ada"}),
        lambda: admin.security.api_keys.create({"name": "x", "user_id": one.id, "permissions": ["deals:read"]}),
    ):
        assert refused(attempt).code in ("FORBIDDEN", "ROLE_ESCALATION")
    more = refused(
        lambda: one.crm.security.api_keys.create({"name": "x", "permissions": ["deals:read", "contacts:read"]})
    )
    assert (more.code, more.details) == ("ROLE_ESCALATION", {"permissions": ["deals:read@all"]})
    stored(stub, "user", one.id, status="inactive")
    asleep = refused(lambda: admin.security.api_keys.create({"name": "x", "user_id": one.id}))
    assert [(each.field, each.rule) for each in asleep.fields] == [("user_id", "reference")]


def test_keys_are_listed(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read"))
    theirs = one.crm.security.api_keys.create({"name": "Theirs"})
    soon, never = (
        admin.security.api_keys.create({"name": name, "description": "Of the test", "expires_at": at}).id
        for name, at in (("Soon", stub.clock.now() + timedelta(hours=1)), ("Never", None))
    )

    def ids(crm: CrmClient = admin, **options: Any) -> list[str]:
        return [key.id for key in crm.security.api_keys.list(**options) if key.id in (soon, never, theirs.id)]

    assert ids(one.crm) == [theirs.id] and set(ids()) == {soon, never, theirs.id}
    assert set(ids(search="of the test")) == {soon, never} and ids(user_id=one.id) == [theirs.id]
    assert ids(sort="expires_at")[0] == soon
    holder(stub, theirs.key).contacts.list(limit=1)
    used = next(key for key in admin.security.api_keys.list(user_id=one.id))
    assert (used.use_count, used.last_used_ip) == (1, "127.0.0.1") and used.last_used_at is not None
    assert ids(sort="last_used_at", order="desc")[0] == theirs.id
    stub.clock.advance(3_600)
    assert ids(status="expired") == [soon] and set(ids(status="active")) == {never, theirs.id}
    assert refused(lambda: admin.security.api_keys.rotate(soon)).code == "API_KEY_REVOKED"
    admin.security.api_keys.revoke(never)
    assert ids(status="revoked") == [never]
    assert refused(lambda: one.crm.security.api_keys.revoke(soon)).code == "NOT_FOUND"
    assert admin.security.api_keys.revoke(theirs.id).status == "revoked", "who manages security"
    limit = {key.key: key.used for key in admin.tenants.limits.get("current").limits}["api_keys"]
    assert limit == sum(key.status == "active" for key in admin.security.api_keys.list())
