"""Which cases of an expensive test every run tries; `make soak` tries them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[tuple[Any, ...]], *, every: int) -> list[Any]:
    """Mark all but every so many of the cases as slow, the same ones in each run; give what `parametrize` takes."""
    return [pytest.param(*case, marks=[pytest.mark.slow] if place % every else []) for place, case in enumerate(cases)]
