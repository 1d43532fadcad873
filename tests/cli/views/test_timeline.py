"""``crm activities timeline``: drawn day by day for people, and the entries as they are for programs."""

from __future__ import annotations

import pytest
from shell import Crm

pytest_plugins = ["cli_fixtures"]

TIMELINE = ("activities", "timeline", "--contact-id", "contact_123")


def test_a_timeline_is_drawn_day_by_day(offline: Crm) -> None:
    offline("activities", "notes", "create", "--body", "Second thoughts", "--contact-id", "contact_123")
    drawn = offline(*TIMELINE, "-o", "table")
    lines = drawn.out.splitlines()
    days = [line for line in lines if line.endswith(("2024", "2026")) and line[:3].isalpha()]
    assert drawn.status == 0 and "Wed 10 Jan 2024" in days and len(days) == len(set(days)) > 1
    title = next(number for number, line in enumerate(lines) if "Architecture review" in line)
    assert "☎" in lines[title] and "John Doe" in lines[title] and "impressed" in lines[title + 1]
    assert next(line for line in lines if "Second thoughts" in line).split()[1] == "✎"
    assert "nothing happened" in offline(*TIMELINE, "--kinds", "file", "-o", "table").out


@pytest.mark.parametrize("format", ["json", "jsonl", "csv"])
def test_programs_get_the_entries(offline: Crm, format: str) -> None:
    out = offline(*TIMELINE, "-o", format).out
    assert "occurredAt" in out and "☎" not in out


def test_chosen_columns_are_a_table(offline: Crm) -> None:
    out = offline(*TIMELINE, "--columns", "kind,title", "-o", "table").out
    assert "☎" not in out and "Architecture review" in out
