"""What a header means, which of several columns counts first, and which of several addresses it is a part of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from server_stub.problems import Problem
from server_stub.services.contacts.files.columns import check_mapping, known_headers, plan
from server_stub.services.contacts.files.headers import header_of, known_field, label_of, value_of

HEADERS: dict[str, tuple[str, int, str] | None] = {
    "Email": ("email", 0, ""), "Email 10": ("email", 9, "10"), "Email 99": ("email", 98, "99"),
    "Phone 2": ("phone", 1, "2"), "Phone 100": ("phone", 0, "100"), "Phone 1 - Value": ("phone", 0, ""),
    "Home Phone": ("phone", 10, "home"), "Home Phone 2": ("phone", 11, "home2"), "Business Phone": ("phone", 0, ""),
    "Mobile Phone 2": ("mobile", 1, "2"), "Private E-Mail 2": ("email", 11, "private2"), "Tag1": ("tags", 0, ""),
    "E-mail 1 - Value": ("email", 0, ""), "E-mail 2 - Value": ("email", 1, "2"), "Web Page 2": ("website", 1, "2"),
    "The Email of Contact": ("email", 0, ""), "FirstName": ("first_name", 0, ""), "Contact 2": ("name", 1, "2"),
    "emailOptOut": ("email_opt_out", 0, ""), "Position": ("title", 0, ""), "Title (2)": ("title", 0, ""),
    "Title (x)": None, "Fax": None, "Home Fax": None, "": None, " - ": None, "ID": None, "id 2": None,
    "id": ("id", 0, ""), "Company 2": None, "Company": ("company", 0, ""), "Home Company": ("company", 10, "home"),
    "Company Company": ("company", 0, ""), "Work Company Phone": ("phone", 0, ""), "created_at": None,
    "Company Linkedin Url": None, "Person Linkedin Url": ("social_profiles.linkedin", 0, ""),
    # addresses, and what shops write beside them
    "Street 1": ("address.street", 0, ""), "Street 3": None, "Business Street 2": ("address.street2", 0, ""),
    "shipping_address_1": ("address.street", 10, "shipping"), "Home Address 2": ("address.street2", 10, "home"),
    "Home Address 3": None, "Address": ("address.street", 0, ""), "Billing Address": ("address.street", 0, ""),
    "City 1": ("address.city", 0, ""), "City 2": ("address.city", 1, "2"), "Work City 2": ("address.city", 1, "2"),
    "City Home": ("address.city", 10, "home"), "Second Home City": ("address.city", 10, "second"),
    "Address 1: City": ("address.city", 0, ""), "Address 2: City": ("address.city", 1, "2"),
    "Address 12: City": ("address.city", 11, "12"), "Address 100: City": ("address.city", 0, "100"),
    "Other Address City": ("address.city", 10, "other"), "Mail Address City": ("address.city", 0, ""),
    "Other Address 3 City": ("address.city", 12, "other3"), "Default Address Phone": ("phone", 1, ""),
    "Address 2: Phone": ("phone", 2, ""), "Address 2 Mobile": ("mobile", 2, ""), "Address Phone": ("phone", 1, ""),
    "Shipping Address Company": ("company", 11, ""), "Default Address Email": None, "Foo Address City": None,
    "Address Foo": None, "Default Address Address1": ("address.street", 0, ""), "Address Twitter": None,
    # the paths of members
    "address.postalCode": ("address.postal_code", 0, ""), "address.nope": None, "position.x": None,
    "custom_fields": ("custom_fields", 0, ""), "Custom Fields": None, "custom_fields.x y": ("custom_fields.x y", 0, ""),
    "customFields.Size (2)": ("custom_fields.Size", 0, ""),
    # twelve words are read, of the first 200 characters
    "the work business main office primary default corporate professional preferred billing email": ("email", 0, ""),
    "a the work business main office primary default corporate professional preferred billing email": None,
    f"Email{' ' * 200}Fax": ("email", 0, ""), f"Email{' ' * 190}Fax": None,
}  # fmt: skip


def test_a_header_has_its_member_its_rank_and_its_address() -> None:
    found = {name: header_of(name) for name in HEADERS}
    assert {name: one and (one.field, one.rank, one.family) for name, one in found.items()} == HEADERS


def test_a_column_with_the_type_of_a_value_is_told_from_the_one_with_the_value() -> None:
    for name, label, value in (
        ("Phone 1 - Type", ("phone", 1), None), ("phone 12 - label", ("phone", 12), None),
        ("E-mail 2 - Type", ("email", 2), None), (" Website 3 - Label ", ("website", 3), None),
        ("Address 1 - Type", ("address", 1), None), ("Address 1 - value", None, None), ("Phone - Type", None, None),
        ("Phone 1 - Value", None, ("phone", 1)), (" E-Mail 3 - value ", None, ("email", 3)),
        ("Website 1 - Value", None, ("website", 1)), ("Phone 1 - Values", None, None),
    ):  # fmt: skip
        assert (label_of(name), value_of(name)) == (label, value), name


def test_what_can_be_imported_is_what_a_new_contact_can_have_and_its_id() -> None:
    for path, member in (
        ("custom_fields", "custom_fields"), ("custom_fields.a.b", "custom_fields.a.b"), ("address", "address"),
        ("customFields.aB", "custom_fields.aB"), ("address.postalCode", "address.postal_code"), ("address.nope", None),
        ("position", "title"), ("position.x", None), ("id", "id"), ("id.x", None), ("email", "email"),
        ("email.x", None), ("created_at", None), ("health_score", None), ("externalId", "external_id"),
    ):  # fmt: skip
        assert known_field(path) == member, path
    good: Any = [{"column": "a", "field": field} for field in ("email", "address.city")]
    check_mapping(good)
    with pytest.raises(Problem) as caught:
        check_mapping([*good, {"column": "x", "field": "address.nope"}])
    (entry,) = caught.value.entries
    assert (entry.field, entry.rule) == ("mapping.2.field", "choice")
    choices = entry.details["choices"]
    assert "email" in choices and "position" not in choices and sorted(choices) == choices


def test_a_line_is_known_by_the_members_or_the_mapped_columns_that_it_names() -> None:
    cells = ["Name", "E-Mail", "Mail", "Shoe size", "PLZ"]
    assert known_headers(None, cells) == 3
    for columns, count in (
        (["mail", "NAME", "x"], 2), ([" Shoe size"], 0), (["1", "5", "Name"], 2), (["0", "6", "000001"], 0),
        (["00001"], 1), (["plz", "Plz"], 1),
    ):  # fmt: skip
        mapping: Any = [{"column": name, "field": "name"} for name in columns]
        assert known_headers(mapping, cells) == count, columns
    assert known_headers([{"column": "name"}], [" Name "]) == 1


COUNTS = "the first that is not empty counts"
PLANS: tuple[tuple[str, list[tuple[Any, ...]], list[str], list[tuple[str, str]]], ...] = (
    ("Title|Nope", [("Title", "title", 0, "", None)], ["Nope"], []),
    ("Title|Job Title", [("Title", "salutation", 0, "", None), ("Job Title", "title", 0, "", None)], [], []),
    ("Titre|Titre ", [("Titre", "salutation", 0, "", None), ("Titre ", "title", 0, "", None)], [], []),
    (
        "Job Title|Position", [("Job Title", "title", 0, "", None), ("Position", "title", 0, "", None)], [],
        [("Job Title", f"'Job Title' and 'Position' are all title: {COUNTS}")],
    ),
    ("Geburtstag", [("Geburtstag", "birthday", 0, "", None)], [], []),
    (
        "Geburtstag|Geburtsjahr",
        [("Geburtstag", "birthday.day", 0, "", None), ("Geburtsjahr", "birthday.year", 0, "", None)], [], [],
    ),
    (
        "Phone 1 - Type|Phone 1 - Value|Phone 2 - Value|Address 1 - Type|Address 1 - City|Phone 3 - Label",
        [
            ("Phone 1 - Value", "phone", 0, "", "Phone 1 - Type"), ("Phone 2 - Value", "phone", 1, "2", None),
            ("Address 1 - City", "address.city", 0, "", None),
        ],
        ["Address 1 - Type", "Phone 3 - Label"],
        [("Phone 1 - Value", f"'Phone 1 - Value' and 'Phone 2 - Value' are all phone: {COUNTS}")],
    ),
    (
        "Home Phone|Business Phone|Telefon",
        [
            ("Home Phone", "phone", 10, "home", None), ("Business Phone", "phone", 0, "", None),
            ("Telefon", "phone", 0, "", None),
        ],
        [], [("Home Phone", f"'Business Phone' and 'Telefon', 'Home Phone' are all phone: {COUNTS}")],
    ),
    (
        "Tags|Labels|Email|E-Mail",
        [
            ("Tags", "tags", 0, "", None), ("Labels", "tags", 0, "", None), ("Email", "email", 0, "", None),
            ("E-Mail", "email", 0, "", None),
        ],
        [], [("Email", f"'Email' and 'E-Mail' are all email: {COUNTS}; more addresses are secondary e-mails")],
    ),
)  # fmt: skip


def test_the_columns_of_a_file_are_planned_by_what_stands_beside_them() -> None:
    for names, columns, unused, shared in PLANS:
        found, left, remarks = plan(names.split("|"), None)
        assert [(one.column, one.field, one.rank, one.family, one.label) for one in found] == columns
        assert {(one.transform, one.default, one.mapped, one.day_first) for one in found} == {
            ("trim", None, False, None)
        }
        assert left == unused
        assert [(one.column, one.message) for one in remarks] == shared
        assert {(one.row, one.code) for one in remarks} <= {(None, "SAME_MEMBER")}


def test_a_mapping_is_planned_as_it_stands() -> None:
    mapping: Any = [
        {"column": "2", "field": "firstName", "transform": "upper", "default": "x"},
        {"column": "a b", "field": "address.postalCode"},
    ]
    found, left, remarks = plan(["A B", "c", "d"], mapping)
    usual = {"rank": 0, "family": "", "label": None, "mapped": True, "day_first": None}
    assert [asdict(one) for one in found] == [
        {"column": "c", "field": "first_name", "transform": "upper", "default": "x", **usual},
        {"column": "A B", "field": "address.postal_code", "transform": "trim", "default": None, **usual},
    ]
    assert (left, remarks) == (["d"], [])
