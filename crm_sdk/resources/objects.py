"""Objects: what every noun has in common, for programs that do not know the noun beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, List, Unpack

from pydantic import Field

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from os import PathLike

    from pydantic import AwareDatetime

    from ..models.any_records import AnyRecord
    from ..models.objects import (
        Capability,
        DeletedRecord,
        DeletedSort,
        ObjectDescription,
        ObjectSummary,
        OnMatch,
        RecordOperation,
        RecordScan,
        RecordValues,
        ScanLimit,
        TransactionResult,
        UpsertMode,
        UpsertResult,
    )
    from ..models.values import BulkResult
    from ..sync.upserts import Upserts

_ENTITY = "The entity: `contact`, `lead`, …, or the API name or id of a custom object."
_COMMON = ("FORBIDDEN", "FEATURE_DISABLED", "UNSUPPORTED_OPERATION", "OBJECT_INACTIVE")
_WRITES = (*_COMMON, "NOT_A_KEY", "REFERENCE_NOT_FOUND")


class DeletedObjects(Resource[Mode]):
    """The deleted records of an entity."""

    @paginated(
        platform="GET /objects/{entity}/deleted",
        role="everybody",
        ours=True,
        errors=_COMMON,
        texts={
            "entity": _ENTITY,
            "search": "Words to search for in the names.",
            "deleted_by": "Only records that this user, API key or app deleted.",
            "since": "Only records that were deleted at this time or later.",
            "until": "Only records that were deleted before this time.",
            "restorable": "Only records that can be restored, or only those that cannot.",
        },
    )
    def list(
        self,
        entity: str,
        *,
        search: str | None = None,
        deleted_by: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        restorable: bool | None = None,
        sort: DeletedSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[DeletedRecord]:
        """List the deleted records of an entity, the last deleted first. Merged ones are not among them.

        Raises: NotFoundError; PermissionDeniedError without the right to delete such records.
        """


class Objects(Resource[Mode]):
    """The entities of the company's data, and their records."""

    deleted: DeletedObjects[Mode] = part(DeletedObjects)

    @operation(
        platform="GET /objects",
        role="everybody",
        ours=True,
        texts={"custom": "Only custom objects, or none of them.", "capability": "Only entities that have it."},
    )
    def list(self, *, custom: bool | None = None, capability: Capability | None = None) -> List[ObjectSummary]:
        """List the entities that the caller may read: those of every company, then custom objects by their labels."""

    @operation(
        platform="GET /objects/{entity}",
        role="everybody",
        ours=True,
        errors=("FORBIDDEN", "FEATURE_DISABLED"),
        texts={"entity": _ENTITY, "include_hidden": "Whether fields that are hidden by default are described, too."},
    )
    def describe(self, entity: str, *, include_hidden: bool = False) -> ObjectDescription:
        """Describe an entity: its fields, keys, relationships, and what the caller may do.

        Raises: NotFoundError; PermissionDeniedError.
        """

    @operation(
        platform="GET /objects/{entity}/records",
        role="everybody",
        ours=True,
        errors=(*_COMMON, "CURSOR_EXPIRED", "INVALID_CURSOR", "UNKNOWN_FIELD"),
        texts={
            "entity": _ENTITY,
            "after": "`next` of the part before, or an id, which need not exist any more.",
            "updated_since": "Only records that were changed at this time or later.",
            "fields": "The members that the records of the answer have, beside id and version.",
            "include_deleted": "Whether the answer says which records are gone, too.",
        },
    )
    def scan(
        self,
        entity: str,
        *,
        after: str | None = None,
        updated_since: AwareDatetime | None = None,
        owner_id: str | None = None,
        fields: Sequence[str] | None = None,
        include_deleted: bool = False,
        limit: ScanLimit = 200,
    ) -> RecordScan:
        """Fetch records by their ids, ascending; iterating goes on to the end.

        A record that lives through the whole scan is in it exactly once, whatever is written meanwhile. With `cursor`
        and `changes.list`, a copy is complete.

        Raises: NotFoundError; PermissionDeniedError; ValidationError for an id of another entity.
        """

    @operation(
        platform="POST /objects/{entity}/batch-get",
        role="everybody",
        ours=True,
        safe=True,
        errors=(*_COMMON, "NOT_A_KEY", "UNKNOWN_FIELD", "TOO_MANY_ITEMS"),
        texts={
            "entity": _ENTITY,
            "keys": "The values of the key, 1 to 1,000.",
            "match_on": "The key: `id`, or one of the entity's keys.",
            "fields": "The members that the records of the answer have, beside id and version.",
            "include": "The nested lists that the records of the answer have.",
        },
    )
    def batch_get(
        self,
        entity: str,
        keys: Sequence[str],
        *,
        match_on: Annotated[str, Field(min_length=1, max_length=100)] = "id",
        fields: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
    ) -> BulkResult[AnyRecord]:
        """Fetch many records by their ids, or by another key, in the order asked.

        A key that nobody has, or that the caller may not see, fails in its place.

        Raises: NotFoundError; ValidationError for no keys, too many, or what is no key.
        """

    @operation(
        platform="POST /objects/{entity}/upsert",
        role="everybody",
        ours=True,
        rate="bulk",
        errors=_WRITES,
        texts={
            "entity": _ENTITY,
            "records": "The rows, 1 to 1,000.",
            "match_on": "The key by which records are found; without it, the entity's first.",
            "mode": "Whether rows may create records, change them, or both.",
            "on_match": "What is done with the record that is found: change it, fill what it lacks, or nothing.",
            "return_records": "Whether the answer has the records.",
        },
    )
    def upsert(
        self,
        entity: str,
        records: Sequence[RecordValues],
        *,
        match_on: Annotated[str, Field(min_length=1, max_length=100)] | None = None,
        mode: UpsertMode = "upsert",
        on_match: OnMatch = "update",
        atomic: bool = False,
        return_records: bool = False,
    ) -> BulkResult[UpsertResult]:
        """Create or change records, each found by a key; concurrent callers make one record of a key.

        A row that changes nothing is ``unchanged``; one that several records match fails, as none is guessed.

        Raises: NotFoundError; ValidationError for what is no key, and, with `atomic`, for any row that fails.
        """

    @operation(
        platform="POST /objects/transaction",
        role="everybody",
        ours=True,
        errors=(*_COMMON, "BULK_REJECTED", "TOO_MANY_ITEMS", "REFERENCE_NOT_FOUND"),
        texts={"operations": "The writes, 1 to 25, in their order."},
    )
    def transaction(self, operations: Sequence[RecordOperation]) -> TransactionResult:
        """Write records of several entities, all or none; later operations name the records of earlier ones.

        Raises: ValidationError ``BULK_REJECTED`` with what is wrong in each operation: nothing is written then.
        """

    @operation(
        platform="POST /objects/{entity}/restore",
        role="everybody",
        ours=True,
        rate="bulk",
        errors=_COMMON,
        texts={"entity": _ENTITY, "ids": "The ids of deleted records, 1 to 1,000."},
    )
    def restore(self, entity: str, ids: Sequence[str], *, atomic: bool = False) -> BulkResult[AnyRecord]:
        """Restore deleted records, with what the delete took or changed elsewhere, where it was not changed since.

        Raises: NotFoundError; PermissionDeniedError without the rights to delete and to create such records.
        """

    def upsert_many(
        self,
        entity: str,
        records: Iterable[RecordValues],
        *,
        match_on: str | None = None,
        mode: UpsertMode = "upsert",
        on_match: OnMatch = "update",
        workers: int = 4,
        checkpoint: str | PathLike[str] | None = None,
    ) -> Upserts:
        """Create or change any number of records, each found by a key; iterate over what became of each row, in order.

        The rows are read as they are needed and sent in calls of 1,000, at most `workers` at once, each with an
        idempotency key of its own. A row is ``ok``, ``failed``, or ``unknown`` where no answer came. `checkpoint` names
        a file that keeps how far it came: with the same rows, a later call goes on there.
        """
        from ..sync.upserts import Upserts

        options = {"match_on": match_on, "mode": mode, "on_match": on_match}
        return Upserts(self._client, entity, records, options, workers=workers, checkpoint=checkpoint)
