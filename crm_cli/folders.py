"""The folders of the command line: for the offline state, the settings, and completion.

``CRM_DATA_DIR`` replaces all of them by one folder.
"""

from __future__ import annotations

# Completion uses this module and has to be fast: importing `pathlib` would take too long.
# ruff: noqa: PTH103, PTH105, PTH108, PTH111, PTH118, PTH120
import os
import sys


def data_folder() -> str:
    """Return the folder of the offline state, which may not exist yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_data_dir

    return user_data_dir("crm", appauthor=False)


def state_folder() -> str:
    """Return the folder of what `crm undo` knows, which may not exist yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_state_dir

    return user_state_dir("crm", appauthor=False)


def config_folder() -> str:
    """Return the folder of the settings, which may not exist yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_config_dir

    return user_config_dir("crm", appauthor=False)


def cache_folder() -> str:
    """Return the folder of the cache, which may not exist yet.

    Computed here, for completion: importing platformdirs takes half as long as starting Python.
    """
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.expanduser("~"), "crm", "Cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/crm")
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "crm")


def write_whole(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a file atomically: a reader sees either the old or the new content. `mode` is who may read it, from the
    start; without it that is as the system says.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    if mode is None:
        with open(part, "wb") as file:
            file.write(content)
    else:
        if os.path.lexists(part):  # what a former process has left may have other rights
            os.unlink(part)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    os.replace(part, path)
