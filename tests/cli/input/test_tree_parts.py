"""The parts that read a command line: words that are nearly known, values in files, options, completion."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import OPERATIONS, Crm

from crm_cli import completion, failures
from crm_cli.failures import MisuseError
from crm_cli.settings import Options
from crm_cli.tree import calling, given, mistyped, near
from crm_cli.tree.own_options import own_options
from crm_cli.tree.parameters import Form

pytest_plugins = ["cli_fixtures"]


def test_a_word_is_meant_where_few_letters_differ() -> None:
    known = ["leads", "deals", "contacts", "api_key", "search-commands"]
    for word, meant in (
        ("leds", "leads"), ("laeds", "leads"), ("LEADS", "leads"), ("leadss", "leads"), ("lxads", "leads"),
        ("lxxds", None),
        ("contcats", "contacts"), ("contats", "contacts"), ("cntact", None), ("apikey", "api_key"),
        ("api-key", "api_key"),
        ("xyz", None), ("", None), ("searchcomands", "search-commands"),
    ):  # fmt: skip
        assert near.nearest(word, known) == meant, word
    assert near.nearest("ab", ["aa", "bb"]) is None, "either may be meant"
    assert near.nearest("x", []) is None and near.nearest("ab", ["abc", "abc"]) == "abc"
    for left, right, count in (("", "ab", 2), ("ab", "ba", 1), ("abc", "abc", 0), ("abc", "ac", 1), ("abc", "xbz", 2),
                               ("abcd", "acbd", 1), ("ca", "abc", 3)):  # fmt: skip
        assert near._slips(left, right) == near._slips(right, left) == count, (left, right)
    for word, meant in (("proposal-2", None), ("propsal", "proposal"), ("PROPOSAL", None), ("proposal", None)):
        assert near.slip_of(word, ["proposal", "won"]) == meant
    assert near.question_for("wno", ["won"]) == "; did you mean 'won'?" and near.question_for("x", ["won"]) == ""
    assert near.meant_or_all("citty", ["address.city"]) == "; did you mean 'address.city'?"
    assert near.meant_or_all("x", ["ab", "cd"]) == "; there are ab, cd" and near.meant_or_all("x", []) == ""
    assert (
        near.meant_or_all("x", ["ab"], listed=["all"]) == "; there are all"
        and near.meant_or_all("x", ["ab"], listed=[]) == ""
    )
    assert str(near.refusal("no x", "x", ["ab"])) == "no x; there are ab"


def test_a_mistyped_command_or_option_is_told_with_the_one_that_was_meant(crm: Crm) -> None:
    for words, said in (
        (["leds"], "No such command 'leds'. Did you mean 'leads'?; see"), (["leads", "lst"], "Did you mean 'list'?"),
        (["leads", "list", "--limt", "5"], "Did you mean '--limit'?"), (["version"], "`crm --version` prints it"),
        (["exports", "list"], "they are jobs, and `crm jobs list --kind export` lists them"),
        (["leads", "zzz"], "No such command 'zzz'"), (["leads", "version"], "No such command 'version'"),
    ):  # fmt: skip
        done = crm(*words)
        assert (done.status, said in done.err) == (failures.USAGE, True), done.err
    assert "prints it" not in crm("leads", "version").err and "Did you mean" not in crm("leads", "zzz").err
    near.explain(Of(ctx=None))


def test_a_value_of_a_wrong_type_is_told_as_it_is_typed() -> None:
    def error(kind: str, **detail: Any) -> Any:
        found = Of(
            param=Of(opts=["-n", "--count"]), message="odd", __cause__=Of(errors=lambda: [{"type": kind, **detail}])
        )
        return found

    assert mistyped.reworded(error("int_parsing", input="x")) == "--count must be a whole number, not 'x'"
    assert (
        mistyped.reworded(error("greater_than_equal", input=0, ctx={"ge": 1})) == "--count must be at least 1, not '0'"
    )
    assert mistyped.reworded(error("odd", input="x")) is None
    assert mistyped.reworded(Of(__cause__=None)) is None
    one = Of(param=Of(opts=["--over"]), message="Value error, 'wss' is not one of 'ws', 'sse'.", __cause__=None)
    assert mistyped.reworded(one) == "--over must be one of ws, sse, not 'wss'; did you mean 'ws'?"
    mistyped.refuse_slips("--x", ["won", "other"], ["won"])
    mistyped.refuse_slips("--x", None, ["won"])
    mistyped.refuse_slips("--x", "wno", [])
    for typed in ("wno", ["other", "wno"]):
        with pytest.raises(MisuseError, match="won"):
            mistyped.refuse_slips("--x", typed, ["won"])


def test_texts_and_json_are_read_from_files_and_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("x", "@", "@@x", ""):
        assert given.texts_in_file(text, "--tags") is None
    for content, texts in (
        ("a\n\n b \n", ["a", "b"]),
        ('["a", "", 5]', ["a", "5"]),
        ('{"a": 1}', ['{"a": 1}']),
        ("", []),
    ):
        Path("f").write_text("\ufeff" + content, encoding="utf-8")
        assert given.texts_in_file("@f", "--tags") == texts
        monkeypatch.setattr(sys, "stdin", io.StringIO(content))
        assert given.texts_in_file("@-", "--tags") == texts
    with pytest.raises(MisuseError, match="--tags: there is no file 'none'; what begins with @ is typed as @@none"):
        given.texts_in_file("@none", "--tags")
    Path("f").write_text('{"a": 1}')
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    assert (given.read_json("@f", "-d"), given.read_json("-", "-d"), given.read_json("5", "-d")) == ({"a": 1}, [1], 5)
    assert given.read_json('{"a": 1}\n\n {"b": 2}\n', "-d") == [{"a": 1}, {"b": 2}]
    for odd in ("{", "{\n{", '{"a": 1}\n5', '{"a": 1}\nx', "x"):
        with pytest.raises(MisuseError, match="-d: this is not JSON"):
            given.read_json(odd, "-d")


def test_a_call_has_the_options_of_its_kind() -> None:
    def own(call: str) -> dict[str, Any]:
        return {p.name: p.default for p in own_options(Form(OPERATIONS[call]))}

    listed, deleted, made = own("leads.list"), own("deals.delete"), own("deals.create")
    assert {"every", "watch", "columns"} <= listed.keys() and not {"yes", "data", "to", "wait"} & listed.keys()
    assert "yes" in deleted and "data" in made and made["data"].rich_help_panel is not None
    assert all(default.default in (None, False) for default in (*listed.values(), *deleted.values(), *made.values()))
    job = own("exports.export") if "exports.export" in OPERATIONS else {}
    waits = [Form(call) for call in OPERATIONS.values() if Form(call).is_job or Form(call).makes_file]
    for form in waits:
        options = {p.name: p.default for p in own_options(form)}
        assert options["wait"].default is (form.waits or form.is_run), form.operation.id
        assert ("to" in options) is (form.makes_file or form.operation.kind == "download")
    assert job == {} or "to" in job
    told = [p.default.help for form in waits for p in own_options(form) if p.name == "to"]
    assert any("Its end tells --format" in text for text in told)


def test_a_run_that_makes_a_file_is_waited_for_and_its_file_saved(
    served: Crm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    form = next(form for form in map(Form, OPERATIONS.values()) if form.is_run and form.makes_file)
    waited: list[Any] = []
    fetched: list[Any] = []
    result = Of(file_id="file_1", id="run_1", status="succeeded", failures=None, error=None)

    def wait(timeout: float | None) -> Any:
        waited.append(timeout)
        return result

    client: Any = Of(files=Of(download=lambda id_: f"of {id_}"))
    printer: Any = Of(is_for_people=False, has_columns=False, show=fetched.append, format="json")
    monkeypatch.setattr(calling.Run, "_download", lambda self, download, printer: fetched.append(download))
    begun: Any = Of(wait=wait, status="running", failures=None, error=None)
    nothing: Any = None
    for options, shown in (({"to": "a.pdf", "wait": True}, ["of file_1"]), ({"wait": True}, [result]), ({}, [begun])):
        run = calling.Run(form, Options(), {}, **options)
        assert run._print(client, begun, printer, nothing, nothing) is None
        assert fetched == shown
        fetched.clear()
    assert waited == [None, None]
    result.file_id = None
    calling.Run(form, Options(), {}, to="a.pdf", wait=True)._print(client, begun, printer, nothing, nothing)
    assert fetched == [result]


def test_the_end_of_a_files_name_tells_its_format() -> None:
    form = next(
        form
        for form in map(Form, OPERATIONS.values())
        if any(p.name == "format" and p.place != "argument" and "csv" in p.choices for p in form.parameters)
    )
    option = next(p for p in form.parameters if p.name == "format")
    assert calling._format_told(form, "a.b.CSV") == (option, "csv")
    assert calling._format_told(form, "csv.odd") is None and calling._format_told(form, "-") is None
    assert calling._format_told(Form(OPERATIONS["leads.get"]), "a.csv") is None
    secret = {"password": True, "client_secret": True, "mfa_token": True, "api_key": True, "mfa_code": True,
              "token": True, "api_key_id": False, "name": False, "secret_id": False}  # fmt: skip
    assert {name: calling._is_secret(name) for name in secret} == secret


# -- completion


ROOT: dict[str, Any] = {
    "options": {"--output": ["json", "jsonl"], "-o": ["json"], "--debug": False},
    "commands": {
        "leads": {"help": "Leads.", "noun": True, "commands": {
            "list": {"help": "List:\tall.", "options": {"--status": ["new", "won"], "--all": False}, "arguments": []},
            "get": {"help": "", "options": {}, "arguments": [["lead_1", "lead_2"], ["x"]]},
        }},
        "logout": {"help": "Out.", "options": {}, "arguments": []},
    },
}  # fmt: skip


def test_what_can_follow_is_completed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for typed, found in (
        ("l", ["leads", "logout"]), ("leads ", ["list", "get"]), ("leads g", ["get"]), ("odd ", []), ("logout ", []),
        ("leads list --", ["--status", "--all", "--output", "--debug"]), ("leads list --status ", ["new", "won"]),
        ("leads list --status=n", ["--status=new"]), ("leads list --all --st", ["--status"]),
        ("--output js", ["json", "jsonl"]),
        ("leads list --status=new --a", ["--all"]), ("-o json leads l", ["list"]), ("leads get ", ["lead_1", "lead_2"]),
        ("leads get lead_1 ", ["x"]), ("leads get lead_1 x ", ["x"]), ("leads get - ", ["x"]),
        ("leads list --status new,w", ["new,won"]),
        ("leads list --odd ", []), ("leads get list ", ["x"]), ("leads list --debug --s", ["--status"]),
    ):  # fmt: skip
        *before, current = typed.split(" ")
        words = [word for word, _ in completion.answers(ROOT, before, current) if not word.startswith("crm-")]
        assert words == found, typed
    monkeypatch.setattr(completion, "names", lambda needed=None: ROOT)
    lines = completion._lines
    assert lines("zsh", ["crm", "leads", "l"], 2) == ["list:List: all."] and lines("zsh", ["crm", "leads", "g"], 2) == [
        "get"
    ]
    assert lines("fish", ["crm", "leads", "l"], 2) == ["list\tList: all."] and lines(
        "fish", ["crm", "leads", "g"], 2
    ) == ["get"]
    assert lines("bash", ["crm", "leads"], 2) == ["list", "get"] and lines("bash", ["crm", "leads", "'g"], 2) == ["get"]
    assert lines("bash", ["crm", "leads", "list", "--status", "=", "n"], 5) == ["new"]
    assert completion.complete(["bash", "odd"]) == 0 and completion.complete([]) == 0


def test_words_are_quoted_as_each_shell_reads_them() -> None:
    assert completion._escape("a:b\\") == "a\\:b\\\\" and completion._one_line("a\nb\x1b") == "a b "
    for word, meant in (("a b", "a b"), ("'a b", "a b"), ('"a\\"b"', 'a"b'), ("a\\ b", "a b"),
                        ("'a\\b'", "a\\b"), ("a\\", "a"),
                        ("\"it's\"", "it's"), ("'a'\"b\"", "ab")):  # fmt: skip
        assert completion._unquote(word) == meant, word
    assert [completion._split_quote(word) for word in ("'a b", '"a', "a")] == [("'", "a b"), ('"', "a"), ("", "a")]
    assert completion._quote("it's $x", "'") == "it'\\''s $x" and completion._quote('a"$ b', '"') == 'a\\"\\$ b'
    assert completion._quote("a b*", "") == "a\\ b\\*"
    assert completion._rejoin(["crm", "--a", "=", "b", "c", "=", "--d", "="]) == ["crm", "--a=b", "c", "=", "--d="]
    assert completion._takes_value(ROOT, "--output") and not completion._takes_value(ROOT, "--debug")
    assert not completion._takes_value(ROOT, "--output=x") and not completion._takes_value(ROOT, "leads")
    assert completion._expand_alias(ROOT, ["--output", "json", "leads", "x"]) == (
        ["--output", "json", "leads", "x"],
        False,
    )
