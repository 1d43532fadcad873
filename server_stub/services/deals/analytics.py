"""What became of the deals, read from their stays in stages: conversion, velocity, wins and losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from crm_sdk.resources.deals import DealAnalytics

from ...data.document import Document
from ...serving import Context, Members, serves
from .. import ranges
from . import stages as deal_stages
from .scope import Course, Scope, average, cents, check_rights, mean, rate, sum_of

_DAY = timedelta(days=1)
_UNKNOWN = "unknown"
_EXACT = 6
"""Days of a cycle are told to so many decimals: a cycle may be of seconds."""


@serves(DealAnalytics.conversion)
def conversion(
    call: Context,
    source: str | None,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Tell what became of the deals that came within a range, and of those that entered each stage within it."""
    check_rights(call)
    whole = ranges.last_year(call, start_date, end_date)
    courses = [
        course
        for course in Scope(pipeline_id, owner_id, team_id).courses(call)
        if source in (None, course.deal["source"])
    ]
    cohort = [course for course in courses if whole.has(course.stays[0]["entered_at"])]
    counts = {kind: sum(course.kind == kind for course in cohort) for kind in ("won", "lost", "open")}
    return {
        "entered": len(cohort),
        **counts,
        "conversion_rate": rate(counts["won"], len(cohort)),
        "win_rate": rate(counts["won"], counts["won"] + counts["lost"]),
        "stages": [_conversion(call, stage, courses, whole) for stage in _stages(call, pipeline_id)],
        "currency": call.tenant["base_currency"],
        "start_date": whole.start,
        "end_date": whole.end,
    }


def _stages(call: Context, pipeline_id: str | None) -> list[Document]:
    pipelines = sorted(call.collection("pipeline"), key=lambda pipeline: (pipeline["position"], pipeline["id"]))
    return [
        stage
        for pipeline in pipelines
        if pipeline["entity_type"] == "deal" and pipeline_id in (None, pipeline["id"])
        for stage in deal_stages.stages(call, pipeline["id"])
    ]


def _conversion(call: Context, stage: Document, courses: Sequence[Course], whole: ranges.Span) -> dict[str, Any]:
    advanced = lost = entered = 0
    days: list[float] = []
    for course in courses:
        first = next(
            (
                n
                for n, stay in enumerate(course.stays)
                if stay["to_stage_id"] == stage["id"] and whole.has(stay["entered_at"])
            ),
            None,
        )
        if first is None:
            continue
        entered += 1
        days.append(_days_in(call, course, stage))
        if stage["kind"] != "open":
            continue
        if any(_is_later(call, stage, stay) for stay in course.stays[first + 1 :]):
            advanced += 1
        elif course.kind == "lost":
            lost += 1
    return {
        "stage_id": stage["id"],
        "stage": stage["key"],
        "entered": entered,
        "advanced": advanced,
        "lost": lost,
        "open": entered - advanced - lost if stage["kind"] == "open" else 0,
        "conversion_rate": rate(advanced, entered),
        "avg_days": mean(days),
    }


def _is_later(call: Context, stage: Document, stay: Document) -> bool:
    """Tell whether a stay is in a stage that lies ahead of another in its pipeline; a lost one lies beside the way."""
    if stay["pipeline_id"] != stage["pipeline_id"] or stay["kind"] == "lost":
        return False
    other = call.collection("stage").get(stay["to_stage_id"], deleted=True)
    return stay["kind"] == "won" or (other is not None and other["position"] > stage["position"])


def _days_in(call: Context, course: Course, stage: Members) -> float:
    """Return how many days a deal was in a stage, all its stays together."""
    stays = [stay for stay in course.stays if stay["to_stage_id"] == stage["id"]]
    return float(sum(((stay["left_at"] or call.now) - stay["entered_at"]) / _DAY for stay in stays))


# -- velocity --------------------------------------------------------------------------------------------------------


@serves(DealAnalytics.velocity)
def velocity(
    call: Context,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Tell how fast deals are won: the deals in play, their mean value, how many are won, and how long that takes."""
    check_rights(call)
    whole = ranges.last_year(call, start_date, end_date)
    courses = Scope(pipeline_id, owner_id, team_id).courses(call)
    playing = [course for course in courses if any(_in_play(call, stay, whole) for stay in course.stays)]
    closed = [course for course in courses if whole.has(course.closed_at)]
    won = [course for course in closed if course.kind == "won"]
    cycles = [course.cycle_days for course in won]
    value = sum_of(call, (course.worth for course in playing)) / len(playing) if playing else Decimal()
    cycle = sum(cycles) / len(cycles) if cycles else 0.0
    wins = rate(len(won), len(closed))
    speed = value * len(playing) * Decimal(wins) / Decimal(cycle) if cycle else Decimal()
    return {
        "opportunities": len(playing),
        "avg_value": cents(value),
        "win_rate": wins,
        "avg_cycle_days": round(cycle, _EXACT) if cycles else None,
        "median_cycle_days": round(median(cycles), _EXACT) if cycles else None,
        "velocity_per_day": cents(speed),
        "stages": [_duration(call, stage, playing) for stage in _stages(call, pipeline_id) if stage["kind"] == "open"],
        "series": _series(call, ranges.periods(call, whole, period or "month"), won),
        "currency": call.tenant["base_currency"],
    }


def _in_play(call: Context, stay: Members, whole: ranges.Span) -> bool:
    """Tell whether a deal was open within a range, or came to a closed stage as it was created."""
    if stay["kind"] != "open":
        return stay["direction"] == "initial" and whole.has(stay["closed_at"])
    return bool(stay["entered_at"] < whole.ends_at and (stay["left_at"] or call.now) >= whole.begins_at)


def _duration(call: Context, stage: Document, courses: Sequence[Course]) -> dict[str, Any]:
    days = sorted(
        _days_in(call, course, stage)
        for course in courses
        if any(stay["to_stage_id"] == stage["id"] for stay in course.stays)
    )
    return {
        "stage_id": stage["id"],
        "stage": stage["key"],
        "deals": len(days),
        "avg_days": mean(days),
        "median_days": round(median(days), 2) if days else 0.0,
        "p90_days": round(_percentile(days, 0.9), 2),
    }


def _percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of sorted values lies, between two of them in proportion; 0 of none."""
    if not values:
        return 0.0
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def _series(call: Context, spans: Sequence[ranges.Span], won: Sequence[Course]) -> list[dict[str, Any]]:
    parts = ranges.divided_items(spans, won, lambda course: course.closed_at)
    measures: Mapping[str, Callable[[ranges.Span], Decimal]] = {
        "won_deals": lambda span: Decimal(len(parts[span])),
        "won_value": lambda span: sum_of(call, (course.worth for course in parts[span])),
        "avg_cycle_days": lambda span: Decimal(str(mean([course.cycle_days for course in parts[span]]))),
    }
    return [ranges.series(name, spans, measure) for name, measure in measures.items()]


# -- won and lost ----------------------------------------------------------------------------------------------------


@serves(DealAnalytics.win_loss)
def win_loss(
    call: Context,
    group_by: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Compare what was won and lost within a range; a deal counts by its last close."""
    check_rights(call)
    whole = ranges.last_year(call, start_date, end_date)
    closed = [course for course in Scope(pipeline_id, owner_id, team_id).courses(call) if whole.has(course.closed_at)]
    won, lost = ([course for course in closed if course.kind == kind] for kind in ("won", "lost"))
    won_value, lost_value = (sum_of(call, (course.worth for course in part)) for part in (won, lost))
    return {
        "won": len(won),
        "lost": len(lost),
        "win_rate": rate(len(won), len(closed)),
        "won_value": won_value,
        "lost_value": lost_value,
        "avg_won_value": average(won_value, len(won)),
        "avg_lost_value": average(lost_value, len(lost)),
        "avg_days_won": mean([course.cycle_days for course in won]),
        "avg_days_lost": mean([course.cycle_days for course in lost]),
        "reasons": [
            {
                "reason": reason,
                "count": len(part),
                "value": sum_of(call, (course.worth for course in part)),
                "share": rate(len(part), len(lost)),
            }
            for reason, part in _grouped_courses(lost, lambda course: course.deal["lost_reason"] or _UNKNOWN)
        ],
        "competitors": [
            {"name": name, **_result(part)}
            for name, part in _grouped_courses(closed, lambda course: course.deal["competitor_mentioned"])
            if name
        ],
        "groups": [
            {
                "key": key or "",
                "name": _name(call, group_by, key),
                **_result(part),
                "won_value": sum_of(call, (course.worth for course in part if course.kind == "won")),
            }
            for key, part in _grouped_courses(closed, lambda course: _key(call, group_by, course))
        ],
        "currency": call.tenant["base_currency"],
    }


def _result(courses: Sequence[Course]) -> dict[str, Any]:
    won = sum(course.kind == "won" for course in courses)
    return {"won": won, "lost": len(courses) - won, "win_rate": rate(won, len(courses))}


def _grouped_courses(
    courses: Sequence[Course], key_of: Callable[[Course], str | None]
) -> list[tuple[str | None, list[Course]]]:
    """Return the courses by a key, the most first."""
    groups: dict[str | None, list[Course]] = {}
    for course in courses:
        groups.setdefault(key_of(course), []).append(course)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0] or ""))


def _key(call: Context, group_by: str, course: Course) -> str | None:
    if group_by == "industry":
        account = call.collection("account").get(course.deal["account_id"] or "", deleted=True)
        return account["industry"] if account is not None else None
    found: str | None = course.worth[f"{group_by}_id"] if group_by in ("owner", "pipeline") else course.deal[group_by]
    return found


def _name(call: Context, group_by: str, key: str | None) -> str:
    if key is None:
        return f"No {group_by}"
    kind = {"owner": "user", "pipeline": "pipeline"}.get(group_by)
    doc = call.collection(kind).get(key, deleted=True) if kind is not None else None
    return str(doc["name"]) if doc is not None else key
