"""The command line as a test types it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend

from crm_cli.tree.nouns import nouns, operations, resources
from crm_sdk.operation import Operation

ROOT = Path(__file__).parent.parent.parent


def declared(kinds: dict[str, Any]) -> Iterator[Operation[..., Any]]:
    for kind in kinds.values():
        yield from operations(kind).values()
        yield from declared(resources(kind))


OPERATIONS = {operation.id: operation for operation in declared(nouns())}


class Memory(KeyringBackend):
    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Crm = Callable[..., Result]


def process(code: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, **options)
