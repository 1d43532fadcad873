"""Defaults of standard fields: they are read as the field's own values are, and stored in the same form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient

from .conftest import New


@pytest.mark.parametrize(
    ("entity", "field", "default", "rule"),
    [
        ("contact", "department", 5, "type"), ("contact", "department", ["Sales"], "type"),
        ("contact", "email", "nobody", "format"), ("contact", "owner_id", "user_none", "reference"),
        ("contact", "status", "asleep", "choice"), ("deal", "value", -5, "min"), ("lead", "value", "much", "type"),
        ("deal", "expected_close_date", "soon", "format"), ("deal", "currency", "XXX", "choice"),
        ("account", "employees", 1.5, "type"), ("activity", "priority", "dire", "choice"),
        ("contact", "health_score", 5, "read_only"),
    ],
)  # fmt: skip
def test_a_default_is_a_value_of_the_field(admin: CrmClient, entity: str, field: str, default: Any, rule: str) -> None:
    with pytest.raises(ApiError) as caught:
        admin.customization.fields.update(entity, field, {"default": default})
    (entry,) = caught.value.fields
    assert (entry.field.partition(".")[0], entry.rule) == ("default", rule)


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
    admin.customization.fields.update("activity", "due_at", {"required": True})
    ada = admin.contacts.create({"name": "Ada"}).id
    note = admin.request("POST", "/v1/activities/notes", json={"body": "Likes tea", "contactId": ada}).json()["data"]
    assert "location" not in note
    with pytest.raises(ApiError) as caught:
        admin.activities.tasks.create({"title": "Call", "contact_id": ada})
    assert [one.field for one in caught.value.fields] == ["due_at"]


def test_a_default_that_is_none_any_more_is_left_out(admin: CrmClient, new: New) -> None:
    user, _ = new("sales")
    admin.customization.fields.update("account", "owner_id", {"default": user})
    assert admin.accounts.create({"name": "One"}).owner_id == user
    admin.users.delete(user, transfer_to=admin.users.get("me").id)
    assert admin.accounts.create({"name": "Two"}).owner_id not in (None, user)
