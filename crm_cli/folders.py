"""The folders of the command line: for the offline state, the sign-in without its secret, and completion.

``CRM_DATA_DIR`` replaces all of them by one folder.
"""

from __future__ import annotations

# Completion uses this module and has to be fast: importing `pathlib` would take too long.
# ruff: noqa: PTH103, PTH105, PTH111, PTH118, PTH120
import os
import sys


def data_folder() -> str:
    """Return the folder of the offline state, which may not exist yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_data_dir

    return user_data_dir("crm", appauthor=False)


def config_folder() -> str:
    """Return the folder of the sign-in, which may not exist yet."""
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


def write_whole(path: str, content: bytes) -> None:
    """Write a file atomically: a reader sees either the old or the new content."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(content)
    os.replace(part, path)
