"""Customization: layouts of records, and views of their lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.customization import Layout, LayoutAudience, LayoutCreate, LayoutKind, LayoutSort, LayoutUpdate

_REFUSALS = (
    "LAYOUT_EXISTS", "UNKNOWN_FIELD", "DUPLICATE_FIELD", "REQUIRED_FIELD_MISSING", "INVALID_GROUPING",
    "INVALID_OPERATOR", "FILTER_TOO_LARGE", "FORBIDDEN", "NO_USER", "REFERENCE_NOT_FOUND",
)  # fmt: skip


class Layouts(Resource[Mode]):
    """Layouts of records, and views of their lists."""

    @paginated(
        platform="GET /customization/layouts",
        ours=True,
        texts={
            "entity": "The kind of the records.",
            "kind": "What is laid out.",
            "audience": "For whom they are.",
            "effective": "Of each entity and kind only the one in force for the caller.",
        },
    )
    def list(
        self,
        *,
        entity: str | None = None,
        kind: LayoutKind | None = None,
        audience: LayoutAudience | None = None,
        effective: bool = False,
        sort: LayoutSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Layout]:
        """List the layouts that the caller may use, newest first; fields that are gone are left out.

        With `effective` those in force: the default of the caller, else of the caller's roles, teams, company, else
        the system's, which has the fields of the records.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform="POST /customization/layouts", ours=True, role="everybody", errors=(*_REFUSALS, "LIMIT_EXCEEDED")
    )
    def create(self, layout: LayoutCreate) -> Layout:
        """Create a layout, by default for the caller alone. A list through it: ``GET /contacts?view=<id>``.

        A list has columns, a board `group_by`; a detail, a form and a card have sections.

        Raises: PermissionDeniedError for others' without ``customization:update``, and beyond the plan's number of
        layouts; ConflictError when the name is taken; ValidationError for an unknown field, one that is named twice, a
        form without a field that has to be given, and a board by a field without options.
        """

    @operation(
        platform="PUT /customization/layouts/{layout_id}",
        ours=True,
        role="everybody",
        errors=(*_REFUSALS, "LAYOUT_PROTECTED"),
        texts={"layout_id": "Id of the layout."},
    )
    def update(self, layout_id: str, changes: LayoutUpdate, *, version: int | None = None) -> Layout:
        """Change a layout; ``is_default=True`` takes the mark from the one that had it.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; PermissionDeniedError for others' without ``customization:update``; ConflictError for one
        of the system, when the name is taken, or when `version` differs; ValidationError.
        """

    @operation(
        platform="DELETE /customization/layouts/{layout_id}",
        ours=True,
        role="everybody",
        errors=("LAYOUT_PROTECTED", "FORBIDDEN"),
        texts={"layout_id": "Id of the layout."},
    )
    def delete(self, layout_id: str, *, version: int | None = None) -> None:
        """Delete a layout; the next in the order is in force.

        Raises: NotFoundError; PermissionDeniedError for others' without ``customization:update``; ConflictError for one
        of the system, or when `version` differs.
        """


class Customization(Resource[Mode]):
    """Layouts of records, and views of their lists."""

    layouts: Layouts[Mode] = part(Layouts)
