"""Presence: who of the company is online, and which records they look at."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Model
from .values import EMPTY, EntityRef, UserRef

PresenceStatus: TypeAlias = Literal["online", "away", "offline"] | str
PresenceSort: TypeAlias = Literal["last_seen_at", "name"] | str


class UserPresence(Model):
    """A user, and whether they are there."""

    id: str
    """Id of the user."""
    user: UserRef
    """Who it is."""
    status: PresenceStatus
    """Online within five minutes of what the user last did, away while only connected, else offline."""
    last_seen_at: AwareDatetime | None = None
    """When the user last made a call, or sent something on a channel."""
    connections: int
    """The number of sockets by which the user has joined topics."""
    viewing: list[EntityRef] = Field(default_factory=EMPTY)
    """The records whose topics the user has joined, of those that the caller may read."""
    meta: dict[str, Any] = Field(default_factory=dict)
    """What the user's newest connection says of itself."""
