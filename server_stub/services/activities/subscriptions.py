"""Calendars that other programs subscribe to: an address for each user, and the file that is behind it (RFC 5545)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.calendar import CalendarFeeds

from ...answers import Answer, FileAnswer
from ...data.document import Document
from ...problems import Problem, missing
from ...request.access.callers import user_caller
from ...request.access.hiding import Hiding
from ...request.reading.preconditions import is_known
from ...request.settings import value_for
from ...serving import Context, serves
from ..calendar.preparation import uid_of
from ..calendar.working_time import is_in_calendar
from . import icalendars
from .privacy import as_seen, busy_only, is_private
from .recurrence import spans

_ALLOWED = "calendar.feed_allowed"
KIND = "calendar_feed"
"""The kind of the records with the addresses; their ids are those of the users."""
_BACK, _AHEAD = timedelta(days=90), timedelta(days=365)
_REFRESH = timedelta(hours=1)
_PER_HOUR = 60
_PREFIX = 10
_NOTHING = Document(title=None, status=None)
"""What an entry has in place of what is hidden."""
_TIMES = {"task": "due_at", "call": "start_time"}


@serves(CalendarFeeds.create)
def create(call: Context, kinds: Sequence[str] | None, include_private: bool) -> Document:
    """Make the address of the caller's calendar, in place of the one there was."""
    user_id = call.caller.user_id
    if user_id is None:
        raise Problem("FORBIDDEN", "only users have a calendar")
    if not value_for(call, user_id, _ALLOWED):
        raise Problem("FORBIDDEN", "the company lets nobody subscribe to a calendar", details={"setting": _ALLOWED})
    said = call.new_id("feed_")
    feed = call.collection(KIND).put(
        Document(
            id=user_id, said=said, prefix=said[:_PREFIX], kinds=list(dict.fromkeys(kinds or ("event",))),
            include_private=include_private, created_at=call.now, last_read_at=None, read_count=0,
        )
    )  # fmt: skip
    call.emit("calendar.feed_created", KIND, _published_feed(feed))
    token = f"{said}.{call.server.tokens.signature(said)}"
    return feed | {"url": f"{call.server.origin}/v1/calendar/feed/{token}"}


def _published_feed(feed: Document) -> Document:
    return Document({name: value for name, value in feed.items() if name != "said"})


@serves(CalendarFeeds.delete)
def delete(call: Context) -> None:
    """Delete the address of the caller's calendar."""
    feed = call.collection(KIND).get(call.caller.user_id or "")
    if feed is None:
        raise missing("calendar feed", call.caller.user_id or call.caller.actor_id)
    call.collection(KIND).remove(feed["id"])
    call.emit("calendar.feed_deleted", KIND, _published_feed(feed))


@serves(CalendarFeeds.download)
def download(call: Context, token: str) -> FileAnswer | Answer:
    """Return the calendar that an address leads to."""
    own, feed = _opened_feed(call, token)
    _check_rate(call, feed)
    content = icalendars.write(list(_entries(own, feed)), refresh=_REFRESH)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    own.collection(KIND).put(feed | {"last_read_at": call.now, "read_count": feed["read_count"] + 1})
    if is_known(tag, call.headers):
        return Answer(FileAnswer("calendar.ics", "text/calendar", (), headers), 304)
    return FileAnswer("calendar.ics", "text/calendar", (content,), headers | {"Content-Length": str(len(content))})


def _opened_feed(call: Context, token: str) -> tuple[Context, Document]:
    """Return the call as made by the user whose address it is, and the address. Raises: 404."""
    said, _, signature = token.partition(".")
    feeds = [feed for there in call.server.store.across(KIND) for feed in there.find("said", said)]
    if feeds and call.server.tokens.signature(said) == signature:
        (feed,) = feeds
        users = (there.get(feed["id"]) for there in call.server.store.across("user"))
        user = next((user for user in users if user is not None), None)
        if user is not None and user.get("status") != "inactive":
            own = call.acting_as(user_caller(call.server.store, user, call.now))
            if value_for(own, user["id"], _ALLOWED):
                return own, feed
    raise missing("calendar feed", f"{said[:_PREFIX]}…")


def _check_rate(call: Context, feed: Document) -> None:
    quota = call.server.limits.check((feed["said"], KIND), _PER_HOUR, 3600, call.now)
    if quota.retry_after is not None and call.server.enforce_limits:
        raise Problem(
            "RATE_LIMIT_EXCEEDED",
            f"a calendar is read {_PER_HOUR} times an hour; wait {quota.retry_after} s",
            headers={"Retry-After": str(quota.retry_after)},
            details={"limit": _PER_HOUR, "retry_after": quota.retry_after},
        )


def _entries(call: Context, feed: Document) -> Iterator[Document]:
    """Yield what is in a user's calendar within the window; a series whole, if one of its events is."""
    begin, end = call.now - _BACK, call.now + _AHEAD
    activities = call.collection("activity")
    hiding, nouns = Hiding(call.caller.hidden, call.server.nouns), call.server.nouns
    if "event" in feed["kinds"]:
        mine = [doc for doc in activities.find("kind", "event") if is_in_calendar(doc, feed["id"])]
        for doc in {doc["id"]: doc for _, _, doc in spans(mine, begin, end)}.values():
            hidden = is_private(doc) and not feed["include_private"]
            seen = _NOTHING | hiding.without(busy_only(doc) if hidden else as_seen(call, doc), [nouns["event"].model])
            if not {"start_time", "end_time"} <= seen.keys():
                continue
            known = {name: doc[name] for name in ("sequence", "series_id", "original_start")}
            yield seen | known | {"uid": uid_of(doc)}
    for kind, name in _TIMES.items():
        for stored in activities.find("kind", kind) if kind in feed["kinds"] else ():
            doc = _NOTHING | hiding.without(stored, [nouns[kind].model])
            at = doc.get(name)
            if at is not None and begin <= at < end and stored["owner_id"] == feed["id"]:
                times: dict[str, Any] = {"start_time": at, "end_time": doc.get("end_time") or at}
                yield doc | times | {"uid": uid_of(doc), "busy": kind == "call", "recurrence": None, "reminders": []}
