"""The meter: how many calls each company makes, by the hour, by whom and which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from ..data.document import Document
from ..data.store import Store

KIND = "usage"
"""The kind of the records with the calls of a past hour; their ids are the beginnings of the hours."""


def hour_of(at: datetime) -> datetime:
    """Return when the hour of an instant began."""
    return at.replace(minute=0, second=0, microsecond=0)


class Meter:
    """Counts the calls of each company. Hours that have passed are records of the company; the present one is here."""

    __slots__ = ("_present",)

    def __init__(self, present: Mapping[str, dict[str, Any]] | None = None) -> None:
        self._present: dict[str, dict[str, Any]] = dict(present or {})

    def record(
        self, store: Store, tenant_id: str, at: datetime, who: str, operation: str, *, bulk: bool, limited: bool
    ) -> None:
        """Count a call; an hour that has passed becomes a record."""
        hour, tally = hour_of(at), self._present.get(tenant_id)
        if tally is None or tally["hour"] != hour:
            if tally is not None:
                store.collection(tenant_id, KIND).put(Document(id=tally["hour"].isoformat(), **tally))
            tally = self._present[tenant_id] = {
                "hour": hour, "calls": 0, "bulk": 0, "limited": 0, "users": {}, "operations": {},
            }  # fmt: skip
        tally["calls"] += 1
        tally["bulk"] += bulk
        tally["limited"] += limited
        for counts, name in ((tally["users"], who), (tally["operations"], operation)):
            counts[name] = counts.get(name, 0) + 1

    def hours(self, store: Store, tenant_id: str) -> Iterator[Mapping[str, Any]]:
        """Yield the hours of a company with calls in them, the present one last."""
        yield from store.collection(tenant_id, KIND)
        if tenant_id in self._present:
            yield self._present[tenant_id]

    def count(self, tenant_id: str, at: datetime, what: str = "calls") -> int:
        """Return the number of calls of a company in the hour of an instant; `what` can be ``bulk`` or ``limited``."""
        tally = self._present.get(tenant_id)
        return int(tally[what]) if tally is not None and tally["hour"] == hour_of(at) else 0

    def forget(self, tenant_id: str) -> None:
        """Forget the present hour of a company."""
        self._present.pop(tenant_id, None)

    @property
    def present(self) -> Mapping[str, dict[str, Any]]:
        """The present hours by company; a state file stores them."""
        return self._present

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the present hours, for `restore`."""
        return deepcopy(self._present)

    def restore(self, present: Mapping[str, dict[str, Any]]) -> None:
        """Restore the hours of a snapshot."""
        self._present = deepcopy(dict(present))
