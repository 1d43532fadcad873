"""Presence: the users on a channel, computed from the state after a join and the diffs before and after it."""

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
    """One connection of a user who is present."""

    ref: str
    """The ``phx_ref`` of the connection, which changes with each update."""
    members: Mapping[str, Any]
    """All members of the connection's metadata, as received."""

    @property
    def name(self) -> str | None:
        """The name of the user."""
        name = self.members.get("name")
        return name if isinstance(name, str) else None

    @property
    def online_at(self) -> datetime | None:
        """Since when the connection is present."""
        return read_instant(self.members.get("onlineAt"))


@dataclass(frozen=True, slots=True)
class Present:
    """A user who is present, with one or more connections."""

    key: str
    """The id of the user."""
    metas: tuple[Meta, ...]

    @property
    def name(self) -> str | None:
        """The name of the user, from the newest connection."""
        return self.metas[-1].name if self.metas else None


@dataclass(frozen=True, slots=True)
class Joined:
    """A user joined."""

    present: Present


@dataclass(frozen=True, slots=True)
class Left:
    """A user left: the last connection has gone."""

    present: Present
    """The user and connections as last known."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The connections of a user changed, or the metadata of one of them."""

    present: Present
    before: Present


Change: TypeAlias = Joined | Left | Updated


class Presence(Mapping[str, Present]):
    """The users who are present on a channel, by their id.

    The server sends the state once after each join; a new connection may be in the state, in a diff, or in both, and
    diffs may come before the state. Changes since the join are therefore collected until the state has come, and for a
    connection a diff takes precedence over the state. Diffs are applied in the order of arrival: a ``phx_ref`` that has
    left may come back, when the nodes of a server cluster are connected again.
    """

    def __init__(self) -> None:
        self._join_ref: str | None = None
        self._here = _Roll()
        self._coming: _Roll | None = _Roll()

    @property
    def synced(self) -> bool:
        """Whether the state of the current join has come; until then the presence before the join is shown."""
        return self._coming is None

    def rejoin(self, join_ref: str) -> None:
        """Wait for the state of a new join, which replaces the present one."""
        self._join_ref = join_ref
        self._coming = _Roll()

    def state(self, payload: object, join_ref: str | None = None) -> list[Change]:
        """Apply a state and return the changes; the state of another join is ignored."""
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
        """Apply a diff and return the changes; before the state has come there are none."""
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
    """The present connections by key and ``phx_ref``, and those that have left by a diff."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Meta]] = {}
        self._gone: dict[str, None] = {}

    def list(self, metas: _Metas) -> None:
        """Apply a state: add the connections that have not left by a diff."""
        for key, meta in metas:
            if meta.ref not in self._gone:
                self.people.setdefault(key, {}).setdefault(meta.ref, meta)

    def move(self, joins: _Metas, leaves: _Metas) -> None:
        """Apply a diff, its joins first, since an update is a join and a leave."""
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
    """Return the connections of ``{key: {"metas": [...]}}`` with their keys, without invalid entries."""
    people = payload if is_object(payload) else {}
    return [
        (key, Meta(meta["phx_ref"], meta))
        for key, found in people.items()
        if is_object(found) and is_array(found.get("metas"))
        for meta in found["metas"]
        if is_object(meta) and isinstance(meta.get("phx_ref"), str)
    ]
