"""What TAB offers from the server: ids, names and stages, kept for a few minutes in the user's cache folder.

TAB itself reads a file. Where there is none that still holds, another process asks the server, and TAB waits for it for
a moment only: a server that hangs costs that moment once, and what comes later is there for the next TAB.

What is kept belongs to what the command line would use: typed options, environment and files of settings name
its folder, so that no profile, server, company or key sees what another one was answered.
"""

from __future__ import annotations

# Completion has to be fast: importing `pathlib`, `json` or `hashlib` would take too long.
# ruff: noqa: PTH103, PTH106, PTH108, PTH109, PTH110, PTH112, PTH116, PTH118, PTH120, PTH208
import os
import sys
import time

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Sequence

FRESH, AFTER_FAILURE = 300.0, 30.0
"""Seconds for which an answer holds, and after which a server that gave none is asked again."""
_PATIENCE = 2.0
"""Seconds that TAB waits for an answer, unless CRM_COMPLETION_WAIT says otherwise."""
_GIVEN_UP = 60.0
"""Seconds after which a process that asks is taken to be gone."""
_OFTEN = 0.01
VALUED = frozenset({"--profile", "--base-url", "--api-key", "--tenant", "--dialect"})
"""The options that say which server is asked and as whom, with a value."""
_SWITCHES = frozenset({"--offline", "--no-offline"})
ASK = "__remember"
"""The word after `crm` that asks the server; what is typed after it are the file, the source, the typed ids."""


def ids_and_names(source: str, ids: Sequence[str], typed: Sequence[str]) -> list[tuple[str, str]]:
    """Return the ids and the names of a list of the server; `ids` are those that its records belong to.

    `typed` are the options that say which server is meant, as they were typed.
    """
    path = os.path.join(_folder(typed), _file_name(source, ids))
    found = _read(path)
    if found is None:
        _ask(path, source, ids, typed)
        found = _read(path)
    return found or []


def settings_typed(before: Sequence[str]) -> list[str]:
    """Return those of the typed words that say which server is asked and as whom."""
    found: list[str] = []
    words = iter(before)
    for word in words:
        name, equals, _ = word.partition("=")
        if name in VALUED:
            found += [word] if equals else [word, next(words, "")]
        elif word in _SWITCHES:
            found.append(word)
    return found


def forget_answers() -> None:
    """Forget what servers have answered: something was written, or somebody else has signed in."""
    if os.path.isdir(_root()):
        import shutil

        shutil.rmtree(_root(), ignore_errors=True)


def keep(path: str, found: Sequence[tuple[str, str]] | None) -> None:
    """Keep what a server has answered; None stands for no answer. Nobody else may read it."""
    from ..folders import write_whole

    _make_folder(path)
    until = time.time() + (AFTER_FAILURE if found is None else FRESH)
    lines = [f"{int(until)}", *(f"{id}\t{' '.join(label.split())}" for id, label in found or ())]
    write_whole(path, "\n".join(lines).encode("utf-8", "replace"), mode=0o600)
    from contextlib import suppress

    with suppress(OSError):  # another process does the same
        _sweep(path)


def _make_folder(path: str) -> None:
    """Make the folders of a file, which nobody else may look into."""
    os.makedirs(_root(), 0o700, exist_ok=True)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)


def _sweep(new: str) -> None:
    """Delete what no longer holds: it is about people, and nobody needs it."""
    now = time.time()
    for folder in os.scandir(_root()):
        for entry in os.scandir(folder.path):
            if now - entry.stat().st_mtime > FRESH and entry.path != new:
                os.unlink(entry.path)
        if not os.listdir(folder.path):
            os.rmdir(folder.path)


def _root() -> str:
    from ..folders import cache_folder

    return os.path.join(cache_folder(), "words")


def _folder(typed: Sequence[str]) -> str:
    """Return the folder of what was answered to these settings; it changes with all that they follow from."""
    from ..folders import config_folder

    told = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("CRM_")]
    files = [os.path.join(config_folder(), "config.toml")]
    folder = os.getcwd()
    while True:
        files.append(os.path.join(folder, ".crm.toml"))
        if folder == os.path.dirname(folder):
            break
        folder = os.path.dirname(folder)
    for file in files:
        try:
            state = os.stat(file)
        except OSError:
            continue
        told.append(f"{file} {state.st_mtime_ns} {state.st_size}")
    return os.path.join(_root(), _digest("\0".join([*typed, "", *told])))


def _file_name(source: str, ids: Sequence[str]) -> str:
    return f"{source}-{_digest(chr(0).join(ids))}" if ids else source


def _digest(text: str) -> str:
    """Return a name for a text that does not show it: there may be a key in it."""
    try:
        from _blake2 import blake2b  # `hashlib` loads OpenSSL, which takes as long as starting Python
    except ImportError:
        from hashlib import blake2b

    return str(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest())


def _read(path: str) -> list[tuple[str, str]] | None:
    """Return what a file has; None where there is none that still holds."""
    try:
        with open(path, encoding="utf-8") as file:
            first, *lines = file.read().split("\n")
        left = float(first) - time.time()
    except (OSError, ValueError):
        return None
    if not 0 < left <= FRESH:
        return None
    return [(id, label) for id, _, label in (line.partition("\t") for line in lines)]


def _ask(path: str, source: str, ids: Sequence[str], typed: Sequence[str]) -> None:
    """Let a process ask the server, unless one does already, and wait for a moment until it has answered."""
    patience = float(os.environ.get("CRM_COMPLETION_WAIT") or _PATIENCE)
    mark = f"{path}.asking"
    _make_folder(path)
    try:
        since = time.time() - os.stat(mark).st_mtime
        if not 0 <= since < _GIVEN_UP:
            os.unlink(mark)
            raise FileNotFoundError
        patience -= since
    except FileNotFoundError:
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _start([ASK, path, source, str(len(ids)), *ids, *typed])
    end = time.monotonic() + patience
    while os.path.exists(mark) and time.monotonic() < end:
        time.sleep(_OFTEN)


def _start(words: Sequence[str]) -> None:
    """Start the command line in a process that goes on when the shell's line does."""
    import subprocess

    away = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, "-m", "crm_cli", *words], stdin=away, stdout=away, stderr=away, start_new_session=True
    )
