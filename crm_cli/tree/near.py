"""Did you mean: the word that was probably meant by a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    meant = nearest(word, known)
    # "proposal-2" is no slip of "proposal": whoever defines words of their own takes known ones as a start.
    return None if meant is None or _plain(word).startswith(_plain(meant)) else meant


def refusal(message: str, word: str, known: Iterable[str], *, listed: Sequence[str] | None = None) -> MisuseError:
    """Return the error about a word that is not known: with the one that was meant, or else those there are."""
    choices = list(known)
    meant = nearest(word, choices)
    shown = ", ".join(choices if listed is None else listed)
    return MisuseError(f"{message}; did you mean {meant!r}?" if meant is not None else f"{message}; there are {shown}")


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
