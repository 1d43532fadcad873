"""Opens by a pixel, clicks by a redirect: both are links of this server with a signed token."""

from __future__ import annotations

import html as entities
import re
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING

from ...data.document import Document
from ...request.http import Reply
from ...request.links import answers_link
from ...serving import Context
from .subscriptions import opened, signed

if TYPE_CHECKING:
    from ...core import StubServer

_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_LINK = re.compile(r"(<a\b[^>]*?\bhref\s*=\s*)([\"'])(https?://[^\"'\s]+)\2", re.IGNORECASE)
_NOTHING = Reply(404, {"Content-Type": "text/plain"}, b"there is nothing here")


def tracked(call: Context, doc: Document, html: str) -> str:
    """Return the HTML of an e-mail with its links rewritten and a pixel at its end."""
    base, tenant_id = call.server.origin, call.caller.tenant_id

    def rewritten(found: re.Match[str]) -> str:
        token = signed("click", tenant_id, doc["id"], entities.unescape(found[3]))
        return f"{found[1]}{found[2]}{base}/track-click/{token}{found[2]}"

    pixel = f'<img src="{base}/track-open/{signed("open", tenant_id, doc["id"])}" width="1" height="1" alt="">'
    return _LINK.sub(rewritten, html) + pixel


@answers_link("track-open")
def note_open(server: StubServer, token: str, now: datetime) -> Reply:
    """Note that a message was opened, and answer the pixel."""
    parts = opened(token)
    if parts is None or parts[0] != "open":
        return _NOTHING
    _note(server, parts[1], parts[2], "opened_at", now)
    return Reply(200, {"Content-Type": "image/gif", "Cache-Control": "no-store"}, _PIXEL)


@answers_link("track-click")
def note_click(server: StubServer, token: str, now: datetime) -> Reply:
    """Note that a link was followed, and lead to its target."""
    parts = opened(token)
    if parts is None or parts[0] != "click":
        return _NOTHING
    _note(server, parts[1], parts[2], "clicked_at", now)
    return Reply(302, {"Location": parts[3], "Cache-Control": "no-store"})


def _note(server: StubServer, tenant_id: str, id: str, member: str, now: datetime) -> None:
    """Note the first time of an open or a click; whoever follows a link has opened the message, and it has arrived."""
    notifications = server.collection(tenant_id, "notification")
    doc = notifications.get(id)
    if doc is None or doc["sent_at"] is None or doc.get(member) is not None:
        return
    times = {name: now for name in ("delivered_at", "opened_at", member) if doc.get(name) is None}
    clicked = member == "clicked_at" or doc.get("clicked_at") is not None
    changes = {**times, "delivery_status": "clicked" if clicked else "opened"}
    notifications.put(doc | changes | {"updated_at": now, "version": doc["version"] + 1})
