"""Conversations: the messages exchanged with leads and contacts."""

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
        """Send a message in a conversation, and mark the messages before it as read.

        The answer has the message's sentiment.

        Raises: NotFoundError; ValidationError for an empty text, or an SMS of more than 1,600 characters.
        """


class ConversationTags(Resource[Mode]):
    """The tags of a conversation."""

    @operation(flow="POST /api/conversations/{conversation_id}/tags", status=200)
    def add(self, conversation_id: str, tag: Tag) -> Conversation:
        """Add a tag to a conversation; adding a tag that it already has changes nothing.

        Raises: NotFoundError; ValidationError for an empty tag.
        """


class Conversations(Resource[Mode]):
    """The messages exchanged with leads and contacts."""

    messages: ConversationMessages[Mode] = part(ConversationMessages)
    tags: ConversationTags[Mode] = part(ConversationTags)

    @paginated(mvp="GET /api/conversations -", flow="GET /api/conversations")
    def list(self, *, filter: ConversationFilter | None = None, search: str | None = None) -> Page[Conversation]:
        """List conversations, the one with the newest message first.

        The mvp dialect lists the conversations with leads, the flow dialect those with contacts. `search` looks in
        names, company, tags and the texts of messages.

        Raises: ValidationError for an unknown filter.
        """

    @operation(flow="GET /api/conversations/{conversation_id}")
    def get(self, conversation_id: str) -> Conversation:
        """Fetch one conversation with its messages; unread messages stay unread.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/conversations/{conversation_id}/priority")
    def set_priority(self, conversation_id: str, priority: Priority) -> Conversation:
        """Set the priority of a conversation; after that only a later urgent message raises it.

        Raises: NotFoundError; ValidationError.
        """

    @operation(flow="PATCH /api/conversations/{conversation_id}/archive")
    def archive(self, conversation_id: str, archived: bool = True) -> Conversation:
        """Archive a conversation, or restore it with ``archived=False``; an incoming message restores it as well.

        Raises: NotFoundError.
        """
