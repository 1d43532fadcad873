"""Sign in with the browser: the authorization code with PKCE (RFC 6749, 7636), sent to this machine (RFC 8252)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ..dialects import DIALECTS
from ..errors import AuthenticationError, DeadlineExceededError
from ..exchange import Sleep
from .ways import SignIn, application, refresh_as

if TYPE_CHECKING:
    from ..client import Client
    from ..credentials import Credentials
    from ..exchange import Steps
    from ..options import Secret

_PAUSE = 0.05
CALLBACK = "/callback"
"""The path of the address that the browser is sent to."""


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)


@dataclass(frozen=True, slots=True)
class AuthorizationCode(SignIn):
    """Let the user sign in with the browser.

    `open` shows the address of the server's page to the user; without it the system's browser does. The browser is
    sent back to a port of 127.0.0.1, a free one or `port`, at which this waits for `patience` seconds. Where no browser
    can reach this machine, `ask` gets the address of the page and returns the address that the browser was sent to.
    """

    client_id: str
    client_secret: Secret | None = field(default=None, repr=False)
    scope: str | None = None
    open: Callable[[str], object] = _open
    ask: Callable[[str], str] | None = None
    port: int = 0
    patience: float = 300.0

    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Begin a session with the browser.

        Raises: AuthenticationError where the user refuses; DeadlineExceededError where nothing comes in time.
        """
        from ..resources.auth import Auth
        from .loopback import Loopback

        request = _Request.make()
        with Loopback(self.port, request.state) as loopback:
            address = self._address(client, request, loopback.address)
            if self.ask is not None:
                answer = parse_qs(urlsplit(self.ask(address)).query)
            else:
                self.open(address)
                until = client.clock.monotonic() + self.patience
                while (received := loopback.received()) is None:
                    if client.clock.monotonic() >= until:
                        message = f"nobody has signed in with the browser within {self.patience:g} s"
                        raise DeadlineExceededError(message, sent=False)
                    yield Sleep(_PAUSE)
                answer = received
            given = application(self.client_id, self.client_secret) | request.exchange_of(answer, loopback.address)
        result = yield from Auth.token.operation.call(client, given, timeout)
        credentials.take("start", result)

    def _address(self, client: Client[Any], request: _Request, redirect_uri: str) -> str:
        """Return the address of the page at which the user signs in."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": request.state,
            "code_challenge": request.challenge,
            "code_challenge_method": "S256",
            **({"scope": self.scope} if self.scope is not None else {}),
        }
        return f"{DIALECTS['platform'].url(client.base_url, '/auth/authorize')}?{urlencode(query)}"

    def exchange_refresh_token(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Exchange the refresh token as the application."""
        yield from refresh_as(client, credentials, timeout, self.client_id, self.client_secret)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is known of one sign-in only here."""

    verifier: str = field(repr=False)
    state: str = field(repr=False)

    @classmethod
    def make(cls) -> _Request:
        return cls(secrets.token_urlsafe(48), secrets.token_urlsafe(24))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def exchange_of(self, answer: dict[str, list[str]], redirect_uri: str) -> dict[str, str]:
        """Return the arguments of the exchange of a code. Raises: AuthenticationError for any other answer."""
        [state], [error], [code] = (answer.get(name, [""])[:1] for name in ("state", "error", "code"))
        if not hmac.compare_digest(state.encode(), self.state.encode()):
            raise AuthenticationError("the answer is not to this sign-in", status=400, code="INVALID_STATE")
        if error or not code:
            [said] = answer.get("error_description", [""])[:1]
            raise AuthenticationError(said or error or "there is no code", status=400, code=error.upper() or "NO_CODE")
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": self.verifier,
        }
