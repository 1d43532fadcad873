"""Keep a copy: scan what is there, then follow the changes, and begin anew where a position does not lead on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ConflictError
from ..models.changes import Change
from .state import ENTITIES, Batch, Row, Store, SyncChange, SyncState

if TYPE_CHECKING:
    from ..client import AsyncCrmClient, CrmClient

_Ask: TypeAlias = tuple[str, dict[str, Any]]
"""A call to make, ``scan`` or ``list``, with its arguments."""
_Steps: TypeAlias = Generator[_Ask | list[SyncChange] | None, Any, None]
"""Yields calls, whose answers it is sent; what the store has saved; and None where there is nothing more now."""


def _steps(store: Store, entities: Sequence[str] | None, limit: int) -> _Steps:
    state: SyncState = _initial_state(store.load(), entities)
    while True:
        try:
            while state.scanning:
                entity = state.scanning[0]
                page = yield "scan", {"entity": entity, "after": state.after, "limit": limit}
                batch = _of_scan(state, entity, page)
                removed = store.save(batch)
                state = batch.state
                found = [SyncChange("scanned", row.entity, row.id, row.version, row.record) for row in batch.rows]
                yield [*found, *(SyncChange("missing", kind, id) for kind, id in removed)]
            page = yield "list", {"cursor": state.cursor, "entity_types": list(state.entities), "limit": limit}
        except ConflictError as error:
            if error.code != "CURSOR_EXPIRED":
                raise
            state = _anew(state)
            store.save(Batch(state))
            continue
        changes = [_change_for_copy(change) for change in page.items]
        told = [change for change in changes if change is not None]
        rows = [_row(one.entity, one.id, one.record) for one in told if one.record is not None]
        gone = [(one.entity, one.id, one.version) for one in told if one.record is None]
        state = replace(state, cursor=page.cursor)
        store.save(Batch(state, rows, gone))
        yield told
        if not page.has_more:
            yield None


def _initial_state(state: SyncState | None, entities: Sequence[str] | None) -> SyncState:
    """Return the state to go on from: entities that are new to the copy are scanned first."""
    if state is None:
        wanted = tuple(entities or ENTITIES)
        return SyncState(entities=wanted, scanning=wanted)
    new = tuple(entity for entity in entities or () if entity not in state.entities)
    return replace(state, entities=(*state.entities, *new), scanning=(*state.scanning, *new)) if new else state


def _anew(state: SyncState) -> SyncState:
    """Return the state at the beginning of a new scan: what that does not find is removed at its end."""
    return SyncState(entities=state.entities, scanning=state.entities, generation=state.generation + 1)


def _of_scan(state: SyncState, entity: str, page: Any) -> Batch:
    rows = [_row(entity, record.id, _plain(record)) for record in page.items]
    # The position of the first scan is kept: what was written during the others comes after it.
    after = replace(state, after=page.next, cursor=state.cursor or page.cursor)
    if page.next is not None:
        return Batch(after, rows)
    return Batch(replace(after, after=None, scanning=state.scanning[1:]), rows, finished=entity)


def _plain(record: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = record.model_dump(mode="json", by_alias=True)
    return said


def _row(entity: str, id: str, record: Mapping[str, Any]) -> Row:
    return Row(entity, id, record.get("version") or 0, record)


def _change_for_copy(change: Change) -> SyncChange | None:
    """Return a change as a copy has it; None for one of a record that a later change says is gone."""
    if not change.is_gone and change.record is None:
        return None
    return SyncChange(
        change.change,
        change.entity.type,
        change.entity.id,
        change.version,
        _plain(change.record) if change.record is not None and not change.is_gone else None,
        tuple(change.changed_fields),
        change.merged_into,
    )


class Syncing:
    """`client.sync` of a `CrmClient`."""

    def __init__(self, client: CrmClient) -> None:
        self._client = client

    def changes(
        self, store: Store, *, entities: Sequence[str] | None = None, live: float | None = None, limit: int = 200
    ) -> Iterator[SyncChange]:
        """Bring a copy up to date, and iterate over what has changed in it; each change is saved before it is told.

        The first time all records of `entities` are scanned (contacts, leads, accounts, deals and activities, if none
        are named), then the changes since are followed. It goes on where it was left, whenever that was, and scans anew
        where the position has expired: a record that is no longer there is ``missing`` then. With `live` it goes on for
        ever, and looks for changes every so many seconds.

        Raises: ApiError, as the calls `objects.scan` and `changes.list` do; what is saved stays.
        """
        steps = _steps(store, entities, limit)
        step = next(steps)
        while True:
            if isinstance(step, tuple):
                try:
                    answer = self._ask(*step)
                except ConflictError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
                continue
            if step is None:
                if live is None:
                    return
                self._client.clock.sleep(live)
            else:
                yield from step
            step = next(steps)

    def _ask(self, call: str, given: dict[str, Any]) -> Any:
        return self._client.objects.scan(**given) if call == "scan" else self._client.changes.list(**given)


class AsyncSyncing:
    """`client.sync` of an `AsyncCrmClient`."""

    def __init__(self, client: AsyncCrmClient) -> None:
        self._client = client

    async def changes(
        self, store: Store, *, entities: Sequence[str] | None = None, live: float | None = None, limit: int = 200
    ) -> AsyncIterator[SyncChange]:
        """Bring a copy up to date, and iterate over what has changed in it; see `Syncing.changes`."""
        steps = _steps(store, entities, limit)
        step = next(steps)
        while True:
            if isinstance(step, tuple):
                try:
                    answer = await self._ask(*step)
                except ConflictError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
                continue
            if step is None:
                if live is None:
                    return
                await self._client.clock.sleep_async(live)
            else:
                for change in step:
                    yield change
            step = next(steps)

    async def _ask(self, call: str, given: dict[str, Any]) -> Any:
        if call == "scan":
            return await self._client.objects.scan(**given)
        return await self._client.changes.list(**given)
