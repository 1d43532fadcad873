"""Trials: an execution is carried out at once, and everything that it did is undone."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ...data.document import Document
from ...serving import Context, Members
from .engine import Run, UndoError


@contextmanager
def undone(call: Context) -> Generator[None]:
    """Undo everything that the block writes."""
    try:
        with call.server.store.transaction():
            yield
            raise UndoError
    except UndoError:
        return


def trial(call: Context, members: Members, *, goes: bool = True) -> Document:
    """Return a new execution that was carried out without waiting, and whose effects were all undone.

    All of its steps are skipped where it would not have begun, because of its conditions.
    """
    stamps = {"id": call.new_id("execution_"), "created_at": call.now, "created_by": call.caller.actor_id, "version": 0}
    run = Run(call, Document({**members, **stamps, "dry_run": True}), dry=True)
    with undone(call):
        if goes:
            run.go()
        else:
            run.skip()
    return run.result()
