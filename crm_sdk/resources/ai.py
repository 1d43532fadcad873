"""AI services: analyse texts, estimate probabilities and risks, and interpret questions."""

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
    """Services that analyse texts, estimate probabilities and risks, and interpret questions."""

    @operation(flow="POST /ai/sentiment", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def sentiment(self, text: Text, *, context: str | None = None) -> SentimentResult:
        """Return the sentiment of a text.

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
        """Estimate the probability that a deal is won, from its stage, signals, risks and competitor.

        Raises: AiServiceError.
        """

    @operation(
        flow="POST /ai/churn-risk contact_id communication_history deal_history engagement_metrics",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "deal_history": "The deals so far.",
            "engagement_metrics": "Figures of the contact's engagement, by name.",
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
        """Estimate the risk that a contact is lost, and recommend what to do about it.

        An argument that is left out is taken from the records of the contact.

        Raises: ValidationError when neither a contact nor a history is given; AiServiceError.
        """

    @operation(flow="POST /ai/message-analysis", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def message_analysis(
        self, content: Text, *, conversation_history: Sequence[str | Mapping[str, Any]] | None = None
    ) -> MessageAnalysis:
        """Analyse a message: topics, tone, urgency, intent, a suggested answer and action items.

        Raises: AiServiceError.
        """

    @operation(
        flow="POST /ai/smart-compose",
        safe=True,
        rate="ai",
        errors=("AI_SERVICE_ERROR",),
        texts={
            "conversation_context": "The conversation so far, as one text or message by message.",
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
        """Suggest the next message of a conversation, and rewrite a draft in other tones.

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
        """Prepare a meeting: talking points, recent interactions, the state of the deal.

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
        """Turn a question such as "show me deals about to close" into the filters of a list call.

        Raises: AiServiceError.
        """

    @operation(flow="POST /ai/generate-insights", safe=True, rate="ai", errors=("AI_SERVICE_ERROR",))
    def generate_insights(
        self, entity_type: Literal["contact", "deal"] | str, entity_id: str, *, context: Mapping[str, Any] | None = None
    ) -> list[AIInsight]:
        """Compute insights about a contact or a deal.

        Raises: ValidationError for an unknown contact or deal; AiServiceError.
        """
