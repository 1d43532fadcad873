"""``crm events tail`` in processes of its own, against a server in another, until it is told to end or nobody reads."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from patience import HANG
from shell import ROOT, Crm

pytest_plugins = ["cli_fixtures"]

TAIL = ("events", "tail", "--since", "0")


@pytest.fixture
def started(folder: Any) -> Iterator[Any]:
    """Start the command line in processes of their own."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-m", "crm_cli", *words], subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.thorough
@pytest.mark.usefixtures("interruptible")
def test_against_a_server_in_another_process(started: Any, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    server = started("stub", "serve", "--port", "0")
    url = server.stderr.readline().split(" on ")[1].split()[0]
    monkeypatch.setenv("CRM_BASE_URL", url)
    monkeypatch.setenv("CRM_API_KEY", "acme-admin")
    waiting = started(
        "events", "tail", "--since", "0", "--until", "type=lead.created and data.name=Grace", "--timeout", "120"
    )
    endless = started(*TAIL)
    unread = started(*TAIL, "--type", "lead.created")
    for name in ("Ada", "Grace"):
        assert crm("leads", "create", "--name", name).status == 0
    out, err = waiting.communicate(timeout=HANG)
    assert (waiting.returncode, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert [line["data"]["name"] for line in told if line["type"] == "lead.created"] == ["Ada", "Grace"]
    assert json.loads(endless.stdout.readline())["data"]["name"] == "Ada"
    endless.send_signal(signal.SIGINT)
    _, err = endless.communicate(timeout=HANG)
    assert (endless.returncode, err) == (130, "")
    for name in ("Ada", "Grace"):
        assert json.loads(unread.stdout.readline())["data"]["name"] == name
    unread.stdout.close()  # nothing more happens, and it is noticed all the same
    assert unread.wait(timeout=HANG) == 141
    assert unread.stderr.read() == ""
