"""The mail that the platform itself sends: notifications of the channel ``email``, with a token in the text.

A token can be used once. Of each only a hash is stored beside the mail, as of every credential.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .data.document import Document
from .problems import Problem
from .request.access.identity import fingerprint

if TYPE_CHECKING:
    from .data.store import Store
    from .serving import Context

NOTIFICATION = "notification"
SYSTEM_MAIL = "system_mail"
"""The type of the mails that the platform itself sends."""
ONE_TIME_TOKEN = "one_time_token"
"""The kind of the records of tokens that were mailed."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the platform has sent."""

    to: str
    subject: str
    text: str
    sent_at: datetime
    token: str | None
    """The token in the text."""


def outbox(store: Store) -> list[Mail]:
    """Return the mails that the platform has sent in all companies, oldest first."""
    sent = [doc for mails in store.across(NOTIFICATION) for doc in mails.all() if doc.get("type") == SYSTEM_MAIL]
    return [
        Mail(doc["recipient"], doc["title"], doc["message"], doc["created_at"], doc["metadata"].get("token"))
        for doc in sorted(sent, key=lambda doc: doc["created_at"])
    ]


def send_token(call: Context, user: Mapping[str, Any], purpose: str, subject: str, text: str, lasts: timedelta) -> None:
    """Mail a user a token for a purpose, in place of an earlier one; ``{token}`` in the text becomes the token."""
    token = issue_token(call, user, purpose, lasts)
    send(call, user, subject, text.format(token=token), token=token)


def send(
    call: Context,
    user: Mapping[str, Any],
    subject: str,
    text: str,
    *,
    token: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Mail a user of the caller's company, or with `about` somebody else what is said about a record."""
    members: dict[str, Any] = {
        "user_id": None,  # a mail to the user is not in the inbox
        "type": SYSTEM_MAIL,
        "title": subject,
        "message": text,
        "priority": "high",
        "read": False,
        "action_url": None,
        "metadata": {"token": token} if token is not None else {},
        "expires_at": None,
        "channel": "email",
        "category": "transactional",
        "recipient": user["email"],
        "contact_id": None,
        "delivery_status": "delivered",
        "scheduled_at": None,
        "sent_at": call.now,
        "delivered_at": call.now,
        "read_at": None,
        "attempts": 1,
        "template_id": None,
        "batch_id": None,
        "language": user.get("locale") or "en",
        "entity": about or {"type": "user", "id": user["id"], "name": user["name"]},
        "error": None,
    }
    call.create(NOTIFICATION, "notif_", members)


def issue_token(call: Context, user: Mapping[str, Any], purpose: str, lasts: timedelta) -> str:
    """Return a new token of a user for a purpose; those issued before for the same purpose are void."""
    void_tokens(call, user["id"], purpose)
    token = f"{purpose}_{secrets.token_urlsafe(24)}"
    call.collection(ONE_TIME_TOKEN).put(
        Document(
            id=call.new_id("token_"),
            fingerprint=fingerprint(token),
            purpose=purpose,
            user_id=user["id"],
            email=user["email"],
            created_at=call.now,
            expires_at=call.now + lasts,
            used_at=None,
        )
    )
    return token


def void_tokens(call: Context, user_id: str, purpose: str) -> None:
    """Make the tokens of a user for a purpose void, and forget those that are long out of date."""
    tokens = call.collection(ONE_TIME_TOKEN)
    for old in tokens.find("user_id", user_id):
        if old["expires_at"] + _KEPT <= call.now:
            tokens.remove(old["id"])
        elif old["purpose"] == purpose and old["used_at"] is None:
            tokens.put(old | {"used_at": call.now})


_KEPT = timedelta(days=30)
"""How long it is still told that a token was late."""


def token_of(call: Context, token: str, purpose: str) -> Document:
    """Return the record of a token, of any company. Raises: 400 where it is unknown, used or void, or late."""
    digest = fingerprint(token)
    for tokens in call.server.store.across(ONE_TIME_TOKEN):
        for found in tokens.find("fingerprint", digest):
            if found["purpose"] != purpose or found["used_at"] is not None:
                continue
            if found["expires_at"] <= call.now:
                raise Problem("TOKEN_EXPIRED", "the token is too old: ask for another one")
            return found | {"tenant_id": tokens.tenant_id}
    raise Problem("INVALID_TOKEN", "the token is not known, or was used already")


def use_token(call: Context, held: Document) -> None:
    """Make a token useless, as it works once."""
    call.server.store.collection(held["tenant_id"], ONE_TIME_TOKEN).put(held | {"used_at": call.now})
