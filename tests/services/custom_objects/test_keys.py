"""Records of a custom object are found by the unique fields of the object, wherever a record is named by a key."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import CustomObject
from server_stub import StubServer

from .conftest import Define, field


@pytest.fixture
def thing(define: Define) -> CustomObject:
    return define(field("code", unique=True), field("number", "integer", unique=True), field("size", "integer"))


def outcomes(crm: CrmClient, thing: CustomObject, rows: list[Any], **options: Any) -> list[tuple[str | None, ...]]:
    items = crm.objects.upsert(thing.api_name, [{"fields": row} for row in rows], **options).items
    return [
        (item.result.outcome, item.result.matched_on)
        if item.result is not None
        else (item.error.code if item.error is not None else None, item.error.field if item.error is not None else None)
        for item in items
    ]


@pytest.mark.parametrize(("key", "values"), [("code", ("A-1", "a-1", "B-2")), ("number", (7, 7, 8))])
def test_rows_find_their_records_by_a_unique_field(
    platform: CrmClient, thing: CustomObject, key: str, values: tuple[Any, ...]
) -> None:
    def rows(*sizes: tuple[Any, int]) -> list[Any]:
        return [{"name": f"Of {value}", key: value, "size": size} for value, size in sizes]

    first, same, other = values
    assert outcomes(platform, thing, rows((first, 1)), match_on=key) == [("created", None)]
    made = platform.custom_objects.records.list(thing.id).items[0].id
    assert outcomes(platform, thing, [{key: same, "size": 2}], match_on=key) == [("updated", key)]
    assert outcomes(platform, thing, [{key: same, "size": 2}], match_on=key) == [("unchanged", key)]
    assert outcomes(platform, thing, rows((other, 3)), match_on=key) == [("created", None)]
    assert platform.custom_objects.records.get(thing.id, made).fields["size"] == 2
    assert len(platform.custom_objects.records.list(thing.id)) == 2
    if key == "code":
        got = platform.objects.batch_get(thing.api_name, [first, other], match_on=key).items
        assert [item.error for item in got] == [None, None] and got[0].id == made


def test_what_is_no_unique_field_is_no_key(platform: CrmClient, thing: CustomObject) -> None:
    for value in ({"a": 1}, ["a"], True):
        assert outcomes(platform, thing, [{"name": "x", "code": value}], match_on="code") == [
            ("VALIDATION_ERROR", "code")
        ]
    with pytest.raises(Exception, match="NOT_A_KEY"):
        outcomes(platform, thing, [{"name": "x", "size": 1}], match_on="size")


def test_an_import_and_a_transaction_find_them_too(platform: CrmClient, stub: StubServer, thing: CustomObject) -> None:
    outcomes(platform, thing, [{"name": "One", "code": "A-1", "size": 1}], match_on="code")
    platform.imports.create(
        thing.api_name, ("rows.csv", b"code,size,name\na-1,5,One\nB-2,6,Two\n"), match_on="code", mode="upsert"
    ).wait()
    operation: Any = {
        "action": "upsert", "entity": thing.api_name, "match_on": "code",
        "values": {"fields": {"code": "B-2", "size": 9}},
    }  # fmt: skip
    platform.objects.transaction([operation])
    records = platform.custom_objects.records.list(thing.id)
    assert sorted((one.fields["code"], one.fields["size"]) for one in records) == [("B-2", 9), ("a-1", 5)]
