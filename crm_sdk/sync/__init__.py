"""A copy of the CRM's data that loses nothing: ``for change in client.sync.changes(store)``.

A store keeps the records and the position. `MemoryStore`, `SqliteStore` and `DuckDbStore` are here; any object with the
two methods of `Store` will do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .following import AsyncSyncing as AsyncSyncing
    from .following import Syncing as Syncing
    from .state import Batch as Batch
    from .state import Row as Row
    from .state import Store as Store
    from .state import SyncChange as SyncChange
    from .state import SyncState as SyncState
    from .stores import DatabaseStore as DatabaseStore
    from .stores import DuckDbStore as DuckDbStore
    from .stores import MemoryStore as MemoryStore
    from .stores import SqliteStore as SqliteStore

_MODULES = {
    **dict.fromkeys(("AsyncSyncing", "Syncing"), "following"),
    **dict.fromkeys(("Batch", "Row", "Store", "SyncChange", "SyncState"), "state"),
    **dict.fromkeys(("DatabaseStore", "DuckDbStore", "MemoryStore", "SqliteStore"), "stores"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: a client that keeps no copy does not pay for it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
