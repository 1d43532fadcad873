"""Relationships: seen from either side, once each, one superior, no circles, by whatever call they come."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient, NotFoundError
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def people(crm: CrmClient, names: str) -> dict[str, str]:
    return {name: crm.contacts.create({"name": name}).id for name in names}


def relate(crm: CrmClient, ids: dict[str, str], one: str, type: str, other: str, **more: Any) -> Any:
    given: Any = {"related_contact_id": ids[other], "type": type, **more}
    return crm.contacts.relationships.create(ids[one], given)


def seen(crm: CrmClient, ids: dict[str, str], name: str, **given: Any) -> list[str]:
    found = crm.contacts.relationships.list(ids[name], **given)
    return [f"{one.type} {one.related_contact_name}" for one in found]


def test_each_type_has_an_inverse_that_the_other_contact_sees(crm: CrmClient) -> None:
    pairs = {
        "reports_to": "manages", "manages": "reports_to", "assistant_of": "has_assistant",
        "has_assistant": "assistant_of", "child_of": "parent_of", "parent_of": "child_of", "referred_by": "referred",
        "referred": "referred_by", "colleague": "colleague", "spouse": "spouse", "other": "other",
    }  # fmt: skip
    for type, inverse in pairs.items():
        ids = people(crm, "ABC")
        made = relate(crm, ids, "A", type, "B")
        assert (made.contact_id, made.related_contact_id, made.type, made.inverse_type, made.related_contact_name) == (
            ids["A"], ids["B"], type, inverse, "B",
        )  # fmt: skip
        (there,) = crm.contacts.relationships.list(ids["B"])
        assert (there.id, there.contact_id, there.related_contact_id) == (made.id, ids["B"], ids["A"])
        assert (there.type, there.inverse_type, there.related_contact_name) == (inverse, type, "A")
        with pytest.raises(NotFoundError):
            crm.contacts.relationships.delete(ids["C"], made.id)


def test_relationships_are_filtered_and_sorted_as_they_are_seen(crm: CrmClient) -> None:
    ids = people(crm, "ABCD")
    relate(crm, ids, "A", "manages", "D", since="2020-01-02")
    relate(crm, ids, "B", "reports_to", "A", since="2019-01-02")
    relate(crm, ids, "C", "spouse", "A", since="2021-01-02")
    assert sorted(seen(crm, ids, "A")) == ["manages B", "manages D", "spouse C"]
    assert sorted(seen(crm, ids, "A", type="manages")) == ["manages B", "manages D"]
    assert seen(crm, ids, "A", type="reports_to") == []
    assert seen(crm, ids, "B", type="reports_to") == ["reports_to A"]
    by_name = ["manages B", "spouse C", "manages D"]
    assert seen(crm, ids, "A", sort="related_contact_name") == by_name
    assert seen(crm, ids, "A", sort="related_contact_name", order="desc") == by_name[::-1]
    assert seen(crm, ids, "A", sort="since") == ["manages B", "manages D", "spouse C"]
    assert seen(crm, ids, "A", sort="type", order="desc")[0] == "spouse C"
    assert refused(lambda: seen(crm, ids, "A", sort="shoe_size")).status == 422
    crm.contacts.update(ids["B"], {"name": "Bea"})
    assert seen(crm, ids, "A", sort="since")[0] == "manages Bea"


def refusal(crm: CrmClient, ids: dict[str, str], one: str, type: str, other: str, id: str | None = None) -> Any:
    """Return the status, code and details of the refusal to relate two, or to make a relationship one of a type."""
    if id is None:
        error = refused(lambda: relate(crm, ids, one, type, other))
    else:
        changes: Any = {"type": type}
        error = refused(lambda: crm.contacts.relationships.update(ids[one], id, changes))
    (field,) = error.fields
    return error.status, error.code, field.field, dict(error.details)


def test_two_are_related_once_as_the_same_and_have_one_superior(crm: CrmClient) -> None:
    ids = people(crm, "ABCD")
    first = relate(crm, ids, "A", "reports_to", "B")
    there = (409, "RELATIONSHIP_EXISTS", "type", {"existingId": first.id})
    for one, type, other in (
        ("A", "reports_to", "B"), ("B", "manages", "A"), ("A", "reports_to", "C"), ("C", "manages", "A"),
    ):  # fmt: skip
        assert refusal(crm, ids, one, type, other) == there
    relate(crm, ids, "A", "colleague", "B")
    relate(crm, ids, "C", "reports_to", "B")
    parent = relate(crm, ids, "A", "child_of", "C")
    relate(crm, ids, "A", "child_of", "D")
    assert sorted(seen(crm, ids, "A")) == ["child_of C", "child_of D", "colleague B", "reports_to B"]
    assert refusal(crm, ids, "A", "spouse", "A")[:3] == (422, "SELF_RELATIONSHIP", "related_contact_id")
    nobody = refusal(crm, {**ids, "X": "contact_none"}, "A", "spouse", "X")
    assert nobody[1:3] == ("REFERENCE_NOT_FOUND", "related_contact_id")
    # what a change makes of one is checked as well, but not against itself
    other = relate(crm, ids, "A", "spouse", "C")
    assert refusal(crm, ids, "A", "reports_to", "C", other.id) == there
    assert refusal(crm, ids, "C", "manages", "A", other.id) == there
    assert refusal(crm, ids, "A", "child_of", "C", other.id)[3] == {"existingId": parent.id}
    update: Any = crm.contacts.relationships.update
    assert update(ids["A"], other.id, {"type": "spouse", "notes": "Since May"}).version == 2
    assert update(ids["A"], first.id, {"notes": "New"}).notes == "New"
    assert update(ids["A"], first.id, {"type": "reports_to", "notes": "Newer"}).notes == "Newer"
    assert update(ids["A"], first.id, {"type": "assistant_of"}).inverse_type == "has_assistant"
    assert seen(crm, ids, "B", type="has_assistant") == ["has_assistant A"]
    assert update(ids["C"], other.id, {"type": "manages"}).type == "manages", "it is free now"
    assert seen(crm, ids, "A", type="reports_to") == ["reports_to C"]


@pytest.mark.parametrize(("upward", "downward"), [("reports_to", "manages"), ("child_of", "parent_of")])
def test_a_hierarchy_has_no_circle_however_long(crm: CrmClient, upward: str, downward: str) -> None:
    ids = people(crm, "ABCDEF")
    first = relate(crm, ids, "A", upward, "B")
    relate(crm, ids, "C", downward, "B")
    relate(crm, ids, "C", upward, "D")
    circle = (409, "RELATIONSHIP_CYCLE", "related_contact_id", {"type": upward})
    assert refusal(crm, ids, "D", upward, "A") == refusal(crm, ids, "A", downward, "D") == circle
    relate(crm, ids, "D", "colleague", "A")
    loose = relate(crm, ids, "D", "spouse", "A")
    assert refusal(crm, ids, "D", upward, "A", loose.id) == refusal(crm, ids, "A", downward, "D", loose.id) == circle
    if upward == "reports_to":
        assert refusal(crm, ids, "A", downward, "B", first.id)[1] == "RELATIONSHIP_EXISTS", "B has a superior"
        return
    assert refusal(crm, ids, "C", upward, "A") == refusal(crm, ids, "B", downward, "C") == circle
    for one, other in ("EC", "EF", "FD"):
        relate(crm, ids, one, upward, other)
    assert refusal(crm, ids, "D", upward, "E") == circle
    changes: Any = {"type": downward}
    turned = crm.contacts.relationships.update(ids["A"], first.id, changes)
    assert turned.type == downward, "what it was is not in its way"


def test_a_relationship_goes_with_its_contact_and_is_told_of(crm: CrmClient, stub: StubServer) -> None:
    ids, start = people(crm, "ABC"), len(stub.audit())
    made = relate(crm, ids, "A", "manages", "B")
    crm.contacts.relationships.update(ids["B"], made.id, {"notes": "x"})
    relate(crm, ids, "C", "spouse", "A")
    crm.contacts.delete(ids["A"])
    told = [entry["action"] for entry in stub.audit()[start:] if entry["action"].startswith("contact.relationship")]
    verbs = ["created", "updated", "created"]
    assert told == [f"contact.relationship_{verb}" for verb in verbs]
    assert seen(crm, ids, "B") == seen(crm, ids, "C") == []
    assert stub.store.collection("tenant_acme", "relationship").get(made.id) is None
    assert some(crm.contacts.get(ids["B"])).name == "B"


def test_a_restored_contact_brings_back_no_second_superior_and_no_circle(crm: CrmClient) -> None:
    ids = people(crm, "ABCDEF")
    relate(crm, ids, "A", "reports_to", "B")
    relate(crm, ids, "B", "spouse", "C")
    crm.contacts.delete(ids["B"])
    relate(crm, ids, "A", "reports_to", "C")
    relate(crm, ids, "D", "reports_to", "E")
    relate(crm, ids, "F", "manages", "E")
    crm.contacts.delete(ids["E"])
    relate(crm, ids, "F", "reports_to", "D")
    assert crm.objects.restore("contact", [ids["B"], ids["E"]]).succeeded == 2
    assert seen(crm, ids, "A") == ["reports_to C"]
    assert seen(crm, ids, "B") == ["spouse C"]
    assert (seen(crm, ids, "E"), seen(crm, ids, "F")) == (["manages D"], ["reports_to D"])
