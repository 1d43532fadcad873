"""The example in the help of every command runs: with the demo data, or as far as it goes without a server's secret."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from shell import ROOT, Crm, Result

from crm_cli.discovery.tree import entries
from crm_cli.front.shell_lines import in_lines
from crm_cli.help.written import written_examples
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

PORTIONS = 24
"""Into so many tests the nouns are divided: what their names are takes seconds to find."""
SHOWN = {
    "auth authorize", "auth token", "auth login", "auth refresh", "auth password confirm", "auth email verify",
    "auth mfa verify", "auth mfa disable", "auth mfa backup-codes get", "auth mfa backup-codes regenerate",
    "auth sessions delete", "calendar feed download", "communication calls dial", "communication meetings join",
    "dashboards widgets reorder", "integrations mappings create", "marketplace apps update",
    "marketplace apps analytics", "marketplace apps versions create", "notifications retry", "social accounts connect",
    "webhooks deliveries get", "webhooks deliveries redeliver", "workflows triggers fire",
}  # fmt: skip
"""What needs a secret that only a mail, a network or another program has, or another time: its call is only shown."""
READ = {
    "dashboards subscribe", "webhooks listen", "webhooks replay", "webhooks sign", "webhooks verify",
    "webhooks trigger", "channels join", "events tail", "login", "logout", "status", "sync", "man", "stub serve",
    "restore", "changes follow", "whoami", "doctor", "undo", "wait", "accounts import", "deals import",
    "activities import", "configuration territories import", "leads import", "contacts import", "objects import",
}  # fmt: skip
"""What waits for something outside, or has tests of its own in processes: its words are read, and help is printed."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that examples name, in the folder of the shell."""
    (tmp_path / "people.csv").write_text("name,email\nAda Lovelace,ada.l@example.com\n")
    (tmp_path / "positions.json").write_text("{}")
    (tmp_path / "refresh-token.json").write_text('{"refresh_token": "rt_1"}')
    Image.new("RGB", (64, 64), "navy").save(tmp_path / "portrait.png")
    monkeypatch.chdir(tmp_path)


def typed(line: str, crm: Crm, *more: str) -> Result:
    """Type a line as a shell reads it: with what a command within it prints, and the variables it names."""
    inner = re.sub(r"\$\((crm [^()]*)\)", lambda found: typed(found[1], crm).out.strip(), line)
    program, *words = shlex.split(re.sub(r"\$[A-Z_]+", "set_before", inner))
    assert program == "crm"
    return crm(*words, *more, stdin="asked for\n")


@cache
def commands() -> dict[str, dict[str, Any]]:
    return {entry["command"]: entry for entry in entries() if entry["example"] or not entry["isGroup"]}


@pytest.mark.thorough
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_the_examples_of_a_portion_of_nouns_run(portion: int, files: None, stub: StubServer, served: Crm) -> None:
    demo = stub.snapshot()
    nouns = sorted({words.split()[1] for words in commands()})[portion::PORTIONS]
    assert nouns
    for command, entry in commands().items():
        words = command.removeprefix("crm ")
        if words.split()[0] not in nouns:
            continue
        stub.restore(demo)
        *before, last = entry["example"]
        if words in READ:
            assert typed(last, served, "--help").status == 0, last
            continue
        for line in [] if words in SHOWN else before:
            done = typed(line, served)
            assert done.status == 0, f"{line}: {done.err}"
        done = typed(last, served, *(["--explain"] if words in SHOWN else []))
        assert done.status == 0, f"{last}: {done.err}"


@pytest.mark.thorough
def test_every_command_has_an_example_of_itself_and_a_sentence_for_what_is_typed() -> None:
    for command, entry in commands().items():
        assert entry["example"], command
        assert entry["example"][-1].startswith(command), entry["example"]
        assert re.match(r"[A-Z]", entry["summary"]), command
        for each in [*entry["arguments"], *entry["options"]]:
            assert re.match(r"\S[^.]*\S", each["about"]), (command, each)


@pytest.mark.thorough
def test_what_is_written_by_hand_belongs_to_a_command() -> None:
    words = {command.removeprefix("crm ") for command in commands()}
    assert written_examples().keys() - words == set()
    assert (SHOWN | READ) - words == set()


@pytest.mark.parametrize("width", [40, 80])
def test_lines_are_broken_only_between_options(width: int) -> None:
    for lines in written_examples().values():
        shown = "\n".join(in_lines(lines, width))
        assert shown.replace(" \\\n   ", "").split("\n") == [f"  {line}" for line in lines]


@pytest.mark.thorough
def test_an_example_runs_in_a_real_shell(files: None, offline: Crm, tmp_path: Path) -> None:
    lines = written_examples()["chatops confirm"]
    script = f'crm() {{ "{sys.executable}" -m crm_cli "$@"; }}\n' + "\n".join(in_lines(lines, 60))
    done = subprocess.run(
        ["sh", "-ec", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, '"high"' in done.stdout) == (0, True), done.stderr


def test_the_words_of_an_example_may_be_any() -> None:
    quote: Callable[[str], str] = shlex.quote
    line = f"crm x --name {quote('it is --yes and $(so)')} --data {quote(chr(123) + chr(125))}"
    assert "\n".join(in_lines([line], 20)).replace(" \\\n   ", "") == f"  {line}"
