"""The store as it was: what a search sees whose index lags behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from .store import Store, StoreSnapshot


class Past:
    """The states of a store since somebody began to note them, as far back as they are asked for."""

    def __init__(self) -> None:
        self._states: list[tuple[datetime, StoreSnapshot]] = []

    def note(self, store: Store, now: datetime, lag: float | None) -> None:
        """Note the present state, unless nobody will ask for it; `lag` is how many seconds back anybody will look."""
        if lag is None:
            self._states.clear()
            return
        present = store.snapshot()
        if not self._states or self._states[-1][1] != present:
            self._states.append((now, present))
        del self._states[: self._position(now, lag)]

    def at(self, now: datetime, lag: float) -> Store:
        """Return the store as it was some seconds ago, or when the noting began, if that is later."""
        store = Store()
        store.restore(self._states[self._position(now, lag)][1])
        return store

    def _position(self, now: datetime, lag: float) -> int:
        """Return the place of the last state that is as old; of the first where none is."""
        until = now - timedelta(seconds=lag)
        return max(sum(at <= until for at, _ in self._states) - 1, 0)
