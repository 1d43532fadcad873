"""The rule of the engagement metrics: what posts, mentions and answers of some days came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from statistics import fmean
from typing import Any

from crm_sdk.resources.social import SocialEngagement

from ...data.document import Document
from ...outside.networks import figures_of, followers_of
from ...serving import Context, serves
from ..analytics.comparing import metrics
from ..ranges import Span, compared_span, periods, series
from .moods import days_of
from .posts import accounts_of, summed_figures

_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("followers", "impressions", "engagements", "clicks", "likes", "comments", "shares"), "count"),
    **dict.fromkeys(("mentions", "responses"), "count"),
    **dict.fromkeys(("engagement_rate", "response_rate"), "rate"),
    "avg_response_minutes": "minutes",
}


class _Sources:
    """The records that figures are made of, those of some accounts."""

    def __init__(self, call: Context, account_id: str | None, network: str | None) -> None:
        self.now = call.now
        self.accounts = accounts_of(call, account_id, network)
        self.targets = [
            target for doc in call.collection("social_post") for target in doc["targets"]
            if target["status"] == "published" and target["account_id"] in self.accounts
        ]  # fmt: skip

        def wanted(doc: Document) -> bool:
            return account_id in (None, doc["account_id"]) and network in (None, doc["network"])

        self.engagements = [doc for doc in call.collection("engagement") if wanted(doc)]
        self.mentions = [doc for doc in call.collection("mention") if wanted(doc)]

    def of(self, span: Span) -> dict[str, Any]:
        """Return the figures of some days."""
        done = [doc for doc in self.engagements if span.has(doc["occurred_at"])]
        answers = [doc for doc in done if doc["direction"] == "outbound"]
        heard = [doc for doc in self.mentions if span.has(doc["posted_at"])]
        total = summed_figures(
            (self._grown(target, span) for target in self.targets),
            (doc for doc in done if doc["direction"] == "inbound"),
        )
        waits = self._waits(answers)
        return {
            **total,
            "followers": self._followers(span),
            "mentions": len(heard),
            "responses": len(answers),
            "response_rate": sum(doc["status"] == "responded" for doc in heard) / len(heard) if heard else 0.0,
            "avg_response_minutes": round(fmean(waits), 2) if waits else 0,
        }

    def _grown(self, target: Mapping[str, Any], span: Span) -> dict[str, int]:
        """Return by how much the figures of a post grew within some days."""
        account = self.accounts[target["account_id"]]
        first = figures_of(target, account, min(span.begins_at, self.now))
        last = figures_of(target, account, min(span.ends_at, self.now))
        return {name: last[name] - first[name] for name in last}

    def _followers(self, span: Span) -> int:
        return sum(_followers(doc, min(span.ends_at, self.now)) for doc in self.accounts.values())

    def _waits(self, answers: Sequence[Document]) -> list[float]:
        """Return how many minutes passed from each mention to its first answer."""
        first: dict[str, datetime] = {}
        for doc in answers:
            at = doc["occurred_at"]
            first[doc["mention_id"]] = min(first.get(doc["mention_id"], at), at)
        posted = {doc["id"]: doc["posted_at"] for doc in self.mentions}
        return [(at - posted[id]).total_seconds() / 60 for id, at in first.items() if id in posted]


def _followers(account: Document, at: datetime) -> int:
    """Return the followers of an account at a time: none before it was connected and after it was disconnected."""
    if at < account["created_at"] or (account["status"] == "disconnected" and at >= account["ended_at"]):
        return 0
    return followers_of(account, at)


@serves(SocialEngagement.metrics)
def engagement_metrics(
    call: Context,
    account_id: str | None,
    network: str | None,
    compare_to: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Count what the posts, mentions and answers of some days came to."""
    whole = days_of(call, start_date, end_date)
    earlier = compared_span(call, whole, compare_to)
    sources = _Sources(call, account_id, network)
    spans = periods(call, whole, period or "day")
    figures = {one: sources.of(one) for one in spans}

    def line(name: str) -> dict[str, Any]:
        return series(name, spans, lambda one: Decimal(figures[one][name]))

    return {
        "start_date": whole.start,
        "end_date": whole.end,
        **metrics(_UNITS, sources.of(whole), sources.of(earlier) if earlier is not None else None),
        "by_network": [_by_network(call, one, account_id, whole) for one in _networks(sources)],
        "series": [line(name) for name in ("impressions", "engagements", "mentions")],
    }


def _networks(sources: _Sources) -> list[str]:
    return sorted({doc["network"] for doc in (*sources.accounts.values(), *sources.mentions)})


def _by_network(call: Context, network: str, account_id: str | None, whole: Span) -> dict[str, Any]:
    found = _Sources(call, account_id, network).of(whole)
    names = ("followers", "impressions", "engagements", "engagement_rate")
    return {"network": network, **{name: found[name] for name in names}}
