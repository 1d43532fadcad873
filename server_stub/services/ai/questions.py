"""The rule of `ai.query`: find the list that a question asks for, its filters, and the names, places and times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from crm_sdk.resources.ai import Ai
from crm_sdk.wire import instant

from ...data.queries.query import fold
from ...data.queries.relative_dates import Calendar
from ...serving import Context, serves
from ..calendar.working_time import user_of, week_of, zone_of
from ..deals.figures import CLOSING_SOON
from . import phrases


@dataclass(frozen=True, slots=True)
class _Subject:
    """A list that a question can ask for."""

    intent: str
    route: str
    words: str
    filters: Sequence[tuple[str, str]]
    """The named filters of the list, each with a pattern of words; the first that matches is taken."""


_NOT = r"(?:not|never|(?:have|has|did|do|were)n['’]?t) (?:(?:we|i|you|been) )*"
_SUBJECTS: Sequence[_Subject] = (
    _Subject("list_deals", "/deals",
             r"deals?|opportunit(?:y|ies)|pipeline|sales|geschafte?n?|abschlusse|negocios?|oportunidad(?:es)?", (
        ("closing-soon", r"clos(?:e|es|ing)\b|about to close|end of (?:the )?(?:month|week|quarter)|due\b"
                         r"|kurz vor|bald abgeschlossen|por cerrar|a punto de cerrar"),
        ("at-risk", r"at risk|risky|in danger|stuck|stalled|los(?:e|ing)\b|slipping|overdue|late\b"
                    r"|gefahrdet|uberfallig|en riesgo|vencid"),
        ("hot", r"hot\b|likely|high[- ]probability|promising|best|winning|win\b|heiss|aussichtsreich|caliente"),
    )),
    _Subject("list_events", "/calendar",
             r"meetings?|events?|appointments?|calendar|(?:phone )?calls|schedule|demos?|agenda|termine?|kalender"
             r"|besprechung(?:en)?|reunion(?:es)?|citas?|calendario", (
        ("follow-ups", r"follow[- ]?ups?|nachfass|seguimiento"),
        ("high-priority", r"high[- ]priority|important|urgent|wichtig|dringend"),
        ("meetings", r"meetings?|besprechung|reunion"),
    )),
    _Subject("list_messages", "/messages",
             r"messages?|conversations?|e-?mails?|inbox|chats?|threads?|sms|replies|nachrichten?|mensajes?|correos?"
             r"|conversaciones", (
        ("unread", r"unread|new\b|not read|unopened|ungelesen|neue?n?\b|sin leer|no leid|nuevos"),
        ("high-priority", r"high[- ]priority|important|urgent|dringend|wichtig"),
        ("follow-up", rf"follow[- ]?ups?|unanswered|waiting|{_NOT}(?:answer|repl)|unbeantwortet|sin respuesta"
                      r"|seguimiento"),
    )),
    _Subject("list_contacts", "/contacts",
             r"contacts?|customers?|clients?|people|persons?|who|kontakte?n?|kunden?|clientes?|contactos?|quien", (
        ("at-risk", r"at risk|risky|churn|in danger|leav(?:e|ing)|los(?:e|ing)\b|unhappy|gefahrdet|abwander|en riesgo"
                    rf"|{_NOT}(?:talk|sp[eo]ke?|hear)"),
        ("high-value", r"high[- ]value|valuable|big(?:gest)?|top\b|best|vip|important|wertvoll|wichtig|valios|mejores"),
        ("recent", r"recent|lately|new\b|contacted (?:this|last) week|neulich|kurzlich|recient"),
    )),
    _Subject("list_leads", "/leads", r"leads?|interessenten?|clientes potenciales|prospectos?", ()),
    # Named last: "deals to follow up" are deals.
    _Subject("list_events", "/calendar", r"follow[- ]?ups", (("follow-ups", r"follow"),)),
)  # fmt: skip
_STAGES: Mapping[str, str] = {
    "prospect": r"prospect(?:s|ing)?", "qualified": r"qualified", "proposal": r"proposals?",
    "negotiation": r"negotiat\w+|verhandlung|negociacion", "closed-won": r"(?:closed[- ])?won|gewonnen\w*|ganad\w+",
    "closed-lost": r"(?:closed[- ])?lost|verloren\w*|perdid\w+",
}  # fmt: skip
"""The words for each stage of a deal."""
_PERIODS: Mapping[str, str] = {
    "today": "today", "tomorrow": "tomorrow", "yesterday": "yesterday", "this week": "this_week",
    "next week": "next_week", "last week": "last_week", "this month": "this_month", "next month": "next_month",
    "last month": "last_month", "this quarter": "this_quarter", "next quarter": "next_quarter",
    "last quarter": "last_quarter", "heute": "today", "diese woche": "this_week", "nachste woche": "next_week",
    "diesen monat": "this_month", "hoy": "today", "esta semana": "this_week", "proxima semana": "next_week",
    "este mes": "this_month", "morgen": "tomorrow", "gestern": "yesterday", "ayer": "yesterday",
    "letzte woche": "last_week", "letzten monat": "last_month", "nachsten monat": "next_month",
    "semana pasada": "last_week", "mes pasado": "last_month", "proximo mes": "next_month",
}  # fmt: skip
_NAMED = re.compile(
    r"\b(?:from|in|at|with|of|by|for|about|near|called|named|bei|von|mit|aus|en|de|con)\s+"
    r"((?:[A-ZÀ-Þ0-9][\w&.'-]*)(?:\s+(?:&\s+)?[A-ZÀ-Þ0-9][\w&.'-]*)*)"
)
_AFTER = re.compile(r"\b(?:from|in|at|with|near)\s+([a-z0-9][\w&.'-]{2,})")
_QUOTED = re.compile(r"[\"“„']([^\"”“']{2,})[\"”“']")


@serves(Ai.query)
def query(call: Context, query: str) -> dict[str, Any]:
    """Turn a question into the arguments of a list call; a question about no list becomes a search."""
    named = list(names_in(call, query))
    entities: dict[str, Any] = dict(named)
    words = " ".join(dict.fromkeys(name for _, name in named))
    text = _without(fold(query), [fold(name) for _, name in named])
    period = _period(call, text)
    if period is not None:
        entities |= period
    entities |= (amounts := phrases.amounts_in(text))
    quiet = phrases.quiet_days_in(text)
    if quiet is not None:
        entities["inactive_days"] = quiet
    if re.search(r"\b(?:how many|number of|count|wie ?viele|anzahl|cuant[oa]s|numero de)\b", text):
        entities["measure"] = "count"
    subject = _subject(text)
    if subject is None:
        return _answer("search", "/search", {"q": words or query.strip()}, entities)
    chosen = next((name for name, told in subject.filters if re.search(rf"\b(?:{told})", text)), None)
    if subject.intent == "list_events":
        if words:  # the document of events has no search: the one of everything has
            return _answer("search", "/search", {"q": words, "type": "events"}, entities)
        return _answer(subject.intent, subject.route, _when(chosen, period), entities)
    filters: dict[str, Any] = {}
    if subject.intent == "list_deals":
        stage = next((key for key, told in _STAGES.items() if re.search(rf"\b(?:{told})\b", text)), None)
        if stage is not None:
            entities["stage"] = stage
            words = f"{words} {stage}".strip()  # the search of deals looks in their stage as well
        if chosen == "closing-soon" and period is not None and not _soon(call, period):
            chosen = None  # the filter would show others
        filters |= amounts
    if subject.intent == "list_leads":
        filters |= _leads(text, period)
    if quiet is not None and subject.intent == "list_contacts":
        chosen = "at-risk"  # whom nobody talks to
    if chosen is not None:
        filters["filter"] = chosen
    if words:
        filters["search"] = words
    return _answer(subject.intent, subject.route, filters, entities)


def _answer(intent: str, route: str, filters: Mapping[str, Any], entities: Mapping[str, Any]) -> dict[str, Any]:
    suggested = f"{route}?{urlencode(filters)}" if filters else route
    return {"intent": intent, "filters": filters, "entities": entities, "suggested_route": suggested}


def _subject(text: str) -> _Subject | None:
    """Return the list that a question asks for: of several, the one that is named first."""
    places = [(re.search(rf"\b(?:{one.words})\b", text), one) for one in _SUBJECTS]
    return min(((at.start(), n, one) for n, (at, one) in enumerate(places) if at), default=(0, 0, None))[2]


def _leads(text: str, period: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the filters of leads: their status and when they came."""
    statuses = {
        "new": r"new|neuen?",
        "contacted": r"contacted|kontaktiert\w*",
        "qualified": r"qualified|qualifiziert\w*",
    }
    status = next((name for name, told in statuses.items() if re.search(rf"\b(?:{told})\b", text)), None)
    if period is not None:
        return {"created_after": period["start"], "created_before": period["end"]}
    return {"status": status} if status else {}


# -- when --------------------------------------------------------------------------------------------------------------


def _when(chosen: str | None, period: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the filters of events for a time."""
    named = {"filter": chosen} if chosen else {}
    if period is None:
        return named
    if period["period"] in ("this week", "diese woche", "esta semana") and chosen is None:
        return {"filter": "this-week"}
    return {"start": period["start"], "end": period["end"], **named}


def _soon(call: Context, period: Mapping[str, Any]) -> bool:
    """Return whether a period overlaps the time of the filter ``closing-soon``."""
    now, (start, end) = call.now, (datetime.fromisoformat(period[name]) for name in ("start", "end"))
    return start <= now + CLOSING_SOON and end >= now


def _period(call: Context, text: str) -> dict[str, Any] | None:
    """Return the period that a text names, in the user's time zone and weeks."""
    user = user_of(call, call.caller.user_id)
    zone = zone_of(call, user)
    phrase = next((phrase for phrase in _PERIODS if re.search(rf"\b{phrase}\b", text)), None)
    if phrase is not None and phrase.endswith(("week", "woche", "semana")):
        start, end = week_of(call, user, call.now)
        ahead = {"last": -7, "this": 0, "next": 7}[_PERIODS[phrase].partition("_")[0]]
        start, end = (moment + timedelta(days=ahead) for moment in (start, end))
    elif phrase is not None:
        start, end = Calendar(call.now, zone).span(_PERIODS[phrase], "query")
    elif found := phrases.named_span(text, call.now.astimezone(zone)):
        phrase, start, end = found
    else:
        return None
    start, end = phrases.part_of_day(text, start, end)
    return {"period": phrase, "start": instant(start), "end": instant(end - timedelta(milliseconds=1))}


# -- who, and where ----------------------------------------------------------------------------------------------------


def names_in(call: Context, question: str) -> Iterator[tuple[str, str]]:
    """Yield the names in a question, spelled as in the company's data; unknown names as written."""
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


def _names(call: Context) -> dict[str, list[str]]:
    """Return the names of contacts, companies and cities in the company's data, longer ones first."""
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
    return phrases.is_date(fold(name)) or bool(re.fullmatch(r"(?i)\d{4}|q[1-4]", name))


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = text.replace(name, " ", 1)
    return text
