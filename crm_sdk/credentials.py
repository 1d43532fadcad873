"""The credentials of a client: an API key, or the tokens of a session."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ApiError, ConfigurationError, CrmError, UnsupportedOperationError
from .options import given_or_found
from .secrecy import without_frames

if TYPE_CHECKING:
    from .client import Client
    from .exchange import Steps
    from .route import Session
    from .sign_in.ways import SignIn


class Credentials:
    """The bearer credential of a client and of all its `with_options` views.

    It does not appear in `repr`, `vars` or a pickle: an unpickled client has the key ``CRM_API_KEY`` of its
    environment, or none until it signs in.
    """

    __slots__ = ("__access", "__async_lock", "__locks", "__refresh", "refused", "signed_in", "way")

    def __init__(self, access: str | None = None, refresh: str | None = None, *, way: SignIn | None = None) -> None:
        self.__access = access
        self.__refresh = refresh
        self.signed_in: bool = False
        """Whether the tokens are those of a sign-in: signing out forgets them, but not an API key."""
        self.way: SignIn | None = way
        """How to sign in; None for an API key, and for a client that is told to sign in by a call."""
        self.refused: CrmError | None = None
        """Why signing in was refused: to try again and again would lock the user out."""
        self.__locks: dict[int, threading.Lock] = {}
        self.__async_lock: tuple[object, Any] = (None, None)

    @classmethod
    def read(
        cls, api_key: object, way: SignIn | None = None, environment: Mapping[str, str] | None = None
    ) -> Credentials:
        """Return the credentials of a way to sign in, or of an API key: the given one, else the environment's."""
        if way is not None:
            if api_key is not None:
                raise ConfigurationError("give either api_key= or auth=, not both")
            return cls(way=way)
        found = os.environ if environment is None else environment
        return cls(given_or_found("api_key", api_key, "CRM_API_KEY", found))

    @property
    def access(self) -> str | None:
        """The token or key that is sent as ``Authorization: Bearer …``."""
        return self.__access

    @property
    def refresh(self) -> str | None:
        """The token that is exchanged for the next access token; None for an API key."""
        return self.__refresh

    @property
    def renewable(self) -> bool:
        """Whether there is something to get another access token with."""
        return self.__refresh is not None or self.way is not None

    def resume(self, access: str, refresh: str | None) -> None:
        """Continue a session with these tokens."""
        self.signed_in = True
        self.replace(access, refresh)

    def replace(self, access: str | None, refresh: str | None) -> None:
        """Use these tokens from now on."""
        self.__access, self.__refresh = access, refresh

    def take(self, change: Session, result: Any) -> None:
        """Use the tokens that a call brought, or forget them."""
        if change == "end":
            if self.signed_in:
                self.replace(None, None)
                if self.way is not None:
                    self.way.forget()
            return
        result = getattr(result, "login", result)
        if result is not None and result.access_token:
            self.refused = None
            self.signed_in = True
            kept = self.refresh if change == "renew" else None  # RFC 6749, 6: a new one is optional
            self.replace(str(result.access_token), str(result.refresh_token) if result.refresh_token else kept)
            if self.way is not None:
                self.way.keep(self)

    @property
    def lock(self) -> threading.Lock:
        """The lock that is held while the tokens are renewed.

        A forked child process has its own: a lock that was held at the fork would never be released there.
        """
        pid = os.getpid()
        return self.__locks.get(pid) or self.__locks.setdefault(pid, threading.Lock())

    def async_lock(self, loop: object) -> Any:
        """Return the `anyio.Lock` that is held while a task of `loop` renews the tokens; each loop needs its own."""
        if self.__async_lock[0] is not loop or self.__async_lock[1] is None:
            import anyio

            self.__async_lock = (loop, anyio.Lock())
        return self.__async_lock[1]

    def __repr__(self) -> str:
        return f"<Credentials {'set' if self.__access else 'none'}>"

    def __reduce__(self) -> tuple[type[Credentials], tuple[()]]:
        return Credentials, ()


def renewal(client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
    """Renew the tokens, where that is possible."""
    from .resources.auth import Auth

    if credentials.way is not None:
        yield from _by_way(client, credentials, credentials.way, timeout)
        return
    if credentials.refresh is None:
        return  # somebody else tried, and it was no use
    try:
        yield from Auth.refresh.operation.call(client, {"refresh_token": credentials.refresh}, timeout)
    except CrmError as error:
        # Whatever it was, the caller gets the 401 it came from. A refresh token that was refused is no use again.
        refused = isinstance(error, ApiError) and error.status < 500 and error.status != 429
        if refused or isinstance(error, UnsupportedOperationError):
            credentials.replace(credentials.access, None)


def _by_way(client: Client[Any], credentials: Credentials, way: SignIn, timeout: float) -> Steps[None]:
    """Renew the tokens, or sign in. Raises what the first sign-in is refused with; later ones end in the call's 401."""
    first = credentials.access is None
    try:
        if credentials.refused is not None and credentials.refresh is None:
            raise without_frames(credentials.refused)
        yield from way.renew(client, credentials, timeout)
    except CrmError as error:
        if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
            credentials.refused = error
        if first:
            raise
