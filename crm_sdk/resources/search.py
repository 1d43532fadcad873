"""Search: find records of every kind by the words in them, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Paging
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.accounts import Account, AccountSort
    from ..models.activities import Activity, ActivityKind, ActivitySort
    from ..models.contacts import Contact, ContactSort
    from ..models.deals import Deal, DealSort
    from ..models.jobs import Job
    from ..models.leads import Lead, LeadSort
    from ..models.search import (
        AutocompleteItem,
        ByScore,
        FacetRequest,
        FoundRecord,
        HitSort,
        IndexStatus,
        SearchConfig,
        SearchConfigUpdate,
        SearchHit,
        SearchResults,
        SearchSuggestion,
        SearchText,
        SearchType,
    )
    from ..models.values import EntityType, FilterGroup, Limit, PageNumber, SearchQuery

_TEXTS = {
    "q": 'Words that all have to occur; `"a phrase"`, `-without` and `field:value` are understood.',
    "fuzzy": "Whether words with other letters are found; by default as configured.",
    "sort": "A member to sort by, in ascending order; `score`, the default, has the best first.",
}
_FILTERING = ("QUERY_TOO_SHORT", "UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE")


class SearchSettings(Resource[Mode]):
    """How the records of the company are searched: what admins set for all."""

    @operation(platform="GET /search/config")
    def get(self) -> SearchConfig:
        """Fetch how the records of the company are searched."""

    @operation(platform="PUT /search/config", action="manage", errors=("UNKNOWN_FIELD",))
    def update(self, changes: SearchConfigUpdate | SearchConfig, *, version: int | None = None) -> SearchConfig:
        """Change how the records of the company are searched.

        Weights, boosts and the rest act at once. Other searched members, or other synonyms, make the index stale: they
        act after `reindex`. Publishes ``search.config_updated``.

        Raises: ValidationError for an unknown type or member; ConflictError for another `version`.
        """


class Search(Resource[Mode]):
    """Find records of every kind by the words in them.

    All words have to occur, as whole words, as their beginnings, or with one other letter; case and accents do not
    matter. ``"a phrase"``, ``-without`` and ``field:value`` are understood. Only what the caller may read is found.
    """

    config: SearchSettings[Mode] = part(SearchSettings)

    @operation(
        flow="GET /api/search q type",
        platform="POST /search/global",
        safe=True,
        errors=("QUERY_TOO_SHORT",),
        texts={
            "q": _TEXTS["q"],
            "type": "One kind of record, or `all`.",
            "types": "The types of records; of a custom object its API name.",
        },
    )
    def query(
        self,
        q: SearchText,
        *,
        type: SearchType | None = None,
        types: Sequence[EntityType] | None = None,
        page: PageNumber = 1,
        limit: Limit = 50,
    ) -> SearchResults:
        """Find records of all types, the best first; each bucket, such as `contacts`, has at most `limit` records.

        `type` limits the search to one kind of record, `types` to several. The page is that of `hits`.

        Raises: ValidationError when `q` is too short.
        """

    @paginated(platform="POST /search/contacts", safe=True, errors=_FILTERING, texts=_TEXTS)
    def contacts(
        self,
        q: SearchText,
        *,
        filter_groups: Sequence[FilterGroup] | None = None,
        fuzzy: bool | None = None,
        sort: ContactSort | ByScore | None = None,
        **common: Unpack[Paging],
    ) -> Page[SearchHit[Contact]]:
        """Find contacts, the best first.

        Raises: ValidationError when `q` is too short, and for wrong conditions.
        """

    @paginated(platform="POST /search/deals", safe=True, errors=_FILTERING, texts=_TEXTS)
    def deals(
        self,
        q: SearchText,
        *,
        filter_groups: Sequence[FilterGroup] | None = None,
        fuzzy: bool | None = None,
        sort: DealSort | ByScore | None = None,
        **common: Unpack[Paging],
    ) -> Page[SearchHit[Deal]]:
        """Find deals, the best first, also by the names of their contact and account.

        Raises: ValidationError when `q` is too short, and for wrong conditions.
        """

    @paginated(platform="POST /search/leads", safe=True, errors=_FILTERING, texts=_TEXTS)
    def leads(
        self,
        q: SearchText,
        *,
        filter_groups: Sequence[FilterGroup] | None = None,
        fuzzy: bool | None = None,
        sort: LeadSort | ByScore | None = None,
        **common: Unpack[Paging],
    ) -> Page[SearchHit[Lead]]:
        """Find leads, the best first.

        Raises: ValidationError when `q` is too short, and for wrong conditions.
        """

    @paginated(platform="POST /search/accounts", safe=True, errors=_FILTERING, texts=_TEXTS)
    def accounts(
        self,
        q: SearchText,
        *,
        filter_groups: Sequence[FilterGroup] | None = None,
        fuzzy: bool | None = None,
        sort: AccountSort | ByScore | None = None,
        **common: Unpack[Paging],
    ) -> Page[SearchHit[Account]]:
        """Find accounts, the best first.

        Raises: ValidationError when `q` is too short, and for wrong conditions.
        """

    @paginated(
        platform="POST /search/activities",
        safe=True,
        errors=_FILTERING,
        texts={**_TEXTS, "kinds": "The kinds of activities; by default all."},
    )
    def activities(
        self,
        q: SearchText,
        *,
        kinds: Sequence[ActivityKind] | None = None,
        filter_groups: Sequence[FilterGroup] | None = None,
        fuzzy: bool | None = None,
        sort: ActivitySort | ByScore | None = None,
        **common: Unpack[Paging],
    ) -> Page[SearchHit[Activity]]:
        """Find activities, the best first, also by their bodies; private events of others are never found.

        Raises: ValidationError when `q` is too short, and for wrong conditions.
        """

    @paginated(
        platform="POST /search/advanced",
        safe=True,
        errors=_FILTERING,
        texts={
            "types": "The types of records, by default all; of a custom object its API name.",
            "highlight": "Whether hits have the parts of members in which words were found.",
        },
    )
    def advanced(
        self, query: SearchQuery, *, types: Sequence[EntityType] | None = None, highlight: bool = True
    ) -> Page[FoundRecord]:
        """Find records of several types by words and conditions; without words, all that meet the conditions.

        A condition is on a member that all the types have; ``deal.value`` is one on deals alone, which does not keep
        records of other types out. `sort` may be a member that all have, or ``score``.

        Raises: ValidationError for wrong conditions.
        """

    @paginated(
        platform="POST /search/faceted",
        safe=True,
        errors=(*_FILTERING, "FIELD_NOT_FACETABLE"),
        texts={
            "q": _TEXTS["q"],
            "sort": _TEXTS["sort"],
            "type": "The type of records; of a custom object its API name.",
            "facets": "The members whose values are counted; by default all that are configured.",
        },
    )
    def faceted(
        self,
        type: EntityType,
        *,
        q: SearchText | None = None,
        filter_groups: Sequence[FilterGroup] | None = None,
        facets: Sequence[FacetRequest] | None = None,
        sort: HitSort | None = None,
        **common: Unpack[Paging],
    ) -> Page[FoundRecord]:
        """Find records of a type, and count the values of their members.

        The counts of a member ignore the conditions on it, so that others can be chosen. They are in ``meta`` of the
        page; `facets_of` reads them.

        Raises: ValidationError for a member that is not facetable, and for wrong conditions.
        """

    @operation(
        platform="POST /search/suggestions",
        safe=True,
        texts={
            "q": "What was typed so far.",
            "types": "The types of records; by default all.",
            "limit": "How many suggestions at most.",
        },
    )
    def suggestions(
        self, q: SearchText, *, types: Sequence[EntityType] | None = None, limit: Limit = 5
    ) -> list[SearchSuggestion]:
        """Suggest queries: corrections, completions, what the caller and the company searched for, and conditions.

        Raises: ValidationError.
        """

    @operation(
        platform="POST /search/autocomplete",
        safe=True,
        errors=("QUERY_TOO_SHORT",),
        texts={
            "q": "What was typed so far: one character is enough.",
            "types": "The types of records; by default all.",
            "limit": "How many records at most.",
        },
    )
    def autocomplete(
        self, q: SearchText, *, types: Sequence[EntityType] | None = None, limit: Limit = 10
    ) -> list[AutocompleteItem]:
        """Find the records in which words begin with what was typed, the best first.

        Raises: ValidationError when `q` is blank.
        """

    @job(
        platform="POST /search/reindex",
        status=202,
        action="manage",
        errors=("REINDEX_IN_PROGRESS",),
        texts={"types": "The types of records; by default all."},
    )
    def reindex(self, *, types: Sequence[EntityType] | None = None) -> Job[IndexStatus]:
        """Build the index anew, as a job; until it ends, searches go on with the old one.

        Publishes ``search.reindexed``.

        Raises: ConflictError (``REINDEX_IN_PROGRESS``) while another job does so.
        """

    @operation(platform="GET /search/status")
    def status(self) -> IndexStatus:
        """Fetch the state of the index, with the latest job that built it."""
