"""AI: the services that read texts and weigh deals, contacts and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.ai import ChurnRisk, DealProbability, QueryAnswer, SentimentResult
    from ..models.calendar_meetings import MeetingPreparation
    from ..models.contacts import AIInsight
    from ..models.deals import DealStage
    from ..models.messages import MessageAnalysis, SmartCompose, Tone
    from ..models.values import Text


class Ai(Resource[Mode]):
    """Services that read texts and weigh deals, contacts and questions."""

    @operation(flow="POST /ai/sentiment", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def sentiment(self, text: Text, *, context: str | None = None) -> SentimentResult:
        """Tell the mood of a text.

        Raises: AiServiceError.
        """

    @operation(flow="POST /ai/deal-probability", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def deal_probability(
        self,
        stage: DealStage,
        *,
        activities: Sequence[Mapping[str, Any]] | None = None,
        risk_factors: Sequence[str] | None = None,
        positive_signals: Sequence[str] | None = None,
        competitor_mentioned: str | None = None,
    ) -> DealProbability:
        """Weigh how likely a deal is won: its stage, plus signals, minus risks and a competitor.

        Raises: AiServiceError.
        """

    @operation(
        flow="POST /ai/churn-risk contact_id communication_history deal_history engagement_metrics",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "deal_history": "The deals so far.",
            "engagement_metrics": "Figures of how much they take part.",
        },
    )
    def churn_risk(
        self,
        *,
        contact_id: str | None = None,
        communication_history: Sequence[Mapping[str, Any]] | None = None,
        deal_history: Sequence[Mapping[str, Any]] | None = None,
        engagement_metrics: Mapping[str, Any] | None = None,
    ) -> ChurnRisk:
        """Weigh how likely a contact is lost, and say what to do about it.

        What is not given is taken from the contact's own history.

        Raises: ValidationError when there is neither a contact nor a history; AiServiceError.
        """

    @operation(flow="POST /ai/message-analysis", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def message_analysis(
        self, content: Text, *, conversation_history: Sequence[str | Mapping[str, Any]] | None = None
    ) -> MessageAnalysis:
        """Read a message: topics, tone, urgency, intent, an answer and what to do.

        Raises: AiServiceError.
        """

    @operation(
        flow="POST /ai/smart-compose",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "conversation_context": "What was written so far, as one text or message by message.",
            "tone": "The tone to write in.",
        },
    )
    def smart_compose(
        self,
        conversation_context: str | Sequence[str | Mapping[str, Any]],
        *,
        draft_content: str | None = None,
        tone: Tone | None = None,
    ) -> SmartCompose:
        """Suggest how to go on in a conversation, and show a draft in other tones.

        Raises: AiServiceError.
        """

    @operation(
        flow="POST /ai/meeting-preparation",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "event_type": "The kind of meeting.",
        },
    )
    def meeting_preparation(
        self,
        event_type: str,
        *,
        contact_id: str | None = None,
        deal_id: str | None = None,
        communication_history: Sequence[str | Mapping[str, Any]] | None = None,
    ) -> MeetingPreparation:
        """Prepare a meeting: talking points, what was said lately, the deal behind it.

        Raises: ValidationError for an unknown contact or deal; AiServiceError.
        """

    @operation(
        flow="POST /ai/query",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "query": "The question, in English, German or Spanish.",
        },
    )
    def query(self, query: Text) -> QueryAnswer:
        """Turn a question such as "show me deals about to close" into filters for a list.

        Raises: AiServiceError.
        """

    @operation(flow="POST /ai/generate-insights", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def generate_insights(
        self, entity_type: Literal["contact", "deal"] | str, entity_id: str, *, context: Mapping[str, Any] | None = None
    ) -> list[AIInsight]:
        """Find what is worth knowing about a contact or a deal.

        Raises: ValidationError for an unknown contact or deal; AiServiceError.
        """
