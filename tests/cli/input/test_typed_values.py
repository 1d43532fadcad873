"""What is typed for options and arguments: what is refused before it is sent, in which words, and where names do."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from shell import Crm

from crm_cli import failures
from crm_sdk.sync import SqliteStore
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--api-key=", "--api-key is empty"),
        ("--base-url=", "--base-url is empty"),
        ("--tenant=", "--tenant is empty"),
        ("--profile=", "--profile is empty"),
        ("--dialect=", "--dialect is empty"),
        ("--output=", "--output is empty"),
        ("--dialect=foo", "--dialect must be one of mvp, flow, platform"),
    ],
)
def test_an_option_without_a_value_is_not_replaced_by_the_environment(option: str, said: str, served: Crm) -> None:
    done = served("leads", "list", option)
    assert (done.status, done.out) == (failures.USAGE, "")
    assert done.err.startswith(f"error: {said}")


@pytest.mark.parametrize(("variable", "value"), [("CRM_DIALECTS", "foo"), ("CRM_BASE_URL", "foo")])
def test_a_variable_is_named_where_its_value_is_none(
    variable: str, value: str, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    done = crm("leads", "list")
    assert (done.status, done.err.partition(" must be")[0]) == (failures.USAGE, f"error: {variable}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["undo", "abc"], "NUMBER must be a whole number, not 'abc'"),
        (["leads", "assign", "-", "--jobs", "99"], "--jobs must be at most 32, not '99'"),
        (
            ["contacts", "import", "x.csv", "--mode", "creat"],
            "--mode must be one of upsert, create, update, not 'creat'",
        ),
        (["webhooks", "sign", "--timestamp", "soon"], "--timestamp must be a number, not 'soon'"),
        (["version"], "No such command 'version': `crm --version` prints it"),
        (["webhooks", "trigger", "lead.craeted"], "lead.craeted cannot be triggered; did you mean 'lead.created'?"),
        (["leads", "update", "lead_7"], "nothing to change: give a member, such as --first-name, or --data"),
        (["api", "GTE", "/v1/leads"], "METHOD: there is no 'GTE'; did you mean 'GET'?"),
        (["api", "GET", "https://crm.test/v1/leads"], "PATH is without the server"),
        (["api", "GET", "//crm.test/v1/leads"], "PATH is without the server"),
        (["api", "GET", "/v1/leads", "--dry-run"], "--dry-run is for what writes"),
    ],
)
def test_a_wrong_value_is_refused_in_words_before_anything_is_sent(
    words: list[str], said: str, served: Crm, stub: StubServer
) -> None:
    stub.journal.clear()
    done = served(*words, stdin="")
    assert (done.status, done.out, len(stub.journal)) == (failures.USAGE, "", 0)
    assert said in done.err and "Input should" not in done.err and "Value error" not in done.err


@pytest.mark.parametrize("name", ["Sam Okonkwo", "sam  okonkwo"])
def test_an_option_that_takes_an_id_takes_a_unique_name(name: str, served: Crm) -> None:
    lead = served("leads", "create", "--name", "Zoe", "--owner-id", name, "-o", "json").json
    assert lead["ownerId"] == "user_sam"
    found = served("leads", "list", "--owner-id", name, "--limit", "all", "-o", "ids").out.split()
    by_id = served("leads", "list", "--owner-id", "user_sam", "--limit", "all", "-o", "ids").out.split()
    assert lead["id"] in found and found == by_id
    shown = served("leads", "update", lead["id"], "--owner-id", name, "--dry-run", "-o", "json").json
    assert shown["body"] == {"ownerId": "user_sam"}
    done = served("leads", "update", "-", "--owner-id", "Ada Lindqvist", "-o", "json", stdin=f"{lead['id']}\n")
    assert (done.status, done.json[0]["ownerId"]) == (0, "user_ada"), done.err


def test_a_word_for_a_filter_of_a_list_may_be_a_name_or_an_id(served: Crm, stub: StubServer) -> None:
    by_id = served("deals", "list", "--pipeline-id", "pipeline_acme_renewals", "-o", "ids").out
    assert by_id and served("deals", "list", "--pipeline-id", "Renewals", "-o", "ids").out == by_id
    assert served("deals", "list", "--pipeline-id", "other", "-o", "ids").out == ""
    stub.journal.clear()
    served("deals", "list", "--pipeline-id", "pipeline_acme_renewals", "-o", "ids")
    assert len(stub.journal) == 1


def test_a_name_that_nobody_has_is_told_rather_than_an_empty_list(served: Crm) -> None:
    done = served("deals", "list", "--owner-id", "No Body")
    assert (done.status, done.out) == (failures.NOT_FOUND, "")
    assert "none of the users has the name 'No Body'" in done.err
    done = served("leads", "get", "nobody", "--json-errors")
    assert (done.status, json.loads(done.err)["hint"]) == (failures.NOT_FOUND, "none has it as its name, either")


@pytest.mark.parametrize(
    ("words", "by_id"),
    [
        ("users access", "user_sam"),
        ("deals stale --owner", "user_sam"),
        ("can update deals --user", "user_sam"),
        ("deals board --pipeline", "pipeline_acme_renewals"),
        ("workflows runs", "workflow_acme_fair"),
    ],
)
def test_views_take_names_for_ids(words: str, by_id: str, served: Crm) -> None:
    noun = {"user": "users", "pipeline": "pipelines", "workflow": "workflows"}[by_id.partition("_")[0]]
    name = served(noun, "get", by_id).json["name"]
    asked = served(*words.split(), name)
    assert asked.status in (0, 1) and asked.json == served(*words.split(), by_id).json, asked.err


@pytest.mark.parametrize("words", ["deals board", "search acme", "contacts show contact_123"])
def test_the_limit_of_a_view_may_be_all(words: str, served: Crm) -> None:
    assert served(*words.split(), "--limit", "all").status == 0


@pytest.mark.parametrize("day", ["2026-01-31", "yesterday", "7d", "+7d"])
@pytest.mark.parametrize("words", ["calendar week --start", "analytics overview --end-date", "today --date"])
def test_days_of_views_are_typed_as_everywhere(words: str, day: str, served: Crm) -> None:
    assert served(*words.split(), day).status == 0


@pytest.mark.parametrize("way", ["download", "export"])
def test_what_is_no_file_is_written_to_and_stays(way: str, served: Crm, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        words = ("leads", "export", "--columns", "id", "--updated-since", "+1d", "--force")
        file = served("files", "list", "--search", "Price", "-o", "ids").out.strip()
        done = served(*(words if way == "export" else ("files", "download", file)), "--to", str(pipe))
        assert done.status == 0, done.err
        assert os.read(reader, 9) and stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


def test_a_file_that_cannot_be_made_is_named_as_it_was_typed(served: Crm, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "x.csv"
    file = served("files", "list", "--search", "Price", "-o", "ids").out.strip()
    for words in (("leads", "export"), ("files", "download", file)):
        done = served(*words, "--to", str(target))
        assert (done.status, done.err.splitlines()[-1]) == (2, f"error: {target}: No such file or directory")


@pytest.mark.parametrize("place", ["nowhere/copy.db", "damaged.db"])
def test_a_copy_that_cannot_be_used_is_named(place: str, served: Crm, tmp_path: Path) -> None:
    (tmp_path / "damaged.db").write_text("this is no database, whatever its name says" * 9)
    done = served("sync", f"sqlite:{tmp_path / place}")
    assert (done.status, done.err.startswith(f"error: {tmp_path / place}: ")) == (failures.USAGE, True), done.err


def test_a_copy_that_cannot_be_used_is_not_held_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, opened = tmp_path / "damaged.db", list[sqlite3.Connection]()
    file.write_text("this is no database, whatever its name says" * 9)
    connect = sqlite3.connect

    def noted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        SqliteStore(file)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_raw_request_is_shown_with_its_secrets_masked(served: Crm, stub: StubServer) -> None:
    words = ("api", "POST", "/v1/users?a=1", "name=Zed", "password=canary-7", "-H", "X-Api-Key: canary-8", "-q", "b=2")
    stub.journal.clear()
    shown = served(*words, "--dry-run", "-o", "json")
    assert (shown.json["method"], shown.json["body"]) == ("POST", {"name": "Zed", "password": "***"})
    assert shown.json["url"].endswith("/v1/users?a=1&b=2")
    explained = served(*words, "--explain").out
    assert "curl -X POST" in explained and "client.request('POST'" in explained
    assert "canary" not in shown.out + explained and len(stub.journal) == 0


def test_a_raw_request_is_shown_as_it_would_be_sent(served: Crm, stub: StubServer) -> None:
    words = ("api", "GET", "/v1/leads?limit=2&tag=a&tag=b", "hot:=true", "none:=null", "ids:=[1,2]", "--paginate")
    stub.journal.clear()
    explained = served(*words, "--explain").out
    assert "/v1/leads?limit=2&tag=a%2Cb&hot=true&ids=1%2C2'" in explained
    assert "query={'limit': '2', 'tag': ['a', 'b'], 'hot': True, 'none': None, 'ids': [1, 2]}" in explained
    assert len(stub.journal) == 0


@pytest.mark.parametrize("words", ["openapi", "schema leads list"])
def test_a_document_can_be_asked_with_jq(words: str, crm: Crm) -> None:
    whole = crm(*words.split()).json
    name = ".info.title" if words == "openapi" else ".title"
    title = whole["info"]["title"] if words == "openapi" else whole["title"]
    assert crm(*words.split(), "--jq", name).out == f"{title}\n"


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["contacts", "export", "--to", "x.xlsx"], b"PK"),
        (["contacts", "export", "--to", "x.jsonl"], b'{"'),
        (["contacts", "export", "--to", "x.xlsx", "--format", "csv"], b"id,"),
        (["exports", "create", "--entity-types", "lead", "--to", "x.jsonl"], b'{"'),
    ],
)
def test_the_end_of_a_file_tells_the_format_where_it_is_not_given(
    words: list[str], start: bytes, served: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = served(*words)
    assert done.status == 0, done.err
    assert Path(done.json["file"]).read_bytes().startswith(start)


@pytest.mark.parametrize(("words", "option"), [("exports create", "--fields"), ("contacts create", "--language")])
def test_help_says_where_an_option_of_every_command_goes_whose_name_is_taken(
    words: str, option: str, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert f"the {option} of every command stands before the noun here" in crm(*words.split(), "--help").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("leads list --limit 1.5", "--limit: must be a whole number"),
        ("deals list --min-value much", "--min-value: must be a number"),
        ("deals list --created-after soon", "--created-after: must be a day or a time, such as 2026-01-31, yesterday"),
    ],
)
def test_a_wrong_type_is_told_without_the_words_of_python(words: str, said: str, served: Crm) -> None:
    done = served(*words.split())
    assert (done.status, said in done.err) == (failures.INVALID, True), done.err


@pytest.mark.parametrize("words", ["leads list", "deals board"])
def test_a_limit_beyond_all_numbers_is_all(words: str, served: Crm) -> None:
    assert served(*words.split(), "--limit", "9" * 25).status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["can", "updat", "deals"], "there is no 'updat'; did you mean 'update'?"),
        (["can", "update", "dealz"], "there is no 'dealz'; did you mean 'deals'?"),
        (["wait", "deals", "deal_7", "--until", "stage=propsal"], "there is no 'propsal'; did you mean 'proposal'?"),
    ],
)
def test_a_mistyped_word_is_told_before_anything_is_sent(
    words: list[str], said: str, served: Crm, stub: StubServer
) -> None:
    stub.journal.clear()
    done = served(*words)
    assert (done.status, said in done.err, len(stub.journal)) == (failures.USAGE, True, 0), done.err


def test_nothing_to_search_for_is_no_command(served: Crm) -> None:
    done = served("search", "")
    assert done.status != 0 and "No such command" not in done.err


@pytest.mark.parametrize(
    ("content", "found"),
    [("a, b\n\n c \n", ["a, b", "c"]), ('["a, b", "c"]', ["a, b", "c"]), ("\ufeffa\r\nb", ["a", "b"]), ("", [])],
)
def test_the_texts_of_a_list_may_be_in_a_file(content: str, found: list[str], offline: Crm, tmp_path: Path) -> None:
    file = tmp_path / "tags.txt"
    file.write_text(content, encoding="utf-8", newline="")
    made = offline("leads", "create", "--name", "Ada", "--tags", f"@{file}", "--tags", "x,y", "--tags", "@@vip")
    assert made.json["tags"] == [*found, "x", "y", "@vip"]


def test_a_file_of_texts_that_is_not_there_is_told_with_the_way_out(offline: Crm) -> None:
    made = offline("leads", "create", "--name", "Ada", "--tags", "@vip")
    assert (made.status, made.out) == (failures.USAGE, "")
    assert "'vip'" in made.err and "@@vip" in made.err
