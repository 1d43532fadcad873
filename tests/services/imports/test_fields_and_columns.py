"""Which fields of an entity a column can fill, and which field a column seems to hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer


def look(client: CrmClient, entity: str, content: str, name: str = "rows.csv", **options: Any) -> Any:
    return client.imports.preview(entity, (name, content.encode()), **options)


def suggested(client: CrmClient, entity: str, *headers: str, cells: str = "") -> list[tuple[Any, ...]]:
    quoted = ",".join(f'"{header}"' for header in headers)
    found = look(client, entity, f"{quoted}\n{cells}\n")
    return [(one.suggested_field, one.reason, one.confidence) for one in found.columns]


def test_a_header_names_a_field_by_its_name_a_label_or_another_word(client: CrmClient) -> None:
    exact, label, synonym, none = ("exact", 100), ("label", 95), ("synonym", 85), (None, 0)
    for entity, header, field, (reason, confidence) in (
        ("contact", "email", "email", exact), ("contact", "Secondary Emails", "secondary_emails", exact),
        ("contact", "secondary_emails", "secondary_emails", exact), ("contact", "Geburtstag", "birthday", label),
        ("contact", "PLZ", "address.postal_code", synonym), ("contact", "Vorname", "first_name", label),
        ("contact", "custom_fields.Any Thing", "custom_fields.Any Thing", exact), ("contact", "Fax", None, none),
        ("contact", "Health Score", None, none),
        ("account", "Website", "website", exact), ("account", "Vorname", None, none),
        ("account", "Shoe size", None, none), ("deal", "Title", "title", exact), ("deal", "E-Mail", None, none),
    ):  # fmt: skip
        ((found, why, sure),) = suggested(client, entity, header, cells="x")
        assert (found, why, sure) == (field, reason, confidence), (entity, header)


def test_a_column_of_addresses_holds_the_address_and_one_of_our_ids_the_id(client: CrmClient) -> None:
    nine, ten = (f"{'a@x.example ' * count}".split() for count in (9, 10))
    for cells, found in (
        (ten, ("email", "values", 70)), ([*nine, "no"], ("email", "values", 70)), ([*nine[1:], "no", "no"], None),
        ([], None), (["", *nine], ("email", "values", 70)),
    ):  # fmt: skip
        rows = "\n".join(f"N,{cell}" for cell in cells)
        (_, column) = suggested(client, "contact", "name", "Whatever", cells=rows)
        assert column == (found or (None, None, 0)), cells
    first, second = suggested(client, "contact", "id", "external id", cells="contact_1,x")
    assert (first[0], second[0]) == ("id", "external_id")


def test_what_a_column_holds_is_counted_and_shown(client: CrmClient) -> None:
    cells = [" a ", "b", "", "a", "c", "d", "e", "f", "x" * 300]
    found = look(client, "contact", "name,Whatever\n" + "".join(f"N,{cell}\n" for cell in cells))
    column = found.columns[1]
    assert (column.column, column.index, column.filled, column.distinct, column.samples) == (
        "Whatever", 2, 8, 7, ["a", "b", "c", "d", "e"],
    )  # fmt: skip
    found = look(client, "contact", f"name,Whatever\nN,{'x' * 300}\n")
    assert found.columns[1].samples == ["x" * 200]
    assert (found.row_count, found.has_header, found.format, found.readable, found.errors) == (1, True, "csv", True, [])
    assert [one["field"] for one in found.mapping] == ["name"]
    nobody = look(client, "deal", "value\n5\n")
    assert (nobody.unmapped_required, [row.outcome for row in nobody.rows]) == (["title"], ["fail"])


def test_a_column_gets_the_transform_that_fits_its_field(client: CrmClient) -> None:
    for entity, transforms in (
        ("contact", {"name": "trim", "tags": "split_tags", "birthday": "date", "email": "trim",
                     "secondary_emails": "trim", "do_not_contact": "trim", "custom_fields.x": "trim"}),
        ("lead", {"annual_revenue": "number", "employees": "number"}),
        ("deal", {"value": "number", "expected_close_date": "date", "stage": "trim"}),
        ("activity", {"due_at": "trim", "tags": "split_tags"}),
        ("onboarding", {"topics": "split_tags", "go_live": "date", "kickoff_at": "trim", "status": "trim"}),
        ("subscription", {"seats": "number", "monthly_amount": "number", "auto_renew": "trim"}),
    ):  # fmt: skip
        found = look(client, entity, f"{','.join(transforms)}\n")
        assert {one.column: one.transform for one in found.columns} == transforms
        assert [one["transform"] for one in found.mapping] == [*transforms.values()]


def test_a_new_record_needs_what_it_needs_of_its_kind(client: CrmClient) -> None:
    for entity, row, lacking in (
        ("contact", {"email": "a@x.example"}, ["name"]), ("contact", {"firstName": "A"}, []),
        ("contact", {"lastName": "A"}, []), ("account", {"domain": "x.example"}, ["name"]),
        ("deal", {"value": 5}, ["title"]),
        ("activity", {"title": "T"}, ["kind"]), ("activity", {"kind": "task"}, ["title"]),
        ("activity", {"kind": "task", "title": "T"}, []),
        ("activity", {"kind": "event", "title": "T"}, ["endTime", "startTime"]),
        ("activity", {"kind": "nothing", "title": "T"}, ["kind"]),
    ):  # fmt: skip
        found = look(client, entity, json.dumps(row), "rows.jsonl")
        (line,) = found.rows
        assert sorted({str(error.field) for error in line.errors}) == lacking, (entity, row)
        assert line.outcome == ("fail" if lacking else "create")


@pytest.mark.parametrize("entity", ["contact", "account", "deal"])
def test_a_mapping_names_what_can_be_written_once(client: CrmClient, entity: str) -> None:
    usual = {"contact": "name", "account": "name", "deal": "title"}[entity]

    def wrong(*entries: tuple[str, str]) -> list[tuple[Any, ...]]:
        mapping: Any = [{"column": column, "field": field} for column, field in entries]
        found = look(client, entity, "A,B,B\n1,2,3\n", mapping=mapping)
        return [(error.code, error.field) for error in found.errors]

    assert wrong(("A", usual)) == []
    assert wrong(("a", usual), ("3", "tags")) == []
    assert wrong(("A", "nope")) == [("UNKNOWN_FIELD", "mapping.0.field")]
    assert wrong(("A", usual), ("B", "createdAt")) == [("FIELD_READ_ONLY", "mapping.1.field")]
    assert wrong(("A", usual), ("3", usual)) == [("VALIDATION_ERROR", "mapping.1.field")]
    for column in ("B", "b", "0", "4", "C", "000001"):
        assert wrong((column, usual)) == [("VALIDATION_ERROR", "mapping.0.column")], column
    assert wrong(("2", usual), ("A", "tags")) == []


def test_which_fields_hold_the_ids_of_a_linked_record(client: CrmClient, stub: StubServer) -> None:
    def wrong(**given: str) -> list[tuple[Any, ...]]:
        link: Any = {"column": "firm", "entity": "account", "match_on": "name", "field": "account_id", **given}
        try:
            client.imports.create("deal", ("rows.csv", b"title,firm\nT,Firm\n"), links=[link])
        except Exception as error:  # what it is is looked at
            return [(one.field, one.rule) for one in getattr(error, "fields", ())]
        return []

    assert wrong() == []
    assert wrong(field="contact_id") == [("links.0.field", "reference")]
    assert wrong(field="title") == [("links.0.field", "reference")]
    assert wrong(field="nope") == [("links.0.field", "choice")]
    assert wrong(entity="nope") == [("links.0.entity", "choice")]
    assert wrong(entity="contact", match_on="email", field="contact_id") == []
    assert wrong(match_on="size") == [("links.0.match_on", "choice")]
    assert wrong(column="nope") == [("links.0.column", "choice")]
    assert wrong(column="2") == []


def test_a_link_to_what_the_caller_may_not_read_is_forbidden(client: CrmClient, stub: StubServer) -> None:
    words = [("contacts", action) for action in ("read", "create", "update", "import")]
    held: Any = [{"resource": word, "action": action, "scope": "all"} for word, action in words]
    client.security.roles.create({"key": "loader", "name": "Loader", "permissions": held})
    _, crm = signed_in(stub, client, "loader", strict=False)
    link: Any = {"column": "Firm", "entity": "account", "match_on": "name", "field": "account_id"}
    content = ("rows.csv", b"name,Firm\nAda,Firm\n")
    assert refused(lambda: crm.imports.create("contact", content, links=[link])).code == "FORBIDDEN"
    plural: Any = {**link, "entity": "accounts"}
    ended = refused(lambda: crm.imports.create("contact", content, links=[plural]))
    assert (ended.fields[0].field, ended.fields[0].rule) == ("links.0.entity", "choice")
    assert "account" in str(ended.fields[0].details)
