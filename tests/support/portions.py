"""How many examples an expensive property tries: a share of what the kind of run says, so that long runs are long."""

from __future__ import annotations

from hypothesis import settings


def portion(percent: int) -> int:
    """Return so many percent of the examples that this run gives to a cheap property, at least two."""
    return max(2, (settings.default or settings()).max_examples * percent // 100)
