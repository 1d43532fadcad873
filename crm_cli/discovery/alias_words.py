"""What aliases stand for. TAB reads them too, so this module imports little."""

from __future__ import annotations

# Completion has to be fast: importing `pathlib` would take too long.
# ruff: noqa: PTH118
import os

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def path() -> str:
    """Return the path of the file of aliases, which may not exist."""
    from ..folders import config_folder

    return os.path.join(config_folder(), "aliases.json")


def read() -> dict[str, str]:
    """Return what each alias stands for. Raises: ValueError where the file is damaged, OSError where it is not read."""
    try:
        with open(path(), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    import json

    try:
        return {str(name): str(expansion) for name, expansion in json.loads(text).items()}
    except AttributeError as error:
        raise ValueError("it is no JSON object") from error


def expand(words: Sequence[str], known: Mapping[str, str]) -> list[str] | None:
    """Return what an alias with its words stands for; None where the first word is none.

    Raises: ValueError where words are missing that it needs, or aliases stand for one another.
    """
    if not words or words[0] not in known:
        return None
    found, passed = list(words), dict[str, None]()
    while found and found[0] in known:
        name = found[0]
        if name in passed:
            raise ValueError(f"these aliases stand for one another: {' -> '.join((*passed, name))}")
        passed[name] = None
        found = _fill(name, known, found[1:])
    return found


def _fill(name: str, known: Mapping[str, str], typed: Sequence[str]) -> list[str]:
    import re

    place = re.compile(r"\$([1-9])")
    words = split(known[name])
    used = {int(number) for word in words for number in place.findall(word)}
    missing = [f"${number}" for number in sorted(used) if number > len(typed)]
    if missing:
        raise ValueError(f"crm {name} is `crm {known[name]}`: type what {', '.join(missing)} stands for after it")
    filled = [place.sub(lambda found: typed[int(found[1]) - 1], word) for word in words]
    return filled + [word for number, word in enumerate(typed, 1) if number not in used]


def split(expansion: str) -> list[str]:
    """Return the words of a command, without the `crm` before them. Raises: ValueError where it cannot be split."""
    import shlex

    try:
        words = shlex.split(expansion)
    except ValueError as error:
        raise ValueError(f"{expansion!r} cannot be split into words: {error}") from error
    return words[1:] if words[:1] == ["crm"] else words
