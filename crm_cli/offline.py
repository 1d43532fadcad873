"""The embedded server of ``--offline``: its state is kept from one command to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crm_sdk.errors import ConfigurationError

from .failures import MisuseError
from .folders import data_folder

if TYPE_CHECKING:
    from server_stub import StubServer


def state_file() -> str:
    """Return the path of the state file."""
    return os.path.join(data_folder(), "offline.db")


def reset() -> bool:
    """Remove the state, so that the next command starts with the demo data; False where there was none."""
    found = False
    for end in ("", "-wal", "-shm", "-journal"):
        try:
            os.remove(state_file() + end)
            found = True
        except FileNotFoundError:
            continue
    return found


@contextmanager
def embedded(db: str | None, *, enforce_limits: bool = False) -> Iterator[StubServer]:
    """Open the embedded server with its state in a file, and close it again."""
    try:
        from server_stub.core import StubServer
        from server_stub.durable import StateFileError
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("crm_sdk", "server_stub"):
            raise
        raise ConfigurationError(
            f"the embedded server needs {error.name}: pip install 'crm-sdk[stub]' brings it"
        ) from error
    try:
        server = StubServer(db=db, running=True, enforce_limits=enforce_limits)
    except StateFileError as error:
        raise MisuseError(str(error)) from error
    try:
        yield server
    finally:
        server.close()


def open_state() -> str:
    """Return the path of the state file, whose folder is there from now on."""
    os.makedirs(data_folder(), exist_ok=True)
    return state_file()
