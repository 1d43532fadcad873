"""What a question is turned into, whole: the list it asks for, its filters, what was understood, and where to look."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0)


def days(period: str, start: str, end: str) -> dict[str, Any]:
    """Return what is understood of days of January 2026 in New York."""
    return {"period": period, "start": f"2026-{start}T05:00:00Z", "end": f"2026-{end}T04:59:59.999Z"}


def test_a_question_is_answered_whole(client: CrmClient) -> None:
    this_week, next_week = days("this week", "01-12", "01-19"), days("next week", "01-19", "01-26")
    last_week, today = days("last week", "01-05", "01-12"), days("today", "01-15", "01-16")
    month = days("this month", "01-01", "02-01")
    came = {"created_after": this_week["start"], "created_before": this_week["end"]}
    within = {"start": this_week["start"], "end": this_week["end"]}
    cases: list[Any] = [
        ("leads", "list_leads", {}, {}),
        ("new leads", "list_leads", {"status": "new"}, {}),
        ("neue Interessenten", "list_leads", {"status": "new"}, {}),
        ("contacted leads", "list_leads", {"status": "contacted"}, {}),
        ("leads this week", "list_leads", came, this_week),
        ("new leads this week", "list_leads", came, this_week),
        ("how many qualified leads", "list_leads", {"status": "qualified"}, {"measure": "count"}),
        ("number of deals", "list_deals", {}, {"measure": "count"}),
        ("hot deals over 5k in negotiation", "list_deals",
         {"min_value": 5000, "filter": "hot", "search": "negotiation"},
         {"min_value": 5000, "stage": "negotiation"}),
        ("deals closing this month", "list_deals", {"filter": "closing-soon"}, month),
        ("deals closing last week", "list_deals", {}, last_week),
        ("deals closing today", "list_deals", {"filter": "closing-soon"}, today),
        ("deals closing on 14 february", "list_deals", {"filter": "closing-soon"},
         days("14 february", "02-14", "02-15")),
        ("deals closing on 15 february", "list_deals", {}, days("15 february", "02-15", "02-16")),
        ("risky deals last week", "list_deals", {"filter": "at-risk"}, last_week),
        ("leads over 5k", "list_leads", {}, {"min_value": 5000}),
        ("contacts without news for 3 weeks", "list_contacts", {"filter": "at-risk"}, {"inactive_days": 21}),
        ("top contacts without news for 3 weeks", "list_contacts", {"filter": "at-risk"}, {"inactive_days": 21}),
        ("messages without answer for 3 weeks", "list_messages", {}, {"inactive_days": 21}),
        ("recent contacts", "list_contacts", {"filter": "recent"}, {}),
        ("calls", "list_events", {}, {}),
        ("meetings", "list_events", {"filter": "meetings"}, {}),
        ("calls this week", "list_events", {"filter": "this-week"}, this_week),
        ("meetings this week", "list_events", {**within, "filter": "meetings"}, this_week),
        ("calls next week", "list_events", {"start": next_week["start"], "end": next_week["end"]}, next_week),
        ("follow-ups this week", "list_events", {**within, "filter": "follow-ups"}, this_week),
        ("deals to follow up, and follow-ups", "list_deals", {}, {}),
        ("calendar of leads", "list_events", {}, {}),
        ("leads on the calendar", "list_leads", {}, {}),
        (" nonsense ", "search", {"q": "nonsense"}, {}),
        ("people", "list_contacts", {}, {}),
    ]  # fmt: skip
    routes = {
        "list_leads": "/leads", "list_deals": "/deals", "list_contacts": "/contacts", "list_messages": "/messages",
        "list_events": "/calendar", "search": "/search",
    }  # fmt: skip
    for question, intent, filters, entities in cases:
        found = client.ai.query(question)
        assert (found.intent, found.filters, found.entities) == (intent, filters, entities), question
        route, _, query = found.suggested_route.partition("?")
        assert (route, bool(query)) == (routes[intent], bool(filters)), question


def test_names_are_taken_out_of_a_question_and_told_by_what_they_are(client: CrmClient) -> None:
    platform: Any = client.with_options(dialects="platform")
    platform.accounts.create({"name": "Hot Iron Works"})
    platform.contacts.create({"name": "Ann Lee", "company": "Lee Trading", "address": {"city": "Lower Ulm"}})
    platform.leads.create({"name": "Bo", "company": "Bo Boats", "address": {"city": "Ghent"}})
    cases: list[Any] = [
        ("deals with Hot Iron Works", {"search": "Hot Iron Works"}, {"company": "Hot Iron Works"}),
        ("deals of ann lee at Lee Trading in lower ulm", {"search": "Ann Lee Lee Trading Lower Ulm"},
         {"contact": "Ann Lee", "company": "Lee Trading", "city": "Lower Ulm"}),
        ("deals of bo boats in GHENT", {"search": "Bo Boats Ghent"}, {"company": "Bo Boats", "city": "Ghent"}),
        ("deals with Trading", {"search": "Trading"}, {"company": "Trading"}),
        ("deals with nobody", {}, {}),
        ("deals with Nobody Known.", {"search": "Nobody Known"}, {"name": "Nobody Known"}),
        ('deals about "the red one"', {"search": "the red one"}, {"name": "the red one"}),
        ("deals from Monday", {}, {}), ("deals from Q3", {}, {}), ("deals from 2026", {}, {}),
    ]  # fmt: skip
    for question, filters, entities in cases:
        found = client.ai.query(question)
        told = {name: value for name, value in found.entities.items() if name not in ("period", "start", "end")}
        assert (found.intent, found.filters, told) == ("list_deals", filters, entities), question
