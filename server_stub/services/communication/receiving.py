"""Receiving: a message as it lies in a mailbox becomes an e-mail of whom it is from, in its thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from typing import Any

from ...data.document import Document
from ...serving import Context, Members
from ..activities.kinds import text_of
from ..activities.privacy import as_published
from ..conversations import state as conversations
from .delivering import bounce
from .doors import Doors, owner_of, visibility_of

_RECENT = timedelta(days=1)
_LONGEST = 200_000


def take(call: Context, raw: bytes, integration: Document, folder: str, since: datetime | None) -> str:
    """Store the e-mail of a message; return what was done: created, updated, skipped. Each Message-ID comes once."""
    message: EmailMessage = BytesParser(policy=policy.default).parsebytes(raw)
    failed = _returned_email(message)
    if failed is not None:
        return _note_bounce(call, *failed)
    message_id = " ".join(str(message.get("Message-ID") or "").split()) or f"<{sha256(raw).hexdigest()[:32]}@unnamed>"
    at = _date(message, call.now)
    if call.collection("activity").find("message_id", message_id) or (since is not None and at < since):
        return "skipped"
    members = _members(call, message, integration, folder)
    inbound = members["direction"] == "inbound"
    times = {"sent_at": at, "received_at": at if inbound else None}
    stored = Doors.email.stored_form(call, {**members, **times, "message_id": message_id[:998]})
    more = {
        "integration_id": integration["id"], "visibility": visibility_of(call, integration), "source": "sync",
        "owner_id": owner_of(call, integration) or call.caller.user_id,
    }  # fmt: skip
    doc = Doors.email.add(call, stored | more)
    if inbound:
        call.emit("email.received", "activity", as_published(doc), metadata={"email_id": doc["id"]})
        if at >= call.now - _RECENT:
            _tell(call, doc)
    return "created"


def _members(call: Context, message: EmailMessage, integration: Members, folder: str) -> dict[str, Any]:
    sender = next(_people(message, "From"), None)
    ours = _own_addresses(call, integration)
    outbound = sender is not None and sender["email"].casefold() in ours
    subject = " ".join(str(message.get("Subject") or "").split())[:998]
    text, html = _body(message, "plain"), _body(message, "html")
    references = [*str(message.get("References") or "").split(), *str(message.get("In-Reply-To") or "").split()]
    return {
        "direction": "outbound" if outbound or folder.casefold() == "sent" else "inbound",
        "subject": subject or "(no subject)",
        "from_address": sender,
        "to": list(_people(message, "To"))[:100],
        "cc": list(_people(message, "Cc"))[:100],
        "reply_to": next(_people(message, "Reply-To"), None),
        "body_text": text,
        "body_html": html,
        "in_reply_to": references[-1] if references else None,
        **_thread(call, references),
    }


def _own_addresses(call: Context, integration: Members) -> set[str]:
    owner: Members = call.collection("user").get(owner_of(call, integration) or call.caller.user_id or "") or {}
    config: Members = integration.get("config") or {}
    return {str(address).casefold() for address in (config.get("address"), owner.get("email")) if address}


def _thread(call: Context, references: list[str]) -> dict[str, Any]:
    """Return the thread of the nearest e-mail that a message answers, and the deal it is about (RFC 5322, 3.6.4)."""
    for message_id in reversed(references):
        for known in call.collection("activity").find("message_id", message_id):
            if known["kind"] == "email" and known.get("thread_id"):
                return {"thread_id": known["thread_id"], "deal_id": known.get("deal_id")}
    return {}


def _people(message: EmailMessage, header: str) -> Iterator[dict[str, Any]]:
    values = [str(value) for value in message.get_all(header, ())]
    for name, address in getaddresses(values):
        if "@" in address:
            yield {"email": address, "name": name or None}


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        text = part.get_content()
    except (LookupError, ValueError):  # an encoding that nobody knows
        text = part.get_payload(decode=True)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return text.replace("\x00", "").strip()[:_LONGEST] or None


def _date(message: EmailMessage, now: datetime) -> datetime:
    """Return when a message was sent: not in the future, whatever it says."""
    try:
        at = parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        return now
    return min(at if at.tzinfo is not None else at.replace(tzinfo=UTC), now).astimezone(UTC)


def _tell(call: Context, mail: Document) -> None:
    """Tell of a new e-mail in the conversation with whoever wrote it."""
    link = next((name for name in ("contact_id", "lead_id") if mail.get(name)), None)
    person = call.find_one(link.removesuffix("_id"), mail[link]) if link is not None else None
    if link is None or person is None or mail.get("visibility") == "private":
        return  # a conversation is seen by all of the company
    known = call.collection("conversation").find(link, person["id"])
    conversation = known[0] if known else conversations.begin(call, person, link)
    content = text_of(mail).strip() or mail["subject"]
    made = conversations.write(call, conversation, theirs=True, content=content, type="email", subject=mail["subject"])
    messages = call.collection("message")
    messages.put((messages.get(made["id"]) or made) | {"email_id": mail["id"]})


# -- what comes back ---------------------------------------------------------------------------------------------------


def _returned_email(message: EmailMessage) -> tuple[str, str] | None:
    """Return the Message-ID of the e-mail that a delivery report says has failed, and why (RFC 3464)."""
    if message.get_content_type() != "multipart/report" or message.get_param("report-type") != "delivery-status":
        return None
    failed, why, original = False, "", ""
    for part in message.walk():
        if part.get("Action"):
            failed |= str(part["Action"]).strip().casefold() == "failed"
            why = why or str(part.get("Diagnostic-Code") or part.get("Status") or "")
        if part is not message and part.get("Message-ID"):
            original = str(part["Message-ID"]).strip()
        elif part.get_content_type() == "text/rfc822-headers":
            lines = str(part.get_content()).splitlines()
            original = next((x.partition(":")[2].strip() for x in lines if x.lower().startswith("message-id:")), "")
    return (original, why or "the e-mail came back") if failed else None


def _note_bounce(call: Context, message_id: str, why: str) -> str:
    for mail in call.collection("activity").find("message_id", message_id) if message_id else ():
        if mail["kind"] == "email" and mail.get("sent_here") and mail["status"] in ("sent", "delivered"):
            bounce(call, mail, " ".join(why.split()))
            return "updated"
    return "skipped"
