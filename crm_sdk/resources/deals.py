"""Deals: possible sales, with their value, stage and probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import ScopedRange, Sorting, Viewed
from ..paging import Page
from ..resource import Mode, Resource, part

_ENTERS = ("STAGE_NOT_IN_PIPELINE", "PIPELINE_INACTIVE", "STAGE_FIELDS_MISSING", "LOST_REASON_REQUIRED")
"""The error codes that refuse a deal in a stage."""
_MOVES = (*_ENTERS, "DEAL_CLOSED", "STAGE_BACKWARD_FORBIDDEN", "STAGE_SKIP_FORBIDDEN")
"""The error codes that refuse to move a deal to a stage."""

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from pydantic import AwareDatetime

    from ..models.deal_analytics import (
        BoardStatus,
        CardLimit,
        ConversionAnalytics,
        DealForecast,
        ForecastAnalytics,
        PerformanceAnalytics,
        PipelineBoard,
        StageChangeSort,
        StageHistoryEntry,
        VelocityAnalytics,
        WinLossAnalytics,
        WinLossGrouping,
    )
    from ..models.deals import (
        Deal,
        DealActivity,
        DealActivityCreate,
        DealBulkUpdate,
        DealCreate,
        DealFilter,
        DealInclude,
        DealPart,
        DealSort,
        DealStage,
        DealStatus,
        DealUpdate,
        ForecastCategory,
        LostReason,
        StageStats,
    )
    from ..models.values import BulkResult, LeadSource, Name, Order, Priority


class DealActivities(Resource[Mode]):
    """The activities of a deal."""

    @operation(flow="POST /api/deals/{deal_id}/activities", errors=("AI_SERVICE_ERROR",))
    def create(self, deal_id: str, activity: DealActivityCreate) -> DealActivity:
        """Record an activity on a deal, and update the deal's probability, confidence and insights.

        The text of the activity is searched for positive signals, risks and competitors.

        Raises: NotFoundError; ValidationError; AiServiceError.
        """


class DealAnalytics(Resource[Mode]):
    """Analytics of deals, computed from their stage history; sums are in the company's currency.

    `start_date` and `end_date` are days of the company's time zone, both included: by default the last twelve months.
    `period` is the length of the periods, by default a month. `pipeline_id`, `owner_id` and `team_id` say whose deals
    are counted.
    """

    @operation(platform="GET /deals/analytics/conversion")
    def conversion(self, *, source: LeadSource | None = None, **common: Unpack[ScopedRange]) -> ConversionAnalytics:
        """Compute how many of the deals that entered within a range were won, and the conversion rate of each stage.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(platform="GET /deals/analytics/velocity")
    def velocity(self, **common: Unpack[ScopedRange]) -> VelocityAnalytics:
        """Compute the sales velocity within a range, and the durations of the stages.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(platform="GET /deals/analytics/win-loss", texts={"group_by": "What the deals are grouped by."})
    def win_loss(self, *, group_by: WinLossGrouping = "owner", **common: Unpack[ScopedRange]) -> WinLossAnalytics:
        """Compare the deals won and lost within a range, with loss reasons and competitors.

        A deal counts by its last close; one that is open again does not count.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(platform="GET /deals/analytics/forecast")
    def forecast(self, **common: Unpack[ScopedRange]) -> ForecastAnalytics:
        """Compare the forecast on the first day of each past period with the value won in it.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(platform="GET /deals/analytics/performance")
    def performance(self, **common: Unpack[ScopedRange]) -> PerformanceAnalytics:
        """Rank the owners of deals by the value won within a range; owners without deals are listed with zeros.

        Raises: ValidationError for a range that ends before it starts.
        """


class Deals(Resource[Mode]):
    """Possible sales, with their value, stage and probability."""

    activities: DealActivities[Mode] = part(DealActivities)
    analytics: DealAnalytics[Mode] = part(DealAnalytics)

    @paginated(flow="GET /api/deals filter search", platform="GET /deals")
    def list(
        self,
        *,
        filter: DealFilter | None = None,
        status: DealStatus | None = None,
        stage: DealStage | None = None,
        pipeline_id: str | None = None,
        owner_id: str | None = None,
        team_id: str | None = None,
        contact_id: str | None = None,
        account_id: str | None = None,
        priority: Priority | None = None,
        forecast_category: ForecastCategory | None = None,
        tags: Sequence[str] | None = None,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        closing_after: date | None = None,
        closing_before: date | None = None,
        is_rotten: bool | None = None,
        sort: DealSort | None = None,
        **common: Unpack[Viewed],
    ) -> Page[Deal]:
        """List deals, newest first.

        `filter` is ``all``, ``hot`` (likely to be won), ``at-risk`` (overdue, without recent activity, or with more
        risks than signals) or ``closing-soon``; `search` looks in title, company, contact, description, tags and stage;
        `tags` asks for all of the tags. `stage` is a key or an id; the sort ``stage`` is the order of the stages.
        Values are compared without regard to the currency.

        Raises: ValidationError for an unknown filter or sort.
        """

    @operation(flow="GET /api/deals/{deal_id} -", platform="GET /deals/{deal_id}")
    def get(self, deal_id: str, *, include: Sequence[DealInclude] | None = None) -> Deal:
        """Fetch one deal, with its activities and insights.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/deals", platform="POST /deals", errors=(*_ENTERS, "DUPLICATE_VALUE", "LIMIT_EXCEEDED"))
    def create(self, deal: DealCreate) -> Deal:
        """Create a deal; its probability and confidence are computed.

        Without a pipeline it is in the default one, without a stage in the first open one. Its account is the
        contact's, its owner the caller, and it is expected to close at the end of the quarter.

        Raises: ValidationError, also for an unknown contact, or where the stage asks for more; ConflictError for an
        unknown stage, or a pipeline that takes no deals.
        """

    @operation(
        flow="PUT /api/deals/{deal_id} changes",
        platform="PUT /deals/{deal_id}",
        errors=(*_MOVES, "DUPLICATE_VALUE"),
    )
    def update(self, deal_id: str, changes: DealUpdate | Deal, *, version: int | None = None) -> Deal:
        """Change a deal: members left out keep their values, null clears a member; computed members are updated.

        A `stage` moves it as `move_stage` does; a `pipeline_id` alone moves it to the stage of the same key there,
        else to the first open one. With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ValidationError; ConflictError for an unknown stage, a move that the pipeline forbids, or
        when `version` differs.
        """

    @operation(flow="DELETE /api/deals/{deal_id} -", platform="DELETE /deals/{deal_id}", errors=("RECORD_REFERENCED",))
    def delete(self, deal_id: str, *, version: int | None = None) -> None:
        """Delete a deal. Its activities stay with the contact and the account.

        Raises: NotFoundError; ConflictError when `version` is given and differs.
        """

    @operation(
        flow="PATCH /api/deals/{deal_id}/stage stage",
        platform="POST /deals/{deal_id}/move-stage",
        status=200,
        errors=(*_MOVES, "REFERENCE_NOT_FOUND"),
        texts={
            "pipeline_id": "The pipeline it moves to, where that is another one.",
            "closed_at": "When it was won or lost, where that is not now.",
            "note": "Why it moves, for the history.",
        },
    )
    def move_stage(
        self,
        deal_id: str,
        stage: DealStage,
        *,
        pipeline_id: str | None = None,
        lost_reason: LostReason | None = None,
        lost_notes: str | None = None,
        won_reason: str | None = None,
        closed_at: AwareDatetime | None = None,
        note: str | None = None,
    ) -> Deal:
        """Move a deal to a stage, by its key or id, and recompute its probability.

        A won or lost stage closes the deal (``closed-won`` and ``closed-lost`` in the default pipeline), an open one
        reopens it. Moving it to its present stage changes nothing.

        Raises: NotFoundError; ConflictError for an unknown stage, a closed deal that stays closed, a way back or a
        skipped stage that the pipeline forbids; ValidationError where the stage asks for more members, or the pipeline
        for the reason of a loss.
        """

    @paginated(platform="GET /deals/{deal_id}/history")
    def history(
        self, deal_id: str, *, sort: StageChangeSort | None = None, **common: Unpack[Sorting]
    ) -> Page[StageHistoryEntry]:
        """List the stays of a deal in its stages, oldest first; their durations add up to its age.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform="POST /deals/{deal_id}/clone",
        status=201,
        errors=(*_ENTERS, "REFERENCE_NOT_FOUND", "LIMIT_EXCEEDED"),
        texts={
            "title": "The title of the copy; by default that of the deal with “(copy)”.",
            "include": "What else is copied; by default all of it.",
        },
    )
    def clone(
        self,
        deal_id: str,
        *,
        title: Name | None = None,
        stage: DealStage | None = None,
        owner_id: str | None = None,
        include: Sequence[DealPart] | None = None,
    ) -> Deal:
        """Create a copy of a deal, in the first open stage and without its history and activities.

        `include` says what is copied of contact roles, tags and custom fields. A close date that is past begins anew.

        Raises: NotFoundError; ConflictError for an unknown stage, or a pipeline that takes no deals; ValidationError.
        """

    @operation(flow="GET /api/deals/forecast -", platform="GET /deals/forecast")
    def forecast(self, **common: Unpack[ScopedRange]) -> DealForecast:
        """Sum up the open deals, with and without their probability, and forecast each period of a range.

        The range is by default this quarter, by month. An open deal counts in the period it is expected to close in,
        an overdue one in the present period; a won one under `closed` in the period it was won in.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(
        platform="GET /deals/pipeline/{pipeline_id}", texts={"limit_per_stage": "How many deals a stage shows at most."}
    )
    def by_pipeline(
        self,
        pipeline_id: str,
        *,
        limit_per_stage: CardLimit = 50,
        status: BoardStatus | None = None,
        owner_id: str | None = None,
        search: str | None = None,
        sort: DealSort | None = None,
        order: Order | None = None,
    ) -> PipelineBoard:
        """Fetch a pipeline as a board: its open stages with their deals, with ``status="all"`` the closed ones too.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="POST /deals/bulk-update", rate="bulk", texts={"updates": "The deals, each by its id."})
    def bulk_update(self, updates: Sequence[DealBulkUpdate], *, atomic: bool = False) -> BulkResult[Deal]:
        """Change up to 1,000 deals, each as `update` does, and with the same rights; with `atomic` all or none."""

    @operation(flow="GET /api/deals/stage-stats")
    def stage_stats(self) -> List[StageStats]:
        """Return the figures of every stage, in their order."""
