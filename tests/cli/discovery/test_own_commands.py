"""Aliases, and programs called crm-NAME."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shell import Crm

pytest_plugins = ["cli_fixtures"]


def test_an_alias_stands_for_its_command_with_the_words_after_it(offline: Crm) -> None:
    assert offline("alias", "set", "co", "contacts list --status active --limit 2").status == 0
    assert offline("alias", "set", "look", "crm $1 get $2 --fields id").status == 0
    assert len(offline("co").json) == 2
    assert offline("-o", "ids", "co", "--limit", "1").out.count("\n") == 1
    assert offline("look", "leads", "lead_123").json == {"id": "lead_123"}
    assert [row["alias"] for row in offline("alias", "list").json] == ["co", "look"]
    missing = offline("look", "leads")
    assert (missing.status, "type what $2 stands for" in missing.err) == (2, True)
    assert offline("alias", "delete", "co").status == 0
    assert offline("co").status == 2


@pytest.mark.parametrize(
    ("name", "command", "said"),
    [
        ("leads", "contacts list", "a command of crm itself"),
        ("Co!", "contacts list", "small letters"),
        ("co", "contcats list", "did you mean 'contacts'?"),
        ("co", "contacts 'list", "cannot be split"),
        ("co", "", "is no command"),
    ],
)
def test_an_alias_that_could_not_work_is_refused(name: str, command: str, said: str, crm: Crm) -> None:
    done = crm("alias", "set", name, command)
    assert (done.status, said in done.err) == (2, True), done.err


def test_aliases_use_one_another_but_not_in_a_circle(crm: Crm, folder: Path) -> None:
    assert crm("alias", "set", "one", "leads --help").status == 0
    assert crm("alias", "set", "two", "one").status == 0
    assert "crm leads" in crm("two").out
    assert crm("alias", "set", "one", "two").status == 0
    assert "stand for one another: two -> one -> two" in crm("two").err
    (folder / "aliases.json").write_text("{")
    assert (crm("two").status, "is damaged" in crm("two").err) == (2, True)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("crm-hello", "crm-leads"):
        program = folder / name
        program.write_text(
            '#!/bin/sh\necho "$*" "$CRM_BASE_URL" "$CRM_TENANT_ID" "[$CRM_API_KEY]" > "$0.out"\nexit 3\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.mark.skipif(os.name == "nt", reason="a program of sh")
def test_a_program_gets_the_words_and_the_settings_but_no_secret(crm: Crm, programs: Path) -> None:
    words = ("--base-url", "https://crm.test", "--tenant", "acme", "--api-key", "secret-key")
    assert crm(*words, "hello", "a", "--b").status == 3
    assert (programs / "crm-hello.out").read_text() == "a --b https://crm.test acme []\n"
    listed = {row["name"]: row["hidden"] for row in crm("extensions", "list").json}
    assert listed == {"hello": False, "leads": True}
    assert "crm leads COMMAND --help" in crm("leads", "--help").out
    assert not (programs / "crm-leads.out").exists()
    assert crm("../bin/crm-hello").status == 2
