"""Completion: the answers to TAB, from a file of names in the user's cache folder; nothing else is loaded.

The names are made from the declarations when they are first needed, and anew when a file of the packages has changed.
A command is ``{"help", "options", "arguments"}``, a group ``{"help", "about", "commands"}``, and a group that shows
something itself is both; a command that stands apart in the help has a ``panel``. An option is a list of its words,
None where it takes any value, False where it takes none, ``"file"`` where it takes a path.

The file of names has a line that says which packages and which Python it is of, a checksum, and then the names as
marshalled objects, those of each command for itself: TAB takes as long however many there are, since it unpacks only
those of the command that was typed.
"""

from __future__ import annotations

# Completion has to be fast: importing `pathlib` would take too long.
# ruff: noqa: PTH100, PTH118, PTH120
import marshal
import os
import sys
from binascii import crc32

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any, TypeAlias

    Expected: TypeAlias = list[str] | str | bool | None

_FORMAT = 3


def names(needed: Container[str] | None = None) -> dict[str, Any]:
    """Return the names of all commands, options and values; with `needed`, of the other commands only the help."""
    from .folders import cache_folder, write_whole

    path, key = os.path.join(cache_folder(), "names"), _key()
    try:
        with open(path, "rb") as file:
            return _unpacked_names(file.read(), key, needed)
    except (OSError, ValueError, EOFError, TypeError):
        pass  # there is no file yet, or it cannot be used
    from contextlib import suppress

    from .tree.names import collect

    made = collect()
    with suppress(OSError):  # without a writable folder, completion is slower
        write_whole(path, _packed_names(made, key))
    return made


def _packed_names(names: dict[str, Any], key: str) -> bytes:
    """Return the content of the file of names."""
    short: dict[str, dict[str, Any]] = {}
    whole: dict[str, bytes] = {}
    for name, node in names["commands"].items():
        short[name] = {part: node[part] for part in ("help", "noun") if part in node}
        whole[name] = marshal.dumps(node)
    content = marshal.dumps((names | {"commands": short}, whole))
    return b"%b\n%08x\n%b" % (key.encode(), crc32(content), content)


def _unpacked_names(packed: bytes, key: str, needed: Container[str] | None) -> dict[str, Any]:
    """Return the names a file holds. Raises ValueError where it is another key's, or damaged."""
    written_for, checksum, content = packed.split(b"\n", 2)
    # What marshal did not write itself could end the process: it is not given anything else.
    if written_for != key.encode() or int(checksum, 16) != crc32(content):
        raise ValueError("not the names of these packages")
    found: dict[str, Any]
    whole: dict[str, bytes]
    found, whole = marshal.loads(content)  # noqa: S302 # written by ourselves, see above
    commands = found["commands"]
    for name, node in whole.items():
        if needed is None or name in needed:
            commands[name] = marshal.loads(node)  # noqa: S302 # as above
    return found


def _key() -> str:
    """Return a key that changes whenever a declaration, a model or a command may have changed."""
    here = os.path.dirname(os.path.abspath(__file__))
    sdk = os.path.join(os.path.dirname(here), "crm_sdk")
    newest, count = 0, 0
    for folder in (here, os.path.join(here, "views"), sdk, os.path.join(sdk, "models"), os.path.join(sdk, "resources")):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    # A new version has a new file `_version.py`; importing it would import the SDK.
    return f"{_FORMAT} {sys.implementation.cache_tag} {marshal.version} {count} {newest} {here!r}"


def complete(arguments: list[str]) -> int:
    """Print the answers for a shell, given its name, the number of the word, and the words. Errors are ignored."""
    try:
        shell, index, *words = arguments
        for line in _lines(shell, words[: int(index) + 1], int(index)):
            print(line)
    except Exception:  # noqa: S110 # an error message would appear among the completions
        pass
    return 0


def _lines(shell: str, words: list[str], index: int) -> list[str]:
    words += [""] * (index + 1 - len(words))
    if shell == "bash":
        words = _rejoin(words)
    *before, current = words[1:]
    found = answers(names(before), before, current)
    if shell == "zsh":
        return [f"{word.replace(':', chr(92) + ':')}:{about}" if about else word for word, about in found]
    if shell == "fish":
        return [f"{word}\t{about}" if about else word for word, about in found]
    # Bash splits a word at "=": the answer replaces only the part after it.
    cut = current.find("=") + 1 if current.startswith("--") else 0
    return [word[cut:] for word, _ in found]


def _rejoin(words: list[str]) -> list[str]:
    out: list[str] = []
    for word in words:
        if out and (word == "=" or out[-1].endswith("=")) and out[-1].startswith("--"):
            out[-1] += word
        else:
            out.append(word)
    return out


def answers(root: dict[str, Any], before: list[str], current: str) -> list[tuple[str, str]]:
    """Return the completions of the current word, each with its description."""
    node, waiting, arguments = root, False, 0
    words: Expected = None
    for word in before:
        if waiting:
            waiting = False
        elif word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            words = _option(root, node, name)
            waiting = words is not False and not equals
        elif word in node.get("commands", ()) and not arguments:
            node = node["commands"][word]
        elif "arguments" in node:
            arguments += 1
        else:
            return []  # no such command
    if waiting:
        return _words(words, current)
    if current.startswith("-"):
        name, equals, value = current.partition("=")
        if equals:
            return [(f"{name}={word}", "") for word, _ in _words(_option(root, node, name), value)]
        options = [*node.get("options", {}), *(name for name in root["options"] if name not in node.get("options", {}))]
        return [(name, "") for name in options if name.startswith(current)]
    if "commands" in node and not arguments:
        return [(name, inner["help"]) for name, inner in node["commands"].items() if name.startswith(current)]
    expected = node["arguments"]
    return _words(expected[min(arguments, len(expected) - 1)], current) if expected else []


def _option(root: dict[str, Any], node: dict[str, Any], name: str) -> Expected:
    found: Expected = node.get("options", {}).get(name, root["options"].get(name))
    return found


def _words(words: Expected, current: str) -> list[tuple[str, str]]:
    known = words if isinstance(words, list) else []
    # Several values may be separated by commas: the last one is being typed.
    done, comma, last = current.rpartition(",")
    return [(f"{done}{comma}{word}", "") for word in known if word.startswith(last)]
