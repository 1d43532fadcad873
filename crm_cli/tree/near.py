"""Did you mean: the word that was probably meant by a mistyped one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..failures import MisuseError

_LONG = 7
"""From so many letters on, two slips may be in a word."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a mistyped one is probably meant to be; None where there is none, or more than one."""
    typed = _plain(word)
    slips = {candidate: _slips(typed, _plain(candidate)) for candidate in dict.fromkeys(known)}
    allowed = 2 if len(typed) >= _LONG else 1
    best = min(slips.values(), default=allowed + 1)
    found = [candidate for candidate, count in slips.items() if count == best]
    return found[0] if best <= allowed and len(found) == 1 else None


def slip_of(word: str, known: Sequence[str]) -> str | None:
    """Return the known word of which this one is a slip; None where it may be a word of its own."""
    if word in known or any(_plain(word) == _plain(each) for each in known):
        return None
    found = nearest(word, known)
    # "proposal-2" is no slip of "proposal": whoever defines words of their own takes known ones as a start.
    return None if found is None or _plain(word).startswith(_plain(found)) else found


def question_for(word: str, known: Iterable[str]) -> str:
    """Return the question for the word that was probably meant, as the end of a message; nothing without one."""
    found = nearest(word, known)
    return f"; did you mean {found!r}?" if found is not None else ""


def meant_or_all(word: str, known: Iterable[str], *, listed: Sequence[str] | None = None) -> str:
    """Return the question for the word that was probably meant, or else those there are, as the end of a message.

    The last part of a dotted word is as good as the whole.
    """
    choices = list(known)
    whole = {**{one.rpartition(".")[2]: one for one in choices}, **{one: one for one in choices}}
    found = nearest(word, whole)
    if found is not None:
        return f"; did you mean {whole[found]!r}?"
    shown = ", ".join(choices if listed is None else listed)
    return f"; there are {shown}" if shown else ""


def refusal(message: str, word: str, known: Iterable[str], *, listed: Sequence[str] | None = None) -> MisuseError:
    """Return the error about a word that is not known: with the one that was meant, or else those there are."""
    return MisuseError(f"{message}{meant_or_all(word, known, listed=listed)}")


JOBS: Mapping[str, str] = {"exports": "export", "imports": "import", "contacts imports": "contact_import"}
"""The groups whose work is jobs, which the list of all jobs has: the kind of each."""


def explain(error: Any) -> None:
    """Name in a usage error of typer the command or the option that was probably meant, as in every other refusal."""
    context = error.ctx
    if context is None:
        return
    if getattr(error, "possibilities", None) is not None:
        flags = [flag for each in context.command.params for flag in (*each.opts, *each.secondary_opts)]
        error.possibilities, found = None, nearest(error.option_name, flags)
    elif context.parent is None and error.message.startswith("No such command 'version'"):
        error.message, found = "No such command 'version': `crm --version` prints it", None
    elif (words := re.match(r"No such command '(.*?)'(?=\.? Did you mean|\.?\Z)", error.message)) is not None:
        kind = JOBS.get(context.command_path.partition(" ")[2])
        if words[1] == "list" and kind is not None:
            error.message = f"{words[0]}: they are jobs, and `crm jobs list --kind {kind}` lists them"
            return
        found = nearest(words[1], context.command.commands)
        if found is not None:  # what typer adds to it are words with some of the same letters: `files` for `leds`
            error.message = words[0]
    else:
        found = None
    if found is not None:
        error.message = f"{error.message.rstrip('.')}. Did you mean {found!r}?"


def _plain(word: str) -> str:
    return word.casefold().replace("-", "").replace("_", "")


def _slips(left: str, right: str) -> int:
    """Return how many letters are missing, superfluous, wrong, or in the place of their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
