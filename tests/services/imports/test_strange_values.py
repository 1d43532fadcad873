"""Values of a type that no member has: the row fails by itself, whichever way it came in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from imported_files import load, record
from refusals import refused

from crm_sdk import CrmClient

STRANGE: list[dict[str, Any]] = [
    {"id": [1]}, {"external_id": [1]}, {"external_id": {"a": 1}}, {"external_id": True}, {"tags": [1, {"a": 2}]},
    {"address": "Rome"}, {"address": {"city": 1}}, {"custom_fields": [1]}, {"owner_id": {"a": 1}}, {"name": {"a": 1}},
]  # fmt: skip


def test_a_value_of_a_strange_type_fails_its_row_alone(client: CrmClient) -> None:
    for row in STRANGE:
        lines = [{"name": "Strange", **row}, {"name": "Plain"}]
        done = load(client, "contact", "\n".join(map(json.dumps, lines)), "rows.jsonl")
        assert [error.row for error in done.errors] in ([1], [1, 1], []), row
        assert record(client, "contact", done, -1).name == "Plain", row
        assert all(error.code != "INTERNAL_ERROR" for error in done.errors), row


def test_a_format_of_dates_that_is_none_fails_its_rows(client: CrmClient) -> None:
    done = load(client, "contact", "name,birthday\nAda,31.12.1980\n", date_format="DD DD")
    assert [error.field for error in done.errors] == ["birthday"]


@pytest.mark.parametrize(("match_on", "value"), [("email", 5), ("external_id", [1]), ("phone", True)])
def test_keys_of_a_strange_type_are_refused_by_upserts_too(client: CrmClient, match_on: str, value: Any) -> None:
    (item,) = client.objects.upsert("contact", [{"name": "Ada", match_on: value}], match_on=match_on).items
    assert item.status == "failed" and item.error is not None and item.error.rule == "type"


@pytest.mark.parametrize("entity", ["contact", "lead", "deal", "the documented door"])
def test_a_mapping_that_names_no_column_is_refused_before_a_row_is_read(client: CrmClient, entity: str) -> None:
    file, documented = ("rows.csv", b"name,title\nAda,Engine\n"), entity == "the documented door"
    before = client.jobs.list(kind=["import", "contact_import"]).total
    error = refused(
        lambda: (
            client.contacts.imports.create(file, mapping=[])
            if documented
            else client.imports.create(entity, file, mapping=[])
        )
    )
    assert (error.status, error.fields[0].field, error.fields[0].rule) == (422, "mapping", "min")
    assert client.jobs.list(kind=["import", "contact_import"]).total == before


def test_a_whole_number_is_read_as_the_id_of_a_record(client: CrmClient) -> None:
    for field in ("account_id", "owner_id"):
        for value, code in (
            ("5", "REFERENCE_NOT_FOUND"), (5, "REFERENCE_NOT_FOUND"), (True, "VALIDATION_ERROR"),
            (5.5, "VALIDATION_ERROR"),
        ):  # fmt: skip
            done = load(client, "contact", json.dumps({"name": "Ada", field: value}), "rows.jsonl")
            assert [(error.row, error.field, error.code) for error in done.errors] == [(1, field, code)], value
