"""What a merge of contacts moves, keeps and fills in: everything that was the others' is the survivor's."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models.contacts import Contact
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client()


def new(crm: CrmClient, name: str, **members: Any) -> Contact:
    return crm.contacts.create({"name": name, **members})  # type: ignore[typeddict-item] # members as the test names them


def merged(crm: CrmClient, survivor: Contact, *others: Contact) -> Any:
    group: Any = {"survivor_id": survivor.id, "contact_ids": [survivor.id, *(other.id for other in others)]}
    (made,) = crm.contacts.deduplicate(mode="merge", groups=[group]).merged
    return made


def roles(crm: CrmClient, deal_id: str) -> list[tuple[str, str, bool]]:
    return [(role.contact_id, str(role.role), role.is_primary) for role in crm.deals.get(deal_id).contact_roles]


def test_all_that_belongs_to_the_others_is_moved_and_counted(crm: CrmClient, stub: StubServer) -> None:
    kept, gone, apart = (new(crm, name) for name in ("Kay Kept", "Gus Gone", "Ann Apart"))
    about: list[Any] = [{"type": "contact", "id": contact.id} for contact in (gone, apart)]
    deal = crm.deals.create({"title": "Gus's", "contact_id": gone.id})
    crm.activities.create({"kind": "note", "body": "Gus", "contact_id": gone.id})
    files = [crm.files.upload(("a.txt", b"a"), related_to=of) for of in about]
    comments = [crm.collaboration.comments.create({"entity": of, "body": "x"}) for of in about]
    conversations = stub.store.collection("tenant_acme", "conversation")
    conversation = conversations.all()[0]
    conversations.put(conversation | {"contact_id": gone.id})
    lead = crm.leads.create({"name": "Gus Gone", "email": "gus@gone.example"})
    crm.leads.convert(lead.id, contact_id=gone.id, create_deal=False)

    moved = merged(crm, kept, gone).moved

    counts = moved.model_dump()
    assert {name: count for name, count in counts.items() if count} == {
        "contacts": 1, "leads": 1, "deals": 1, "activities": counts["activities"], "conversations": 1, "files": 1,
        "comments": 1,
    }  # fmt: skip
    assert counts["activities"] >= 1
    held = crm.deals.get(deal.id)
    assert (held.contact_id, held.contact_name) == (kept.id, "Kay Kept")
    assert {activity.contact_id for activity in crm.activities.list(contact_id=kept.id)} == {kept.id}
    related = [crm.files.get(file.id).related_to for file in files]
    assert [to and (to.id, to.name) for to in related] == [(kept.id, "Kay Kept"), (apart.id, "Ann Apart")]
    listed = crm.collaboration.comments.list("contact", kept.id)
    assert [comment.id for comment in listed] == [comments[0].id]
    assert crm.leads.get(lead.id).converted_contact_id == kept.id
    assert some(conversations.get(conversation["id"]))["contact_id"] == kept.id
    survivor = crm.contacts.get(kept.id)
    assert (survivor.total_deals, survivor.open_deals) == (1, 1)


@pytest.mark.parametrize("primary", ["kept", "gone"])
def test_who_has_two_roles_in_a_deal_by_a_merge_keeps_the_primary_one(crm: CrmClient, primary: str) -> None:
    contacts = {name: new(crm, name) for name in ("kept", "gone", "apart")}
    words = {"kept": "champion", "gone": "decision_maker", "apart": "influencer"}
    given: Any = [{"contact_id": contacts[name].id, "role": role} for name, role in words.items()]
    deal = crm.deals.create({"title": "Roles", "contact_id": contacts[primary].id, "contact_roles": given})
    other = crm.deals.create({"title": "Of others", "contact_roles": given[2:], "contact_id": contacts["apart"].id})
    version = crm.deals.get(other.id).version

    merged(crm, contacts["kept"], contacts["gone"])

    assert roles(crm, deal.id) == [
        (contacts["kept"].id, words[primary], True),
        (contacts["apart"].id, "influencer", False),
    ]
    assert roles(crm, other.id) == [(contacts["apart"].id, "influencer", True)]
    assert crm.deals.get(other.id).version == version


def test_relationships_move_but_for_doubles_circles_and_a_second_superior(crm: CrmClient) -> None:
    kept, gone, chief, other, peer = (new(crm, name) for name in ("Kay", "Gus", "Cho", "Oda", "Pia"))
    relate = crm.contacts.relationships
    for one, two, type in [
        (kept, chief, "reports_to"),  # stays, and is the one superior
        (gone, kept, "colleague"),  # with itself
        (kept, peer, "colleague"),
        (peer, gone, "colleague"),  # there already, seen from the other side
        (gone, peer, "spouse"),  # moves
        (gone, other, "reports_to"),  # a second superior, after one that moves
        (other, gone, "assistant_of"),  # moves, and is seen from the other side
    ]:
        relate.create(one.id, {"related_contact_id": two.id, "type": type})

    assert merged(crm, kept, gone).moved.relationships == 2

    seen = sorted((str(each.type), each.related_contact_name) for each in relate.list(kept.id))
    assert seen == [("colleague", "Pia"), ("has_assistant", "Oda"), ("reports_to", "Cho"), ("spouse", "Pia")]
    assert [(str(each.type), each.related_contact_name) for each in relate.list(other.id)] == [("assistant_of", "Kay")]


def test_a_survivor_without_a_superior_gets_the_first_of_the_others(crm: CrmClient) -> None:
    kept, first, second, chief, other = (new(crm, name) for name in ("Kay", "Gus", "Gil", "Cho", "Oda"))
    relate = crm.contacts.relationships
    for one, two, type in (
        (first, chief, "colleague"), (first, chief, "reports_to"), (second, other, "spouse"),
        (second, other, "reports_to"),
    ):  # fmt: skip
        relate.create(one.id, {"related_contact_id": two.id, "type": type})
    assert merged(crm, kept, first, second).moved.relationships == 3
    seen = sorted((str(each.type), each.related_contact_name) for each in relate.list(kept.id))
    assert seen == [("colleague", "Cho"), ("reports_to", "Cho"), ("spouse", "Oda")]


def test_the_survivors_values_hold_and_its_gaps_are_filled(crm: CrmClient) -> None:
    acme = crm.accounts.create({"name": "Acme of the merge"})
    kept = new(
        crm, "Kay", email="kay@one.example", tags=["VIP"], custom_fields={"size": "L"}, company="Quux", notes=["one"]
    )
    first = new(
        crm, "Kai", email="kai@two.example", title="CTO", tags=["vip", "new"], custom_fields={"size": "S", "hat": "7"},
        company="Elsewhere", account_id=acme.id, notes=["one", "two"],
    )  # fmt: skip
    second = new(
        crm, "Kaj", email="kaj@three.example", title="CEO", phone="+12125550188",
        custom_fields={"hat": "8", "shoe": "44"},
    )  # fmt: skip
    health, score = kept.relationship_health, kept.health_score

    made = merged(crm, kept, first, second)

    found = crm.contacts.get(kept.id)
    assert made.contact.id == kept.id and made.merged_ids == [first.id, second.id]
    assert (found.name, found.email, found.company, found.account_id) == ("Kay", kept.email, "Quux", kept.account_id)
    assert (found.title, found.phone) == ("CTO", "+12125550188")
    assert (found.tags, found.notes) == (["VIP", "new"], ["one", "two"])
    assert found.custom_fields == {"size": "L", "hat": "7", "shoe": "44"}
    assert found.secondary_emails == ["kai@two.example", "kaj@three.example"]
    assert found.merged_ids == [first.id, second.id]
    assert (found.relationship_health, found.health_score) == (health, score)
    # Who was merged into it before goes with a contact that is merged itself.
    last = new(crm, "Kim")
    merged(crm, last, found)
    assert crm.contacts.get(last.id).merged_ids == [kept.id, first.id, second.id]
    assert {crm.contacts.get(each.id).id for each in (kept, first, second)} == {last.id}


@pytest.mark.parametrize(
    ("rule", "expected"), [("oldest", "first"), ("newest", "last"), ("most_complete", "full")], ids=str
)
def test_the_rule_names_the_survivor(crm: CrmClient, stub: StubServer, rule: str, expected: str) -> None:
    made: dict[str, Contact] = {}
    for name, members in {"first": {}, "full": {"title": "x", "phone": "+12125550100"}, "last": {}}.items():
        made[name] = new(crm, "Same Person", company="Quux", **members)
        stub.clock.advance(60)
    (group,) = crm.contacts.deduplicate(
        contact_ids=[contact.id for contact in made.values()], threshold=50, survivor=rule
    ).groups
    others = [made[name].id for name in made if name != expected]
    assert (group.survivor_id, group.contact_ids) == (made[expected].id, [made[expected].id, *others])


def test_the_score_of_a_group_is_that_of_its_least_similar_contact(crm: CrmClient) -> None:
    one, two = new(crm, "Zed Quill", phone="+12125550177"), new(crm, "Abe Moss", phone="+12125550177")
    (pair,) = crm.contacts.deduplicate(contact_ids=[one.id, two.id], threshold=50).groups
    assert pair.score == 95
    third = new(crm, "Zed Quill", company="Elsewhere")
    (group,) = crm.contacts.deduplicate(contact_ids=[one.id, two.id, third.id], threshold=50).groups
    assert 50 <= group.score < 95 and set(group.contact_ids) == {one.id, two.id, third.id}


@pytest.mark.parametrize(
    ("groups", "field", "rule"),
    [
        ([(0, [0, 0])], "groups.0.contact_ids", "length"),
        ([(0, [1, 2])], "groups.0.survivor_id", "reference"),
        ([(0, [0, 1]), (1, [1, 2])], "groups.1.contact_ids", "unique"),
    ],
)
def test_groups_that_cannot_be_merged_are_refused_and_none_is(
    crm: CrmClient, groups: list[tuple[int, list[int]]], field: str, rule: str
) -> None:
    ids = [new(crm, name).id for name in ("a", "b", "c")]
    given: Any = [{"survivor_id": ids[one], "contact_ids": [ids[each] for each in of]} for one, of in groups]
    error = refused(lambda: crm.contacts.deduplicate(mode="merge", groups=given))
    assert (error.fields[0].field, error.fields[0].rule) == (field, rule)
    assert [crm.contacts.get(id).id for id in ids] == ids
    assert refused(lambda: crm.contacts.deduplicate(groups=given)).fields[0].field == "groups"


# -- finding --------------------------------------------------------------------------------------------------------


def test_what_is_found_is_merged_only_where_it_is_wanted(crm: CrmClient) -> None:
    one, two, apart = new(crm, "Zed Quill", company="Q"), new(crm, "Zed Quill", company="Q"), new(crm, "Abe Moss")
    ids = [one.id, two.id, apart.id]
    found = crm.contacts.deduplicate(contact_ids=ids)
    assert (found.scanned, found.dry_run, found.merged, len(found.groups)) == (3, True, [], 1)
    done = crm.contacts.deduplicate(mode="merge", contact_ids=ids)
    assert (done.scanned, done.dry_run, [merge.merged_ids for merge in done.merged]) == (3, False, [[two.id]])
    assert done.groups == found.groups
    assert crm.contacts.deduplicate(contact_ids=ids).groups == []
    everybody = crm.contacts.list(limit=1).total
    assert crm.contacts.deduplicate(threshold=100).scanned == everybody


def test_who_is_like_one_of_a_group_is_in_it_and_the_surest_group_is_first(crm: CrmClient) -> None:
    """Two pairs are joined by a third one; nobody of another group is in it."""
    phones = ["+12125550101", "+12125550102", "+12125550103"]
    a = new(crm, "Abe Moss", phone=phones[0])
    b = new(crm, "Ben Nash", phone=phones[0], mobile=phones[2])
    c = new(crm, "Cid Opal", phone=phones[1], mobile=phones[2])
    d = new(crm, "Dee Park", phone=phones[1])
    e, f = new(crm, "Zed Quill", email="zed@q.example"), new(crm, "Uma Ray", email="uma@q.example")
    crm.contacts.update(f.id, {"phone": "+12125550109"})
    crm.contacts.update(e.id, {"mobile": "+12125550109"})
    ids = [each.id for each in (a, b, c, d, e, f)]
    groups = crm.contacts.deduplicate(contact_ids=ids, match_on=["phone"]).groups
    assert sorted(sorted(group.contact_ids) for group in groups) == sorted([sorted(ids[:4]), sorted(ids[4:])])
    assert [group.score for group in groups] == [95, 95]
    (large,) = [group for group in groups if len(group.contact_ids) == 4]
    assert sorted(reason.values[0] for reason in large.reasons) == phones, "each reason once"
    assert crm.contacts.deduplicate(contact_ids=ids, match_on=["email"]).groups == []


def test_groups_are_in_the_order_of_their_scores(crm: CrmClient) -> None:
    weak = [new(crm, "Zed Quill", company=company).id for company in ("One", "Two")]
    strong = [new(crm, name, phone="+12125550101").id for name in ("Abe Moss", "Ben Nash")]
    groups = crm.contacts.deduplicate(contact_ids=[*weak, *strong], threshold=50).groups
    assert [(group.score, sorted(group.contact_ids)) for group in groups] == [(95, sorted(strong)), (70, sorted(weak))]


def test_of_contacts_that_are_as_complete_the_oldest_survives(crm: CrmClient, stub: StubServer) -> None:
    made = []
    for _ in range(3):
        made.append(new(crm, "Same Person", company="Quux").id)
        stub.clock.advance(60)
    (group,) = crm.contacts.deduplicate(contact_ids=list(reversed(made))).groups
    assert (group.survivor_id, group.contact_ids) == (made[0], made)


# -- what is filled in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("company", "of_account", "takes"),
    [(None, "Acme of old", True), ("acme OF old ", "Acme of old", True), ("Quux", "Acme of old", False)],
)
def test_the_account_of_another_is_taken_by_who_has_no_other_company(
    crm: CrmClient, company: str | None, of_account: str, takes: bool
) -> None:
    account = crm.accounts.create({"name": of_account})
    kept, gone = new(crm, "Kay", company=company), new(crm, "Gus", account_id=account.id)
    found = merged(crm, kept, gone).contact
    assert found.account_id == (account.id if takes else None)
    assert (found.company or "").strip().casefold() == (company or of_account).strip().casefold()


def test_the_first_address_is_taken_by_who_has_none_and_the_others_are_secondary(crm: CrmClient) -> None:
    kept = new(crm, "Kay", secondary_emails=["kay@home.example"])
    one = new(crm, "Gus", email="gus@one.example", secondary_emails=["gus@home.example"])
    two = new(crm, "Ann", email="ann@one.example")
    found = merged(crm, kept, one, two).contact
    assert found.email == "gus@one.example"
    assert found.secondary_emails == ["kay@home.example", "gus@home.example", "ann@one.example"]


def test_lists_are_united_and_nothing_else_is_overwritten(crm: CrmClient, stub: StubServer) -> None:
    ours, theirs = ({"network": "github", "url": f"https://github.example/{name}"} for name in ("kay", "gus"))
    kept = new(crm, "Kay", social_profiles=[ours], do_not_contact=False, lifecycle_stage="lead")
    gone = new(
        crm, "Gus", social_profiles=[ours, theirs], do_not_contact=True, lifecycle_stage="customer",
        address={"city": "Bonn"}, birthday="1990-01-02",
    )  # fmt: skip
    found = merged(crm, kept, gone).contact
    assert [profile.url for profile in found.social_profiles] == [ours["url"], theirs["url"]]
    assert (found.do_not_contact, found.lifecycle_stage) == (False, "lead")
    assert (some(found.address).city, str(found.birthday), found.version) == ("Bonn", "1990-01-02", 2)


def test_a_conversation_says_whom_it_is_with(crm: CrmClient, stub: StubServer) -> None:
    kept, gone = new(crm, "Kay Kept", company="Quux"), new(crm, "Gus Gone", company="Else")
    conversations = stub.store.collection("tenant_acme", "conversation")
    talk = conversations.put(conversations.all()[0] | {"contact_id": gone.id, "contact_name": "Gus Gone"})
    note = crm.activities.create({"kind": "note", "body": "x", "contact_id": gone.id})
    assert merged(crm, kept, gone).moved.conversations == 1
    found = some(conversations.get(talk["id"]))
    assert (found["contact_id"], found["contact_name"]) == (kept.id, "Kay Kept")
    told: Any = crm.activities.get(note.id)
    assert (told.contact_id, told.contact_name) == (kept.id, "Kay Kept")
    activity = some(stub.store.collection("tenant_acme", "activity").get(note.id))
    assert activity.get("contact_company", "none") == "Quux"


def test_groups_are_merged_one_by_one_in_their_order(crm: CrmClient) -> None:
    ids = [new(crm, name).id for name in ("a", "b", "c", "d", "e")]
    groups: Any = [
        {"survivor_id": ids[1], "contact_ids": ids[:2]},
        {"survivor_id": ids[2], "contact_ids": ids[2:]},
    ]
    done = crm.contacts.deduplicate(mode="merge", groups=groups)
    assert [(merge.contact.id, merge.merged_ids) for merge in done.merged] == [(ids[1], ids[:1]), (ids[2], ids[3:])]
    assert [group.survivor_id for group in done.groups] == [ids[1], ids[2]]
    assert [merge.moved.contacts for merge in done.merged] == [1, 2]
