"""The revenue of the present and the next periods, with bounds: by the open deals and the trend of won ones.

``docs/ai-insights.md`` has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist
from typing import Any

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Context
from .. import company, ranges
from ..deals import figures
from ..deals.scope import Scope, cents

FEWEST, MOST = 3, 12
"""So many past periods must there be for a trend, and at most so many make it."""
_BOTH, _PIPELINE = "weighted_pipeline_and_trend", "weighted_pipeline"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a prediction was asked for."""

    horizon: int
    period: str
    pipeline_id: str | None
    owner_id: str | None
    team_id: str | None
    confidence_level: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through the revenue of past periods, and how far these are from it."""

    level: float
    """Its value in the present period."""
    slope: float
    spread: float
    """The standard deviation of past periods from the line."""

    def at(self, ahead: int) -> float:
        """Return its value some periods ahead, at least 0."""
        return max(self.level + self.slope * ahead, 0.0)


def predict(call: Context, wanted: Wanted) -> dict[str, Any]:
    """Return the members of a RevenuePrediction."""
    is_in = Scope(wanted.pipeline_id, wanted.owner_id, wanted.team_id).of(call)
    deals = [deal for deal in readable(call, "deal") if is_in(deal)]
    opened = [figures.with_current_figures(call, deal) for deal in deals if deal["status"] == "open"]
    won = [deal for deal in deals if deal["status"] == "won"]
    trend = _trend(_past_revenue(call, wanted.period, won))
    factor = NormalDist().inv_cdf(0.5 + wanted.confidence_level / 2)
    points = [
        _point(call, span, ahead, opened, won, trend, factor)
        for ahead, span in enumerate(_spans(call, wanted.period, 0, wanted.horizon))
    ]
    return {
        "currency": call.tenant["base_currency"],
        "horizon": wanted.horizon,
        "confidence_level": wanted.confidence_level,
        "points": points,
        "total_expected": company.total(point["expected"] for point in points),
        "method": _BOTH if trend is not None else _PIPELINE,
    }


def _spans(call: Context, period: str, first: int, count: int) -> list[ranges.Span]:
    """Return periods in a row; `first` is how many ahead of the present one they begin."""
    present = ranges.beginning(company.today(call), period)
    starts = [ranges.later(present, period, first + number) for number in range(count + 1)]
    return [
        ranges.span(call, start, end - timedelta(days=1), ranges.name_of(start, period))
        for start, end in pairwise(starts)
    ]


def _past_revenue(call: Context, period: str, won: Sequence[Document]) -> list[Decimal]:
    """Return the revenue of the last whole periods, from the first in which anything was won."""
    revenue = [
        company.sum_worth(call, (deal for deal in won if span.has(deal["closed_at"])))
        for span in _spans(call, period, -MOST, MOST)
    ]
    first = next((number for number, amount in enumerate(revenue) if amount), len(revenue))
    return revenue[first:]


def _trend(past: Sequence[Decimal]) -> Trend | None:
    """Return the line of least squares through past periods; None where they are too few."""
    count = len(past)
    if count < FEWEST:
        return None
    amounts = [float(amount) for amount in past]
    middle, mean = (count - 1) / 2, sum(amounts) / count
    slope = sum((place - middle) * (amount - mean) for place, amount in enumerate(amounts))
    slope /= sum((place - middle) ** 2 for place in range(count))
    level = mean + slope * (count - middle)  # the present period follows the last one
    rest = sum((amount - level - slope * (place - count)) ** 2 for place, amount in enumerate(amounts))
    return Trend(level, slope, math.sqrt(rest / (count - 2)))


def _point(
    call: Context,
    span: ranges.Span,
    ahead: int,
    opened: Sequence[Document],
    won: Sequence[Document],
    trend: Trend | None,
    factor: float,
) -> dict[str, Any]:
    """Return the RevenuePoint of a period; what is overdue is expected in the present one."""
    worth, today = company.worth_in(call.tenant), company.today(call)
    here = [deal for deal in opened if span.start <= max(deal["expected_close_date"] or today, today) <= span.end]
    done = [deal for deal in won if span.has(deal["closed_at"])]
    sure = company.total(map(worth, done))
    weighted = {True: Decimal(), False: Decimal()}  # by whether they are in the category `commit`
    variance = {True: 0.0, False: 0.0}
    for deal in here:
        chance, commit = Decimal(deal["probability"]) / 100, deal["forecast_category"] == "commit"
        weighted[commit] += worth(deal) * chance
        variance[commit] += float(worth(deal)) ** 2 * float(chance * (1 - chance))
    committed = sure + weighted[True]
    share = (ahead + 1) / (ahead + 2) if trend is not None else 0.0
    extra = max(trend.at(ahead) - float(committed), 0.0) if trend is not None else 0.0
    expected = committed + weighted[False] * Decimal(1 - share) + Decimal(share * extra)
    spread = share * trend.spread if trend is not None else 0.0
    reach = Decimal(factor * math.sqrt(variance[True] + (1 - share) ** 2 * variance[False] + spread**2))
    return {
        "period": span.name,
        "start": span.start,
        "end": span.end,
        "expected": cents(expected),
        "low": cents(max(expected - reach, sure)),
        "high": cents(expected + reach),
        "committed": cents(committed),
        "deal_count": len(here) + len(done),
    }
