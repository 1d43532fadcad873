"""The chances of open deals: how likely they are won, when, what they bring, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from crm_sdk.models.deals import Deal

from ...data.document import Document
from ...data.queries.field_types import custom_types
from ...data.queries.filter_groups import compile_filters
from ...data.queries.filters import filter_fields
from ...problems import Problem
from ...request.access.hiding import seen_types
from ...request.access.permissions import readable
from ...serving import Context, Members
from .. import company
from ..deals import figures
from ..deals import probability as points
from ..deals.history import all_stays
from ..deals.insights import insights

FIELDS = filter_fields(Deal)
"""The fields of deals for conditions, with their types."""
_YEAR = timedelta(days=365)
ENOUGH = 3
"""So many deals must have been won by way of a stage to tell how long it takes from there."""
_OVERDUE = timedelta(days=30)
"""What is overdue and cannot be told is expected so much later than today."""


def deals_to_predict(
    call: Context, deal_ids: Sequence[str] | None, filter_groups: Sequence[Mapping[str, Any]] | None
) -> list[Document]:
    """Return the named deals, by default all open ones, that match the filters.

    Raises: 422 for an unknown deal or a filter that cannot be; 409 for a deal that is closed.
    """
    types = seen_types(call.caller, "deal", {**FIELDS, **custom_types(call.collection("field"), "deal")})
    keep = compile_filters(filter_groups or (), types, now=call.now, zone=company.zone(call))
    if deal_ids is None:
        named = readable(call, "deal", call.collection("deal").find("status", "open"))
    else:
        named = [call.record("deal", id) for id in call.resolve("deal", deal_ids, "deal_ids")]
        closed = [deal for deal in named if deal["status"] != "open"]
        if closed:
            message = f"{closed[0]['id']} is {closed[0]['status']}: only open deals have a chance"
            raise Problem("DEAL_CLOSED", message, field="deal_ids", details={"ids": [deal["id"] for deal in closed]})
    return [deal for deal in named if not filter_groups or keep(figures.with_current_figures(call, deal))]


def predict(call: Context, deal_ids: Iterable[str], horizon_days: int) -> list[dict[str, Any]]:
    """Return the predictions of deals; a deal that was closed or deleted since it was chosen has none."""
    days, today = days_to_win(call), company.today(call)
    found: list[dict[str, Any]] = []
    for deal_id in deal_ids:
        stored = call.find_one("deal", deal_id)
        if stored is not None and stored["status"] == "open":
            deal = figures.with_current_figures(call, stored)
            found.append(_prediction(call, deal, days.get(deal["stage_id"], ()), today, horizon_days))
    return found


def in_order(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return predictions, those within the horizon first, and the greatest value first."""

    def place(one: Mapping[str, Any]) -> tuple[Any, ...]:
        beyond = any(reason["feature"] == "horizon" for reason in one["reasons"])
        return beyond, -one["predicted_value"], one["deal_id"]

    return sorted(found, key=place)


def _prediction(call: Context, deal: Document, days: Sequence[int], today: date, horizon_days: int) -> dict[str, Any]:
    closing = _closing(deal, days, today)
    advice = (insight["suggested_action"] for insight in insights(call, deal))
    reasons = [*_reasons(call, deal)]
    if closing > today + timedelta(days=horizon_days):
        reasons.append(_reason("horizon", f"Not expected within {horizon_days} days", closing, 0))
    return {
        "deal_id": deal["id"],
        "title": deal["title"],
        "win_probability": deal["probability"],
        "confidence": deal["confidence"],
        "predicted_close_date": closing,
        "predicted_value": deal["weighted_value"],
        "currency": deal["currency"],
        "reasons": reasons,
        "recommendation": next((text for text in advice if text), None)
        or deal.get("next_step")
        or "Agree on the next step",
    }


def days_to_win(call: Context) -> dict[str, list[int]]:
    """Return, by stage, the days from entering it (the last time) to winning, of the deals won in the last year."""
    stays, found = all_stays(call), dict[str, list[int]]()
    for deal in call.collection("deal").find("status", "won"):
        won: datetime | None = deal["closed_at"]
        if won is None or not call.now - _YEAR <= won <= call.now:
            continue
        entered: Mapping[str, datetime] = {
            stay["to_stage_id"]: stay["entered_at"] for stay in stays.get(deal["id"], ()) if stay["kind"] == "open"
        }
        for stage_id, at in entered.items():
            found.setdefault(stage_id, []).append(max((won - at).days, 0))
    return found


def _closing(deal: Members, days: Sequence[int], today: date) -> date:
    """Return the day on which a deal is likely to be won, by the median of what other deals took from its stage on."""
    if len(days) >= ENOUGH:
        return today + timedelta(days=int(max(1, median(days) - deal["days_in_stage"])))
    expected: date | None = deal["expected_close_date"]
    return expected if expected is not None and expected >= today else today + _OVERDUE


def _reasons(call: Context, deal: Members) -> Iterator[dict[str, Any]]:
    """Yield the parts of a deal's probability; their points add up to it."""
    stage = figures.stage_of(call, deal)
    base = stage["probability"] if stage is not None else points.STAGE_BASE.get(deal["stage"], 0)
    if deal.get("probability_override") is not None:
        yield _reason("probability_override", "Set by hand", deal["probability"], deal["probability"])
        return
    total = base
    yield _reason("stage", "How likely deals in this stage are won", deal["stage"], base)
    for feature, names, each, most in (
        ("positive_signals", deal["positive_signals"], points.SIGNAL, points.SIGNALS_AT_MOST),
        ("risk_factors", deal["risk_factors"], -points.RISK, points.RISKS_AT_MOST),
    ):
        for name in names[:most]:
            total += each
            yield _reason(feature, name, name, each)
    if deal["competitor_mentioned"]:
        total -= points.COMPETITOR
        yield _reason(
            "competitor_mentioned", "A competitor was named", deal["competitor_mentioned"], -points.COMPETITOR
        )
    if total != deal["probability"]:
        label = f"An open deal is between {points.LOWEST} and {points.HIGHEST}"
        yield _reason("bounds", label, total, deal["probability"] - total)


def _reason(feature: str, label: str, value: object, points: int) -> dict[str, Any]:
    return {"feature": feature, "label": label, "value": value, "points": points}
