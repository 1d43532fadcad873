"""What each part of a lead counts for its score, at the bounds of each step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models.leads import Lead
from server_stub import StubServer
from server_stub.services.ai_insights.scheme import scheme_of
from server_stub.services.leads.points import score_members

DAY = timedelta(days=1)
DECIDES, SHARES, SAYS = ("Decides", 15), ("Decides with others", 10), ("Has a say", 6)
RICH: Any = {
    "name": "Ann Lee", "email": "ann@initech.test", "phone": "+14155552671", "title": "CEO", "company": "Initech",
    "source": "referral", "value": 50_000, "employees": 1_000,
}  # fmt: skip


def points(lead: Lead) -> dict[str, int]:
    return {reason.feature: reason.points for reason in lead.score_reasons}


def test_each_member_counts_by_its_steps(client: CrmClient) -> None:
    rich: Any = client.leads.create(RICH)
    assert [(one.feature, one.label, one.points) for one in rich.score_reasons] == [
        ("email", "Address at a company", 12),
        ("phone", "Can be called", 8),
        ("title", *DECIDES),
        ("company", "Works for a company", 8),
        ("source", "Where the lead came from", 15),
        ("value", "What the lead may be worth", 20),
        ("employees", "Size of the company", 10),
    ]
    assert [str(one.value) for one in rich.score_reasons] == [
        "ann@initech.test", "+14155552671", "CEO", "Initech", "referral", "50000", "1000",
    ]  # fmt: skip
    assert (rich.score, client.leads.create({"name": "Bo"}).score_reasons) == (88, [])
    cases: list[tuple[dict[str, Any], dict[str, int]]] = [
        ({"email": "a@gmail.com", "value": 49_999.99, "employees": 999}, {"email": 4, "value": 12, "employees": 6}),
        ({"value": 10_000, "employees": 100, "title": "Head of Sales"}, {"title": 10, "value": 12, "employees": 6}),
        ({"value": 9_999.99, "employees": 99, "title": "Sales Manager"}, {"title": 6, "value": 6, "employees": 3}),
        ({"value": 1_000, "employees": 10, "title": "Clerk"}, {"value": 6, "employees": 3}),
        ({"value": 999.99, "employees": 9, "source": "event"}, {"source": 8}),
        ({"value": 0, "employees": 0, "title": "Head, Founder", "status": "contacted"}, {"title": 15, "status": 5}),
        ({"phone": "1", "company": "C", "email_opt_out": True}, {"phone": 8, "company": 8, "email_opt_out": -10}),
        (
            {**RICH, "do_not_contact": True, "status": "qualified"},
            {**points(rich), "do_not_contact": -30, "status": 20},
        ),
        ({"do_not_contact": True, "phone": "1"}, {"phone": 8, "do_not_contact": -30, "bounds": 22}),
        ({**RICH, "status": "qualified"}, {**points(rich), "status": 20, "bounds": -8}),
    ]
    for members, found in cases:
        given: Any = {"name": "Bo", **members}
        lead = client.leads.create(given)
        assert points(lead) == found, members
        assert lead.score == sum(found.values())
    bound = some(client.leads.create({"name": "Bo", "email_opt_out": True}).score_reasons)[-1]
    assert (bound.label, bound.value) == ("A score is between 0 and 100", -10)


def test_what_is_known_of_a_qualified_lead_counts(stub: StubServer, client: CrmClient) -> None:
    today = stub.clock.now().date()
    cases: list[tuple[dict[str, Any], dict[str, int]]] = [
        ({"budget": 1, "authority": True, "need": "n"}, {"budget": 5, "authority": 5, "need": 5}),
        ({"budget": 0, "authority": False, "need": ""}, {"authority": -5}),
        ({"timeline": today}, {"timeline": 5}),
        ({"timeline": today + 90 * DAY}, {"timeline": 5}),
        ({"timeline": today - DAY}, {}),
        ({"timeline": today + 91 * DAY}, {}),
    ]
    for judged, found in cases:
        lead = client.leads.qualify(client.leads.create({"name": "Bo"}).id, **judged)
        assert points(lead) == {"status": 20, **found}, judged


def test_what_happened_counts_by_its_age_and_up_to_a_bound(stub: StubServer) -> None:
    now = stub.clock.now()
    scheme = scheme_of(lambda kind: stub.store.collection("tenant_acme", kind), now)
    decay, none, ms = scheme.config["decay_days"] * DAY, 0 * DAY, timedelta(milliseconds=1)

    def scored(*happened: tuple[str, str | None, timedelta], last: timedelta | None = None) -> dict[str, Any]:
        activities = [{"kind": kind, "direction": way, "occurred_at": now - age} for kind, way, age in happened]
        lead = {"last_activity_at": None if last is None else now - last}
        made = score_members(lead, [*activities, {"kind": "note", "occurred_at": None}], now, scheme)
        assert made["score"] == sum(one["points"] for one in made["score_reasons"])
        return {
            one["feature"]: (one["points"], one["value"] if one["feature"] == "activities" else None)
            for one in made["score_reasons"]
        }

    assert scored(("call", "inbound", none)) == scored(("email", "inbound", none)) == {"activities": (8, 1)}
    assert scored(("call", "inbound", -ms)) == {}, "it has not happened yet"
    assert scored(("call", "inbound", decay), ("note", None, none)) == {"activities": (6, 2)}
    assert scored(("task", None, none)) == {}
    assert scored(*[("call", "inbound", none)] * 3, ("note", None, none)) == {"activities": (25, 4)}
    assert scored(last=none) == scored(last=-DAY) == {"last_activity_at": (10, None)}
    assert scored(last=decay) == {"last_activity_at": (5, None)}


def test_the_first_entry_of_a_history_knows_the_score_before_it(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Bo", "email": "bo@gmail.com"}).id
    history = stub.store.collection("tenant_acme", "lead_score")
    for known in history.find("lead_id", lead):
        history.remove(known["id"])
    client.leads.update(lead, {"phone": "1"})
    (entry,) = client.leads.scoring_history(lead)
    assert (entry.score, entry.previous_score, entry.source, entry.model_version) == (12, 4, "rules", None)
    assert (entry.rating, entry.reason, entry.scored_by) == ("cold", None, "apikey_acme_admin")
    assert [reason.feature for reason in entry.reasons] == ["email", "phone"]
    shown = client.leads.score(lead)
    assert (shown.id, shown.score) == (entry.id, 12)
