"""Custom objects: the kinds of records that a company defines itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Sorting, Viewed
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.custom_fields import (
        CustomField,
        CustomFieldCreate,
        CustomFieldUpdate,
        FieldDraft,
        FieldSort,
        FieldType,
        FieldValidation,
    )
    from ..models.custom_objects import (
        CustomObject,
        CustomObjectCreate,
        CustomObjectSort,
        CustomObjectUpdate,
        ObjectRelationship,
        ObjectRelationshipCreate,
        ObjectRelationshipSort,
        ObjectRelationshipUpdate,
    )
    from ..models.custom_records import (
        CustomRecord,
        CustomRecordCreate,
        CustomRecordInclude,
        CustomRecordSort,
        CustomRecordUpdate,
    )
    from ..models.values import SearchQuery

_OBJECT = "/custom-objects/{object_id}"
_NAMES = {"object_id": "Id or API name of the custom object."}
_VALUES = ("OBJECT_INACTIVE", "DUPLICATE_VALUE", "CARDINALITY_VIOLATION", "REFERENCE_NOT_FOUND")
_BREAKS = ("FIELD_HAS_CONFLICTS", "REFERENCE_NOT_FOUND")


class CustomFields(Resource[Mode]):
    """The fields of a custom object."""

    @operation(
        platform=f"POST {_OBJECT}/fields",
        action="manage",
        errors=("FIELD_EXISTS", "FIELD_NEEDS_DEFAULT", "LIMIT_EXCEEDED", *_BREAKS),
        texts=_NAMES,
    )
    def create(self, object_id: str, field: CustomFieldCreate) -> CustomField:
        """Add a field to a custom object; the records that are there get its default, or their automatic numbers.

        Raises: NotFoundError; ConflictError when the name is taken, or records that are there would lack a required
        value; ValidationError, also for a default that the field itself refuses; PermissionDeniedError beyond the
        plan's number of fields.
        """

    @operation(
        platform=f"PUT {_OBJECT}/fields/{{field_id}}",
        action="manage",
        errors=("FIELD_TYPE_CHANGE", "OPTION_IN_USE", *_BREAKS),
        texts={**_NAMES, "field_id": "Id or API name of the field."},
    )
    def update(
        self, object_id: str, field_id: str, changes: CustomFieldUpdate | CustomField, *, version: int | None = None
    ) -> CustomField:
        """Change a field: members left out keep their values, null clears a member.

        The type only widens: text to long_text, integer to decimal to currency, select to multi_select, date to
        datetime; the stored values are converted. With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ConflictError for another change of type, a rule that stored values break, an option that
        records have, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_OBJECT}/fields/{{field_id}}",
        action="manage",
        errors=("FIELD_PROTECTED", "FIELD_IN_USE"),
        texts={**_NAMES, "field_id": "Id or API name of the field.", "force": "Erase the values that records have."},
    )
    def delete(self, object_id: str, field_id: str, *, force: bool = False) -> None:
        """Delete a field. With `force` the values that records have are erased; the audit trail keeps them.

        Raises: NotFoundError; ConflictError for the primary field and one that was made with the object, and for one
        with values without `force`.
        """

    @paginated(platform=f"GET {_OBJECT}/fields", texts=_NAMES)
    def list(
        self,
        object_id: str,
        *,
        type: FieldType | None = None,
        required: bool | None = None,
        sort: FieldSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[CustomField]:
        """List the fields of a custom object, by position.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform=f"POST {_OBJECT}/fields/validate",
        safe=True,
        status=200,
        texts={**_NAMES, "field_id": "Id or API name of the field that would be changed; without it, one is made."},
    )
    def validate(self, object_id: str, field: FieldDraft, *, field_id: str | None = None) -> FieldValidation:
        """Try a new field, or with `field_id` changes to one, on the stored records; nothing is written.

        What `create` or `update` would refuse is in `errors`, with the codes that they would answer.

        Raises: NotFoundError for an unknown object or field.
        """


class CustomRecords(Resource[Mode]):
    """The records of a custom object."""

    @operation(platform=f"POST {_OBJECT}/records", errors=_VALUES, texts=_NAMES)
    def create(self, object_id: str, record: CustomRecordCreate) -> CustomRecord:
        """Create a record. Its values are checked against the object's fields; numbers and defaults are filled in.

        Raises: NotFoundError; ValidationError, naming ``fields.<api_name>``; ConflictError for a value that is taken, a
        link that breaks a cardinality, or an inactive object.
        """

    @operation(platform=f"GET {_OBJECT}/records/{{record_id}}", errors=("OBJECT_INACTIVE",), texts=_NAMES)
    def get(
        self, object_id: str, record_id: str, *, include: Sequence[CustomRecordInclude] | None = None
    ) -> CustomRecord:
        """Fetch one record; with ``include=["related"]`` with the records that it refers to.

        Raises: NotFoundError, also for a record of another object; ConflictError for an inactive object.
        """

    @operation(platform=f"PUT {_OBJECT}/records/{{record_id}}", errors=_VALUES, texts=_NAMES)
    def update(
        self, object_id: str, record_id: str, changes: CustomRecordUpdate | CustomRecord, *, version: int | None = None
    ) -> CustomRecord:
        """Change a record: `fields` merges key by key, null clears a field, a list is replaced as a whole.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ValidationError, naming ``fields.<api_name>``; ConflictError for a value that is taken, a
        link that breaks a cardinality, an inactive object, or when `version` differs.
        """

    @operation(
        platform=f"DELETE {_OBJECT}/records/{{record_id}}",
        errors=("RECORD_REFERENCED", "OBJECT_INACTIVE"),
        texts=_NAMES,
    )
    def delete(self, object_id: str, record_id: str, *, version: int | None = None) -> None:
        """Delete a record. What refers to it loses the reference, or is deleted with it, as its field says.

        Raises: NotFoundError; ConflictError while a field with ``on_delete="restrict"`` refers to it, for an inactive
        object, or when `version` differs.
        """

    @paginated(
        platform=f"GET {_OBJECT}/records",
        errors=("OBJECT_INACTIVE",),
        texts={
            **_NAMES,
            "sort": "A member of every record, or the API name of a field.",
            "related_id": "Only records that refer to this record of any kind.",
        },
    )
    def list(
        self,
        object_id: str,
        *,
        owner_id: str | None = None,
        tags: Sequence[str] | None = None,
        related_id: str | None = None,
        sort: CustomRecordSort | None = None,
        **common: Unpack[Viewed],
    ) -> Page[CustomRecord]:
        """List the records of a custom object, newest first.

        `search` looks in the searchable text fields; a record must have all of `tags`.

        Raises: NotFoundError; ConflictError for an inactive object; ValidationError for a field that cannot be sorted
        by.
        """

    @paginated(
        platform=f"POST {_OBJECT}/records/search", safe=True, status=200, errors=("OBJECT_INACTIVE",), texts=_NAMES
    )
    def search(self, object_id: str, query: SearchQuery) -> Page[CustomRecord]:
        """Find records by words and by conditions on their fields, which are named by their API names.

        The operators follow from the types of the fields; dates can be relative. `include` takes ``related``.

        Raises: NotFoundError; ValidationError for an unknown field, an operator that its type does not have, or too
        many conditions; ConflictError for an inactive object.
        """


class ObjectRelationships(Resource[Mode]):
    """The relationships of a custom object with others."""

    @operation(
        platform=f"POST {_OBJECT}/relationships",
        action="manage",
        errors=("RELATIONSHIP_EXISTS", "FIELD_NEEDS_DEFAULT", "REFERENCE_NOT_FOUND"),
        texts=_NAMES,
    )
    def create(self, object_id: str, relationship: ObjectRelationshipCreate) -> ObjectRelationship:
        """Add a relationship, whose `api_name` becomes a key in the `fields` of the object's records.

        A related custom object gets the inverse relationship: both show the same links, and both can be written.

        Raises: NotFoundError; ConflictError when a field or relationship has the name, on either side, or records that
        are there would lack a required link; ValidationError for an unknown related object.
        """

    @paginated(
        platform=f"GET {_OBJECT}/relationships",
        texts={**_NAMES, "related_object": "Only relationships with this object."},
    )
    def list(
        self,
        object_id: str,
        *,
        related_object: str | None = None,
        sort: ObjectRelationshipSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[ObjectRelationship]:
        """List the relationships of a custom object, those that other objects have with it included; newest first.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform=f"PUT {_OBJECT}/relationships/{{relationship_id}}",
        action="manage",
        errors=("CARDINALITY_VIOLATION", "FIELD_NEEDS_DEFAULT"),
        texts={**_NAMES, "relationship_id": "Id or API name of the relationship."},
    )
    def update(
        self,
        object_id: str,
        relationship_id: str,
        changes: ObjectRelationshipUpdate | ObjectRelationship,
        *,
        version: int | None = None,
    ) -> ObjectRelationship:
        """Change a relationship, and its inverse with it. What it links cannot be changed.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ConflictError for a narrower cardinality that stored links break, records that lack a
        required link, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_OBJECT}/relationships/{{relationship_id}}",
        action="manage",
        errors=("RELATIONSHIP_IN_USE",),
        texts={
            **_NAMES,
            "relationship_id": "Id or API name of the relationship.",
            "force": "Remove the links that are stored.",
        },
    )
    def delete(self, object_id: str, relationship_id: str, *, force: bool = False) -> None:
        """Delete a relationship with its inverse; with `force` the stored links go, too.

        Raises: NotFoundError; ConflictError for one with links without `force`.
        """


class CustomObjects(Resource[Mode]):
    """The kinds of records that a company defines itself."""

    fields: CustomFields[Mode] = part(CustomFields)
    records: CustomRecords[Mode] = part(CustomRecords)
    relationships: ObjectRelationships[Mode] = part(ObjectRelationships)

    @operation(
        platform="POST /custom-objects",
        action="manage",
        errors=("OBJECT_EXISTS", "RESERVED_NAME", "FIELD_EXISTS", "LIMIT_EXCEEDED", "REFERENCE_NOT_FOUND"),
    )
    def create(self, custom_object: CustomObjectCreate) -> CustomObject:
        """Define a custom object, with its fields where they are given: all of it, or nothing.

        Raises: ConflictError when the name is taken; ValidationError for a reserved name, and as `fields.create`, with
        the place of the field in the path; PermissionDeniedError beyond the plan's number of objects.
        """

    @operation(platform=f"GET {_OBJECT}", texts=_NAMES)
    def get(self, object_id: str) -> CustomObject:
        """Fetch one custom object by its id or API name, with its fields by position and its relationships.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_OBJECT}", action="manage", texts=_NAMES)
    def update(
        self, object_id: str, changes: CustomObjectUpdate | CustomObject, *, version: int | None = None
    ) -> CustomObject:
        """Change a custom object: members left out keep their values, null clears a member.

        ``active=False`` hides its records: their calls are refused until it is active again. With `version`, only if
        nobody has changed it since that version.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError for a primary field that is not a
        text field of the object.
        """

    @operation(
        platform=f"DELETE {_OBJECT}",
        action="manage",
        errors=("OBJECT_HAS_RECORDS", "OBJECT_REFERENCED"),
        texts={**_NAMES, "force": "Delete the records, too."},
    )
    def delete(self, object_id: str, *, force: bool = False) -> None:
        """Delete a custom object with its fields and relationships; with `force` with its records.

        Raises: NotFoundError; ConflictError while it has records, without `force`, and in any case while a reference
        field of another object points to it.
        """

    @paginated(platform="GET /custom-objects")
    def list(
        self, *, active: bool | None = None, sort: CustomObjectSort | None = None, **common: Unpack[Listing]
    ) -> Page[CustomObject]:
        """List custom objects, newest first; `search` looks in names, labels and descriptions.

        Raises: ValidationError for a member that cannot be sorted by.
        """
