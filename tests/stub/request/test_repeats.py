"""Repetitions: which answers are kept for an idempotency key, for whom, how long, and what they lose."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.problems import Problem
from server_stub.request import repeats
from server_stub.request.http import Reply, Request

SAM = Caller("tenant_acme", "user_sam", "user_sam", "sales")
REQUEST = Request("POST", "/v1/leads", "a=1", {"idempotency-key": "once"}, b'{"name": "Ada"}')
REPLY = Reply(
    201, {"Content-Type": "application/json", "Location": "/v1/leads/1", "Content-Language": "en", "ETag": '"1"'},
    b'{"data": {"id": "1", "secretKey": "s", "name": "Ada"}}',
)  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> StubServer:
    return StubServer(demo=False)


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


def remember(stub: StubServer, request: Request = REQUEST, reply: Reply = REPLY, *once: str) -> None:
    repeats.remember(stub, SAM, request, reply, once, stub.clock.now())


def again(stub: StubServer, request: Request = REQUEST, caller: Caller = SAM, seconds: float = 0) -> Reply | None:
    return repeats.first_answer(stub, caller, request, stub.clock.now() + timedelta(seconds=seconds))


def test_what_is_kept_of_an_answer(stub: StubServer) -> None:
    assert again(stub) is None
    remember(stub)
    kept = again(stub)
    assert kept is not None
    assert (kept.status, kept.body) == (201, REPLY.body)
    assert kept.headers == {
        "Content-Type": "application/json", "Location": "/v1/leads/1", "Content-Language": "en",
        "Idempotency-Replayed": "true",
    }  # fmt: skip
    assert again(stub, caller=replace(SAM, actor_id="user_ada")) is None, "keys are each caller's own"
    assert again(stub, caller=replace(SAM, tenant_id="tenant_globex")) is None


def test_what_comes_once_is_not_repeated(stub: StubServer) -> None:
    remember(stub, REQUEST, REPLY, "secret_key")
    kept = again(stub)
    assert kept is not None and json.loads(kept.body) == {"data": {"id": "1", "secretKey": None, "name": "Ada"}}


@pytest.mark.parametrize(
    "other", [{"path": "/v1/deals"}, {"query": ""}, {"body": b"{}"}, {"body": b'{"name": "Ada"} '}]
)
def test_a_key_that_came_with_another_request(stub: StubServer, other: dict[str, Any]) -> None:
    remember(stub)
    with pytest.raises(Problem, match="the key 'once' came with another request before") as caught:
        again(stub, replace(REQUEST, **other))
    assert (caught.value.code, caught.value.status) == ("IDEMPOTENCY_KEY_REUSED", 409)


def test_how_long_and_what_for_an_answer_is_kept(stub: StubServer) -> None:
    remember(stub)
    day = 24 * 3600
    assert again(stub, seconds=day - 0.001) is not None and again(stub, seconds=day) is None
    for key, status, chunks, kept in (
        ("a", 399, None, True), ("b", 400, None, False), ("c", 500, None, False), ("d", 200, [b"x"], False),
        ("e", 200, None, True),
    ):  # fmt: skip
        request = replace(REQUEST, headers={"idempotency-key": key})
        remember(stub, request, replace(REPLY, status=status, chunks=chunks))
        assert (again(stub, request) is not None) is kept, key
    for request in (replace(REQUEST, headers={}), replace(REQUEST, method="PUT")):
        remember(stub, request)
        assert again(stub, request) is None and repeats.key_of(request) is None
    remember(stub, replace(REQUEST, headers={"idempotency-key": "None"}))
    assert again(stub, replace(REQUEST, headers={})) is None
    assert repeats.key_of(REQUEST) == "once"


def test_what_a_key_can_be(stub: StubServer) -> None:
    def sent(key: str) -> Request:
        return replace(REQUEST, headers={"idempotency-key": key})

    for key in ("a", "x" * 255, "!~"):
        repeats.check_key(sent(key))
    for key in ("", "x" * 256, "a b", "é", "a\n"):
        with pytest.raises(Problem) as caught:
            repeats.check_key(sent(key))
        assert (caught.value.code, caught.value.status) == ("BAD_REQUEST", 400)
    repeats.check_key(replace(REQUEST, headers={}))
    repeats.check_key(replace(sent("a b"), method="PUT"))
