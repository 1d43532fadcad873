"""Dashboards: widgets on a grid, each with figures of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated, streamed
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource, part
from ..vocabulary.reporting import DASHBOARD_ERRORS, FILTER_TEXTS, WIDGET_IDS_TEXTS

if TYPE_CHECKING:
    from ..models.dashboard_data import DashboardData, DashboardEvent, WidgetData
    from ..models.dashboards import (
        Dashboard,
        DashboardCreate,
        DashboardFiltersInput,
        DashboardSort,
        DashboardUpdate,
        Widget,
        WidgetCreate,
        WidgetPositionInput,
        WidgetUpdate,
    )
    from ..models.reports import ReportName, SharedWith
    from ..realtime.stream import Stream

_WIDGETS = "/dashboards/{dashboard_id}/widgets"


class Widgets(Resource[Mode]):
    """The parts of a dashboard."""

    @operation(platform=f"POST {_WIDGETS}", errors=DASHBOARD_ERRORS)
    def create(self, dashboard_id: str, widget: WidgetCreate) -> Widget:
        """Put a widget on a dashboard, which has 50 at most; without a position it takes the first free place.

        Raises: NotFoundError; ValidationError, also for one that overlaps another or is outside of the grid, an unknown
        metric or field; PermissionDeniedError for a dashboard of somebody else.
        """

    @operation(platform=f"PUT {_WIDGETS}/{{widget_id}}", errors=DASHBOARD_ERRORS)
    def update(
        self, dashboard_id: str, widget_id: str, changes: WidgetUpdate | Widget, *, version: int | None = None
    ) -> Widget:
        """Change a widget: members left out keep their values, null clears a member; `source` is merged.

        With `version`, only if nobody has changed the widget since that version.

        Raises: NotFoundError; ValidationError; PermissionDeniedError for a dashboard of somebody else; ConflictError
        when `version` differs.
        """

    @operation(platform=f"DELETE {_WIDGETS}/{{widget_id}}")
    def delete(self, dashboard_id: str, widget_id: str) -> None:
        """Take a widget off a dashboard; the others keep their places.

        Raises: NotFoundError; PermissionDeniedError for a dashboard of somebody else.
        """

    @operation(
        platform=f"POST {_WIDGETS}/reorder",
        errors=("INCOMPLETE_ORDER", "WIDGET_OVERLAP", "WIDGET_OUT_OF_GRID"),
        texts={
            "widget_ids": "The widgets in the order in which they are laid out, row by row.",
            "positions": "The place of each widget, by its id.",
        },
    )
    def reorder(
        self,
        dashboard_id: str,
        *,
        widget_ids: Sequence[str] | None = None,
        positions: Mapping[str, WidgetPositionInput] | None = None,
    ) -> list[Widget]:
        """Lay the widgets of a dashboard out: in an order, row by row, or each in a place. Return them by position.

        Give either `widget_ids` or `positions`, with every widget exactly once.

        Raises: NotFoundError; ValidationError; PermissionDeniedError for a dashboard of somebody else.
        """

    @operation(platform=f"GET {_WIDGETS}/{{widget_id}}/data", texts=FILTER_TEXTS)
    def data(self, dashboard_id: str, widget_id: str, *, filters: DashboardFiltersInput | None = None) -> WidgetData:
        """Fetch what a widget shows of the records that the caller may see.

        Where its source is gone the answer has an ``error``.

        Raises: NotFoundError; ValidationError for filters by what there is not.
        """


class Dashboards(Resource[Mode]):
    """Widgets on a grid, each with figures of its own."""

    widgets: Widgets[Mode] = part(Widgets)

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
    def update(
        self, dashboard_id: str, changes: DashboardUpdate | Dashboard, *, version: int | None = None
    ) -> Dashboard:
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

    @operation(
        platform="POST /dashboards/{dashboard_id}/clone",
        status=201,
        texts={
            "name": "The name of the copy; by default that of the dashboard with `(copy)`.",
            "visibility": "Who sees the copy beside the caller.",
        },
    )
    def clone(
        self, dashboard_id: str, *, name: ReportName | None = None, visibility: SharedWith = "private"
    ) -> Dashboard:
        """Copy a dashboard with its widgets; the caller owns the copy.

        Widgets with reports that the caller may not see are left out, and named in ``warnings``.

        Raises: NotFoundError.
        """

    @operation(platform="GET /dashboards/{dashboard_id}/data", texts={**FILTER_TEXTS, **WIDGET_IDS_TEXTS})
    def data(
        self,
        dashboard_id: str,
        *,
        filters: DashboardFiltersInput | None = None,
        widget_ids: Sequence[str] | None = None,
    ) -> DashboardData:
        """Fetch what the widgets show of the records that the caller may see.

        Figures are kept for the ``refresh_seconds`` of their widget, for each user and filters. A widget that cannot be
        computed has an ``error``; the others have their figures.

        Raises: NotFoundError; ValidationError for filters by what there is not.
        """

    @operation(
        platform="POST /dashboards/{dashboard_id}/refresh",
        action="read",
        errors=("REFERENCE_NOT_FOUND",),
        texts=WIDGET_IDS_TEXTS,
    )
    def refresh(self, dashboard_id: str, *, widget_ids: Sequence[str] | None = None) -> DashboardData:
        """Compute what the widgets show anew, whatever was kept, and tell those who follow the dashboard.

        Raises: NotFoundError; ValidationError for an unknown widget.
        """

    @streamed(
        platform="GET /dashboards/{dashboard_id}/subscribe",
        errors=("LIMIT_EXCEEDED",),
        texts={"last_event_id": "The id of the last event that was read, after which the stream continues."},
    )
    def subscribe(self, dashboard_id: str, *, last_event_id: str | None = None) -> Stream[DashboardEvent]:
        """Follow a dashboard: its figures as they change.

        The first event is a ``snapshot`` of all figures. Then comes a ``widget.updated`` whenever a write has changed
        what a widget shows, at most one per second for each, or somebody has refreshed it; ``dashboard.updated`` with
        all figures after a change of the dashboard. The stream ends with ``dashboard.deleted``.

        The connection is kept open in the background. After a loss it is continued with the id of the last event; where
        records were written meanwhile it begins with a snapshot. `last_event_id` continues an earlier stream: an
        event's `id`, or ``str(stream.cursor)``.

        Raises, when the ``with`` block is entered: NotFoundError; PermissionDeniedError; AuthenticationError;
        ConnectionFailedError.
        """
