"""Sending: an e-mail is checked, made, kept with whom it concerns, and waits for the clock to carry it out."""

from __future__ import annotations

from typing import Any

from crm_sdk.resources.communication import CommunicationEmail

from ...data.document import Document
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members, serves
from ..notifications.counting import check_emails
from ..notifications.templates import active_template, text_in
from . import delivering
from .composing import Recipients, fields_of, fill
from .doors import Doors, may_use, visibility_of
from .tracking import new_tracking

_MOST_BYTES = 25 * 1024 * 1024


@serves(CommunicationEmail.send)
def send(call: Context, email: Members) -> Document:
    """Check an e-mail and queue it."""
    mailbox = mailbox_of(call, email.get("integration_id"))
    people = Recipients(call, email)
    answered = _answered_email(call, email.get("reply_to_email_id"))
    members: dict[str, Any] = {
        **people.addresses,
        **_concerned_records(call, email, people, answered), **_written_email(call, email, people, answered),
        "attachments": _attachments(call, email), "status": "queued", "direction": "outbound", "is_read": True,
        "template_id": email.get("template_id"), "from_address": sender_of(call, mailbox),
    }  # fmt: skip
    people.check_opt_out()
    check_emails(call)
    if mailbox is not None and mailbox["status"] != "connected":
        message = f"{mailbox['name']} is not connected"
        raise Problem("INTEGRATION_NOT_CONNECTED", message, details={"status": mailbox["status"]})
    if answered is not None:
        members |= {"in_reply_to": answered["message_id"], "thread_id": answered["thread_id"]}
    stored = Doors.email.stored_form(call, members)
    html = stored.get("body_html")
    opens, clicks = email.get("track_opens", True), email.get("track_clicks", True)
    more = {
        "integration_id": email.get("integration_id"), "message_id": _new_message_id(call),
        "tracking": new_tracking(html, clicks=clicks) if opens or clicks else None, "track_opens": opens,
        "visibility": visibility_of(call, mailbox), "sent_here": True,
    }  # fmt: skip
    doc = Doors.email.add(call, stored | more)
    delivering.queue(call, doc, max(email.get("send_at") or call.now, call.now))
    return Doors.email.answer(call, doc)


def mailbox_of(call: Context, integration_id: str | None) -> Document | None:
    """Return the mailbox of an id. Raises: 422 for one that is not there, or is somebody else's."""
    if integration_id is None:
        return None
    mailbox = call.reference("integration", integration_id, "integration_id")
    if mailbox is None or not may_use(call, mailbox):
        message = f"{integration_id} is not a mailbox of yours"
        raise Problem("REFERENCE_NOT_FOUND", message, field="integration_id", rule="reference")
    return mailbox


def sender_of(call: Context, mailbox: Members | None) -> dict[str, Any]:
    """Return the sender: the address of the mailbox, of the user, or of the company."""
    user = call.collection("user").get(call.caller.user_id or "")
    config: Members = (mailbox or {}).get("config") or {}
    own = user["email"] if user is not None else f"no-reply@{call.tenant['slug']}.test"
    name = user["name"] if user is not None else call.tenant["name"]
    return {"email": config.get("address") or own, "name": name}


def _new_message_id(call: Context) -> str:
    return f"<{call.new_id('')}@{call.tenant['slug']}.test>"


def _answered_email(call: Context, email_id: str | None) -> Document | None:
    if email_id is None:
        return None
    mail = call.reference("activity", email_id, "reply_to_email_id")
    if mail is None or mail["kind"] != "email" or (Doors.email.visible and not Doors.email.visible(call, mail)):
        raise Problem(
            "REFERENCE_NOT_FOUND", f"no e-mail has the id {email_id!r}", field="reply_to_email_id", rule="reference"
        )
    return mail


def _concerned_records(call: Context, email: Members, people: Recipients, answered: Members | None) -> dict[str, Any]:
    """Return whom an e-mail concerns: as given, else as what it answers, else the first recipient that is known."""
    given = {name: call.resolve(name[:-3], email.get(name), name) for name in ("contact_id", "lead_id", "deal_id")}
    if answered is not None:
        given = {name: value or answered.get(name) for name, value in given.items()}
    if given["contact_id"] is None and given["lead_id"] is None:
        for kind in ("contact", "lead"):
            person = people.first(kind)
            if person is not None:
                return {**given, f"{kind}_id": person["id"]}
    deal = call.collection("deal").get(given["deal_id"] or "")
    if deal is not None and given["contact_id"] is None and given["lead_id"] is None:
        given["contact_id"] = deal.get("contact_id")
    return given


def _written_email(call: Context, email: Members, people: Recipients, answered: Members | None) -> dict[str, Any]:
    """Return the subject and the text of an e-mail: as given, or made by a template. Raises 422."""
    subject, text, html = email.get("subject"), email.get("body_text"), email.get("body_html")
    if email.get("template_id") is not None:
        template = active_template(call, email["template_id"], "email")
        spoken = text_in(template, email.get("language"), people.language)
        concerned = _concerned_records(call, email, people, answered)
        fields = fields_of(call, concerned, people, email.get("variables") or {})
        subject = subject or fill(spoken.get("subject") or spoken["name"], fields, field="subject")
        text = text if text is not None else fill(spoken["content"], fields, field="content")
        if html is None and spoken.get("content_html"):
            html = fill(spoken["content_html"], fields, field="content_html", html=True)
        _count_use(call, template)
    if not subject and answered is not None:
        subject = answered["subject"] if answered["subject"].lower().startswith("re:") else f"Re: {answered['subject']}"
    wrong = [] if subject else [FieldError("subject", "required", "an e-mail has a subject, or a template")]
    if not text and not html:
        wrong.append(FieldError("body_text", "required", "an e-mail has a text, HTML, or a template"))
    if wrong:
        raise validation(wrong)
    return {"subject": " ".join(str(subject).split())[:998], "body_text": text, "body_html": html}


def _count_use(call: Context, template: Document) -> None:
    """Count that a template was used. Nobody has edited it: its version stays."""
    call.collection("template").put(template | {"usage_count": (template.get("usage_count") or 0) + 1})


def _attachments(call: Context, email: Members) -> list[str]:
    ids: list[str] = call.resolve("file", email.get("attachments") or (), "attachments")
    size = sum(int(call.record("file", id).get("size") or 0) for id in ids)
    if size > _MOST_BYTES:
        details = {"limit": _MOST_BYTES, "size": size}
        raise Problem("FILE_TOO_LARGE", "attachments have at most 25 MB together", field="attachments", details=details)
    return ids
