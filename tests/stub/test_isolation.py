"""A company's records are invisible to another company, whatever is called: drawn at random over all routes."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept import check_what_is_kept

from crm_sdk.catalogue import declared_operations
from server_stub import StubServer
from server_stub.request.http import Reply, Request

pytestmark = pytest.mark.thorough

ROUTES = [
    (operation, route)
    for operation in declared_operations()
    for route in operation.routes.values()
    if operation.flags.auth
]
OWN, OTHER = "acme-sales", "tenant_globex"
KINDS = (
    *("lead", "contact", "relationship", "account", "deal", "activity", "user", "session", "job", "agent", "tenant"),
    *("conversation", "message"),
)

BODIES: dict[str, Any] = {
    "leadId": "id",
    "conversationId": "id",
    "content": "x",
    "draftContent": "x",
    "priority": "high",
    "tag": "x",
    "leadIds": "ids",
    "ids": "ids",
    "contactIds": "ids",
    "relatedContactId": "id",
    "contactId": "id",
    "accountId": "id",
    "ownerId": "id",
    "userIds": "ids",
    "jobId": "id",
    "name": "Mallory",
    "type": "colleague",
    "text": "x",
    "summary": "x",
    "date": "2026-01-15T09:00:00Z",
    "input": "x",
    "status": "active",
    "email": "mallory@evil.test",
    "fromEmail": "mallory@evil.test",
    "subject": "x",
    "body": "x",
    "formId": "x",
    "network": "twitter",
    "handle": "x",
    "qualified": True,
}


@lru_cache(maxsize=1)
def foreign() -> tuple[StubServer, tuple[str, ...], frozenset[str]]:
    """Return a server, the other company's ids, and words that only its records hold."""
    server = StubServer()
    ids: list[str] = []
    for kind in KINDS:
        ids.extend(doc["id"] for doc in server.store.collection(OTHER, kind))
    mine = set()
    for kind in KINDS:
        mine |= {doc["id"] for doc in server.store.collection("tenant_acme", kind)}
    secret = frozenset(set(ids) - mine)
    return server, tuple(sorted(secret)), secret


def fill(template: Any, chosen: str) -> Any:
    return [chosen] if template == "ids" else chosen if template == "id" else template


def frozen(server: StubServer) -> dict[str, list[Any]]:
    return {kind: server.store.collection(OTHER, kind).all() for kind in (*KINDS, "audit", "idempotency")}


@st.composite
def calls(draw: st.DrawFn) -> tuple[Any, Request, str]:
    _, ids, _ = foreign()
    operation, route = draw(st.sampled_from(ROUTES))
    chosen = draw(st.sampled_from(ids))
    path = re.sub(r"{\w+}", chosen, route.full_path)
    headers = {"authorization": f"Bearer {OWN}", "content-type": "application/json"}
    if draw(st.booleans()):
        path = f"/{route.dialect.name}{path}"
    else:
        headers["x-crm-dialect"] = route.dialect.name
    members = draw(st.sets(st.sampled_from(sorted(BODIES)), max_size=6))
    body = {name: fill(BODIES[name], chosen) for name in members}
    query = draw(st.sampled_from(["", f"search={chosen}", f"owner_id={chosen}", f"ownerId={chosen}&limit=200"]))
    content = json.dumps(body).encode() if route.method in ("POST", "PUT", "PATCH") or "ids" in body else b""
    return operation, Request(route.method, path, query, headers, content), chosen


def text_of(reply: Reply) -> str:
    content = b"".join(reply.chunks) if reply.chunks is not None else reply.body
    return content.decode("utf-8", "replace")


_ADMINS = ("audit.", "backups.", "configuration.", "monitoring.", "privacy.", "security.", "tenants.", "webhooks.")
"""The calls whose permissions not every role has: others are told nothing."""


@given(st.lists(calls(), min_size=1, max_size=5))
def test_nothing_of_another_company_is_seen_or_touched(made: list[tuple[Any, Request, str]]) -> None:
    server, _, secret = foreign()
    before = frozen(server)
    snapshot = server.snapshot()
    try:
        for operation, request, chosen in made:
            reply = server.handle(request)
            shown = text_of(reply)
            assert reply.status < 500, (operation.id, shown[:500])
            assert reply.status != 403 or "TENANT" not in shown
            leaked = {word for word in secret if word in shown} - {chosen}  # an answer may quote what was asked
            assert not leaked, (operation.id, leaked)
            if "{" in operation.routes[next(iter(operation.routes))].path and reply.status == 200:
                raise AssertionError((operation.id, shown[:500]))
        assert frozen(server) == before
        check_what_is_kept(server)
    finally:
        server.restore(snapshot)


def test_an_id_of_another_company_is_404_like_one_that_never_was() -> None:
    server, ids, _ = foreign()
    for operation, route in ROUTES:
        if "{" not in route.path or route.method != "GET":
            continue
        answers = []
        for identifier in (
            next(i for i in ids if i.startswith("lead_")),
            next(i for i in ids if i.startswith("contact_")),
            "never_was",
        ):
            path = re.sub(r"{\w+}", identifier, route.full_path)
            key = "acme-admin" if operation.id.startswith(_ADMINS) else OWN
            headers = {"authorization": f"Bearer {key}", "x-crm-dialect": route.dialect.name}
            reply = server.handle(Request("GET", path, "", headers))
            answers.append((reply.status, text_of(reply).replace(identifier, "ID")))
        assert {status for status, _ in answers} == {404}, (operation.id, answers)
        bodies = {re.sub(r"req_\w+|\d{4}-\d\d-\d\dT[\d:.]+Z", "*", body) for _, body in answers}
        assert len(bodies) == 1, (operation.id, bodies)
