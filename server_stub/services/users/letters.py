"""Mails that the platform sends to users: invitations and verifications, with a token that works once.

The token is stored as its fingerprint only; the mail is in `StubServer.outbox`, as it was sent.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from ...data.document import Document
from ...request.identity import fingerprint
from ...serving import Context

TOKEN, LETTER = "one_time_token", "letter"
"""The kinds of the records of tokens, and of mails."""
INVITED_FOR, VERIFIED_FOR = timedelta(days=7), timedelta(hours=24)


def invite(call: Context, user: Document) -> None:
    """Send a new user an invitation."""
    token = _new_token(call, user, "invitation", INVITED_FOR)
    text = f"{call.caller.name} invites you to the CRM of {call.tenant['name']}. Accept within seven days:"
    _send(call, user, f"Your invitation to {call.tenant['name']}", text, token)


def verify(call: Context, user: Document) -> None:
    """Send a user a request to verify the address."""
    token = _new_token(call, user, "email_verification", VERIFIED_FOR)
    _send(call, user, "Verify your e-mail address", "Verify your e-mail address within a day:", token)


def void(call: Context, user_id: str, purpose: str) -> None:
    """Void the tokens of a user for a purpose."""
    tokens = call.collection(TOKEN)
    for token in tokens.find("user_id", user_id):
        if token["purpose"] == purpose and token["used_at"] is None:
            tokens.put(token | {"used_at": call.now})


def _new_token(call: Context, user: Document, purpose: str, lasts: timedelta) -> str:
    void(call, user["id"], purpose)
    token = f"{purpose}_{secrets.token_urlsafe(24)}"
    call.collection(TOKEN).put(
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


def _send(call: Context, user: Document, subject: str, text: str, token: str) -> None:
    call.collection(LETTER).put(
        Document(
            id=call.new_id("letter_"),
            user_id=user["id"],
            to=user["email"],
            subject=subject,
            body=f"{text}\n\n{token}\n",
            token=token,
            sent_at=call.now,
        )
    )
