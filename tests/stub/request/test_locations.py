"""Where a call says that its new record is: at an address that answers with it, whatever call made it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

START = {"startTime": "2026-03-02T10:00:00Z", "endTime": "2026-03-02T11:00:00Z"}
MADE: dict[str, dict[str, Any]] = {
    "/deals": {"title": "Big"},
    "/deals/{deal}/clone": {},
    "/dashboards/{dashboard}/clone": {},
    "/analytics/dashboards": {"name": "Board"},
    "/reports/{report}/clone": {},
    "/reports/{report}/run": {},
    "/files/{file}/copy": {},
    "/files/{file}/process": {"operation": "extract_text"},
    "/activities/tasks": {"title": "Call back"},
    "/activities/schedule": {"title": "Talk", "userIds": ["user_sam"], "durationMinutes": 30},
    "/communication/meetings": {"title": "Meet", **START},
}
"""Calls that make a record which a GET of its own address shows."""


def _filled(raw: httpx.Client, path: str) -> str:
    """Return a path with the ids of new records."""
    ids: dict[str, Any] = {}
    if "{deal}" in path:
        ids["deal"] = raw.post("/deals", json={"title": "One"}).json()["data"]["id"]
    if "{dashboard}" in path:
        ids["dashboard"] = raw.post("/dashboards", json={"name": "One"}).json()["data"]["id"]
    if "{report}" in path:
        body = {"name": "One", "entityType": "lead", "columns": [{"field": "name"}]}
        ids["report"] = raw.post("/reports", json=body).json()["data"]["id"]
    if "{file}" in path:
        ids["file"] = raw.post("/files/upload", files={"file": ("a.txt", b"text")}).json()["data"]["id"]
    return path.format(**ids)


@pytest.mark.parametrize("path", MADE)
def test_a_new_record_is_where_its_location_says(raw: httpx.Client, path: str) -> None:
    made = raw.post(_filled(raw, path), json=MADE[path])
    assert made.status_code == 201, made.text
    place = made.headers["Location"]
    assert place.startswith("/platform/v1/")
    found = raw.get(place.removeprefix("/platform/v1"))
    assert found.status_code == 200 and found.json()["data"]["id"] == made.json()["data"]["id"]


def test_an_uploaded_file_is_where_its_location_says(raw: httpx.Client) -> None:
    made = raw.post("/files/upload", files={"file": ("a.txt", b"text")})
    assert made.headers["Location"] == f"/platform/v1/files/{made.json()['data']['id']}"


def test_what_has_no_call_of_its_own_to_read_it_is_where_it_can_be_changed(raw: httpx.Client) -> None:
    file, report = (_filled(raw, f"/{kind}s/{{{kind}}}") for kind in ("file", "report"))
    share = raw.post(f"{file}/share", json={"link": True})
    assert share.headers["Location"] == f"/platform/v1/collaboration/share/{share.json()['data']['id']}"
    daily = {"schedule": {"frequency": "daily", "at": "07:00"}, "recipients": ["board@example.com"]}
    for path, body in (
        (f"{report}/schedule", daily),
        ("/analytics/reports/schedule", {**daily, "reportId": report.rpartition("/")[2]}),
    ):
        made = raw.post(path, json=body)
        assert made.headers["Location"] == f"/platform/v1{report}/schedules/{made.json()['data']['id']}"
        assert raw.delete(made.headers["Location"].removeprefix("/platform/v1")).status_code == 200


def test_an_account_that_was_connected_is_where_its_location_says(raw: httpx.Client) -> None:
    made = raw.post("/social/accounts/connect", json={"network": "youtube", "accessToken": "located:1"})
    gone = raw.delete(f"http://stub.test{made.headers['Location']}").json()["data"]
    assert (gone["id"], gone["status"]) == (made.json()["data"]["id"], "disconnected")
