"""What comes before a command: the first call, completion, signing in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from shell import ROOT, Crm, Memory, process

from crm_cli import completion, failures
from crm_cli.__main__ import answered_at_once
from crm_sdk import __version__
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


def test_with_nothing_configured_crm_says_what_to_do(crm: Crm) -> None:
    said = crm()
    assert said.status == 0
    assert all(way in said.out for way in ("crm --offline leads list", "crm login", "CRM_BASE_URL=… CRM_API_KEY=…"))
    assert "Usage:" in crm("--base-url", "http://crm.test").out


def test_version_and_tab_load_nothing_heavy(folder: Path) -> None:
    completion.names()
    for words, answer in ((["--version"], "crm "), (["__complete", "bash", "2", "crm", "leads", "li"], "list\n")):
        code = (
            f"import sys; sys.argv[1:] = {words}; from crm_cli.__main__ import main; main();"
            "print(sorted({'typer', 'pydantic', 'httpx', 'rich', 'keyring'} & sys.modules.keys()), file=sys.stderr)"
        )
        done = process(code, env={**os.environ})
        assert (done.stdout[: len(answer)], done.stderr) == (answer, "[]\n")


def test_a_call_loads_no_command_line_of_httpx_and_no_other_loop(stub: StubServer, folder: Path) -> None:
    """Both are here, and importing them took half of the time of a call."""
    assert find_spec("trio") and find_spec("click")
    code = (
        "import sys; sys.argv[1:] = ['leads', 'get', 'lead_123']; from crm_cli.__main__ import main; main();"
        "print(sorted(name for name in ('httpx', 'httpx._main', 'trio', 'rich', 'pygments') if sys.modules.get(name)))"
    )
    with stub.serve() as port:
        done = process(code, env={**os.environ, "CRM_BASE_URL": port.url, "CRM_API_KEY": "acme-admin"})
    assert done.stdout.splitlines()[-1] == "['httpx']", done.stderr


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("lea", ["leads"]),
        ("contacts rel", ["relationships"]),
        ("contacts relationships d", ["delete"]),
        ("leads list --stat", ["--status"]),
        ("leads list --status conv", ["converted"]),
        ("leads list --status=conv", ["--status=converted"]),
        ("contacts get contact_1 --include ", None),
        ("--offline -o js", ["json", "jsonl"]),
        ("-o json leads list --limit 3 --al", ["--all"]),
        ("leads list --limit ", []),
        ("stub serve --po", ["--port"]),
        ("auth me --dialect mvp,f", ["mvp,flow"]),
    ],
)
def test_completion(typed: str, answers: list[str] | None, folder: Path) -> None:
    *before, current = typed.split(" ")
    found = [word for word, _ in completion.answers(completion.names(), before, current)]
    assert found == answers if answers is not None else found


@pytest.mark.thorough
@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-100] + b"x" * 100,
        lambda whole: whole.partition(b"\n")[2],
        lambda whole: whole.replace(sys.implementation.cache_tag.encode(), b"cpython-31", 1),
    ],
    ids=["empty", "cut off", "overwritten", "without a key", "of another Python"],
)
def test_names_that_are_not_usable_are_written_anew(damage: Callable[[bytes], bytes], folder: Path) -> None:
    names = completion.names()
    whole = (folder / "names").read_bytes()
    (folder / "names").write_bytes(damage(whole))
    assert completion.names() == names
    assert (folder / "names").read_bytes() == whole


def test_only_the_names_of_the_command_that_is_typed_are_unpacked(folder: Path) -> None:
    completion.names()
    some = completion.names(["leads"])["commands"]
    assert some["leads"] == completion.names()["commands"]["leads"]
    assert some["contacts"].keys() == {"help", "noun"}
    assert completion.answers(completion.names(()), [], "cont") == [("contacts", some["contacts"]["help"])]


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_works_in_bash(crm: Crm) -> None:
    script = crm("completion", "bash").out
    asked = f"""crm() {{ "{sys.executable}" -m crm_cli "$@"; }}
{script}
COMP_WORDS=(crm leads list --status = conv); COMP_CWORD=5; _crm; echo "${{COMPREPLY[@]}}"
COMP_WORDS=(crm leads); COMP_CWORD=1; _crm; echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "converted\nleads\n"


def test_sign_in_with_a_key_goes_to_the_keyring_of_that_server(crm: Crm, ring: Memory, folder: Path) -> None:
    with StubServer().intercept():
        assert crm("login", "--base-url", "http://crm.test/", stdin="wrong\n").status == failures.AUTH
        assert ring.kept == {}
        assert crm("login", "--base-url", "http://crm.test/", stdin="acme-admin\n").status == 0
        assert crm("leads", "list", "--limit", "1").status == 0
        assert crm("--base-url", "http://other.test", "leads", "list").status == failures.AUTH
        assert crm("status").json["credential"] == "API key in the keyring"
        assert crm("logout").status == 0
    assert ring.kept == {}
    assert all(b"acme-admin" not in path.read_bytes() for path in folder.iterdir())


def test_a_session_is_renewed_and_ended(crm: Crm, ring: Memory) -> None:
    server = StubServer()
    with server.intercept():
        words = ("login", "--base-url", "http://crm.test", "--email", "user@example.com")
        assert crm(*words, stdin="securepassword\n").status == 0
        first = dict(ring.kept)
        server.clock.advance(2 * 3600)
        assert crm("leads", "list", "--limit", "1").status == 0
        assert ring.kept != first
        assert crm("logout").status == 0
    assert ring.kept == {}


def test_without_a_keyring_no_secret_is_kept(crm: Crm, folder: Path) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call] # keyring's own class
    with StubServer().intercept():
        failed = crm("login", "--base-url", "http://crm.test", stdin="acme-admin\n")
    assert (failed.status, "set CRM_API_KEY" in failed.err) == (failures.USAGE, True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("shell", "begins"), [("bash", "_crm() {"), ("zsh", "#compdef crm\n"), ("fish", "function __crm_complete\n")]
)
def test_each_shell_has_a_script(crm: Crm, shell: str, begins: str) -> None:
    done = crm("completion", shell)
    assert (done.status, begins in done.out, done.out.endswith("\n\n")) == (0, True, False)
    refused = crm("completion", f"{shell}x")
    assert (refused.status, f"did you mean '{shell}'" in refused.err) == (failures.USAGE, True)


def test_what_needs_no_package_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[tuple[str, list[str]]] = []

    def noted(name: str, status: int) -> Callable[[list[str]], int]:
        def answer(words: list[str]) -> int:
            called.append((name, words))
            return status

        return answer

    monkeypatch.setattr("crm_cli.completion.complete", noted("complete", 3))
    monkeypatch.setattr("crm_cli.discovery.remembering.remember", noted("remember", 4))
    assert answered_at_once(["__complete", "bash", "1"]) == 3 and answered_at_once(["__remember", "x", "y"]) == 4
    assert called == [("complete", ["bash", "1"]), ("remember", ["x", "y"])]
    assert answered_at_once(["--version"]) == 0 and capsys.readouterr().out == f"crm {__version__}\n"
    assert answered_at_once(["--version", "x"]) is None and answered_at_once(["leads", "list"]) is None
