"""Where the command line keeps things: the offline state, the sign-in without its secret, the names for completion.

``CRM_DATA_DIR`` puts all of them into one folder.
"""

from __future__ import annotations

# Completion comes by here: importing `pathlib` would take time.
# ruff: noqa: PTH103, PTH105, PTH111, PTH118, PTH120
import os
import sys


def data_folder() -> str:
    """Return the folder of the offline state; it need not be there yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_data_dir

    return user_data_dir("crm", appauthor=False)


def config_folder() -> str:
    """Return the folder of the sign-in; it need not be there yet."""
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    from platformdirs import user_config_dir

    return user_config_dir("crm", appauthor=False)


def cache_folder() -> str:
    """Return the folder of what can be made anew; it need not be there yet.

    By hand: TAB asks for it, and importing platformdirs takes half as long as starting Python does.
    """
    chosen = os.environ.get("CRM_DATA_DIR")
    if chosen:
        return chosen
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.expanduser("~"), "crm", "Cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/crm")
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "crm")


def write_whole(path: str, content: str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(part, path)
