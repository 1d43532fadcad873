"""Find what the help of a command says in ``commands.txt``: a block for each command, a line for each thing it says.

A line is a tag, a tab, and what it holds, separated by tabs:

``usage``    how it is typed
``text``     a paragraph of what it is
``panel``    the title of a panel of the help; the rows after it are in it
``alone``    as ``panel``, with columns of its own
``row``      a sentence, and what it is about, which may have several lines
``example``  a line of the example
``more``     the last paragraph
``group``    in the overview: the names of the commands of a group, and its title
``next``     in the overview: what for, and what to type next
"""

from __future__ import annotations

# Importing `pathlib` would take as long as all the rest.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120
import os

FORMAT = 1
_HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(_HERE, "commands.txt")

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from typing import TypeAlias

    Lines: TypeAlias = list[list[str]]


def head(version: str) -> str:
    """Return the first line of the file for a version of the packages."""
    return f"{FORMAT} {version}"


def is_trusted() -> bool:
    """Return whether the file is that of these packages: it was packaged with them.

    In a checkout the sources may have changed since it was written.
    """
    root = os.path.dirname(os.path.dirname(_HERE))
    return not os.path.exists(os.path.join(root, "pyproject.toml"))


def block(words: list[str]) -> Lines | None:
    """Return the lines of a command; None where the file has none, or is that of another version."""
    from crm_sdk._version import __version__

    try:
        with open(PATH, "rb") as file:
            content = file.read()
    except OSError:
        return None
    if not content.startswith(f"{head(__version__)}\n".encode()):
        return None
    name = f"\n\ncommand\t{' '.join(words)}\n".encode()
    start = content.find(name)
    if start < 0:
        return None
    start += len(name)
    end = content.find(b"\n\n", start)
    return [line.split("\t") for line in content[start:end].decode().split("\n")]
