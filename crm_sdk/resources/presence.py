"""Presence: who of the company is there, as the channels and the calls tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from typing_extensions import Unpack

from ..declare import paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.presence import PresenceSort, PresenceStatus, UserPresence


class Presence(Resource[Mode]):
    """Who is there. Channels tell it as it changes: `client.channels`."""

    @paginated(
        platform="GET /presence",
        ours=True,
        errors=("NOT_FOUND",),
        texts={
            "entity_type": "With `entity_id`: only who has joined the topic of this record.",
            "entity_id": "The record's id.",
            "user_id": "Only this user.",
            "status": "Only who is online, away or offline.",
        },
    )
    def list(
        self,
        *,
        entity_type: Annotated[str, Field(max_length=100)] | None = None,
        entity_id: str | None = None,
        user_id: str | None = None,
        status: PresenceStatus | None = None,
        sort: PresenceSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[UserPresence]:
        """List the users of the company with their presence, who was seen last first.

        Raises: NotFoundError for a record that the caller cannot read; ValidationError for a type without an id.
        """
