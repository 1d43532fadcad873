"""The rules of leads, as a caller meets them: change the data, see the answer move."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models.lead_captures import EmailCapture, WebFormSubmission
from crm_sdk.models.leads import Lead
from server_stub import StubServer

T = TypeVar("T")


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def some(value: T | None) -> T:
    assert value is not None
    return value


def trail(stub: StubServer, after: int) -> list[str]:
    return [entry["action"] for entry in stub.audit()[after:]]


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
    assert client.leads.get(first.id).version == 1
    client.leads.delete(second.id)
    assert client.leads.get(first.id).duplicate_ids == []


def test_names_follow_their_parts_and_the_parts_a_name(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "first_name": "Ann", "last_name": "Lee"})
    assert client.leads.update(lead.id, {"last_name": "Kim"}).name == "Ann Kim"
    renamed = client.leads.update(lead.id, {"name": "Mary Ann Poe"})
    assert (renamed.first_name, renamed.last_name) == ("Mary Ann", "Poe")


def test_status_by_hand_undoes_a_disqualification_and_converts_nothing(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    contacts = client.contacts.list(limit=1).total
    judged = client.leads.qualify(lead.id, qualified=False, reason="No budget")
    assert (judged.status, judged.disqualified_reason) == ("unqualified", "No budget")
    reopened = client.leads.update(lead.id, {"status": "contacted"})
    assert (reopened.disqualified_reason, reopened.qualification) == (None, None)
    by_hand = client.leads.update(lead.id, {"status": "converted"})
    assert (by_hand.converted_at is None, by_hand.converted_contact_id) == (False, None)
    assert client.contacts.list(limit=1).total == contacts


def test_a_write_that_changes_nothing_is_none(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.qualify(client.leads.create({"name": "Ann Lee"}).id, need="Reports", budget=500)
    before = len(stub.audit())
    again = client.leads.qualify(lead.id, need="Reports", budget=500)
    same = client.leads.update(lead.id, {"name": "Ann Lee", "status": "qualified"})
    assert (again.version, same.version, trail(stub, before)) == (lead.version, lead.version, [])
    assert client.leads.qualify(lead.id, timeline=date(2026, 2, 1)).version == (lead.version or 0) + 1


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


def test_sources_count_what_became_of_their_leads(client: CrmClient) -> None:
    def fair() -> dict[str, Any]:
        return next(row.model_dump() for row in client.leads.sources().sources if row.source == "fair")

    lead = client.leads.create({"name": "Ann Lee", "source": "fair", "value": 100, "currency": "EUR"})
    client.leads.create({"name": "Bo Ek", "source": "fair", "value": 10})
    row = fair()
    assert (row["leads"], row["converted"], row["total_value"]) == (2, 0, Decimal("118.00"))  # at 1.08
    client.leads.convert(lead.id, deal={"stage": "closed-won", "value": 50})
    row = fair()
    assert (row["qualified"], row["conversion_rate"], row["won_value"]) == (1, 0.5, Decimal("54.00"))
    assert client.leads.sources(start_date=date(2030, 1, 1), end_date=date(2030, 2, 1)).total == 0


def test_the_reasons_of_a_score_add_up_and_rate_it(client: CrmClient) -> None:
    poor = client.leads.create({"name": "Ann Lee", "email": "ann@gmail.com"})
    rich = client.leads.create({"name": "Bo Ek", "email": "bo@initech.test", "title": "CEO", "company": "Initech"})
    best = client.leads.qualify(rich.id, budget=9_000, authority=True, need="Reports")
    for lead in (poor, rich, best):
        assert sum(reason.points for reason in lead.score_reasons) == lead.score
    assert [lead.rating for lead in (poor, rich, best)] == ["cold", "cold", "hot"]
    refusing = client.leads.update(rich.id, {"do_not_contact": True})
    assert (refusing.score or 0) == (best.score or 0) - 30


def test_what_happened_counts_less_as_time_goes_by(stub: StubServer, client: CrmClient) -> None:
    mail: EmailCapture = {"from_email": "ann@initech.test", "subject": "Offer?", "body": "Please."}
    lead = some(client.leads.capture.email(mail).lead)
    scores = [lead.score or 0]
    for _ in range(2):
        stub.clock.advance(60 * 86_400)
        scores.append(client.leads.score(lead.id).score)
    assert scores == sorted(set(scores), reverse=True)
    history = client.leads.scoring_history(lead.id)
    assert [entry.score for entry in history] == scores[::-1]


def test_a_score_set_by_hand_holds_until_it_is_computed_again(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    assert refused(lambda: client.leads.score(lead.id, score=90)).code == "REASON_REQUIRED"
    assert client.leads.score(lead.id, score=90, reason="Met in person").rating == "hot"
    assert client.leads.update(lead.id, {"title": "CEO"}).score == 90
    computed = client.leads.score(lead.id)
    assert (computed.source, computed.previous_score) == ("rules", 90)
    assert computed.score == client.leads.get(lead.id).score != 90
    client.leads.score(lead.id)
    assert [entry.source for entry in client.leads.scoring_history(lead.id)] == ["rules", "manual", "rules"]


def test_conversion_makes_all_three_and_closes_the_lead(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "company": "Initech", "value": 700})
    before = len(stub.audit())
    done = client.leads.convert(lead.id)
    assert done.created == ["contact", "account", "deal"]
    account, deal = some(done.account), some(done.deal)
    assert (account.domain, done.contact.account_id) == ("initech.test", account.id)
    assert (deal.title, deal.value, deal.contact_id) == ("Initech", Decimal(700), done.contact.id)
    assert deal.expected_close_date == date(2026, 3, 31)
    events = [event for event in trail(stub, before) if event != "contact.health_changed"]
    assert events == ["account.created", "contact.created", "deal.created", "lead.converted"]
    assert refused(lambda: client.leads.convert(lead.id)).code == "LEAD_CONVERTED"
    assert refused(lambda: client.leads.update(lead.id, {"company": "Other"})).code == "LEAD_CONVERTED"
    assert client.leads.update(lead.id, {"notes": ["Called"], "company": "Initech"}).notes == ["Called"]


def test_conversion_fills_only_what_a_contact_lacks(client: CrmClient) -> None:
    known = client.contacts.create({"name": "Ann Lee", "email": "ann@initech.test", "title": "CTO"})
    lead = client.leads.create({"name": "A. Lee", "email": "ann@initech.test", "title": "CEO", "phone": "+14155552671"})
    done = client.leads.convert(lead.id, create_deal=False)
    assert (done.created, done.contact.id, done.account, done.deal) == ([], known.id, None, None)
    assert (done.contact.title, done.contact.phone, done.contact.lead_id) == ("CTO", "+14155552671", lead.id)


def test_conversion_is_all_or_nothing(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "company": "Initech"})
    kinds = ("contact", "account", "deal", "audit")
    before = [len(stub.store.collection("tenant_acme", kind)) for kind in kinds]
    error = refused(lambda: client.leads.convert(lead.id, deal={"stage": "no-such-stage"}))
    assert (error.status, error.code) == (409, "STAGE_NOT_IN_PIPELINE")
    assert [len(stub.store.collection("tenant_acme", kind)) for kind in kinds] == before
    assert client.leads.get(lead.id).status == "new"


def test_a_contact_of_another_account_is_not_moved(client: CrmClient) -> None:
    first = client.leads.convert(client.leads.create({"name": "Ann Lee", "company": "Initech"}).id)
    lead = client.leads.create({"name": "Ann Lee", "company": "Initech"})
    other = client.leads.convert(client.leads.create({"name": "Bo Ek", "company": "Contoso"}).id)
    error = refused(lambda: client.leads.convert(lead.id, contact_id=other.contact.id))
    assert (error.status, error.code) == (409, "ACCOUNT_MISMATCH")
    assert client.leads.convert(lead.id, contact_id=first.contact.id).created == ["deal"]


def test_what_was_said_moves_along(client: CrmClient) -> None:
    captured = client.leads.capture.web_form({"form_id": "f", "email": "ann@initech.test", "message": "Hello"})
    done = client.leads.convert(some(captured.lead).id)
    assert some(done.moved).activities == 1
    assert client.contacts.activities.list(done.contact.id).total == 1


def test_bulk_items_stand_alone_unless_it_is_atomic(client: CrmClient) -> None:
    one, two, three = (client.leads.create({"name": name, "company": "Initech"}).id for name in ("A", "B", "C"))
    done = client.leads.bulk_convert([{"lead_id": one}, {"lead_id": "lead_none"}, {"lead_id": two}])
    assert [item.error.code if item.error else item.status for item in done.items] == ["ok", "NOT_FOUND", "ok"]
    accounts = {item.result.account.id for item in done.items if item.result and item.result.account}
    assert len(accounts) == 1
    error = refused(lambda: client.leads.bulk_qualify([three, one, two], atomic=True))
    assert error.code == "BULK_REJECTED"
    assert [field.field for field in error.fields] == ["lead_ids", "lead_ids.1", "lead_ids.2"]
    assert client.leads.get(three).status == "new"
    assert refused(lambda: client.leads.bulk_qualify([three] * 1_001)).code == "TOO_MANY_ITEMS"


def test_a_form_completes_the_open_lead_there_is(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "title": "CTO", "notes": "Old"})
    form: WebFormSubmission = {"form_id": "f", "email": "ANN@initech.test", "title": "CEO", "company": "Initech"}
    again = client.leads.capture.web_form({**form, "message": "New"})
    now = some(again.lead)
    assert (now.id, again.created, again.matched_on, again.assignment) == (lead.id, False, "email", None)
    assert (now.title, now.company, now.notes) == ("CTO", "Initech", ["Old", "New"])
    client.leads.qualify(lead.id, qualified=False, reason="Student")
    fresh = client.leads.capture.web_form({"form_id": "f", "email": "ann@initech.test"})
    assert (fresh.created, some(fresh.lead).duplicate_ids) == (True, [lead.id])
    assert some(fresh.assignment).owner_id == some(fresh.lead).owner_id


def test_a_robots_form_leaves_no_trace(stub: StubServer, client: CrmClient) -> None:
    before = (client.leads.list(limit=1).total, len(stub.audit()))
    capture = client.leads.capture.web_form({"form_id": "f", "email": "bot@spam.test", "honeypot": "x"})
    assert (capture.lead, capture.created) == (None, False)
    assert (client.leads.list(limit=1).total, len(stub.audit())) == before
    error = refused(lambda: client.leads.capture.web_form({"form_id": "f", "name": "No way to answer"}))
    assert (error.status, error.fields[0].rule) == (422, "required")


def test_an_email_is_read_once(client: CrmClient) -> None:
    mail: EmailCapture = {
        "from_email": "bo@contoso.test",
        "from_name": "Bo Ek",
        "subject": "Prices",
        "body": "Price?\n\nKind regards\nBo Ek\nHead of Purchasing, Contoso Nordic\n(415) 555-2671\n> CEO at Foo Inc",
        "message_id": "<1@contoso.test>",
    }
    first = client.leads.capture.email(mail)
    lead = some(first.lead)
    read = {change.field: change.after for change in first.extracted}
    assert read == {"phone": "+14155552671", "title": "Head of Purchasing", "company": "Contoso Nordic"}
    assert (first.created, lead.title, lead.phone) == (True, read["title"], read["phone"])
    again = client.leads.capture.email(mail)
    assert (again.created, again.matched_on, again.extracted) == (False, "message_id", first.extracted)
    assert again.lead == lead
    other = client.leads.capture.email({**mail, "message_id": "<2@contoso.test>"})
    assert (other.matched_on, some(other.lead).version) == ("email", 2)


def test_a_handle_is_the_same_person_on_the_same_network_only(client: CrmClient) -> None:
    first = client.leads.capture.social({"network": "twitter", "handle": "@AnnLee", "message": "Nice"})
    again = client.leads.capture.social({"network": "twitter", "profile_url": "https://twitter.com/annlee/"})
    other = client.leads.capture.social({"network": "github", "handle": "annlee"})
    assert (again.created, again.matched_on, other.created) == (False, "handle", True)
    assert (some(again.lead).id, some(again.lead).source) == (some(first.lead).id, "social")


def lead_of(client: CrmClient, country: str = "US") -> Lead:
    return client.leads.create({"name": "Ann Lee", "address": {"country": country}})


def test_turns_go_on_where_they_stopped(client: CrmClient) -> None:
    def given(count: int) -> list[str | None]:
        ids = [lead_of(client).id for _ in range(count)]
        who = client.leads.assign(lead_ids=ids, user_ids=["user_sam", "user_mia"], reassign=True)
        return [item.result.owner_id if item.result else None for item in who.items]

    assert given(3) == ["user_sam", "user_mia", "user_sam"]
    assert given(2) == ["user_mia", "user_sam"]
    owners = {lead_of(client).owner_id for _ in range(8)}
    assert owners == {
        "user_ada",
        "user_sam",
        "user_123",
        "user_mia",
    }  # Rita may only read


def test_load_goes_to_whoever_has_least(client: CrmClient) -> None:
    def load(owner: str) -> int:
        return sum(lead.status in ("new", "contacted", "qualified") for lead in client.leads.list(owner_id=owner))

    pair = ["user_sam", "user_mia"]
    least = min(pair, key=load)
    lead = client.leads.create({"name": "Ann Lee", "owner_id": "user_ada"})
    who = client.leads.assign(lead_ids=[lead.id], strategy="load_balanced", user_ids=pair, reassign=True)
    assert some(who.items[0].result).owner_id == least
    for doc in client.leads.list(owner_id=max(pair, key=load)):
        client.leads.update(doc.id, {"owner_id": "user_ada"})
    who = client.leads.assign(lead_ids=[lead.id], strategy="load_balanced", user_ids=pair, reassign=True)
    assert [some(who.items[0].result).owner_id] == [owner for owner in pair if owner != least]


def test_territories_and_idle_people_decide_who_is_eligible(client: CrmClient) -> None:
    ours, abroad = lead_of(client, "CA"), lead_of(client, "JP")
    assert (ours.territory_id, abroad.territory_id) == ("territory_americas", None)
    who = client.leads.assign(lead_ids=[ours.id, abroad.id], strategy="territory", reassign=True)
    assert [item.error.code if item.error else item.status for item in who.items] == ["ok", "NO_ELIGIBLE_OWNER"]
    kept = client.leads.assign(lead_ids=[ours.id], user_ids=["user_rita"])
    assert some(kept.items[0].result).owner_id == client.leads.get(ours.id).owner_id
    idle = client.leads.assign(lead_ids=[ours.id], user_ids=["user_rita"], reassign=True)
    assert some(idle.items[0].error).code == "NO_ELIGIBLE_OWNER"


def test_enrichment_fills_what_is_empty_and_scores_again(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de", "phone": "+493090182000"})
    named = client.leads.create({"name": "Bo Ek", "email": "bo.ek@initech.de", "company": "Kept"})
    job = client.leads.enrich([lead.id, named.id, "lead_none"], fields=["first_name", "company", "address.country"])
    stub.clock.advance(5)
    full = client.leads.get(lead.id)
    assert (full.first_name, full.last_name, full.company) == ("Ann", None, "Initech")
    assert some(full.address).country == "DE"
    assert (full.score or 0) > (lead.score or 0)
    assert client.leads.get(named.id).company == "Kept"
    state = some(stub.store.collection("tenant_acme", "job").get(job.id))
    assert [record["status"] for record in state["result"]["records"]] == ["enriched", "enriched", "failed"]
    assert (state["counts"]["updated"], state["errors"][0]["code"]) == (2, "NOT_FOUND")
    assert refused(lambda: client.leads.enrich([lead.id], fields=["shoe_size"])).code == "UNKNOWN_FIELD"
