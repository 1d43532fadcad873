"""The embedded server of ``--offline``, whose state is stored between commands."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .failures import MisuseError
from .folders import data_folder

if TYPE_CHECKING:
    from server_stub import StubServer


def state_file() -> Path:
    """Return the path of the state file."""
    return Path(data_folder()) / "offline.db"


def reset() -> bool:
    """Delete the state, so that the next command starts with the demo data; return False where there was none."""
    found = False
    for end in ("", "-wal", "-shm", "-journal"):
        try:
            Path(f"{state_file()}{end}").unlink()
            found = True
        except FileNotFoundError:
            continue
    shutil.rmtree(Path(data_folder()) / "imports" / "offline", ignore_errors=True)  # they are of records that are gone
    return found


@contextmanager
def embedded_server(db: str | None, *, enforce_limits: bool = False, log_reads: bool = True) -> Generator[StubServer]:
    """Open the embedded server with its state in a file, and close it at the end."""
    from server_stub.core import StubServer
    from server_stub.data.durable import StateFileError

    try:
        server = StubServer(db=db, running=True, enforce_limits=enforce_limits, log_reads=log_reads)
    except StateFileError as error:
        raise MisuseError(str(error)) from error
    try:
        yield server
    finally:
        server.close()


def open_state() -> str:
    """Create the folder of the state file, and return the path of the file."""
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)
