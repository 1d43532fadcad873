"""The files of exports: how long they are kept, and who is told, users in their inbox and others by e-mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from crm_sdk.models.notifications import Notification

from ..data.blanks import blank
from ..data.document import Document
from ..request.settings import value_of
from ..serving import Context, Members
from . import company
from .notifications import notify


def kept_for(call: Context) -> timedelta:
    """Return how long the files of exports are kept in the caller's company."""
    return timedelta(days=value_of(call.collection, call.caller, "exports.keep_days", call.tenant["plan"]))


def hand_out(
    call: Context, recipients: Iterable[str], title: str, text: str, *, about: tuple[str, str], data: Members
) -> None:
    """Notify the recipients who are users, and send an e-mail to addresses; `data` says which file it is."""
    for recipient in recipients:
        if "@" in recipient:
            _send(call, recipient, title, text, data)
        else:
            notify(call, recipient, "system", title, text, about=about, data=data)


def say_skipped(call: Context, what: str, name: str, schedule: Document) -> str:
    """Notify the administrators that a schedule did not run, as its owner is not active; return its status."""
    text = f"{name} did not run: the owner of its schedule is not active. Activate them, or delete the schedule."
    for admin in company.users_with(call, "admin"):
        notify(call, admin["id"], "system", f"{what} skipped: {name}", text, data={"scheduleId": schedule["id"]})
    return "skipped"


def _send(call: Context, address: str, subject: str, text: str, metadata: Members) -> None:
    """Send an e-mail of the platform: a notification that is in nobody's inbox."""
    mail = {
        **blank(Notification),
        "type": "system",
        "title": subject,
        "message": text,
        "priority": "medium",
        "channel": "email",
        "category": "transactional",
        "recipient": address,
        "delivery_status": "sent",
        "sent_at": call.now,
        "attempts": 1,
        "metadata": dict(metadata),
    }
    made = call.create("notification", "notif_", mail)
    call.emit("notification.sent", "notification", made)
