"""Reports of the records of custom objects: their own fields, those of what they link, sums, and what is gone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import CustomObject

from .conftest import Add, Define, field, select


@pytest.fixture
def fleet(platform: CrmClient, define: Define, add: Add) -> CustomObject:
    """Three cars: red ones for 10 EUR and 20 EUR, a blue one for 5 EUR; the first has a bay and a driver."""
    bay = platform.custom_objects.create({
        "api_name": "bay", "label": "Bay", "plural_label": "Bays", "fields": [field("floor", "integer")],
    })  # fmt: skip
    thing = define(
        select("x"), field("price", "currency", currency="EUR"), field("bought", "date"),
        field("who", "reference", reference_to="contact"), field("bay", "reference", reference_to="bay"),
    )  # fmt: skip
    north = add(bay, "North", floor=2)
    add(thing, "A", x="red", price=10, bought="2026-01-05", who="contact_123", bay=north.id)
    add(thing, "B", x="red", price=20, bought="2026-01-25")
    add(thing, "C", x="blue", price=5, bought="2025-12-31")
    return thing


def run(platform: CrmClient, thing: CustomObject, **content: Any) -> Any:
    given: Any = {"name": "Cars", "entity_type": thing.api_name, **content}
    report = platform.reports.create(given)
    return platform.reports.run(report.id).data


def test_columns_reach_the_fields_of_what_a_record_links(platform: CrmClient, fleet: CustomObject) -> None:
    names = ("name", "price", "bought", "who.name", "bay.name", "bay.floor", "owner.name")
    data = run(platform, fleet, columns=[{"field": name} for name in names], sort=[{"key": "price"}])
    assert [row[:3] for row in data.rows] == [["C", 5, "2025-12-31"], ["A", 10, "2026-01-05"], ["B", 20, "2026-01-25"]]
    assert data.rows[1][3:] == ["Alice Johnson", "North", 2, "Ada Lindqvist"]
    assert [column.format for column in data.columns[:3]] == ["text", "currency", "date"]


def test_sums_are_in_the_currency_of_the_company(platform: CrmClient, fleet: CustomObject) -> None:
    measures = [{"function": "sum", "field": "price"}, {"function": "count"}]
    data = run(platform, fleet, groups=[{"field": "x"}], measures=measures, sort=[{"key": "x"}])
    rate = Decimal("1.08")  # of the euro in dollars
    assert [(row.keys, row.values) for row in data.groups] == [(["blue"], [5 * rate, 1]), (["red"], [30 * rate, 2])]


def test_groups_have_periods_and_names(platform: CrmClient, fleet: CustomObject) -> None:
    data = run(platform, fleet, groups=[{"field": "bought", "interval": "month"}], sort=[{"key": "bought"}])
    assert [(row.keys, row.values) for row in data.groups] == [(["2025-12"], [1]), (["2026-01"], [2])]
    data = run(platform, fleet, groups=[{"field": "bay"}])
    assert {row.labels[0]: row.count for row in data.groups if row.keys[0] is not None} == {"North": 1}


def test_conditions_and_the_range_are_on_own_fields(platform: CrmClient, fleet: CustomObject) -> None:
    red: Any = [{"filters": [{"field": "x", "op": "eq", "value": "red"}, {"field": "price", "op": "gt", "value": 10}]}]
    assert run(platform, fleet, columns=[{"field": "name"}], filter_groups=red).rows == [["B"]]
    this_month = {"date_field": "bought", "date_range": {"preset": "this_month"}}
    assert run(platform, fleet, columns=[{"field": "name"}], sort=[{"key": "name"}], **this_month).rows == [
        ["A"],
        ["B"],
    ]


def test_what_a_report_was_made_of_may_go(platform: CrmClient, fleet: CustomObject) -> None:
    for content in ({"columns": [{"field": "stray"}]}, {"columns": [{"field": "who.stray"}]}):
        given: Any = {"name": "Cars", "entity_type": fleet.api_name, **content}
        assert refused(lambda given=given: platform.reports.create(given)).code == "UNKNOWN_FIELD"  # type: ignore[misc] # bound now
    columns: Any = [{"field": "name"}, {"field": "price"}]
    report = platform.reports.create({"name": "Cars", "entity_type": fleet.api_name, "columns": columns})
    platform.custom_objects.fields.delete(fleet.id, "price", force=True)
    error = refused(lambda: platform.reports.run(report.id))
    assert (error.code, error.details["fields"]) == ("REPORT_BROKEN", ["price"])
    platform.custom_objects.update(fleet.id, {"active": False})
    assert refused(lambda: platform.reports.run(report.id)).code == "REPORT_BROKEN"
    given = {"name": "No more", "entity_type": fleet.api_name, "columns": [{"field": "name"}]}
    assert refused(lambda: platform.reports.create(given)).fields[0].field == "entity_type"
