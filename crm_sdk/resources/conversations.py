"""Conversations: what was written with leads and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.conversations import Conversation, ConversationFilter
    from ..models.messages import ConversationMessageCreate, Message
    from ..models.values import Priority, Tag


class ConversationMessages(Resource[Mode]):
    """The messages of a conversation."""

    @operation(flow="POST /api/conversations/{conversation_id}/messages", errors=("CONTENT_TOO_LONG",))
    def create(self, conversation_id: str, message: ConversationMessageCreate) -> Message:
        """Write in a conversation; everything in it counts as read then.

        The answer holds the message's sentiment.

        Raises: NotFoundError; ValidationError for an empty text, or an SMS of more than 1,600 characters.
        """


class ConversationTags(Resource[Mode]):
    """The tags of a conversation."""

    @operation(flow="POST /api/conversations/{conversation_id}/tags", status=200)
    def add(self, conversation_id: str, tag: Tag) -> Conversation:
        """Add a tag to a conversation; one it has already is there once.

        Raises: NotFoundError; ValidationError for an empty tag.
        """


class Conversations(Resource[Mode]):
    """What was written with leads and contacts."""

    messages: ConversationMessages[Mode] = part(ConversationMessages)
    tags: ConversationTags[Mode] = part(ConversationTags)

    @paginated(mvp="GET /api/conversations -", flow="GET /api/conversations")
    def list(self, *, filter: ConversationFilter | None = None, search: str | None = None) -> Page[Conversation]:
        """List conversations, the one with the newest message first.

        The MVP document lists those with leads, the Flow document those with contacts. `search` looks in names,
        company, tags and texts.

        Raises: ValidationError for a filter that is not there.
        """

    @operation(flow="GET /api/conversations/{conversation_id}")
    def get(self, conversation_id: str) -> Conversation:
        """Fetch one conversation with its messages; what is unread stays unread.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/conversations/{conversation_id}/priority")
    def set_priority(self, conversation_id: str, priority: Priority) -> Conversation:
        """Set the priority of a conversation; only an urgent message that comes in later raises it again.

        Raises: NotFoundError; ValidationError.
        """

    @operation(flow="PATCH /api/conversations/{conversation_id}/archive")
    def archive(self, conversation_id: str, archived: bool = True) -> Conversation:
        """Archive a conversation, or take it back with ``archived=False``; a message that comes in does that as well.

        Raises: NotFoundError.
        """
