"""Which cases of an expensive test every run tries; `make soak` tries them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[tuple[Any, ...]], *, every: int) -> list[Any]:
    """Mark all but every so many of the cases as slow, the same ones in each run; give what `parametrize` takes."""
    return [pytest.param(*case, marks=[pytest.mark.slow] if place % every else []) for place, case in enumerate(cases)]


def few_of_each(items: list[pytest.Item], most: int) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return at most so many cases of each test, spread over all of them, and the other cases."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {
        id(each[place * len(each) // most]) for each in cases.values() if len(each) > most for place in range(most)
    } | {id(item) for each in cases.values() if len(each) <= most for item in each}
    return [item for item in items if id(item) in kept], [item for item in items if id(item) not in kept]
