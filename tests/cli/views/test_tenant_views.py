"""``crm tenants overview``: plan, limits and calls of a company, drawn for people and whole for programs."""

from __future__ import annotations

import json

from shell import Crm

from server_stub.request.access.plans import LIMITS

pytest_plugins = ["cli_fixtures"]


def test_a_company_is_drawn_with_its_limits(offline: Crm) -> None:
    drawn = offline("tenants", "overview", "-o", "table")
    lines = drawn.out.splitlines()
    assert drawn.status == 0 and lines[0].split() == ["Acme", "acme", "active"]
    assert lines[1].startswith("Enterprise  10 seats  7,900 USD annual")
    assert any(line.split()[:2] == ["Users", "6"] and "no limit" in line for line in lines)
    assert any("2 of 100" in line for line in lines if line.startswith("Custom objects"))
    whole = json.loads(offline("tenants", "overview", "-o", "json").out)
    assert (whole["tenant"]["slug"], len(whole["limits"]), whole["billing"]["seats"]) == ("acme", len(LIMITS), 10)


def test_services_are_switched_and_what_ends_is_said(offline: Crm) -> None:
    switched = json.loads(offline("tenants", "features", "update", "current", "--no-custom-objects", "-o", "json").out)
    assert [one["key"] for one in switched["features"] if not one["enabled"]] == ["custom_objects"]
    limits = offline("tenants", "limits", "update", "current", "--api-requests-per-hour", "500", "-o", "json")
    assert limits.status == 0, limits.err
    assert {one["limit"] for one in json.loads(limits.out)["limits"]} >= {500}
    assert offline("tenants", "billing", "upgrade", "current", "pro").status == 0
    assert "Free from" not in offline("tenants", "overview", "-o", "table").out
