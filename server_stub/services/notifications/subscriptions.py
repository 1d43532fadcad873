"""The rules of subscriptions: what addresses do not want any more, by the link in a message or by a call."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from crm_sdk.models.notification_preferences import Subscription
from crm_sdk.resources.notifications import Notifications

from ...caller import Caller
from ...data import normalise
from ...data.document import Document
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members, RecordType, reacts, serves

KIND = "subscription"
SUBSCRIPTIONS = RecordType(KIND, Subscription)
ALL = "all"
"""The topic that stands for every one but transactional messages."""
_KEY = b"the links of a server stub are signed with a public key"
_OPT_OUTS = {"email": ("email_opt_out", ("email", "secondary_emails")), "sms": ("sms_opt_out", ("mobile", "phone"))}


def signed_token(*parts: str) -> str:
    """Return a token that holds texts, for links that are opened without a sign-in."""
    said = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    return f"{said}.{hmac.new(_KEY, said.encode(), hashlib.sha256).hexdigest()[:32]}"


def opened_token(token: str) -> list[str] | None:
    """Return what a token holds; None for one that was not signed here."""
    said, _, signature = token.partition(".")
    wanted = hmac.new(_KEY, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
    if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
        return None
    try:
        parts: list[str] = json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    except (ValueError, binascii.Error):
        return None
    return parts


def is_unsubscribed(call: Context, address: str, channel: str, topics: Iterable[str | None]) -> bool:
    """Tell whether an address does not want messages about any of some topics."""
    asked = {ALL, *topics}
    return any(
        doc["channel"] == channel and doc["topic"] in asked and not doc["subscribed"]
        for doc in call.collection(KIND).find("address", address)
    )


@serves(Notifications.unsubscribe)
def unsubscribe(
    call: Context, token: str | None, address: str | None, channel: str, topic: str | None
) -> list[Document]:
    """End the subscription of an address to a topic, or to all but transactional messages."""
    if token is not None:
        parts = opened_token(token)
        if parts is None or parts[0] != "unsubscribe":
            raise Problem("INVALID_TOKEN", "the link to unsubscribe is not one of this server", field="token")
        _, tenant_id, notification_id, address, channel, given = parts
        nobody = Caller(tenant_id, "anonymous", None, "anonymous", "a link in a message", auth="none")
        call = call.acting_as(nobody)
        _note(call, notification_id)
        return end(call, address, channel, topic or given or None, "unsubscribe_link")
    if call.caller.auth == "none":
        raise Problem("UNAUTHORIZED", "send the token of the link in a message, or sign in")
    if address is None:
        raise invalid("address", "required", "give the token of a link, or an address")
    found = stored_address(call, address, channel)
    if found not in own_addresses(call):
        permissions.check(call.caller, "notifications", "update")
    return end(call, found, channel, topic, "api")


def _note(call: Context, notification_id: str) -> None:
    """Note on a message that its link to unsubscribe was used."""
    doc = call.collection("notification").get(notification_id)
    if doc is not None and doc.get("unsubscribed_at") is None:
        call.collection("notification").put(doc | {"unsubscribed_at": call.now})


def stored_address(call: Context, address: str, channel: str) -> str:
    """Return an address as subscriptions hold it. Raises: 422 for what is none."""
    if channel == "email":
        return normalise.email(address, "address") or address
    return (normalise.phone(address, call.tenant.get("country")) or address) if channel == "sms" else address.strip()


def own_addresses(call: Context) -> set[str]:
    """Return the addresses of the caller."""
    user = call.collection("user").get(call.caller.user_id or "")
    return {user[name] for name in ("email", "phone", "id") if user.get(name)} if user is not None else set()


def end(
    call: Context, address: str, channel: str, topic: str | None, source: str, reason: str | None = None
) -> list[Document]:
    """Store that an address does not want a topic any more, or any; without a topic, opt out who has the address."""
    known = [doc for doc in call.collection(KIND).find("address", address) if doc["channel"] == channel]
    wanted = [doc for doc in known if topic in (None, doc["topic"])]
    if not any(doc["topic"] == (topic or ALL) for doc in known):
        members = {"address": address, "channel": channel, "topic": topic or ALL, "subscribed": True}
        wanted.append(call.create(KIND, "sub_", members))
    ended: list[Document] = []
    for doc in wanted:
        if doc["subscribed"]:
            doc = call.update(KIND, doc, {"subscribed": False, "source": source, "reason": reason})
            call.emit(
                "notification.unsubscribed", "subscription", doc,
                metadata={"address": address, "channel": channel, "topic": doc["topic"], "subscription_id": doc["id"]},
            )  # fmt: skip
        ended.append(doc)
    if topic is None:
        _opt_out(call, address, channel)
    return ended


def _opt_out(call: Context, address: str, channel: str) -> None:
    if channel not in _OPT_OUTS:
        return
    flag, members = _OPT_OUTS[channel]
    for kind in ("contact", "lead"):
        noun = call.server.nouns[kind]
        found = {doc["id"]: doc for name in members for doc in call.collection(kind).find(name, address)}
        for doc in found.values():
            if doc.get(flag) is not True and flag in doc:
                noun.change(call, doc, {flag: True})


@reacts("contact.updated", "lead.updated")
def begin_again(call: Context, entry: Document) -> None:
    """Let an address be subscribed again when the opt-out of who has it is taken back."""
    for channel, (flag, members) in _OPT_OUTS.items():
        if not any(change["field"] == flag and change["after"] is False for change in entry["changes"]):
            continue
        person: Members = call.find_one(entry["entity"]["type"], entry["entity"]["id"]) or {}
        for address in _addresses(person, members):
            for doc in call.collection(KIND).find("address", address):
                if doc["channel"] == channel and doc["topic"] == ALL and not doc["subscribed"]:
                    call.update(KIND, doc, {"subscribed": True, "source": "api", "reason": None})


def _addresses(person: Members, members: Iterable[str]) -> set[str]:
    """Return the addresses that a record has in some members."""
    found: set[str] = set()
    for name in members:
        value: Any = person.get(name) or ()
        found.update([value] if isinstance(value, str) else value)
    return found
