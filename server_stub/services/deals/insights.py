"""The AI's insights about a deal: risks, opportunities, competitors and suggestions, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...serving import Context, Members
from .. import company
from ..activities.privacy import may_read
from ..insight_shape import insight
from . import figures as figures
from .signals import Evidence, Finding, evidence

_ADVICE: Mapping[str, str] = {
    "budget": "Show what it saves, or offer a smaller start",
    "people": "Find out who decides, and meet them",
    "interest": "Answer the concerns one by one",
    "timing": "Agree a date that the customer needs",
    "contact": "Call instead of writing, or ask somebody else there",
    "contract": "Offer to meet the reviewers",
    "product": "Show the way around it, or when it comes",
}
"""The suggested action for a risk, by its topic."""
_URGENT = timedelta(days=7)


def insights(call: Context, deal: Members) -> list[dict[str, Any]]:
    """Return the insights about a deal, by confidence; the same data give the same insights with the same ids."""
    seen = [told for told in figures.activities_of(call, deal["id"]) if may_read(call, told["id"])]
    told = evidence(seen, call.now)
    found = [*_risks(deal, told), *_competition(deal, told), *_opportunities(deal, told)]
    if deal["status"] == "open":
        found += _dates(call, deal)
    return sorted(found, key=lambda insight: -insight["confidence"])


def _risks(deal: Members, told: Evidence) -> Iterator[dict[str, Any]]:
    if deal["status"] != "open":
        return
    for risk in told.risks:
        yield _insight(
            deal, "risk", risk.topic, risk.label, f"Heard {_when(risk)}; it takes probability from the deal.",
            "high" if risk.topic in ("budget", "people") else "medium", 80, _date(deal, risk), _ADVICE[risk.topic],
        )  # fmt: skip


def _competition(deal: Members, told: Evidence) -> Iterator[dict[str, Any]]:
    rival = told.competitor
    if rival is not None and deal["status"] == "open":
        yield _insight(
            deal, "competitor", rival.label, f"Competes with: {rival.label}", f"Mentioned {_when(rival)}.",
            "high", 85, _date(deal, rival), "Say what sets the offer apart",
        )  # fmt: skip


def _opportunities(deal: Members, told: Evidence) -> Iterator[dict[str, Any]]:
    if deal["status"] != "open":
        return
    for signal in told.signals:
        yield _insight(
            deal, "opportunity", signal.topic, signal.label, f"Heard {_when(signal)}; it adds probability to the deal.",
            "high" if signal.topic in ("budget", "contract") else "medium", 75, _date(deal, signal), None,
        )  # fmt: skip
    if figures.is_hot(deal):
        yield _insight(
            deal, "opportunity", "hot", f"{deal['probability']} % likely", "Few deals are as likely to be won.",
            "high", min(deal["probability"], 95), deal["stage_changed_at"] or deal["created_at"],
            deal.get("next_step") or "Ask for the signature",
        )  # fmt: skip


def _dates(call: Context, deal: Members) -> Iterator[dict[str, Any]]:
    today = company.today(call)
    closing = deal.get("expected_close_date")
    if closing is not None and closing < today:
        yield _insight(
            deal, "risk", f"overdue-{closing}", "The close date has passed", f"It was expected on {closing}.",
            "high", 90, company.midnight(call, closing + timedelta(days=1)), "Set a new date with the customer",
        )  # fmt: skip
    elif closing is not None and figures.closes_soon(deal, today):
        since = company.midnight(call, closing - figures.CLOSING_SOON)
        yield _insight(
            deal, "suggestion", f"closing-{closing}", f"Closes in {(closing - today).days} days",
            f"It is in {deal['stage']} and expected on {closing}.",
            "high" if closing - today <= _URGENT else "medium", 70, max(since, deal["created_at"]),
            deal.get("next_step") or "Agree on what is left to do",
        )  # fmt: skip
    quiet = (call.now - deal["last_activity"]).days
    if deal["is_rotten"]:
        yield _insight(
            deal, "suggestion", f"silent-{deal['last_activity']:%Y%m%d}", f"Nothing happened for {quiet} days",
            f"That is longer than a deal in {deal['stage']} should wait.", "medium", min(50 + quiet, 95),
            deal["last_activity"], "Get in touch this week",
        )  # fmt: skip


def _when(finding: Finding) -> str:
    return f"on {finding.date:%Y-%m-%d}" if finding.date is not None else "some time ago"


def _date(deal: Members, finding: Finding) -> datetime:
    at: datetime = finding.date or deal["created_at"]
    return at


def _insight(
    deal: Members,
    type: str,
    key: str,
    title: str,
    description: str,
    impact: str,
    confidence: int,
    date: datetime,
    action: str | None,
) -> dict[str, Any]:
    return insight(deal, type, key, title, description, confidence, date, action) | {"impact": impact}
