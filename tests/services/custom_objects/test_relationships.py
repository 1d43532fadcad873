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


def test_an_inverse_gets_a_name_that_nothing_has(platform: CrmClient, define: Define) -> None:
    """It is called like the object that it leads to, cut off where that is long, and numbered where that is taken."""
    car, driver = define(), define()
    relationships = platform.custom_objects.relationships

    def inverse_of(own: Any, target: Any, api_name: str) -> tuple[str | None, str]:
        usual = {"label": "L", "related_object": target.api_name, "cardinality": "many_to_one"}
        body: Any = {**usual, "api_name": api_name}
        made = relationships.create(own.id, body)
        there = {one.api_name: one.inverse_api_name for one in relationships.list(target.id)}
        assert there[made.inverse_api_name or ""] == api_name
        return made.inverse_api_name, made.api_name

    assert inverse_of(car, car, car.api_name) == (f"{car.api_name}_2", car.api_name), "not like itself"
    assert inverse_of(car, car, "next_one") == (f"{car.api_name}_3", "next_one")
    assert inverse_of(car, driver, car.api_name + "_4") == (car.api_name, f"{car.api_name}_4"), "of another object"
    assert inverse_of(driver, driver, "boss") == (driver.api_name, "boss")
    long = define(api_name="a" * 50)
    assert inverse_of(long, driver, "one")[0] == "a" * 45 and inverse_of(long, driver, "two")[0] == f"{'a' * 45}_2"


def test_another_cardinality_has_what_is_linked_in_its_form(platform: CrmClient, define: Define, add: Add) -> None:
    car, driver = define(), define()
    relationships, records = platform.custom_objects.relationships, platform.custom_objects.records
    body: Any = {"api_name": "who", "label": "Who", "related_object": driver.api_name, "cardinality": "many_to_one"}
    inverse = relationships.create(car.id, body).inverse_api_name or ""
    eva = add(driver)
    van, bus = (add(car, who=eva.id) for _ in range(2))

    def links() -> tuple[Any, Any]:
        return records.get(car.id, van.id).fields["who"], records.get(driver.id, eva.id).fields.get(inverse)

    def cardinality_of(id: str, name: str) -> str:
        return next(one.cardinality for one in relationships.list(id) if one.api_name == name)

    one, many = links()
    assert one == eva.id and sorted(many) == sorted([van.id, bus.id])
    narrow = refused(lambda: relationships.update(car.id, "who", {"cardinality": "one_to_one"}))
    assert (narrow.code, narrow.fields[0].field) == ("CARDINALITY_VIOLATION", "cardinality")
    assert narrow.details["recordCount"] == 2 and sorted(narrow.details["recordIds"]) == sorted([van.id, bus.id])
    relationships.update(car.id, "who", {"cardinality": "many_to_many"})
    assert links()[0] == [eva.id] and cardinality_of(driver.id, inverse) == "many_to_many"
    other = add(driver)
    records.update(car.id, van.id, {"fields": {"who": [eva.id, other.id]}})
    lost = refused(lambda: relationships.update(car.id, "who", {"cardinality": "many_to_one"}))
    assert lost.details == {"recordIds": [van.id], "recordCount": 1}
    records.update(car.id, van.id, {"fields": {"who": [eva.id]}})
    relationships.update(car.id, "who", {"cardinality": "many_to_one"})
    assert links()[0] == eva.id and cardinality_of(driver.id, inverse) == "one_to_many"
    required = refused(lambda: relationships.update(car.id, "who", {"required": True})) if add(car) else None
    assert required is not None and (required.code, required.details["recordCount"]) == ("FIELD_NEEDS_DEFAULT", 1)
