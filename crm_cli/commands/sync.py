"""``crm sync``: a copy of the data in a directory or in a SQLite file, which a later call brings up to date."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..connection import open_client
from ..failures import MisuseError, complain
from ..settings import Options, settle
from ..whole_files import written_whole

if TYPE_CHECKING:
    from crm_sdk.sync import SqliteStore, Store

_FILE = "copy.sqlite"
_EVERY = 1_000
"""After so many changes a line of progress is printed."""


def sync(
    options: Options,
    target: Annotated[
        str, typer.Argument(metavar="DIR|sqlite:FILE", help="The directory of JSON lines, or the SQLite file.")
    ],
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help="Only records of this entity; repeat it for more.")
    ] = None,
    live: Annotated[
        float | None, typer.Option("--live", min=0.1, help="Go on, and look for changes every so many seconds.")
    ] = None,
) -> None:
    """Copy the CRM's data, and bring the copy up to date at each further call.

    A copy in a directory has a file of JSON lines for each entity, and its position beside them. An interrupted copy
    goes on where it was.
    """
    from crm_sdk.sync import SqliteStore

    settings = settle(options)
    scheme, mark, name = target.partition(":")
    in_file = bool(mark) and scheme == "sqlite"
    if in_file and not name:
        raise MisuseError("sqlite: needs the name of a file, as in sqlite:crm.db")
    folder = None if in_file else Path(target)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    path = Path(name) if folder is None else folder / _FILE
    with open_client(settings) as client, _of_file(path), SqliteStore(path) as store:
        counts: Counter[str] = Counter()
        for number, change in enumerate(client.sync.changes(_held_store(store), entities=entity, live=live), start=1):
            counts[change.kind] += 1
            if number % _EVERY == 0:
                complain(f"{number:,} changes …")
        if folder is not None:
            _write_lines(store, folder)
    said = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(counts.items()))
    complain(f"{target}: {said or 'up to date'}")


@contextmanager
def _of_file(path: Path) -> Generator[None]:
    """Name the file of the copy where SQLite cannot use it. Raises: MisuseError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        remedy = "; remove it, or name another: the copy is made anew" if path.is_file() else ""
        raise MisuseError(f"{path}: {error}{remedy}") from error


def _held_store(store: SqliteStore) -> Store:
    return store


def _write_lines(store: SqliteStore, folder: Path) -> None:
    """Write the records of each entity as JSON lines, whole files at once."""
    state = store.load()
    entities: Sequence[str] = state.entities if state is not None else ()
    for entity in entities:
        with written_whole(folder / f"{entity}.jsonl") as part, part.open("w", encoding="utf-8") as file:
            for _, record in sorted(store.records(entity).items()):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
