"""AI insights: scores of leads, predictions, recommendations, and jobs that enrich the company's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.ai_insights import (
        Holdout,
        LeadScoringConfig,
        LeadScoringConfigUpdate,
        LeadScoringModel,
        SampleCount,
    )
    from ..models.ai_predictions import (
        ChurnPredictions,
        ConfidenceLevel,
        DealPredictions,
        HorizonDays,
        Prediction,
        RevenueHorizon,
        RevenuePrediction,
    )
    from ..models.ai_recommendations import (
        FeedbackReason,
        Recommendation,
        RecommendationRating,
        RecommendationSort,
    )
    from ..models.enrichment import EnrichmentResult
    from ..models.jobs import Job
    from ..models.leads import LeadScore
    from ..models.values import AmountInput, BulkResult, EntityType, FilterGroup, Percent, Period, Priority

_FILTERS = ("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE")
_HORIZON = {"horizon_days": "The number of days that the prediction looks ahead."}
_OFFERS = {
    "account_id": "Only offers to this account.",
    "contact_id": "Only offers to the account of this contact.",
    "min_confidence": "Only offers of at least this confidence, 0..100.",
}
_ENRICHES = ("TOO_MANY_ITEMS", "UNKNOWN_FIELD")
_FILLED = {
    "fields": "The members to fill in; all that can be, by default.",
    "overwrite": "Replace values that are there, too.",
}


class LeadScoringSettings(Resource[Mode]):
    """The company's configuration of lead scores."""

    @operation(
        platform="PUT /ai-insights/lead-scoring/config",
        action="manage",
        errors=("THRESHOLD_ORDER", *_FILTERS),
    )
    def update(self, changes: LeadScoringConfigUpdate | LeadScoringConfig) -> LeadScoringConfig:
        """Change the configuration of lead scores; with `auto_rescore` all open leads are scored anew.

        Raises: ValidationError where a warm lead would need as high a score as a hot one, or for a rule on a member
        that leads do not have; PermissionDeniedError for all but administrators.
        """


class LeadScoring(Resource[Mode]):
    """Scores of leads, by rules and by a model that is trained on past leads."""

    config: LeadScoringSettings[Mode] = part(LeadScoringSettings)

    @job(
        platform="POST /ai-insights/lead-scoring/train",
        action="manage",
        errors=("NOT_ENOUGH_TRAINING_DATA", "TRAINING_IN_PROGRESS"),
        texts={
            "since": "Only leads that were created at this time or later.",
            "min_samples": "The least number of past leads to train with.",
            "holdout": "0..1: the share of past leads that the model is measured on, not trained with.",
        },
    )
    def train(
        self, *, since: AwareDatetime | None = None, min_samples: SampleCount = 20, holdout: Holdout = 0.2
    ) -> Job[LeadScoringModel]:
        """Start a job that trains the model on the leads that converted or were disqualified.

        It raises the model's version; with `auto_rescore` all open leads are scored anew.

        Raises: ConflictError where there are too few such leads or none of one kind, or while a training is under way;
        PermissionDeniedError for all but administrators.
        """

    @operation(
        platform="POST /ai-insights/lead-scoring/score",
        rate="bulk",
        errors=("AI_SERVICE_ERROR",),
        texts={"persist": "Store the scores; without it the answer says what they would be."},
    )
    def score(self, lead_ids: Sequence[str], *, persist: bool = True) -> BulkResult[LeadScore]:
        """Score up to 1,000 leads by the rules and, once it is trained, the model.

        Scores that were set by hand stay. Each lead is handled as by `leads.score`, with the same permissions; a lead
        that fails does not affect the others.
        """

    @operation(platform="GET /ai-insights/lead-scoring/model")
    def model(self) -> LeadScoringModel:
        """Fetch the model with its quality, its configuration, and its latest training."""


class Predictions(Resource[Mode]):
    """Predictions about deals, customers and revenue; each is stored and can be read again."""

    @operation(
        platform="POST /ai-insights/predictions/deals",
        status=201,
        statuses=(202,),
        errors=("AI_SERVICE_ERROR", "DEAL_CLOSED", *_FILTERS),
        texts={
            "deal_ids": "The deals; all open ones by default.",
            "filter_groups": "Only deals that match.",
            **_HORIZON,
        },
    )
    def deals(
        self,
        deal_ids: Sequence[str] | None = None,
        *,
        filter_groups: Sequence[FilterGroup] | None = None,
        horizon_days: HorizonDays = 90,
    ) -> DealPredictions:
        """Predict for open deals how likely they are won, when, and what they bring.

        Up to 1,000 deals are done when it is answered; of more, `wait` returns the prediction when it is made.

        Raises: ConflictError for a closed deal; ValidationError for an unknown deal or a filter that cannot be.
        """

    @operation(
        platform="POST /ai-insights/predictions/churn",
        status=201,
        statuses=(202,),
        errors=("AI_SERVICE_ERROR",),
        texts={
            "contact_ids": "The contacts; with neither these nor accounts, all customers.",
            "account_ids": "The accounts.",
            "min_risk": "Only customers with at least this risk, 0..100.",
            **_HORIZON,
        },
    )
    def churn(
        self,
        *,
        contact_ids: Sequence[str] | None = None,
        account_ids: Sequence[str] | None = None,
        min_risk: Percent = 0,
        horizon_days: HorizonDays = 90,
    ) -> ChurnPredictions:
        """Predict how likely customers are to leave, and what would be lost; contacts keep it as their `churn_risk`.

        Up to 1,000 customers are done when it is answered; of more, `wait` returns the prediction when it is made.

        Raises: ValidationError for an unknown contact or account.
        """

    @operation(
        platform="POST /ai-insights/predictions/revenue",
        status=201,
        errors=("AI_SERVICE_ERROR",),
        texts={
            "horizon": "1..12: the number of periods, from the present one on.",
            "confidence_level": "0..1: how likely the revenue of a period shall be between its bounds.",
        },
    )
    def revenue(
        self,
        *,
        horizon: RevenueHorizon = 3,
        period: Period = "month",
        pipeline_id: str | None = None,
        owner_id: str | None = None,
        team_id: str | None = None,
        confidence_level: ConfidenceLevel = 0.8,
    ) -> RevenuePrediction:
        """Predict the revenue of the present and the next periods, by the open deals and the trend of won ones.

        Raises: ValidationError for an unknown pipeline, user or team, or a horizon out of bounds.
        """

    @operation(platform="GET /ai-insights/predictions/{prediction_id}")
    def get(self, prediction_id: str) -> Prediction:
        """Fetch a prediction; one whose `expires_at` is past can still be read.

        Raises: NotFoundError.
        """


class Recommendations(Resource[Mode]):
    """Recommendations: what to do next, and what to offer."""

    @paginated(
        platform="GET /ai-insights/recommendations/next-actions",
        texts={"entity_type": "Only those about records of this kind.", "entity_id": "Only those about this record."},
    )
    def next_actions(
        self,
        *,
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        owner_id: str | None = None,
        priority: Priority | None = None,
        sort: RecommendationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Recommendation]:
        """List what to do next: late follow-ups, deals without activity, unanswered messages, hot leads without owner.

        They are ordered by priority, then by expected value and confidence.
        """

    @paginated(platform="GET /ai-insights/recommendations/cross-sell", texts=_OFFERS)
    def cross_sell(
        self,
        *,
        account_id: str | None = None,
        contact_id: str | None = None,
        min_confidence: Percent = 0,
        sort: RecommendationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Recommendation]:
        """List what similar accounts have bought and an account has not.

        They are ordered by priority, then by expected value and confidence.
        """

    @paginated(platform="GET /ai-insights/recommendations/upsell", texts=_OFFERS)
    def upsell(
        self,
        *,
        account_id: str | None = None,
        contact_id: str | None = None,
        min_confidence: Percent = 0,
        sort: RecommendationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Recommendation]:
        """List what accounts have bought less of than similar ones.

        They are ordered by priority, then by expected value and confidence.
        """

    @operation(
        platform="POST /ai-insights/recommendations/feedback",
        errors=("RECOMMENDATION_EXPIRED",),
        texts={"recommendation_id": "The recommendation.", "outcome_value": "What came of it, in money."},
    )
    def feedback(
        self,
        recommendation_id: str,
        rating: RecommendationRating,
        *,
        reason: FeedbackReason | None = None,
        outcome_value: AmountInput | None = None,
    ) -> Recommendation:
        """Say what became of a recommendation; the last feedback holds.

        One that is dismissed is not made again for its record for 30 days. Ratings move the confidence of others of its
        kind to the same owner, and so their order.

        Raises: ValidationError for an unknown recommendation; ConflictError for one that has expired;
        PermissionDeniedError for that of another owner, where the role may change only its own.
        """


class Enrichment(Resource[Mode]):
    """Enrichment jobs: fill in members of records from other sources."""

    @job(
        platform="POST /ai-insights/enrich/contacts",
        errors=_ENRICHES,
        texts={"contact_ids": "The contacts.", **_FILLED},
    )
    def contacts(
        self, contact_ids: Sequence[str], *, fields: Sequence[str] | None = None, overwrite: bool = False
    ) -> Job[EnrichmentResult]:
        """Start a job that fills in members of contacts from other sources.

        Only empty members are filled in, unless `overwrite` is given. A contact that the caller may not change is
        listed in the job's `errors`.
        """

    @job(
        platform="POST /ai-insights/enrich/companies",
        errors=_ENRICHES,
        texts={
            "account_ids": "The accounts; or else `domains`.",
            "domains": "Domains of companies; or else `account_ids`.",
            **_FILLED,
        },
    )
    def companies(
        self,
        *,
        account_ids: Sequence[str] | None = None,
        domains: Sequence[str] | None = None,
        fields: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> Job[EnrichmentResult]:
        """Start a job that fills in members of accounts from other sources; accounts are named by id or by domain.

        For a domain that no account has, the result tells what is known of it; no account is created.

        Raises: ValidationError unless exactly one of `account_ids` and `domains` is given, or for what is not a domain.
        """

    @job(platform="POST /ai-insights/enrich/leads", errors=_ENRICHES, texts={"lead_ids": "The leads.", **_FILLED})
    def leads(
        self, lead_ids: Sequence[str], *, fields: Sequence[str] | None = None, overwrite: bool = False
    ) -> Job[EnrichmentResult]:
        """Start a job that fills in members of leads from other sources; it is the same as that of `leads.enrich`.

        Only empty members are filled in, unless `overwrite` is given. Converted leads are skipped; a lead that the
        caller may not change is listed in the job's `errors`.
        """

    @job(platform="GET /ai-insights/enrich/{job_id}", status=200)
    def get(self, job_id: str) -> Job[EnrichmentResult]:
        """Fetch the state of an enrichment job, including those started by `leads.enrich`.

        Raises: NotFoundError.
        """


class AiInsights(Resource[Mode]):
    """Scores of leads, predictions, recommendations, and jobs that enrich the company's records."""

    lead_scoring: LeadScoring[Mode] = part(LeadScoring)
    predictions: Predictions[Mode] = part(Predictions)
    recommendations: Recommendations[Mode] = part(Recommendations)
    enrich: Enrichment[Mode] = part(Enrichment)
