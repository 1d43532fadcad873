"""The rule of achievements: what somebody has reached, counted in the company's records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.achievements import Achievements

from ..document import Document
from ..serving import Call, serves

_POINTS: Mapping[str, int] = {"common": 50, "uncommon": 100, "rare": 200, "epic": 400, "legendary": 800}
"""What an achievement is worth, by its rarity."""

Steps = Sequence[tuple[datetime, int]]
"""What counts for an achievement, oldest first: when, and how much."""


@dataclass(frozen=True, slots=True)
class _Achievement:
    """Something to reach."""

    id: str
    title: str
    description: str
    category: str
    rarity: str
    target: int
    steps: Callable[[Call], Steps]


def _mine(call: Call, kind: str) -> list[Document]:
    """Return the caller's records of a kind; those of the company for a key without a user."""
    user = call.caller.user_id
    return call.collection(kind).find("owner_id", user) if user is not None else call.collection(kind).all()


def _won(call: Call) -> Steps:
    return _sorted((_closed(deal), 1) for deal in _mine(call, "deal") if deal.get("status") == "won")


def _revenue(call: Call) -> Steps:
    rates = {rate["currency"]: Decimal(rate["rate"]) for rate in call.tenant.get("currencies") or ()}
    return _sorted(
        (_closed(deal), int(Decimal(deal["value"]) * rates.get(deal.get("currency") or "", Decimal(1))))
        for deal in _mine(call, "deal")
        if deal.get("status") == "won"
    )


def _big(call: Call) -> Steps:
    return [step for step in _revenue(call) if step[1] >= 25_000]


def _closed(deal: Document) -> datetime:
    at: datetime = deal.get("closed_at") or deal["updated_at"]
    return at


def _leads(call: Call) -> Steps:
    return _sorted((lead["created_at"], 1) for lead in _mine(call, "lead"))


def _qualified(call: Call) -> Steps:
    return _sorted(
        (_judged(lead) or lead.get("converted_at") or lead["updated_at"], 1)
        for lead in _mine(call, "lead")
        if lead["status"] in ("qualified", "converted")
    )


def _judged(lead: Document) -> datetime | None:
    judgement: Mapping[str, Any] = lead.get("qualification") or {}
    return judgement.get("qualified_at")


def _converted(call: Call) -> Steps:
    found = (lead for lead in _mine(call, "lead") if lead["status"] == "converted")
    return _sorted((lead.get("converted_at") or lead["updated_at"], 1) for lead in found)


def _contacts(call: Call) -> Steps:
    return _sorted((contact["created_at"], 1) for contact in _mine(call, "contact"))


def _healthy(call: Call) -> Steps:
    found = (doc for doc in _mine(call, "contact") if doc.get("relationship_health") == "high")
    return _sorted((doc.get("last_contact") or doc["created_at"], 1) for doc in found)


def _done(*kinds: str) -> Callable[[Call], Steps]:
    def steps(call: Call) -> Steps:
        found = (doc for doc in _mine(call, "activity") if doc["kind"] in kinds)
        times = (doc.get("occurred_at") or doc.get("start_time") or doc["created_at"] for doc in found)
        return _sorted((at, 1) for at in times if at <= call.now)

    return steps


def _asked(call: Call) -> Steps:
    found = (entry for entry in call.collection("audit").all() if entry["action"] == "agent.completed")
    return _sorted((entry["occurred_at"], 1) for entry in found if entry["actor"]["id"] == call.caller.actor_id)


def _connected(call: Call) -> Steps:
    found = (doc for doc in call.collection("integration").all() if doc["status"] == "connected")
    return _sorted((doc.get("connected_at") or doc["created_at"], 1) for doc in found)


def _sorted(steps: Any) -> Steps:
    return sorted(steps, key=lambda step: step[0])


_ALL: Sequence[_Achievement] = (
    _Achievement("achievement_123", "First Sale", "Closed your first deal", "sales", "common", 1, _won),
    _Achievement("achievement_dealmaker", "Dealmaker", "Closed 5 deals", "sales", "uncommon", 5, _won),
    _Achievement("achievement_closer", "Closer", "Closed 25 deals", "sales", "epic", 25, _won),
    _Achievement("achievement_big_fish", "Big Fish", "Won a deal worth 25,000 or more", "sales", "rare", 1, _big),
    _Achievement("achievement_revenue", "Six Figures", "Won deals worth 100,000", "sales", "rare", 100_000, _revenue),
    _Achievement("achievement_million", "Millionaire", "Won deals worth 1,000,000", "sales", "legendary",
                 1_000_000, _revenue),
    _Achievement("achievement_first_lead", "Door Opener", "Took on your first lead", "leads", "common", 1, _leads),
    _Achievement("achievement_hunter", "Hunter", "Took on 50 leads", "leads", "uncommon", 50, _leads),
    _Achievement("achievement_qualifier", "Qualifier", "Qualified 10 leads", "leads", "uncommon", 10, _qualified),
    _Achievement("achievement_converter", "Converter", "Converted 10 leads", "leads", "rare", 10, _converted),
    _Achievement("achievement_networker", "Networker", "Looks after 25 contacts", "relationships", "uncommon",
                 25, _contacts),
    _Achievement("achievement_trusted", "Trusted", "Keeps 10 relationships in high health", "relationships", "rare",
                 10, _healthy),
    _Achievement("achievement_talker", "Conversationalist", "Had 50 conversations", "activity", "uncommon", 50,
                 _done("call", "email", "event", "note")),
    _Achievement("achievement_caller", "On the Line", "Made 20 calls", "activity", "common", 20, _done("call")),
    _Achievement("achievement_assisted", "Assisted", "Gave an AI agent its first task", "ai", "common", 1, _asked),
    _Achievement("achievement_delegator", "Delegator", "Gave AI agents 25 tasks", "ai", "rare", 25, _asked),
    _Achievement("achievement_connected", "Well Connected", "Connected 5 integrations", "system", "uncommon", 5,
                 _connected),
)  # fmt: skip


@serves(Achievements.list)
def list_(call: Call) -> dict[str, Any]:
    """Return every achievement with the caller's progress: what is reached was reached with the record that did it."""
    found = [_of(call, each) for each in _ALL]
    reached = [each for each in found if each["unlocked_at"] is not None]
    totals = {
        "total_unlocked": len(reached),
        "total_available": len(found),
        "points": sum(_POINTS[each["rarity"]] for each in reached),
    }
    return {"achievements": found, "progress": totals}


def _of(call: Call, each: _Achievement) -> dict[str, Any]:
    count, unlocked = 0, None
    for at, amount in each.steps(call):
        count += amount
        if unlocked is None and count >= each.target:
            unlocked = at
    current = min(count, each.target)
    return {
        "id": each.id,
        "title": each.title,
        "description": each.description,
        "category": each.category,
        "rarity": each.rarity,
        "unlocked_at": unlocked,
        "progress": {"current": current, "target": each.target, "percentage": current * 100 // each.target},
    }
