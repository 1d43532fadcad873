"""The JSON of a document is written once per shape, and is what it would be if it were written each time."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from kept import check_what_is_kept

from crm_sdk.catalogue import declared_operations
from crm_sdk.models.record import Model
from crm_sdk.wire import encode_json
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.answering.rendering import renderer
from server_stub.request.answering.writing import Written, write_body, writer
from server_stub.request.http import Request


class Cat(Model):
    kind: Literal["cat"]
    name: str | None = None
    born_at: datetime | None = None


class Dog(Model):
    kind: Literal["dog"]
    value: Decimal


CAT = Document(kind="cat", name="Zoë \ud800", born_at=datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), other=1)
DOG = Document(kind="dog", value=Decimal("12345678901234567.89"))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Cat, CAT),
        (Cat, dict(CAT)),
        (Cat | None, CAT),
        (Cat | None, None),
        (Cat | Dog, DOG),
        (Cat | Dog | None, None),
        (list[Cat | Dog], [CAT, DOG, dict(DOG), CAT]),
        (list[Cat], []),
        (list[Cat] | None, None),
        (list[Cat] | None, [CAT]),
        (list[str], ["a", "ä"]),
        (dict[str, Dog], {"one": DOG}),
        (str, "text"),
        (Any, {"free": [Decimal("0.10")]}),
    ],
)
def test_bytes_are_those_of_what_is_rendered(annotation: Any, value: Any) -> None:
    expected = encode_json(renderer(annotation, "platform")(value))
    for _ in range(2):
        assert writer(annotation, "platform")(value) == expected


def test_a_document_is_written_once_for_each_shape() -> None:
    doc = CAT | {"name": "Tom"}
    first = writer(Cat, "platform")(doc)
    assert writer(list[Cat], "platform")([doc]) == b"[%b]" % first
    assert writer(Cat, "platform")(doc) is first
    assert writer(Cat, "flow")(doc) is not first
    changed = writer(Cat, "platform")(doc | {"name": "Jerry"})
    assert json.loads(changed)["name"] == "Jerry"


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "data": Written(b'{"a":1}'), "meta": {"no": None, "1": 1, "list": [[]]}, "errors": []},
        {"leads": Written(b"[]"), "total": 0, "more": False, "one": 1, "0": 0, "none": None},
        Written(b"[1]"),
        {"plain": [Decimal("1.50")]},
        [],
        None,
    ],
)
def test_a_body_holds_what_is_written_already(body: Any) -> None:
    def read(value: Any) -> Any:
        return json.loads(value) if isinstance(value, Written) else value

    whole = {name: read(value) for name, value in body.items()} if isinstance(body, dict) else read(body)
    assert write_body(body) == encode_json(whole)


LISTS = [
    (operation.id, route)
    for operation in declared_operations()
    for route in operation.routes.values()
    if route.method == "GET" and "{" not in route.path and not operation.id.startswith("monitoring.")
]


_ITS_OWN = (
    rb'"(requestId|timestamp|asOf|generatedAt|oldest|time|lastUsedAt|lastSeenAt)":"[^"]*"'
    rb'|"apiRequestsLastMinute":[0-9]+|"used":[0-9]+,"remaining":[0-9]+|"useCount":[0-9]+'
)
"""What tells of the request itself."""


def test_every_list_and_record_says_the_same_again() -> None:
    stub = StubServer()
    headers = {"authorization": "Bearer acme-admin"}
    for operation, route in LISTS:
        path = f"/{route.dialect.name}{route.full_path}"
        replies = [stub.handle(Request("GET", path, "", headers)) for _ in range(2)]
        bodies = [re.sub(_ITS_OWN, b"", reply.body) for reply in replies]
        assert bodies[0] == bodies[1], operation
    assert check_what_is_kept(stub) > 300


def test_a_document_whose_computed_members_stay_is_the_same_document() -> None:
    doc = Document(id="deal_1", value=3)
    assert doc.with_members({"value": 3}) is doc
    late = doc.with_members({"days": 4, "late": None})
    assert (late, doc) == ({"id": "deal_1", "value": 3, "days": 4, "late": None}, {"id": "deal_1", "value": 3})
    assert doc.with_members({"days": 4, "late": None}) is late
    assert doc.with_members({"days": 4}) == {"id": "deal_1", "value": 3, "days": 4}
    assert doc.with_members({"days": 5, "late": None}) == late | {"days": 5}
    doc.with_members({"value": 9, "days": 4})
    assert doc.with_members({"days": 4})["value"] == 3, "what another view put in the place of a member is not seen"
    assert doc.with_members({"value": 3}) is doc


@pytest.mark.thorough
def test_what_is_computed_of_deals_is_written_again_when_time_has_moved_it() -> None:
    server = StubServer()
    client = server.client(dialects="flow")
    before = {deal.id: deal for deal in client.deals.list()}
    assert {deal.id: deal for deal in client.deals.list()} == before
    server.clock.advance(40 * 86_400)
    after = {deal.id: deal for deal in client.deals.list()}
    assert after != before
    for id, deal in after.items():
        alone = client.deals.get(id)
        assert deal == alone.model_copy(update={"activities": deal.activities, "ai_insights": deal.ai_insights})
