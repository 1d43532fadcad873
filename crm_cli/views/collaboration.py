"""``crm collaboration comments list`` and ``crm collaboration feed …``: a thread, and what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from .drawing import count_of, heading, line
from .zone import zone_of

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import Comment, FeedItem


def thread(client: CrmClient, comments: Sequence[Comment]) -> None:
    """Draw comments, each with its author and time, and replies below what they reply to."""
    from rich.padding import Padding

    from ..console import stdout

    screen, zone = stdout(), zone_of(client)
    known = {comment.id for comment in comments}
    tops = [comment for comment in comments if comment.parent_id not in known]
    for top in tops:
        for comment in (top, *(reply for reply in comments if reply.parent_id == top.id)):
            indent = 0 if comment is top else 4
            author = comment.author.name if comment.author is not None else None
            edited = "edited" if comment.edited else None
            told = [part for part in (zone.text_of(comment.created_at), edited) if part]
            head = line((author or "–", "bold"), (", ".join(told), "dim"), (comment.id, "cyan"), between="  ")
            screen.print(Padding(head, (0, 0, 0, indent), expand=False))
            body = line((comment.body or "deleted", "" if comment.body is not None else "dim"))
            screen.print(Padding(body, (0, 0, 1, indent + 2), expand=False))
    if not comments:
        screen.print(line(("nobody has commented", "dim")))


def feed(client: CrmClient, items: Sequence[FeedItem]) -> None:
    """Draw what has happened, day by day, with the text of comments."""
    from rich.padding import Padding

    from ..console import stdout

    screen, zone = stdout(), zone_of(client)
    for day, inside in groupby(items, key=lambda item: zone.local(item.occurred_at).date()):
        screen.print(heading(f"{day:%A, %d %B %Y}"))
        for item in inside:
            more = count_of(item.count, "time") if item.count > 1 else None
            at = f"{zone.local(item.occurred_at):%H:%M}"
            told = line(
                (at, "dim"), item.summary, (more, "dim") if more else None, (item.entity.id, "cyan"), between="  "
            )
            screen.print(Padding(told, (0, 0, 0, 2), expand=False))
            if item.comment is not None and item.comment.body:
                screen.print(Padding(line((item.comment.body, "dim")), (0, 0, 0, 9), expand=False))
        screen.print()
    if not items:
        screen.print(line(("nothing has happened", "dim")))
