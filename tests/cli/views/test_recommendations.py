"""``crm ai-insights recommendations``: drawn by priority for people, and the records as they are for programs."""

from __future__ import annotations

import json

import pytest
from shell import Crm

pytest_plugins = ["cli_fixtures"]

LISTS = ("ai-insights", "recommendations")


def test_recommendations_are_drawn_by_priority(offline: Crm) -> None:
    found = json.loads(offline(*LISTS, "next-actions", "-o", "json").out)
    drawn = offline(*LISTS, "next-actions", "-o", "table")
    lines = drawn.out.splitlines()
    assert drawn.status == 0 and lines[0] == "High priority" and "Medium priority" in lines
    first = next(number for number, line in enumerate(lines) if found[0]["title"][:20] in line)
    assert f"{found[0]['confidence']} %" in "".join(lines[first : first + 2])
    for one in found:
        assert one["id"] in drawn.out, "feedback needs its id"
    done = offline(*LISTS, "feedback", found[0]["id"], "done", "--reason", "met them")
    assert done.status == 0 and found[0]["id"] not in offline(*LISTS, "next-actions", "-o", "table").out


@pytest.mark.parametrize("name", ["cross-sell", "upsell"])
def test_offers_are_drawn_too(offline: Crm, name: str) -> None:
    assert "Offer " in offline(*LISTS, name, "-o", "table").out
    assert offline(*LISTS, name, "--account-id", "nobody", "-o", "table").out.strip() == "nothing is recommended"
