"""Defaults of standard fields: they are read as the field's own values are, and stored in the same form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import ApiError, CrmClient

from .conftest import New


def test_a_default_is_a_value_of_the_field(admin: CrmClient) -> None:
    def check(entity: str, field: str, default: Any, rule: str) -> None:
        with pytest.raises(ApiError) as caught:
            admin.customization.fields.update(entity, field, {"default": default})
        (entry,) = caught.value.fields
        assert (entry.field.partition(".")[0], entry.rule) == ("default", rule)

    cases: list[tuple[str, str, Any, str]] = [
        ("contact", "department", 5, "type"), ("contact", "department", ["Sales"], "type"),
        ("contact", "email", "nobody", "format"), ("contact", "owner_id", "user_none", "reference"),
        ("contact", "status", "asleep", "choice"), ("deal", "value", -5, "min"), ("lead", "value", "much", "type"),
        ("deal", "expected_close_date", "soon", "format"), ("deal", "currency", "XXX", "choice"),
        ("account", "employees", 1.5, "type"), ("activity", "priority", "dire", "choice"),
        ("contact", "health_score", 5, "read_only"),
    ]  # fmt: skip
    for case in cases:
        check(*case)


def test_a_default_outside_a_closed_vocabulary_is_told_what_there_is(admin: CrmClient) -> None:
    for value in ("asleep", 7):
        with pytest.raises(ApiError) as caught:
            admin.customization.fields.update("contact", "status", {"default": value})
        (entry,) = caught.value.fields
        assert (entry.rule, entry.message) == ("choice", "must be one of active, inactive, archived")


def test_new_records_have_it_as_other_records_have_such_a_value(admin: CrmClient) -> None:
    admin.customization.fields.update("deal", "expected_close_date", {"default": "2031-02-03"})
    admin.customization.fields.update("deal", "value", {"default": 7})
    admin.customization.fields.update("contact", "phone", {"default": "030 1234567"})
    deal = admin.deals.create({"title": "Turbine"})
    assert (deal.expected_close_date, deal.value) == (date(2031, 2, 3), Decimal(7))
    assert admin.deals.create({"title": "Sold", "value": 9}).value == 9
    said = admin.contacts.create({"name": "Eve", "phone": "030 1234567"})
    assert admin.contacts.create({"name": "Ada"}).phone == said.phone, "in the same form"


def test_a_field_of_one_kind_of_activity_is_not_put_into_others(admin: CrmClient) -> None:
    admin.customization.fields.update("activity", "location", {"default": "Berlin"})
    admin.customization.fields.update("activity", "title", {"default": "Untitled"})
    admin.customization.fields.update("activity", "due_at", {"required": True})
    ada = admin.contacts.create({"name": "Ada"}).id
    note = admin.request("POST", "/v1/activities/notes", json={"body": "Likes tea", "contactId": ada}).json()["data"]
    assert "location" not in note and note.get("title") != "Untitled", "what is written of a note has no title"
    with pytest.raises(ApiError) as caught:
        admin.activities.tasks.create({"title": "Call", "contact_id": ada})
    assert [one.field for one in caught.value.fields] == ["due_at"]


def test_a_default_that_is_none_any_more_is_left_out(admin: CrmClient, new: New) -> None:
    user, _ = new("sales")
    admin.customization.fields.update("account", "owner_id", {"default": user})
    assert admin.accounts.create({"name": "One"}).owner_id == user
    admin.users.delete(user, transfer_to=admin.users.get("me").id)
    assert admin.accounts.create({"name": "Two"}).owner_id not in (None, user)


def test_a_default_that_is_a_record_is_one_of_its_kind(admin: CrmClient) -> None:
    ada, deal = admin.contacts.create({"name": "Ada"}).id, admin.deals.create({"title": "D"}).id
    for entity, field, default in (
        ("deal", "contact_id", deal), ("deal", "pipeline_id", "pipeline_none"), ("contact", "account_id", ada),
        ("activity", "deal_id", ada), ("account", "parent_id", ada), ("activity", "contact_id", "contact_none"),
    ):  # fmt: skip
        error = refused(partial(admin.customization.fields.update, entity, field, {"default": default}))
        assert [(one.field, one.rule) for one in error.fields] == [("default", "reference")], (entity, field)
    admin.customization.fields.update("deal", "contact_id", {"default": ada})
    assert admin.deals.create({"title": "E"}).contact_id == ada
    admin.customization.fields.update("contact", "external_id", {"default": "none"})
    assert admin.contacts.create({"name": "Bea"}).external_id == "none", "an id of another system is no reference"


def test_a_default_is_the_record_that_is_left_of_two(admin: CrmClient) -> None:
    kept, merged, deleted = (admin.accounts.create({"name": name}).id for name in ("Kept", "Merged", "Deleted"))
    admin.customization.fields.update("contact", "account_id", {"default": merged})
    admin.accounts.merge(kept, [merged])
    assert admin.contacts.create({"name": "Ada"}).account_id == kept
    admin.customization.fields.update("contact", "account_id", {"default": deleted})
    assert admin.contacts.create({"name": "Bea"}).account_id == deleted
    admin.accounts.delete(deleted)
    assert admin.contacts.create({"name": "Cleo"}).account_id is None
