"""References and relationships: what a deletion does, both sides of a link, cardinalities, and records of the CRM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import CustomObject, CustomRecord, ObjectRelationship
from server_stub import StubServer

from .conftest import Add, Define, field

Relate = Callable[..., ObjectRelationship]
CARDINALITIES = ("one_to_one", "one_to_many", "many_to_one", "many_to_many")
INVERSE = {"one_to_many": "many_to_one", "many_to_one": "one_to_many"}


@pytest.fixture
def relate(platform: CrmClient) -> Relate:
    """Add a relationship ``link`` to an object."""

    def relate(thing: CustomObject, related: str, cardinality: str, **more: Any) -> ObjectRelationship:
        given: Any = {"api_name": "link", "label": "Link", "related_object": related, "cardinality": cardinality}
        return platform.custom_objects.relationships.create(thing.id, given | more)

    return relate


def again(platform: CrmClient, made: CustomRecord) -> CustomRecord:
    """Return a record as it is now."""
    return platform.custom_objects.records.get(made.object_id or "", made.id)


def put(platform: CrmClient, made: CustomRecord, **values: Any) -> CustomRecord:
    return platform.custom_objects.records.update(made.object_id or "", made.id, {"fields": values})


def gone(platform: CrmClient, made: CustomRecord) -> bool:
    return platform.custom_objects.records.search(made.object_id or "", {}).total == 0


# -- what a deletion does ----------------------------------------------------------------------------------------------

TARGETS: dict[str, Callable[[CrmClient], tuple[str, Callable[[], Any]]]] = {}


def target(kind: str) -> Callable[[Callable[[CrmClient], Any]], Callable[[CrmClient], Any]]:
    def mark(make: Callable[[CrmClient], Any]) -> Callable[[CrmClient], Any]:
        TARGETS[kind] = make
        return make

    return mark


@target("contact")
def _contact(client: CrmClient) -> Any:
    made = client.contacts.create({"name": "Ada"})
    return made.id, lambda: client.contacts.delete(made.id)


@target("lead")
def _lead(client: CrmClient) -> Any:
    made = client.leads.create({"name": "Ada"})
    return made.id, lambda: client.leads.delete(made.id)


@target("account")
def _account(client: CrmClient) -> Any:
    made = client.accounts.create({"name": "Looms"})
    return made.id, lambda: client.accounts.delete(made.id)


@target("deal")
def _deal(client: CrmClient) -> Any:
    made = client.deals.create({"title": "Looms", "value": 1})
    return made.id, lambda: client.deals.delete(made.id)


@target("bay")
def _bay(client: CrmClient) -> Any:
    objects = client.custom_objects
    made = objects.records.create("bay", {"fields": {"name": "North"}})
    return made.id, lambda: objects.records.delete("bay", made.id)


@pytest.fixture
def bay(platform: CrmClient) -> CustomObject:
    return platform.custom_objects.create({"api_name": "bay", "label": "Bay", "plural_label": "Bays"})


def test_what_is_deleted_is_held_let_go_or_takes_along(
    stub: StubServer, platform: CrmClient, define: Define, add: Add, relate: Relate, bay: CustomObject
) -> None:
    for kind, on_delete, way in product(TARGETS, ("restrict", "set_null", "cascade"), ("field", "relationship")):
        fields = [field("link", "reference", reference_to=kind, on_delete=on_delete)] if way == "field" else []
        thing = define(*fields)
        if way == "relationship":
            relate(thing, kind, "many_to_one", on_delete=on_delete)
        id, delete = TARGETS[kind](platform)
        made = add(thing, link=id)
        log = len(stub.audit())
        if on_delete == "restrict":
            error = refused(delete)
            assert (error.status, error.code, error.details["recordIds"]) == (409, "RECORD_REFERENCED", [made.id])
            assert again(platform, made) == made and len(stub.audit()) == log
            put(platform, made, link=None)
            delete()
        elif on_delete == "set_null":
            delete()
            assert again(platform, made).fields == {"name": "Some"} and again(platform, made).version == 2
        else:
            delete()
            assert gone(platform, made)
            assert [e["action"] for e in stub.audit() if e["entity"]["id"] == made.id][-1] == "record.deleted"


def test_a_cascade_goes_on_and_stops_where_a_record_is_held(platform: CrmClient, define: Define, add: Add) -> None:
    top = define()
    middle = define(field("up", "reference", reference_to=top.api_name, on_delete="cascade"))
    low = define(field("up", "reference", reference_to=middle.api_name, on_delete="restrict"))
    a, b = add(top), add(top)
    under_a, under_b = add(middle, up=a.id), add(middle, up=b.id)
    held = add(low, up=under_b.id)
    records = platform.custom_objects.records
    records.delete(top.id, a.id)
    assert refused(lambda: again(platform, under_a)).status == 404
    assert refused(lambda: records.delete(top.id, b.id)).code == "RECORD_REFERENCED"
    assert [again(platform, one) for one in (b, under_b, held)] == [b, under_b, held], "nothing is done by halves"


def test_what_goes_along_twice_goes_once(stub: StubServer, platform: CrmClient, define: Define, add: Add) -> None:
    top = define()
    middle = define(field("up", "reference", reference_to=top.api_name, on_delete="cascade"))
    low = define(
        field("up", "reference", reference_to=top.api_name, on_delete="cascade"),
        field("middle", "reference", reference_to=middle.api_name, on_delete="cascade"),
    )
    a = add(top)
    b = add(middle, up=a.id)
    c, d = add(low, up=a.id, middle=b.id), add(low, up=a.id)
    log = len(stub.audit())
    platform.custom_objects.records.delete(top.id, a.id)
    deleted = [entry["entity"]["id"] for entry in stub.audit()[log:] if entry["action"] == "record.deleted"]
    assert sorted(deleted) == sorted([a.id, b.id, c.id, d.id])


@pytest.mark.parametrize("kind", ["account", "contact"])
def test_links_go_to_the_survivor_of_a_merge(
    platform: CrmClient, define: Define, add: Add, relate: Relate, kind: str
) -> None:
    thing = define(field("who", "reference", reference_to=kind, on_delete="restrict"))
    relate(thing, kind, "many_to_many")
    one, two = (TARGETS[kind](platform)[0] for _ in range(2))
    made = add(thing, who=two, link=[one, two])
    if kind == "account":
        platform.accounts.merge(one, [two])
    else:
        groups: Any = [{"contact_ids": [one, two], "survivor_id": one}]
        platform.contacts.deduplicate(mode="merge", groups=groups)
    assert again(platform, made).fields == {"name": "Some", "who": one, "link": [one]}
    assert add(thing, who=two).fields["who"] == one
    assert platform.custom_objects.records.list(thing.id, related_id=two).total == 2


def test_an_object_that_others_refer_to_stays(platform: CrmClient, define: Define, add: Add, relate: Relate) -> None:
    thing, other = define(), define()
    relate(other, thing.api_name, "many_to_many")
    made, linked = add(thing), add(other)
    linked = put(platform, linked, link=[made.id])
    pointing = platform.custom_objects.fields.create(other.id, field("x", "reference", reference_to=thing.id))
    assert pointing.reference_to == thing.api_name
    error = refused(lambda: platform.custom_objects.delete(thing.id, force=True))
    assert (error.code, error.details["fieldIds"]) == ("OBJECT_REFERENCED", [pointing.id])
    platform.custom_objects.fields.delete(other.id, pointing.id)
    platform.custom_objects.delete(thing.id, force=True)
    assert again(platform, linked).fields == {"name": "Some"}
    assert platform.custom_objects.get(other.id).relationships == []


# -- both sides of a link ----------------------------------------------------------------------------------------------


def test_both_sides_show_links_and_both_can_write_them(
    stub: StubServer, platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    for cardinality in CARDINALITIES:
        car, driver = define(), define()
        relate(car, driver.api_name, cardinality, inverse_api_name="cars", inverse_label="Cars")
        (inverse,) = platform.custom_objects.relationships.list(driver.id)
        assert (inverse.api_name, inverse.label, inverse.related_object, inverse.inverse_api_name,
            inverse.cardinality) == (
            "cars", "Cars", car.api_name, "link", INVERSE.get(cardinality, cardinality),
        )  # fmt: skip
        van, ada = add(car), add(driver)
        ours, theirs = cardinality.endswith("many"), cardinality.startswith("many")
        put(platform, van, link=ada.id)
        assert again(platform, van).fields["link"] == ([ada.id] if ours else ada.id)
        assert again(platform, ada).fields["cars"] == ([van.id] if theirs else van.id)
        for thing in (car, driver):
            assert [one.link_count for one in platform.custom_objects.relationships.list(thing.id)] == [1]
        shown = platform.custom_objects.records.get(driver.id, ada.id, include=["related"]).related
        assert [(ref.type, ref.id, ref.name) for ref in shown] == [(car.api_name, van.id, "Some")]
        put(platform, ada, cars=None)
        assert "link" not in again(platform, van).fields and again(platform, van).version == 3
        put(platform, ada, cars=[van.id] if theirs else van.id)
        assert [r.id for r in platform.custom_objects.records.list(car.id, related_id=ada.id)] == [van.id]
        platform.custom_objects.records.delete(car.id, van.id)
        assert "cars" not in again(platform, ada).fields


def test_second_links_are_refused_where_there_can_be_one(
    platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    for kind, cardinality in product(("contact", "driver"), CARDINALITIES):
        car, driver = define(), define()
        relate(car, kind if kind == "contact" else driver.api_name, cardinality)
        people = [
            platform.contacts.create({"name": "Ada"}).id if kind == "contact" else add(driver).id for _ in range(2)
        ]
        first, second = add(car), add(car)
        many_theirs, many_ours = cardinality.endswith("many"), cardinality.startswith("many")
        put(platform, first, link=people[:1])
        calls: list[tuple[bool, Callable[[], Any]]] = [
            (many_theirs, partial(put, platform, first, link=people)),
            (many_ours, partial(put, platform, second, link=people[0])),
        ]
        for allowed, call in calls:
            if allowed:
                call()
            else:
                error = refused(call)
                assert (error.status, error.code, error.fields[0].field) == (
                    409,
                    "CARDINALITY_VIOLATION",
                    "fields.link",
                )


def test_the_other_side_keeps_to_the_cardinality(platform: CrmClient, define: Define, add: Add, relate: Relate) -> None:
    car, driver = define(), define()
    relate(car, driver.api_name, "many_to_one", inverse_api_name="cars")
    ada, bob, van = add(driver), add(driver), add(car)
    put(platform, van, link=ada.id)
    assert refused(lambda: put(platform, bob, cars=[van.id])).code == "CARDINALITY_VIOLATION"
    put(platform, van, link=bob.id)
    assert "cars" not in again(platform, ada).fields and again(platform, bob).fields["cars"] == [van.id]


def test_a_record_can_be_linked_with_one_of_its_kind(
    platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    thing = define()
    relate(thing, thing.api_name, "many_to_one", api_name="boss", inverse_api_name="team")
    boss, one, two = add(thing), add(thing), add(thing)
    put(platform, one, boss=boss.id)
    put(platform, boss, team=[one.id, two.id])
    assert again(platform, two).fields["boss"] == boss.id
    platform.custom_objects.records.delete(thing.id, boss.id)
    assert again(platform, one).fields == again(platform, two).fields == {"name": "Some"}
    platform.custom_objects.relationships.delete(thing.id, "boss")
    assert platform.custom_objects.relationships.list(thing.id).total == 0


NARROWER = [
    ("many_to_many", "many_to_one", False),
    ("many_to_many", "one_to_many", False),
    ("many_to_one", "one_to_one", False),
    ("one_to_many", "one_to_one", False),
    ("one_to_one", "many_to_many", True),
    ("many_to_one", "many_to_many", True),
    ("one_to_many", "many_to_many", True),
]


def test_cardinalities_widen_and_narrow_where_links_allow_it(
    platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    for before, after, wider in NARROWER:
        car, driver = define(), define()
        made = relate(car, driver.api_name, before, inverse_api_name="cars")
        cars, drivers = [add(car), add(car)], [add(driver), add(driver)]
        put(platform, cars[0], link=[one.id for one in drivers][: 2 if before.endswith("many") else 1])
        if before.startswith("many"):
            put(platform, cars[1], link=drivers[0].id)
        update = platform.custom_objects.relationships.update
        if not wider:
            error = refused(partial(update, car.id, made.id, {"cardinality": after}))
            assert (error.status, error.code) == (409, "CARDINALITY_VIOLATION") and error.details["recordIds"]
            put(platform, cars[0], link=None)
            put(platform, cars[1], link=None)
            put(platform, cars[0], link=drivers[0].id)
        kept = again(platform, cars[0]).fields["link"]
        assert update(car.id, "link", {"cardinality": after}).version == 2
        ids = kept if isinstance(kept, list) else [kept]
        assert again(platform, cars[0]).fields["link"] == (ids if after.endswith("many") else ids[0])
        (inverse,) = platform.custom_objects.relationships.list(driver.id)
        assert (inverse.cardinality, inverse.version) == (INVERSE.get(after, after), 2)
        back = again(platform, drivers[0]).fields["cars"]
        assert isinstance(back, list) is after.startswith("many")


def test_names_of_links_are_taken_like_those_of_fields(
    stub: StubServer, platform: CrmClient, define: Define, relate: Relate
) -> None:
    car, driver = define(field("x")), define(field("y"))
    log = len(stub.audit())
    taken: list[dict[str, Any]] = [{"api_name": "x"}, {"inverse_api_name": "y"}, {"api_name": "name"}]
    for more in taken:
        error = refused(lambda more=more: relate(car, driver.api_name, "many_to_many", **more))  # type: ignore[misc] # bound now
        assert (error.status, error.code) == (409, "RELATIONSHIP_EXISTS")
    assert len(stub.audit()) == log
    assert refused(lambda: relate(car, "moon", "many_to_many")).code == "REFERENCE_NOT_FOUND"
    made = relate(car, driver.api_name, "many_to_many")
    assert made.inverse_api_name == car.api_name and made.inverse_label == car.plural_label
    told = [(e["action"], e["entity"]["id"]) for e in stub.audit()[log:]]
    assert sorted(told) == sorted(("custom_object.relationship_created", one.id) for one in (car, driver))
    assert refused(lambda: relate(car, driver.api_name, "many_to_many")).code == "RELATIONSHIP_EXISTS"
    assert refused(lambda: platform.custom_objects.fields.create(car.id, field("link"))).code == "FIELD_EXISTS"
    reply = platform.request(
        "PUT", f"/v1/custom-objects/{car.id}/relationships/{made.id}", json={"relatedObject": "lead"}
    )
    assert reply.status == 422 and b"read_only" in reply.content


def test_a_required_link_needs_every_record_to_have_one(
    platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    car = define()
    made = add(car)
    relationship = relate(car, "contact", "many_to_one")
    update = platform.custom_objects.relationships.update
    error = refused(lambda: update(car.id, relationship.id, {"required": True}))
    assert (error.code, error.details["recordIds"]) == ("FIELD_NEEDS_DEFAULT", [made.id])
    put(platform, made, link="contact_123")
    update(car.id, relationship.id, {"required": True})
    for call in (lambda: add(car), lambda: put(platform, made, link=None)):
        assert refused(call).fields[0].rule == "required"


def test_a_relationship_in_use_goes_only_by_force(
    stub: StubServer, platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    car, driver = define(), define()
    made = relate(car, driver.api_name, "many_to_many", inverse_api_name="cars")
    van, ada = add(car), add(driver)
    put(platform, van, link=[ada.id])
    error = refused(lambda: platform.custom_objects.relationships.delete(car.id, made.id))
    assert (error.code, error.details["linkCount"]) == ("RELATIONSHIP_IN_USE", 1)
    platform.custom_objects.relationships.delete(driver.id, "cars", force=True)
    assert again(platform, van).fields == again(platform, ada).fields == {"name": "Some"}
    assert not platform.custom_objects.get(car.id).relationships
    deeds = [e["action"] for e in stub.audit() if e["action"].endswith("relationship_deleted")]
    assert len(deeds) == 2


def test_records_are_in_the_timeline_of_what_they_link(
    platform: CrmClient, define: Define, add: Add, relate: Relate
) -> None:
    car = define()
    relate(car, "contact", "many_to_many")
    add(car, "unrelated")
    van = add(car, "Van", link=["contact_123"])
    put(platform, van, name="Big van")
    told = [e for e in platform.activities.timeline(contact_id="contact_123") if e.entity.id == van.id]
    assert [(e.kind, e.title, e.summary) for e in told] == [
        ("updated", "Big van was updated", "fields.name"), ("created", "Van was created", None),
    ]  # fmt: skip
    everything = {e.entity.name for e in platform.activities.timeline(kinds=["created"])}
    assert {"unrelated", "Van"} <= everything
