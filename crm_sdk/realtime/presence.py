"""Presence: who is on a channel, from the state that follows a join and the diffs around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from ..wire import is_array, is_object, read_instant

STATE: Final = "presence_state"
DIFF: Final = "presence_diff"
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Meta:
    """One connection of somebody who is present."""

    ref: str
    """Its ``phx_ref``: another one after each update."""
    members: Mapping[str, Any]
    """All that is known of it, as it came."""

    @property
    def name(self) -> str | None:
        """The user's name."""
        name = self.members.get("name")
        return name if isinstance(name, str) else None

    @property
    def online_at(self) -> datetime | None:
        """Since when it is there."""
        return read_instant(self.members.get("onlineAt"))


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is present, by one connection or several."""

    key: str
    """The user's id."""
    metas: tuple[Meta, ...]

    @property
    def name(self) -> str | None:
        """The name that the newest connection has."""
        return self.metas[-1].name if self.metas else None


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody came."""

    present: Present


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody went, with the last of their connections."""

    present: Present
    """As they were."""


@dataclass(frozen=True, slots=True)
class Updated:
    """Somebody has other connections than before, or says something else of one."""

    present: Present
    before: Present


Change: TypeAlias = Joined | Left | Updated


class Presence(Mapping[str, Present]):
    """Who is present on a channel, by key.

    The server sends the state once after each join; a newcomer may be in it, in a diff, or in both, and a diff may come
    before it. What came since the join is therefore kept apart until the state is there, and what a diff said of a
    connection counts for more than a state. Diffs count in the order they come: the same ``phx_ref`` may come back
    after it left, when a cluster that fell apart is whole again.
    """

    def __init__(self) -> None:
        self._join_ref: str | None = None
        self._here = _Roll()
        self._coming: _Roll | None = _Roll()

    @property
    def synced(self) -> bool:
        """Whether the state of the current join has come; before that it shows who was there."""
        return self._coming is None

    def rejoin(self, join_ref: str) -> None:
        """Wait for the state of another join, which replaces what is known."""
        self._join_ref = join_ref
        self._coming = _Roll()

    def state(self, payload: object, join_ref: str | None = None) -> list[Change]:
        """Take a state; return what it changes. One of another join is ignored."""
        if join_ref is not None and join_ref != self._join_ref:
            return []
        listed = _metas(payload)
        keys = [key for key, _ in listed]
        if self._coming is not None:
            keys = [*self._here.people, *self._coming.people, *keys]
        before = {key: self.get(key) for key in keys}
        if self._coming is not None:
            self._here, self._coming = self._coming, None
        self._here.list(listed)
        return self._changes(before)

    def diff(self, payload: object) -> list[Change]:
        """Take a diff; return what it changes: nothing before the state has come."""
        members = payload if is_object(payload) else {}
        joins, leaves = _metas(members.get("joins")), _metas(members.get("leaves"))
        if self._coming is not None:
            self._coming.move(joins, leaves)
            return []
        before = {key: self.get(key) for key, _ in [*joins, *leaves]}
        self._here.move(joins, leaves)
        return self._changes(before)

    def _changes(self, before: Mapping[str, Present | None]) -> list[Change]:
        changes: list[Change] = []
        for key, was in before.items():
            now = self.get(key)
            if now is not None and was is not None:
                if {meta.ref: meta for meta in now.metas} != {meta.ref: meta for meta in was.metas}:
                    changes.append(Updated(now, was))
            elif now is not None:
                changes.append(Joined(now))
            elif was is not None:
                changes.append(Left(was))
        return changes

    def __getitem__(self, key: str) -> Present:
        return Present(key, tuple(self._here.people[key].values()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._here.people)

    def __len__(self) -> int:
        return len(self._here.people)

    def __repr__(self) -> str:
        return f"<Presence: {', '.join(self) or 'nobody'}>"


class _Roll:
    """The connections that are there by key and ``phx_ref``, and those of which a diff said that they left."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Meta]] = {}
        self._gone: dict[str, None] = {}

    def list(self, metas: _Metas) -> None:
        """Take a state: it adds what no diff took away."""
        for key, meta in metas:
            if meta.ref not in self._gone:
                self.people.setdefault(key, {}).setdefault(meta.ref, meta)

    def move(self, joins: _Metas, leaves: _Metas) -> None:
        """Take a diff, its joins first: an update is both."""
        for key, meta in joins:
            self.people.setdefault(key, {}).setdefault(meta.ref, meta)
        for key, meta in leaves:
            mine = self.people.get(key, {})
            mine.pop(meta.ref, None)
            if not mine:
                self.people.pop(key, None)
            self._gone[meta.ref] = None
        while len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]


_Metas: TypeAlias = list[tuple[str, Meta]]


def _metas(payload: object) -> _Metas:
    """Return each connection of ``{key: {"metas": [...]}}`` with its key; what is none is left out."""
    people = payload if is_object(payload) else {}
    return [
        (key, Meta(meta["phx_ref"], meta))
        for key, found in people.items()
        if is_object(found) and is_array(found.get("metas"))
        for meta in found["metas"]
        if is_object(meta) and isinstance(meta.get("phx_ref"), str)
    ]
