"""Customization: layouts of records, and views of their lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.custom_fields import CustomField, CustomFieldCreate, FieldOverride
    from ..models.customization import Layout, LayoutAudience, LayoutCreate, LayoutKind, LayoutSort, LayoutUpdate
    from ..models.objects import FieldDescription

_REFUSALS = (
    "LAYOUT_EXISTS", "UNKNOWN_FIELD", "DUPLICATE_FIELD", "REQUIRED_FIELD_MISSING", "INVALID_GROUPING",
    "INVALID_OPERATOR", "FILTER_TOO_LARGE", "FORBIDDEN", "NO_USER", "REFERENCE_NOT_FOUND",
)  # fmt: skip


_FIELD = "/customization/{entity}/fields"
_ENTITY = {"entity": "`contact`, `lead`, `account`, `deal`, `activity` or `territory`."}
_NAMES = {**_ENTITY, "field": "Name of the field; of a custom one its API name or id."}
_BREAKS = ("FIELD_HAS_CONFLICTS", "REFERENCE_NOT_FOUND", "UNSUPPORTED_OPERATION")


class EntityFields(Resource[Mode]):
    """The fields of contacts, leads, accounts, deals, activities and territories."""

    @operation(
        platform=f"POST {_FIELD}",
        ours=True,
        action="update",
        errors=("FIELD_EXISTS", "FIELD_NEEDS_DEFAULT", "RESERVED_NAME", "LIMIT_EXCEEDED", *_BREAKS),
        texts=_ENTITY,
    )
    def create(self, entity: str, field: CustomFieldCreate) -> CustomField:
        """Add a field; its values are in `custom_fields` of the records, by its `api_name`.

        Values that records have there already are checked, and read as values of the field; the others get its default,
        or their automatic numbers.

        Raises: NotFoundError for an unknown entity; ConflictError when the name is taken, records would lack a required
        value, or have values that it refuses; ValidationError, also for the name of a standard field, and for a custom
        object, which has calls of its own; PermissionDeniedError beyond the plan's number of fields.
        """

    @operation(
        platform=f"PUT {_FIELD}/{{field}}",
        ours=True,
        action="update",
        errors=("FIELD_TYPE_CHANGE", "OPTION_IN_USE", "FIELD_PROTECTED", *_BREAKS),
        texts=_NAMES,
    )
    def update(
        self, entity: str, field: str, changes: FieldOverride, *, version: int | None = None
    ) -> FieldDescription:
        """Change a field: a custom one as one of a custom object, of a standard one what it is called and asks for.

        Records that lack what a standard field asks for now stay; the next write of them has to comply. With `version`,
        only if nobody has changed the field since that version.

        Raises: NotFoundError; ConflictError for other changes of a standard field, another change of type, a rule that
        stored values break, an option that records have, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_FIELD}/{{field}}",
        ours=True,
        action="update",
        errors=("FIELD_PROTECTED", "FIELD_IN_USE", "UNSUPPORTED_OPERATION"),
        texts={**_NAMES, "force": "Erase the values that records have."},
    )
    def delete(self, entity: str, field: str, *, force: bool = False, version: int | None = None) -> None:
        """Delete a custom field. With `force` the values that records have are erased; the audit trail keeps them.

        Raises: NotFoundError; ConflictError for a standard field, when `version` differs, and without `force` for one
        that records have values of, or that reports, layouts, workflows or other definitions name.
        """


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
    """Fields of the entities, layouts of records, and views of their lists."""

    fields: EntityFields[Mode] = part(EntityFields)
    layouts: Layouts[Mode] = part(Layouts)
