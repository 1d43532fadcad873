"""Search: find anything by the words in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.search import SearchResults, SearchType


class Search(Resource[Mode]):
    """Find anything by the words in it."""

    @operation(flow="GET /api/search", errors=("QUERY_TOO_SHORT",))
    def query(self, q: str, *, type: SearchType | None = None) -> SearchResults:
        """Find the contacts, deals, messages and events in which all the words of `q` occur; `type` leaves one kind.

        Raises: ValidationError where `q` is too short.
        """
