"""What a command shows of an answer it does not know, of an import's warnings, and which keyrings it trusts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.null import Keyring as Null
from shell import Crm, Memory

from crm_cli import failures
from crm_cli.account import credentials
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


def test_the_status_of_any_answer_is_shown(served: Crm) -> None:
    assert served("api", "GET", "/v1/leads", "-q", "limit=1").err == "status 200\n"
    made = served("api", "POST", "/v1/leads", "--data", '{"name": "Ada"}')
    assert made.err == "status 201\n"
    assert "status 20" in served("api", "DELETE", f"/v1/leads/{made.json['data']['id']}").err
    assert "404" in served("api", "GET", "/v1/nothing").err


def test_the_warnings_of_an_import_are_shown(served: Crm, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,email,birthday\nAda,ada@new.example,some day\n")
    done = served("contacts", "imports", "create", str(file), "--dialect", "platform", "-o", "json")
    assert done.status == 0
    assert len(done.json["warnings"]) == 1
    assert done.err.startswith("1 warning; the rows are there\n  row 1, birthday: ")


def made(kind: Any) -> Any:
    """Make a keyring of keyring's own, which has no types."""
    return kind()


class Plain(Memory):
    """A keyring of another module, which may write a file."""


class Forgetful(Memory):
    def set_password(self, service: str, username: str, password: str) -> None:
        return


@pytest.mark.parametrize("kind", ["null", "plain", "chain", "forgetful"])
def test_a_keyring_that_keeps_nothing_or_shows_it_is_refused(
    kind: str, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = made(ChainerBackend)
    monkeypatch.setattr(ChainerBackend, "backends", [made(Null)])
    ring = {"null": made(Null), "plain": Plain(), "chain": chain, "forgetful": Forgetful()}[kind]
    if kind == "forgetful":
        monkeypatch.setattr(credentials, "KEYRINGS", {Forgetful.__module__})
    else:
        monkeypatch.setattr(credentials, "KEYRINGS", credentials.KEYRINGS - {Plain.__module__})
    keyring.set_keyring(ring)
    with StubServer().intercept():
        refused = crm("login", "--base-url", "http://crm.test", stdin="acme-admin\n")
    assert (refused.status, refused.out) == (failures.USAGE, "")
    assert "set CRM_API_KEY" in refused.err


def test_the_position_in_the_changes_is_a_word_for_the_shell(served: Crm) -> None:
    position = served("changes", "list", "--start", "now", "--limit", "0").out
    assert position.endswith("\n") and position.count("\n") == 1
    made = served("leads", "create", "--name", "Ada").json["id"]
    found = served("changes", "list", "--cursor", position.strip(), "--all", "-o", "jsonl").out
    assert [json.loads(line)["entity"]["id"] for line in found.splitlines()] == [made]
    whole = served("changes", "list", "--start", "now", "--limit", "0", "-o", "json").json
    assert whole["items"] == [] and whole["cursor"]
