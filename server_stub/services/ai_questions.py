"""The rule of questions: which list a question means, which filters of it, and who, where and when it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_sdk.resources.ai import Ai
from crm_sdk.wire import instant

from ..problems import invalid
from ..query import fold
from ..relative_dates import Calendar
from ..serving import Call, serves


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a question can be about."""

    intent: str
    route: str
    words: str
    filters: Sequence[tuple[str, str]]
    """The list's named filters, each with the words that mean it; the first that fits counts."""


_SUBJECTS: Sequence[_Subject] = (
    _Subject("list_deals", "/deals", r"deals?|opportunit(?:y|ies)|pipeline|sales", (
        ("closing-soon", r"clos(?:e|es|ing)\b|about to close|end of (?:the )?(?:month|week|quarter)|due"),
        ("at-risk", r"at risk|risky|in danger|stuck|stalled|los(?:e|ing)|slipping"),
        ("hot", r"hot|likely|high[- ]probability|promising|best|winning|win"),
    )),
    _Subject("list_events", "/calendar", r"meetings?|events?|appointments?|calendar|calls? scheduled|schedule|demos?", (
        ("follow-ups", r"follow[- ]?ups?"),
        ("high-priority", r"high[- ]priority|important|urgent"),
        ("meetings", r"meetings?"),
    )),
    _Subject("list_messages", "/messages", r"messages?|conversations?|e-?mails?|inbox|chats?|threads?|sms|replies", (
        ("unread", r"unread|new|not read|unopened"),
        ("high-priority", r"high[- ]priority|important|urgent"),
        ("follow-up", r"follow[- ]?ups?|unanswered|waiting"),
    )),
    _Subject("list_contacts", "/contacts", r"contacts?|customers?|clients?|people|persons?|who", (
        ("at-risk", r"at risk|risky|churn\w*|in danger|leaving|los(?:e|ing)|unhappy"),
        ("high-value", r"high[- ]value|valuable|big(?:gest)?|top|best|vip|important"),
        ("recent", r"recent(?:ly)?|lately|new|contacted (?:this|last) week"),
    )),
)  # fmt: skip
_PERIODS: Mapping[str, str] = {
    "today": "today", "tomorrow": "tomorrow", "yesterday": "yesterday", "this week": "this_week",
    "next week": "next_week", "last week": "last_week", "this month": "this_month", "next month": "next_month",
    "last month": "last_month", "this quarter": "this_quarter", "next quarter": "next_quarter",
    "last quarter": "last_quarter",
}  # fmt: skip
_NAMED = re.compile(
    r"\b(?:from|in|at|with|of|by|for|about|near|called|named)\s+"
    r"((?:[A-ZÀ-Þ0-9][\w&.'-]*)(?:\s+(?:&\s+)?[A-ZÀ-Þ0-9][\w&.'-]*)*)"
)
_AFTER = re.compile(r"\b(?:from|in|at|with|near)\s+([a-z0-9][\w&.'-]{2,})")
_QUOTED = re.compile(r"[\"“„']([^\"”“']{2,})[\"”“']")


@serves(Ai.query)
def query(call: Call, query: str) -> dict[str, Any]:
    """Turn a question into what a list is to be asked for; one about nothing we list becomes a search."""
    if not query.strip():
        raise invalid("query", "required", "ask something")
    named = list(_named(call, query))
    entities: dict[str, Any] = dict(named)
    words = " ".join(dict.fromkeys(name for _, name in named))
    text = _without(fold(query), [fold(name) for _, name in named])
    period = next((phrase for phrase in _PERIODS if re.search(rf"\b{phrase}\b", text)), None)
    if period is not None:
        entities["period"] = period
    subject = _subject(text)
    if subject is None:
        found = words or query.strip()
        return _answer("search", "/search", {"q": found}, entities)
    chosen = next((name for name, told in subject.filters if re.search(rf"\b(?:{told})", text)), None)
    filters: dict[str, Any] = {}
    if subject.intent == "list_events":
        filters, found_period = _when(call, chosen, period)
        entities |= found_period
        if words:  # the document of events has no search: the one of everything has
            return _answer("search", "/search", {"q": words, "type": "events"}, entities)
    elif chosen is not None:
        filters["filter"] = chosen
    if words:
        filters["search"] = words
    return _answer(subject.intent, subject.route, filters, entities)


def _answer(intent: str, route: str, filters: Mapping[str, Any], entities: Mapping[str, Any]) -> dict[str, Any]:
    suggested = f"{route}?{urlencode(filters)}" if filters else route
    return {"intent": intent, "filters": filters, "entities": entities, "suggested_route": suggested}


def _subject(text: str) -> _Subject | None:
    """Return what is asked for: of several things the one that is named first."""
    at = {match.start(): subject for subject in _SUBJECTS if (match := re.search(rf"\b(?:{subject.words})\b", text))}
    return at[min(at)] if at else None


def _when(call: Call, chosen: str | None, period: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the filters of events for a time, and the time itself."""
    if period is None:
        return ({"filter": chosen} if chosen else {}), {}
    start, end = Calendar(call.now, _zone(call)).span(_PERIODS[period], "query")
    span = {"start": instant(start), "end": instant(end - timedelta(milliseconds=1))}
    if period == "this week" and chosen is None:
        return {"filter": "this-week"}, span
    return {**span, **({"filter": chosen} if chosen else {})}, span


def _zone(call: Call) -> tzinfo:
    user = call.collection("user").get(call.caller.user_id or "") or call.tenant
    try:
        return ZoneInfo(user.get("timezone") or call.tenant.get("timezone") or "UTC")
    except ZoneInfoNotFoundError:  # a machine without time zones
        return UTC


def _named(call: Call, question: str) -> Iterator[tuple[str, str]]:
    """Return who and what a question names, as the company's data calls them; what is not known there as it stands."""
    rest = _key(question)
    known = {kind: [(_key(name), name) for name in names] for kind, names in _names(call).items()}
    for kind, names in known.items():
        for key, name in names:
            if len(key) > 4 and key in rest:
                rest = rest.replace(key, "  ", 1)
                yield kind, name
                break
    for match in (*_QUOTED.finditer(question), *_NAMED.finditer(question), *_AFTER.finditer(question)):
        name = match[1].strip(" .,?!")
        key = _key(name)
        if key not in rest or key.strip() in _PERIODS or _is_date(name):
            continue
        among = next((kind for kind, names in known.items() if any(key in whole for whole, _ in names)), None)
        if among is not None or name[:1].isupper() or match.re is _QUOTED:
            rest = rest.replace(key, "  ", 1)
            yield among or "name", name


def _key(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9]+', ' ', fold(text)).strip()} "


def _names(call: Call) -> dict[str, list[str]]:
    """Return the names there are: contacts, companies, cities; longer ones first."""
    contacts = call.collection("contact").all()
    docs = [*contacts, *call.collection("deal").all(), *call.collection("lead").all()]
    accounts = [account["name"] for account in call.collection("account").all()]
    cities = [doc["address"]["city"] for doc in docs if doc.get("address") and doc["address"].get("city")]
    return {
        "contact": _longest(contact["name"] for contact in contacts),
        "company": _longest([*accounts, *(doc["company"] for doc in docs if doc.get("company"))]),
        "city": _longest(cities),
    }


def _longest(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name}, key=lambda name: (-len(name), name))


def _is_date(name: str) -> bool:
    return bool(re.fullmatch(r"(?i)(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d{4}|q[1-4]", name))


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = text.replace(name, " ", 1)
    return text
