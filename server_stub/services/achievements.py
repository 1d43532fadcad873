"""The rules of achievements: progress is counted in the company's records; a new achievement notifies its user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.achievements import Achievements

from ..data.document import Document
from ..serving import Context, Members, reacts, serves
from . import company
from .deals import figures as figures
from .notifications import notify

_POINTS: Mapping[str, int] = {"common": 50, "uncommon": 100, "rare": 200, "epic": 400, "legendary": 800}
"""The points of an achievement, by its rarity."""
_BIG = 25_000
_KEPT = timedelta(days=30)
"""The time until the notification of an achievement expires."""

Steps = Sequence[tuple[datetime, int, str]]
"""The steps towards an achievement, oldest first: time, amount, and id of the record."""


@dataclass(frozen=True, slots=True)
class _Achievement:
    """A goal that users can reach."""

    id: str
    title: str
    description: str
    category: str
    rarity: str
    target: int
    steps: Callable[[Context, str | None], Steps]
    """Returns the steps of a user; of the whole company for an API key without a user."""
    events: frozenset[str]
    """The events by which it can be reached."""


def _mine(call: Context, kind: str, user: str | None) -> list[Document]:
    """Return the records of a kind that a user owns; without a user, those of the company."""
    return call.collection(kind).find("owner_id", user) if user is not None else call.collection(kind).all()


def _deals_won(call: Context, user: str | None) -> Steps:
    return _one_each((deal["closed_at"], deal) for deal in _mine(call, "deal", user) if deal.get("status") == "won")


def _revenue(call: Context, user: str | None) -> Steps:
    worth = company.worth_in(call.tenant)
    won = (deal for deal in _mine(call, "deal", user) if deal.get("status") == "won")
    return sorted((deal["closed_at"], int(worth(deal)), deal["id"]) for deal in won)


def _big_deals_won(call: Context, user: str | None) -> Steps:
    return [(at, 1, id) for at, value, id in _revenue(call, user) if value >= _BIG]


def _leads(call: Context, user: str | None) -> Steps:
    return _one_each((lead["created_at"], lead) for lead in _mine(call, "lead", user))


def _leads_qualified(call: Context, user: str | None) -> Steps:
    return _one_each(
        (_judgement_time(lead) or lead.get("converted_at") or lead["updated_at"], lead)
        for lead in _mine(call, "lead", user)
        if lead["status"] in ("qualified", "converted")
    )


def _judgement_time(lead: Document) -> datetime | None:
    judgement: Mapping[str, Any] = lead.get("qualification") or {}
    return judgement.get("qualified_at")


def _leads_converted(call: Context, user: str | None) -> Steps:
    found = (lead for lead in _mine(call, "lead", user) if lead["status"] == "converted")
    return _one_each((lead.get("converted_at") or lead["updated_at"], lead) for lead in found)


def _contacts(call: Context, user: str | None) -> Steps:
    return _one_each((contact["created_at"], contact) for contact in _mine(call, "contact", user))


def _healthy(call: Context, user: str | None) -> Steps:
    found = (doc for doc in _mine(call, "contact", user) if doc.get("relationship_health") == "high")
    return _one_each((doc.get("last_contact") or doc["created_at"], doc) for doc in found)


def _activities_done(*kinds: str) -> Callable[[Context, str | None], Steps]:
    def steps(call: Context, user: str | None) -> Steps:
        found = (doc for doc in _mine(call, "activity", user) if doc["kind"] in kinds)
        times = ((doc.get("occurred_at") or doc.get("start_time") or doc["created_at"], doc) for doc in found)
        return _one_each((at, doc) for at, doc in times if at <= call.now)

    return steps


def _agent_tasks(call: Context, user: str | None) -> Steps:
    found = call.collection("audit").find("action", "agent.completed")
    return _one_each((entry["occurred_at"], entry) for entry in found if user in (None, _asker(call, entry)))


def _asker(call: Context, entry: Document) -> str | None:
    """Return the user who executed an agent, also by an API key of the user."""
    actor: str = entry["actor"]["id"]
    key = call.collection("api_key").get(actor)
    return key.get("user_id") if key is not None else actor


def _systems_connected(call: Context, user: str | None) -> Steps:
    found = (doc for doc in call.collection("integration").all() if doc["status"] == "connected")
    return _one_each((doc.get("connected_at") or doc["created_at"], doc) for doc in found)


def _one_each(found: Iterable[tuple[datetime, Members]]) -> Steps:
    return sorted((at, 1, doc["id"]) for at, doc in found)


_SOLD = frozenset({"deal.won", "deal.updated"})
_TAKEN_ON = frozenset({"lead.created", "lead.assigned"})
_MOVED_ON = frozenset({"lead.qualified", "lead.updated", "lead.converted"})
_MET = frozenset({"contact.created"})
_FELT = frozenset({"contact.health_changed"})
_TALKED = frozenset({"activity.created"})
_ANSWERED = frozenset({"agent.completed"})
_LINKED = frozenset({"integration.connected"})

_ALL: Sequence[_Achievement] = (
    _Achievement("achievement_123", "First Sale", "Closed your first deal", "sales", "common", 1, _deals_won, _SOLD),
    _Achievement("achievement_dealmaker", "Dealmaker", "Closed 5 deals", "sales", "uncommon", 5, _deals_won, _SOLD),
    _Achievement("achievement_closer", "Closer", "Closed 25 deals", "sales", "epic", 25, _deals_won, _SOLD),
    _Achievement("achievement_big_fish", "Big Fish", "Won a deal worth 25,000 or more", "sales", "rare", 1,
                 _big_deals_won, _SOLD),
    _Achievement("achievement_revenue", "Six Figures", "Won deals worth 100,000", "sales", "rare", 100_000,
                 _revenue, _SOLD),
    _Achievement("achievement_million", "Millionaire", "Won deals worth 1,000,000", "sales", "legendary",
                 1_000_000, _revenue, _SOLD),
    _Achievement("achievement_first_lead", "Door Opener", "Took on your first lead", "leads", "common", 1,
                 _leads, _TAKEN_ON),
    _Achievement("achievement_hunter", "Hunter", "Took on 50 leads", "leads", "uncommon", 50, _leads, _TAKEN_ON),
    _Achievement("achievement_qualifier", "Qualifier", "Qualified 10 leads", "leads", "uncommon", 10,
                 _leads_qualified, _MOVED_ON),
    _Achievement("achievement_converter", "Converter", "Converted 10 leads", "leads", "rare", 10,
                 _leads_converted, _MOVED_ON),
    _Achievement("achievement_networker", "Networker", "Looks after 25 contacts", "relationships", "uncommon",
                 25, _contacts, _MET),
    _Achievement("achievement_trusted", "Trusted", "Keeps 10 relationships in high health", "relationships", "rare",
                 10, _healthy, _FELT),
    _Achievement("achievement_talker", "Conversationalist", "Had 50 conversations", "activity", "uncommon", 50,
                 _activities_done("call", "email", "event", "note"), _TALKED),
    _Achievement("achievement_caller", "On the Line", "Made 20 calls", "activity", "common", 20,
                 _activities_done("call"), _TALKED),
    _Achievement("achievement_assisted", "Assisted", "Gave an AI agent its first task", "ai", "common", 1,
                 _agent_tasks, _ANSWERED),
    _Achievement("achievement_delegator", "Delegator", "Gave AI agents 25 tasks", "ai", "rare", 25,
                 _agent_tasks, _ANSWERED),
    _Achievement("achievement_connected", "Well Connected", "Connected 5 integrations", "system", "uncommon", 5,
                 _systems_connected, _LINKED),
)  # fmt: skip


@serves(Achievements.list)
def list_(call: Context) -> dict[str, Any]:
    """Return every achievement with the caller's progress, unlocked at the time of the step that reached the target."""
    found = [_of(call, each) for each in _ALL]
    reached = [each for each in found if each["unlocked_at"] is not None]
    totals = {
        "total_unlocked": len(reached),
        "total_available": len(found),
        "points": sum(_POINTS[each["rarity"]] for each in reached),
    }
    return {"achievements": found, "progress": totals}


def _of(call: Context, each: _Achievement) -> dict[str, Any]:
    user = call.caller.user_id
    count, unlocked = 0, None
    for at, amount, _ in each.steps(call, user):
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


@reacts(*(event for each in _ALL for event in each.events))
def congratulate(call: Context, entry: Document) -> None:
    """Notify users of the achievements that an event has unlocked, each once."""
    record = call.collection(entry["entity"]["type"]).get(entry["entity"]["id"])
    user = (record.get("owner_id") if record is not None else None) or call.caller.user_id
    if user is None:
        return
    for each in _ALL:
        if entry["action"] in each.events and f"{user}/{each.id}" not in call.collection("unlocked"):
            _unlock(call, user, each, {entry["id"], entry["entity"]["id"]})


def _unlock(call: Context, user: str, each: _Achievement, with_: set[str]) -> None:
    steps = each.steps(call, user)
    total = sum(amount for _, amount, _ in steps)
    if total < each.target:
        return
    call.collection("unlocked").put(Document(id=f"{user}/{each.id}", at=call.now))
    if sum(amount for _, amount, id in steps if id not in with_) >= each.target:
        return  # it was reached by an earlier step: no notification
    notify(
        call,
        user,
        "system",
        f"Achievement unlocked: {each.title}",
        f"{each.description}. That is worth {_POINTS[each.rarity]} points.",
        priority="low",
        data={"achievementId": each.id, "rarity": each.rarity},
        action_url="/achievements",
        expires_at=call.now + _KEPT,
    )
