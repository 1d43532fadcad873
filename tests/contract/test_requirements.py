"""What the requirements ask for: each criterion has a page and a test that show it, and both are there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from crm_sdk.catalogue import Catalogue
from crm_sdk.resource import parts

ROOT = Path(__file__).parents[2]
ROWS: list[Any] = json.loads((Path(__file__).parent / "requirements.json").read_text("utf-8"))
CRITERIA = {1: 6, 2: 6, 3: 6, 4: 5, 5: 5, 6: 5, 7: 5, 8: 5, 9: 5, 10: 5}
"""The number of acceptance criteria of each requirement of document 001."""


@cache
def text_of(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


def test_every_criterion_is_there_once() -> None:
    asked = [row["id"] for row in ROWS if row["id"].startswith("001 ")]
    assert asked == [f"001 R{number}.{n}" for number, count in CRITERIA.items() for n in range(1, count + 1)]
    assert len(asked) == 53
    assert max(Counter(row["id"] for row in ROWS).values()) == 1


def test_every_feature_is_there() -> None:
    groups = Counter(re.sub(r"^000 | \d+$", "", row["id"]) for row in ROWS if row["id"].startswith("000 "))
    assert groups == {
        "leads": 4, "e-mail": 4, "calendar": 4, "real time": 4, "architecture": 4, "format": 4, "operation": 5,
        "success": 2,
    }  # fmt: skip


def test_each_criterion_has_a_page_and_a_test() -> None:
    """All in one, since a sample of them would hide for days that a test has another name."""
    wrong = [problem for row in ROWS for problem in _wrong_with(row)]
    assert not wrong


def _wrong_with(row: Any) -> Iterator[str]:
    for name in row.get("later", ()):
        if name in parts(Catalogue):
            yield f"{row['id']}: {name} is there: name its page and test in tests/contract/requirements.json"
    if not ((row["pages"] and row["tests"]) or row.get("later")):
        yield f"{row['id']} has no page or no test"
    for page in row["pages"]:
        if not (ROOT / "docs" / page).is_file():
            yield f"{row['id']}: there is no page {page}"
    for test in row["tests"]:
        file, name = test.split("::")
        if not re.search(rf"^(async )?def {name}\(", text_of(file), flags=re.MULTILINE):
            yield f"{row['id']}: there is no test {test}"
