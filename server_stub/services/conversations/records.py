"""The rules of conversations: list, get, send messages, set the priority, archive and tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_sdk.resources.conversations import ConversationMessages, Conversations, ConversationTags

from ...data.document import Document
from ...data.queries.query import matches
from ...problems import Problem, invalid
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from ..messages.reading import analyse
from . import state as state

_SEARCHED = ("contact_name", "contact_company", "lead_name", "tags", "texts")
_LONGEST_SMS, _MOST_TAGS = 1_600, 50

Thread = tuple[Document, list[Document]]


def threads(call: Context) -> list[Thread]:
    """Return the conversations of a call's dialect with their messages: in mvp with leads, in flow with contacts."""
    known: Callable[[Document], object] = (
        (lambda doc: doc["lead_id"]) if call.dialect == "mvp" else (lambda doc: state.contact_of(call, doc))
    )
    return [
        (doc, state.messages_of(call, doc["id"])) for doc in readable(call, "conversation") if known(doc) is not None
    ]


def filter_by_name(call: Context, found: Sequence[Thread], name: str | None) -> list[Thread]:
    """Keep the conversations of a named filter; an archived conversation needs no attention."""
    tests: Mapping[str, Callable[[Document, list[Document]], bool]] = {
        "unread": lambda doc, history: doc["unread_count"] > 0 and not doc["archived"],
        "high-priority": lambda doc, history: doc["priority"] == "high" and not doc["archived"],
        "follow-up": lambda doc, history: state.needs_follow_up(doc, history, call.now),
    }
    test = tests.get(name or "all")
    return [thread for thread in found if test(*thread)] if test is not None else list(found)


@serves(Conversations.list)
def list_(call: Context, filter: str | None, search: str | None) -> list[dict[str, Any]]:
    """Return the conversations, the one with the newest message first."""
    found: list[dict[str, Any]] = []
    for doc, history in filter_by_name(call, threads(call), filter):
        one = state.with_computed_members(call, doc, history)
        texts = [text for message in history for text in (message["content"], message["subject"]) if text]
        if matches(Document({**one, "texts": texts}), search, _SEARCHED):
            found.append(one)
    return sorted(found, key=lambda one: (one["last_message_at"] or one["created_at"], one["id"]), reverse=True)


@serves(Conversations.get)
def get(call: Context, conversation_id: str) -> dict[str, Any]:
    """Return a conversation with its messages, the incoming ones with their analysis."""
    return _with_messages(call, call.record("conversation", conversation_id))


@serves(ConversationMessages.create)
def write(call: Context, conversation_id: str, message: Members) -> dict[str, Any]:
    """Send a message in a conversation, as the caller."""
    conversation = state.writable(call, conversation_id)
    content = text_of(message)
    if message["type"] == "sms" and len(content) > _LONGEST_SMS:
        text = f"an SMS has at most {_LONGEST_SMS:,} characters, not {len(content):,}"
        raise Problem("CONTENT_TOO_LONG", text, field="content", rule="length")
    subject = (message.get("subject") or "").strip() or None
    made = state.write(call, conversation, theirs=False, content=content, type=message["type"], subject=subject)
    return state.shown_message(made, call.now)


@serves(Conversations.set_priority)
def set_priority(call: Context, conversation_id: str, priority: str) -> dict[str, Any]:
    """Set the priority by hand."""
    conversation = state.writable(call, conversation_id)
    return _with_messages(call, state.change(call, conversation, {"priority": priority, "priority_set": True}))


@serves(Conversations.archive)
def archive(call: Context, conversation_id: str, archived: bool) -> dict[str, Any]:
    """Archive or restore a conversation."""
    conversation = state.writable(call, conversation_id)
    return _with_messages(call, state.change(call, conversation, {"archived": archived}))


@serves(ConversationTags.add)
def add_tag(call: Context, conversation_id: str, tag: str) -> dict[str, Any]:
    """Add a tag, unless the conversation has it in any letter case."""
    conversation = state.writable(call, conversation_id)
    name, tags = tag.strip(), conversation["tags"]
    if name.casefold() in {known.casefold() for known in tags}:
        return _with_messages(call, conversation)
    if len(tags) >= _MOST_TAGS:
        raise invalid("tag", "max", f"a conversation has at most {_MOST_TAGS} tags")
    return _with_messages(call, state.change(call, conversation, {"tags": [*tags, name]}))


def text_of(message: Members) -> str:
    """Return the text of a message to store."""
    return str(message["content"]).strip()


def _with_messages(call: Context, conversation: Document) -> dict[str, Any]:
    history = state.messages_of(call, conversation["id"])
    messages: list[dict[str, Any]] = []
    for doc in history:
        message = state.shown_message(doc, call.now)
        if doc["sender_type"] == "contact":
            situation = state.situation_of(call, conversation, doc, history)
            message["ai_analysis"] = analyse(doc["content"], situation)
        messages.append(message)
    return state.with_computed_members(call, conversation, history) | {"messages": messages}
