"""The files of settings, and `crm config`: what is refused, what is kept, what a project's file may not do."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from shell import Crm, Memory

from crm_cli import failures
from crm_cli.account.profiles import SignIn, read_sign_in, write_sign_in
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

CANARY = "canary-6d1f"
USER = """\
# the servers that I use
profile = "work"  # mostly

[profiles.work]   # the real one
base_url = "https://crm.test"   # since May
production = true

[profiles.home]
base_url = "http://crm.test"
"""

REFUSED = [
    ("x = [", "is damaged: it is not TOML"),
    ("[profiles.a]\nbase_url = \x00", "is damaged: it is not TOML"),
    (f'api_key = "{CANARY}"', "has 'api_key'"),
    (f'[profiles.a.more]\nAccess-Token = "{CANARY}"', "has 'Access-Token'"),
    (f'[[accounts]]\npassword = "{CANARY}"', "has 'password'"),
    (f'base_url = "https://u:{CANARY}@crm.test"', "base_url"),
    ('languag = "de"', "did you mean 'language'?"),
    ("timeout = -1", "must be a number of seconds above 0"),
    ("timeout = true", "must be a number of seconds above 0"),
    ('output = "xml"', "must be one of table, json"),
    ('offline = "maybe"', "must be 1 or 0"),
    ("language = 5", "must be a text"),
    ('profile = "../x"', "must be a name of letters"),
]
OF_USER = [
    ('[profiles.a]\ndialects = "morse"', "must be one of mvp, flow, platform"),
    ("profiles = 5", "a profile is a table"),
    ('[profiles."a b"]', "a profile is named by letters"),
    ('base_url = "https://crm.test"', "belongs to a profile"),
    ('[profiles.a]\nprofile = "b"', "at the beginning of the file"),
    ('[profiles.a]\napi-key = "x"', "so no credential belongs in it"),
]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [(file, *case) for file in ("project", "user") for case in REFUSED]
    + [("user", *case) for case in OF_USER]
    + [("project", 'client_id = "x"', "client_id cannot be set in this file")],
)
def test_a_file_that_is_damaged_or_has_a_credential_is_refused(
    file: str, text: str, said: str, crm: Crm, folder: Path, project: Path
) -> None:
    path = project / ".crm.toml" if file == "project" else folder / "config.toml"
    path.write_text(text)
    done = crm("whoami", "--debug")
    assert (done.status, done.out) == (failures.USAGE, "")
    assert said in done.err and str(path) in done.err
    checked = crm("doctor")
    failed = [row["check"] for row in checked.json if row["state"] == "fail"]
    assert (checked.status, failed[0]) == (failures.GENERIC, "project file" if file == "project" else "settings file")
    assert CANARY not in done.err + checked.out + checked.err


@pytest.mark.parametrize(("file", "flags"), [("project", ["--project"]), ("user", [])])
@pytest.mark.parametrize("text", ["x = [", f'token = "{CANARY}"'])
def test_a_damaged_file_is_not_written_to(
    file: str, flags: list[str], text: str, crm: Crm, folder: Path, project: Path
) -> None:
    path = project / ".crm.toml" if file == "project" else folder / "config.toml"
    path.write_text(text)
    assert crm("config", "set", "language", "de", *flags).status == failures.USAGE
    assert path.read_text() == text
    assert crm("config", "path", *flags).out == f"{path}\n"


def test_a_file_that_is_no_text_is_damaged(crm: Crm, folder: Path) -> None:
    (folder / "config.toml").write_bytes(b"\xff\xfe")
    assert "it is not UTF-8" in crm("whoami").err


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("language de", USER.replace("mostly\n", 'mostly\nlanguage = "de"\n')),
        ("profile home", USER.replace('"work"', '"home"')),
        ("tenant t1", USER.replace("production = true\n", 'production = true\ntenant = "t1"\n')),
        ("base-url https://new.test", USER.replace('"https://crm.test"', '"https://new.test"')),
        ("production off", USER.replace("true", "false")),
        ("timeout 2.5 --profile home", USER + "timeout = 2.5\n"),
        ("tenant t2 --profile new", USER + '\n[profiles.new]\ntenant = "t2"\n'),
        ("dialects platform,flow --profile home", USER + 'dialects = "platform,flow"\n'),
    ],
)
def test_a_setting_is_changed_and_all_else_stays(words: str, changed: str, crm: Crm, folder: Path) -> None:
    path = folder / "config.toml"
    path.write_text(USER)
    done = crm("config", "set", *words.split())
    assert done.status == 0, done.err
    assert path.read_text() == changed
    key = words.split()[0]
    assert crm("config", "unset", key, *words.split()[2:]).status == 0
    assert f"{key.replace('-', '_')} = {changed}" not in path.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("set languag de", "there is no setting 'languag'; did you mean 'language'?"),
        ("get bas-url", "did you mean 'base_url'?"),
        ("explain x", "there is no setting 'x'"),
        (f"set api_key {CANARY}", "no credential is kept in a file of settings"),
        (f"set base_url https://u:{CANARY}@crm.test", "without credentials"),
        ("set profile hom", "there is no profile 'hom'; did you mean 'home'?"),
        ("set timeout soon", "timeout must be a number of seconds above 0"),
        ("set client_id app --project", "cannot be set in a project's file"),
        ("get language --profile hme", "did you mean 'home'?"),
    ],
)
def test_a_wrong_setting_is_told(words: str, said: str, crm: Crm, folder: Path, project: Path) -> None:
    (folder / "config.toml").write_text(USER)
    done = crm("config", *words.split())
    if words.startswith("get language"):
        done = crm("config", "profiles", *words.split()[2:])
    assert (done.status, done.out) == (failures.USAGE, "")
    assert said in done.err and CANARY not in done.err
    assert (folder / "config.toml").read_text() == USER


def test_what_beats_a_new_setting_is_told(
    crm: Crm, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_LANGUAGE", "de")
    assert "note: CRM_LANGUAGE beats it" in crm("config", "set", "language", "es").err
    assert "note: CRM_LANGUAGE beats it" in crm("config", "set", "language", "fr", "--project").err
    monkeypatch.delenv("CRM_LANGUAGE")
    assert f"note: {project / '.crm.toml'} beats it" in crm("config", "set", "language", "it").err
    assert crm("config", "get", "language").out == "fr\n"
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600
    assert crm("config", "get", "tenant").status == failures.NOT_FOUND


def test_a_project_chooses_a_profile(crm: Crm, folder: Path, project: Path) -> None:
    (folder / "config.toml").write_text(USER)
    (project / ".crm.toml").write_text('profile = "home"\n')
    assert crm("config", "get", "base_url").out == "http://crm.test\n"
    assert crm("config", "get", "base_url", "--profile", "work").out == "https://crm.test\n"
    assert [(row["profile"], row["used"]) for row in crm("config", "profiles").json] == [
        ("work", False),
        ("home", True),
    ]


@pytest.mark.parametrize(
    ("server", "sent"), [("https://evil.example.com", False), ("http://127.0.0.1:9", True), ("https://crm.test", True)]
)
def test_a_key_is_not_sent_to_a_server_that_only_a_project_names(
    server: str, sent: bool, crm: Crm, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.toml").write_text(USER)
    (project / ".crm.toml").write_text(f'base_url = "{server}"\n')
    monkeypatch.setenv("CRM_API_KEY", CANARY)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    done = crm("leads", "list", "--timeout", "0.2")
    assert done.status == (failures.USAGE if not sent else done.status)
    assert ("names the server" in done.err) is not sent
    assert "set CRM_BASE_URL" in done.err or sent
    checks = {row["check"]: row["state"] for row in crm("doctor", "--timeout", "0.2").json}
    assert ("reachable" in checks) is sent
    monkeypatch.setenv("CRM_BASE_URL", server)
    assert "names the server" not in crm("leads", "list", "--timeout", "0.2").err


def test_a_sign_in_to_a_server_that_only_a_project_names_has_to_be_meant(
    crm: Crm, project: Path, ring: Memory, stub: StubServer
) -> None:
    (project / ".crm.toml").write_text('base_url = "http://crm.test"\n')
    with stub.intercept():
        refused = crm("login", stdin="acme-admin\n")
        assert (refused.status, "type --base-url" in refused.err) == (failures.USAGE, True)
        assert crm("login", "--base-url", "http://crm.test", stdin="acme-admin\n").status == 0
    assert ring.kept


@pytest.mark.parametrize(
    "text", ["", "[]", '{"http://crm.test": 5}', '{"http://crm.test": {"speaks": "x", "lacks": 1}}']
)
def test_what_was_found_out_is_found_out_again_where_it_is_spoilt(text: str, folder: Path) -> None:
    write_sign_in(SignIn("http://crm.test", None, None, ("mvp",), ("flow",)))
    (folder / "servers.json").write_text(text)
    assert read_sign_in() == SignIn("http://crm.test")
    write_sign_in(SignIn("http://crm.test", None, None, ("mvp",), ()))
    assert json.loads((folder / "servers.json").read_text())["http://crm.test"]["speaks"] == ["mvp"]
