"""What the tests of views stand on: pages of a width, and views that ask a client of the test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from shell import Crm

from crm_cli.console import stdout


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Draw on a terminal of some width; `stdout` among the arguments stands for it."""

    def drawn(width: int, draw: Callable[..., object], *given: Any) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        draw(*(stdout() if one is stdout else one for one in given))
        lines = capsys.readouterr().out.splitlines()
        assert all(len(line) <= width for line in lines)
        return lines

    return drawn


@pytest.fixture
def asked_of(served: Crm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Let a view ask this client."""

    def use(module: Any, client: Any) -> Crm:
        monkeypatch.setattr(module, "open_client", lambda settings: nullcontext(client))
        return served

    return use
