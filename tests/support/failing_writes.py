"""Let one write of a stub fail, and compare everything that it keeps before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import settings

from server_stub import StubServer
from server_stub.data.collection import Collection
from server_stub.request import usage

MEASURES = frozenset({"clock", "limits", "meter", "key_uses", "meters", "journal", "faults", "live"})
"""Parts of the state that tell of requests, whatever came of them; so do the records of the kind `usage`."""


class InjectedError(OSError):
    """The failure of a write."""


@contextmanager
def failing(nth: int | None) -> Iterator[list[str]]:
    """Count the writes of the block, by kind, and let the nth fail; None lets none."""
    written: list[str] = []
    notes = Collection._note

    def note(self: Collection, id: str) -> None:
        if self.kind != usage.KIND:
            written.append(self.kind)
        if self.kind != usage.KIND and len(written) - 1 == nth:
            raise InjectedError(f"write {nth}, of {self.kind} {id}")
        notes(self, id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Collection, "_note", note)
        yield written


def state(stub: StubServer) -> dict[str, Any]:
    """Return everything that is kept, by name."""
    taken = stub.snapshot()
    parts: dict[str, Any] = {name: part for name, part in taken.parts.items() if name not in MEASURES}
    store = parts.pop("store")
    del parts["requests"]
    found: dict[str, Any] = {
        f"{company}/{kind}": dict(table.docs)
        for (company, kind), table in store.collections.items()
        if kind != usage.KIND
    }
    return {name: docs for name, docs in found.items() if docs} | {"counters": dict(store.counters)} | parts


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs, each with what was and what is."""
    wrong: dict[str, Any] = {}
    for name in before.keys() | after.keys():
        was, has = before.get(name, {}), after.get(name, {})
        if was == has:
            continue
        if isinstance(was, dict) and isinstance(has, dict):
            wrong[name] = {
                key: (was.get(key), has.get(key)) for key in was.keys() | has.keys() if was.get(key) != has.get(key)
            }
        else:
            wrong[name] = (was, has)
    return wrong


def chosen(writes: int, most: int = 6) -> list[int]:
    """Return the writes that fail: all in a long run, else the first, the last and some between."""
    if settings.default is not None and settings.default.max_examples >= 2_000:
        most = writes
    return sorted({number * (writes - 1) // max(1, most - 1) for number in range(min(most, writes))}) if writes else []
