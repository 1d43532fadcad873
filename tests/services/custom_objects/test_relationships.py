"""What relationships are called, what their making, changing and ending tells, and what stands in their way."""

from __future__ import annotations

from functools import partial
from typing import Any

from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import Add, Define


def test_what_relationships_tell_and_name(stub: StubServer, platform: CrmClient, define: Define, add: Add) -> None:
    car, driver = define(), define()
    relationships, begin = platform.custom_objects.relationships, len(stub.audit())

    def body(**members: Any) -> Any:
        usual = {"api_name": "who", "label": "Who", "related_object": driver.api_name, "cardinality": "many_to_one"}
        return {**usual, **members}

    made = relationships.create(car.id, body())
    (inverse,) = relationships.list(driver.id)
    assert (inverse.api_name, inverse.label, inverse.cardinality) == (car.api_name, car.plural_label, "one_to_many")
    assert (made.inverse_api_name, made.inverse_label, made.link_count) == (car.api_name, car.plural_label, 0)
    one = relationships.create(car.id, body(api_name="one", cardinality="one_to_one"))
    assert (one.inverse_api_name, one.inverse_label) == (f"{car.api_name}_2", car.label)
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[begin:]]
    assert [action for action, _ in told] == ["custom_object.relationship_created"] * 4
    assert {id for _, id in told[:2]} == {car.id, driver.id}
    begin = len(stub.audit())
    relationships.update(car.id, "who", {"label": "Driver", "inverse_label": "Its cars"})
    assert [one.label for one in relationships.list(driver.id) if one.id == inverse.id] == ["Its cars"]
    assert [entry["action"] for entry in stub.audit()[begin:]] == ["custom_object.relationship_updated"] * 2
    for members, code, at in (
        ({"api_name": "one"}, "RELATIONSHIP_EXISTS", "api_name"),
        ({"api_name": "name"}, "RELATIONSHIP_EXISTS", "api_name"),
        ({"api_name": "x", "inverse_api_name": "name"}, "RELATIONSHIP_EXISTS", "inverse_api_name"),
        ({"api_name": "x", "related_object": car.api_name, "inverse_api_name": "x"}, "RELATIONSHIP_EXISTS",
         "inverse_api_name"),
        ({"api_name": "x", "related_object": "moon"}, "VALIDATION_ERROR", "related_object"),
    ):  # fmt: skip
        error = refused(partial(relationships.create, car.id, body(**members)))
        assert (error.code, error.fields[0].field) in ((code, at), ("REFERENCE_NOT_FOUND", at)), members
    van = add(car)
    lacking = refused(
        partial(relationships.create, car.id, body(api_name="must", related_object="contact", required=True))
    )
    assert (lacking.code, lacking.details) == ("FIELD_NEEDS_DEFAULT", {"recordIds": [van.id], "recordCount": 1})
    platform.custom_objects.records.update(car.id, van.id, {"fields": {"who": add(driver).id}})
    used = refused(partial(relationships.delete, car.id, "who"))
    assert (used.code, used.details) == ("RELATIONSHIP_IN_USE", {"linkCount": 1})
    begin = len(stub.audit())
    relationships.delete(car.id, "who", force=True)
    deeds = [entry["action"] for entry in stub.audit()[begin:]]
    assert deeds.count("custom_object.relationship_deleted") == 2 and deeds.count("record.updated") == 2
