"""Sessions: where a user is signed in, and what a token is good for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Model, Record
from .values import EMPTY

AuthMethod: TypeAlias = Literal["password", "oauth", "api_key", "mfa"] | str
SessionSort: TypeAlias = Literal["id", "created_at", "updated_at", "last_seen_at", "expires_at"] | str


class Session(Record):
    """A sign-in of a user or an application, with a device and a time of its end."""

    user_id: str | None = None
    """The id of the user, or of the application that acts for itself."""
    device: str | None = None
    """The program, by what it calls itself."""
    user_agent: str | None = None
    """The program, with all that it says of itself."""
    ip_address: str | None = None
    """The address that the sign-in came from."""
    location: str | None = None
    auth_method: AuthMethod | None = None
    """How the session began."""
    mfa_verified: bool | None = None
    """Whether a second factor was given."""
    current: bool | None = None
    """Whether this call is made in the session."""
    client_id: str | None = None
    """The OAuth client that the session belongs to; null for a sign-in with a password."""
    last_seen_at: AwareDatetime | None = None
    """When the last call was made, to the minute."""
    expires_at: AwareDatetime | None = None
    """When the session ends unless it is renewed; null for an API key."""
    revoked_at: AwareDatetime | None = None
    """When the session was ended; null while it lasts."""


class SessionValidation(Model):
    """Whether a token works, and what it is good for."""

    valid: bool
    """Whether the token works."""
    reason: Literal["expired", "revoked", "unknown", "user_inactive"] | str | None = None
    """Why the token does not work."""
    session: Session | None = None
    """The session of the token."""
    user_id: str | None = None
    tenant_id: str | None = None
    scopes: list[str] = Field(default_factory=EMPTY)
    """The scopes of the token; empty where it is not limited."""
    expires_at: AwareDatetime | None = None
    """When the token stops working."""
