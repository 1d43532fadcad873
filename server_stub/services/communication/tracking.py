"""What becomes of the HTML of an e-mail: remote images that wait, and the pixel and links by which it is followed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...request.answering.links import PIXEL, link, opens
from ...request.http import Reply
from ...serving import Context, Members

_IMAGE = re.compile(r"(<img\b[^>]*?\s)src(=\s*[\"']?(?:https?:)?//)", re.IGNORECASE)
_LINK = re.compile(r"(<a\b[^>]*?\shref=\")([^\"]*)(\")", re.IGNORECASE)


def without_images(html: str | None) -> str | None:
    """Return HTML whose remote images are not fetched: their addresses are in ``data-src``."""
    return _IMAGE.sub(r"\1data-src\2", html) if html else html


def links_of(html: str | None) -> list[str]:
    """Return the web addresses that HTML links to, each once."""
    found = (unescape(match[2]) for match in _LINK.finditer(html or ""))
    return list(dict.fromkeys(url for url in found if url.startswith(("http://", "https://"))))


def new_tracking(html: str | None, *, clicks: bool) -> dict[str, Any]:
    """Return the counts of an e-mail that nobody has opened."""
    links = [{"url": url, "clicks": 0} for url in (links_of(html) if clicks else ())]
    return {
        "opens": 0, "clicks": 0, "first_opened_at": None, "last_opened_at": None, "first_clicked_at": None,
        "links": links,
    }  # fmt: skip


def as_sent(call: Context, mail: Members) -> str | None:
    """Return the HTML of an e-mail as it goes out: its links lead here first, and a pixel tells when it is opened."""
    html: str | None = mail.get("body_html")
    if not html or mail.get("direction") != "outbound":
        return html
    tracking: Members = mail.get("tracking") or {}
    urls: list[str] = [entry["url"] for entry in tracking.get("links") or ()]

    def rewritten(match: re.Match[str]) -> str:
        url = unescape(match[2])
        if url not in urls:
            return match[0]
        return f"{match[1]}{escape(link(call, 'click', mail['id'], str(urls.index(url))))}{match[3]}"

    html = _LINK.sub(rewritten, html)
    if mail.get("track_opens"):
        html += f'<img src="{escape(link(call, "open", mail["id"]))}" width="1" height="1" alt="">'
    return html


@opens("open")
def pixel(call: Context, email_id: str) -> Reply:
    """Count that an e-mail was opened."""
    mail = _tracked_email(call, email_id)
    _note(call, mail, "opened", lambda known: {"opens": known["opens"] + 1, **_opened_figures(call, known)})
    return PIXEL


@opens("click")
def click(call: Context, email_id: str, number: str) -> Reply:
    """Count that a link was followed, and lead on to where it goes."""
    mail = _tracked_email(call, email_id)
    index = int(number)
    goal: str = mail["tracking"]["links"][index]["url"]

    def clicked(known: Members) -> dict[str, Any]:
        links = [{**one, "clicks": one["clicks"] + (at == index)} for at, one in enumerate(known["links"])]
        first = known["first_clicked_at"] or call.now
        return {"clicks": known["clicks"] + 1, "first_clicked_at": first, "links": links}

    _note(call, mail, "clicked", clicked, url=goal)
    return Reply(302, {"Location": goal, "Cache-Control": "no-store"})


def _tracked_email(call: Context, email_id: str) -> Document:
    mail = call.record("activity", email_id)
    if not mail.get("tracking"):
        raise Problem("NOT_FOUND", "the e-mail is not followed")
    return mail


def _opened_figures(call: Context, known: Members) -> dict[str, Any]:
    return {"first_opened_at": known["first_opened_at"] or call.now, "last_opened_at": call.now}


def _note(call: Context, mail: Document, verb: str, counted: Callable[[Members], dict[str, Any]], **said: str) -> None:
    """Store what was counted. Nobody has edited the e-mail: its version stays."""
    known: Members = mail["tracking"]
    new = call.collection("activity").put(mail | {"tracking": {**known, **counted(known)}})
    change = {"field": "tracking", "before": known, "after": new["tracking"]}
    told = new if new.get("visibility") != "private" else _without_text(new)
    call.emit(f"email.{verb}", "activity", told, changes=[change], metadata={"email_id": mail["id"], **said})


def _without_text(mail: Document) -> Document:
    from ..activities.privacy import busy_only  # here: the trail's form of a private e-mail

    return busy_only(mail)
