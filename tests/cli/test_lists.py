"""Lists: how many records, which columns, and what of them reaches a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from shell import OPERATIONS, Crm

from crm_cli import failures
from crm_cli.terminal.columns import columns_of
from crm_cli.views import rows_of
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]

LISTS = [name for name, operation in OPERATIONS.items() if operation.kind == "page"]
NOBODY = "no such column: nope; there are"


@pytest.mark.parametrize("noun", ["leads", "contacts"])
@pytest.mark.parametrize("count", [1, 50, 51, 201, None])
def test_limit_is_a_number_of_records_whatever_a_page_holds(noun: str, count: int | None, served: Crm) -> None:
    for n in range(2):
        people = [{"name": f"Person {n} {i}", "email": f"p{n}.{i}@many.example"} for i in range(100)]
        served(noun, *(("bulk-upsert",) if noun == "contacts" else ("bulk-create",)), "--data", json.dumps(people))
    total = served("api", "GET", f"/v1/{noun}", "-q", "limit=1").json["meta"]["pagination"]["total"]
    done = served(noun, "list", "--limit", "all" if count is None else str(count))
    expected = total if count is None else min(count, total)
    assert len({record["id"] for record in done.json}) == len(done.json) == expected
    said = "" if expected == total else f"showing {count} of {total}: --limit all for all\n"
    assert done.err == said


@pytest.mark.parametrize("name", [name for name in LISTS if "limit" not in OPERATIONS[name].signature.parameters])
def test_every_list_has_a_limit(name: str, crm: Crm) -> None:
    shown = crm(*name.replace("_", "-").split("."), "--help")
    assert "--limit" in shown.out


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5"])
@pytest.mark.parametrize("words", ["leads list", "conversations list"])
def test_a_limit_that_is_no_number_of_records_is_refused(words: str, count: str, offline: Crm) -> None:
    done = offline(*words.split(), "--limit", count)
    assert done.status in (failures.USAGE, failures.INVALID)
    assert "--limit" in done.err and done.out == ""


@pytest.mark.parametrize("name", [name for name in LISTS if rows_of(name) is None])
def test_the_columns_of_a_list_are_those_of_its_model(name: str) -> None:
    columns = columns_of(OPERATIONS[name])
    assert columns is not None
    assert len(columns.chosen) > 2 and columns.chosen[-1] == "id"
    assert len(set(columns.chosen)) == len(columns.chosen)
    assert columns.resolve(columns.chosen) == list(columns.chosen)


@pytest.mark.parametrize(
    "words", ["leads list --search nobody-at-all", "webhooks list", "leads list --limit 1", "leads list --dialect mvp"]
)
def test_a_csv_has_the_same_header_whatever_it_holds(words: str, offline: Crm) -> None:
    columns = columns_of(OPERATIONS[words.split(" --")[0].replace(" ", ".")])
    assert columns is not None
    header = offline(*words.split(), "-o", "csv").out.splitlines()[0]
    assert header.split(",") == list(columns.every)


@pytest.mark.parametrize(
    "words", ["leads list", "leads list --search nobody-at-all", "leads get lead_none", "deals list"]
)
@pytest.mark.parametrize("format", ["csv", "table"])
def test_an_unknown_column_is_refused_before_anything_is_asked(words: str, format: str, offline: Crm) -> None:
    done = offline(*words.split(), "-o", format, "--columns", "id,nope")
    assert (done.status, done.out) == (failures.USAGE, "")
    assert NOBODY in done.err


@pytest.mark.parametrize("width", [70, 80, 200])
def test_a_table_has_the_chosen_columns_on_any_terminal(
    width: int, drawn: Callable[..., str], client: CrmClient
) -> None:
    header, *rows = drawn("leads", "list", "--limit", "5", width=width).splitlines()
    assert len(rows) == 5
    if width > 70:
        assert header.split() == ["name", "company", "status", "value", "score", "owner", "age", "id"]
    assert all(row.split()[-1].startswith("lead_") and "…" not in row.split()[-1] for row in rows)


def test_amounts_stand_to_the_right_with_their_currency(served: Crm) -> None:
    made = [served("leads", "create", "--name", "Rich", "--value", value).json["id"] for value in ("7", "1234567.5")]
    header, *rows = served("leads", "list", "--limit", "2", "-o", "table").out.splitlines()
    end = header.index("value") + len("value")
    assert {row.split()[-1] for row in rows} == set(made)
    assert {row[:end].rpartition("  ")[2].strip() for row in rows} == {"7 USD", "1,234,567.5 USD"}
    assert served("leads", "list", "--limit", "1", "-o", "csv", "--columns", "value").out == "value\n1234567.5\n"


STEERING = ["\x1b[31m", "\x07", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u200f", "\u2028"]


@pytest.mark.parametrize("format", ["table", "csv", "json", "jsonl"])
@pytest.mark.parametrize("steering", STEERING, ids=ascii)
def test_nothing_that_steers_a_terminal_is_printed_and_joiners_are(steering: str, format: str, served: Crm) -> None:
    name = f"x{steering}y نمی\u200cخواهم 👩\u200d💻"
    made = served("api", "POST", "/v1/leads", "--data", json.dumps({"name": name, "email": "a@b.example"})).json["data"]
    for words in (("list", "--limit", "1"), ("get", made["id"])):
        out = served("leads", *words, "-o", format, *(("--columns", "name") if format in ("csv", "table") else ())).out
        assert steering[0] not in out
        assert "نمی\u200cخواهم 👩\u200d💻" in out
    if format in ("json", "jsonl"):
        assert served("leads", "get", made["id"], "-o", format).json["name"] == made["name"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|'/c calc'!A1", "'+cmd|'/c calc'!A1"),
        ("-2+3", "'-2+3"),
        ("Ada", "Ada"),
        ("1=1", "1=1"),
    ],
)
def test_a_formula_in_a_csv_is_a_text(text: str, cell: str, served: Crm) -> None:
    made = served("leads", "create", "--name", "Ada", f"--company={text}", "--phone", "+493012345").json
    out = served("leads", "get", made["id"], "-o", "csv", "--columns", "company,phone").out
    assert list(csv.reader(io.StringIO(out)))[1] == [cell, "+493012345"]


def test_a_list_through_a_layout_has_its_columns(served: Crm) -> None:
    field = json.dumps({"apiName": "tier", "label": "Tier", "type": "text"})
    assert served("customization", "fields", "create", "deal", "--data", field).status == 0
    columns = [{"field": "stage"}, {"field": "account.industry"}, {"field": "custom_fields.tier"}]
    layout = json.dumps({"entity": "deal", "kind": "list", "name": "Mine", "columns": columns})
    seen = served("customization", "layouts", "create", "--data", layout).json["id"]
    served("deals", "create", "--title", "Turbine")
    out = served("deals", "list", "--view", seen, "-o", "csv").out
    assert out.splitlines()[0] == "stage,customFields.tier,id"
    chosen = served("deals", "list", "--view", seen, "-o", "csv", "--fields", "id").out
    assert chosen.splitlines()[0] == "id"
    wrong = served("deals", "list", "--view", "layout_none")
    assert (wrong.status, "--view" in wrong.err) == (failures.INVALID, True)
