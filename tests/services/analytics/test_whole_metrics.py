"""Metrics as whole answers: every figure, breakdown, row and series of one small company's weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.data.document import Document

from .conftest import Make, Wait, part

TODAY = date(2026, 1, 15)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def asked(client: CrmClient, path: str) -> dict[str, Any]:
    """Return the answer as it is on the wire."""
    reply = client.request("GET", f"/v1/analytics/metrics/{path}")
    assert reply.status == 200, reply.content
    found: dict[str, Any] = reply.json()["data"]
    return found


def figures(found: dict[str, Any]) -> dict[str, tuple[Any, Any, str]]:
    return {
        name: (value["value"], value["previous"], value["unit"])
        for name, value in found.items()
        if isinstance(value, dict) and "changeType" in value
    }


def test_how_long_a_lead_waited_is_known_by_itself_and_by_what_went_out(platform: CrmClient, stub: StubServer) -> None:
    made = [platform.leads.create({"name": name, "source": "waits"}) for name in "abcdefg"]
    at, ids = {lead.id: some(lead.created_at) - DAY / 8 for lead in made}, [lead.id for lead in made]
    marked, written, called, early, at_once, silent, both = ids
    messages = stub.store.collection("tenant_acme", "message")

    def write(lead: str, minutes: int, sender: str = "user") -> None:
        given = {"lead_id": lead, "sender_type": sender, "timestamp": at[lead] + minutes * MINUTE}
        messages.put(Document(messages.all()[0] | given | {"id": f"msg_{lead}_{minutes}_{sender}"}))

    def call(lead: str, minutes: int) -> None:
        platform.activities.calls.create({"title": "C", "lead_id": lead, "start_time": at[lead] + minutes * MINUTE})

    call(called, 40)
    call(called, 30)
    call(both, 90)
    call(early, -5)
    firsts = {marked: 10, early: -10, at_once: 0, both: 60}
    for id in ids:
        first = at[id] + firsts[id] * MINUTE if id in firsts else None
        stored(stub, "lead", id, first_response_at=first, created_at=at[id])
    write(written, 25)
    write(written, 20)
    write(written, 5, "contact")
    write(both, 80)
    for sender in ("contact", "bot", "system"):
        write(silent, 1, sender)
    found = platform.analytics.metrics.leads(source="waits", start_date=TODAY, end_date=TODAY)
    assert part(found, "avg_response_minutes", "new_leads") == ((10 + 20 + 30 + 0 + 60) / 5, 7)


def test_all_that_the_metrics_of_leads_say(platform: CrmClient, stub: StubServer) -> None:
    def lead(**members: Any) -> str:
        given: Any = {"name": "L", "source": "whole", **members}
        return platform.leads.create(given).id

    ids = [lead(owner_id="user_ada"), lead(owner_id="user_sam", status="qualified")]
    ids += [lead(owner_id="user_ada"), lead(owner_id="user_ada", status="qualified"), lead(owner_id="user_ada")]
    platform.leads.update(ids[4], {"owner_id": None})
    scores, ratings = (80, 20, 30, 45, 60), ("hot", "cold", "warm", None, "hot")
    for id, score, rating in zip(ids, scores, ratings, strict=True):
        created = stub.clock.now() + (25 * DAY if id in ids[2:] else -2 * DAY)
        stored(stub, "lead", id, score=score, rating=rating, created_at=created)
    stored(stub, "lead", ids[3], status="converted")
    query = "leads?source=whole&startDate=2026-02-01&endDate=2026-02-28&period=month"
    found = asked(platform, f"{query}&compareTo=previous_period")
    assert figures(found) == {
        "totalLeads": (5, 2, "count"), "newLeads": (3, 2, "count"), "qualifiedLeads": (1, 1, "count"),
        "convertedLeads": (1, 0, "count"), "conversionRate": (0.3333, 0, "rate"),
        "qualificationRate": (0.3333, 0.5, "rate"), "avgScore": (45, 50, "count"),
        "avgResponseMinutes": (0, 0, "minutes"), "unassignedLeads": (1, 0, "count"),
    }  # fmt: skip
    assert found["sourceBreakdown"] == {"whole": 3} and found["ratingBreakdown"] == {"hot": 1, "warm": 1}
    assert found["statusBreakdown"] == {"converted": 1, "new": 2}
    assert (found["startDate"], found["endDate"]) == ("2026-02-01", "2026-02-28")
    points = {line["name"]: [point["value"] for point in line["points"] if point["value"]] for line in found["series"]}
    assert points == {"new_leads": [3], "qualified_leads": [1], "converted_leads": [1]}
    assert figures(asked(platform, f"{query}&ownerId=user_ada"))["newLeads"][0] == 2
    assert figures(asked(platform, f"{query}&compareTo=none"))["newLeads"] == (3, None, "count")


def test_all_that_the_metrics_of_sales_say(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, deal: Make, wait: Wait
) -> None:
    idle(stub)
    talked = deal(value=1_000, owner_id="user_sam")
    soon: Any = {"title": "C", "start_time": stub.clock.now() + 2 * DAY, "description": "Budget approved."}
    platform.activities.calls.create(soon | {"deal_id": talked.id})
    first = deal(value=250, owner_id="user_mia")
    platform.deals.move_stage(first.id, "won")
    gone = deal(value=50)
    platform.deals.move_stage(gone.id, "lost", lost_reason="price")
    wait(2)
    now = int(platform.deals.get(talked.id).probability or 0)
    assert now > 40, "what was planned has happened, and nobody has written the deal since"
    later = deal(value=600, owner_id="user_sam")
    wait(1)
    platform.deals.move_stage(later.id, "won")
    query = f"sales?pipelineId={pipe.id}&period=day&compareTo=previous_period"
    found = asked(platform, f"{query}&startDate=2026-01-17&endDate=2026-01-18")
    assert figures(found) == {
        "revenue": (600, 250, "currency"), "wonDeals": (1, 1, "count"), "lostDeals": (0, 1, "count"),
        "newDeals": (1, 3, "count"), "openDeals": (1, 1, "count"), "pipelineValue": (1_000, 1_000, "currency"),
        "weightedPipeline": (10 * now, 400, "currency"), "avgDealSize": (600, 250, "currency"),
        "winRate": (1, 0.5, "rate"), "avgCycleDays": (1, 0, "days"),
        "quotaAttainment": (found["quotaAttainment"]["value"], found["quotaAttainment"]["previous"], "rate"),
    }  # fmt: skip
    assert found["series"] == [
        {"name": name, "points": [
            {"period": "2026-01-17", "start": "2026-01-17", "value": 0},
            {"period": "2026-01-18", "start": "2026-01-18", "value": value},
        ]}
        for name, value in (("revenue", 600), ("won_deals", 1))
    ]  # fmt: skip
    names = ("currency", "startDate", "endDate", "comparedStartDate", "comparedEndDate")
    assert [found[name] for name in names] == ["USD", "2026-01-17", "2026-01-18", "2026-01-15", "2026-01-16"]
    alone = asked(platform, f"sales?pipelineId={pipe.id}&compareTo=none&startDate=2026-01-17&endDate=2026-01-18")
    assert (alone["comparedStartDate"], alone["comparedEndDate"]) == (None, None)
    assert {previous for _, previous, _ in figures(alone).values()} == {None}


def test_all_that_is_said_of_owners_and_their_teams(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, deal: Make
) -> None:
    teams, users = (stub.store.collection("tenant_acme", kind) for kind in ("team", "user"))
    one = some(teams.get("team_acme_sales"))
    for id, name in (("team_b", "Beta"), ("team_a", "Beta"), ("team_c", "Alpha")):
        teams.put(one | {"id": id, "name": name})
    users.put(some(users.get("user_sam")) | {"team_ids": ["team_b", "team_c"]})
    users.put(some(users.get("user_mia")) | {"team_ids": ["team_a", "team_c"]})
    for owner, value, end in (
        ("user_sam", 400, "won"), ("user_sam", 30, None), ("user_mia", 400, "won"), ("user_mia", 7, "lost"),
    ):  # fmt: skip
        made = deal(value=value, owner_id=owner)
        if end is not None:
            platform.deals.move_stage(made.id, end, lost_reason="price" if end == "lost" else None)
    query = f"performance?pipelineId={pipe.id}&startDate=2026-01-01&endDate=2026-01-31"
    found = asked(platform, query)
    shown = [
        {name: row[name] for name in row if name not in ("members", "attainment")}
        for row in found["teams"] if row["teamId"] != one["id"]
    ]  # fmt: skip
    assert shown == [
        {"teamId": id, "teamName": name, "wonValue": worth, "openValue": left, "won": won, "lost": lost,
         "winRate": rate}
        for id, name, worth, left, won, lost, rate in (
            ("team_c", "Alpha", 800, 30, 2, 1, 0.6667), ("team_a", "Beta", 400, 0, 1, 1, 0.5),
            ("team_b", "Beta", 400, 30, 1, 0, 1.0),
        )
    ]  # fmt: skip
    by_team = {row["teamId"]: (row["members"], row["attainment"]) for row in found["teams"]}
    assert by_team["team_b"] == (1, 0.008) and by_team["team_a"] == (1, None) and by_team["team_c"] == (2, 0.016)
    ranked = [(row["rank"], row["ownerId"]) for row in asked(platform, f"{query}&sort=winRate")["owners"]]
    assert ranked[:2] == [(1, "user_sam"), (2, "user_mia")]
    assert asked(platform, f"{query}&sort=dealsLost")["owners"][0]["ownerId"] == "user_mia"
    assert (found["currency"], found["startDate"], found["endDate"]) == ("USD", "2026-01-01", "2026-01-31")
    assert found["totals"] == platform.request("GET", f"/v1/deals/analytics/{query}").json()["data"]["totals"]
    empty = asked(platform, f"{query}&teamId=team_none")
    assert empty["teams"] == [] and empty["totals"]["dealsWon"] == 0


def test_what_activities_are_counted_as(platform: CrmClient, stub: StubServer) -> None:
    noon = datetime(2001, 5, 4, 12, tzinfo=UTC)
    add: Any = platform.activities
    base: Any = {"start_time": noon, "title": "t"}
    for state in ("queued", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "cancelled"):
        add.calls.create({**base, "status": state, "outcome": "connected"})
    for state in ("scheduled", "completed", "no-show", "cancelled"):
        for type in ("meeting", "demo"):
            add.events.create({**base, "end_time": noon + MINUTE, "status": state, "type": type})
    for state in ("not_started", "completed", "cancelled"):
        add.tasks.create({"title": "t", "start_time": noon, "due_at": noon + MINUTE, "status": state})
    mail: Any = {"to": [{"email": "a@example.com"}], "body_text": "Hi", "sent_at": noon, "subject": "S"}
    for state in ("queued", "sent", "delivered", "bounced", "failed", "received"):
        stored(stub, "activity", add.emails.create(mail).id, status=state, tracking={"opens": 1, "clicks": 1})
    stored(stub, "activity", add.emails.create(mail | {"direction": "inbound"}).id, tracking={"opens": 1})
    query = "activities?startDate=2001-05-04&endDate=2001-05-04&period=day&compareTo=none"
    found = asked(platform, query)
    expected = {
        "total": 26, "completed": 4, "overdueTasks": 1, "meetingsHeld": 1, "noShows": 2, "callsMade": 6,
        "callsConnected": 6, "emailsSent": 3, "emailsReceived": 1,
    }  # fmt: skip
    shown = figures(found)
    assert {name: value for name, (value, _, unit) in shown.items() if unit == "count"} == expected
    assert [shown[f"email{name}Rate"] for name in ("Open", "Click", "Reply")] == [(1, None, "rate")] * 2 + [
        (0, None, "rate")
    ]
    assert found["byOwner"][0] == {
        "ownerId": "user_ada", "ownerName": "Ada Lindqvist", "total": 26, "calls": 8, "emails": 7, "meetings": 3,
        "tasksCompleted": 1,
    }  # fmt: skip
    assert Decimal(found["series"][0]["points"][0]["value"]) == 26
