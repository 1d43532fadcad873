"""What a row is read as: the kind of record it is, which record it means, and how its values are shown."""

from __future__ import annotations

import json
from typing import Any

from imported_files import counts, load, result

from crm_sdk import CrmClient


def test_a_row_is_of_the_kind_that_it_says_or_its_record_has(client: CrmClient) -> None:
    """A status is of its kind, and what came of a call is a word."""

    def kinds(content: str, name: str = "rows.csv", **options: Any) -> list[tuple[Any, ...]]:
        done = load(client, "activity", content, name, **options)
        assert done.errors == [], done.errors
        found = result(done)
        records = [client.objects.batch_get("activity", [id]).items[0].result for id in (
            *found.created_ids, *found.updated_ids)]  # fmt: skip
        return [(getattr(one, "kind", None), getattr(one, "status", None)) for one in records]

    said: Any = [{"column": name, "field": name} for name in ("kind", "title", "status")]
    assert kinds("kind,title,status\ntask,A,Waiting\ncall,B,No answer\n") == [
        ("task", "waiting"),
        ("call", "no_answer"),
    ]
    usual = [{**said[0], "default": "task"}, *said[1:]]
    assert kinds("kind,title,status\n,A,Waiting\ncall,B,no answer\n", mapping=usual) == [
        ("task", "waiting"), ("call", "no_answer"),
    ]  # fmt: skip
    assert kinds("title,status\nA,Waiting\n", values={"kind": "task"}) == [("task", "waiting")]
    task = client.activities.tasks.create({"title": "T"})
    assert kinds(f"id,status\n{task.id},In progress\n") == [("task", "in_progress")]
    lines = json.dumps({"kind": "call", "title": "B", "outcome": "Left message", "status": "Completed"})
    (call,) = result(load(client, "activity", lines, "rows.jsonl")).created_ids
    assert client.communication.calls.get(call).outcome == "left_message"
    (error,) = load(client, "activity", "kind,title,status\ntask,A,No answer\n").errors
    assert (error.row, error.field, error.value) == (1, "status", "No answer")


def test_values_of_a_preview_have_the_names_of_the_wire_and_own_keys_stay(client: CrmClient) -> None:
    row = {"first_name": "A", "address": {"postal_code": "1"}, "custom_fields": {"my_key": "x"}, "tags": ["a"]}
    (line,) = client.imports.preview("contact", ("rows.jsonl", json.dumps(row).encode())).rows
    assert line.values == {
        "firstName": "A", "address": {"postalCode": "1"}, "customFields": {"my_key": "x"}, "tags": ["a"],
    }  # fmt: skip
    own = {"monthly_amount": 5, "starts_on": "2026-01-02", "name": "S"}
    (line,) = client.imports.preview("subscription", ("rows.jsonl", json.dumps(own).encode())).rows
    assert line.values == {"fields": own}


def test_a_row_without_its_key_or_whose_record_is_not_there_changes_nothing(client: CrmClient) -> None:
    rows = "id,external_id,name\n,,Ada\n,x,Ben\nlead_none,,Cleo\n"
    for options, expected in (
        ({"mode": "update"}, [
            (1, "external_id", "MATCH_KEY_MISSING", "externalId is the key of this import", ""),
            (2, "external_id", "NOT_FOUND", "there is no lead with the external_id 'x'", "x"),
            (3, "external_id", "MATCH_KEY_MISSING", "externalId is the key of this import", ""),
        ]),
        ({"mode": "upsert", "match_on": "id"}, [
            (3, "id", "NOT_FOUND", "there is no lead with the id 'lead_none'", "lead_none"),
        ]),
        ({"mode": "create", "dry_run": True}, []),
    ):  # fmt: skip
        given: Any = options
        done = load(client, "lead", rows, **given)
        assert [(one.row, one.field, one.code, one.message, one.value) for one in done.errors] == expected, options
        skipped = int("dry_run" in given)
        assert counts(done) == (3 - len(expected) - skipped, 0, skipped, len(expected))
    known = client.leads.create({"name": "Known", "external_id": "k"})
    (error,) = load(client, "lead", "external_id,name\nk,Other\n", on_duplicate="fail").errors
    assert (error.row, error.field, error.code, error.value) == (1, "external_id", "DUPLICATE_VALUE", "k")
    assert error.message == f"{known.id} has the external id 'k' already"
