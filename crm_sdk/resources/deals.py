"""Deals: what somebody may buy, for how much, and how likely."""

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
"""What may forbid to move a deal to a stage."""

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
    """What happened on a deal."""

    @operation(flow="POST /api/deals/{deal_id}/activities", errors=("AI_SERVICE_ERROR",))
    def create(self, deal_id: str, activity: DealActivityCreate) -> DealActivity:
        """Record what happened on a deal.

        Its text is searched for signals, risks and competitors, and the deal's probability, confidence and insights
        follow.

        Raises: NotFoundError; ValidationError; AiServiceError.
        """


class Deals(Resource[Mode]):
    """What somebody may buy, for how much, and how likely."""

    activities: DealActivities[Mode] = part(DealActivities)

    @paginated(flow="GET /api/deals filter search")
    def list(self, *, filter: DealFilter | None = None, search: str | None = None) -> Page[Deal]:
        """List deals, newest first.

        `filter` is ``all``, ``hot`` (likely to be won), ``at-risk`` (overdue, silent, or more risks than signals) or
        ``closing-soon``; `search` looks in title, company, contact, description, tags and stage.

        Raises: ValidationError for another filter.
        """

    @operation(flow="GET /api/deals/{deal_id}")
    def get(self, deal_id: str) -> Deal:
        """Fetch one deal, with its activities and insights.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/deals", errors=("STAGE_NOT_IN_PIPELINE", "PIPELINE_INACTIVE"))
    def create(self, deal: DealCreate) -> Deal:
        """Create a deal; its probability and confidence are computed.

        Without a stage it begins in the first one.

        Raises: ValidationError, also for an unknown contact; ConflictError for an unknown stage.
        """

    @operation(flow="PUT /api/deals/{deal_id}", errors=_MOVES)
    def update(self, deal_id: str, changes: DealUpdate) -> Deal:
        """Change a deal: members that are left out stay, null clears. What is computed is computed anew.

        A `stage` moves it as `move_stage` does.

        Raises: NotFoundError; ValidationError; ConflictError for an unknown stage.
        """

    @operation(flow="DELETE /api/deals/{deal_id}")
    def delete(self, deal_id: str) -> None:
        """Delete a deal. Its activities stay with the contact.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/deals/{deal_id}/stage", errors=_MOVES)
    def move_stage(self, deal_id: str, stage: DealStage) -> Deal:
        """Move a deal to a stage, and compute its probability anew.

        ``closed-won`` and ``closed-lost`` close it; any other stage opens it again.

        Raises: NotFoundError; ConflictError for an unknown stage.
        """

    @operation(flow="GET /api/deals/forecast")
    def forecast(self) -> DealForecast:
        """Sum up the open deals, as they are and by their probability."""

    @operation(flow="GET /api/deals/stage-stats")
    def stage_stats(self) -> List[StageStats]:
        """Return the figures of every stage, in their order."""
