"""An import that is killed at any moment goes on when it is called again: no row is lost, none is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from patience import HANG
from shell import ROOT

from crm_sdk.resource import operation_of
from crm_sdk.resources.imports import Imports
from crm_sdk.resources.objects import Objects
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

PREVIEW, UPSERT, TRANSACTION = vars(Imports)["preview"], vars(Objects)["upsert"], vars(Objects)["transaction"]


class Killing:
    """A server that kills who calls it, before or after it does what is asked."""

    def __init__(self, stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.left: dict[str, tuple[int, bool]] = {}
        self.total = 0
        """The kills."""
        self.started = 0
        """The processes, each of which names its number: what one that was killed had sent may be served later."""
        for declared in (PREVIEW, UPSERT, TRANSACTION):
            operation = operation_of(declared)
            assert operation is not None
            monkeypatch.setitem(stub.rules, operation, self._around(operation.name, stub.rules[operation]))

    def _around(self, name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
        def around(*arguments: Any, **named: Any) -> Any:
            if arguments[0].reason != str(self.started):
                return rule(*arguments, **named)
            count, after = self.left.get(name, (0, True))
            self.left[name] = (count - 1, after)
            if count == 1 and not after:
                self._kill()
            result = rule(*arguments, **named)
            if count == 1 and after:
                self._kill()
            return result

        return around

    def _kill(self) -> None:
        assert self.process is not None
        self.total += 1
        os.kill(self.process.pid, signal.SIGKILL)


def run(killing: Killing, folder: Path, url: str, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "CRM_BASE_URL": url, "CRM_API_KEY": "acme-admin", "PYTHONPATH": str(ROOT)}
    killing.started += 1
    command = [sys.executable, "-m", "crm_cli", "contacts", "import", "rows.csv", "--batch", "20", *words]
    command += ["--reason", str(killing.started)]
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        killing.process = process
        out, _ = process.communicate(timeout=HANG * 20)
    return process.returncode, out


def write(folder: Path, count: int) -> None:
    """Write rows of which every third has no key."""
    rows = (f"Row {n},{'' if n % 3 == 0 else f'row{n}@killed.example'}\n" for n in range(count))
    (folder / "rows.csv").write_text("name,email\n" + "".join(rows), "utf-8")


def names(stub: StubServer) -> Counter[str]:
    contacts = stub.client(dialects="platform").contacts.list(limit=100)
    return Counter(contact.name for contact in contacts if contact.name.startswith("Row "))


@pytest.mark.parametrize(
    "points",
    [
        [("preview", 1, True), ("upsert", 1, False), ("transaction", 2, True)],
        [("upsert", 2, True), ("transaction", 1, False), ("preview", 1, False)],
    ],
)
@pytest.mark.thorough
def test_killed_at_three_points(
    stub: StubServer, folder: Path, monkeypatch: pytest.MonkeyPatch, points: list[tuple[str, int, bool]]
) -> None:
    write(folder, 90)
    killing = Killing(stub, monkeypatch)
    with stub.serve() as port:
        for name, count, after in points:
            killing.left = {name: (count, after)}
            assert run(killing, folder, port.url)[0] == -signal.SIGKILL
        killing.left = {}
        status, out = run(killing, folder, port.url)
    assert (status, json.loads(out)["created"], killing.total) == (0, 90, 3)
    assert names(stub) == Counter({f"Row {n}": 1 for n in range(90)})


@pytest.mark.slow
def test_killed_at_fifty_random_points(stub: StubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, 10_000)
    stub.enforce_limits = False  # hundreds of calls in bulk: their quota would let the import wait for an hour
    killing, chance = Killing(stub, monkeypatch), Random(13)
    with stub.serve() as port:
        for number in range(50):
            name = "preview" if number < 3 else chance.choice(("upsert", "transaction"))
            killing.left = {name: (chance.randrange(1, 6), chance.random() < 0.5)}
            assert run(killing, folder, port.url)[0] == -signal.SIGKILL
        killing.left = {}
        status, out = run(killing, folder, port.url)
    assert (status, json.loads(out)["created"], killing.total) == (0, 10_000, 50)
    assert names(stub) == Counter({f"Row {n}": 1 for n in range(10_000)})
