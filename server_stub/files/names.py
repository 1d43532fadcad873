"""The names of files and the paths of folders: what would lead elsewhere, or looks like something else, is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from ..problems import Problem

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
"""Names that mean devices on Windows, whatever their extension."""
_LONGEST = 255
_LONGEST_FOLDER = 1000


def checked_name(name: str, field: str = "name") -> str:
    """Return a file name. Raises: 422 INVALID_FILE_NAME for one that no file may have."""
    why = _fault(name)
    if why is not None:
        message = f"{name[:100]!r} cannot be the name of a file: {why}"
        raise Problem("INVALID_FILE_NAME", message, field=field, rule="format")
    return name


def _fault(name: str) -> str | None:
    """Return what is wrong with a name; None where it is right."""
    if not name.strip() or name in (".", ".."):
        return "it names no file"
    if "/" in name or "\\" in name:
        return "it has a path"
    if len(name) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if any(_is_unseen(letter) for letter in name):
        return "it has characters that are not shown, or that turn the direction of a text"
    if _RESERVED.fullmatch(name.partition(".")[0].strip()):
        return "Windows reserves it for a device"
    return None


def _is_unseen(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(letter) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    ) or letter in "\u200e\u200f\u061c\ufeff"  # fmt: skip


def checked_folder(path: str, field: str = "folder") -> str:
    """Return the path of a folder in its normal form. Raises: 422 INVALID_FILE_NAME for one that leads elsewhere."""
    names = [name for name in path.split("/") if name]
    why = None if path.startswith("/") else "it does not begin at the root, with /"
    why = why or next((f"{name!r}: {fault}" for name in names if (fault := _fault(name)) is not None), None)
    folder = f"/{'/'.join(names)}"
    if len(folder) > _LONGEST_FOLDER:
        why = f"it has more than {_LONGEST_FOLDER} characters"
    if why is not None:
        message = f"{path[:100]!r} cannot be the path of a folder: {why}"
        raise Problem("INVALID_FILE_NAME", message, field=field, rule="format")
    return folder


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken: the name itself, or with a number: ``offer (1).pdf``."""
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    found, number = name, 0
    while found in taken:
        number += 1
        end = f" ({number}){dot}{extension}"
        room = _LONGEST - len(end)  # none where its extension is as long as a name may be
        found = stem[:room] + end if room > 0 else f"{name[: _LONGEST - 10]} ({number})"
    return found
