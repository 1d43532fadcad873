"""Who the client is: an API key, or the tokens of a session. Nothing here shows itself."""

from __future__ import annotations

import os
import threading
from typing import Any


class Credentials:
    """The bearer credential of a client and of all its `with_options` views.

    It appears in no `repr`, no `vars` and no pickle: a client that was unpickled has none until it signs in again or
    finds ``CRM_API_KEY`` in its environment.
    """

    __slots__ = ("__access", "__async_lock", "__locks", "__refresh", "signed_in")

    def __init__(self, access: str | None = None, refresh: str | None = None) -> None:
        self.__access = access
        self.__refresh = refresh
        self.signed_in: bool = False
        """Whether they came from signing in, so that signing out forgets them; an API key outlives that."""
        self.__locks: dict[int, threading.Lock] = {}
        self.__async_lock: tuple[object, Any] = (None, None)

    @property
    def access(self) -> str | None:
        """The token or key that is sent as ``Authorization: Bearer …``."""
        return self.__access

    @property
    def refresh(self) -> str | None:
        """The token that buys the next access token; None for an API key."""
        return self.__refresh

    def replace(self, access: str | None, refresh: str | None) -> None:
        """Use these from now on."""
        self.__access, self.__refresh = access, refresh

    @property
    def lock(self) -> threading.Lock:
        """What is held while the tokens are renewed. A forked child has its own: nobody there would release the old."""
        pid = os.getpid()
        return self.__locks.get(pid) or self.__locks.setdefault(pid, threading.Lock())

    def async_lock(self, loop: object) -> Any:
        """Return what is held while tasks of `loop` renew the tokens: an `anyio.Lock`, which belongs to one loop."""
        if self.__async_lock[0] is not loop or self.__async_lock[1] is None:
            import anyio

            self.__async_lock = (loop, anyio.Lock())
        return self.__async_lock[1]

    def __repr__(self) -> str:
        return f"<Credentials {'set' if self.__access else 'none'}>"

    def __reduce__(self) -> tuple[type[Credentials], tuple[()]]:
        return Credentials, ()
