"""The attribute `sync` of both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..client import AsyncCrmClient, CrmClient
    from .following import AsyncSyncing, Syncing


class WithSync:
    """A client that keeps copies of the data."""

    @property
    def sync(self) -> Syncing:
        """Keep a copy of the data that loses nothing."""
        from .following import Syncing

        return Syncing(cast("CrmClient", cast("Any", self)))


class WithAsyncSync:
    """An async client that keeps copies of the data."""

    @property
    def sync(self) -> AsyncSyncing:
        """Keep a copy of the data that loses nothing."""
        from .following import AsyncSyncing

        return AsyncSyncing(cast("AsyncCrmClient", cast("Any", self)))
