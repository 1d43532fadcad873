"""Ways to get tokens: each begins a session, and renews it with its refresh token where it has one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, AuthenticationError, CrmError, UnsupportedOperationError
from ..options import text_of

if TYPE_CHECKING:
    from ..client import Client
    from ..credentials import Credentials
    from ..exchange import Steps
    from ..options import Secret


class SignIn(ABC):
    """A way to get the tokens of a client. It may be given to several clients, each of which has its own session."""

    def renew(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Renew the tokens of a client, or begin a session where there is none, or it cannot be renewed."""
        if credentials.refresh is not None:
            try:
                yield from self.exchange_refresh_token(client, credentials, timeout)
            except CrmError as error:
                if not is_refused(error):
                    raise
                credentials.replace(credentials.access, None)
            else:
                return
        yield from self.begin(client, credentials, timeout)

    @abstractmethod
    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Begin a session."""

    def exchange_refresh_token(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Exchange the refresh token for new tokens."""
        from ..resources.auth import Auth

        yield from Auth.refresh.operation.call(client, {"refresh_token": credentials.refresh}, timeout)

    def keep(self, credentials: Credentials) -> None:  # noqa: B027 # most ways keep nothing
        """Note that the tokens have changed."""

    def forget(self) -> None:  # noqa: B027 # most ways keep nothing
        """Note that the session has ended."""


@dataclass(frozen=True, slots=True)
class Password(SignIn):
    """Sign in as a user.

    `mfa_code` is asked for the code of the second factor where one is needed. `tenant` names the company, where the
    address is known in several.
    """

    email: str
    password: Secret = field(repr=False)
    tenant: str | None = None
    mfa_code: Callable[[], str] | None = field(default=None, repr=False)

    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Begin a session.

        Raises: AuthenticationError for a wrong password, or where a code is needed and nobody is there to be asked.
        """
        from ..resources.auth import Auth

        result = yield from Auth.login.operation.call(client, self._credentials(None), timeout)
        if result.mfa_required:
            if self.mfa_code is None:
                raise AuthenticationError(
                    "sign-in needs a second factor: give Password an mfa_code=, which is asked for the code",
                    status=401, code="INVALID_MFA_CODE",
                )  # fmt: skip
            yield from Auth.login.operation.call(client, self._credentials(self.mfa_code()), timeout)

    def _credentials(self, code: str | None) -> dict[str, Any]:
        given = {"email": self.email, "password": reveal(self.password), "tenant": self.tenant, "mfa_code": code}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ClientCredentials(SignIn):
    """Let an application act for itself (RFC 6749, section 4.4): nobody is needed, and there is no refresh token."""

    client_id: str
    client_secret: Secret = field(repr=False)
    scope: str | None = None

    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Ask for an access token. Raises: AuthenticationError for a wrong secret."""
        from ..resources.auth import Auth

        result = yield from Auth.token.operation.call(client, self._credentials(), timeout)
        credentials.take("start", result)

    def _credentials(self) -> dict[str, Any]:
        return application(self.client_id, self.client_secret) | without_none(
            grant_type="client_credentials", scope=self.scope
        )


@dataclass(frozen=True, slots=True)
class RefreshToken(SignIn):
    """Continue a session by its refresh token, which works once: the client keeps the next one.

    `client_id` and `client_secret` are those of the application that the token was issued to, if it was one.
    """

    refresh_token: Secret = field(repr=False)
    client_id: str | None = None
    client_secret: Secret | None = field(default=None, repr=False)

    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Exchange the token that was given. Raises: AuthenticationError for one that was used, or has expired."""
        credentials.replace(credentials.access, reveal(self.refresh_token))
        yield from self.exchange_refresh_token(client, credentials, timeout)

    def exchange_refresh_token(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Exchange the refresh token for new tokens, as the application if there is one."""
        if self.client_id is None:
            yield from SignIn.exchange_refresh_token(self, client, credentials, timeout)
        else:
            yield from refresh_as(client, credentials, timeout, self.client_id, self.client_secret)


def refresh_as(
    client: Client[Any], credentials: Credentials, timeout: float, client_id: str, client_secret: Secret | None
) -> Steps[None]:
    """Exchange a refresh token as the application that it was issued to (RFC 6749, section 6)."""
    from ..resources.auth import Auth

    who = application(client_id, client_secret) | {"grant_type": "refresh_token"}
    result = yield from Auth.token.operation.call(client, who | {"refresh_token": credentials.refresh}, timeout)
    credentials.take("renew", result)


def application(client_id: str, client_secret: Secret | None) -> dict[str, Any]:
    """Return who an application is, as members of a request."""
    return without_none(client_id=client_id, client_secret=None if client_secret is None else reveal(client_secret))


def without_none(**members: Any) -> dict[str, Any]:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def reveal(secret: Secret) -> str:
    """Return the text of a secret. Raises: ConfigurationError for what is no text."""
    return text_of("auth", secret)


def is_refused(error: CrmError) -> bool:
    """Tell whether a credential was refused, so that it is no use again."""
    refused = isinstance(error, ApiError) and error.status < 500 and error.status != 429
    return refused or isinstance(error, UnsupportedOperationError)
