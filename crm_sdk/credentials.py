"""The credentials of a client: an API key, or the tokens of a session."""

from __future__ import annotations

import os
import threading
from typing import Any


class Credentials:
    """The bearer credential of a client and of all its `with_options` views.

    It does not appear in `repr`, `vars` or a pickle: an unpickled client has the key ``CRM_API_KEY`` of its
    environment, or none until it signs in.
    """

    __slots__ = ("__access", "__async_lock", "__locks", "__refresh", "signed_in")

    def __init__(self, access: str | None = None, refresh: str | None = None) -> None:
        self.__access = access
        self.__refresh = refresh
        self.signed_in: bool = False
        """Whether the tokens are those of a sign-in: signing out forgets them, but not an API key."""
        self.__locks: dict[int, threading.Lock] = {}
        self.__async_lock: tuple[object, Any] = (None, None)

    @property
    def access(self) -> str | None:
        """The token or key that is sent as ``Authorization: Bearer …``."""
        return self.__access

    @property
    def refresh(self) -> str | None:
        """The token that is exchanged for the next access token; None for an API key."""
        return self.__refresh

    def replace(self, access: str | None, refresh: str | None) -> None:
        """Use these tokens from now on."""
        self.__access, self.__refresh = access, refresh

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
