"""Finding commands: the overview, topics, the search, the map, schemas, pages of man, and what was probably meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from shell import ROOT, Crm

from crm_cli.discovery.man import pages
from crm_cli.discovery.tree import whole
from crm_cli.help.groups import GROUPS
from crm_cli.help.topics import ENVIRONMENT
from crm_cli.settings import GLOBALS
from crm_cli.tree.near import nearest, slip_of
from crm_cli.tree.nouns import nouns

pytest_plugins = ["cli_fixtures"]
tree = cache(whole)


@pytest.mark.thorough
def test_the_overview_has_every_command_in_a_screen_and_a_half(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = crm("--help").out.splitlines()
    assert len(lines) <= 36
    assert max(map(len, lines)) <= 80
    names = {entry["command"].split()[1] for entry in tree()["commands"]}
    assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", "\n".join(lines)) for name in names)


def test_every_noun_is_in_one_group() -> None:
    grouped = [noun for group in GROUPS.values() for noun in group]
    assert sorted(grouped) == sorted(nouns())


def test_the_options_of_every_command_are_told_once(crm: Crm) -> None:
    told = crm("help", "options", "-o", "table").out
    assert all(option.flag in told for option in GLOBALS)
    for words in (("leads", "list"), ("deals", "board"), ("leads",), ("login",)):
        shown = crm(*words, "--help").out
        assert "Options of every command: crm help options" in " ".join(shown.split())
        assert "--json-errors" not in shown


def test_the_environment_topic_has_every_variable_that_is_read() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "crm_cli").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"""(?:get\(|environ\[)["'](CRM_[A-Z_]+)["']""", text)}
    assert read
    assert read <= ENVIRONMENT.keys()


@pytest.mark.thorough
def test_help_explains_commands_and_topics(crm: Crm) -> None:
    assert crm("help").out == crm("--help").out
    assert crm("help", "leads", "get").out == crm("leads", "get", "--help").out
    assert {row["group"] for row in crm("help", "commands").json} == {*GROUPS, "Around them"}
    assert crm("help", "exit-coeds").err.startswith(
        "error: there is no topic or command 'exit-coeds'; did you mean 'exit-codes'?"
    )


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("merge contacts", "crm contacts deduplicate"),
        ("add a customer", "crm accounts create"),
        ("gdpr", "crm privacy"),
        ("opportunity board", "crm deals board"),
        ("upload file", "crm files upload"),
        ("erase a person for good", "crm privacy erase"),
    ],
)
def test_commands_are_found_by_what_they_do(words: str, first: str, crm: Crm) -> None:
    assert crm("search-commands", *words.split()).json[0]["command"] == first


def test_a_search_without_a_result_says_so(crm: Crm) -> None:
    done = crm("search-commands", "xyzzy")
    assert (done.json, "no command is about that" in done.err) == ([], True)


@pytest.mark.thorough
def test_the_map_has_all_commands_with_their_calls(crm: Crm) -> None:
    found = crm("--map", "json").json
    by_name = {entry["command"]: entry for entry in found["commands"]}
    update = by_name["crm leads update"]
    assert (update["call"], update["writes"], update["destroys"]) == ("leads.update", True, False)
    assert [each["name"] for each in update["arguments"]] == ["LEAD_ID"]
    status = next(option for option in update["options"] if option["flags"] == ["--status"])
    assert "qualified" in status["choices"]
    assert crm("--map", "xml").status == 2


@pytest.mark.parametrize(
    "words",
    ["leads list", "deals get deal_pbpm7wrsqiqr", "pipelines list", "auth me", "users list", "dashboard forecast"],
)
def test_the_schema_is_that_of_what_is_printed(words: str, served: Crm) -> None:
    command = [word for word in words.split() if "_" not in word]
    schema = served("schema", *command).json
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(served(*words.split()).json, schema)


def test_the_schema_of_the_input_refuses_what_the_call_refuses(crm: Crm) -> None:
    schema = crm("schema", "leads", "create", "--input").json
    jsonschema.validate({"name": "Ada"}, schema)
    for wrong in ({}, {"name": "Ada", "nmae": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    assert crm("schema", "leads", "get", "--input").status == 2
    assert "did you mean 'list'?" in crm("schema", "leads", "lsit").err
    assert "name one of its calls" in crm("schema", "leads").err


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_reads_the_pages_without_a_warning(tmp_path: Path) -> None:
    for name, text in pages(tree()).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["man", "--warnings", "-l", str(tmp_path / name)], capture_output=True, text=True, check=True
        )
        assert done.stderr == "", name
        assert f"{name[:-2]} - " in re.sub(".\b", "", done.stdout).replace("\u2010", "-")


@pytest.mark.thorough
def test_pages_of_man_are_written(crm: Crm, tmp_path: Path) -> None:
    assert crm("man", "leads").out.startswith('.TH "CRM\\-LEADS" 1')
    assert crm("man", "--to", str(tmp_path / "man1")).status == 0
    names = {path.name for path in (tmp_path / "man1").iterdir()}
    assert names == {"crm.1"} | {f"crm-{entry['command'].split()[1]}.1" for entry in tree()["commands"]}
    assert crm("man", "laeds").err.startswith("error: there is no page 'laeds'; did you mean 'leads'?")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("leads list --status nwe", "'new'"),
        ("leads list --sort scroe", "'score'"),
        ("leads list --fields nmae", "'name'"),
        ("leads list -o table --columns nmae", "'name'"),
        ('leads create --name Ada --data {"emial":"a@b.test"}', "'email'"),
        ("leads lsit", "'list'"),
        ("laeds list", "'leads'"),
        ("leads list --stauts new", "--status"),
        ("completion fishh", "'fish'"),
    ],
)
def test_what_was_probably_meant_is_said_before_anything_is_sent(words: str, meant: str, crm: Crm) -> None:
    done = crm(*words.split(), "--base-url", "http://127.0.0.1:9", "--api-key", "key")
    assert done.status in (2, 7)
    assert meant in done.err


@pytest.mark.parametrize("word", ["nurturing", "new2", "newer", "New", "qualified-2"])
def test_words_of_ones_own_are_no_slips(word: str) -> None:
    assert slip_of(word, ("new", "contacted", "qualified")) is None


def test_of_two_words_that_are_as_near_none_is_meant() -> None:
    assert nearest("bat", ["cat", "hat"]) is None
    assert nearest("lsit", ["list", "get"]) == "list"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("leed list", "leads"),
        ("leads lst", "list"),
        ("leads list --serch x", "--search"),
        ("config gett output", "get"),
        ("config get outptu", "output"),
        ("--profile defualt status", "default"),
        ("wait delas x", "deals"),
        ("wait deals x --until stge=won", "stage"),
        ("leads list --status nwe", "new"),
        ("leads list -o csv --columns nmae", "name"),
        ("leads create --data {\"name\":\"x\",\"emial\":\"y\"}", "email"),
        ("completion fihs", "fish"),
        ("alias delete x --jsn-errors", "--json-errors"),
    ],
)  # fmt: skip
def test_every_mistyped_word_is_answered_by_the_same_rule(words: str, meant: str, crm: Crm) -> None:
    done = crm(*words.split(), "--base-url", "http://127.0.0.1:9", "--api-key", "key")
    assert done.status in (2, 7)
    assert re.search(rf"[Dd]id you mean '{meant}'\?", done.err), done.err
