"""A reference that cannot be changed comes back as it was given: a record is named by its type and id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.request.http import Request


def ask(stub: StubServer, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    reply = stub.handle(Request(method, f"/v1{path}", "", headers, json.dumps(body).encode()))
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    ("path", "members"),
    [("share", {"subjectType": "user", "subjectId": "user_sam"}), ("comments", {"body": "Hello"})],
)
def test_the_entity_may_be_sent_back(stub: StubServer, path: str, members: dict[str, Any]) -> None:
    _, lead = ask(stub, "POST", "/leads", {"name": "Zoë Zimt"})
    entity = {"type": "lead", "id": lead["data"]["id"]}
    status, made = ask(stub, "POST", f"/collaboration/{path}", {"entity": entity, **members})
    assert status == 201
    for sent in (entity, made["data"]["entity"], {**entity, "name": "An earlier name"}):
        status, answer = ask(stub, "PUT", f"/collaboration/{path}/{made['data']['id']}", {"entity": sent})
        assert (status, answer["data"]["version"]) == (200, 1), answer
    for other in ({**entity, "id": "lead_other"}, {**entity, "type": "deal"}):
        status, answer = ask(stub, "PUT", f"/collaboration/{path}/{made['data']['id']}", {"entity": other})
        assert (status, answer["errors"][0]["rule"]) == (422, "read_only")
