"""Amounts of answers, beside numbers as one writes them."""

from __future__ import annotations

from typing import Any


def plain(*values: Any) -> tuple[Any, ...]:
    """Return values to compare with plain numbers: an amount is a Decimal to type checkers."""
    return values
