"""Leads: people who showed interest and are not contacts yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Unpack

from ..declare import job, operation, paginated
from ..listing import Listing, Sorting
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
    """Turn what comes in from outside into leads."""

    @operation(platform="POST /leads/capture/web-form", status=201, statuses=(200,))
    def web_form(self, submission: WebFormSubmission) -> LeadCapture:
        """Capture a lead from a web form.

        An open lead with the same e-mail address, else the same phone, is completed instead of made twice: of several
        the one of the latest activity, and `other_matches` names the others. A submission whose `honeypot` is filled
        in is dropped: the answer's `lead` is then null.

        Raises: ValidationError when there is neither an e-mail address nor a phone number; PermissionDeniedError when
        the open lead is somebody else's to change.
        """

    @operation(platform="POST /leads/capture/email", status=201, statuses=(200,))
    def email(self, email: EmailCapture) -> LeadCapture:
        """Capture a lead from an e-mail that came in.

        Phone, title and company are read from its signature. An open lead with the same address is completed, as
        `web_form` does. The same `message_id` again gives the first answer.

        Raises: ValidationError for an attachment that is no file; PermissionDeniedError when the open lead is somebody
        else's to change.
        """

    @operation(platform="POST /leads/capture/social", status=201, statuses=(200,))
    def social(self, post: SocialCapture) -> LeadCapture:
        """Capture a lead from a post, a mention or an advertisement on a social network.

        An open lead with the same handle on the network, else the same e-mail address or phone, is completed, as
        `web_form` does.

        Raises: ValidationError when there is neither a `handle` nor a `profile_url`; PermissionDeniedError when the
        open lead is somebody else's to change.
        """


class Leads(Resource[Mode]):
    """People who showed interest and are not contacts yet."""

    capture: LeadCaptures[Mode] = part(LeadCaptures)

    @paginated(
        mvp="GET /api/leads status source limit offset",
        platform="GET /leads",
        texts={
            "converted": "Only those that became contacts, or only those that did not.",
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
        **common: Unpack[Listing],
    ) -> Page[Lead]:
        """List leads, newest first.

        `search` looks in the text members; `tags` must all be there; `converted` asks for leads that became a contact,
        or for those that did not. Choose a page with `limit` (1 to 200, 50 by
        default) and either `offset` or `page`.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    get_all = list

    @operation(mvp="GET /api/leads/{lead_id}", platform="GET /leads/{lead_id}")
    def get(self, lead_id: str) -> Lead:
        """Fetch one lead.

        Raises: NotFoundError.
        """

    @operation(mvp="POST /api/leads", platform="POST /leads")
    def create(self, lead: LeadCreate) -> Lead:
        """Create a lead.

        It is scored at once, and given to somebody by the company's rules unless it has an `owner_id`; null means
        nobody. Leads of the same e-mail address or phone are allowed, and named by `duplicate_ids` of the answer,
        unless the company's `duplicate_policy` is ``reject``.

        Raises: ValidationError; ConflictError when another lead has the `external_id`, or is the same person and the
        company wants no lead twice.
        """

    @operation(mvp="PUT /api/leads/{lead_id} changes", platform="PUT /leads/{lead_id}", errors=("LEAD_CONVERTED",))
    def update(self, lead_id: str, changes: LeadUpdate, *, version: int | None = None) -> Lead:
        """Change a lead: members that are left out stay, null clears, lists are replaced.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; PermissionDeniedError; ConflictError when the version differs, another lead has the
        `external_id`, or the lead was converted (only tags, notes and owner can be changed then).
        """

    @operation(mvp="DELETE /api/leads/{lead_id} -", platform="DELETE /leads/{lead_id}")
    def delete(self, lead_id: str, *, version: int | None = None) -> None:
        """Delete a lead. What it was converted to stays.

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
        """Say whether a lead is worth pursuing, and why: budget, authority, need, timeline.

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
            "DUPLICATE_VALUE",
        ),
        texts={
            "create_account": "Whether an account is made where none is found.",
            "create_deal": "Whether a deal is made.",
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
        """Make a contact of a lead, with an account and a deal.

        An existing contact (by `contact_id`, else the same e-mail) or account (by `account_id`, else the same name or
        domain) is used, and only its empty members are filled in. Of several accounts it is the one of the latest
        activity; `other_matches` names the others. `deal` gives members of the deal; its title is by default the
        company or the name, its value the lead's.

        Raises: ConflictError for a lead that was converted or disqualified, or a contact of another account;
        PermissionDeniedError without the right to make, or to fill in, one of them; ValidationError for a member of
        the deal.
        """

    @operation(platform="POST /leads/{lead_id}/score", errors=("REASON_REQUIRED",))
    def score(self, lead_id: str, *, score: Percent | None = None, reason: str | None = None) -> LeadScore:
        """Compute a lead's score anew, or set it by hand.

        A `score` set by hand needs a `reason`, and holds until this is called without one.

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
        """List the scores a lead has had, newest first; only changes are kept."""

    @operation(platform="POST /leads/bulk-qualify", rate="bulk")
    def bulk_qualify(
        self, lead_ids: Sequence[str], *, qualified: bool = True, reason: str | None = None, atomic: bool = False
    ) -> BulkResult[Lead]:
        """Qualify or disqualify up to 1,000 leads.

        Each is done for itself, as `qualify` does, and needs the same right; with `atomic` all of them or none.
        """

    @operation(
        platform="POST /leads/bulk-convert",
        rate="bulk",
        texts={
            "conversions": "The leads, each with what is special about its conversion.",
        },
    )
    def bulk_convert(
        self, conversions: Sequence[LeadConversionInput], *, atomic: bool = False
    ) -> BulkResult[LeadConversion]:
        """Convert up to 1,000 leads, each with the arguments of `convert`.

        Each is done for itself, and needs the same rights. Leads of the same new company share one account. With
        `atomic`, all of them or none.
        """

    @job(platform="POST /leads/enrich", errors=("TOO_MANY_ITEMS", "UNKNOWN_FIELD"))
    def enrich(
        self, lead_ids: Sequence[str], *, fields: Sequence[str] | None = None, overwrite: bool = False
    ) -> Job[EnrichmentResult]:
        """Fill in what can be found out about leads.

        Only empty members are filled, unless `overwrite`; `fields` limits which. Converted leads are left out; one that
        the caller may not change is an error of the job.
        """

    @operation(
        platform="POST /leads/assign",
        rate="bulk",
        texts={
            "strategy": "How it is decided who gets which lead.",
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
        """Give leads to people, by turns, by load or by territory.

        Without `lead_ids` these are all open leads that nobody has, oldest first. `user_ids` or `team_id` says who may
        get them. Leads that have an owner are left alone unless `reassign`. A lead that the caller may not change fails
        for itself.
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
        """Compare the sources of leads: how many came, qualified and converted, and what they brought."""
