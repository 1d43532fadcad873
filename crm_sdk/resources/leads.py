"""Leads: people who have shown interest and are not contacts yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Unpack

from ..declare import job, operation, paginated
from ..listing import Sorting, Viewed
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.deals import DealUpdate
    from ..models.enrichment import EnrichmentResult
    from ..models.jobs import Job
    from ..models.lead_captures import EmailCapture, LeadCapture, SocialCapture, WebFormSubmission
    from ..models.lead_conversions import LeadConversion, LeadConversionInput
    from ..models.leads import (
        AssignmentStrategy,
        Lead,
        LeadAssignment,
        LeadCreate,
        LeadScore,
        LeadScoreSort,
        LeadScoreSource,
        LeadSort,
        LeadSourceReport,
        LeadStatus,
        LeadUpdate,
    )
    from ..models.values import AmountInput, BulkResult, LeadSource, Percent, Period, Rating


class LeadCaptures(Resource[Mode]):
    """Capture leads from web forms, e-mails and social networks."""

    @operation(platform="POST /leads/capture/web-form", status=201, statuses=(200,), errors=("SUBJECT_ERASED",))
    def web_form(self, submission: WebFormSubmission) -> LeadCapture:
        """Capture a lead from a web form.

        If an open lead has the same e-mail address, else the same phone number, its empty members are filled in and no
        new lead is created. Of several such leads, the one with the latest activity is taken, and `other_matches` names
        the others. A submission with a filled-in `honeypot` is discarded: the answer's `lead` is then null.

        Raises: ValidationError when there is neither an e-mail address nor a phone number; PermissionDeniedError when
        the caller may not change the open lead.
        """

    @operation(platform="POST /leads/capture/email", status=201, statuses=(200,), errors=("SUBJECT_ERASED",))
    def email(self, email: EmailCapture) -> LeadCapture:
        """Capture a lead from an incoming e-mail.

        Phone, title and company are read from its signature. An open lead with the same address is filled in instead,
        as by `web_form`. A second call with the same `message_id` returns the answer of the first.

        Raises: ValidationError for an attachment that is not the id of a file; PermissionDeniedError when the caller
        may not change the open lead.
        """

    @operation(platform="POST /leads/capture/social", status=201, statuses=(200,), errors=("SUBJECT_ERASED",))
    def social(self, post: SocialCapture) -> LeadCapture:
        """Capture a lead from a post, a mention or an advertisement on a social network.

        An open lead with the same handle on the network, else the same e-mail address or phone number, is filled in
        instead, as by `web_form`.

        Raises: ValidationError when there is neither a `handle` nor a `profile_url`; PermissionDeniedError when the
        caller may not change the open lead.
        """


class Leads(Resource[Mode]):
    """People who have shown interest and are not contacts yet."""

    capture: LeadCaptures[Mode] = part(LeadCaptures)

    @paginated(
        mvp="GET /api/leads status source limit offset",
        platform="GET /leads",
        texts={
            "converted": "Only leads that were converted to a contact, or only those that were not.",
        },
    )
    def list(
        self,
        *,
        status: LeadStatus | None = None,
        source: LeadSource | None = None,
        owner_id: str | None = None,
        territory_id: str | None = None,
        rating: Rating | None = None,
        min_score: Percent | None = None,
        max_score: Percent | None = None,
        tags: Sequence[str] | None = None,
        converted: bool | None = None,
        sort: LeadSort | None = None,
        **common: Unpack[Viewed],
    ) -> Page[Lead]:
        """List leads, newest first.

        `search` looks in the text members; a lead must have all of `tags`; `converted` selects the leads that were
        converted to a contact, or those that were not. Choose a page with `limit` (1 to 200, 50 by default) and either
        `offset` or `page`.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    get_all = list

    @operation(mvp="GET /api/leads/{lead_id}", platform="GET /leads/{lead_id}")
    def get(self, lead_id: str) -> Lead:
        """Fetch one lead.

        Raises: NotFoundError.
        """

    @operation(mvp="POST /api/leads", platform="POST /leads", errors=("SUBJECT_ERASED",))
    def create(self, lead: LeadCreate) -> Lead:
        """Create a lead.

        It is scored at once. Without an `owner_id` the company's assignment rules choose an owner; with null it has
        none. Leads with the same e-mail address or phone number are named by `duplicate_ids` of the answer; where the
        company's `duplicate_policy` is ``reject``, the call fails instead.

        Raises: ValidationError; ConflictError when another lead has the `external_id`, or is a duplicate that the
        company's policy rejects.
        """

    @operation(
        mvp="PUT /api/leads/{lead_id} changes",
        platform="PUT /leads/{lead_id}",
        errors=("LEAD_CONVERTED", "SUBJECT_ERASED"),
    )
    def update(self, lead_id: str, changes: LeadUpdate | Lead, *, version: int | None = None) -> Lead:
        """Change a lead: members left out keep their values, null clears a member, lists are replaced.

        With `version`, the change is made only if that is still the lead's version.

        Raises: NotFoundError; PermissionDeniedError; ConflictError when the version differs, another lead has the
        `external_id`, or the lead was converted (of a converted lead only tags, notes and owner can be changed).
        """

    @operation(mvp="DELETE /api/leads/{lead_id} -", platform="DELETE /leads/{lead_id}", errors=("RECORD_REFERENCED",))
    def delete(self, lead_id: str, *, version: int | None = None) -> None:
        """Delete a lead. The contact, account and deal that it was converted to stay.

        Raises: NotFoundError; ConflictError when `version` is given and differs.
        """

    @operation(platform="POST /leads/{lead_id}/qualify", errors=("LEAD_CONVERTED", "REASON_REQUIRED"))
    def qualify(
        self,
        lead_id: str,
        *,
        qualified: bool = True,
        reason: str | None = None,
        budget: AmountInput | None = None,
        authority: bool | None = None,
        need: str | None = None,
        timeline: date | None = None,
        notes: str | None = None,
    ) -> Lead:
        """Qualify or disqualify a lead, with the reason and its budget, authority, need and timeline (BANT).

        Raises: ConflictError for a converted lead; ValidationError when it is disqualified without a `reason`.
        """

    @operation(
        platform="POST /leads/{lead_id}/convert",
        errors=(
            "LEAD_CONVERTED",
            "LEAD_UNQUALIFIED",
            "ACCOUNT_MISMATCH",
            "STAGE_NOT_IN_PIPELINE",
            "PIPELINE_INACTIVE",
            "STAGE_FIELDS_MISSING",
            "LOST_REASON_REQUIRED",
            "DUPLICATE_VALUE",
            "LIMIT_EXCEEDED",
            "SUBJECT_ERASED",
        ),
        texts={
            "create_account": "Whether an account is created where none is found.",
            "create_deal": "Whether a deal is created.",
        },
    )
    def convert(
        self,
        lead_id: str,
        *,
        account_id: str | None = None,
        contact_id: str | None = None,
        create_account: bool = True,
        create_deal: bool = True,
        deal: DealUpdate | None = None,
        owner_id: str | None = None,
    ) -> LeadConversion:
        """Convert a lead to a contact, an account and a deal.

        An existing contact (`contact_id`, else the one with the same e-mail address) and an existing account
        (`account_id`, else the one with the same name or domain) are used: only their empty members are filled in. Of
        several accounts, the one with the latest activity is taken, and `other_matches` names the others. `deal` gives
        members of the deal; by default its title is the company or the name of the lead, its value that of the lead.

        Raises: ConflictError for a lead that was converted or disqualified, or a contact of another account;
        PermissionDeniedError when the caller may not create, or fill in, one of the three records; ValidationError for
        a member of the deal that is not valid.
        """

    @operation(platform="POST /leads/{lead_id}/score", errors=("REASON_REQUIRED",))
    def score(self, lead_id: str, *, score: Percent | None = None, reason: str | None = None) -> LeadScore:
        """Compute a lead's score anew, or set it by hand.

        A `score` set by hand needs a `reason`, and stays until this is called without a `score`.

        Raises: NotFoundError; ValidationError when the reason is missing.
        """

    @paginated(platform="GET /leads/{lead_id}/scoring-history")
    def scoring_history(
        self,
        lead_id: str,
        *,
        source: LeadScoreSource | None = None,
        sort: LeadScoreSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[LeadScore]:
        """List the scores that a lead has had, newest first; an entry is kept only where the score changed."""

    @operation(platform="POST /leads/bulk-qualify", rate="bulk")
    def bulk_qualify(
        self, lead_ids: Sequence[str], *, qualified: bool = True, reason: str | None = None, atomic: bool = False
    ) -> BulkResult[Lead]:
        """Qualify or disqualify up to 1,000 leads.

        Each lead is handled as by `qualify`, with the same permissions; a lead that fails does not affect the others.
        With `atomic`, one failure leaves all leads unchanged.
        """

    @operation(
        platform="POST /leads/bulk-convert",
        rate="bulk",
        texts={
            "conversions": "The leads to convert, each with the arguments of its conversion.",
        },
    )
    def bulk_convert(
        self, conversions: Sequence[LeadConversionInput], *, atomic: bool = False
    ) -> BulkResult[LeadConversion]:
        """Convert up to 1,000 leads, each with the arguments of `convert`.

        Each lead needs the same permissions as by `convert`; a lead that fails does not affect the others. Leads of the
        same new company share one account. With `atomic`, one failure leaves all leads unchanged.
        """

    @job(platform="POST /leads/enrich", errors=("TOO_MANY_ITEMS", "UNKNOWN_FIELD"))
    def enrich(
        self, lead_ids: Sequence[str], *, fields: Sequence[str] | None = None, overwrite: bool = False
    ) -> Job[EnrichmentResult]:
        """Start a job that fills in members of leads from other sources.

        Only empty members are filled in, unless `overwrite` is given; `fields` limits which members. Converted leads
        are skipped; a lead that the caller may not change is listed in the job's `errors`.
        """

    @operation(
        platform="POST /leads/assign",
        rate="bulk",
        texts={
            "strategy": "How the new owners are chosen.",
            "reassign": "Assign leads that have an owner, too.",
        },
    )
    def assign(
        self,
        *,
        lead_ids: Sequence[str] | None = None,
        strategy: AssignmentStrategy = "round_robin",
        user_ids: Sequence[str] | None = None,
        team_id: str | None = None,
        reassign: bool = False,
    ) -> BulkResult[LeadAssignment]:
        """Assign leads to users: in turn, by workload or by territory.

        Without `lead_ids`, all open leads without an owner are assigned, oldest first. `user_ids` or `team_id` names
        the users who can get leads. Leads that have an owner keep it unless `reassign` is given. A lead that the caller
        may not change fails without affecting the others.
        """

    @operation(platform="GET /leads/sources")
    def sources(
        self,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        period: Period | None = None,
        owner_id: str | None = None,
    ) -> LeadSourceReport:
        """Compare the sources of leads: leads, qualifications, conversions and the value of won deals."""
