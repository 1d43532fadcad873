"""Sign-in: the tokens a session has, and who is signed in."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AliasChoices, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..wire import wire
from .record import Model
from .users import User


class Credential(str):
    """A secret that is an ordinary string to whoever uses it, but is not shown by `repr` and not kept by `pickle`."""

    __slots__ = ()
    shown: ClassVar[bool] = False
    """Whether the command line shows it to people."""

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

    access_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("accessToken", "access_token", "token")
    )
    """What each call is authorised with; null while a second factor is awaited."""
    token_type: str = "Bearer"
    expires_in: int | None = None
    """Seconds."""
    refresh_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("refreshToken", "refresh_token")
    )
    """What a new access token is asked for with; good for one use."""
    scope: str | None = None
    id_token: Credential | None = None


@wire(mvp="access_token:token user", flow="user access_token:token refresh_token")
class LoginResult(TokenSet):
    """A new session: its tokens, and who it belongs to."""

    user: User | None = None
    """Who signed in."""
    session_id: str | None = None
    mfa_required: bool = False
    """Sign in again with the `mfa_code` of the second factor: there is no access token yet."""
    mfa_token: Credential | None = None
    """Names the sign-in that waits for a second factor."""
