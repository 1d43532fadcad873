"""The examples in the pages of the services run, one after the other, against a stub with its demo data."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from server_stub import StubServer

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["activities"])
def test_the_examples_of_a_service_run(page: str, stub: StubServer, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    names = {"client": stub.client(), "timedelta": timedelta, "tomorrow": stub.clock.now() + timedelta(days=1)}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/{page}.md, block {number}", "exec"), names)  # noqa: S102 # our own page
    assert "Architecture review" in capsys.readouterr().out
