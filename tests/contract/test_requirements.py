"""What the requirements ask for: each criterion has a page and a test that show it, and both are there."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_criterion_has_a_page_and_a_test(row: Any) -> None:
    later = [name for name in row.get("later", ()) if name in parts(Catalogue)]
    assert not later, f"{later[0]} is there: name its page and test in tests/contract/requirements.json"
    assert (row["pages"] and row["tests"]) or row.get("later")
    for page in row["pages"]:
        assert (ROOT / "docs" / page).is_file()
    for test in row["tests"]:
        file, name = test.split("::")
        assert re.search(rf"^(async )?def {name}\(", text_of(file), flags=re.MULTILINE), test
