"""A body may come under the name of its argument, with or without the call's keywords beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.request.http import Reply, Request

MEETING = {"title": "Kick-off", "startTime": "2026-02-02T10:00:00Z", "endTime": "2026-02-02T11:00:00Z"}


def ask(stub: StubServer, path: str, body: Any) -> Reply:
    sent = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    return stub.handle(Request("POST", f"/platform/v1{path}", "", sent, json.dumps(body).encode()))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_meeting_and_whether_it_may_clash(stub: StubServer, wrapped: bool) -> None:
    def body(**keywords: Any) -> dict[str, Any]:
        return {"event": MEETING, **keywords} if wrapped else {**MEETING, **keywords}

    assert [ask(stub, "/communication/meetings", body(**more)).status for more in ({}, {}, {"force": True})] == [
        201, 409, 201,
    ]  # fmt: skip
    strange = ask(stub, "/communication/meetings", body(force=True, colour="red"))
    assert strange.status == 422 and b"colour" in strange.body


@pytest.mark.parametrize("wrapped", [False, True])
def test_rules_that_are_tried_on_a_field(stub: StubServer, wrapped: bool) -> None:
    change = {"required": True}
    body = {"field": change, "fieldId": "notes"} if wrapped else {**change, "fieldId": "notes"}
    said = json.loads(ask(stub, "/custom-objects/onboarding/fields/validate", body).body)["data"]
    assert not said["valid"] and said["affectedRecords"] == len(said["conflicts"]) > 0
