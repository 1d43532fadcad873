"""Reading: the folders of e-mails, single ones, their threads, and the templates for new ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from crm_sdk.resources.communication import CommunicationEmail, EmailTemplates

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.filters import by_time
from ...data.queries.select import select
from ...serving import Context, Members, serves
from ..activities.kinds import text_of
from ..activities.privacy import is_hidden
from .doors import Doors
from .tracking import as_sent, without_images

_SNIPPET = 140
_SEARCHED = ("subject", "body_text", "contact_name", "from_address.name", "from_address.email")


@serves(CommunicationEmail.inbox)
def inbox(
    call: Context,
    folder: str,
    unread: bool | None,
    from_address: str | None,
    contact_id: str | None,
    deal_id: str | None,
    thread_id: str | None,
    integration_id: str | None,
    since: datetime | None,
    until: datetime | None,
    group_by: str | None,
    sort: str | None,
    search: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the e-mails of a folder."""
    same = {
        "folder": folder, "contact_id": contact_id, "deal_id": deal_id, "thread_id": thread_id,
        "integration_id": integration_id,
    }  # fmt: skip
    tests: list[Callable[[Document], bool]] = [lambda doc: not is_hidden(call, doc)]
    if unread is not None:
        tests.append(lambda doc: (not doc.get("is_read")) is unread)
    if from_address is not None:
        wanted = from_address.strip().casefold()
        tests.append(lambda doc: _sender(doc) == wanted)
    tests += [
        by_time("occurred_at", after=after)(call, at) for at, after in ((since, True), (until, False)) if at is not None
    ]
    docs = select(
        call.collection("activity"),
        equal={"kind": "email", **{name: value for name, value in same.items() if value is not None}},
        tests=tests, text=search, searched=_SEARCHED,
        sort=sort, order=order, sorts=("occurred_at", "sent_at", "subject"), default="occurred_at",
    )  # fmt: skip
    if group_by is None:
        return Mapped(docs, _without_images)
    newest: dict[str, Document] = {}
    for doc in docs:
        known = newest.get(doc["thread_id"] or doc["id"])
        if known is None or _moment(doc) > _moment(known):
            newest[doc["thread_id"] or doc["id"]] = doc
    kept = {doc["id"] for doc in newest.values()}
    with_thread = partial(_with_thread, call, whole=False)
    return Mapped([doc for doc in docs if doc["id"] in kept], lambda doc: with_thread(_without_images(doc)))


def _sender(doc: Document) -> str | None:
    sender: Members | None = doc.get("from_address")
    return str(sender["email"]).casefold() if sender is not None else None


def _moment(doc: Document) -> tuple[datetime, str]:
    return doc["occurred_at"], doc["id"]


@serves(CommunicationEmail.get)
def get(call: Context, email_id: str, include: Sequence[str] | None, mark_read: bool) -> Document:
    """Return an e-mail, and note that it was read where that is asked for."""
    doc = Doors.email.find_one(call, email_id)
    if mark_read and not doc.get("is_read"):
        doc = Doors.email.change(call, Doors.email.writable(call, email_id), {"is_read": True})
    doc = Doors.email.answer(call, doc)
    wanted = include or ()
    shown = doc.with_members({"body_html": as_sent(call, doc)}) if "images" in wanted else _without_images(doc)
    return _with_thread(call, shown, whole=True) if "thread" in wanted else shown


def _without_images(doc: Document) -> Document:
    """Return an e-mail whose remote images are not fetched; in what we wrote are only our own."""
    if doc.get("direction") == "outbound" or not doc.get("body_html"):
        return doc
    return doc.with_members({"body_html": without_images(doc["body_html"])})


def _with_thread(call: Context, doc: Document, *, whole: bool) -> Document:
    return doc.with_members({"thread": thread_of(call, doc, whole=whole)})


def thread_of(call: Context, mail: Document, *, whole: bool) -> dict[str, Any]:
    """Return the thread of an e-mail, as far as the caller may see it; with `whole` the e-mails, too."""
    activities = call.collection("activity")
    found = activities.find("thread_id", mail["thread_id"]) if mail.get("thread_id") else [mail]
    docs = sorted((doc for doc in found if doc["kind"] == "email" and not is_hidden(call, doc)), key=_moment)
    newest = docs[-1]
    people = {
        one["email"].casefold(): {"email": one["email"], "name": one.get("name")}
        for doc in docs
        for one in (doc.get("from_address"), *(doc.get("to") or ()), *(doc.get("cc") or ()))
        if one is not None
    }
    return {
        "id": mail.get("thread_id") or mail["id"],
        "subject": docs[0]["subject"] or "",
        "participants": list(people.values()),
        "message_count": len(docs),
        "unread_count": sum(not doc.get("is_read") for doc in docs),
        "last_message_at": newest["occurred_at"],
        "snippet": " ".join(text_of(newest).split())[:_SNIPPET],
        "emails": [_without_images(doc) for doc in docs] if whole else [],
        "contact_id": next((doc["contact_id"] for doc in reversed(docs) if doc.get("contact_id")), None),
        "deal_id": next((doc["deal_id"] for doc in reversed(docs) if doc.get("deal_id")), None),
    }


@serves(EmailTemplates.list)
def templates(
    call: Context,
    category: str | None,
    language: str | None,
    active: bool | None,
    sort: str | None,
    search: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the templates of e-mails."""
    same = {"category": category, "language": language}
    return select(
        call.collection("template"),
        equal={name: value for name, value in same.items() if value is not None},
        tests=[
            lambda doc: (doc.get("channel") or "email") == "email",
            lambda doc: active is None or (doc.get("active") is not False) is active,
        ],
        text=search, searched=("name", "subject", "content"), sort=sort, order=order, sorts=("name", "usage_count"),
    )  # fmt: skip
