"""Delivery on the clock: an e-mail is handed over, then it has arrived or comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any

from ...caller import Caller
from ...data.document import Document
from ...outside.remotes import ConnectionLostError
from ...serving import Collections, Context, Members
from ...timetable import Appointment, apart, falls_due, plan
from ..activities.privacy import as_published
from ..attachments import outgoing
from .composing import every_address
from .doors import Doors
from .tracking import as_sent

KIND = "email_delivery"
"""The collection with the e-mails on their way: by the id of the e-mail, `at`, and the `caller` who sent it."""
_HANDED_OVER = timedelta(milliseconds=500)
_ARRIVES = timedelta(seconds=1)
_TRIES, _WAIT = 5, timedelta(minutes=5)


def _times(collections: Collections) -> Iterator[datetime]:
    return (doc["at"] for doc in collections(KIND))


DUE = Appointment("communication.delivery", _times)


def queue(call: Context, mail: Document, at: datetime) -> None:
    """Note when an e-mail is to be sent."""
    waiting = Document(id=mail["id"], at=at + _HANDED_OVER, tries=0, caller=call.caller.as_stored())
    call.collection(KIND).put(waiting)
    plan(call.collection, DUE)


@falls_due(DUE)
def deliver(call: Context) -> None:
    """Take the e-mails that are due one step further."""
    waiting = call.collection(KIND)
    for entry in sorted(waiting.all(), key=lambda entry: (entry["at"], entry["id"])):
        if entry["at"] > call.now:
            break
        with apart(call, entry):
            _go_on(call, entry)


def _go_on(call: Context, entry: Document) -> None:
    waiting, mail = call.collection(KIND), call.collection("activity").get(entry["id"])
    acting = call.acting_as(Caller.of(entry["caller"]))
    if mail is None or mail["status"] not in ("queued", "sent"):
        waiting.remove(entry["id"])
    elif mail["status"] == "queued":
        _hand_over(acting, mail, entry)
    else:
        waiting.remove(entry["id"])
        lost = [address for address in every_address(mail) if comes_back(address)]
        if lost:
            bounce(acting, mail, f"550 5.1.1 {', '.join(lost)}: there is no such mailbox")
        else:
            _become(acting, mail, "delivered")


def comes_back(address: str) -> bool:
    """Tell whether nobody can have an address: the domain ``invalid`` is reserved for such (RFC 2606)."""
    return address.rpartition("@")[2].casefold().rstrip(".").endswith(("invalid", ".invalid"))


def _hand_over(call: Context, mail: Document, entry: Document) -> None:
    """Give an e-mail to the server of its mailbox; one that does not answer is tried again later."""
    waiting = call.collection(KIND)
    addresses = every_address(mail)
    refused: Members = {}
    if mail.get("integration_id"):
        box = call.server.mailboxes.of(call.caller.tenant_id, mail["integration_id"])
        try:
            refused = box.send(message_of(call, mail), mail["from_address"]["email"], addresses)
        except ConnectionLostError as error:
            if entry["tries"] + 1 < _TRIES:
                later = call.now + _WAIT * 2 ** entry["tries"]
                waiting.put(entry | {"tries": entry["tries"] + 1, "at": later})
            else:
                waiting.remove(entry["id"])
                _become(call, mail, "failed", error=_error("CONNECTION_REFUSED", str(error)))
            return
    said = "; ".join(f"{address}: {text}" for address, text in refused.items())
    lost = _error("NO_ADDRESS", said) if refused else None
    sent = _become(call, mail, "sent", sent_at=call.now, folder="sent", error=lost)
    call.emit("email.sent", "activity", as_published(sent), metadata={"email_id": mail["id"]})
    if refused.keys() >= set(addresses):
        waiting.remove(entry["id"])
        bounce(call, sent, said)
    else:
        waiting.put(entry | {"at": call.now + _ARRIVES})


def bounce(call: Context, mail: Document, message: str) -> Document:
    """Note that an e-mail came back. One that is on its way to arrive is forgotten at that time."""
    new = _become(call, mail, "bounced", error=_error("NO_ADDRESS", message))
    said = {"email_id": mail["id"], "message": message}
    call.emit("email.bounced", "activity", as_published(new), reason=message, metadata=said)
    return new


def _become(call: Context, mail: Document, status: str, **members: Any) -> Document:
    moved = {"occurred_at": members["sent_at"]} if "sent_at" in members else {}
    return Doors.email.change(call, mail, {"status": status, **members, **moved})


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "field": None, "rule": None, "details": {}}


# -- the message -------------------------------------------------------------------------------------------------------


def message_of(call: Context, mail: Members) -> EmailMessage:
    """Return an e-mail as a message (RFC 5322): its thread in the headers, HTML beside the text, attachments."""
    message = EmailMessage()
    message["From"] = address_of(mail["from_address"])
    for header, member in (("To", "to"), ("Cc", "cc")):
        if mail.get(member):
            message[header] = ", ".join(address_of(one) for one in mail[member])
    if mail.get("reply_to"):
        message["Reply-To"] = address_of(mail["reply_to"])
    message["Subject"] = " ".join((mail["subject"] or "").split())
    message["Date"] = format_datetime(call.now)
    message["Message-ID"] = mail["message_id"]
    if mail.get("in_reply_to"):
        message["In-Reply-To"] = mail["in_reply_to"]
        message["References"] = " ".join(references_of(call, mail))
    message.set_content(mail.get("body_text") or "")
    html = as_sent(call, mail)
    if html and mail.get("body_text"):
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    for file in outgoing(call, mail.get("attachments") or ()):
        file.attach_to(message)
    return message


def references_of(call: Context, mail: Members) -> list[str]:
    """Return the Message-IDs of what an e-mail answers, the first of the thread first."""
    found: list[str] = []
    at: str | None = mail.get("in_reply_to")
    while at and at not in found:
        found.insert(0, at)
        known = call.collection("activity").find("message_id", at)
        at = known[0].get("in_reply_to") if known else None
    return found


def address_of(person: Members) -> str:
    """Return an address as a header has it, with the name."""
    name = " ".join(str(person.get("name") or "").split())
    return formataddr((name, person["email"])) if name else str(person["email"])
