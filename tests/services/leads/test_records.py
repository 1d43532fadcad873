"""What a lead is stored as, what follows from a write of one, and how leads are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer


def test_a_phone_becomes_e164_only_where_it_is_a_valid_number(client: CrmClient) -> None:
    given = ("(415) 555-2671", "+49 30 901820", "+1234567890", "+1 415 555 2671 ext. 5")
    kept = [client.leads.create({"name": "Ann Lee", "phone": phone}).phone for phone in given]
    assert kept == ["+14155552671", "+4930901820", "+1234567890", "+1 415 555 2671 ext. 5"]


def test_an_impossible_address_is_named_and_a_possible_one_lower_cased(client: CrmClient) -> None:
    error = refused(lambda: client.leads.create({"name": "Ann Lee", "email": "ann..lee@initech.test"}))
    assert (error.status, error.fields[0].field, error.fields[0].rule) == (422, "email", "format")
    lead = client.leads.create({"name": "Ann Lee", "email": "Ann.Lee@Initech.TEST"})
    assert lead.email == "ann.lee@initech.test"


def test_duplicates_are_named_on_both_sides_and_follow_every_change(client: CrmClient) -> None:
    def named() -> list[list[str]]:
        return [client.leads.get(lead.id).duplicate_ids for lead in (first, second)]

    first = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "phone": "+14155552671"})
    second = client.leads.create({"name": "A. Lee", "email": "ANN@initech.test"})
    assert named() == [[second.id], [first.id]]
    client.leads.update(second.id, {"email": "a.lee@initech.test"})
    assert named() == [[], []]
    client.leads.update(second.id, {"phone": "(415) 555-2671"})
    assert named() == [[second.id], [first.id]]
    third = client.leads.create({"name": "Other", "email": "ann@initech.test", "phone": "+14155552672"})
    assert [*named(), third.duplicate_ids] == [sorted([second.id, third.id]), [first.id], [first.id]]
    client.leads.update(first.id, {"title": "CEO"})
    assert named() == [sorted([second.id, third.id]), [first.id]]
    assert [client.leads.get(lead.id).version for lead in (first, third)] == [2, 1]
    client.leads.delete(second.id)
    assert client.leads.get(first.id).duplicate_ids == [third.id]


def test_a_company_may_want_no_lead_twice(stub: StubServer, client: CrmClient) -> None:
    first = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "phone": "+14155552671"})
    other = client.leads.create({"name": "Bo Ek"})
    stored(stub, "tenant", "tenant_acme", duplicate_policy="reject")
    writes: list[tuple[str, Callable[[], object]]] = [
        ("email", lambda: client.leads.create({"name": "A. Lee", "email": "ANN@initech.test"})),
        ("phone", lambda: client.leads.create({"name": "A. Lee", "phone": "(415) 555-2671"})),
        ("email", lambda: client.leads.update(other.id, {"email": "ann@initech.test"})),
    ]
    for field, write in writes:
        error = refused(write)
        assert (error.status, error.code, error.fields[0].field) == (409, "DUPLICATE_VALUE", field)
        assert error.details == {"existingId": first.id}
    assert client.leads.update(first.id, {"email": "ann@initech.test", "title": "CEO"}).title == "CEO", "its own"
    assert client.leads.capture.web_form({"email": "ann@initech.test"}).created is False
    client.leads.qualify(first.id, qualified=False, reason="Student")
    assert client.leads.capture.web_form({"email": "ann@initech.test"}).created, "what comes in is not lost"


def test_names_follow_their_parts_and_the_parts_a_name(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "first_name": "Ann", "last_name": "Lee"})
    assert client.leads.update(lead.id, {"last_name": "Kim"}).name == "Ann Kim"
    renamed = client.leads.update(lead.id, {"name": "Mary Ann Poe"})
    assert (renamed.first_name, renamed.last_name) == ("Mary Ann", "Poe")


def test_a_name_may_be_given_in_parts_and_all_that_is_wrong_is_told_at_once(client: CrmClient) -> None:
    made = client.request("POST", "/v1/leads", json={"firstName": "Eva", "lastName": "Lind"}).json()["data"]
    assert made["name"] == "Eva Lind"
    wrong = {"name": "x" * 201, "email": "nobody", "status": "sleepy", "foo": 1, "employees": -1}
    errors = client.request("POST", "/v1/leads", json=wrong).json()["errors"]
    assert {error["field"] for error in errors} == set(wrong)


def test_a_lead_without_a_name_is_refused(client: CrmClient) -> None:
    for body, rule in (({"email": "ann@initech.test"}, "required"), ({"firstName": " "}, "length")):
        errors = client.request("POST", "/v1/leads", json=body).json()["errors"]
        assert [(entry["field"], entry["rule"]) for entry in errors] == [("name", rule)]


@pytest.mark.parametrize("member", ["address", "utm"])
def test_objects_merge_member_by_member(client: CrmClient, member: str) -> None:
    first, second = {"address": ("street", "city"), "utm": ("source", "medium")}[member]

    def change(value: Any) -> Any:
        changes: Any = {member: value}
        return getattr(client.leads.update(made.id, changes), member)

    body: Any = {"name": "Ada", member: {first: "one", second: "two"}}
    made = client.leads.create(body)
    merged = change({second: "three"})
    assert (getattr(merged, first), getattr(merged, second)) == ("one", "three")
    less = change({first: None})
    assert (getattr(less, first), getattr(less, second)) == (None, "three")
    assert change(None) is None


def test_null_clears_what_may_be_empty(client: CrmClient) -> None:
    made = client.leads.create(
        {
            "name": "Ada",
            "owner_id": "user_sam",
            "title": "CEO",
            "notes": "Old",
            "tags": ["vip"],
            "social_profiles": [{"network": "github", "url": "https://github.com/ada"}],
            "custom_fields": {"floor": 3},
        }
    )
    names = ("owner_id", "title", "notes", "tags", "social_profiles", "custom_fields")
    cleared: Any = dict.fromkeys(names)
    empty = client.leads.update(made.id, cleared)
    assert [getattr(empty, name) for name in names] == [None, None, [], [], [], {}]
    assert client.leads.update(made.id, cleared).version == empty.version


def test_an_external_id_is_that_of_one_live_lead(client: CrmClient) -> None:
    first = client.leads.create({"name": "Ada", "external_id": "x-1"})
    other = client.leads.create({"name": "Bob"})
    writes: list[Callable[[], object]] = [
        lambda: client.leads.create({"name": "Eve", "external_id": "x-1"}),
        lambda: client.leads.update(other.id, {"external_id": "x-1"}),
    ]
    for write in writes:
        error = refused(write)
        assert (error.status, error.code, error.details) == (409, "DUPLICATE_VALUE", {"existingId": first.id})
    client.leads.delete(first.id)
    assert client.leads.update(other.id, {"external_id": "x-1"}).external_id == "x-1"


def test_a_currency_without_a_rate_is_refused(client: CrmClient) -> None:
    writes: list[Callable[[], object]] = [
        lambda: client.leads.create({"name": "Ada", "currency": "JPY"}),
        lambda: client.leads.update(client.leads.create({"name": "Ada"}).id, {"currency": "ZZZ"}),
    ]
    for write in writes:
        error = refused(write)
        assert (error.status, [(entry.field, entry.rule) for entry in error.fields]) == (422, [("currency", "choice")])
    assert client.leads.create({"name": "Ada", "currency": "EUR"}).currency == "EUR"
    assert client.leads.create({"name": "Ada"}).currency == "USD"


def test_a_new_lead_gets_an_owner_unless_it_is_to_have_none(stub: StubServer, client: CrmClient) -> None:
    assert client.leads.create({"name": "Ada"}).owner_id is not None
    left = client.leads.create({"name": "Ada", "owner_id": None})
    assert left.owner_id is None
    assert client.leads.update(left.id, {"title": "CEO"}).owner_id is None
    stored(stub, "tenant", "tenant_acme", lead_assignment="none")
    assert client.leads.create({"name": "Ada"}).owner_id is None


def test_status_by_hand_undoes_a_disqualification_and_converts_nothing(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    contacts = client.contacts.list(limit=1).total
    judged = client.leads.qualify(lead.id, qualified=False, reason="No budget")
    assert (judged.status, judged.disqualified_reason) == ("unqualified", "No budget")
    reopened = client.leads.update(lead.id, {"status": "contacted"})
    assert (reopened.disqualified_reason, reopened.qualification, reopened.converted_at) == (None, None, None)
    by_hand = client.leads.update(lead.id, {"status": "converted"})
    assert (by_hand.converted_at is None, by_hand.converted_contact_id) == (False, None)
    assert client.contacts.list(limit=1).total == contacts
    assert client.leads.update(lead.id, {"status": "converted", "title": "CEO"}).converted_at == by_hand.converted_at
    assert client.leads.update(lead.id, {"status": "new"}).converted_at is None
    born = client.leads.create({"name": "Bo", "status": "converted"})
    assert born.converted_at == born.created_at and client.leads.create({"name": "C"}).converted_at is None
    judged = client.leads.qualify(client.leads.create({"name": "D"}).id, need="n")
    assert client.leads.update(judged.id, {"status": "contacted"}).qualification == judged.qualification


def test_a_converted_lead_takes_tags_notes_and_an_owner_only(client: CrmClient) -> None:
    lead = client.leads.convert(client.leads.create({"name": "Ada", "title": "CEO"}).id, create_deal=False).lead
    error = refused(lambda: client.leads.update(lead.id, {"title": "CTO", "tags": ["t"]}))
    assert (error.status, error.code, error.fields[0].field) == (409, "LEAD_CONVERTED", "title")
    free = client.leads.update(lead.id, {"title": "CEO", "tags": ["t"], "notes": ["n"], "owner_id": "user_sam"})
    assert (free.tags, free.notes, free.owner_id, free.score) == (["t"], ["n"], "user_sam", lead.score)
    assert refused(lambda: client.leads.qualify(lead.id)).code == "LEAD_CONVERTED"


def test_lists_filter_by_all_tags_score_and_conversion(client: CrmClient) -> None:
    both = client.leads.create({"name": "Both", "tags": ["Zeta", "Eta", "zeta"], "title": "CEO", "value": 60_000})
    client.leads.create({"name": "One", "tags": ["zeta"]})
    assert both.tags == ["Zeta", "Eta"]
    assert [lead.name for lead in client.leads.list(tags=["eta", "zeta"])] == ["Both"]
    score = both.score or 0
    assert both.id in {lead.id for lead in client.leads.list(min_score=score, max_score=score)}
    assert both.id not in {lead.id for lead in client.leads.list(min_score=score + 1)}
    client.leads.convert(both.id)
    assert client.leads.list(tags=["eta"], converted=True).total == 1
    assert client.leads.list(tags=["eta"], converted=False).total == 0


def test_lists_are_newest_first_unless_they_are_sorted(client: CrmClient) -> None:
    for name, value in (("Ba", 2), ("Ca", 30), ("Aa", 1)):
        client.leads.create({"name": name, "value": value, "tags": ["sorted"]})

    def names(**how: Any) -> list[str]:
        return [lead.name for lead in client.leads.list(tags=["sorted"], **how)]

    assert names() == ["Aa", "Ca", "Ba"]
    assert names(sort="name") == ["Aa", "Ba", "Ca"]
    assert names(sort="value", order="desc") == ["Ca", "Ba", "Aa"]


def test_the_first_answer_is_noted_once_and_by_contacted_alone(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    assert client.leads.update(lead.id, {"status": "qualified"}).first_response_at is None
    first = client.leads.update(lead.id, {"status": "contacted"}).first_response_at
    assert first is not None
    stub.clock.advance(3600)
    client.leads.update(lead.id, {"status": "qualified"})
    assert client.leads.update(lead.id, {"status": "contacted"}).first_response_at == first


def test_a_refusal_says_to_whom_a_lead_was_converted(client: CrmClient) -> None:
    done = client.leads.convert(client.leads.create({"name": "Ada"}).id, create_deal=False)
    assert f"was converted to {done.contact.id}:" in refused(lambda: client.leads.qualify(done.lead.id)).message
    marked = client.leads.create({"name": "Bob"})
    client.leads.update(marked.id, {"status": "converted"})
    assert "was converted:" in refused(lambda: client.leads.qualify(marked.id)).message


def test_the_name_that_is_made_of_its_parts_has_two_hundred_characters_at_most(client: CrmClient) -> None:
    lead = client.leads.create({"name": "A B", "first_name": "A", "last_name": "B"})
    long: Any = {"first_name": "a" * 100, "last_name": "b" * 100}
    error = refused(lambda: client.leads.update(lead.id, long))
    assert [(one.field, one.rule, one.message) for one in error.fields] == [
        ("name", "length", "must have at most 200 characters")
    ]
    assert client.leads.get(lead.id) == lead
    longest: Any = {"first_name": "a" * 100, "last_name": "b" * 99}
    assert client.leads.update(lead.id, longest).name == f"{'a' * 100} {'b' * 99}"
    none: Any = {"first_name": None, "last_name": None}
    assert client.leads.update(lead.id, none).name == f"{'a' * 100} {'b' * 99}"
    own = client.leads.create({"name": "Own"})
    assert client.leads.update(own.id, long).name == "Own"
