"""Contacts: the people a company does business with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
    Unpack,
)

from pydantic import AwareDatetime

from ..declare import download, operation, paginated
from ..listing import Dates, Sorting, Viewed
from ..network.downloads import Download
from ..paging import Page
from ..resource import Mode, Resource, part
from .contact_imports import ContactImports

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
        ContactFileFormat,
        ContactValidation,
        ImportMatch,
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
    from ..models.values import BulkResult, LeadSource, Order, Percent, SearchQuery

# The content types of an export, one for each `format`; the first is that of the default, CSV.
_EXPORTED = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/x-ndjson",
    "text/vcard",
)


class ContactActivities(Resource[Mode]):
    """The activities of a contact."""

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
        """List the tasks, events, calls, e-mails and notes that involve a contact, newest first.

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
        """List the deals in which a contact is the primary contact or has another role; `role` keeps one role.

        Raises: NotFoundError.
        """


class ContactRelationships(Resource[Mode]):
    """Relationships of two contacts: one record, which each of the two sees with its type or the inverse type."""

    @paginated(platform="GET /contacts/{contact_id}/relationships")
    def list(
        self,
        contact_id: str,
        *,
        type: RelationshipType | None = None,
        sort: RelationshipSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[ContactRelationship]:
        """List a contact's relationships, each with its type as seen from this contact.

        Raises: NotFoundError.
        """

    @operation(
        platform="POST /contacts/{contact_id}/relationships",
        errors=("RELATIONSHIP_CYCLE", "RELATIONSHIP_EXISTS", "SELF_RELATIONSHIP", "RECORD_MERGED"),
    )
    def create(self, contact_id: str, relationship: ContactRelationshipCreate) -> ContactRelationship:
        """Relate a contact to another one.

        Raises: NotFoundError; ValidationError for a contact related to itself; ConflictError when the relationship
        exists, would close a circle, or would be a second `reports_to` of the contact.
        """

    @operation(
        platform="PUT /contacts/{contact_id}/relationships/{relationship_id}",
        errors=("RELATIONSHIP_CYCLE", "RELATIONSHIP_EXISTS", "RECORD_MERGED"),
    )
    def update(
        self,
        contact_id: str,
        relationship_id: str,
        changes: ContactRelationshipUpdate | ContactRelationship,
        *,
        version: int | None = None,
    ) -> ContactRelationship:
        """Change a relationship; its type is given as seen from this contact.

        Raises: NotFoundError; ConflictError as in `create`, or when `version` is given and differs.
        """

    @operation(platform="DELETE /contacts/{contact_id}/relationships/{relationship_id}", errors=("RECORD_MERGED",))
    def delete(self, contact_id: str, relationship_id: str) -> None:
        """Delete a relationship, for both contacts.

        Raises: NotFoundError; ConflictError for the id of a merged contact.
        """


class ContactCommunication(Resource[Mode]):
    """The communication history of a contact."""

    @operation(flow="POST /api/contacts/{contact_id}/communication", errors=("AI_SERVICE_ERROR", "RECORD_MERGED"))
    def create(self, contact_id: str, communication: CommunicationCreate) -> CommunicationEvent:
        """Record an e-mail, call, meeting or note with a contact; the answer has its sentiment and AI analysis.

        Raises: NotFoundError; ConflictError for the id of a merged contact; AiServiceError.
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
        **common: Unpack[Viewed],
    ) -> Page[Contact]:
        """List contacts, newest first.

        `search` looks in name, e-mail and company; a contact must have all of `tags`; `include` names nested lists to
        fill. Choose a page with `limit` (1 to 200, 50 by default) and either `offset` or `page`.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(flow="GET /api/contacts/{contact_id} -", platform="GET /contacts/{contact_id}")
    def get(self, contact_id: str, *, include: Sequence[ContactInclude] | None = None) -> Contact:
        """Fetch one contact, with its history and insights.

        The id of a contact that was merged into another returns the surviving contact. `include` names nested lists to
        fill.

        Raises: NotFoundError.
        """

    @operation(
        mvp="POST /api/contacts",
        flow="POST /api/contacts",
        platform="POST /contacts",
        errors=("CONTACT_EXISTS", "LIMIT_EXCEEDED", "SUBJECT_ERASED"),
    )
    def create(self, contact: ContactCreate) -> Contact:
        """Create a contact.

        Without an `account_id` it is linked to the account whose name is its `company`, or whose domain is that of its
        e-mail address.

        Raises: ConflictError when a contact has the same e-mail address (`details` names it); ValidationError.
        """

    @operation(
        flow="PUT /api/contacts/{contact_id} changes",
        platform="PUT /contacts/{contact_id}",
        errors=("CONTACT_EXISTS", "RECORD_MERGED", "SUBJECT_ERASED"),
    )
    def update(self, contact_id: str, changes: ContactUpdate | Contact, *, version: int | None = None) -> Contact:
        """Change a contact: members left out keep their values, null clears a member, lists are replaced.

        With `version`, the change is made only if that is still the contact's version.

        Raises: NotFoundError; ConflictError when the version differs, another contact has the e-mail address, or this
        contact was merged into another.
        """

    @operation(
        flow="DELETE /api/contacts/{contact_id} -",
        platform="DELETE /contacts/{contact_id}",
        errors=("RECORD_MERGED", "RECORD_REFERENCED"),
    )
    def delete(self, contact_id: str, *, version: int | None = None) -> None:
        """Delete a contact and its relationships. Its deals and activities stay.

        Raises: NotFoundError; ConflictError when `version` is given and differs.
        """

    @paginated(platform="POST /contacts/search", safe=True)
    def search(self, query: SearchQuery) -> Page[Contact]:
        """Search contacts by words and conditions.

        Every word of `q` must occur in name, e-mail, phone, company or title. A contact matches when all conditions of
        at least one of the `filter_groups` hold; a condition may name any member, including ``account.industry`` and
        ``custom_fields.budget``.

        Raises: ValidationError for an unknown member, an operator that the member does not have, or too many
        conditions.
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

        A contact with an `id` is updated. One without is matched by `match_on` (email, phone or external_id), and
        created where it matches none. A contact that fails does not affect the others; with `atomic`, one failure
        leaves all unchanged.
        """

    @operation(platform="DELETE /contacts/bulk", rate="bulk")
    def bulk_delete(self, ids: Sequence[str], *, atomic: bool = False) -> BulkResult[None]:
        """Delete up to 1,000 contacts; with `atomic`, one failure leaves all unchanged."""

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

        `fields` selects the columns; the other arguments select the contacts, as in `list`. The file is streamed.
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

        The answer lists the errors, warnings and possible duplicates of each contact; the call itself succeeds even
        where contacts are not valid.
        """

    @operation(
        platform="POST /contacts/deduplicate",
        action="read",
        texts={
            "mode": "Whether duplicates are only found, or merged as well.",
            "threshold": "The least similarity of two contacts that counts as a duplicate, 0 to 100.",
            "survivor": "Which contact of a group survives.",
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

        The mode ``merge`` merges `groups`, or without them every group that is found: the survivor keeps its values,
        its empty members are filled from the other contacts, and their records become the survivor's. `groups` takes
        the groups of an earlier answer unchanged, or groups of your own.
        """

    @operation(flow="GET /api/contacts/{contact_id}/ai-insights", errors=("AI_SERVICE_ERROR",))
    def ai_insights(self, contact_id: str) -> List[AIInsight]:
        """Return the AI's insights about a contact.

        Raises: NotFoundError; AiServiceError.
        """

    @operation(flow="GET /api/contacts/stats")
    def stats(self) -> ContactStats:
        """Count the contacts: all, of high value, at risk, and with a follow-up due."""
