"""Presence: the connections of each user on each topic, sent to clients as a state and as differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Meta: TypeAlias = Mapping[str, Any]
Shown: TypeAlias = dict[str, dict[str, list[Meta]]]
"""Metas by key, in wire form."""
Topic: TypeAlias = tuple[str, str]
"""A company and a topic."""


class Presence:
    """The metas of all connections by topic and key; each meta has a unique ``phx_ref``."""

    def __init__(self) -> None:
        self._topics: dict[Topic, dict[object, tuple[str, Meta]]] = {}
        self._given = 0

    def track(self, topic: Topic, who: object, key: str, meta: Meta) -> dict[str, Shown]:
        """Add a connection or replace its meta; return the difference."""
        there = self._topics.setdefault(topic, {})
        known = there.get(who)
        self._given += 1
        new = {**meta, "phx_ref": f"F{self._given:08x}"}
        if known is not None:
            new["phx_ref_prev"] = known[1]["phx_ref"]
        there[who] = key, new
        return {"joins": _as_state(key, new), "leaves": _as_state(*known) if known is not None else {}}

    def untrack(self, topic: Topic, who: object) -> dict[str, Shown] | None:
        """Remove a connection; return the difference, or None where it was not present."""
        there = self._topics.get(topic, {})
        known = there.pop(who, None)
        if not there:
            self._topics.pop(topic, None)
        return {"joins": {}, "leaves": _as_state(*known)} if known is not None else None

    def meta(self, topic: Topic, who: object) -> Meta:
        """Return the meta of a connection without its refs; empty where it is not present."""
        _, meta = self._topics.get(topic, {}).get(who, ("", {}))
        return {name: value for name, value in meta.items() if name not in ("phx_ref", "phx_ref_prev")}

    def state(self, topic: Topic) -> Shown:
        """Return the state of a topic: all metas by key."""
        shown: Shown = {}
        for key, meta in self._topics.get(topic, {}).values():
            shown.setdefault(key, {"metas": []})["metas"].append(meta)
        return shown


def _as_state(key: str, meta: Meta) -> Shown:
    return {key: {"metas": [meta]}}
