"""A change of an object inside a record names only what changes: the rest of it stays, at every depth."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

SCHEDULE = {"frequency": "weekly", "weekday": 2, "at": "07:00"}
PRICING = {"model": "subscription", "amount": 5, "currency": "EUR", "interval": "month"}
LISTING = {
    "name": "Whole", "tagline": "t", "description": "d", "category": "productivity", "supportEmail": "a@b.example",
    "privacyUrl": "https://b.example/privacy", "permissions": ["contacts:read"],
}  # fmt: skip
REPORT = {"name": "Sums", "entityType": "deal", "measures": [{"function": "count"}], "groups": [{"field": "status"}]}
RULE = {"name": "Rule", "actions": [{"type": "add_tag", "tag": "hot"}]}
PLACES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], dict[str, Any]]] = {
    "app": ("/marketplace/apps", LISTING, "pricing", PRICING, {"amount": 7}),
    "report": ("/reports", REPORT, "chart", {"type": "bar", "title": "One"}, {"stacked": True}),
    "widget": (
        "/dashboards/{board}/widgets",
        {"title": "Won", "type": "kpi", "source": {"metric": "sales.revenue"}},
        "chart",
        {"type": "bar", "title": "One"},
        {"title": "Two"},
    ),
    "export": (
        "/exports/schedules",
        {"name": "Each week", "request": {"entityTypes": ["lead"], "format": "csv"}},
        "schedule",
        SCHEDULE,
        {"at": "09:30"},
    ),
    "trigger": ("/workflows/{flow}/triggers", {"type": "schedule"}, "schedule", SCHEDULE, {"weekday": 4}),
    "rule": (
        "/pipelines/pipeline_acme/automation",
        RULE,
        "trigger",
        {"event": "field_changed", "field": "value"},
        {"field": "title"},
    ),
}
"""Records with such an object: the path that makes one, its members, the object's name, the object, and a change."""
CAN_BE_CLEARED = ["report", "widget"]


@pytest.fixture
def made(raw: httpx.Client, place: str) -> str:
    """Return the path of a new record."""
    path, members, name, whole, _ = PLACES[place]
    ids: dict[str, Any] = {}
    if "{board}" in path:
        ids["board"] = raw.post("/dashboards", json={"name": "One"}).json()["data"]["id"]
    if "{flow}" in path:
        ids["flow"] = raw.post("/workflows", json={"name": "One", "entityType": "lead"}).json()["data"]["id"]
    answer = raw.post(path.format(**ids), json={**members, name: whole})
    assert answer.status_code == 201, answer.text
    return f"{path.format(**ids)}/{answer.json()['data']['id']}"


@pytest.mark.parametrize("place", PLACES)
def test_what_a_change_does_not_name_stays(raw: httpx.Client, place: str, made: str) -> None:
    _, _, name, whole, change = PLACES[place]
    answer = raw.put(made, json={name: change})
    assert answer.status_code == 200, answer.text
    now = answer.json()["data"][name]
    assert {key: now[key] for key in {**whole, **change}} == {**whole, **change}


@pytest.mark.parametrize("place", CAN_BE_CLEARED)
def test_where_nothing_is_to_stay_what_is_needed_is_asked_for(raw: httpx.Client, place: str, made: str) -> None:
    _, _, name, whole, change = PLACES[place]
    assert raw.put(made, json={name: None}).json()["data"][name] is None
    answer = raw.put(made, json={name: change})
    assert answer.status_code == 422, answer.text
    assert [(entry["field"], entry["rule"]) for entry in answer.json()["errors"]] == [(f"{name}.type", "required")]
    assert raw.put(made, json={name: whole}).status_code == 200


def test_a_trigger_that_becomes_one_of_a_schedule_needs_a_whole_one(raw: httpx.Client) -> None:
    flow = raw.post("/workflows", json={"name": "One", "entityType": "lead"}).json()["data"]["id"]
    made = raw.post(f"/workflows/{flow}/triggers", json={"type": "record_created"}).json()["data"]["id"]
    path = f"/workflows/{flow}/triggers/{made}"
    answer = raw.put(path, json={"type": "schedule", "schedule": {"at": "07:00"}})
    assert answer.status_code == 422
    assert "schedule.frequency" in [entry["field"] for entry in answer.json()["errors"]]
    assert raw.put(path, json={"type": "schedule", "schedule": SCHEDULE}).status_code == 200
