"""The report of accesses: who read, exported, changed and deleted records, and whether that was unusual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from crm_sdk.resources.audit import AuditReports

from ...data.document import Document
from ...serving import Context, serves
from .. import company, ranges
from .logs import readable

Sort: TypeAlias = Literal["reads", "exports", "updates", "deletes"]
SORTS: Sequence[Sort] = ("reads", "exports", "updates", "deletes")
_VERBS: Mapping[str, Sort] = {"read": "reads", "downloaded": "reads", "exported": "exports", "deleted": "deletes"}
_NO_ACCESS = frozenset({"report.exported", "notification.read"})
"""The first comes with `data.exported`; who marks a notification as read has read no record."""
_BEFORE = 30
"""The days before a day whose mean it is compared with."""
_TIMES = 3


@dataclass(slots=True)
class Accesses:
    """What an actor did with the records of one type in a range."""

    entity_type: str
    actor: Mapping[str, Any]
    entries: list[Document] = field(default_factory=list[Document])
    counts: Counter[Sort] = field(default_factory=Counter[Sort])
    reasons: list[str] = field(default_factory=list[str])

    def row(self) -> dict[str, Any]:
        """Return it as a row of the report."""
        ids = {id for entry in self.entries for id in _ids(entry)}
        largest = max(int(entry["metadata"].get("count", 0)) for entry in self.entries)
        return {
            "actor": self.actor,
            "entity_type": self.entity_type,
            **{sort: self.counts[sort] for sort in SORTS},
            "records": max(len(ids), largest),
            "first_at": self.entries[0]["occurred_at"],
            "last_at": self.entries[-1]["occurred_at"],
            "unusual": bool(self.reasons),
            "reasons": self.reasons,
        }


def sort_of(entry: Mapping[str, Any]) -> Sort | None:
    """Return what an entry is counted as; None for one that is no access."""
    verb = entry["action"].rpartition(".")[2]
    if entry["actor"]["type"] == "system" or entry["action"] in _NO_ACCESS:
        return None
    if verb in _VERBS:
        return _VERBS[verb]
    return "updates" if entry["changes"] and verb != "created" else None


def _ids(entry: Mapping[str, Any]) -> Sequence[str]:
    """Return the ids of the records of an access: of a list all of them, of an export none."""
    many = entry["metadata"].get("ids")
    if many is not None:
        return tuple(many)
    return () if entry["action"].endswith(".exported") else (entry["entity"]["id"],)


def accesses(call: Context, whole: ranges.Span, entries: Iterable[Document]) -> list[Accesses]:
    """Return what the actors did in a range, by the entries of the whole trail: each actor is compared with itself."""
    zone, days = company.zone(call), dict[tuple[str, str], Counter[date]]()
    found: dict[tuple[str, str], Accesses] = {}
    counted = set[tuple[Any, ...]]()
    exported = set[tuple[str, str]]()
    for entry in entries:
        sort = sort_of(entry)
        if sort is None:
            continue
        actor, about = entry["actor"], entry["entity"]
        key = (actor["id"], about["type"])
        once = (*key, sort, about["id"], entry["source"]["request_id"])
        if once in counted:  # a request that changes a record tells of it by several events
            continue
        counted.add(once)
        if sort in ("reads", "exports"):
            days.setdefault(key, Counter())[_day(entry, zone)] += 1
        first = sort == "exports" and key not in exported
        if first:
            exported.add(key)
        if not whole.has(entry["occurred_at"]):
            continue
        one = found.setdefault(key, Accesses(about["type"], actor))
        one.actor, one.counts[sort] = actor, one.counts[sort] + 1
        one.entries.append(entry)
        if first:
            one.reasons.append(f"the first export, on {_day(entry, zone)}")
    for key, one in found.items():
        one.reasons += _above_the_mean(days.get(key, Counter()), whole)
    return sorted(found.values(), key=lambda one: (-one.counts["reads"] - one.counts["exports"], one.actor["id"]))


def _day(entry: Mapping[str, Any], zone: ZoneInfo) -> date:
    day: date = entry["occurred_at"].astimezone(zone).date()
    return day


def _above_the_mean(days: Mapping[date, int], whole: ranges.Span) -> Iterator[str]:
    """Yield the days of a range with more reads and exports than three times the mean of the 30 days before.

    The mean begins with the first access: an actor without a past is compared with nothing.
    """
    first = min(days, default=whole.end)
    for day, count in sorted(days.items()):
        past = min((day - first).days, _BEFORE)
        if not past or not whole.start <= day <= whole.end:
            continue
        mean = sum(days.get(day - timedelta(days=back), 0) for back in range(1, past + 1)) / past
        if count > _TIMES * mean:
            yield f"{count} on {day}, more than {_TIMES} times the mean of {mean:.1f} a day before"


def of_range(
    call: Context,
    whole: ranges.Span,
    entries: Sequence[Document],
    user_id: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
) -> list[Accesses]:
    """Return the accesses of a range, of an actor, to a type or to a record."""
    return accesses(
        call,
        whole,
        (
            entry
            for entry in entries
            if user_id in (None, entry["actor"]["id"])
            and entity_type in (None, entry["entity"]["type"])
            and (entity_id in (None, entry["entity"]["id"]) or entity_id in _ids(entry))
        ),
    )


@serves(AuditReports.data_access)
def data_access(
    call: Context,
    user_id: str | None,
    entity_type: str | None,
    entity_id: str | None,
    unusual: bool | None,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Return who read, exported, changed and deleted records in a range of days."""
    whole = ranges.last_year(call, start_date, end_date)
    found = of_range(call, whole, readable(call), user_id, entity_type, entity_id)
    rows = [row for one in found if unusual in (None, (row := one.row())["unusual"])]
    return {
        "start_date": whole.start,
        "end_date": whole.end,
        "rows": rows,
        "totals": {name: sum(int(row[name]) for row in rows) for name in (*SORTS, "records", "unusual")},
    }
