"""The grid of a dashboard: where its widgets are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ...problems import Problem
from ...serving import Members

_WIDTH, _HEIGHT = 4, 3


def placed_widgets(widgets: Sequence[Mapping[str, Any]], columns: int) -> list[dict[str, Any]]:
    """Return widgets with their places; those without one take the first that is free, row by row.

    Raises: 422 WIDGET_OUT_OF_GRID, WIDGET_OVERLAP.
    """
    taken: list[Members] = []
    found: list[dict[str, Any]] = []
    for number, widget in enumerate(widgets):
        if widget.get("position") is not None:
            place = {"width": min(_WIDTH, columns), "height": _HEIGHT, **widget["position"]}
            _check(place, taken, columns, f"widgets.{number}.position")
            taken.append(place)
            found.append({**widget, "position": place})
        else:
            found.append(dict(widget))
    for widget in found:
        if widget.get("position") is None:
            widget["position"] = _first_free(taken, columns)
            taken.append(widget["position"])
    return sorted(found, key=lambda widget: (widget["position"]["y"], widget["position"]["x"]))


def width_needed(widgets: Sequence[Members]) -> int:
    """Return how many columns widgets need where they are."""
    return max((widget["position"]["x"] + widget["position"]["width"] for widget in widgets), default=1)


def _check(place: Members, taken: Sequence[Members], columns: int, at: str) -> None:
    if place["x"] + place["width"] > columns:
        message = f"the widget ends in column {place['x'] + place['width']}, the grid has {columns}"
        raise Problem("WIDGET_OUT_OF_GRID", message, field=at, rule="max", details={"columns": columns})
    if any(_overlap(place, other) for other in taken):
        raise Problem("WIDGET_OVERLAP", "the widget lies on another one", field=at, rule="unique")


def _overlap(one: Members, other: Members) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def _first_free(taken: Sequence[Members], columns: int) -> dict[str, int]:
    width = min(_WIDTH, columns)
    places = ({"x": x, "y": y, "width": width, "height": _HEIGHT} for y in count() for x in range(columns - width + 1))
    return next(place for place in places if not any(_overlap(place, other) for other in taken))
