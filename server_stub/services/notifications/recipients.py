"""Find the recipient of a message: a user, a contact or a lead by its id, or an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...data import normalise
from ...data.document import Document
from ...data.queries.latest import latest_first
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members

_KINDS = {"user_": "user", "contact_": "contact", "lead_": "lead"}
DEVICE = "push_device"
"""The kind of the records of the devices that push messages go to, each with a `user_id`."""
_OF_USERS = {"push": "a push message", "in_app": "a notification in the inbox", "chat": "a chat message"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a message goes to."""

    address: str
    """The address, the number, or the id of the user."""
    user: Document | None = None
    contact: Document | None = None
    lead: Document | None = None

    @property
    def person(self) -> Document | None:
        """The contact or the lead."""
        return self.contact or self.lead

    def language(self, call: Context) -> str | None:
        """Return the recipient's language; None where nobody knows it."""
        if self.user is not None:
            own: Members = call.collection("notification_preferences").get(self.user["id"]) or {}
            preferred: Members = self.user.get("preferences") or {}
            found: str | None = own.get("language") or preferred.get("language") or self.user.get("locale")
            return found
        spoken: str | None = self.person.get("language") if self.person is not None else None
        return spoken


def recipient_of(call: Context, channel: str, to: str) -> Recipient:
    """Return the recipient of a message.

    Raises: 422 for an id that nobody has, an address of another kind, a record without an address, and for anybody but
    a user where the channel is for users.
    """
    to = to.strip()
    if channel in _OF_USERS:
        return _user(call, channel, to)
    kind = next((kind for prefix, kind in _KINDS.items() if to.startswith(prefix)), None)
    if "@" in to or to.startswith("+") or (kind is None and channel == "sms"):
        return _by_address(call, _address(call, channel, to))
    doc: Any = call.reference(kind or "recipient", to, "to")
    address = doc.get("email") if channel == "email" else doc.get("mobile") or doc.get("phone")
    if not address:
        what = "e-mail address" if channel == "email" else "telephone number"
        raise Problem("NO_ADDRESS", f"{doc['name']} has no {what}", field="to", rule="required")
    whom = {str(kind): Document(doc)}
    return Recipient(_address(call, channel, address), **whom)


def _user(call: Context, channel: str, to: str) -> Recipient:
    if not to.startswith("user_"):
        raise invalid("to", "format", f"{_OF_USERS[channel]} is for users: give the id of one")
    user: Any = call.reference("user", to, "to")
    return Recipient(user["id"], user=Document(user))


def _address(call: Context, channel: str, text: str) -> str:
    """Return an address in its stored form. Raises: 422 for what is none."""
    if channel == "email":
        if "@" not in text:
            raise invalid("to", "format", f"{text!r} is not an e-mail address")
        return normalise.email(text, "to") or text
    number = normalise.phone(text, call.tenant.get("country")) or ""
    if not is_number(number):
        raise Problem("INVALID_PHONE", f"{text!r} is not a telephone number", field="to", rule="format")
    return number


def is_number(text: str) -> bool:
    """Tell whether a text is a possible telephone number in the form of E.164."""
    return text.startswith("+") and text[1:].isdigit() and 7 <= len(text) - 1 <= 15


def _by_address(call: Context, address: str) -> Recipient:
    """Return whoever has an address: the user, and the contact or lead with the latest activity."""
    members = ("email", "secondary_emails") if "@" in address else ("mobile", "phone")
    found = {
        kind: latest_first(doc for name in members for doc in call.collection(kind).find(name, address))
        for kind in ("user", "contact", "lead")
    }
    user = next(iter(found["user"]), None)
    contact = next(iter(found["contact"]), None)
    lead = next(iter(found["lead"]), None) if contact is None else None
    return Recipient(address, user=user, contact=contact, lead=lead)


def require_reach(call: Context, channel: str, recipient: Recipient) -> None:
    """Raise 403 FORBIDDEN where the caller may write only to its own contacts and leads, and this is none."""
    if permissions.scope_for(call.caller, "notifications", "create") != "own":
        return
    person = recipient.person
    if channel != "email" or person is None or person.get("owner_id") not in (None, call.caller.user_id):
        message = f"the role {call.caller.role} may send e-mail to its own contacts and leads only"
        raise Problem("FORBIDDEN", message, field="to")


def require_device(call: Context, channel: str, recipient: Recipient) -> None:
    """Raise 409 NO_DEVICE where a push message would go to a user without a device."""
    user = recipient.user
    if channel == "push" and user is not None and not call.collection(DEVICE).find("user_id", user["id"]):
        raise Problem("NO_DEVICE", f"{user['name']} has no device for push messages", field="to")
