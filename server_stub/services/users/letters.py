"""Mails that ask users for something: to accept an invitation, to verify an address."""

from __future__ import annotations

from datetime import timedelta

from ...data.document import Document
from ...mail import send_token
from ...serving import Context
from ..auth.passwords import send_verification
from ..auth.registration import INVITATION

INVITED_FOR = timedelta(days=7)


def invite(call: Context, user: Document) -> None:
    """Mail a new user an invitation, in place of an earlier one."""
    company = call.tenant["name"]
    text = f"{call.caller.name} invites you to the CRM of {company}. Accept with this token, within seven days: "
    text = text.replace("{", "{{").replace("}", "}}")
    send_token(call, user, INVITATION, f"Your invitation to {company}", text + "{token}", INVITED_FOR)


verify = send_verification
