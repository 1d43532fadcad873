"""``crm messages thread``: show a conversation as a thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...failures import visible
from ...settings import Options, settle
from ..drawing import amount, line, show, title_of
from ..zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import Conversation, Message

_WIDEST = 100
_MOODS: Mapping[str, tuple[str, str]] = {
    "positive": ("+ positive", "green"),
    "neutral": ("· neutral", "dim"),
    "negative": ("- negative", "red"),
}
_TRENDS: Mapping[str, str] = {"improving": "↗ improving", "stable": "→ stable", "declining": "↘ declining"}


def thread(
    options: Options,
    conversation_id: Annotated[str, typer.Argument(metavar="CONVERSATION_ID", help="See `crm conversations list`.")],
) -> None:
    """Show a conversation as a thread, the oldest message first, with sender, time and sentiment.

    Unread messages are marked. Incoming messages have the AI's analysis, the last one also a suggested answer. The
    messages stay unread.
    """
    settings = settle(options)
    with open_client(settings) as client:
        conversation = client.conversations.get(conversation_id)
        zone = zone_of(client) if settings.output == "table" else Zone()
    show(settings.output, conversation, conversation.messages, lambda screen: _draw(screen, conversation, zone))


def _draw(screen: Console, conversation: Conversation, zone: Zone) -> None:
    from rich.padding import Padding

    screen.width = min(screen.width, _WIDEST)
    for text in _head(conversation, zone):
        screen.print(text)
    unread = _unread(conversation)
    for message in conversation.messages:
        screen.print()
        ours = _is_ours(message)
        screen.print(
            line(
                ("●", "bold yellow") if message.id in unread else None,
                (message.sender_name or title_of(message.sender or message.sender_type or "somebody"), _side(ours)),
                (zone.text_of(message.timestamp), "dim"),
                (message.type or "", "dim"),
                _MOODS.get(message.sentiment or "") if not ours else (message.status, "dim"),
                ("unread", "bold yellow") if message.id in unread else None,
                between="  ",
            )
        )
        for text in _body(message, waits=not ours and message is conversation.messages[-1]):
            screen.print(Padding(text, (0, 0, 0, 2), expand=False))
    if not conversation.messages:
        screen.print(line(("no messages", "dim")))


def _head(conversation: Conversation, zone: Zone) -> list[Text]:
    name = conversation.contact_name or conversation.lead_name or conversation.id
    unread = conversation.unread_count
    trend = conversation.sentiment_trend
    first = line(
        (name, "bold cyan"),
        conversation.contact_company,
        (f"{unread} unread", "bold yellow") if unread else None,
        ("archived", "dim") if conversation.archived else None,
        between="  ",
    )
    second = line(
        f"{conversation.priority} priority" if conversation.priority else None,
        _MOODS.get(conversation.overall_sentiment or ""),
        _TRENDS.get(trend, trend) if trend else None,
        (f"times in {zone.name}", "dim"),
        between="  ",
    )
    tags = " ".join(f"#{tag}" for tag in conversation.tags)
    return [first, second, *(line((text, "dim")) for text in (conversation.ai_summary, tags) if text)]


def _body(message: Message, *, waits: bool) -> list[Text]:
    """Return a message with the AI's analysis, and its suggested answer only where the message is unanswered."""
    from rich.text import Text

    lines = [line((message.subject, "bold"))] if message.subject else []
    lines.append(Text(visible(str(message.content or "").strip())))
    lines += [line((f"attached: {file.name} ({amount(file.size)} bytes)", "dim")) for file in message.attachments]
    told = message.ai_analysis
    if told is not None:
        parts = [title_of(told.business_intent), f"{told.urgency_level} urgency", told.emotional_tone, *told.key_topics]
        lines.append(line(("» " + " · ".join(part for part in parts if part), "magenta")))
        lines += [line((f"» {item}", "magenta")) for item in told.action_items]
        if waits and told.suggested_response:
            lines.append(line((f"» Suggested answer ({told.response_time}): {told.suggested_response}", "magenta")))
    return lines


def _is_ours(message: Message) -> bool:
    return message.sender_type == "user" or message.sender == "agent"


def _side(ours: bool) -> str:
    return "bold blue" if ours else "bold green"


def _unread(conversation: Conversation) -> Collection[str]:
    """Return the ids of the unread messages: the last incoming ones, as many as `unread_count`."""
    theirs: Sequence[str] = [message.id for message in conversation.messages if not _is_ours(message)]
    return theirs[-conversation.unread_count :] if conversation.unread_count else ()
