"""The examples in the guides run, one after the other, against a stub with its demo data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import pytest

from crm_sdk import CrmClient, NetworkError
from crm_sdk.network.retry import may_repeat_answer, may_repeat_failure
from server_stub import StubServer

DOCS = Path(__file__).parents[2] / "docs"


PAGES = sorted(
    page.stem
    for page in DOCS.glob("*.md")
    if "```python" in page.read_text(encoding="utf-8") and page.stem not in ("realtime", "webhooks", "design")
)
"""The pages with examples; those of the others have tests of their own."""


PRINTED = {"activities": "Architecture review", "contacts": "Narnia"}
"""What the examples of a page print."""


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, stub: StubServer, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    client = stub.client()
    names = {"client": client, "stub": stub, "timedelta": timedelta, "tomorrow": stub.clock.now() + timedelta(days=1)}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/{page}.md, block {number}", "exec"), names)  # noqa: S102 # our own page
    assert PRINTED.get(page, "") in capsys.readouterr().out
    if page in CALLED:
        CALLED[page](names)


def of_deals(names: dict[str, Any]) -> None:
    client: CrmClient = names["client"]
    deal = client.deals.list(status="open").items[0]
    assert "weighted" in names["quarter"](client, deal.owner_id)
    assert "closed-won" in names["close"](client, deal.id)
    assert names["next_steps"](client, deal.pipeline_id) >= 0


def of_ai_insights(names: dict[str, Any]) -> None:
    client: CrmClient = names["client"]
    assert names["learn"](client).startswith("version 1: right in ")
    assert [line.partition(":")[0] for line in names["next_three_months"](client)] == ["2026-01", "2026-02", "2026-03"]
    owner_id = client.ai_insights.recommendations.next_actions().items[0].owner_id
    assert names["work_off"](client, owner_id) > 0


CALLED: dict[str, Callable[[dict[str, Any]], None]] = {"ai-insights": of_ai_insights, "deals": of_deals}
"""What the functions that the examples of a page define are called with."""


OUTCOMES = {"again": True, "error": False}
SENT = {
    "reads, PUT, DELETE": ("GET", False),
    "POST with a key the server honours": ("POST", True),
    "other POST": ("POST", False),
}


def test_the_table_of_what_is_sent_again_is_true() -> None:
    lines = (DOCS / "reliability.md").read_text(encoding="utf-8").splitlines()
    first = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), lines))
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in first]
    said = {(what, how): OUTCOMES[cell] for what, *cells in rows for how, cell in zip(head[1:], cells, strict=True)}
    assert len(said) == 13 * 3
    for (what, how), again in said.items():
        method, harmless = SENT[how]
        if "connection" in what:
            failure = NetworkError("", sent="after" in what)
            found = may_repeat_failure(method, failure, harmless=harmless)
            assert found == again, (what, how)
        else:
            after = 1.0 if "Retry-After" in what else None
            statuses = [int(what[:3])] if what[0].isdigit() else [400, 401, 403, 404, 405, 409, 410, 412, 422, 428, 451]
            for status in statuses:
                assert may_repeat_answer(method, status, after, harmless=harmless) == again, (what, how)
