"""The parts of a request and of its answer by themselves: types, selections, names of files, uses of keys, forms."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk.models.auth import LoginResult
from server_stub import StubServer
from server_stub.nouns.references import target_of
from server_stub.problems import Problem
from server_stub.request.access.keys import KeyUses
from server_stub.request.access.oauth import members_of
from server_stub.request.access.plans import check_limit, limit_of, plan_limit
from server_stub.request.answering.members import wholes
from server_stub.request.http import Reply, Request, disposition
from server_stub.request.reading.json_types import _fits
from server_stub.request.reading.preconditions import is_known, known_version

ADMIN = {"authorization": "Bearer acme-admin"}


def asked(stub: StubServer, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {**ADMIN, **({"content-type": "application/json"} if body is not None else {}), **named}
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return stub.handle(Request(method, path, "", given, content))


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (int, [5, 5.0, 0, -3], [5.5, True, "5", None, [], {}]),
        (float, [5, 5.5, 0], [True, "5.5", None]),
        (Decimal, [5, 5.5], [False, "5"]),
        (bool, [True, False], [0, 1, "true", None]),
        (type(None), [None], [0, "", False]),
        (datetime, ["2026-01-15T09:00:00Z", "soon"], ["5", "-5", "5.5", 5, None]),
    ],
)
def test_of_json_each_type_takes_its_own_and_a_whole_number_is_an_integer(
    kind: Any, right: list[object], wrong: list[object]
) -> None:
    assert [value for value in right if not _fits(kind, value)] == []
    assert [value for value in wrong if _fits(kind, value)] == []


def test_of_a_member_and_its_part_the_whole_is_selected() -> None:
    paths = [("a", "b"), ("a",), ("c", "d"), ("c", "e", "f"), ("c", "e"), ("ab",)]
    assert wholes(paths) == [("a",), ("c", "d"), ("c", "e"), ("ab",)]
    assert wholes([]) == []


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.csv", 'attachment; filename="a.csv"'),
        ('say "hi" \\.csv', 'attachment; filename="say \\"hi\\" \\\\.csv"'),
        ("ü x.csv", "attachment; filename=\"? x.csv\"; filename*=UTF-8''%C3%BC%20x.csv"),
    ],
)
def test_a_file_has_its_whole_name_only_where_a_header_cannot_hold_it(name: str, header: str) -> None:
    assert disposition(name) == header


def test_a_key_is_used_from_an_address_or_from_here(stub: StubServer) -> None:
    now = datetime(2026, 1, 15, 9, tzinfo=UTC)
    uses = KeyUses({})
    assert uses.of("k") == (0, None, None)
    uses.count("k", now, None)
    assert uses.of("k") == (1, now, "127.0.0.1")
    later = now + timedelta(hours=1)
    uses.count("k", later, "10.0.0.1")
    assert uses.of("k") == (2, later, "10.0.0.1") and uses.of("other")[0] == 0
    other = KeyUses({})
    other.restore(uses.snapshot())
    assert other.of("k") == uses.of("k")


@pytest.mark.parametrize(
    ("name", "refers", "target"),
    [
        ("contact_id", {}, "contact"), ("contact_ids", {}, "contact"), ("parent_id", {}, "lead"),
        ("merged_ids", {}, "lead"), ("duplicate_id", {}, "lead"), ("owner_id", {}, "user"),
        ("to_stage_id", {}, "stage"),
        ("parent_id", {"parent_id": "account"}, "account"), ("message_id", {}, None), ("odd_id", {}, None),
        ("contact", {}, None), ("contact", {"contact": "contact"}, "contact"), ("address.contact_id", {}, "contact"),
    ],
)  # fmt: skip
def test_what_a_member_refers_to_is_read_off_its_name(name: str, refers: dict[str, str], target: str | None) -> None:
    assert target_of(name, "lead", refers, lambda word: word in ("contact", "message", "lead")) == target


@pytest.mark.parametrize(
    ("path", "varies"), [("/v1/leads/lead_123", True), ("/api/leads/lead_123", False), ("/platform/leads", True),
                         ("/mvp/api/leads/lead_123", False)],
)  # fmt: skip
def test_an_answer_that_may_be_a_document_of_json_api_varies_by_accept(
    stub: StubServer, path: str, varies: bool
) -> None:
    reply = asked(stub, "GET", path)
    assert ("Accept" in reply.headers.get("Vary", "").split(", ")) is varies


def test_a_picture_is_there_to_be_read_alone(stub: StubServer) -> None:
    picture = {"id": "pic_1", "content_type": "image/png", "content": base64.b64encode(b"a picture").decode()}
    stub.store.collection("tenant_globex", "picture").put(picture)
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert asked(stub, method, "/pictures/pic_1.png").status in (404, 405), method
    found = asked(stub, "GET", "/pictures/pic_1.png", authorization="")
    assert (found.status, found.body, found.headers["Content-Type"]) == (200, b"a picture", "image/png")
    for path in ("/pictures/none.png", "/elsewhere/pic_1.png"):
        assert asked(stub, "GET", path).status == 404, path


def test_an_answer_that_is_repeated_has_the_headers_that_belong_to_it(stub: StubServer) -> None:
    first, again = (
        asked(stub, "POST", "/v1/leads", {"name": "Ada"}, idempotency_key="once", accept_language="de")
        for _ in range(2)
    )
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    kept = ("Content-Type", "Content-Language", "Location")
    assert [again.headers.get(name) for name in kept] == [first.headers.get(name) for name in kept]
    assert again.headers["Location"] and again.headers["Idempotency-Replayed"] == "true"
    remaining = [int(reply.headers["X-RateLimit-Remaining"]) for reply in (first, again)]
    assert remaining[1] == remaining[0] - 1, "what tells of the call itself is that of the second"
    assert "Idempotency-Replayed" not in first.headers
    other = asked(stub, "POST", "/v1/leads", {"name": "Bob"}, idempotency_key="once")
    assert (other.status, b"IDEMPOTENCY_KEY_REUSED" in other.body) == (409, True)
    stub.clock.advance(24 * 3600)
    assert asked(stub, "POST", "/v1/leads", {"name": "Ada"}, idempotency_key="once").body != first.body


@pytest.mark.parametrize("options", ["[]", "5", "null", "{", '"text"'])
def test_the_options_of_a_form_are_an_object(stub: StubServer, options: str) -> None:
    parts: dict[str, tuple[str | None, str]] = {
        "options": (None, options),
        "file": ("rows.csv", "name\nAda\n"),
    }
    with stub.client() as client:
        reply = client.request("POST", "/v1/contacts/import", content=_form(parts), headers=_FORM)
    assert (reply.status, b"the part 'options' is not a JSON object" in (reply.content or b"")) == (400, True)


_FORM = {"content-type": "multipart/form-data; boundary=bound"}


def _form(parts: dict[str, tuple[str | None, str]]) -> bytes:
    found = b""
    for name, (filename, content) in parts.items():
        named = f'; filename="{filename}"' if filename else ""
        head = f'--bound\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        found += f"{head}{content}\r\n".encode()
    return found + b"--bound--\r\n"


def test_calls_are_counted_always_and_refused_where_that_was_asked_for() -> None:
    for enforced in (False, True):
        with StubServer(enforce_limits=enforced) as stub:
            first = asked(stub, "GET", "/flow/api/contacts/stats")
            left = int(first.headers["X-RateLimit-Remaining"])
            replies = [asked(stub, "GET", "/flow/api/contacts/stats") for _ in range(left + 1)]
            assert [reply.status for reply in replies[:left]] == [200] * left
            assert replies[left].status == (429 if enforced else 200)
            assert replies[left].headers["X-RateLimit-Remaining"] == "0"
            assert ("Retry-After" in replies[left].headers) is enforced


def test_a_session_that_is_left_to_somebody_inactive_opens_nothing(stub: StubServer) -> None:
    login = stub.client(api_key=None, dialects="platform").auth.login("ada@acme.test", "demo-password")
    users = stub.store.collection("tenant_acme", "user")
    ada = users.get("user_ada")
    assert ada is not None
    bearer = {"authorization": f"Bearer {login.access_token}"}
    assert asked(stub, "GET", "/v1/leads/lead_123", **bearer).status == 200
    users.put(ada | {"status": "inactive"})
    refused = asked(stub, "GET", "/v1/leads/lead_123", **bearer)
    assert (refused.status, b"USER_INACTIVE" in refused.body) == (403, True)
    users.remove("user_ada")
    assert asked(stub, "GET", "/v1/leads/lead_123", **bearer).status == 401


@pytest.mark.parametrize(
    ("plan", "own", "limit"),
    [
        ("free", None, 3), ("free", {}, 3), ("free", {"users": 2}, 2), ("free", {"users": 4}, 3),
        ("free", {"users": 0}, 0), ("free", {"contacts": 1}, 3), ("free", {"users": None}, 3),
        ("enterprise", None, None), ("enterprise", {"users": 4}, 4),
    ],
)  # fmt: skip
def test_the_limit_of_a_company_is_its_own_within_that_of_its_plan(plan: str, own: Any, limit: int | None) -> None:
    tenant = {"plan": plan, "limits": own}
    assert plan_limit("free", "users") == 3 and plan_limit("enterprise", "users") is None
    assert limit_of(tenant, "users") == limit
    if limit is None:
        check_limit(tenant, "users", 1_000_000)
        return
    for used, more in ((limit, 0), (limit - 1, 1), (0, limit)):
        check_limit(tenant, "users", used, more)
    with pytest.raises(Problem, match="are allowed") as refused:
        check_limit(tenant, "users", limit)
    assert refused.value.details == {"key": "users", "limit": limit, "used": limit}


def test_an_answer_of_oauth_has_the_members_that_are_known_and_there() -> None:
    whole = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "refresh_token": None, "odd": 1}
    assert members_of(LoginResult, whole) == {"access_token": "a", "token_type": "Bearer", "expires_in": 60}
    nothing: list[Any] = [None, [], "text", 5]
    assert [members_of(LoginResult, value) for value in nothing] == [{}] * 4
    assert members_of(dict, whole) == {}


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ('"3"', True), ('W/"3"', True), ("*", True), (" * ", True), ('"2", "3"', True), ('"2",W/"3"', True),
        ("", False), ('"2"', False), ("3", False), ('"33"', False), ('"2", "4"', False), ('"*"', False),
    ],
)  # fmt: skip
def test_a_version_is_known_by_any_of_the_tags_that_are_sent(given: str, known: bool) -> None:
    assert is_known('"3"', {"if-none-match": given}) is known
    assert is_known('"3"', {}) is False


@pytest.mark.parametrize(
    ("given", "version"),
    [
        ('"3"', 3), ('W/"3"', 3), (" 3 ", 3), ("0", 0), ("9" * 18, int("9" * 18)), ("*", None), (None, None),
        ("9" * 19, "wrong"), ("", "wrong"), ('"3', "wrong"), ("-3", "wrong"), ('"2", "3"', "wrong"), ("W/3", "wrong"),
    ],
)  # fmt: skip
def test_the_version_that_is_meant_is_one_number(given: str | None, version: int | str | None) -> None:
    headers = {"if-match": given} if given is not None else {}
    if version == "wrong":
        with pytest.raises(Problem) as refused:
            known_version(headers)
        assert [(entry.field, entry.rule) for entry in refused.value.entries] == [("version", "type")]
    else:
        assert known_version(headers) == ({} if version is None else {"version": version})
