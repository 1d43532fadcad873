"""Files that are made on a schedule: whoever shall have them is told, users in their inbox and others by e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from crm_sdk.models.notifications import Notification

from ..data.blanks import blank
from ..serving import Context, Members
from .notifications import notify


def hand_out(
    call: Context, recipients: Iterable[str], title: str, text: str, *, about: tuple[str, str], data: Members
) -> None:
    """Notify the recipients who are users, and send an e-mail to addresses; `data` says which file it is."""
    for recipient in recipients:
        if "@" in recipient:
            _send(call, recipient, title, text, data)
        else:
            notify(call, recipient, "system", title, text, about=about, data=data)


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
