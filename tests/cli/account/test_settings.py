"""Settings with the values at which they change, `crm config` where little is set, and who somebody is by each call."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shell import Crm, Memory

from crm_cli import failures
from crm_cli.account import profiles, signin
from crm_cli.account.identity import Identity, identify
from crm_cli.account.layers import SETTINGS, Layers, checked_setting, setting_named
from crm_cli.failures import MisuseError
from crm_cli.settings import Options
from crm_sdk import errors
from crm_sdk.sign_in.stored import FileLock
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

AT = ("--base-url", "http://crm.test")


def test_a_setting_is_what_its_kind_takes() -> None:
    cases: list[tuple[str, list[tuple[Any, Any]], list[Any]]] = [
        ("tenant", [("t", "t")], ["", 5, None, True]),
        ("base_url", [("http://crm.test", "http://crm.test")], ["crm.test", "http://u:p@crm.test", 5, ""]),
        ("output", [("table", "table"), ("ids", "ids")], ["xml", "", 5, "Table"]),
        ("dialects", [("mvp", "mvp"), ("mvp, flow", "mvp,flow"), (["platform", "mvp"], "platform,mvp")],
         ["", [], "mvp,", "morse", 5, ["mvp", 5]]),
        ("timeout", [(0.001, 0.001), ("90s", 90.0), ("10m", 600.0), (5, 5.0), ("1e3", 1000.0)],
         [0, "0", -1, "inf", "nan", True, "soon", "", None]),
        ("offline", [(True, True), (False, False), ("YES", True), ("1", True), ("on", True), ("true", True),
                     ("", False), ("0", False), ("No", False), ("off", False), ("false", False)], ["2", 1, 0, None]),
        ("profile", [("a", "a"), ("_a-1", "_a-1"), ("a" * 64, "a" * 64)], ["a" * 65, "-a", "", 5, "a b", "ä"]),
    ]  # fmt: skip
    for name, good, bad in cases:
        for given, found in good:
            value = checked_setting(SETTINGS[name], given, "HERE")
            assert (value, type(value)) == (found, type(found)), (name, given)
        for given in bad:
            with pytest.raises(MisuseError) as refused:
                checked_setting(SETTINGS[name], given, "HERE")
            assert str(refused.value).startswith("HERE must be ")
            shown = name != "base_url" or "@" not in str(given)
            assert str(refused.value).endswith(f", not {given!r}") is shown


def test_a_setting_has_a_name_in_any_spelling() -> None:
    assert [setting_named(name).name for name in ("base-url", "BASE_URL", "tenant")] == ["base_url"] * 2 + ["tenant"]
    with pytest.raises(MisuseError, match="there is no setting 'tenent'; did you mean 'tenant'"):
        setting_named("tenent")


def test_where_nobody_sets_a_setting_it_has_its_default(folder: Path, project: Path) -> None:
    layers = Layers(Options())
    assert {name: layers.value(name) for name in SETTINGS} == {
        "profile": "default", "base_url": None, "api_key": None, "tenant": None, "dialects": None,
        "production": False, "client_id": "demo-web", "offline": False, "output": None, "timeout": 30.0,
        "language": None,
    }  # fmt: skip
    assert {layers.find_one(name).layer for name in SETTINGS} == {"default"}


def test_an_empty_option_is_refused_and_an_empty_variable_is_none(
    folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TENANT_ID", "")
    assert Layers(Options()).value("tenant") is None
    with pytest.raises(MisuseError, match="--tenant is empty: leave it out, or give it a value"):
        Layers(Options(tenant="")).value("tenant")


def test_a_profile_has_to_be_there_or_be_made(folder: Path, project: Path) -> None:
    (folder / "config.toml").write_text("[profiles.work]\n")
    for name in ("default", "work"):
        assert Layers(Options(profile=name)).profile == name
    with pytest.raises(MisuseError, match=r"no profile 'wrk' \(--profile\); did you mean 'work'\?$"):
        assert Layers(Options(profile="wrk")).profile
    with pytest.raises(MisuseError, match=r"no profile 'zzz' \(--profile\); `crm login --profile zzz` makes it"):
        assert Layers(Options(profile="zzz")).profile
    assert Layers(Options(profile="zzz"), any_profile=True).profile == "zzz"


def test_what_a_project_says_of_a_server_is_about_its_own_or_that_of_its_profile(folder: Path, project: Path) -> None:
    def told(user: str, members: str, called: str | None) -> tuple[Any, str | None]:
        (folder / "config.toml").write_text(user)
        (project / ".crm.toml").write_text(members)
        layers = Layers(Options(base_url=called))
        [first, *_] = layers.sayings_of("tenant")
        return layers.value("tenant"), first.unused

    work = '[profiles.work]\nbase_url = "http://work.test/"\n'
    used = ("t", None)
    assert told("", 'tenant = "t"\nbase_url = "http://a.test"', "http://a.test/") == used
    assert told("", 'tenant = "t"\nbase_url = "http://a.test"', None) == used
    assert told(work, 'tenant = "t"\nprofile = "work"', None) == used
    assert told(f'profile = "work"\n{work}', 'tenant = "t"', None) == used
    about = "it is about http://work.test/, and this is http://b.test"
    assert told(work, 'tenant = "t"\nprofile = "work"', "http://b.test") == (None, about)
    none = "it is about no server, and this is none"
    assert told("", 'tenant = "t"', None) == (None, none)
    assert told("", 'tenant = "t"', "http://b.test") == (None, "it is about no server, and this is http://b.test")


# -- `crm config`


def test_config_tells_what_is_set_and_what_is_not(
    crm: Crm, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crm("config", "get", "timeout").out == "30\n" and crm("config", "get", "offline").out == "false\n"
    assert crm("config", "get", "timeout", "-o", "json").json == {"key": "timeout", "value": 30.0}
    missing = crm("config", "get", "tenant")
    assert (missing.status, missing.out, missing.err) == (failures.NOT_FOUND, "", "tenant is not set\n")
    no_project = crm("config", "path", "--project")
    assert (no_project.status, no_project.out) == (failures.NOT_FOUND, "")
    assert no_project.err == "there is no .crm.toml in this folder or one above it\n"
    assert crm("config", "profiles").json == [
        {"profile": "default", "used": True, "baseUrl": None, "tenant": None, "production": False}
    ]
    monkeypatch.setenv("CRM_OFFLINE", "1")
    monkeypatch.setenv("CRM_API_KEY", "s3cret-key")
    assert crm("config", "get", "offline").out == "true\n" and crm("config", "get", "api_key").out == "***\n"


def test_config_explains_where_a_setting_could_be(crm: Crm, folder: Path, project: Path) -> None:
    def places(name: str) -> list[tuple[str, str, str]]:
        return [(row["layer"], row["from"], row["result"]) for row in crm("config", "explain", name).json]

    unset, nowhere = "not set", ("", "cannot be set there")
    user = str(folder / "config.toml")
    assert places("language") == [
        ("flag", "--language", unset), ("environment", "CRM_LANGUAGE", unset), ("project", ".crm.toml", unset),
        ("user", user, unset), ("default", "default", "used"),
    ]  # fmt: skip
    (project / ".crm.toml").write_text("")
    assert places("language")[2] == ("project", str(project / ".crm.toml"), unset)
    assert places("client_id")[2] == ("project", *nowhere) and places("api_key")[3] == ("user", *nowhere)
    assert places("production")[:2] == [("flag", *nowhere), ("environment", *nowhere)]


def test_config_says_what_it_did_and_what_beats_it(
    crm: Crm, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, mine = folder / "config.toml", project / ".crm.toml"

    def said(*words: str) -> str:
        done = crm("config", *words)
        assert done.status == 0, done.err
        return done.err

    assert said("set", "tenant", "t1", "--profile", "home") == f"set tenant of home in {user}\n"
    assert said("set", "language", "de") == f"set language in {user}\n"
    assert said("set", "language", "es", "--profile", "home") == f"set language of home in {user}\n"
    assert said("set", "profile", "home", "--profile", "default") == f"set profile in {user}\n"
    assert said("set", "tenant", "t2", "--project", "--profile", "new") == f"set tenant in {mine}\n"
    assert said("set", "language", "it") == f"set language in {user}\nnote: [profiles.home] of {user} beats it\n"
    monkeypatch.setenv("CRM_LANGUAGE", "fr")
    assert said("set", "language", "it").endswith("note: CRM_LANGUAGE beats it\n")
    assert said("unset", "language") == f"removed language in {user}\n"
    assert "it" not in user.read_text()
    refused = crm("config", "unset", "tenant", "--profile", "hme")
    assert (refused.status, "did you mean 'home'" in refused.err) == (failures.USAGE, True)


# -- files


def test_a_file_that_cannot_be_read_and_one_with_a_credential_are_told(tmp_path: Path) -> None:
    assert profiles.read_toml(tmp_path / "none.toml") == {}
    with pytest.raises(MisuseError, match=r"cannot be read: Is a directory$"):
        profiles.read_toml(tmp_path)
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbfa = 1")
    assert profiles.read_toml(tmp_path / "marked.toml") == {"a": 1}
    (tmp_path / "odd.toml").write_text("a = [")
    with pytest.raises(MisuseError, match=r"it is not TOML \(.*\); mend it"):
        profiles.read_toml(tmp_path / "odd.toml")
    secrets = ("api_key", "apikey", "API-Key", "token", "passwd", "client_secret", "private-key", "credentials")
    for name in secrets:
        for data in ({name: "x"}, {"a": {name: "x"}}, {"a": ["y", {"b": [{name: "x"}]}]}):
            with pytest.raises(MisuseError, match=f"has '{name}': why"):
                profiles.refuse_secrets(data, tmp_path, "why")
    profiles.refuse_secrets({"key": "x", "a": ["token", {"b": "token"}]}, tmp_path, "why")


def test_who_waits_for_a_file_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rests = tmp_path / "config.toml.lock", list[float]()
    monkeypatch.setattr(profiles, "_LOCK_SECONDS", 0.03)
    monkeypatch.setattr(time, "monotonic", lambda: sum(rests))
    monkeypatch.setattr(time, "sleep", lambda seconds: rests.append(0.015))
    held = FileLock.try_acquire(path)
    assert held is not None
    with pytest.raises(MisuseError, match=r"changing .*config\.toml for too long"), profiles.file_lock(path):
        pass
    assert len(rests) == 2
    held.release()
    with profiles.file_lock(path):
        assert FileLock.try_acquire(path) is None
    again = FileLock.try_acquire(path)
    assert again is not None
    again.release()
    with profiles.file_lock(None):
        assert len(rests) == 2


# -- signing in and out


@pytest.mark.parametrize("agreed", [False, True])
def test_somebody_may_agree_to_a_server_that_only_a_project_names(
    agreed: bool, crm: Crm, project: Path, ring: Memory, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".crm.toml").write_text('base_url = "http://crm.test"\n')
    monkeypatch.setattr(signin, "may_ask", lambda: True)
    with stub.intercept():
        done = crm("login", "--with-token", stdin=f"{'y' if agreed else 'n'}\nacme-admin\n")
    assert done.status == (0 if agreed else failures.INTERRUPTED)
    assert "Sign in to http://crm.test, which" in done.err and bool(ring.kept) is agreed


@pytest.mark.thorough
def test_who_signs_out_where_the_server_does_not_know_is_told(crm: Crm, ring: Memory, stub: StubServer) -> None:
    with stub.intercept():
        assert crm("login", *AT, "--email", "ada@acme.test", stdin="demo-password\n").status == 0
        stub.clock.advance(400 * 86400)
        done = crm("logout")
        assert (done.status, ring.kept) == (0, {})
        assert "note: the server was not told: " in done.err and "signed out of http://crm.test\n" in done.err
        assert crm("logout").err == "not signed in to http://crm.test\n"


@pytest.mark.parametrize("token", [None, "mfa-token"])
def test_a_code_may_be_mistyped_twice_at_a_terminal(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    said: list[str] = []
    answers: list[Any] = []

    def answer(*given: Any, **more: Any) -> Any:
        asked.append((*given, *more.values()))
        if isinstance(answers[0], Exception):
            raise answers.pop(0)
        return answers.pop(0)

    verify = SimpleNamespace(verify=answer)
    client: Any = SimpleNamespace(auth=SimpleNamespace(login=answer, mfa=verify))
    monkeypatch.setattr(signin, "_line", lambda what, secret: f"code{len(asked)}" if secret else "")
    monkeypatch.setattr(signin, "complain", said.append)
    result: Any = SimpleNamespace(mfa_token=token)
    options = Options(tenant="t")

    def signed(*given: Any, terminal: bool = True) -> Any:
        answers[:], said[:] = given, []
        monkeypatch.setattr(signin, "may_ask", lambda: terminal)
        return signin._second_factor(client, "a@b.test", "pass", options, result)

    wrong = errors.AuthenticationError("no", status=401, code="INVALID_MFA_CODE")
    good = SimpleNamespace(login="session")
    expected = "session" if token is not None else good
    assert signed(wrong, wrong, good) == expected
    assert said == ["this code is not valid, or was used; type the next one"] * 2
    assert asked[-1] == (("code2", "mfa-token") if token is not None else ("a@b.test", "pass", "t", "code2"))
    for given, terminal in (([wrong] * 3, True), ([wrong, good], False)):
        with pytest.raises(errors.AuthenticationError):
            signed(*given, terminal=terminal)
    locked = errors.AuthenticationError("no", status=401, code="LOCKED")
    with pytest.raises(errors.AuthenticationError, match="LOCKED"):
        signed(locked, good)
    if token is not None:
        assert signed(SimpleNamespace(login=None)) is result


# -- who somebody is


def test_who_it_is_is_asked_as_the_server_can_answer() -> None:
    def by(userinfo: Any, me: Any = None, listed: Any = None) -> Any:
        def call(answer: Any) -> Any:
            def called(*_: Any, **__: Any) -> Any:
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return called

        client: Any = SimpleNamespace(
            auth=SimpleNamespace(userinfo=call(userinfo), me=call(me)),
            configuration=SimpleNamespace(environment=call(server)),
            tenants=SimpleNamespace(get=call(company)),
            leads=SimpleNamespace(list=call(listed)),
        )
        return identify(client)

    server = SimpleNamespace(server_version="1.2", name="sandbox", time=None)
    company: Any = SimpleNamespace(name="Acme")
    claims = SimpleNamespace(sub="u1", name="Ada", email="a@b.test", roles=["x", "y"], role="z", tenant_id="t1")
    user = SimpleNamespace(id="u2", name="Bo", email=None, role="admin")
    there = {"server_version": "1.2", "environment": "sandbox"}
    whole = Identity("u1", "Ada", "a@b.test", "x, y", company="Acme", tenant_id="t1", **there)  # type: ignore[arg-type] # members of several types
    assert by(claims) == whole
    claims.roles = []
    assert by(claims).role == "z"
    company = errors.PermissionDeniedError("no", status=403, code="X")
    assert by(claims).company == "t1"
    nobody = errors.PermissionDeniedError("no", status=403, code="NO_USER")
    assert by(nobody) == Identity(**there)  # type: ignore[arg-type] # members of several types
    server = errors.NotFoundError("no", status=404, code="X")  # type: ignore[assignment] # another kind of error
    assert by(nobody) == Identity()
    with pytest.raises(errors.PermissionDeniedError):
        by(company)
    for status in (404, 405):
        missing = errors.ApiError("no", status=status, code="X")
        assert by(missing, user) == Identity("u2", "Bo", None, "admin") and by(missing, missing) == Identity()
    absent = errors.UnsupportedOperationError("no", operation="x", dialects=["mvp"])
    assert by(absent, user).id == "u2" and by(errors.InvalidResponseError("odd"), user).id == "u2"
    for error in (
        errors.ServerError("no", status=500, code="X"),
        errors.AuthenticationError("no", status=401, code="X"),
    ):
        with pytest.raises(type(error)):
            by(error, user)
        with pytest.raises(type(error)):
            by(absent, absent, error)
