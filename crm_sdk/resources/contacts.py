"""Contacts: the people a company does business with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    List,  # `list` is a method in these classes
    Unpack,
)

from pydantic import AwareDatetime, Field

from ..declare import download, job, operation, paginated
from ..listing import Dates, Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part
from ..transfer import Download

if TYPE_CHECKING:
    from ..models.activities import Activity, ActivityKind, ActivitySort
    from ..models.contact_duplicates import (
        DeduplicateMode,
        DeduplicateResult,
        DuplicateField,
        MergeGroupInput,
        SurvivorRule,
    )
    from ..models.contact_imports import (
        ColumnMapping,
        ContactFileFormat,
        ContactValidation,
        ImportDuplicates,
        ImportMatch,
        ImportMode,
        ImportResult,
    )
    from ..models.contacts import (
        AIInsight,
        CommunicationCreate,
        CommunicationEvent,
        Contact,
        ContactCreate,
        ContactDraft,
        ContactFilter,
        ContactInclude,
        ContactRelationship,
        ContactRelationshipCreate,
        ContactRelationshipUpdate,
        ContactSort,
        ContactStats,
        ContactStatus,
        ContactUpdate,
        ContactUpsert,
        LifecycleStage,
        RelationshipSort,
        RelationshipType,
    )
    from ..models.deals import Deal, DealRole, DealSort, DealStatus
    from ..models.jobs import Job
    from ..models.values import BulkResult, LeadSource, Order, Percent, SearchQuery, Upload

# The formats that an export has, by `format`; the first is the usual one.
_EXPORTED = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/x-ndjson",
    "text/vcard",
)


class ContactActivities(Resource[Mode]):
    """What happened with a contact."""

    @paginated(platform="GET /contacts/{contact_id}/activities")
    def list(
        self,
        contact_id: str,
        *,
        kind: ActivityKind | None = None,
        status: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: ActivitySort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Activity]:
        """List the tasks, events, calls, e-mails and notes a contact is part of, newest first.

        Raises: NotFoundError.
        """


class ContactDeals(Resource[Mode]):
    """The deals a contact takes part in."""

    @paginated(platform="GET /contacts/{contact_id}/deals")
    def list(
        self,
        contact_id: str,
        *,
        status: DealStatus | None = None,
        pipeline_id: str | None = None,
        role: DealRole | None = None,
        sort: DealSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Deal]:
        """List a contact's deals, as the primary contact or in another `role`.

        Raises: NotFoundError.
        """


class ContactRelationships(Resource[Mode]):
    """How contacts know each other: one record, seen from both sides with its type turned round."""

    @paginated(platform="GET /contacts/{contact_id}/relationships")
    def list(
        self,
        contact_id: str,
        *,
        type: RelationshipType | None = None,
        sort: RelationshipSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[ContactRelationship]:
        """List a contact's relationships, each with the type it has seen from this contact.

        Raises: NotFoundError.
        """

    @operation(
        platform="POST /contacts/{contact_id}/relationships",
        errors=("RELATIONSHIP_CYCLE", "RELATIONSHIP_EXISTS", "SELF_RELATIONSHIP", "RECORD_MERGED"),
    )
    def create(self, contact_id: str, relationship: ContactRelationshipCreate) -> ContactRelationship:
        """Relate a contact to another one.

        Raises: NotFoundError; ValidationError for a contact related to itself; ConflictError when the relationship is
        there, would go in a circle, or would be a second `reports_to`.
        """

    @operation(
        platform="PUT /contacts/{contact_id}/relationships/{relationship_id}",
        errors=("RELATIONSHIP_CYCLE", "RELATIONSHIP_EXISTS", "RECORD_MERGED"),
    )
    def update(
        self,
        contact_id: str,
        relationship_id: str,
        changes: ContactRelationshipUpdate,
        *,
        version: int | None = None,
    ) -> ContactRelationship:
        """Change a relationship; its type is given as seen from this contact.

        Raises: NotFoundError; ConflictError as in `create`, or when `version` is given and differs.
        """

    @operation(platform="DELETE /contacts/{contact_id}/relationships/{relationship_id}")
    def delete(self, contact_id: str, relationship_id: str) -> None:
        """End a relationship, on both sides.

        Raises: NotFoundError.
        """


class ContactCommunication(Resource[Mode]):
    """What was said and written with a contact."""

    @operation(flow="POST /api/contacts/{contact_id}/communication", errors=("AI_SERVICE_ERROR",))
    def create(self, contact_id: str, communication: CommunicationCreate) -> CommunicationEvent:
        """Record an e-mail, call, meeting or note; the answer holds its sentiment and the AI's analysis.

        Raises: NotFoundError; AiServiceError.
        """


class ContactImports(Resource[Mode]):
    """Contacts from files."""

    @job(
        platform="POST /contacts/import",
        rate="bulk",
        action="import",
        texts={
            "mapping": "Which column becomes which member.",
            "mode": "Whether rows may create contacts, update them, or both.",
            "on_duplicate": "What becomes of a row that matches a contact.",
            "has_header": "Whether the first row has the names of the columns.",
            "delimiter": "What separates the columns of a CSV file.",
            "encoding": "How the text of the file is encoded.",
            "date_format": "How dates are written in the file, like `DD.MM.YYYY`.",
        },
    )
    def create(
        self,
        file: Upload | None = None,
        *,
        file_id: str | None = None,
        format: ContactFileFormat | None = None,
        mapping: Sequence[ColumnMapping] | None = None,
        mode: ImportMode = "upsert",
        match_on: ImportMatch = "email",
        on_duplicate: ImportDuplicates = "update",
        has_header: bool = True,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        encoding: Annotated[str, Field(min_length=1, max_length=40)] = "utf-8",
        date_format: str | None = None,
        owner_id: str | None = None,
        tags: Sequence[str] | None = None,
        dry_run: bool = False,
    ) -> Job[ImportResult]:
        """Import contacts from a CSV, XLSX, JSON lines or vCard file.

        Give a `file` (a path, bytes, or an open binary file) or the `file_id` of one on the server. Columns are matched
        by their header, or by `mapping`. `mode` and `match_on` say which contacts are updated rather than created,
        `on_duplicate` what becomes of a row that matches; `owner_id` and `tags` go to every contact. `dry_run` writes
        nothing. Good rows are kept where others fail: see the job's `errors`.

        Raises: ValidationError for a mapping to an unknown member, or not exactly one of `file` and `file_id`.
        """

    @job(platform="GET /contacts/import/{job_id}", status=200)
    def get(self, job_id: str) -> Job[ImportResult]:
        """Fetch how far an import is.

        Raises: NotFoundError.
        """


class Contacts(Resource[Mode]):
    """The people a company does business with."""

    activities: ContactActivities[Mode] = part(ContactActivities)
    deals: ContactDeals[Mode] = part(ContactDeals)
    relationships: ContactRelationships[Mode] = part(ContactRelationships)
    communication: ContactCommunication[Mode] = part(ContactCommunication)
    imports: ContactImports[Mode] = part(ContactImports)

    @paginated(
        mvp="GET /api/contacts search tags sort order",
        flow="GET /api/contacts search filter sort",
        platform="GET /contacts",
    )
    def list(
        self,
        *,
        filter: ContactFilter | None = None,
        status: ContactStatus | None = None,
        tags: Sequence[str] | None = None,
        owner_id: str | None = None,
        account_id: str | None = None,
        lifecycle_stage: LifecycleStage | None = None,
        source: LeadSource | None = None,
        include: Sequence[ContactInclude] | None = None,
        sort: ContactSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Contact]:
        """List contacts, newest first.

        `search` looks in name, e-mail and company; `tags` must all be there; `include` names nested lists to fill.
        Choose a page with `limit` (1 to 200, 50 by default) and either `offset` or `page`.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(flow="GET /api/contacts/{contact_id} -", platform="GET /contacts/{contact_id}")
    def get(self, contact_id: str, *, include: Sequence[ContactInclude] | None = None) -> Contact:
        """Fetch one contact, with its history and insights.

        The id of a contact that was merged into another gives that other one. `include` names nested lists to fill.

        Raises: NotFoundError.
        """

    @operation(
        mvp="POST /api/contacts", flow="POST /api/contacts", platform="POST /contacts", errors=("CONTACT_EXISTS",)
    )
    def create(self, contact: ContactCreate) -> Contact:
        """Create a contact.

        Without an `account_id` it is linked to the account of the same name, or of its e-mail's domain.

        Raises: ConflictError when a contact has the same e-mail address (`details` names it); ValidationError.
        """

    @operation(
        flow="PUT /api/contacts/{contact_id} changes",
        platform="PUT /contacts/{contact_id}",
        errors=("CONTACT_EXISTS", "RECORD_MERGED"),
    )
    def update(self, contact_id: str, changes: ContactUpdate, *, version: int | None = None) -> Contact:
        """Change a contact: members that are left out stay, null clears, lists are replaced.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ConflictError when the version differs, another contact has the e-mail address, or it
        was merged into another.
        """

    @operation(
        flow="DELETE /api/contacts/{contact_id} -", platform="DELETE /contacts/{contact_id}", errors=("RECORD_MERGED",)
    )
    def delete(self, contact_id: str, *, version: int | None = None) -> None:
        """Delete a contact and its relationships. Its deals and activities stay.

        Raises: NotFoundError; ConflictError when `version` is given and differs.
        """

    @paginated(platform="POST /contacts/search", safe=True)
    def search(self, query: SearchQuery) -> Page[Contact]:
        """Search contacts by words and conditions.

        Every word of `q` must occur in name, e-mail, phone, company or title. A contact matches when all conditions of
        one of the `filter_groups` hold; conditions may name any member, also ``account.industry`` or
        ``custom_fields.budget``.

        Raises: ValidationError for an unknown member, an operator it does not have, or too many conditions.
        """

    @operation(
        platform="POST /contacts/bulk",
        rate="bulk",
        texts={
            "contacts": "The contacts; one with an id is updated.",
        },
    )
    def bulk_upsert(
        self, contacts: Sequence[ContactUpsert], *, match_on: ImportMatch | None = None, atomic: bool = False
    ) -> BulkResult[Contact]:
        """Create and update up to 1,000 contacts.

        One with an `id` is updated, one without is created, or matched by `match_on`: email, phone or external_id. Each
        is done for itself; with `atomic` all of them or none.
        """

    @operation(platform="DELETE /contacts/bulk", rate="bulk")
    def bulk_delete(self, ids: Sequence[str], *, atomic: bool = False) -> BulkResult[None]:
        """Delete up to 1,000 contacts; with `atomic` all of them or none."""

    @download(platform="GET /contacts/export", media=_EXPORTED, action="export", errors=("UNKNOWN_FIELD",))
    def export(
        self,
        *,
        format: ContactFileFormat | None = None,
        fields: Sequence[str] | None = None,
        search: str | None = None,
        filter: ContactFilter | None = None,
        tags: Sequence[str] | None = None,
        owner_id: str | None = None,
        status: ContactStatus | None = None,
        sort: ContactSort | None = None,
        order: Order | None = None,
        **common: Unpack[Dates],
    ) -> Download:
        """Export contacts as a CSV, XLSX, JSON lines or vCard file.

        `fields` chooses the columns; the other arguments choose the contacts, as in `list`. The file is streamed.
        """

    @operation(
        platform="POST /contacts/validate",
        safe=True,
        errors=("TOO_MANY_ITEMS",),
        texts={
            "contacts": "The contacts to check.",
        },
    )
    def validate(self, contacts: Sequence[ContactDraft]) -> List[ContactValidation]:
        """Check up to 1,000 contacts as `create` would, and write nothing.

        The answer names errors, warnings and possible duplicates of each; what is wrong with a contact is no error of
        the call.
        """

    @operation(
        platform="POST /contacts/deduplicate",
        action="read",
        texts={
            "mode": "Whether duplicates are only found, or merged as well.",
            "threshold": "How alike two contacts have to be, 0 to 100.",
            "survivor": "Which contact of a group stays.",
        },
    )
    def deduplicate(
        self,
        *,
        mode: DeduplicateMode = "find",
        match_on: Sequence[DuplicateField] | None = None,
        threshold: Percent = 85,
        contact_ids: Sequence[str] | None = None,
        survivor: SurvivorRule = "most_complete",
        groups: Sequence[MergeGroupInput] | None = None,
    ) -> DeduplicateResult:
        """Find contacts that are the same person, or merge them.

        With mode ``merge`` the `groups` are merged, or all that are found: the survivor's values win, its empty members
        are filled from the others, and their records become the survivor's. Pass on `groups` of an earlier answer as
        they are, or those you chose.
        """

    @operation(flow="GET /api/contacts/{contact_id}/ai-insights", errors=("AI_SERVICE_ERROR",))
    def ai_insights(self, contact_id: str) -> List[AIInsight]:
        """Return what the AI noticed about a contact.

        Raises: NotFoundError; AiServiceError.
        """

    @operation(flow="GET /api/contacts/stats")
    def stats(self) -> ContactStats:
        """Count the contacts, and those that want attention."""
