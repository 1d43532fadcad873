"""Occasions for a next action: late follow-ups, deals without activity, unanswered messages, hot leads without owner.

An occasion is the content of a recommendation: what there is reason to do, as the data are now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ...request.access.permissions import readable
from ...serving import Context, Members
from .. import company
from ..contacts import health
from ..conversations import state as conversation_state
from ..deals import figures
from ..deals.scope import cents
from ..leads.owners import OPEN

_LATE = timedelta(days=7)
"""From so late on a follow-up is of high priority."""
_ANSWER_WITHIN: Mapping[str, timedelta] = {
    "high": timedelta(hours=1), "medium": timedelta(hours=4), "low": timedelta(hours=24),
}  # fmt: skip
_SURE: Mapping[str, int] = {"high": 90, "medium": 75, "low": 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A reason to do or to offer something, with what a recommendation says of it."""

    name: str
    """What it is: ``late_follow_up``. Feedback moves all of one name to the same owner."""
    kind: str
    entity_type: str
    entity: Members
    owner_id: str | None
    action: str
    title: str
    description: str
    confidence: int
    priority: str
    why: str
    """The reason in words."""
    value: object = None
    """The value that the reason is about."""
    moment: str = ""
    """What tells it from an earlier occasion of the same name and record."""
    due: datetime | timedelta
    """When to have done it, or how long after the recommendation."""
    expected: Decimal | None = None
    product: str | None = None

    @property
    def topic(self) -> str:
        """What it is about; what is dismissed is not recommended again for a while, whatever the moment."""
        return f"{self.name}/{self.entity['id']}/{self.product or ''}"

    @property
    def key(self) -> str:
        """What it is about, and the moment."""
        return f"{self.topic}/{self.moment}"


def next_actions(call: Context) -> Iterator[Occasion]:
    """Yield every occasion for a next action."""
    yield from _late_follow_ups(call)
    yield from _rotten_deals(call)
    yield from _unanswered_messages(call)
    yield from _hot_leads(call)


def _late_follow_ups(call: Context) -> Iterator[Occasion]:
    for contact in readable(call, "contact"):
        planned: datetime | None = contact["next_follow_up"]
        if planned is None or not health.needs_follow_up(contact, call.now):
            continue
        late = call.now - planned
        urgent = late >= _LATE or health.is_high_value(contact) or health.is_at_risk(contact)
        yield Occasion(
            name="late_follow_up",
            kind="next_action",
            entity_type="contact",
            entity=contact,
            owner_id=contact["owner_id"],
            action="follow_up",
            title=f"Follow up with {contact['name']}",
            description=f"The follow-up was planned for {planned:%Y-%m-%d}.",
            confidence=min(60 + 5 * late.days, 90),
            priority="high" if urgent else "medium",
            why="The follow-up is late",
            value=planned,
            moment=planned.isoformat(),
            due=planned,
            expected=_worth_of_contact(call, contact),
        )


def _worth_of_contact(call: Context, contact: Members) -> Decimal | None:
    """Return the weighted value of a contact's open deals, in the company's currency; None without any."""
    worth = company.worth_in(call.tenant)
    theirs = readable(call, "deal", call.collection("deal").find("contact_id", contact["id"]))
    deals = [deal for deal in theirs if deal["status"] == "open"]
    weighted = company.total(worth(deal) * deal["probability"] / 100 for deal in deals)
    return cents(weighted) if deals else None


def _rotten_deals(call: Context) -> Iterator[Occasion]:
    worth = company.worth_in(call.tenant)
    for stored in readable(call, "deal", call.collection("deal").find("status", "open")):
        deal = figures.with_current_figures(call, stored)
        stage = figures.stage_of(call, deal)
        if not deal["is_rotten"] or stage is None:
            continue
        last: datetime = deal["last_activity"]
        quiet = (call.now - last).days
        urgent = figures.is_hot(deal) or worth(deal) >= health.HIGH_VALUE
        yield Occasion(
            name="rotten_deal",
            kind="next_action",
            entity_type="deal",
            entity=deal,
            owner_id=deal["owner_id"],
            action="re_engage",
            title=f"Get {deal['title']} going again",
            description=f"Nothing has happened since {last:%Y-%m-%d}; a deal in {stage['name']} should move sooner.",
            confidence=min(50 + quiet, 95),
            priority="high" if urgent else "medium",
            why="Nothing has happened for too long",
            value=last,
            moment=last.isoformat(),
            due=last + timedelta(days=stage["rotten_days"]),
            expected=cents(worth(deal) * deal["probability"] / 100),
        )


def _unanswered_messages(call: Context) -> Iterator[Occasion]:
    for conversation in call.collection("conversation"):
        history = conversation_state.messages_of(call, conversation["id"])
        waiting = conversation_state.count_unanswered(history)
        person = conversation_state.person_of(call, conversation) if waiting and not conversation["archived"] else None
        if person is None:
            continue
        first, last = history[-waiting], history[-1]
        priority: str = conversation["priority"]
        is_contact = "lifecycle_stage" in person
        since = f"{first['timestamp']:%Y-%m-%d}"
        yield Occasion(
            name="unanswered_message",
            kind="next_action",
            entity_type="contact" if is_contact else "lead",
            entity=person,
            owner_id=person["owner_id"],
            action="email",
            title=f"Answer {person['name']}",
            description=f"{waiting} message{'s' * (waiting != 1)} without an answer since {since}.",
            confidence=_SURE[priority],
            priority=priority,
            why="A message waits for an answer",
            value=first["timestamp"],
            moment=last["id"],
            due=first["timestamp"] + _ANSWER_WITHIN[priority],
            expected=_worth_of_contact(call, person) if is_contact else _worth_of_lead(call, person),
        )


def _hot_leads(call: Context) -> Iterator[Occasion]:
    for lead in readable(call, "lead", call.collection("lead").find("owner_id", None)):
        if lead["rating"] != "hot" or lead["status"] not in OPEN:
            continue
        yield Occasion(
            name="hot_lead",
            kind="next_action",
            entity_type="lead",
            entity=lead,
            owner_id=None,
            action="call" if lead["phone"] else "email",
            title=f"Take on {lead['name']}",
            description=f"A hot lead{' of ' + lead['company'] if lead['company'] else ''} that nobody owns.",
            confidence=lead["score"],
            priority="high",
            why="A hot lead without owner",
            value=lead["score"],
            due=lead["created_at"] + timedelta(days=1),
            expected=_worth_of_lead(call, lead),
        )


def _worth_of_lead(call: Context, lead: Members) -> Decimal | None:
    """Return the value of a lead times its score, in the company's currency; None where nobody knows its value."""
    worth: Any = company.worth_in(call.tenant)(lead)
    return cents(worth * lead["score"] / 100) if lead["value"] is not None else None
