"""Completion: the answers to TAB, from a file of names in the user's cache folder; nothing else is loaded.

The names are made from the declarations when they are first needed, and anew when a file of the packages has changed.
A command is ``{"help", "options", "arguments"}``, a group ``{"help", "about", "commands"}``, and a group that shows
something itself is both; a command that stands apart in the help has a ``panel``. An option is a list of its words,
None where it takes any value, False where it takes none, ``"file"`` where it takes a path. A word with ``@`` before it
stands for those of a list that is not in the file of names (`discovery/own_words.py`): ``@deals.list``.

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

_FORMAT = 4


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
        words = [*map(_unquote, _rejoin(words)[:-1]), _rejoin(words)[-1]]
    *before, current = words[1:]
    quote, current = _split_quote(current) if shell == "bash" else ("", current)
    root = names(before)
    before, own = _expand_alias(root, before)
    found = answers(root if not own else names(before), before, current)
    if shell == "zsh":
        return [f"{_escape(word)}:{_one_line(about)}" if about else _escape(word) for word, about in found]
    if shell == "fish":
        return [f"{word}\t{_one_line(about)}" if about else word for word, about in found]
    # Bash splits a word at "=": the answer replaces only the part after it.
    cut = current.find("=") + 1 if current.startswith("--") else 0
    return [_quote(word[cut:], quote) for word, _ in found]


def _rejoin(words: list[str]) -> list[str]:
    out: list[str] = []
    for word in words:
        if out and (word == "=" or out[-1].endswith("=")) and out[-1].startswith("--"):
            out[-1] += word
        else:
            out.append(word)
    return out


def _escape(word: str) -> str:
    """Return a word as zsh reads it before the ":" that ends it."""
    return word.replace(chr(92), chr(92) * 2).replace(":", f"{chr(92)}:")


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _split_quote(word: str) -> tuple[str, str]:
    """Return the quotation mark that the word of a line of bash begins with, and the word as it is meant."""
    quote = word[0] if word[:1] in ("'", '"') else ""
    return quote, _unquote(word)


def _unquote(word: str) -> str:
    """Return a word of a line of bash as it is meant; its quotation may still be open."""
    out, quote, signs = "", "", iter(word)
    for sign in signs:
        if sign == quote:
            quote = ""
        elif not quote and sign in ("'", '"'):
            quote = sign
        elif sign == chr(92) and quote != "'":
            out += next(signs, "")
        else:
            out += sign
    return out


def _quote(word: str, quote: str) -> str:
    """Return a word as a line of bash has it; within a quotation that was opened, as it stands there."""
    if quote == "'":
        return word.replace("'", "'\\''")
    special = '"$`!' + chr(92) if quote else " \t\"'$`!&|;()<>*?[]{}~#" + chr(92)
    return "".join(f"{chr(92)}{sign}" if sign in special else sign for sign in word)


def _expand_alias(root: dict[str, Any], before: list[str]) -> tuple[list[str], bool]:
    """Return the words with an alias replaced by what it stands for, and whether one was."""
    for place, word in enumerate(before):
        if word.startswith("-") or (place and _takes_value(root, before[place - 1])):
            continue
        if word in root["commands"]:
            break
        from .discovery.own_words import expand_alias

        found = expand_alias(before[place:])
        return (before, False) if found is None else ([*before[:place], *found], True)
    return before, False


def _takes_value(root: dict[str, Any], word: str) -> bool:
    return word.startswith("-") and "=" not in word and root["options"].get(word, False) is not False


def answers(root: dict[str, Any], before: list[str], current: str) -> list[tuple[str, str]]:
    """Return the completions of the current word, each with its description."""
    node, waiting, arguments = root, False, list[str]()
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
            arguments.append(word)
        else:
            return []  # no such command
    if waiting:
        return _words(words, current, before, arguments)
    if current.startswith("-"):
        name, equals, value = current.partition("=")
        if equals:
            found = _words(_option(root, node, name), value, before, arguments)
            return [(f"{name}={word}", about) for word, about in found]
        options = [*node.get("options", {}), *(name for name in root["options"] if name not in node.get("options", {}))]
        return [(name, "") for name in options if name.startswith(current)]
    if "commands" in node and not arguments:
        known = [(name, inner["help"]) for name, inner in node["commands"].items()]
        if node is root:
            from .discovery.own_words import commands

            known += commands(root["commands"])
        return [(name, about) for name, about in known if name.startswith(current)]
    expected = node["arguments"]
    if not expected:
        return []
    return _words(expected[min(len(arguments), len(expected) - 1)], current, before, arguments)


def _option(root: dict[str, Any], node: dict[str, Any], name: str) -> Expected:
    found: Expected = node.get("options", {}).get(name, root["options"].get(name))
    return found


def _words(words: Expected, current: str, before: list[str], arguments: list[str]) -> list[tuple[str, str]]:
    known = words if isinstance(words, list) else []
    # Several values may be separated by commas: the last one is being typed.
    done, comma, last = current.rpartition(",")
    found = [(f"{done}{comma}{word}", "") for word in known if word.startswith(last) and not word.startswith("@")]
    taken = {*known}
    for source in known:
        if not source.startswith("@"):
            continue
        from .discovery.own_words import words_of

        if source.endswith("+"):  # it is one, and may be a name, in which there may be a comma
            found += words_of(source[1:], current, arguments, before)
        else:
            more = words_of(source[1:], last, arguments, before)
            found += [(f"{done}{comma}{word}", about) for word, about in more if word not in taken]
    return found
