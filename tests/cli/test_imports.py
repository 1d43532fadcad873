"""``crm imports``: the preview drawn for people, and imports that are retried and taken back by their ids."""

from __future__ import annotations

import json
from pathlib import Path

from shell import Crm

pytest_plugins = ["cli_fixtures"]


def test_a_file_is_looked_at_imported_and_taken_back(offline: Crm, tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    file.write_text("Deal name,Amount,Whatever\nBig one,1200.50,x\nWrong,many,\n", "utf-8")
    drawn = offline("imports", "preview", "deal", str(file), "-o", "table").out
    rows = drawn.splitlines()
    first = next(number for number, text in enumerate(rows) if "title=Big one" in text)
    assert not rows[first - 1].strip() and rows[first - 2].strip() and " 2 " in rows[first + 1], drawn
    assert "2 rows, 3 columns" in drawn and "→ title" in drawn and "→ value" in drawn
    assert "not read" in drawn and "1 created, 0 updated, 0 skipped, 1 failed" in drawn
    assert json.loads(offline("imports", "preview", "deal", str(file), "-o", "json").out)["counts"]["created"] == 1
    offline("imports", "create", "deal", str(file))
    job, *_ = json.loads(offline("jobs", "list", "--kind", "import", "-o", "json").out)  # those of the demo are older
    shown = json.loads(offline("jobs", "get", job["id"], "-o", "json").out)
    assert (shown["counts"]["created"], shown["errors"][0]["row"]) == (1, 2)
    again = offline("imports", "create", "deal", str(file), "--retry-of", job["id"], "-o", "json")
    assert again.status != 70
    trial = json.loads(offline("imports", "revert", job["id"], "--dry-run", "-o", "json").out)
    assert json.dumps(trial).count('"deleted": 1') >= 1
    assert offline("imports", "revert", job["id"]).status == 0
    assert offline("imports", "revert", job["id"]).status != 0


def test_an_unreadable_file_and_a_missing_field_are_drawn(offline: Crm, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("email\nada@look.example\n", "utf-8")
    assert "name is needed by new records" in offline("imports", "preview", "lead", str(file), "-o", "table").out
    file.write_bytes(b"")
    assert "not readable" in offline("imports", "preview", "lead", str(file), "-o", "table").out
