"""Figures that are compared with those of an earlier time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Number: TypeAlias = Decimal | int | float
Figures: TypeAlias = Mapping[str, Number]


def metric(unit: str, value: Number, previous: Number | None) -> dict[str, Any]:
    """Return a figure and its change: a share of what it was; None from nothing to something."""
    now, before = _exact(value), _exact(previous) if previous is not None else None
    change = None
    if before is not None:
        change = round(float((now - before) / abs(before)), 4) if before else 0.0 if not now else None
    moved = now - before if before is not None else Decimal()
    return {
        "value": now,
        "previous": before,
        "change": change,
        "change_type": "increase" if moved > 0 else "decrease" if moved < 0 else "none",
        "unit": unit,
    }


def metrics(units: Mapping[str, str], now: Figures, before: Figures | None) -> dict[str, dict[str, Any]]:
    """Return the figures of `units`, each compared with its earlier value; without `before` with none."""
    return {name: metric(unit, now[name], before[name] if before is not None else None) for name, unit in units.items()}


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
