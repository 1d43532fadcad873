"""The rules of alerts: what they look at, when they are told, and whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

from crm_sdk.models.social_listening import SocialAlert
from crm_sdk.resources.social import SocialAlerts

from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Collections, Context, Members
from ...timetable import Appointment, apart, falls_due, plan
from ..notifications import notify
from ..notifications.sending import send

_FIRST_CHECK = timedelta(seconds=1)
"""A new alert looks at what is there so long after it was made; from then on with each mention and by the clock."""
_MOST: Mapping[str, int] = {"negative_share": 1, "sentiment_drop": 200}
_INFLUENCER = 10_000


def _first_checks(collections: Collections) -> Iterator[datetime]:
    return (doc["check_at"] for doc in collections("alert") if doc["check_at"] is not None)


FIRST_CHECK = Appointment("social alerts", _first_checks)


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    condition, threshold = members["condition"], members.get("threshold")
    if threshold is None and condition != "keyword":
        raise invalid("threshold", "required", f"an alert on {condition} needs a threshold")
    most = _MOST.get(condition)
    if threshold is not None and most is not None and threshold > most:
        raise invalid("threshold", "max", f"an alert on {condition} has a threshold of at most {most}")
    least = members.get("min_followers")
    own = [call.caller.user_id] if call.caller.user_id is not None else []
    return {
        "min_followers": (_INFLUENCER if least is None else least) if condition == "influencer" else least,
        "channels": list(dict.fromkeys(members.get("channels") or ["in_app"])),
        "recipients": members.get("recipients") or own,
        "check_at": call.now + _FIRST_CHECK,
    }


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    plan(call.collection, FIRST_CHECK)


ALERTS = Noun(
    resource=SocialAlerts,
    kind="alert",
    model=SocialAlert,
    events="social.alert_",
    verbs={"updated": "triggered"},
    refers={"keyword_ids": "keyword", "recipients": "user"},
    forms={"name": required_text("name")},
    check=_check,
    follow=_follow,
)


@falls_due(FIRST_CHECK)
def check_new(call: Context) -> None:
    """Let new alerts look at what is there."""
    for doc in call.collection("alert").all():
        if doc["check_at"] is not None and doc["check_at"] <= call.now:
            with apart(call, doc):
                _check_one(call, call.collection("alert").put(doc | {"check_at": None}))


def check_all(call: Context, news: Sequence[Document]) -> None:
    """Let every alert look at the mentions; `news` are those that have just come."""
    for doc in call.collection("alert").all():
        if doc["check_at"] is None or news:
            with apart(call, doc):
                _check_one(call, doc)


def _check_one(call: Context, alert: Document) -> None:
    last = alert["last_triggered_at"]
    if not alert["active"] or (last is not None and call.now < last + timedelta(minutes=alert["cooldown_minutes"])):
        return
    window = timedelta(minutes=alert["window_minutes"])
    docs = _mentions(call, alert, call.now - window, call.now)
    value = _FIGURES[alert["condition"]](docs, _mentions(call, alert, call.now - 2 * window, call.now - window), alert)
    least = alert["threshold"] if alert["threshold"] is not None else Decimal(1)
    if value is None or value < least:
        return
    changes = {"last_triggered_at": call.now, "trigger_count": alert["trigger_count"] + 1}
    said = {"value": value, "mention_ids": [doc["id"] for doc in docs][:100]}
    _notify(call, ALERTS.change(call, alert, changes, metadata=said), docs)


def _mentions(call: Context, alert: Members, after: datetime, until: datetime) -> list[Document]:
    """Return the mentions of a time that an alert looks at, the latest first."""
    wanted = set(alert["keyword_ids"])
    docs = [
        doc for doc in call.collection("mention")
        if after < doc["posted_at"] <= until
        and (not wanted or wanted & set(doc["keyword_ids"]))
        and (not alert["networks"] or doc["network"] in alert["networks"])
        and (alert["condition"] != "influencer" or (doc["author"]["followers"] or 0) >= alert["min_followers"])
    ]  # fmt: skip
    return sorted(docs, key=lambda doc: (doc["posted_at"], doc["id"]), reverse=True)


def _count(docs: Sequence[Document], before: Sequence[Document], alert: Members) -> Decimal:
    return Decimal(len(docs))


def _negative_share(docs: Sequence[Document], before: Sequence[Document], alert: Members) -> Decimal | None:
    negative = sum(doc["sentiment"] == "negative" for doc in docs)
    return Decimal(negative) / len(docs) if docs else None


def _drop(docs: Sequence[Document], before: Sequence[Document], alert: Members) -> Decimal | None:
    if not docs or not before:
        return None
    was, now = (fmean(doc["sentiment_score"] for doc in some) for some in (before, docs))
    return Decimal(str(round(was - now, 2)))


_FIGURES: Mapping[str, Callable[[Sequence[Document], Sequence[Document], Members], Decimal | None]] = {
    "mention_volume": _count,
    "negative_share": _negative_share,
    "sentiment_drop": _drop,
    "influencer": _count,
    "keyword": _count,
}


def _notify(call: Context, alert: Document, docs: Sequence[Document]) -> None:
    """Tell the recipients of an alert by its channels; one that cannot be reached by a channel is left out of it."""
    latest = docs[0] if docs else None
    text = f"{len(docs)} mentions in {alert['window_minutes']} minutes."
    if latest is not None:
        text = f"{text} The latest, by {latest['author']['handle']} on {latest['network']}: {latest['content']}"
    for user_id in alert["recipients"]:
        for channel in alert["channels"]:
            if channel == "in_app":
                notify(
                    call, user_id, "social_alert", alert["name"], text, priority="high", about=("alert", alert["id"])
                )
                continue
            try:
                send(call, channel, user_id, subject=alert["name"], content=text, type="social_alert", priority="high")
            except Problem:  # no device, no number: the other channels and recipients are told all the same
                continue
