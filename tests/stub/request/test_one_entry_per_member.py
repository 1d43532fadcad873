"""A word that an enumeration does not have is told once, with those that it has, however deep it is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

BODIES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("/exports", {"entityTypes": ["contact"], "format": "doc"}, ["format"]),
    ("/objects/transaction", {"operations": [{"action": "fly", "entity": "lead"}]}, ["operations.0.action"]),
    ("/exports/schedules", {"name": "x", "request": {"entityTypes": ["contact"], "format": "doc"},
                            "schedule": {"frequency": "never"}}, ["request.format", "schedule.frequency"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "fields"), BODIES, ids=[path for path, _, _ in BODIES])
def test_a_word_is_told_once(raw: httpx.Client, path: str, body: dict[str, Any], fields: list[str]) -> None:
    answer = raw.post(path, json=body)
    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert sorted(one["field"] for one in errors) == fields
    assert all(one["rule"] == "choice" for one in errors)
    assert all(one["details"]["choices"] for one in errors), errors
