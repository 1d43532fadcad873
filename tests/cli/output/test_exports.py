"""``crm exports``: what a job made is saved by --to, and the members of a schedule's request are options."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from shell import Crm

pytest_plugins = ["cli_fixtures"]


def test_to_saves_what_the_job_has_made(offline: Crm, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    said = offline("exports", "create", "--entity-types", "contact", "--entity-types", "deal", "--to", str(path)).json
    assert said["file"] == str(path) and said["bytes"] == path.stat().st_size
    assert zipfile.ZipFile(path).namelist() == ["manifest.json", "contact.csv", "deal.csv"]
    printed = offline("exports", "create", "--entity-types", "territory", "--to", "-")
    assert printed.out.startswith("id,createdAt,") and len(list(csv.reader(io.StringIO(printed.out)))) == 3
    plain = offline("exports", "create", "--entity-types", "territory").json
    assert plain["rowCount"] == 2 and plain["fileName"].endswith(".csv")


def test_to_does_not_go_without_waiting(offline: Crm, tmp_path: Path) -> None:
    failed = offline("exports", "create", "--entity-types", "user", "--no-wait", "--to", str(tmp_path / "x"))
    assert failed.status == 2 and "--no-wait" in failed.err


@pytest.mark.parametrize("whole", [[], ["--request", '{"entityTypes": ["deal"], "labels": true}']])
def test_the_members_of_a_request_are_options(offline: Crm, whole: list[str]) -> None:
    daily = ["--schedule", '{"frequency":"daily","at":"02:00"}']
    typed = [*whole, *daily, "--entity-types", "lead", "--format", "xlsx"]
    made = offline("exports", "schedules", "create", "--name", "nightly", *typed).json
    request = made["request"]
    assert (request["entityTypes"], request["format"], request["labels"]) == (["lead"], "xlsx", bool(whole))
    changed = offline("exports", "schedules", "update", made["id"], "--format", "json", "--no-enabled").json
    assert (changed["request"]["entityTypes"], changed["request"]["format"]) == (["lead"], "json")
    assert json.loads(offline("exports", "schedules", "list", "--limit", "1", "-o", "json").out)[0]["id"] == made["id"]
