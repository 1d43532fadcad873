"""Profiles, the keyring, secrets in files, `crm status`, `crm whoami` and `crm doctor`."""

from __future__ import annotations

import getpass
import io
import stat
import sys
import time
from pathlib import Path
from typing import Any

import keyring
import pyotp
import pytest
from keyring.errors import KeyringLocked
from shell import Crm, Memory, Terminal

from crm_cli import failures
from crm_cli.account import credentials
from crm_cli.account.credentials import Account, Secret
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

AT = ("--base-url", "http://crm.test")


class Untouchable(Memory):
    """A keyring that must be left alone."""

    def get_password(self, service: str, username: str) -> str | None:
        raise AssertionError("the keyring was read")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("the keyring was written")

    def delete_password(self, service: str, username: str) -> None:
        raise AssertionError("the keyring was written")


class Hanging(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(0.5)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(0.5)


class Locked(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")


@pytest.fixture
def signed_in(crm: Crm, ring: Memory, stub: StubServer, project: Path) -> Any:
    """The command line with two accounts of one server: `default` is Ada's, `globex` is Gina's."""
    with stub.intercept():
        assert crm("login", *AT, stdin="acme-admin\n").status == 0
        assert crm("login", *AT, "--profile", "globex", stdin="globex-admin\n").status == 0
        yield crm


# -- profiles


def test_profiles_keep_accounts_apart(signed_in: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_in("whoami").json["id"] == "user_ada"
    assert signed_in("whoami", "--profile", "globex").json["id"] == "user_gina"
    monkeypatch.setenv("CRM_PROFILE", "globex")
    assert signed_in("whoami").json["company"] == "Globex"
    assert signed_in("whoami", "--profile", "default").json["profile"] == "default"
    assert signed_in("logout").status == 0
    assert signed_in("whoami").status == failures.AUTH
    assert signed_in("whoami", "--profile", "default").status == 0
    assert list(ring.kept) == [("crm", "http://crm.test")]


def test_a_profile_that_does_not_exist_is_told(signed_in: Crm) -> None:
    done = signed_in("leads", "list", "--profile", "globx")
    assert (done.status, "did you mean 'globex'?" in done.err) == (failures.USAGE, True)
    assert "letters, digits" in signed_in("login", *AT, "--profile", "../x", stdin="acme-admin\n").err


def test_the_first_profile_is_used_unless_told_otherwise(crm: Crm, ring: Memory, stub: StubServer) -> None:
    with stub.intercept():
        assert "commands use the profile work" in crm("login", *AT, "--profile", "work", stdin="acme-admin\n").err
        assert "crm config set profile other" in crm("login", *AT, "--profile", "other", stdin="globex-admin\n").err
        assert crm("whoami").json["profile"] == "work"
        crm("config", "set", "profile", "other")
        assert crm("whoami").json["id"] == "user_gina"


def test_a_profile_of_another_server_forgets_the_secret_of_the_first(signed_in: Crm, ring: Memory) -> None:
    assert signed_in("login", "--base-url", "http://other.test", "--dialect", "mvp", stdin="k\n").status != 0
    assert ("crm", "http://crm.test") in ring.kept, "not before the sign-in has worked"
    with StubServer().intercept():
        assert signed_in("login", "--base-url", "http://other.test", stdin="acme-admin\n").status == 0
    assert ("crm", "http://crm.test") not in ring.kept
    assert ("crm", "http://other.test") in ring.kept


def test_production_is_named_in_every_question(
    signed_in: Crm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in("config", "set", "production", "yes", "--profile", "globex")
    for profile, named in (("default", False), ("globex", True)):
        lead = signed_in("leads", "create", "--name", "Ada", "--profile", profile).json["id"]
        refused = signed_in("leads", "delete", lead, "--profile", profile)
        assert (refused.status, "PRODUCTION" in refused.err) == (failures.USAGE, named)
        assert ("(globex, http://crm.test)" in refused.err) is named
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdin", Terminal(io.BytesIO(b"n\n")))
            patched.setattr("crm_cli.terminal.asking.may_ask", lambda: True)
            from crm_cli.app import run

            assert run(("leads", "delete", lead, "--profile", profile)) == failures.DECLINED
        assert ("PRODUCTION (globex, http://crm.test)?" in capsys.readouterr().err) is named
    assert "PRODUCTION" not in signed_in("offline", "reset", "--profile", "globex", "--offline").err


# -- where the secret is


@pytest.mark.parametrize(("ring_of", "said"), [(Hanging, "has not answered within"), (Locked, "is locked")])
def test_a_keyring_that_waits_for_somebody_ends_the_command(
    ring_of: type[Memory], said: str, crm: Crm, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEYRING_SECONDS", 0.05)
    monkeypatch.setattr(credentials, "KEYRINGS", {ring_of.__module__})
    keyring.set_keyring(ring_of())
    with stub.intercept():
        done = crm("leads", "list", *AT)
        assert (done.status, done.out) == (failures.USAGE, "")
        assert said in done.err and "CRM_API_KEY" in done.err
        assert crm("login", *AT, stdin="acme-admin\n").status == failures.USAGE
    assert crm("config", "path").status == 0


class Forgetful(Memory):
    def set_password(self, service: str, username: str, password: str) -> None:
        return


@pytest.mark.parametrize("known", [False, True])
def test_a_session_that_cannot_be_stored_is_not_left_behind(
    known: bool, crm: Crm, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEYRINGS", {Forgetful.__module__} if known else set())
    keyring.set_keyring(Forgetful())
    with stub.intercept():
        done = crm("login", *AT, "--email", "ada@acme.test", stdin="demo-password\n")
    assert (done.status, "set CRM_API_KEY" in done.err) == (failures.USAGE, True)
    actions = [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.")]
    assert actions == (["auth.login", "auth.logout"] if known else []), "nobody signs in where nothing can be stored"


def test_a_key_of_the_environment_leaves_the_keyring_alone(
    crm: Crm, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEYRINGS", {Untouchable.__module__})
    monkeypatch.setattr(keyring, "get_keyring", lambda: pytest.fail("the keyring was asked for"))
    monkeypatch.setenv("CRM_API_KEY", "acme-admin")
    monkeypatch.setenv("CRM_BASE_URL", "http://crm.test")
    with stub.intercept():
        for words in (["leads", "list"], ["status"], ["whoami"], ["doctor"], ["config", "list"]):
            assert crm(*words).status == 0, words
        for words in (["login"], ["login", "--web"], ["logout"]):
            done = crm(*words, stdin="acme-admin\n")
            assert (done.status, "CRM_API_KEY is set" in done.err) == (failures.USAGE, True)
    assert crm("status").json["sources"]["credential"] == "CRM_API_KEY"


def test_a_secret_in_a_file_is_its_owners_alone(crm: Crm, folder: Path, stub: StubServer, ring: Memory) -> None:
    keyring.set_keyring(Untouchable())
    file = folder / "credentials" / "default.json"
    words = ("login", *AT, "--email", "ada@acme.test", "--insecure-storage")
    with stub.intercept():
        done = crm(*words, stdin="demo-password\n")
        assert done.status == 0, done.err
        assert f"the secret is in {file}, not encrypted" in done.err
        assert [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)] == [0o700, 0o600]
        before = file.read_bytes()
        stub.clock.advance(3601)
        assert crm("leads", "list", "--limit", "1").status == 0
        assert file.read_bytes() != before, "renewed"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        assert crm("status").json["credential"] == "session in a file"
        assert {row["check"]: row["state"] for row in crm("doctor").json}["keyring"] == "warn"
        file.chmod(0o644)
        refused = crm("leads", "list")
        assert (refused.status, f"{file} can be read by others" in refused.err) == (failures.USAGE, True)
        assert {row["check"]: row["state"] for row in crm("doctor").json}["keyring"] == "fail"
        assert "none: " in crm("status").json["credential"]
        file.chmod(0o600)
        assert crm("logout").status == 0
        assert not file.exists()
        keyring.set_keyring(ring)
        assert crm(*words, stdin="demo-password\n").status == 0
        assert crm(*words[:-1], stdin="demo-password\n").status == 0
    assert not file.exists(), "it is in the keyring now"
    assert ring.kept


def test_a_secret_is_for_its_server_alone(folder: Path) -> None:
    here, there = Account("default", "http://a.test"), Account("default", "http://b.test")
    credentials.save(here, Secret("key-of-a"), in_file=True)
    assert credentials.load(here) == Secret("key-of-a")
    assert credentials.load(there) is None
    (folder / "credentials" / "default.json").write_text("{")
    assert credentials.load(here) is None


# -- ways to sign in


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--web --with-token", "--web asks for the address"),
        ("--email a@b.test --with-token", "type one of them"),
        ("--no-browser", "type both"),
    ],
)
def test_ways_to_sign_in_do_not_mix(words: str, said: str, crm: Crm) -> None:
    done = crm("login", *AT, *words.split(), stdin="x\n")
    assert (done.status, said in done.err) == (failures.USAGE, True)


def test_a_token_comes_from_stdin(crm: Crm, ring: Memory, stub: StubServer) -> None:
    with stub.intercept():
        done = crm("login", *AT, "--with-token", stdin="acme-admin\n")
        assert (done.status, "as Ada Lindqvist" in done.err) == (0, True)
        assert crm("login", *AT, "--with-token", stdin="").status == failures.USAGE


def test_where_no_browser_reaches_this_machine_its_address_is_pasted(
    crm: Crm, ring: Memory, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    def paste(what: str, *, secret: bool = False) -> str:
        address = next(word for word in said if word.startswith("http"))
        answer = httpx.post(address, data={"email": "mia@acme.test", "password": "demo-password"})
        return answer.headers["location"]

    said: list[str] = []
    monkeypatch.setattr("crm_cli.account.signin.complain", lambda line: said.extend(line.split()))
    monkeypatch.setattr("crm_cli.account.signin._line", paste)
    with stub.serve() as port:
        assert crm("login", "--base-url", port.url, "--web", "--no-browser").status == 0
        assert crm("whoami").json["id"] == "user_mia"
        assert crm("logout").status == 0


def test_at_a_terminal_the_way_is_asked_for(
    crm: Crm, ring: Memory, stub: StubServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_cli.app import run

    ada = stub.client(api_key=None)
    ada.auth.login("ada@acme.test", "demo-password")
    totp = pyotp.TOTP(str(ada.auth.mfa.setup().secret))
    ada.auth.mfa.verify(totp.at(stub.clock.now()))
    stub.clock.advance(60)
    typed = f"http://crm.test\nfax\nemail\nada@acme.test\n000000\n{totp.at(stub.clock.now())}\n"
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(typed.encode())))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "demo-password")
    with stub.intercept():
        assert run(("login",)) == 0
    said = capsys.readouterr().err
    assert "type one of web, email, key" in said and "this code is not valid" in said
    assert "signed in to http://crm.test as Ada Lindqvist" in said


# -- what is shown


def test_status_tries_the_credential_and_says_where_all_is_from(signed_in: Crm, folder: Path) -> None:
    whole = signed_in("status", "--tenant", "tenant_acme").json
    assert (whole["user"], whole["company"]) == ("Ada Lindqvist <ada@acme.test>", "Acme")
    assert (whole["tried"], whole["version"].startswith("crm ")) == ("works", True)
    assert whole["sources"]["server"] == f"[profiles.default] of {folder / 'config.toml'}"
    assert (whole["sources"]["tenant"], whole["sources"]["credential"]) == ("--tenant", "the keyring")
    assert "Ada Lindqvist <ada@acme.test>, admin at Acme on http://crm.test" in signed_in("whoami", "-o", "table").out
    assert "[profiles.default]" in signed_in("status", "-o", "table").out


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("words", "status", "tried"),
    [
        (["--api-key", "wrong-key"], failures.AUTH, "not signed in"),
        (["--base-url", "http://u:p@crm.test"], failures.USAGE, "not configured"),
        (["--offline"], 0, "works"),
    ],
)
def test_status_fails_as_a_command_would(words: list[str], status: int, tried: str, signed_in: Crm) -> None:
    done = signed_in("status", *words, "--timeout", "5")
    assert (done.status, done.json["tried"]) == (status, tried)
    assert bool(done.err) is (status != 0)
    assert "u:p@" not in done.out + done.err


@pytest.mark.parametrize(
    ("words", "variables", "hint"),
    [
        ([], {}, "sign in with `crm login`, or set CRM_API_KEY"),
        (["--profile", "globex"], {}, "sign in with `crm login --profile globex`, or set CRM_API_KEY"),
        (["--api-key", "wrong-key"], {}, "--api-key is used here: replace it, or leave it out and sign in"),
        ([], {"CRM_API_KEY": "wrong-key"}, "CRM_API_KEY is used here: replace it, or unset it and sign in"),
    ],
)
def test_a_refused_credential_is_told_what_helps(
    words: list[str],
    variables: dict[str, str],
    hint: str,
    signed_in: Crm,
    ring: Memory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring.kept.clear()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = signed_in("leads", "list", *words)
    assert (done.status, hint in done.err) == (failures.AUTH, True)


@pytest.mark.parametrize(
    ("words", "variables", "check", "state"),
    [
        ([], {}, None, "ok"),
        (["--api-key", "wrong-key"], {}, "credential", "fail"),
        (["--base-url", "http://crm.example"], {"CRM_PROXY": "http://u:pass-word@127.0.0.1:9"}, "tls", "warn"),
        ([], {"CRM_PROXY": "nonsense"}, "proxy", "fail"),
        ([], {"CRM_PROFILE": "globx"}, "settings", "fail"),
        ([], {"CRM_TIMEOUT": "soon"}, "settings", "fail"),
        (["--dialect", "morse"], {}, "settings", "fail"),
    ],
)
def test_doctor_finds_what_is_wrong(
    words: list[str],
    variables: dict[str, str],
    check: str | None,
    state: str,
    signed_in: Crm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = signed_in("doctor", *words, "-o", "json", *(["--timeout", "2"] if "CRM_TIMEOUT" not in variables else []))
    found = {row["check"]: row for row in done.json}
    failed = [row for row in done.json if row["state"] == "fail"]
    assert done.status == (failures.GENERIC if failed else 0)
    if check is None:
        assert not failed
        assert {"python", "version", "extra cli", "settings file", "project file", "keyring"} < found.keys()
        assert {"server", "proxy", "reachable", "tls", "clock", "credential", "dialects"} < found.keys()
    else:
        assert found[check]["state"] == state
        assert found[check]["remedy"]
    assert "pass-word" not in done.out + done.err


@pytest.mark.parametrize(("scheme", "tls"), [("http", "ok"), ("https", "fail")])
def test_a_server_that_is_not_there(scheme: str, tls: str, crm: Crm, project: Path) -> None:
    words = ("--base-url", f"{scheme}://127.0.0.1:9", "--api-key", "some-key", "--timeout", "2")
    done = crm("status", *words)
    assert (done.status, done.json["tried"]) == (failures.RETRYABLE, "no connection")
    done = crm("doctor", *words)
    found = {row["check"]: row["state"] for row in done.json}
    assert (done.status, found["reachable"], found["tls"]) == (failures.GENERIC, "fail", tls)
    assert "credential" not in found


def test_doctor_compares_the_clocks(signed_in: Crm, stub: StubServer) -> None:
    [clock] = [row for row in signed_in("doctor").json if row["check"] == "clock"]
    assert clock["state"] == "warn", "the clock of the stub stands at another time"
    assert "ahead of the server" in clock["found"] or "behind the server" in clock["found"]
