"""Deals: possible sales, with their value, stage and probability."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource, part

_MOVES = (
    "STAGE_NOT_IN_PIPELINE",
    "PIPELINE_INACTIVE",
    "DEAL_CLOSED",
    "STAGE_BACKWARD_FORBIDDEN",
    "STAGE_SKIP_FORBIDDEN",
    "STAGE_FIELDS_MISSING",
    "LOST_REASON_REQUIRED",
)
"""The error codes that refuse to move a deal to a stage."""

if TYPE_CHECKING:
    from ..models.deals import (
        Deal,
        DealActivity,
        DealActivityCreate,
        DealCreate,
        DealFilter,
        DealForecast,
        DealStage,
        DealUpdate,
        StageStats,
    )


class DealActivities(Resource[Mode]):
    """The activities of a deal."""

    @operation(flow="POST /api/deals/{deal_id}/activities", errors=("AI_SERVICE_ERROR",))
    def create(self, deal_id: str, activity: DealActivityCreate) -> DealActivity:
        """Record an activity on a deal, and update the deal's probability, confidence and insights.

        The text of the activity is searched for positive signals, risks and competitors.

        Raises: NotFoundError; ValidationError; AiServiceError.
        """


class Deals(Resource[Mode]):
    """Possible sales, with their value, stage and probability."""

    activities: DealActivities[Mode] = part(DealActivities)

    @paginated(flow="GET /api/deals filter search")
    def list(self, *, filter: DealFilter | None = None, search: str | None = None) -> Page[Deal]:
        """List deals, newest first.

        `filter` is ``all``, ``hot`` (likely to be won), ``at-risk`` (overdue, without recent activity, or with more
        risks than signals) or ``closing-soon``; `search` looks in title, company, contact, description, tags and stage.

        Raises: ValidationError for an unknown filter.
        """

    @operation(flow="GET /api/deals/{deal_id}")
    def get(self, deal_id: str) -> Deal:
        """Fetch one deal, with its activities and insights.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/deals", errors=("STAGE_NOT_IN_PIPELINE", "PIPELINE_INACTIVE"))
    def create(self, deal: DealCreate) -> Deal:
        """Create a deal; its probability and confidence are computed.

        Without a `stage` it begins in the first stage of the pipeline.

        Raises: ValidationError, including for an unknown contact; ConflictError for an unknown stage.
        """

    @operation(flow="PUT /api/deals/{deal_id}", errors=_MOVES)
    def update(self, deal_id: str, changes: DealUpdate) -> Deal:
        """Change a deal: members left out keep their values, null clears a member; computed members are updated.

        A `stage` moves the deal, as `move_stage` does.

        Raises: NotFoundError; ValidationError; ConflictError for an unknown stage.
        """

    @operation(flow="DELETE /api/deals/{deal_id}")
    def delete(self, deal_id: str) -> None:
        """Delete a deal. Its activities stay with the contact.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/deals/{deal_id}/stage", errors=_MOVES)
    def move_stage(self, deal_id: str, stage: DealStage) -> Deal:
        """Move a deal to a stage, and recompute its probability.

        ``closed-won`` and ``closed-lost`` close the deal; any other stage reopens it.

        Raises: NotFoundError; ConflictError for an unknown stage.
        """

    @operation(flow="GET /api/deals/forecast")
    def forecast(self) -> DealForecast:
        """Sum up the value of the open deals, unweighted and weighted by their probability."""

    @operation(flow="GET /api/deals/stage-stats")
    def stage_stats(self) -> List[StageStats]:
        """Return the number, value, mean probability and mean age of the deals in each stage, in stage order."""
