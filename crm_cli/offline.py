"""The embedded server of ``--offline``, whose state is stored between commands."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .failures import CommandError, MisuseError, complain
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


def log_file() -> Path:
    """Return the path of the file with the tracebacks of what went wrong in the embedded server."""
    return Path(data_folder()) / "offline.log"


@contextmanager
def logging_to_file() -> Generator[None]:
    """Write what the embedded server logs into a file, and say so: a traceback on the terminal is no message."""
    log, count = logging.getLogger("server_stub"), [0]
    handler: logging.Handler
    try:
        handler = logging.FileHandler(log_file(), encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()

    def noted(record: logging.LogRecord) -> bool:
        count[0] += 1
        return True

    handler.addFilter(noted)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    from crm_sdk.errors import ServerError

    way = (
        f"{log_file()} has the traceback; if the state in {state_file()} is damaged or of another version, "
        "`crm offline reset` starts anew with the demo data"
    )
    try:
        yield
    except ServerError as error:
        if error.code != "INTERNAL_ERROR" or not count[0]:
            raise
        raise CommandError("INTERNAL", f"the embedded server failed: {error}", hint=way) from error
    else:
        if count[0]:
            complain(f"the embedded server failed at something: {way}")
    finally:
        log.removeHandler(handler)
        handler.close()


@contextmanager
def embedded_server(db: str | None, *, enforce_limits: bool = False, log_reads: bool = True) -> Generator[StubServer]:
    """Open the embedded server with its state in a file, and close it at the end."""
    from sqlite3 import DatabaseError

    from server_stub.core import StubServer
    from server_stub.data.durable import StateFileError, StateFileInUse

    way = ""
    if db == str(state_file()):
        way = "; `crm offline reset` deletes it, and the next command starts with the demo data"
    try:
        server = StubServer(db=db, running=True, enforce_limits=enforce_limits, log_reads=log_reads)
    except StateFileError as error:
        raise MisuseError(str(error) if isinstance(error, StateFileInUse) else f"{error}{way}") from error
    except (KeyError, ValueError, TypeError, AttributeError, DatabaseError) as error:
        if db is None:
            raise
        # What the file holds is read while the server starts.
        raise MisuseError(
            f"the state in {db} cannot be read by this version ({type(error).__name__}: {error}){way}"
        ) from error
    try:
        yield server
    finally:
        server.close()


def open_state() -> str:
    """Create the folder of the state file, and return the path of the file."""
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)
