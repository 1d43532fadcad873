"""The figures of accounts: counts, sums and health, updated after every write to their contacts and deals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...request.access.permissions import limits, readable
from ...serving import Context, Members, reacts
from .. import company
from ..contacts.talks import talks_since

_RECENT = timedelta(days=90)
_HEALTH = 50
"""The health of an account without contacts."""
SUMS = ("contact_count", "open_deal_count", "open_deal_value", "won_value", "child_count")
"""The members of an account that count its records and add them up."""
_OWN = (("contact", "account_id"), ("deal", "account_id"), ("account", "parent_id"))
"""The kinds of these records, each with the member that names the account."""
SUMMED = tuple(kind for kind, _ in _OWN)
"""The kinds of these records."""
_WRITES = ("created", "updated", "deleted", "merged", "restored")


def figures_of(call: Context, account: Document) -> dict[str, Any]:
    """Return the members of an account that are computed from its contacts, deals, activities and children."""
    id = account["id"]
    contacts = call.collection("contact").find("account_id", id)
    deals = call.collection("deal").find("account_id", id)
    children = call.collection("account").find("parent_id", id)
    won = any(deal["status"] == "won" for deal in deals)
    activities = [*call.collection("activity").find("account_id", id)]
    for contact in contacts:
        activities += call.collection("activity").find("contact_id", contact["id"])
    return {
        **_sums(call, contacts, deals, children),
        "health_score": mean_of_contacts(call, contacts, "health_score", empty=_HEALTH),
        "last_activity_at": _last(call, activities, contacts, deals) or account.get("last_activity_at"),
        "type": "customer" if won and account["type"] == "prospect" else account["type"],
    }


def _sums(
    call: Context, contacts: Sequence[Members], deals: Sequence[Members], children: Sequence[Members]
) -> dict[str, Any]:
    worth = company.worth_in(call.tenant)
    opened = [worth(deal) for deal in deals if deal["status"] == "open"]
    return {
        "contact_count": len(contacts),
        "open_deal_count": len(opened),
        "open_deal_value": company.total(opened),
        "won_value": company.total(worth(deal) for deal in deals if deal["status"] == "won"),
        "child_count": len(children),
    }


def with_sums_seen(call: Context, account: Document) -> Document:
    """Return an account with the figures of what the caller may read of it; the stored ones are of all."""
    if not limits(call, *SUMMED):
        return account
    own = (readable(call, kind, call.collection(kind).find(member, account["id"])) for kind, member in _OWN)
    return account.with_members(_sums(call, *own))


def mean_of_contacts(call: Context, contacts: Sequence[Members], name: str, *, empty: int) -> int:
    """Return the mean of a figure of contacts, weighted by `contact_weight`; without contacts it is `empty`."""
    weighed = [(contact[name], contact_weight(call, contact)) for contact in contacts]
    total = sum(value * weight for value, weight in weighed)
    return round(total / sum(weight for _, weight in weighed)) if weighed else empty


def contact_weight(call: Context, contact: Members) -> int:
    """Return how much a contact counts in the figures of its account: 1, and 1 for each of its recent activities."""
    return 1 + talks_since(call, contact["id"], call.now - _RECENT)


def _last(
    call: Context, activities: list[Document], contacts: list[Document], deals: list[Document]
) -> datetime | None:
    times = (
        *(activity.get("occurred_at") for activity in activities),
        *(contact.get("last_contact") for contact in contacts),
        *(deal.get("last_activity") for deal in deals),
    )
    return max((at for at in times if at is not None and at <= call.soon), default=None)


def refresh(call: Context, account_id: str | None) -> None:
    """Update the figures of an account. Its version stays, since no caller has changed it."""
    account = call.collection("account").get(account_id) if account_id is not None else None
    if account is None:
        return
    new = account | figures_of(call, account)
    if new != account:
        call.collection("account").put(new)


def _accounts_of(call: Context, entry: Document) -> Iterator[str | None]:
    """Give the accounts that an event is about: those of its record, now and before, and of those merged into it."""
    kind, id = entry["entity"]["type"], entry["entity"]["id"]
    ids = (id, *entry["metadata"].get("merged_ids", ()))
    for doc in filter(None, (call.collection(kind).get(each, deleted=True) for each in ids)):
        yield doc.get("account_id") if kind != "account" else doc["id"]
        if kind == "account":
            yield doc.get("parent_id")
        contact = call.collection("contact").get(doc.get("contact_id") or "", deleted=True)
        if contact is not None:
            yield contact.get("account_id")
    for change in entry["changes"]:
        if change["field"] in ("account_id", "parent_id"):
            yield change["before"]


@reacts(
    *(f"{kind}.{verb}" for kind in ("contact", "deal", "activity", "account") for verb in _WRITES),
    "contact.enriched",
    "contact.health_changed",
    "deal.stage_changed",
    "deal.activity_added",
    "lead.converted",
    "message.sent",
    "message.received",
    "account.hierarchy_changed",
)
def follow_what_happened(call: Context, entry: Document) -> None:
    """Update the figures of the accounts of an event's record."""
    for account_id in dict.fromkeys(_accounts_of(call, entry)):
        refresh(call, account_id)
