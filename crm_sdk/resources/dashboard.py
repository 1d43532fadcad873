"""The dashboard: the revenue forecast, the action items, and a summary of deals and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.dashboard import ActionItem, DashboardSummary, RevenueForecast


class ActionItems(Resource[Mode]):
    """Recommended actions, derived from the contacts and the deals."""

    @paginated(flow="GET /api/dashboard/action-items")
    def list(self) -> Page[ActionItem]:
        """List the action items, newest first, without those that the signed-in user has dismissed."""

    @operation(flow="POST /api/dashboard/action-items/{item_id}/dismiss")
    def dismiss(self, item_id: str) -> None:
        """Remove an action item from the signed-in user's list, until there is a new reason for it.

        Other users still see it.

        Raises: NotFoundError.
        """


class Dashboard(Resource[Mode]):
    """The figures and tasks at the start of a day."""

    action_items: ActionItems[Mode] = part(ActionItems)

    @operation(flow="GET /api/dashboard/forecast")
    def forecast(self) -> RevenueForecast:
        """Forecast the revenue of the current quarter, in all and by the source of the deals."""

    @operation(flow="GET /api/dashboard/summary")
    def summary(self) -> DashboardSummary:
        """Return the ten open deals of the greatest weighted value, the ten contacts contacted last, and totals."""
