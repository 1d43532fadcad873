"""How many e-mails a company has sent: as messages to its contacts and as notifications."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...mail import SYSTEM_MAIL
from ...request.access.plans import check_limit
from ...serving import Context
from .. import company


def sent_emails(there: Context) -> Iterator[datetime]:
    """Yield when each e-mail was sent from here; the platform's own mails do not count, nor what was held back."""
    yield from (doc["created_at"] for doc in there.collection("activity").find("sent_here", True))
    for doc in there.collection("notification").find("channel", "email"):
        if doc.get("type") != SYSTEM_MAIL and doc.get("delivery_status") != "suppressed":
            yield doc["created_at"]


def sent_today(there: Context) -> int:
    """Return how many e-mails the company has sent today, on its clock."""
    since = company.midnight(there, company.today(there))
    return sum(at >= since for at in sent_emails(there))


def check_emails(call: Context) -> None:
    """Raise 403 LIMIT_EXCEEDED where the company has sent as many e-mails today as it may."""
    check_limit(call.tenant, "emails_per_day", sent_today(call))
