"""The dashboard: what revenue is ahead, what wants doing, and how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.dashboard import ActionItem, DashboardSummary, RevenueForecast


class ActionItems(Resource[Mode]):
    """What wants doing, found in the contacts and the deals."""

    @paginated(flow="GET /api/dashboard/action-items")
    def list(self) -> Page[ActionItem]:
        """List what wants doing, newest first, without what you have dismissed."""

    @operation(flow="POST /api/dashboard/action-items/{item_id}/dismiss")
    def dismiss(self, item_id: str) -> None:
        """Take an item off your list; others keep it, and a new occasion brings it back.

        Raises: NotFoundError.
        """


class Dashboard(Resource[Mode]):
    """What there is to know at the start of a day."""

    action_items: ActionItems[Mode] = part(ActionItems)

    @operation(flow="GET /api/dashboard/forecast")
    def forecast(self) -> RevenueForecast:
        """Forecast the revenue of the current quarter, by where the deals came from."""

    @operation(flow="GET /api/dashboard/summary")
    def summary(self) -> DashboardSummary:
        """Return the ten open deals that weigh most, the ten contacts last spoken to, and the counts over all."""
