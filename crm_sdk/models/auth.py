"""Sign-in: the tokens of a session, and the user who is signed in."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AliasChoices, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..wire import wire
from .record import Model
from .users import User


class Credential(str):
    """A secret: a string whose `repr` hides the value, and which `pickle` does not keep."""

    __slots__ = ()
    shown: ClassVar[bool] = False
    """Whether the command line prints the value."""

    def __repr__(self) -> str:
        return "Credential('***')" if self else "Credential('')"

    def __reduce__(self) -> tuple[type[Credential], tuple[str]]:
        return Credential, ("",)

    def __copy__(self) -> Credential:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credential:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


@wire(mvp="access_token:token", flow="access_token:token refresh_token")
class TokenSet(Model):
    """The tokens of a session."""

    one_of: ClassVar[tuple[str, ...]] = ("access_token",)

    access_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("accessToken", "access_token", "token")
    )
    """The token that authorises a call; null while a second factor is required."""
    token_type: str = "Bearer"
    expires_in: int | None = None
    """Seconds."""
    refresh_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("refreshToken", "refresh_token")
    )
    """The token that is exchanged for new tokens; it can be used once."""
    scope: str | None = None
    id_token: Credential | None = None


@wire(mvp="access_token:token user", flow="user access_token:token refresh_token")
class LoginResult(TokenSet):
    """A new session: its tokens and its user."""

    one_of: ClassVar[tuple[str, ...]] = ("access_token", "mfa_required", "mfa_token")

    user: User | None = None
    """The user who signed in."""
    session_id: str | None = None
    mfa_required: bool = False
    """Whether to sign in again with the `mfa_code` of the second factor; there is no access token yet."""
    mfa_token: Credential | None = None
    """Identifies the sign-in that waits for a second factor."""
