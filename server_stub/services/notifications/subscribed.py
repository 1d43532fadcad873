"""The list of subscriptions: what users get by their preferences, and what addresses do not want any more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from crm_sdk.resources.notification_settings import Subscriptions

from ...data.collection import Collection
from ...data.document import Document
from ...data.queries.select import select
from ...data.store import Store
from ...problems import Problem
from ...request.access import permissions
from ...serving import Context, Members, serves
from . import preferences
from .subscriptions import ALL, KIND, own_addresses, stored_address

_ADDRESSES = {"email": "email", "sms": "phone", "push": "id", "in_app": "id"}
"""The member of a user with the address that a channel reaches it at."""


@serves(Subscriptions.list)
def list_(
    call: Context,
    address: str | None,
    channel: str | None,
    topic: str | None,
    subscribed: bool | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the subscriptions that match, newest first: those of users by their preferences are among them."""
    everyone = permissions.permits(call.caller, "notifications", "manage")
    own = own_addresses(call)
    if address is not None:
        address = stored_address(call, address, "email" if "@" in address else "sms")  # an id is no number: it stays
        if not everyone and address not in own:
            raise Problem("FORBIDDEN", f"{address} is the address of somebody else", field="address")
    given = {"address": address, "channel": channel, "topic": topic, "subscribed": subscribed}
    return select(
        _with_preferences(call, own, everyone=everyone),
        equal={name: value for name, value in given.items() if value is not None},
        tests=[] if everyone else [lambda doc: doc["address"] in own],
        sort=sort,
        order=order,
    )


def _with_preferences(call: Context, own: set[str], *, everyone: bool) -> Collection:
    """Return the stored subscriptions, and those that follow from what users prefer where none is stored."""
    stored = call.collection(KIND)
    users = [user for user in call.collection("user") if everyone or user["id"] in own]
    rows = Store().collection(stored.tenant_id, KIND)
    for doc in stored:
        rows.put(doc)
    known = {(doc["address"], doc["channel"], doc["topic"]) for doc in stored}
    for user in users:
        for doc in _preferred(call, user):
            if (doc["address"], doc["channel"], doc["topic"]) not in known:
                rows.put(doc)
    return rows


def _preferred(call: Context, user: Document) -> Iterator[Document]:
    """Yield what a user gets by its preferences: by each channel all, and the types that have channels of their own."""
    wanted = preferences.preferences_of(call, user)
    for channel, member in _ADDRESSES.items():
        address = user.get(member)
        if not address:
            continue
        is_on = wanted["enabled"] and wanted["channels"].get(channel, True)
        yield _subscription(user, address, channel, ALL, is_on, "default" if is_on else "preferences")
        for one in wanted["types"]:
            yield _subscription(
                user, address, channel, one["type"], is_on and channel in one["channels"], "preferences"
            )


def _subscription(user: Members, address: str, channel: str, topic: str, subscribed: bool, source: str) -> Document:
    told = hashlib.blake2b(f"{address} {channel} {topic}".encode(), digest_size=8).hexdigest()
    return Document(
        id=f"sub_{told}", address=address, channel=channel, topic=topic, subscribed=subscribed, source=source,
        reason=None, created_at=user["created_at"], updated_at=user["updated_at"],
    )  # fmt: skip
