"""The root of the command line: commands that are built when they are needed, and what is refused before one begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from shell import Crm

from crm_cli import app, failures
from crm_cli.app import Commands
from crm_cli.failures import MisuseError
from crm_sdk import __version__

pytest_plugins = ["cli_fixtures"]


def test_a_command_is_built_once_when_it_is_needed() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    commands = Commands(lambda: ["a", "b"], make)
    assert (list(commands), len(commands), made) == (["a", "b"], 2, [])
    assert (commands["a"], commands["a"], made) == ("A", "A", ["a"])
    commands["b"] = "own"
    assert commands["b"] == "own" and made == ["a"]
    del commands["b"]
    assert commands["b"] == "B" and made == ["a", "b"]


def test_the_version_and_the_map_are_told_whatever_stands_before(crm: Crm) -> None:
    for words in (["-o", "json", "--version"], ["--version", "--debug"]):
        done = crm(*words)
        assert (done.status, done.out, done.err) == (0, f"crm {__version__}\n", "")
    refused = crm("--map", "yaml")
    assert (refused.status, refused.err) == (failures.USAGE, "error: --map must be json, not 'yaml'\n")


def test_the_map_is_json_with_two_blanks(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_cli.discovery.tree.whole", lambda: {"a": {"b": 1}})
    done = crm("--map", "json")
    assert (done.status, done.out) == (0, '{\n  "a": {\n    "b": 1\n  }\n}\n')


def test_where_a_server_is_known_help_is_shown(crm: Crm, folder: Path) -> None:
    nothing = crm()
    assert "No server is known yet" in nothing.out and not nothing.out.endswith("\n\n")
    for words in (["--offline"], ["--base-url", "http://crm.test"], ["--timeout", "5", "--offline"]):
        shown = crm(*words)
        assert shown.status == 0 and "Usage: crm" in shown.out and "No server is known" not in shown.out
        assert shown.out.endswith("\n") and not shown.out.endswith("\n\n")


def test_commands_have_the_options_that_they_can_do_something_with(served: Crm) -> None:
    for words, taken in (
        (["api", "POST", "/v1/leads", "--dry-run"], True), (["undo", "--list", "--explain"], True),
        (["today", "--dry-run"], False), (["status", "--explain"], False), (["whoami", "--watch"], False),
        (["api", "GET", "/v1/leads", "--watch"], False), (["today", "--watch", "--timeout", "0.01"], True),
        (["leads", "--install-completion"], False), (["--install-completion"], False),
        (["leads", "--show-completion"], False),
    ):  # fmt: skip
        done = served(*words)
        assert (done.status != failures.USAGE) is taken, (words, done.err)


@pytest.mark.thorough
def test_a_noun_alone_is_its_help_or_its_own_view(served: Crm) -> None:
    for words in (["leads"], ["leads", "--help"], ["leads", "-h"], ["contacts", "relationships"]):
        done = served(*words)
        assert f"Usage: crm {words[0]}" in done.out, words
        assert done.status in (0, failures.USAGE)
    assert served("dashboard").json.keys() >= {"summary", "forecast"} and "Usage" in served("dashboard", "--help").out
    assert served("search", "zebra").status == 0 and "Usage: crm search" in served("search").out
    for words in (["dashboard", "odd"], ["leads", "odd"], ["odd"], ["--odd"], ["leads", "list", "--odd"]):
        done = served(*words)
        assert (done.status, done.out, words[-1] in done.err) == (failures.USAGE, "", True), words
    assert served("leads", "list", "--odd").err.endswith("; see `crm leads list --help`\n")
    assert served("class-var").status == served("resources").status == failures.USAGE


def test_what_fails_before_a_command_begins_is_told_like_all_else(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    def raised(error: BaseException, *words: str) -> int:
        def start() -> Any:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(app, "application", start)
            return app.run(words)

    assert raised(MisuseError("what?")) == failures.USAGE
    assert raised(typer.Abort()) == failures.INTERRUPTED
    assert raised(ZeroDivisionError()) == failures.GENERIC
    with pytest.raises(OSError, match="full"):
        raised(OSError("full"))


def test_errors_before_a_command_are_json_where_it_is_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, crm: Crm
) -> None:
    for error, code in ((MisuseError("what?"), "USAGE"), (typer.Abort(), "INTERRUPTED"), (ValueError("x"), "INTERNAL")):

        def start(error: BaseException = error) -> Any:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(app, "application", start)
            app.run(["--json-errors"])
            assert f'"code": "{code}"' in capsys.readouterr().err
            app.run([])
            plain = capsys.readouterr().err
        assert plain.startswith("interrupted" if code == "INTERRUPTED" else "error: ")
    refused = crm("leads", "lst", "--json-errors")
    assert '"code": "USAGE"' in refused.err and '"hint": "see `crm leads --help`"' in refused.err
