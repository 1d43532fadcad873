"""Mappings of columns: by header or number, in either spelling, remembered for the next file, and refused."""

from __future__ import annotations

from functools import partial
from typing import Any

from imported_files import load, record
from refusals import refused

from crm_sdk import CrmClient


def mapped(*pairs: tuple[str, str]) -> Any:
    return [{"column": column, "field": field} for column, field in pairs]


def test_columns_of_one_header_are_remembered_by_their_numbers(client: CrmClient) -> None:
    rows = "A,A,C\nAda,Lee,5\n"
    job = load(client, "lead", rows, mapping=mapped(("1", "firstName"), ("2", "last_name"), ("C", "employees")))
    made = record(client, "lead", job)
    assert (made.first_name, made.last_name, made.employees) == ("Ada", "Lee", 5)
    preview = client.imports.preview("lead", ("rows.csv", rows.encode()))
    assert [(one.suggested_field, one.reason, one.confidence) for one in preview.columns] == [
        ("first_name", "previous", 60), ("last_name", "previous", 60), ("employees", "previous", 60),
    ]  # fmt: skip
    assert [one.suggested_field for one in client.imports.preview("contact", ("rows.csv", rows.encode())).columns] == [
        None, None, None,
    ]  # fmt: skip


def test_what_is_wrong_with_a_mapping_has_its_place(client: CrmClient) -> None:
    rows = "A,B,b,a\n1,2,3,4\n"
    for mapping, code, wrong in (
        (mapped(("A", "nothing"), ("B", "nobody")), "UNKNOWN_FIELD", [
            ("mapping.0.field", "choice", "UNKNOWN_FIELD"), ("mapping.1.field", "choice", "UNKNOWN_FIELD"),
        ]),
        (mapped(("A", "nothing")), "UNKNOWN_FIELD", [("mapping.0.field", "choice", "UNKNOWN_FIELD")]),
        (mapped(("A", "score")), "FIELD_READ_ONLY", [("mapping.0.field", "read_only", "FIELD_READ_ONLY")]),
        (mapped(("A", "name"), ("B", "name")), "VALIDATION_ERROR", [("mapping.1.field", "unique", "VALIDATION_ERROR")]),
        (mapped(("0", "name"), ("5", "email"), ("x", "phone")), "VALIDATION_ERROR", [
            (f"mapping.{number}.column", "choice", "VALIDATION_ERROR") for number in range(3)
        ]),
        (mapped(("A", "nothing"), ("5", "email")), "VALIDATION_ERROR", [
            ("mapping.1.column", "choice", "VALIDATION_ERROR"),
        ]),
    ):  # fmt: skip
        error = refused(partial(client.imports.create, "lead", ("rows.csv", rows.encode()), mapping=mapping))
        found = [(one.field, one.rule, one.code) for one in error.fields]
        assert (error.status, error.code, found) == (422, code, wrong), mapping
    twice = "Ä,a,A\n1,2,3\n"
    for name, numbers in (("ä", [1, 2, 3]), ("A", None), ("a", None)):
        asked = partial(client.imports.create, "lead", ("rows.csv", twice.encode()), mapping=mapped((name, "name")))
        if numbers is None:
            assert asked().done is not None
            continue
        error = refused(asked)
        assert [(one.field, one.rule) for one in error.fields] == [("mapping.0.column", "unique")]
        assert error.fields[0].message == "3 columns are called 'ä': name the one you mean by its number"
        assert error.details["columns"] == numbers
