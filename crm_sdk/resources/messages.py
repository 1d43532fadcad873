"""Messages: messages with leads and contacts, their analysis, templates and suggestions."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.message_templates import MessageTemplate
    from ..models.messages import (
        Message,
        MessageAnalysis,
        MessageCreate,
        MessageStats,
        SentimentOverview,
        SmartCompose,
        TemplateCategory,
    )


class Messages(Resource[Mode]):
    """Messages with leads and contacts, their analysis, templates and suggestions."""

    @paginated(mvp="GET /api/messages/{lead_id}")
    def list(self, lead_id: str) -> Page[Message]:
        """List the messages with a lead, the oldest first.

        Raises: NotFoundError.
        """

    @operation(mvp="POST /api/messages", errors=("CONTENT_TOO_LONG",))
    def create(self, message: MessageCreate) -> Message:
        """Record a message from or to a lead; the first message opens the conversation.

        Raises: ValidationError, including for an unknown lead.
        """

    @operation(flow="GET /api/messages/{message_id}/ai-analysis", errors=("AI_SERVICE_ERROR",))
    def analysis(self, message_id: str) -> MessageAnalysis:
        """Analyse a message: topics, tone, urgency, intent, a suggested answer and action items.

        Raises: NotFoundError; AiServiceError.
        """

    @operation(flow="POST /api/messages/smart-compose", safe=True, status=200, errors=("AI_SERVICE_ERROR",))
    def smart_compose(self, conversation_id: str, draft_content: str) -> SmartCompose:
        """Suggest the next message of a conversation, rewrite a draft in other tones, and suggest templates.

        The variables of the templates are filled in from the conversation's contact; `variables` names those that are
        still to be filled in.

        Raises: ValidationError for an unknown conversation; AiServiceError.
        """

    @operation(flow="GET /api/messages/templates")
    def templates(self, *, category: TemplateCategory | None = None) -> List[MessageTemplate]:
        """List the templates, by name.

        Raises: ValidationError for an unknown category.
        """

    @operation(flow="GET /api/messages/stats")
    def stats(self) -> MessageStats:
        """Count the conversations: all, unread, of high priority, to follow up; and measure the response time."""

    @operation(flow="GET /api/messages/sentiment-overview")
    def sentiment_overview(self) -> SentimentOverview:
        """Return the shares of positive, neutral and negative incoming messages, in per cent."""
