"""Who the client is: an API key, or the tokens of a session. Nothing here shows itself."""

from __future__ import annotations

import threading
from typing import Any


class Credentials:
    """The bearer credential of a client and of all its `with_options` views.

    It appears in no `repr`, no `vars` and no pickle: a client that was unpickled has none until it signs in again or
    finds ``CRM_API_KEY`` in its environment.
    """

    __slots__ = ("__access", "__refresh", "lock", "async_lock")

    def __init__(self, access: str | None = None, refresh: str | None = None) -> None:
        self.__access = access
        self.__refresh = refresh
        self.lock = threading.Lock()
        self.async_lock: Any = None
        """An `anyio.Lock`, made by the async driver when it first needs one: it belongs to an event loop."""

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

    def __repr__(self) -> str:
        return f"<Credentials {'set' if self.__access else 'none'}>"

    def __reduce__(self) -> tuple[type[Credentials], tuple[()]]:
        return Credentials, ()
