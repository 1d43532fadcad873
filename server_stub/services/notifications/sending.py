"""The rules of sending: what a message says, whether it is wanted, and when it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.notifications import Notification
from crm_sdk.resources.notifications import Notifications

from ...bulk import carry_out, check_size
from ...data import normalise
from ...data.blanks import blank
from ...data.document import Document
from ...problems import Problem, invalid
from ...request.settings import environment_of
from ...serving import Context, Members, serves
from .counting import check_emails
from .delivery import MOST_ATTEMPTS, PENDING, attempt, dispatch, later
from .history import found_message
from .language import fill, read
from .preferences import quiet_for, why_suppressed
from .recipients import Recipient, recipient_of, require_device, require_reach
from .templates import LONGEST_SMS, active_template, text_in

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_OF_TWO = frozenset("\f^{}\\[~]|€")
_LONGEST_TITLE = 100


def send(call: Context, channel: str, to: str, *, batch_id: str | None = None, **given: Any) -> Document:
    """Make a message and send it, or note why and until when it is not sent. `given` are the arguments of the call.

    Raises: 422 for a recipient without an address, a text that cannot be filled in, and neither or both of template and
    text; 403 for a recipient that the caller may not write to; 409 NO_DEVICE.
    """
    recipient = recipient_of(call, channel, to)
    require_reach(call, channel, recipient)
    require_device(call, channel, recipient)
    said = _text(call, channel, recipient, given)
    kind, category = given.get("type") or "system", given.get("category") or said["category"]
    priority = given.get("priority") or "medium"
    user, contact = recipient.user, recipient.contact
    members: dict[str, Any] = {
        **blank(Notification),
        **said,
        "user_id": user["id"] if user is not None else None,
        "contact_id": contact["id"] if contact is not None else None,
        "lead_id": recipient.lead["id"] if recipient.lead is not None else None,
        "type": kind,
        "priority": priority,
        "category": category,
        "action_url": given.get("action_url"),
        "entity": _entity(call, given.get("entity"), recipient),
        "metadata": {**(given.get("metadata") or {}), **_segments(channel, said["message"])},
        "channel": channel,
        "recipient": recipient.address,
        "batch_id": batch_id,
        "read": False,
        **_copies(call, given),
    }
    at = max(given.get("scheduled_at") or call.now, call.now)
    at = quiet_for(call, channel, recipient, priority, at) or at
    reason = why_suppressed(call, channel, recipient, kind, category)
    state = "suppressed" if reason is not None else "scheduled" if at > call.now else "queued"
    waits = {"delivery_status": state, "scheduled_at": at if at > call.now else given.get("scheduled_at")}
    doc = call.create("notification", "notif_", {**members, **waits, "held_back": reason})
    if state == "scheduled":
        later(call, doc["id"], "send", at)
    return attempt(call, doc) if state == "queued" else doc


def _text(call: Context, channel: str, recipient: Recipient, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the title and the text of a message, with its template counted as used."""
    template, content, template_id = _template(call, channel, given), given.get("content"), None
    own: Mapping[str, str] = given.get("variables") or {}
    variables: dict[str, str] = {**environment_of(call.collection), **own}
    language = given.get("language") or recipient.language(call)
    category = None
    text: Members = {"subject": given.get("subject"), "content": content, "content_html": given.get("content_html")}
    if template is not None:
        text, category = text_in(template, language), template["category"]
        language, template_id = text["language"], template["id"]
        subject = given.get("subject") or text.get("subject")
        text = {**text, "subject": subject, "content_html": given.get("content_html") or text.get("content_html")}
    message = fill(text["content"], variables)
    html = text.get("content_html")
    title = fill(text["subject"], variables, "subject") if text.get("subject") else _first_line(message)
    if channel == "sms" and len(message) > LONGEST_SMS:
        raise invalid("content", "length", f"a text message has at most {LONGEST_SMS:,} characters")
    filled = fill(html, variables, "content_html", html=True) if html else None
    if template_id is not None:
        records = call.collection("template")
        used: Any = records.get(template_id)
        records.put(used | {"usage_count": (used["usage_count"] or 0) + 1})  # nobody has edited it: its version stays
    return {
        "title": title, "message": message, "content_html": filled, "template_id": template_id,
        "language": language, "category": category,
    }  # fmt: skip


def _template(call: Context, channel: str, given: Mapping[str, Any]) -> Document | None:
    """Return the template of a call; None where it has a text. Raises: 422 for neither, both, and an unfit template."""
    template_id, content = given.get("template_id"), given.get("content")
    if template_id is None and content is None:
        raise invalid("content", "required", "give a text, or a template")
    if template_id is not None and content is not None:
        raise invalid("content", "choice", "give either a text or a template, not both")
    return active_template(call, template_id, channel) if template_id is not None else None


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def _entity(call: Context, given: Members | None, recipient: Recipient) -> dict[str, Any] | None:
    """Return the record that a message is about, by default the lead it goes to."""
    if given is None:
        lead = recipient.lead
        return {"type": "lead", "id": lead["id"], "name": lead["name"]} if lead is not None else None
    doc: Any = call.reference(given["type"], given["id"], "entity.id")
    return {"type": given["type"], "id": doc["id"], "name": doc.get("name") or doc.get("title")}


def _copies(call: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the further recipients and the files of an e-mail."""
    copies = {
        name: [normalise.email(one, f"{name}.{number}") for number, one in enumerate(given.get(name) or ())]
        for name in ("cc", "bcc")
    }
    return {**copies, "attachments": call.resolve("file", list(given.get("attachments") or ()), "attachments")}


def _segments(channel: str, text: str) -> dict[str, int]:
    """Return the number of segments of a text message: 160 characters of GSM-7 or 70 of UCS-2, several 153 or 67."""
    if channel != "sms":
        return {}
    if all(letter in _GSM or letter in _GSM_OF_TWO for letter in text):
        length, one, each = len(text) + sum(letter in _GSM_OF_TWO for letter in text), 160, 153
    else:
        length, one, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return {"segments": 1 if length <= one else -(-length // each)}


@serves(Notifications.send_email)
def send_email(call: Context, to: str, **given: Any) -> Document:
    """Send an e-mail."""
    check_emails(call)
    return send(call, "email", to, **given)


@serves(Notifications.send_sms)
def send_sms(call: Context, to: str, **given: Any) -> Document:
    """Send a text message."""
    return send(call, "sms", to, **given)


def _titled(title: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a message whose subject is its title."""
    return {**given, "subject": title or given.get("subject")}


@serves(Notifications.send_push)
def send_push(call: Context, to: str, title: str | None, **given: Any) -> Document:
    """Send a push message to the devices of a user."""
    return send(call, "push", to, **_titled(title, given))


@serves(Notifications.send_in_app)
def send_in_app(call: Context, to: str, title: str, **given: Any) -> Document:
    """Put a notification into the inbox of a user."""
    return send(call, "in_app", to, **_titled(title, given))


@serves(Notifications.send_bulk)
def send_bulk(call: Context, channel: str, recipients: Sequence[Members], **given: Any) -> dict[str, Any]:
    """Send one message to each of many recipients; all have one batch id."""
    check_size(recipients, "recipients")
    _check_common(call, channel, given)
    batch_id = call.new_id("batch_")
    common: Mapping[str, str] = given.pop("variables") or {}

    def send_one(one: Members) -> Document:
        if channel == "email":
            check_emails(call)
        return send(
            call, channel, one["to"], batch_id=batch_id, variables={**common, **(one.get("variables") or {})}, **given
        )

    def key_of(one: Members) -> str | None:
        to = one.get("to")
        return to if isinstance(to, str) else None

    result = carry_out(call, recipients, send_one, field="recipients", id_of=lambda one: None, key_of=key_of)
    items = [item | {"id": item["result"]["id"]} if item["result"] is not None else item for item in result["items"]]
    return result | {"items": items}


def _check_common(call: Context, channel: str, given: Mapping[str, Any]) -> None:
    """Raise 422 for what is wrong with all messages of a call, whoever their recipients are."""
    _template(call, channel, given)
    for name in ("subject", "content"):
        if given.get(name):
            read(given[name], name)
    if (entity := given.get("entity")) is not None:
        call.reference(entity["type"], entity["id"], "entity.id")


@serves(Notifications.retry)
def retry(call: Context, notification_id: str) -> Document:
    """Send a message again that failed or bounced."""
    doc = found_message(call, notification_id)
    if doc.get("expires_at") is not None and doc["expires_at"] <= call.now:
        raise Problem("NOTIFICATION_EXPIRED", f"{doc['id']} expired on {doc['expires_at']:%Y-%m-%d}")
    if doc.get("delivery_status") not in ("failed", "bounced"):
        raise Problem("NOT_RETRYABLE", f"{doc['id']} is {doc.get('delivery_status')}: only what failed is sent again")
    if doc["attempts"] >= MOST_ATTEMPTS:
        raise Problem("RETRY_LIMIT", f"{doc['id']} was tried {doc['attempts']} times", details={"limit": MOST_ATTEMPTS})
    if call.collection(PENDING).get(doc["id"]) is not None:
        call.collection(PENDING).remove(doc["id"])  # it is sent now, not once more by itself
    return attempt(call, doc) if doc["delivery_status"] == "bounced" else dispatch(call, doc)
