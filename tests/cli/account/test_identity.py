"""Who somebody is, in a line; what a session's store has; which extras are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from shell import Crm

from crm_cli.account import credentials, doctor
from crm_cli.account.credentials import Account, Secret, SessionStore
from crm_cli.account.identity import Identity
from crm_sdk.sign_in.stored import StoredTokens

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize(
    ("identity", "label"),
    [
        (Identity(), "no user: the key of an application, or of a server that does not tell"),
        (
            Identity(name="Ada", email="a@b.test"),
            "no user: the key of an application, or of a server that does not tell",
        ),
        (Identity("u1"), "u1"),
        (Identity("u1", "Ada"), "Ada"),
        (Identity("u1", None, "a@b.test"), "a@b.test"),
        (Identity("u1", "Ada", "a@b.test"), "Ada <a@b.test>"),
    ],
)
def test_who_it_is_in_a_line(identity: Identity, label: str) -> None:
    assert identity.label == label


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("in_file", [True, False])
def test_a_session_is_what_a_sign_in_left_and_no_key_of_an_api(in_file: bool) -> None:
    account = Account("work", "http://crm.test/")
    assert account.entry == "http://crm.test#work" and Account("default", "http://crm.test/").entry == "http://crm.test"
    assert SessionStore(account).load() is None
    credentials.save(account, Secret("key"), in_file=in_file)
    store = SessionStore(account)
    assert store.load() is None and account.file.exists() is in_file
    store.save(StoredTokens("access", "refresh"))
    assert store.load() == StoredTokens("access", "refresh") and account.file.exists() is in_file
    assert credentials.load(account) == Secret("access", "refresh", True)
    store.clear()
    assert store.load() is None and not account.file.exists()


@pytest.mark.parametrize(
    ("missing", "state", "found"),
    [
        ((), "ok", "installed"),
        (("jq",), "warn", "installed in part: jq missing"),
        (("jq", "yaml"), "warn", "installed in part: jq, yaml missing"),
        (("jq", "jinja2", "yaml"), "ok", "not installed"),
    ],
)
def test_an_extra_is_installed_whole_in_part_or_not(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], state: str, found: str
) -> None:
    def find(name: str) -> Any:
        return None if name in missing else find_spec(name)

    monkeypatch.setattr(doctor, "find_spec", find)
    check = doctor._extra("cli")
    assert (check.state, check.found) == (state, found)


@pytest.mark.parametrize("way", ["option", "variable", "file"])
def test_a_profile_is_named_by_letters_digits_and_lines(
    way: str, crm: Crm, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, status in (("a b", 2), ("-a", 2), ("../a", 2), ("a" * 65, 2), ("a" * 64, 0), ("_a-1", 0)):
        file = folder / "config.toml"
        file.write_text(f'profile = "{name}"\n' if way == "file" else "")
        if way == "variable":
            monkeypatch.setenv("CRM_PROFILE", name)
        words = [f"--profile={name}"] if way == "option" else []
        done = crm("config", "set", "base_url", "http://crm.test", *words)
        assert done.status == status, (name, done.err)
        assert ("letters, digits, - and _" in done.err) is bool(status)
        assert ("http://crm.test" in file.read_text()) is (status == 0)
