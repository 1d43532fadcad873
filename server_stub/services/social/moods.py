"""The rule of the sentiment report: how the mentions of some days sound, by network, keyword or language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

from crm_sdk.resources.social import SocialMonitoring

from ...data.document import Document
from ...serving import Context, serves
from .. import company
from ..ranges import Span, compared_span, divided_items, periods, series, span
from .listening import MENTIONS

DAYS = timedelta(days=29)
"""A range begins so long before its last day, where nothing is said of it."""
_MOVED = 10
"""So many points make a trend."""
_SHOWN = 5


def days_of(call: Context, start_date: date | None, end_date: date | None) -> Span:
    """Return the days that figures are of, by default the last 30."""
    end = end_date or max(company.today(call), start_date or date.min)
    return span(call, start_date or end - DAYS, end)


@serves(SocialMonitoring.sentiment)
def sentiment(
    call: Context,
    keyword_id: str | None,
    network: str | None,
    group_by: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Count the tones of the mentions of some days."""
    whole = days_of(call, start_date, end_date)
    every = MENTIONS.select(call, {"keyword_id": keyword_id, "network": network})
    docs = [doc for doc in every if whole.has(doc["posted_at"])]
    earlier = compared_span(call, whole, "previous_period")
    before = [doc for doc in every if earlier is not None and earlier.has(doc["posted_at"])]
    counted = _shares(docs)
    now, previous = counted["score"], _shares(before)["score"]
    moved = now - previous if now is not None and previous is not None else 0
    spans = periods(call, whole, period or "day")
    by_span = divided_items(spans, docs, lambda doc: doc["posted_at"])

    def count(mood: str) -> dict[str, Any]:
        return series(mood, spans, lambda one: Decimal(sum(doc["sentiment"] == mood for doc in by_span[one])))

    return {
        **counted,
        "trend": "improving" if moved > _MOVED else "declining" if moved < -_MOVED else "stable",
        "previous_score": previous,
        "series": [count(mood) for mood in ("positive", "neutral", "negative")],
        "groups": _groups(call, docs, group_by),
        "top_positive": _top(docs, "positive", -1),
        "top_negative": _top(docs, "negative", 1),
    }


def _shares(docs: Sequence[Document]) -> dict[str, Any]:
    moods, total = Counter(doc["sentiment"] for doc in docs), len(docs)
    shares = {mood: moods[mood] / total if total else 0.0 for mood in ("positive", "neutral", "negative")}
    return {
        "total": total,
        **shares,
        "score": round(fmean(doc["sentiment_score"] for doc in docs), 2) if docs else None,
    }


def _groups(call: Context, docs: Sequence[Document], group_by: str) -> list[dict[str, Any]]:
    found: dict[str, list[Document]] = {}
    for doc in docs:
        for key in doc["keyword_ids"] if group_by == "keyword" else [doc[group_by] or ""]:
            found.setdefault(key, []).append(doc)
    words: Mapping[str, str] = {doc["id"]: doc["keyword"] for doc in call.collection("keyword")}
    groups = [{"key": key, "name": words.get(key, key), **_shares(members)} for key, members in found.items()]
    return sorted(groups, key=lambda group: (-int(group["total"]), str(group["key"])))


def _top(docs: Sequence[Document], mood: str, sign: int) -> list[Document]:
    """Return the mentions of a mood that have most of it, the latest first where they are equal."""
    found = sorted((doc for doc in docs if doc["sentiment"] == mood), key=lambda doc: doc["posted_at"], reverse=True)
    return sorted(found, key=lambda doc: sign * int(doc["sentiment_score"]))[:_SHOWN]
