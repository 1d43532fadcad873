"""Messages: what was written, what it means, and help with writing."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.messages import (
        Message,
        MessageAnalysis,
        MessageCreate,
        MessageStats,
        MessageTemplate,
        SentimentOverview,
        SmartCompose,
        TemplateCategory,
    )


class Messages(Resource[Mode]):
    """What was written with leads and contacts, and help with writing."""

    @paginated(mvp="GET /api/messages/{lead_id}")
    def list(self, lead_id: str) -> Page[Message]:
        """List the messages with a lead, the oldest first.

        Raises: NotFoundError.
        """

    @operation(mvp="POST /api/messages", errors=("CONTENT_TOO_LONG",))
    def create(self, message: MessageCreate) -> Message:
        """Record a message with a lead, one of theirs or of our own; the first one opens the conversation.

        Raises: ValidationError, also for a lead that is not there.
        """

    @operation(flow="GET /api/messages/{message_id}/ai-analysis", errors=("AI_SERVICE_ERROR",))
    def analysis(self, message_id: str) -> MessageAnalysis:
        """Read a message: topics, tone, urgency, intent, an answer and what to do.

        Raises: NotFoundError; AiServiceError.
        """

    @operation(flow="POST /api/messages/smart-compose", safe=True, status=200, errors=("AI_SERVICE_ERROR",))
    def smart_compose(self, conversation_id: str, draft_content: str) -> SmartCompose:
        """Suggest how to go on in a conversation, show the draft in other tones, and name templates that fit.

        The templates come filled with what is known of the person; `variables` are those that are still open.

        Raises: ValidationError for a conversation that is not there; AiServiceError.
        """

    @operation(flow="GET /api/messages/templates")
    def templates(self, *, category: TemplateCategory | None = None) -> List[MessageTemplate]:
        """List the templates, by name.

        Raises: ValidationError for a category that is not there.
        """

    @operation(flow="GET /api/messages/stats")
    def stats(self) -> MessageStats:
        """Count the conversations: all, unread, of high priority, to follow up; and how fast we answer."""

    @operation(flow="GET /api/messages/sentiment-overview")
    def sentiment_overview(self) -> SentimentOverview:
        """Return the moods of the messages that came in, in per cent."""
