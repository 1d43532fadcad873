"""How a command ends where its output goes nowhere, or to a terminal of few characters, and what it never asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from sampling import sampled
from shell import OPERATIONS, ROOT, Crm

from crm_cli import failures
from crm_cli.terminal import streams
from crm_cli.tree.parameters import Form

pytest_plugins = ["cli_fixtures"]

PROGRAM = f'"{sys.executable}" -m crm_cli'
COMMANDS = [
    "--version",
    "--help",
    "leads --help",
    "leads list --help",
    "status",
    "offline path",
    "completion bash",
    "leads list -o table",
    "leads list -o csv",
    "leads list -o json",
    "leads list -o jsonl",
    "api GET /v1/leads",
    "dashboard -o table",
    "contacts export --to -",
]

ENDS = {
    "closed": (">&-", streams.READER_GONE, b""),
    "reader gone": ("| exec 0<&-; exit ${PIPESTATUS[0]}", streams.READER_GONE, b""),
    "full": ("> /dev/full", failures.USAGE, b"error: No space left on device\n"),
}
SHOWN = ["leads list -o table", "dashboard -o table", "deals board -o table", "leads --help"]


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **variables}
    return subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, env=environment, check=False)


@pytest.mark.thorough
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs bash and /dev/full")
@pytest.mark.parametrize(("words", "end"), sampled(product(COMMANDS, ENDS), every=4))
def test_output_that_goes_nowhere_ends_the_command_quietly(words: str, end: str, offline: Crm) -> None:
    where, status, said = ENDS[end]
    done = shell(f"{PROGRAM} {words} {where}")
    kept = b"".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith(b"showing "))
    assert (done.returncode, kept, done.stdout) == (status, said, b"")


@pytest.mark.thorough
@pytest.mark.parametrize("stream", ["0", "2"])
def test_another_stream_may_be_closed(stream: str, offline: Crm) -> None:
    assert shell(f"{PROGRAM} leads list --limit 1 {stream}>&-").returncode == 0
    assert shell(f"{PROGRAM} leads get nobody {stream}>&-").returncode == failures.NOT_FOUND


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("words", "encoding"), sampled(product(SHOWN, ["ascii", "latin-1", "cp1252", "utf-8"]), every=3)
)
def test_a_terminal_of_few_characters_shows_what_it_can(words: str, encoding: str, offline: Crm) -> None:
    done = shell(f"{PROGRAM} {words}", PYTHONIOENCODING=encoding, LC_ALL="C", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(encoding)
    assert b"Error" not in done.stderr


def test_an_argument_is_read_in_a_locale_that_cannot(offline: Crm) -> None:
    made = shell(f"{PROGRAM} leads create --name Jürgen", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert '"Jürgen"' in made.stdout.decode()


@pytest.mark.parametrize("module", ["crm_cli.tree.quick", "crm_cli.failures", "crm_cli.completion"])
def test_ctrl_c_while_it_starts_ends_it_quietly(module: str, offline: Crm) -> None:
    code = f"""
import sys
class Pressed:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from crm_cli.__main__ import main
sys.argv = ["crm", *{["__complete", "bash", "1", "crm", ""] if module.endswith("completion") else ["leads", "list"]!r}]
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"interrupted\n")


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_password_is_an_argument_or_an_option(name: str) -> None:
    assert not {"client_secret", "new_password", "password", "refresh_token"} & {
        parameter.name for parameter in Form(OPERATIONS[name]).parameters
    }


def test_a_password_is_read_from_stdin(served: Crm) -> None:
    done = served("auth", "login", "user@example.com", stdin="securepassword\n")
    assert done.status == 0
    refused = served("auth", "login", "user@example.com", "securepassword")
    assert (refused.status, refused.out) == (failures.USAGE, "")
    assert served("auth", "login", "user@example.com").err.startswith("error: no password given")
    token = done.json.get("refreshToken")
    assert token is None or served("auth", "refresh", stdin=f"{token}\n").status == 0
