"""The rules of the dashboard: the revenue forecast, the action items and the summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from crm_sdk.resources.dashboard import ActionItems, Dashboard

from ..data.document import Document
from ..problems import missing
from ..request.access.permissions import readable
from ..serving import Context, Members, serves
from . import company
from .contacts import health as health
from .deals import figures as figures

SHOWN = 10
"""The number of deals and of contacts in the summary."""
IDLE = timedelta(days=14)
"""The time without activity after which an open deal becomes an action item."""
LIKELY = 50
"""The least probability of a deal that closes soon to become an action item."""

_SURE: Mapping[str, int] = {"high": 2, "medium": 1, "low": 0}
_HIGH, _MEDIUM = Decimal("1.5"), Decimal("0.75")

# -- the quarter's revenue -------------------------------------------------------------------------------------------


@serves(Dashboard.forecast)
def forecast(call: Context) -> dict[str, Any]:
    """Add up the deals won this quarter and the open deals expected to close in it, by source."""
    worth = company.worth_in(call.tenant)
    first, last = company.quarter(company.today(call))
    begin, end = company.midnight(call, first), company.midnight(call, last + timedelta(days=1))
    sources: dict[str, list[tuple[Decimal, int]]] = {}
    sure = weight = Decimal()
    for deal in figures.all_seen(call):
        closing, closed_at = deal.get("expected_close_date"), deal.get("closed_at")
        won = deal["status"] == "won" and closed_at is not None and begin <= closed_at < end
        ahead = deal["status"] == "open" and closing is not None and closing <= last
        if won or ahead:
            value = worth(deal)
            sources.setdefault(deal.get("source") or "other", []).append((value, deal["probability"]))
            sure += value * _SURE[deal["confidence"]]
            weight += value
    shares = [_share(source, parts) for source, parts in sources.items()]
    mean = sure / weight if weight else Decimal()
    return {
        "revenue": company.total(
            value * probability / 100 for parts in sources.values() for value, probability in parts
        ),
        "period": f"{first.year}-Q{(first.month + 2) // 3}",
        "confidence": "high" if mean >= _HIGH else "medium" if mean >= _MEDIUM else "low",
        "breakdown": sorted(shares, key=lambda share: (-share["amount"], share["source"])),
    }


def _share(source: str, parts: Sequence[tuple[Decimal, int]]) -> dict[str, Any]:
    amount = company.total(value for value, _ in parts)
    weighted = company.total(value * probability for value, probability in parts)
    return {"source": source, "amount": amount, "probability": round(weighted / amount) if amount else 0}


# -- the summary -----------------------------------------------------------------------------------------------------


@serves(Dashboard.summary)
def summary(call: Context) -> dict[str, Any]:
    """Return the open deals of the greatest weighted value, the contacts contacted last, and totals."""
    worth = company.worth_in(call.tenant)
    opened = [deal for deal in figures.all_seen(call) if deal["status"] == "open"]
    contacts = _unarchived_contacts(call)
    spoken = [doc for doc in contacts if doc.get("last_contact") is not None]
    return {
        "deals": sorted(opened, key=lambda deal: -worth(deal) * deal["probability"])[:SHOWN],
        "contacts": sorted(spoken, key=lambda doc: doc["last_contact"], reverse=True)[:SHOWN],
        "total_deals_value": company.total(worth(deal) for deal in opened),
        "at_risk_contacts": sum(health.is_at_risk(doc) for doc in contacts),
        "high_probability_deals": sum(figures.is_hot(deal) for deal in opened),
    }


def _unarchived_contacts(call: Context) -> list[Document]:
    found = (doc for doc in readable(call, "contact") if doc.get("status") != "archived")
    return [health.with_sums_seen(call, doc) for doc in found]


# -- action items ----------------------------------------------------------------------------------------------------


@serves(ActionItems.list)
def list_(call: Context) -> list[dict[str, Any]]:
    """Return the action items, newest first, without those that the caller has dismissed."""
    gone = {doc["item_id"] for doc in call.collection("dismissal").find("user_id", _user(call))}
    return [item for item in items(call) if item["id"] not in gone]


@serves(ActionItems.dismiss)
def dismiss(call: Context, item_id: str) -> None:
    """Remove an item from the caller's list; a second call changes nothing."""
    dismissals, id = call.collection("dismissal"), f"{_user(call)}/{item_id}"
    if id in dismissals:
        return
    if all(item["id"] != item_id for item in items(call)):
        raise missing("action item", item_id)
    dismissals.put(Document(id=id, user_id=_user(call), item_id=item_id, created_at=call.now))


def items(call: Context) -> list[dict[str, Any]]:
    """Return all action items of the company, newest first. The same occasion has the same id."""
    found = [item for deal in figures.all_seen(call) if (item := _of_deal(call, deal)) is not None]
    found += _of_contacts(call)
    return sorted(found, key=lambda item: (item["timestamp"], item["id"]), reverse=True)


def _of_deal(call: Context, deal: Members) -> dict[str, Any] | None:
    """Return the most urgent action item of a deal; None where there is none."""
    today, closing, title = company.today(call), deal.get("expected_close_date"), deal["title"]
    if deal["status"] != "open":
        return None
    if figures.is_overdue(deal, today) and closing is not None:
        since = company.midnight(call, closing + timedelta(days=1))
        text, actions = f"{title} should have closed on {closing}", ("Set a new date", "View deal")
        return _item("warning", "calendar-x", deal, f"overdue-{closing}", text, since, actions)
    if figures.closes_soon(deal, today) and closing is not None:
        since = max(company.midnight(call, closing - figures.CLOSING_SOON), deal["created_at"])
        likely = deal["probability"] >= LIKELY
        text = f"{title} closes on {closing}, {deal['probability']} % likely"
        kind, icon = ("opportunity", "trending-up") if likely else ("warning", "clock")
        return _item(kind, icon, deal, f"closing-{closing}", text, since, ("Contact customer", "View deal"))
    last: datetime = deal["last_activity"]
    if call.now - last > IDLE:
        text = f"No activity on {title} for {(call.now - last).days} days"
        actions = ("Plan a call", "View deal")
        return _item("suggestion", "phone", deal, f"idle-{last:%Y%m%d}", text, last + IDLE, actions)
    return None


def _of_contacts(call: Context) -> Iterator[dict[str, Any]]:
    for doc in _unarchived_contacts(call):
        if health.is_at_risk(doc):
            last: datetime = doc.get("last_contact") or doc["created_at"]
            text = f"{doc['name']} may be about to leave: churn risk {doc['churn_risk']} %"
            actions = ("Call", "View contact")
            yield _item("warning", "alert-triangle", doc, f"risk-{last:%Y%m%d}", text, last, actions)


def _item(
    type: str, icon: str, doc: Members, occasion: str, title: str, since: datetime, actions: tuple[str, str]
) -> dict[str, Any]:
    first, second = actions
    digest = blake2b(f"{doc['id']}/{occasion}".encode(), digest_size=6).hexdigest()
    return {
        "id": f"action_{digest}",
        "icon": icon,
        "title": title,
        "type": type,
        "timestamp": since,
        "actions": [
            {"label": first, "type": "primary"},
            {"label": second, "type": "secondary"},
            {"label": "Dismiss", "type": "dismiss"},
        ],
    }


def _user(call: Context) -> str:
    return call.caller.user_id or call.caller.actor_id
