"""Calls of which a part fails: bulk results, what a page says beside its records, changes of objects."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from canned_answers import LEAD, Canned

from crm_sdk import BulkFailedError, CrmError
from crm_sdk.models import BulkResult, Contact, FieldChange
from server_stub import StubServer

ITEMS: Any = [{"name": "Ada"}, {"id": "contact_gone", "name": "x"}, {"name": "Grace"}, {"id": "lead_1"}]


def bulk(stub: StubServer, items: Any = ITEMS) -> BulkResult[Contact]:
    return stub.client(dialects="platform").contacts.bulk_upsert(items)


def test_the_failures_of_a_bulk_call_are_told_apart(stub: StubServer) -> None:
    result = bulk(stub)
    assert [item.index for item in result.failures] == [1, 3]
    with pytest.raises(
        BulkFailedError, match=r"2 of 4 items failed: item 1 \(contact_gone\): .*; item 3 \(lead_1\): "
    ) as raised:
        result.raise_for_failed()
    assert isinstance(raised.value, CrmError)
    assert (raised.value.result, raised.value.failures) == (result, result.failures)
    again = pickle.loads(pickle.dumps(raised.value))
    assert [item.error.code for item in again.failures] == [item.error.code for item in result.failures if item.error]


def test_a_bulk_call_that_did_all_is_its_result(stub: StubServer) -> None:
    result = bulk(stub, ITEMS[::2])
    assert result.failures == []
    assert result.raise_for_failed() is result


def test_the_message_names_three_items_by_their_keys() -> None:
    error = {"code": "NOT_FOUND", "message": "gone"}
    items = [{"index": n, "key": f"k{n}", "status": "failed", "error": error} for n in range(5)]
    with pytest.raises(BulkFailedError) as raised:
        BulkResult[None].model_validate({"items": items, "total": 5, "succeeded": 0, "failed": 5}).raise_for_failed()
    told = "item 0 (k0): gone; item 1 (k1): gone; item 2 (k2): gone; and 2 more"
    assert str(raised.value) == f"5 of 5 items failed: {told}"


def test_a_page_has_what_its_answer_says_beside_it(make: Any, call: Any, server: Canned, mode: str) -> None:
    window = {"page": 1, "limit": 50, "total": 1, "hasNext": False, "hasPrev": False}
    told = {"facets": {"status": {"new": 1}}, "chainValid": True}
    meta = {"timestamp": "2026-01-01T00:00:00Z", "version": "v1", "requestId": "r", "pagination": window, **told}
    server.says({"success": True, "data": [{**LEAD, "id": "l1"}], "meta": meta, "errors": []})
    pages = make(dialects="platform").leads.list()

    async def first() -> Any:
        return await pages

    assert (pages if mode == "sync" else call(first())).meta == told


def test_a_page_of_a_dialect_without_meta_has_none(stub: StubServer) -> None:
    for dialect in ("mvp", "platform"):
        assert stub.client(dialects=dialect).leads.list(limit=1).meta == {}


def test_a_change_may_be_one_of_an_object_or_a_list() -> None:
    before, after = {"city": "Bonn", "lines": [{"n": 1}]}, ["a", {"b": None}]
    change = FieldChange.model_validate({"field": "address", "before": before, "after": after})
    assert (change.before, change.after) == (before, after)
    assert FieldChange.model_validate_json(change.model_dump_json()) == change
