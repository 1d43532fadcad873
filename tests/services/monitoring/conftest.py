"""Requests that take the same time on every machine: the status of a service depends on how long they take."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr("server_stub.core.time", SimpleNamespace(perf_counter=lambda: next(ticks) / 1_000))
