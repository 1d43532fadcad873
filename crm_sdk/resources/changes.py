"""The feed of changes of all nouns, for copies of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.changes import ChangeInclude, ChangeLimit, ChangePage, ChangeStart


class Changes(Resource[Mode]):
    """What became different in the company's data, in the order of the commits."""

    @operation(
        platform="GET /changes",
        role="everybody",
        ours=True,
        errors=("INVALID_CURSOR", "CURSOR_EXPIRED", "UNKNOWN_FIELD"),
        texts={
            "cursor": "The position after the changes that are known already.",
            "start": "Where to begin without a cursor: at what is kept, or at the present.",
            "entity_types": "Only changes of records of these entities.",
            "include": "`changes` for the values before and after.",
            "fields": "The members that the records of the answer have, beside id and version.",
            "fold": "Whether an answer has one entry for each record, the last.",
            "limit": "The number of changes at most; 0 asks for the position only.",
        },
    )
    def list(
        self,
        *,
        cursor: str | None = None,
        start: ChangeStart = "oldest",
        entity_types: Sequence[str] | None = None,
        include: Sequence[ChangeInclude] | None = None,
        fields: Sequence[str] | None = None,
        fold: bool = True,
        limit: ChangeLimit = 200,
    ) -> ChangePage:
        """Fetch the changes after a position; iterating goes on while there are more.

        A record that left what the caller may see is ``access_lost``, one that came into it ``access_gained``.

        Raises: ConflictError ``CURSOR_EXPIRED`` when changes after the position are no longer kept, the data were
        restored, or the caller's rights have changed: scan anew; ValidationError for a position that cannot be read.
        """
