"""What TAB knows beside the names of crm itself: aliases, programs of one's own, profiles, what the server lists."""

from __future__ import annotations

# Completion has to be fast: importing `pathlib` or `shutil` would take too long.
# ruff: noqa: PTH118, PTH122
import os

from . import alias_words, live_words

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence


def commands(built_in: Container[str]) -> list[tuple[str, str]]:
    """Return the aliases and the programs called crm-NAME, each with what it is."""
    found = {name: f"crm {expansion}" for name, expansion in aliases().items()}
    found |= {name: path for name, path in programs() if name not in built_in and name not in found}
    return [(name, about) for name, about in found.items() if name not in built_in]


def aliases() -> dict[str, str]:
    """Return what each alias stands for; nothing where the file cannot be read."""
    try:
        return alias_words.read()
    except (OSError, ValueError):
        return {}


def programs() -> Iterable[tuple[str, str]]:
    """Yield the names of the programs called crm-NAME, each once, with the path of the first on the PATH."""
    found = set[str]()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        try:
            entries = sorted(entry.name for entry in os.scandir(folder or ".") if entry.name.startswith("crm-"))
        except OSError:
            continue
        for entry in entries:
            path = os.path.join(folder, entry)
            name = (os.path.splitext(entry)[0] if os.name == "nt" else entry).removeprefix("crm-")
            if name not in found and os.access(path, os.X_OK):
                found.add(name)
                yield name, path


def expand_alias(words: Sequence[str]) -> list[str] | None:
    """Return what an alias with its words stands for; None where the first word is none, or words are missing."""
    try:
        return alias_words.expand(words, aliases())
    except ValueError:
        return None


def words_of(source: str, current: str, ids: Sequence[str], before: Sequence[str]) -> list[tuple[str, str]]:
    """Return the words of a source that begin with what is typed, each with what it is."""
    named = source.endswith("+")
    source = source.removesuffix("+")
    if source == "profiles":
        known = [(name, "") for name in _profiles()]
    elif source == "aliases":
        known = [(name, f"crm {expansion}") for name, expansion in aliases().items()]
    elif source == "commands":
        from ..completion import names

        known = [(name, node["help"]) for name, node in names(())["commands"].items()]
    else:
        if source == "*":  # of the noun that was typed
            source = f"{ids[0].replace('-', '_')}.list"
        source, _, owners = source.partition("/")
        known = live_words.ids_and_names(source, ids[: int(owners or 0)], live_words.settings_typed(before))
    return _beginning(known, current, named=named)


def _beginning(known: Sequence[tuple[str, str]], current: str, *, named: bool) -> list[tuple[str, str]]:
    """Return the ids that begin with what is typed; or else the names, in whatever letters they are typed.

    Where a name cannot be typed, and where several records have it, its id is the answer.
    """
    found = [(id, label) for id, label in known if id.startswith(current)]
    if found or not current:
        return found
    typed = current.casefold()
    often = [label.casefold() for _, label in known]
    return [
        (label, id) if named and often.count(label.casefold()) == 1 else (id, label)
        for id, label in known
        if label.casefold().startswith(typed)
    ]


def _profiles() -> list[str]:
    import tomllib

    from ..folders import config_folder

    try:
        with open(os.path.join(config_folder(), "config.toml"), "rb") as file:
            return ["default", *(name for name in tomllib.load(file).get("profiles", {}) if name != "default")]
    except (OSError, ValueError):
        return ["default"]
