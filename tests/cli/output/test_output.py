"""What is printed of an answer: chosen members, jq, templates, every format, errors as JSON, calls that are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from shell import ROOT, Crm

from crm_cli import failures
from crm_cli.account.layers import FORMATS
from crm_cli.times import read_date, read_time

pytest_plugins = ["cli_fixtures"]

LIST = ("leads", "list", "--limit", "3")
CANARY = "canary-1f3a"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_same_records_in_the_same_order(format: str, offline: Crm) -> None:
    ids = [record["id"] for record in offline(*LIST, "-o", "json").json]
    out = offline(*LIST, "-o", format).out
    assert sorted(ids, key=out.index) == ids


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "ids"])
def test_fields_choose_members_in_every_format(format: str, offline: Crm) -> None:
    whole = offline(*LIST).json
    out = offline(*LIST, "-o", format, "--fields", "id,created_at").out
    expected = [{name: record[name] for name in ("id", "createdAt")} for record in whole]
    readers: Mapping[str, Any] = {
        "json": json.loads,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
        "yaml": yaml.safe_load,
    }
    if format in readers:
        assert readers[format](out) == expected
    else:
        header, *rows = out.splitlines()
        assert header.replace(",", " ").split() == ["id", "createdAt"]
        assert [row.replace(",", " ").split()[0] for row in rows] == [record["id"] for record in whole]


@pytest.mark.parametrize("format", FORMATS)
def test_an_unknown_field_is_refused_before_anything_is_printed(format: str, offline: Crm) -> None:
    done = offline(*LIST, "-o", format, "--fields", "id,nope")
    assert (done.status, done.out) == (failures.USAGE, "")
    assert "--fields: no such column: nope" in done.err


def test_a_field_can_be_one_of_a_record_within(served: Crm) -> None:
    address = json.dumps({"street": "Main 1", "city": "Berlin", "country": "DE"})
    made = served("accounts", "create", "--name", "Nested Ltd", "--billing-address", address, "--dialect", "platform")
    get = ("accounts", "get", made.json["id"], "--fields", "name,billing_address.city")
    assert served(*get).json == {"name": "Nested Ltd", "billingAddress": {"city": "Berlin"}}
    assert served(*get, "-o", "csv").out == "name,billingAddress.city\nNested Ltd,Berlin\n"


def test_jq_runs_over_the_records_of_all_pages(offline: Crm) -> None:
    total = offline("api", "GET", "/api/leads", "-q", "limit=1").json["total"]
    assert offline("leads", "list", "--limit", "all", "--jq", "length").out == f"{total}\n"
    names = [record["name"] for record in offline(*LIST).json]
    assert offline(*LIST, "--jq", ".[].name").out.splitlines() == names
    assert offline("leads", "list", "--jq", ".[").status == failures.USAGE
    assert offline("leads", "list", "--jq", ".a.b").status == failures.USAGE


def test_a_template_makes_a_line_of_each_record(offline: Crm) -> None:
    names = [record["name"] for record in offline(*LIST).json]
    out = offline(*LIST, "--template", "<{{name}}>\\t{{no.such}}").out
    assert out == "".join(f"<{name}>\t\n" for name in names)
    for wrong in ("{{", "{name} <{email}>"):
        refused = offline(*LIST, "--template", wrong)
        assert (refused.status, refused.out) == (failures.USAGE, ""), wrong
    assert offline(*LIST, "--template", "{{ name.__class__.__mro__ }}").out.strip() == ""


@pytest.mark.parametrize("words", ["leads get nobody", "leads create", "leads list -o xml", "leads lst", "leads get"])
def test_an_error_as_json_is_one_line_with_the_same_exit_status(words: str, offline: Crm) -> None:
    plain, done = offline(*words.split()), offline("--json-errors", *words.split())
    assert (done.status, done.out) == (plain.status, "")
    said = json.loads(done.err)
    assert said.keys() >= {"code", "status", "message", "fields", "requestId", "retryable", "hint"}
    assert said["exit"] == done.status in failures.EXIT_CODES
    assert said["retryable"] is False


def test_no_answer_is_retryable(crm: Crm) -> None:
    done = crm("--base-url", "http://127.0.0.1:9", "--json-errors", "leads", "list")
    said = json.loads(done.err)
    assert (done.status, said["code"], said["retryable"]) == (failures.RETRYABLE, "CONNECTION_FAILED", True)


def test_the_table_of_exit_statuses_has_every_one(crm: Crm) -> None:
    shown = crm("help", "exit-codes", "-o", "json").json
    assert {row["exit"] for row in shown} == failures.EXIT_CODES.keys()
    assert {status for _, status, _ in failures._STATUSES} <= failures.EXIT_CODES.keys()
    assert crm("help", "nothing").status == failures.USAGE


# -- calls that are shown


@pytest.mark.parametrize("flag", ["--dry-run", "--explain"])
def test_what_is_shown_is_not_sent_and_shows_no_credential(flag: str, served: Crm) -> None:
    made = served("leads", "create", "--name", "Ada", "--value", "7").json
    for words in (("update", made["id"], "--value", "8"), ("delete", made["id"])):
        shown = served("leads", *words, flag, "-o", "table")
        assert shown.status == 0, shown.err
        assert made["id"] in shown.out
        assert "acme-admin" not in shown.out + shown.err
    assert served("leads", "get", made["id"]).json["value"] == 7


def test_a_dry_run_of_an_update_shows_what_would_change(served: Crm) -> None:
    made = served("leads", "create", "--name", "Ada", "--value", "7").json
    words = ("leads", "update", made["id"], "--value", "8", "--name", "Ada", "--dry-run")
    shown = served(*words).json
    assert (shown["method"], shown["body"]) == ("PUT", {"name": "Ada", "value": 8})
    assert shown["changes"] == {"value": {"before": 7, "after": 8}}
    assert "value: 7 -> 8" in served(*words, "-o", "table").out
    assert served("leads", "list", "--dry-run").status == failures.USAGE


@pytest.mark.parametrize(
    "words", ["leads get {id}", "leads update {id} --value 8", "leads list --created-after 2020-01-01"]
)
def test_the_explained_program_runs(words: str, served: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    made = served("leads", "create", "--name", "Ada").json
    shown = served(*words.format(id=made["id"]).split(), "--explain").out
    assert shown.startswith("curl -X ") and "$CRM_API_KEY" in shown
    exec(compile(shown[shown.index("from crm_sdk") :], "explained", "exec"), {})  # noqa: S102 # what is shown must run
    assert made["id"] in capsys.readouterr().out


def test_a_secret_in_a_body_is_masked(served: Crm) -> None:
    body = json.dumps({"credentials": {"api_key": CANARY}})
    for flag in ("--dry-run", "--explain"):
        shown = served("integrations", "connect", "integration_hubspot", "--data", body, flag)
        assert shown.status == 0, shown.err
        assert "***" in shown.out and CANARY not in shown.out + shown.err


@pytest.mark.parametrize("words", ["login", "deals board", "webhooks trigger lead.created"])
@pytest.mark.parametrize("flag", ["--dry-run", "--explain"])
def test_what_cannot_show_its_requests_sends_none(words: str, flag: str, offline: Crm) -> None:
    done = offline(*words.split(), flag)
    assert (done.status, done.out) == (failures.USAGE, "")
    assert "leave out" in done.err


# -- what is typed


@pytest.mark.parametrize(
    ("typed", "days"), [("yesterday", -1), ("today", 0), ("Tomorrow", 1), ("7d", -7), ("in 2w", 14)]
)
def test_dates_as_people_type_them(typed: str, days: int) -> None:
    day = (datetime.now() + timedelta(days=days)).date()
    assert read_date(typed) == day.isoformat()
    read = read_time(typed)
    assert read.tzinfo is not None
    assert abs(read.date() - day) <= timedelta(days=1)


@pytest.mark.parametrize("typed", ["soon", "7", "d", "7y", "in 7d ago", "2026-13-01"])
def test_other_texts_are_left_to_the_client_to_refuse(typed: str) -> None:
    assert (read_time(typed), read_date(typed)) == (typed, typed)


@pytest.mark.parametrize("flag", ["--if-version", "--version"])
def test_an_update_can_be_bound_to_a_version(flag: str, served: Crm) -> None:
    made = served("leads", "create", "--name", "Ada", "--dialect", "platform").json
    update = ("leads", "update", made["id"], "--dialect", "platform", "--value")
    assert served(*update, "8", flag, str(made["version"])).status == 0
    assert served(*update, "9", flag, str(made["version"])).status == failures.CONFLICT


def test_raw_members_are_texts_or_json(served: Crm) -> None:
    made = served("api", "POST", "/v1/leads", "name=Ada", "value:=12.5", 'tags:=["a"]', "-i", "-o", "json")
    head, _, body = made.out.partition("\n\n")
    assert head.startswith("HTTP 201\n") and "content-type: application/json" in head
    lead = json.loads(body)["data"]
    assert (lead["name"], lead["value"], lead["tags"]) == ("Ada", 12.5, ["a"])
    assert len(served("api", "GET", "/v1/leads", "limit=2").json["data"]) == 2
    assert served("api", "POST", "/v1/leads", "oops").status == failures.USAGE


@pytest.mark.parametrize("variable", ["CI", ""])
def test_nothing_is_asked_where_nobody_should_be(
    variable: str, served: Crm, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = served("leads", "create", "--name", "Ada").json
    if variable:
        monkeypatch.setenv(variable, "true")
    done = terminal("leads", "delete", made["id"], *([] if variable else ["--no-input"]), answer="y\n")
    assert done.status == failures.USAGE and "confirm with --yes" in done.err
    assert served("leads", "get", made["id"]).status == 0


def test_the_page_has_the_table_of_exit_statuses() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for status, (name, means) in failures.EXIT_CODES.items():
        assert f"| {status} | {name} | {means} |" in page


def test_a_pager_shows_what_is_printed_on_a_terminal_and_nothing_elsewhere(
    served: Crm, terminal: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    monkeypatch.setenv("CRM_PAGER", f"dd of={shown} status=none")
    monkeypatch.setenv("TERM", "xterm")
    words = ("leads", "list", "--limit", "2", "-o", "csv")
    assert served(*words).out.startswith("id,")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert terminal(*words, "--no-pager").out.startswith("id,") and not shown.exists()
    done = terminal(*words)
    assert (done.status, done.out) == (0, "")
    assert shown.read_text(encoding="utf-8").startswith("id,")
    assert done.err.startswith("showing 2 of ")
