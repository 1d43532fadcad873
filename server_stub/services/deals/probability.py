"""The probability of a deal and its confidence by the table of docs/deals.md, and the rule of `ai.deal_probability`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sdk.resources.ai import Ai

from ...problems import invalid
from ...serving import Context, serves
from .signals import evidence

STAGE_BASE: Mapping[str, int] = {
    "prospect": 10,
    "qualified": 25,
    "proposal": 50,
    "negotiation": 75,
    "closed-won": 100,
    "closed-lost": 0,
}
"""The base probability of each stage; the stages of a company's own pipelines have their own."""
SIGNAL, SIGNALS_AT_MOST = 5, 4
"""The points that a positive signal adds, and the greatest number of signals that count."""
RISK, RISKS_AT_MOST = 7, 4
"""The points that a risk subtracts, and the greatest number of risks that count."""
COMPETITOR = 10
"""The points that a mention of a competitor subtracts, once."""
LOWEST, HIGHEST = 1, 99
"""The bounds of the probability of an open deal."""
RECENT = timedelta(days=7)
"""Activities within this time count for the confidence."""
MANY = 2
"""The number of recent activities for a high confidence."""
CLEAR = 2
"""The ratio of signals to risks for a high confidence."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """The probability of a deal, its confidence and the reasons."""

    probability: int
    confidence: str
    reasoning: str


def weigh(
    base: int,
    signals: Sequence[str],
    risks: Sequence[str],
    competitor: str | None,
    *,
    recent: int,
    closed: bool = False,
    stage: str = "stage",
) -> Weighing:
    """Compute the probability from the stage's base, signals, risks, competitor and number of recent activities."""
    if closed:
        return Weighing(base, "high", f"The deal is closed ({stage}): {base} %.")
    parts, probability = [f"{stage} starts at {base} %"], base
    for names, points, most, noun in (
        (signals, SIGNAL, SIGNALS_AT_MOST, "positive signals"),
        (risks, -RISK, RISKS_AT_MOST, "risk factors"),
    ):
        if names:
            moved = points * min(len(names), most)
            probability += moved
            parts.append(f"{moved:+d} for {noun} ({', '.join(names)})")
    if competitor:
        probability -= COMPETITOR
        parts.append(f"{-COMPETITOR:+d} for a competitor ({competitor})")
    probability = max(LOWEST, min(HIGHEST, probability))
    sure = confidence(recent, len(signals), len(risks))
    parts.append(f"the confidence is {sure}, with {recent} of the activities in the last {RECENT.days} days")
    return Weighing(probability, sure, f"{'; '.join(parts)}. In all: {probability} %.")


def confidence(recent: int, signals: int, risks: int) -> str:
    """Return the confidence of a probability, from the recent activities and the ratio of signals to risks."""
    points = min(recent, MANY)
    if signals and signals >= CLEAR * risks:
        points += 1
    elif risks > signals:
        points -= 1
    return "high" if points >= 2 else "medium" if points == 1 else "low"


def recent_of(dates: Iterable[datetime | None], now: datetime) -> int:
    """Count the dates of the last seven days."""
    return sum(date is not None and now - RECENT < date <= now for date in dates)


@serves(Ai.deal_probability)
def deal_probability(
    call: Context,
    stage: str,
    activities: Sequence[Mapping[str, Any]] | None,
    risk_factors: Sequence[str] | None,
    positive_signals: Sequence[str] | None,
    competitor_mentioned: str | None,
) -> dict[str, Any]:
    """Compute the probability from the arguments and the texts of the given activities."""
    own = call.collection("stage").find("key", stage)
    if not own and stage not in STAGE_BASE:
        raise invalid("stage", "choice", f"there is no stage {stage!r}", choices=list(STAGE_BASE))
    base = own[0]["probability"] if own else STAGE_BASE[stage]
    closed = own[0]["kind"] != "open" if own else base in (0, 100)
    known = [_activity(number, activity) for number, activity in enumerate(activities or ())]
    told = evidence(known, call.now)
    signals = _merge_labels(positive_signals or (), [finding.label for finding in told.signals])
    risks = _merge_labels(risk_factors or (), [finding.label for finding in told.risks])
    found = told.competitor.label if told.competitor is not None else None
    rival = competitor_mentioned or found
    recent = recent_of([activity["date"] for activity in known], call.now)
    weighed = weigh(base, signals, risks, rival, recent=recent, closed=closed, stage=stage)
    return {
        "probability": weighed.probability,
        "confidence": weighed.confidence,
        "reasoning": weighed.reasoning,
    }


def _activity(number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a given free-form activity with its date parsed; a date without a zone is in UTC."""
    date = given.get("date")
    if isinstance(date, str):
        try:
            date = datetime.fromisoformat(date)
        except ValueError:
            raise invalid(f"activities.{number}.date", "format", f"{date!r} is not an ISO 8601 date") from None
    moment = date if isinstance(date, datetime) else None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    next_step = given.get("nextStep", given.get("next_step"))
    texts = {"description": given.get("description"), "outcome": given.get("outcome"), "next_step": next_step}
    return {"id": given.get("id"), "date": moment, **texts}


def _merge_labels(given: Sequence[str], found: Sequence[str]) -> list[str]:
    """Return the given and the found labels, without duplicates in any letter case."""
    return list({name.casefold(): name for name in (*found, *given)}.values())
