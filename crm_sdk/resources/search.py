"""Search: find contacts, deals, messages and calendar events by the words in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.search import SearchResults, SearchType


class Search(Resource[Mode]):
    """Find contacts, deals, messages and calendar events by the words in them."""

    @operation(flow="GET /api/search", errors=("QUERY_TOO_SHORT",))
    def query(self, q: str, *, type: SearchType | None = None) -> SearchResults:
        """Find the contacts, deals, messages and calendar events that contain every word of `q`.

        `type` limits the search to one kind of record.

        Raises: ValidationError when `q` is too short.
        """
