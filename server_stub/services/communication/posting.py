"""Invitations to meetings by e-mail: from the caller's mailbox, with the iCalendar file (RFC 6047)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from ...data.document import Document
from ...outside.remotes import ConnectionLostError
from ...problems import LOG
from ...serving import Context, Members
from ..activities import invitations
from .delivering import address_of
from .doors import may_use
from .sending import sender_of

_WORDS = {"invited": "Invitation", "moved": "Moved", "cancelled": "Cancelled"}


def post(call: Context, event: Document, how: str = "invited") -> None:
    """Tell those who attend; guests from outside get an e-mail, where the caller has a mailbox to send it from."""
    known = {doc["id"] for doc in call.collection(invitations.KIND).find("event_id", event["id"])}
    invitations.invite(call, event, how)
    new = [doc for doc in call.collection(invitations.KIND).find("event_id", event["id"]) if doc["id"] not in known]
    mailbox = _mailbox(call) if new else None
    if mailbox is None:
        return
    box = call.server.mailboxes.of(call.caller.tenant_id, mailbox["id"])
    for invitation in new:
        message = _message(call, mailbox, event, invitation, _WORDS[how])
        try:
            box.send(message, sender_of(call, mailbox)["email"], [invitation["to"]])
        except ConnectionLostError as error:  # the meeting stands all the same
            LOG.warning("the invitation %s was not sent: %s", invitation["id"], error)


def _mailbox(call: Context) -> Document | None:
    found = call.collection("integration").find("type", "email")
    return next((doc for doc in found if doc["status"] == "connected" and may_use(call, doc)), None)


def _message(call: Context, mailbox: Members, event: Members, invitation: Members, word: str) -> EmailMessage:
    sender = sender_of(call, mailbox)
    message = EmailMessage()
    message["From"] = address_of(sender)
    message["To"] = invitation["to"]
    message["Subject"] = " ".join(f"{word}: {event['title']}".split())
    link = f"\n{event['meeting_link']}" if event.get("meeting_link") else ""
    message.set_content(f"{event['title']}\n{event['start_time']:%Y-%m-%d %H:%M} UTC{link}\n")
    content: Any = invitation["content"]
    parameters = {"method": invitation["method"]}
    message.add_alternative(content.decode(), subtype="calendar", params=parameters)
    return message
