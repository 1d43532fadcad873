"""Opens by a pixel, clicks by a redirect: both are links of this server with a signed token."""

from __future__ import annotations

import html as entities
import re

from ...data.document import Document
from ...request.answering.links import PIXEL, link, opens
from ...request.http import Reply
from ...serving import Context

_LINK = re.compile(r"(<a\b[^>]*?\bhref\s*=\s*)([\"'])(https?://[^\"'\s]+)\2", re.IGNORECASE)


def tracked_html(call: Context, doc: Document, html: str) -> str:
    """Return the HTML of an e-mail with its links rewritten and a pixel at its end."""

    def rewritten(found: re.Match[str]) -> str:
        url = link(call, "notification-click", doc["id"], entities.unescape(found[3]))
        return f"{found[1]}{found[2]}{url}{found[2]}"

    pixel = link(call, "notification-open", doc["id"])
    return _LINK.sub(rewritten, html) + f'<img src="{pixel}" width="1" height="1" alt="">'


@opens("notification-open")
def note_open(call: Context, notification_id: str) -> Reply:
    """Note that a message was opened, and answer the pixel."""
    _note(call, notification_id, "opened_at")
    return PIXEL


@opens("notification-click")
def note_click(call: Context, notification_id: str, url: str) -> Reply:
    """Note that a link was followed, and lead to its target."""
    _note(call, notification_id, "clicked_at")
    return Reply(302, {"Location": url, "Cache-Control": "no-store"})


def _note(call: Context, id: str, member: str) -> None:
    """Note the first time of an open or a click; whoever follows a link has opened the message, and it has arrived."""
    notifications, now = call.collection("notification"), call.now
    doc = notifications.get(id)
    if doc is None or doc["sent_at"] is None or doc.get(member) is not None:
        return
    times = {name: now for name in ("delivered_at", "opened_at", member) if doc.get(name) is None}
    clicked = member == "clicked_at" or doc.get("clicked_at") is not None
    changes = {**times, "delivery_status": "clicked" if clicked else "opened"}
    notifications.put(doc | changes | {"updated_at": now, "version": doc["version"] + 1})
