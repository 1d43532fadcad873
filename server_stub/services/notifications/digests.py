"""The digest: a mail with the notifications that a user has not read, every day or week at eight in the morning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm_sdk.models.notifications import Notification

from ...data.document import Document
from ...problems import Problem
from ...request.access.hiding import hiding_from
from ...serving import Collections, Context, Members, reacts
from ...timetable import Appointment, apart, falls_due, plan
from ..users.roles import rights_of
from .sending import send

_PREFERENCES = "notification_preferences"
_AT = time(8)
_EVERY: Mapping[str, timedelta] = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
_LINES = 20
"""So many notifications a digest names."""


class _Texts(NamedTuple):
    """The texts of a digest in a language."""

    subject: str
    intro: str
    more: str


_TEXTS: Mapping[str, _Texts] = {
    "en": _Texts(
        "{company}: {count} unread notifications", "Hello {name}, you have not read these yet:", "and {count} more",
    ),
    "de": _Texts(
        "{company}: {count} ungelesene Benachrichtigungen", "Guten Tag {name}, diese sind noch ungelesen:",
        "und {count} weitere",
    ),
    "es": _Texts(
        "{company}: {count} notificaciones sin leer", "Hola {name}, estas aún están sin leer:", "y {count} más",
    ),
    "ar": _Texts("{company}: {count} إشعارات غير مقروءة", "مرحبًا {name}، هذه لم تُقرأ بعد:", "و {count} أخرى"),
}  # fmt: skip


def _times(collections: Collections) -> Iterator[datetime]:
    return (at for own in collections(_PREFERENCES) if (at := own.get("digest_at")) is not None)


DIGEST = Appointment("notification digest", _times)


@reacts("notification.preferences_updated", "user.updated", "user.profile_updated")
def schedule(call: Context, entry: Document) -> None:
    """Note when the next digest of a user is due, by the present preferences and time zone."""
    kept = call.collection(_PREFERENCES)
    own, user = kept.get(entry["entity"]["id"]), call.find_one("user", entry["entity"]["id"])
    if own is not None and user is not None:
        kept.put(own | {"digest_at": _due(user, own.get("digest"), call.now)})
        plan(call.collection, DIGEST)


def _due(user: Members, digest: str | None, now: datetime) -> datetime | None:
    """Return the next eight o'clock of a user after a time, for a weekly digest that of a Monday."""
    if digest not in _EVERY:
        return None
    zone = ZoneInfo(user.get("timezone") or "UTC")
    day = now.astimezone(zone).date()
    while True:
        at = datetime.combine(day, _AT, zone).astimezone(UTC)
        if at > now and (digest == "daily" or day.weekday() == 0):
            return at
        day += timedelta(days=1)


@falls_due(DIGEST)
def send_digests(call: Context) -> None:
    """Mail the digests that are due."""
    kept = call.collection(_PREFERENCES)
    for own in kept.all():
        at = own.get("digest_at")
        if at is None or at > call.now:
            continue
        with apart(call, own):
            user = call.find_one("user", own["id"])
            if user is None or user["status"] == "inactive":
                kept.put(own | {"digest_at": None})
                continue
            _mail(call, user, max(own.get("digested_at") or at - _EVERY[own["digest"]], at - _EVERY[own["digest"]]))
            kept.put(own | {"digested_at": call.now, "digest_at": _due(user, own["digest"], call.now)})


def _mail(call: Context, user: Document, since: datetime) -> None:
    """Mail a user what came since a time and is unread; nothing where there is nothing."""
    unread = [
        doc
        for doc in call.collection("notification").find("user_id", user["id"])
        if doc["channel"] == "in_app"
        and doc["delivery_status"] == "delivered"
        and not doc["read"]
        and doc["created_at"] >= since
        and (doc.get("expires_at") is None or doc["expires_at"] > call.now)
    ]
    if not unread:
        return
    unread.sort(key=lambda doc: doc["created_at"], reverse=True)
    said = {"name": user["name"], "company": call.tenant["name"], "count": str(len(unread))}
    language = _language(call, user)
    texts = _TEXTS.get(language, _TEXTS["en"])
    text = "\n".join([texts.intro.format(**said), "", *_lines(call, unread, user)])
    if len(unread) > _LINES:
        text += "\n" + texts.more.format(count=len(unread) - _LINES)
    given = {"subject": texts.subject.format(**said), "text": text}
    try:
        send(
            call, "email", user["id"], subject="{{ subject }}", content="{{ text }}", variables=given, type="digest",
            category="digest", language=language, metadata={"notificationIds": [doc["id"] for doc in unread]},
        )  # fmt: skip
    except Problem as problem:  # nobody who could be reached by mail
        if problem.code != "NO_ADDRESS":
            raise


def _language(call: Context, user: Members) -> str:
    own: Members = call.collection(_PREFERENCES).get(user["id"]) or {}
    general: Members = user.get("preferences") or {}
    spoken = own.get("language") or general.get("language") or user.get("locale") or "en"
    return str(spoken).partition("-")[0].lower()


def _lines(call: Context, unread: Sequence[Document], user: Members) -> list[str]:
    """Return a line for each notification, with as much of it as the user's inbox shows."""
    zone, reader = ZoneInfo(user.get("timezone") or "UTC"), rights_of(call, user["id"], None)
    hiding = hiding_from(reader, call.server.nouns) if reader is not None else None
    lines: list[str] = []
    for doc in unread[:_LINES]:
        shown = hiding.without(doc, [Notification]) if hiding is not None else doc
        text = ": ".join(shown[name] for name in ("title", "message") if name in shown) or doc["type"]
        lines.append(f"- {doc['created_at'].astimezone(zone):%Y-%m-%d %H:%M}  {text}")
    return lines
