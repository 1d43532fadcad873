"""The command line: a command for every declaration, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from crm_cli import completion, failures
from crm_cli.app import application, run
from crm_cli.names import collect
from crm_cli.nouns import nouns, operations, resources
from crm_cli.parameters import Form
from crm_sdk import errors
from crm_sdk.operation import Operation
from server_stub import StubServer

ROOT = Path(__file__).parent.parent


def declared(kinds: dict[str, Any]) -> Iterator[Operation[..., Any]]:
    for kind in kinds.values():
        yield from operations(kind).values()
        yield from declared(resources(kind))


OPERATIONS = {operation.id: operation for operation in declared(nouns())}


class Memory(KeyringBackend):
    priority = 1  # type: ignore[assignment] # a class property in keyring's own typing

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Crm = Callable[..., Result]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeded") / "offline.db"
    StubServer(db=str(path), running=True).close()
    return path


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Memory:
    ring = Memory()
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    monkeypatch.setattr(keyring, "set_keyring", keyring.set_keyring)
    yield_back = before
    monkeypatch.callback = None  # type: ignore[attr-defined]
    return ring
