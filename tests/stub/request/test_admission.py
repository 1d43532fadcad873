"""Who is let in: credentials, companies, networks, second factors; and when a quota is used up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from stub_data import some

from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.problems import Problem
from server_stub.request.access import keys
from server_stub.request.http import Reply, Request

SECOND = timedelta(seconds=1)


@pytest.fixture
def stub(restored: StubServer) -> Iterator[StubServer]:
    enforced = restored.enforce_limits
    yield restored
    restored.enforce_limits = enforced


def ask(stub: StubServer, path: str = "leads/lead_123", method: str = "GET", peer: str | None = None, body: Any = None,
        **headers: str) -> Reply:  # fmt: skip
    given = {"authorization": "Bearer acme-admin", "content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return stub.handle(Request(method, f"/v1/{path}", "", given, json.dumps(body).encode() if body else b"", peer))


def code(reply: Reply) -> tuple[int, str | None]:
    errors = json.loads(reply.body).get("errors") or [{"code": None}]
    return reply.status, errors[0]["code"]


def company(stub: StubServer, **members: Any) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(some(tenants.get("tenant_acme")) | members)


OK, UNAUTHORIZED, FORBIDDEN = (200, None), (401, "UNAUTHORIZED"), (403, "FORBIDDEN")


def test_how_a_credential_is_sent(stub: StubServer) -> None:
    sent = {
        "Bearer acme-admin": OK, "bearer acme-admin": OK, "BEARER   acme-admin ": OK, "": UNAUTHORIZED,
        "Bearer": UNAUTHORIZED, "Bearer ": UNAUTHORIZED, "Basic acme-admin": UNAUTHORIZED, "acme-admin": UNAUTHORIZED,
        "Bearer nobody": UNAUTHORIZED,
    }  # fmt: skip
    assert {value: code(ask(stub, authorization=value)) for value in sent} == sent
    assert b"send a token or an API key" in ask(stub, authorization="Bearer ").body


def test_the_company_that_a_request_names_is_that_of_the_credential(stub: StubServer) -> None:
    slug = some(stub.store.collection("tenant_acme", "tenant").get("tenant_acme"))["slug"]
    other = (403, "TENANT_MISMATCH")
    named = {"tenant_acme": OK, slug: OK, "": OK, "tenant_globex": other, "Acme": other}
    assert {name: code(ask(stub, x_tenant_id=name)) for name in named} == named


@pytest.mark.parametrize(("status", "answer"), [("active", OK), ("suspended", OK), ("cancelled", UNAUTHORIZED)])
def test_a_company_that_was_ended_lets_nobody_in(stub: StubServer, status: str, answer: object) -> None:
    company(stub, status=status)
    assert code(ask(stub)) == answer


def test_the_networks_of_a_company(stub: StubServer) -> None:
    company(stub, security={"ip_allowlist": ["10.1.0.0/16", "192.0.2.7"]})
    peers = {"10.1.2.3": OK, "10.2.0.1": FORBIDDEN, "192.0.2.7": OK, "192.0.2.8": FORBIDDEN, None: OK, "socket": OK}
    assert {peer: code(ask(stub, peer=peer)) for peer in peers} == peers
    assert b"does not serve calls from 10.2.0.1" in ask(stub, peer="10.2.0.1").body
    company(stub, security={"ip_allowlist": []})
    assert code(ask(stub, peer="10.2.0.1")) == OK


def key(stub: StubServer, **members: Any) -> Document:
    """Change the key of the administrator, and return it."""
    records = stub.store.collection("tenant_acme", "api_key")
    return records.put(some(records.get("apikey_acme_admin")) | members)


def test_a_key_works_from_its_networks(stub: StubServer) -> None:
    key(stub, ip_allowlist=["10.1.0.0/16", "127.0.0.1", "nonsense"])
    peers = {"10.1.2.3": OK, "10.2.0.1": FORBIDDEN, None: OK, "127.0.0.1": OK, "socket": FORBIDDEN}
    known = len(stub.audit(reads=True))
    assert {peer: code(ask(stub, peer=peer)) for peer in peers} == peers
    entries = stub.audit(reads=True)[known:]
    failed = [entry for entry in entries if entry["action"] == "auth.login_failed"]
    assert [(entry["actor"]["ip_address"], entry["severity"], entry["metadata"]) for entry in failed] == [
        ("10.2.0.1", "warning", {"reason": "address"}), ("socket", "warning", {"reason": "address"}),
    ]  # fmt: skip
    assert failed[0]["entity"]["id"] == "apikey_acme_admin" and failed[0]["source"]["status"] == 403
    key(stub, ip_allowlist=["10.1.0.0/16"])
    refused = ask(stub)
    assert code(refused) == FORBIDDEN and b"does not work from 127.0.0.1" in refused.body
    used = stub.key_uses.of("apikey_acme_admin")
    assert (used[0], used[2]) == (3, "127.0.0.1"), "only what it was let in for is counted"


@pytest.mark.parametrize(
    ("members", "credential", "says"),
    [
        ({"expires_at": None}, "acme-admin", None),
        ({"expires_at": SECOND}, "acme-admin", None),
        ({"expires_at": 0 * SECOND}, "acme-admin", "has expired"),
        ({"previous_valid_until": SECOND}, "old", None),
        ({"previous_valid_until": 0 * SECOND}, "old", "was replaced"),
        ({"previous_valid_until": -SECOND}, "acme-admin", None),
    ],
)
def test_until_when_a_key_works(stub: StubServer, members: dict[str, Any], credential: str, says: str | None) -> None:
    now = stub.clock.now()
    times = {name: now + value if value is not None else None for name, value in members.items()}
    one = key(stub, **times)
    if says is None:
        keys.refuse(stub, one, credential, now, None)
        return
    with pytest.raises(Problem, match=says) as caught:
        keys.refuse(stub, one, credential, now, None)
    assert caught.value.status == 401


def test_a_second_factor_that_the_company_asks_for(stub: StubServer) -> None:
    client = stub.client(api_key=None, dialects="platform", max_retries=0)
    bearer = {"authorization": f"Bearer {client.auth.login('ada@acme.test', 'demo-password').access_token}"}
    assert code(ask(stub, **bearer)) == OK
    company(stub, security={"require_mfa": True})
    needs = (403, "MFA_REQUIRED")
    assert [code(ask(stub, path, **bearer)) for path in ("leads/lead_123", "auth/userinfo")] == [needs, OK]
    assert code(ask(stub)) == OK, "a key has no second factor"
    users = stub.store.collection("tenant_acme", "user")
    users.put(some(users.get("user_ada")) | {"mfa_enabled": True})
    assert code(ask(stub, **bearer)) == OK
    company(stub, security={"require_mfa": False})
    users.put(some(users.get("user_ada")) | {"mfa_enabled": False})
    assert code(ask(stub, **bearer)) == OK


def test_who_is_seen_to_be_there(stub: StubServer) -> None:
    stub.live.seen.clear()
    ask(stub)
    assert not stub.live.seen, "a key is nobody"
    login = stub.client(api_key=None, dialects="platform").auth.login("ada@acme.test", "demo-password")
    ask(stub, authorization=f"Bearer {login.access_token}")
    assert list(stub.live.seen) == [("tenant_acme", "user_ada")]


def test_the_quotas_of_a_company_for_its_hour(stub: StubServer) -> None:
    stub.enforce_limits = True
    begun = stub.meter.count("tenant_acme", stub.clock.now())
    company(stub, limits={"api_requests_per_hour": begun + 2})
    assert [code(ask(stub)) for _ in range(2)] == [OK, OK]
    refused = ask(stub)
    assert code(refused) == (429, "RATE_LIMIT_EXCEEDED")
    (error,) = json.loads(refused.body)["errors"]
    left = 3_600 - (stub.clock.now().minute * 60 + stub.clock.now().second)
    assert error["details"] == {"limit": begun + 2, "retryAfter": left}
    assert refused.headers["Retry-After"] == str(left)
    assert error["message"].startswith(f"more than {begun + 2} calls in 3600 s (integration)")
    assert int(refused.headers["X-RateLimit-Limit"]) == 10_000, "the headers tell of the caller's own"
    stub.clock.advance(left)
    assert code(ask(stub)) == OK


def test_the_quota_of_a_company_for_calls_of_many(stub: StubServer) -> None:
    stub.enforce_limits = True
    company(stub, limits={"bulk_requests_per_hour": 1})
    body = {"leadIds": ["lead_123"], "ownerId": "user_sam"}
    first, second = (ask(stub, "leads/assign", "POST", body=body) for _ in range(2))
    assert code(first) != code(second) == (429, "RATE_LIMIT_EXCEEDED")
    assert code(ask(stub)) == OK, "others are not counted"
