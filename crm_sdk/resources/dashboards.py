"""Dashboards: widgets on a grid, each with figures of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource
from ..vocabulary.reporting import DASHBOARD_ERRORS

if TYPE_CHECKING:
    from ..models.dashboards import Dashboard, DashboardCreate, DashboardSort, DashboardUpdate
    from ..models.reports import SharedWith


class Dashboards(Resource[Mode]):
    """Widgets on a grid, each with figures of its own."""

    @operation(platform="POST /dashboards", errors=DASHBOARD_ERRORS)
    def create(self, dashboard: DashboardCreate) -> Dashboard:
        """Create a dashboard with its widgets, all of them or nothing; the caller owns it.

        A widget without a position takes the first free place. `is_default` takes the mark from the owner's other ones.

        Raises: ValidationError, also for widgets that overlap or are outside of the grid, an unknown metric or field.
        """

    @operation(platform="GET /dashboards/{dashboard_id}")
    def get(self, dashboard_id: str) -> Dashboard:
        """Fetch one dashboard with its widgets, by position.

        Raises: NotFoundError, also for a private one of somebody else.
        """

    @operation(platform="PUT /dashboards/{dashboard_id}", errors=(*DASHBOARD_ERRORS, "GRID_TOO_NARROW"))
    def update(self, dashboard_id: str, changes: DashboardUpdate, *, version: int | None = None) -> Dashboard:
        """Change a dashboard: members left out keep their values, null clears a member, `widgets` replaces the set.

        A widget with the `id` of one that is there changes it. With `version`, only if nobody has changed the dashboard
        since that version.

        Raises: NotFoundError; ValidationError; PermissionDeniedError for that of somebody else; ConflictError for fewer
        columns than a widget needs, or when `version` differs.
        """

    @operation(platform="DELETE /dashboards/{dashboard_id}")
    def delete(self, dashboard_id: str) -> None:
        """Delete a dashboard and its widgets.

        Raises: NotFoundError; PermissionDeniedError for that of somebody else.
        """

    @paginated(platform="GET /dashboards")
    def list(
        self,
        *,
        owner_id: str | None = None,
        visibility: SharedWith | None = None,
        is_default: bool | None = None,
        tags: Sequence[str] | None = None,
        sort: DashboardSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Dashboard]:
        """List the dashboards that the caller may see, newest first, without their widgets.

        `search` looks in name, description and tags; `tags` asks for all of the tags.

        Raises: ValidationError for a member that cannot be sorted by.
        """
