"""A command line with a folder and a keyring of its own."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from shell import Crm, Memory, Result, Terminal

from crm_cli.__main__ import run
from crm_cli.account import credentials
from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeded") / "offline.db"
    StubServer(db=str(path), running=True).close()
    return path


@pytest.fixture
def ring() -> Iterator[Memory]:
    before, ring = keyring.get_keyring(), Memory()
    keyring.set_keyring(ring)
    credentials.KEYRINGS.add(Memory.__module__)
    yield ring
    credentials.KEYRINGS.discard(Memory.__module__)
    keyring.set_keyring(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring: Memory) -> Path:
    for name in [name for name in os.environ if name.startswith("CRM_") or name in ("CI", "PAGER", "FORCE_COLOR")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CRM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CRM_ALLOW_HTTP", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, which may have a project's file."""
    made = tmp_path / "project"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def crm(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Crm:
    def call(*words: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = run(list(words))
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def offline(crm: Crm, folder: Path, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Crm:
    shutil.copy(seeded, folder / "offline.db")
    monkeypatch.setenv("CRM_OFFLINE", "1")
    return crm


@pytest.fixture
def served(stub: StubServer, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    """The command line with the stub as its server."""
    monkeypatch.setenv("CRM_BASE_URL", "http://crm.test")
    monkeypatch.setenv("CRM_API_KEY", "acme-admin")
    with stub.intercept():
        yield crm


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow")


@pytest.fixture
def drawn(served: Crm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def draw(*words: str, width: int = 140, status: int = 0) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        done = served(*words, "-o", "table")
        assert done.status == status
        assert max((len(line) for line in done.out.splitlines()), default=0) <= width
        return done.out

    return draw


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt this process, and those it starts, as it does in a terminal.

    What a shell runs in the background ignores it, and so does all that is started from there.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def terminal(served: Crm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line with somebody at a terminal, who types the answer."""

    def call(*words: str, answer: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(answer.encode())))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        status = run(list(words))
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call
