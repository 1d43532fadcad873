"""Whose deals figures are of: those of a pipeline, an owner, a team; and the sums of what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ...data.document import Document
from ...request.access import permissions
from ...request.access.permissions import readable
from ...serving import Context, Members
from .. import company
from . import history as deal_history

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Course:
    """A deal and its stays in the stages of the pipeline that is looked at."""

    deal: Document
    stays: Sequence[Document]

    @property
    def last(self) -> Document:
        """The stay that lasts, or the last one in this pipeline."""
        return self.stays[-1]

    @property
    def kind(self) -> str:
        """What it is there: ``open``, ``won`` or ``lost``; one that went to another pipeline is ``open``."""
        return str(self.last["kind"]) if self.is_here else "open"

    @property
    def is_here(self) -> bool:
        """Whether it is in the pipeline now."""
        return self.last["left_at"] is None

    @property
    def worth(self) -> Document:
        """What says whose it is, and what it is worth: while it is open the deal, else its last stay."""
        return self.deal if self.kind == "open" else self.last

    @property
    def closed_at(self) -> datetime | None:
        """When it was won or lost; None while it is open."""
        return self.last["closed_at"] if self.kind != "open" else None

    @property
    def cycle_days(self) -> float:
        """How many days it took from when it was created to when it was closed."""
        born: datetime = self.deal["created_at"]
        return max(((self.closed_at or born) - born) / timedelta(days=1), 0.0)


@dataclass(frozen=True, slots=True)
class Scope:
    """A choice of deals."""

    pipeline_id: str | None = None
    owner_id: str | None = None
    team_id: str | None = None

    def of(self, call: Context) -> Callable[[Members], bool]:
        """Return what tells whether a deal, or what it was at a time, is in the scope.

        A deal is of its own team, or without one of each of its owner's.
        """
        members = company.members_of(call, self.team_id) if self.team_id is not None else frozenset[str]()

        def is_in(doc: Members) -> bool:
            team = doc.get("team_id")
            return (
                self.pipeline_id in (None, doc["pipeline_id"])
                and self.owner_id in (None, doc["owner_id"])
                and (self.team_id in (None, team) or (team is None and doc["owner_id"] in members))
            )

        return is_in

    def courses(self, call: Context) -> list[Course]:
        """Return the deals that are in the scope by their last stay, with their stays in the pipeline."""
        is_in, stays, found = self.of(call), deal_history.all_stays(call), list[Course]()
        for deal in readable(call, "deal"):
            mine = [stay for stay in stays.get(deal["id"], ()) if self.pipeline_id in (None, stay["pipeline_id"])]
            course = Course(deal, mine)
            if mine and is_in(mine[-1] | {"owner_id": course.worth["owner_id"], "team_id": deal["team_id"]}):
                found.append(course)
        return found


def check_rights(call: Context) -> None:
    """Refuse figures to a caller who may not read analytics."""
    permissions.check(call.caller, "analytics", "read")


def cents(amount: Decimal) -> Decimal:
    """Return an amount to the cent."""
    return amount.quantize(_CENT, "ROUND_HALF_UP")


def sum_of(call: Context, docs: Iterable[Members]) -> Decimal:
    """Return what deals, or their stays, are worth together in the company's currency."""
    return company.sum_worth(call, docs)


def mean(values: Sequence[float], digits: int = 2) -> float:
    """Return the mean of values; 0 of none."""
    return round(sum(values) / len(values), digits) if values else 0.0


def rate(part: float, whole: float) -> float:
    """Return a share, 0..1; 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def average(total: Decimal, count: int) -> Decimal:
    """Return the mean of amounts by their sum; 0 of none."""
    return cents(total / count) if count else Decimal(0)
