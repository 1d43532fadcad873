"""New records have the members of their models, at the values the contract gives them."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter

from crm_sdk import models
from crm_sdk.models.activities import Note
from crm_sdk.models.leads import Lead
from crm_sdk.models.marks import Default
from crm_sdk.models.record import Model, Record
from crm_sdk.models.values import ErrorDetail
from server_stub.data.blanks import blank, in_full


def every_model(base: type[Model] = Model) -> list[type[Model]]:
    public: list[object] = [getattr(models, name) for name in models.__all__]
    return [found for found in public if isinstance(found, type) and issubclass(found, base)]


MARKED = [
    pytest.param(field.annotation, mark.value, id=f"{model.__name__}.{name}")
    for model in every_model()
    for name, field in model.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, Default)
]


@pytest.mark.parametrize("model", every_model(), ids=lambda model: model.__name__)
def test_a_blank_has_every_member_of_its_model_and_lists_of_its_own(model: type[Model]) -> None:
    first, second = blank(model), blank(model)
    assert set(first) == set(model.model_fields) and first == second
    for name, value in first.items():
        assert not isinstance(value, (list, dict)) or value is not second[name]


@pytest.mark.parametrize("model", every_model(Record), ids=lambda model: model.__name__)
def test_a_blank_record_is_at_its_first_version(model: type[Model]) -> None:
    made = blank(model)
    assert (made["id"], made["created_at"], made["created_by"], made["version"]) == (None, None, "system", 1)


def test_marks_count_before_the_defaults_of_reading() -> None:
    assert len(MARKED) > 50
    lead = blank(Lead)
    assert (lead["status"], lead["score"], lead["do_not_contact"]) == ("new", 0, False)
    assert (lead["tags"], lead["custom_fields"], lead["email"]) == ([], {}, None)
    assert (blank(Note)["kind"], blank(Note)["pinned"], blank(ErrorDetail)["details"]) == ("note", False, {})


@pytest.mark.parametrize(("annotation", "value"), MARKED)
def test_a_mark_fits_its_member_and_changes_nothing_else(annotation: Any, value: object) -> None:
    assert TypeAdapter(annotation).validate_python(value) == value
    marked = Annotated[annotation, Default("a mark")]
    assert TypeAdapter[object](marked).json_schema() == TypeAdapter[object](annotation).json_schema()


@pytest.mark.parametrize("name", ["status", "score", "do_not_contact", "source"])
def test_a_mark_is_for_new_records_not_for_reading(name: str) -> None:
    read = Lead.model_validate({"id": "lead_1", "name": "Ada", "status": "contacted"})
    assert getattr(read, name) == ("contacted" if name == "status" else None)
    shown = Lead.model_json_schema()["properties"]["doNotContact" if name == "do_not_contact" else name]
    assert "default" not in shown or shown["default"] is None


MEASURE, GROUP = {"function": "count"}, {"field": "status", "interval": None}
IN_FULL = {"field": None, "function": "count", "label": None}


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        (models.ReportMeasure, MEASURE, IN_FULL),
        (models.ReportMeasure | None, MEASURE, IN_FULL),
        (Annotated[models.ReportMeasure | None, "a mark"], MEASURE, IN_FULL),
        (models.ReportMeasure | None, None, None),
        (list[models.ReportMeasure], [MEASURE, IN_FULL], [IN_FULL, IN_FULL]),
        (list[models.ReportMeasure], None, None),
        (str | None, "text", "text"),
        (dict[str, Any], {"a": 1}, {"a": 1}),
        (
            models.WidgetSource | None,
            {"query": {"entity_type": "lead", "measures": [MEASURE], "groups": [GROUP]}},
            blank(models.WidgetSource)
            | {
                "query": blank(models.ReportQuery)
                | {"entity_type": "lead", "measures": [IN_FULL], "groups": [{**GROUP, "label": None}]}
            },
        ),
    ],
)
def test_an_object_is_told_with_every_member_it_can_have(kind: Any, given: Any, shown: Any) -> None:
    assert in_full(kind, given) == shown
    assert in_full(kind, shown) == shown, "so what says the same is equal"
