"""Scores of leads: what they are made of, setting one by hand, and those a lead has had."""

from __future__ import annotations

import pytest
from refusals import refused
from stub_data import some, trail

from crm_sdk import CrmClient
from crm_sdk.models.lead_captures import EmailCapture
from server_stub import StubServer


def test_the_reasons_of_a_score_add_up_and_rate_it(client: CrmClient) -> None:
    poor = client.leads.create({"name": "Ann Lee", "email": "ann@gmail.com"})
    rich = client.leads.create({"name": "Bo Ek", "email": "bo@initech.test", "title": "CEO", "company": "Initech"})
    best = client.leads.qualify(rich.id, budget=9_000, authority=True, need="Reports")
    for lead in (poor, rich, best):
        assert sum(reason.points for reason in lead.score_reasons) == lead.score
    assert [lead.rating for lead in (poor, rich, best)] == ["cold", "cold", "hot"]
    refusing = client.leads.update(rich.id, {"do_not_contact": True})
    assert (refusing.score or 0) == (best.score or 0) - 30


@pytest.mark.thorough
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
    assert [reason.label for reason in client.leads.get(lead.id).score_reasons] == ["Met in person"]
    computed = client.leads.score(lead.id)
    assert (computed.source, computed.previous_score) == ("rules", 90)
    assert computed.score == client.leads.get(lead.id).score != 90
    client.leads.score(lead.id)
    assert [entry.source for entry in client.leads.scoring_history(lead.id)] == ["rules", "manual", "rules"]


def test_a_call_leaves_one_entry_and_only_changes_do(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test"})
    client.leads.update(lead.id, {"notes": ["Called"]})
    client.leads.update(lead.id, {"company": "Initech"})
    before, version = len(stub.audit()), client.leads.get(lead.id).version
    client.leads.score(lead.id)
    assert (trail(stub, before), client.leads.get(lead.id).version) == ([], version)
    for _ in range(2):
        client.leads.score(lead.id, score=90, reason="Met in person")
    assert trail(stub, before) == ["lead.scored"]
    client.leads.score(lead.id, reason="Asked for it")
    history = client.leads.scoring_history(lead.id, order="asc")
    assert [(entry.score, entry.previous_score, entry.reason) for entry in history] == [
        (12, None, None),
        (20, 12, None),
        (90, 20, "Met in person"),
        (20, 90, "Asked for it"),
    ]


def test_the_history_is_sorted_by_what_its_entries_have(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    for score in (50, 10, 50):
        client.leads.score(lead.id, score=score, reason=f"It is {score}")
    entries = list(client.leads.scoring_history(lead.id))
    ids = [entry.id for entry in entries]
    assert [entry.score for entry in entries] == [50, 10, 50, 0]
    for sort in ("scored_at", "created_at", "updated_at"):
        assert [entry.id for entry in client.leads.scoring_history(lead.id, sort=sort)] == ids[::-1], sort
    assert [entry.id for entry in client.leads.scoring_history(lead.id, sort="id")] == sorted(ids)
    falling = client.leads.scoring_history(lead.id, sort="score", order="desc")
    assert [entry.score for entry in falling] == [50, 50, 10, 0]
    first, second, *_ = falling
    assert first.id > second.id, "equals by id, in the direction of the sort"
    assert [entry.score for entry in client.leads.scoring_history(lead.id, source="rules")] == [0]
    assert refused(lambda: client.leads.scoring_history(lead.id, sort="label")).status == 422


def test_an_activity_that_moves_the_score_is_in_its_history(client: CrmClient, stub: StubServer) -> None:
    lead = client.leads.create({"name": "Ann Lee"})
    platform = stub.client(dialects="platform")
    call = platform.activities.calls.create({"title": "Hi", "lead_id": lead.id, "start_time": stub.clock.now()})
    higher = client.leads.get(lead.id).score
    assert (higher or 0) > (lead.score or 0)
    platform.activities.update(call.id, {"tags": ["seen"]})
    entries = [(entry.score, entry.previous_score) for entry in client.leads.scoring_history(lead.id, order="asc")]
    assert entries == [(lead.score, None), (higher, lead.score)], "what moves nothing is no entry"
