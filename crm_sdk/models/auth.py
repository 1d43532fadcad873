"""Sign-in: the tokens of a session, the claims about its user, and the company that a registration founded."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..wire import wire
from .record import Model
from .tenants import Tenant
from .users import User
from .values import EMAIL_PATTERN, EMPTY

SignInEmail: TypeAlias = Annotated[str, Field(pattern=EMAIL_PATTERN, max_length=254)]


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


class ShownCredential(Credential):
    """A secret that the command line prints: whoever asked for it needs it elsewhere."""

    __slots__ = ()
    shown: ClassVar[bool] = True


@wire(mvp="access_token:token", flow="access_token:token refresh_token")
class TokenSet(Model):
    """The tokens of a session."""

    one_of: ClassVar[tuple[str, ...]] = ("access_token",)

    access_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("accessToken", "access_token", "token")
    )
    """The token that authorises a call; null while a second factor is required."""
    token_type: str = "Bearer"
    expires_in: int | None = Field(default=None, validation_alias=AliasChoices("expiresIn", "expires_in"))
    """How long the access token works, in seconds."""
    refresh_token: Credential | None = Field(
        default=None, validation_alias=AliasChoices("refreshToken", "refresh_token")
    )
    """The token that is exchanged for new tokens; it can be used once."""
    scope: str | None = None
    id_token: Credential | None = Field(default=None, validation_alias=AliasChoices("idToken", "id_token"))
    """The claims about the user as a signed token (OpenID Connect), where the scope has ``openid``."""


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
    """Identifies the sign-in that waits for a second factor, for five minutes."""


class Authorization(Model):
    """The permission of a user to an application, as a code that the application exchanges for tokens."""

    code: ShownCredential
    """The code for `auth.token`; it works once, within 60 seconds."""
    state: str | None = None
    """The text that the application sent along, unchanged."""
    redirect_uri: str
    """The address of the application."""
    redirect_to: str
    """Where the browser is sent: `redirect_uri` with the code and the state."""
    expires_at: AwareDatetime
    """When the code stops working."""


class UserInfo(Model):
    """The claims about a user (OpenID Connect Core, section 5.1); those that the scope does not cover are null."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=str)

    sub: str
    """The id of the user."""
    name: str | None = None
    given_name: str | None = None
    """The first name."""
    family_name: str | None = None
    """The last name."""
    preferred_username: str | None = None
    """The name by which the user signs in."""
    email: str | None = None
    email_verified: bool | None = None
    """Whether the address was confirmed."""
    picture: str | None = None
    """The address of the user's picture."""
    locale: str | None = None
    zoneinfo: str | None = None
    """Time zone, as an IANA name such as `Europe/Berlin`."""
    updated_at: int | None = None
    """When the user was last changed, in seconds since 1970."""
    tenant_id: str | None = None
    role: str | None = None
    roles: list[str] = Field(default_factory=EMPTY)
    """The keys of the user's roles."""
    scope: str | None = None
    """The scope of the token; null where the token is not limited."""


class Registration(Model):
    """A new user, and the company that the registration founded."""

    user: User
    """The new user."""
    tenant: Tenant | None = None
    """The new company; null where the user has joined one."""
    verification_sent: bool = False
    """Whether a mail with a token for `auth.email.verify` was sent."""
    session: LoginResult | None = None
    """The user's first session; null where the company asks that the address is verified before."""
