"""Questions in words: what they ask for is found in them, and the names in them are those of the company's data."""

from __future__ import annotations

import re

from ...data.queries.query import fold
from ..ai.questions import names_in
from .languages import ar, de, en, es
from .reading import added_up, list_reply
from .subjects import Subject, subject_named
from .tokens import Token, tokens
from .turns import Reply, Turn
from .words import Unclear, pairs_joined, read

_CONFIDENCE = 80
_COUNT = r"count|how many|number of|wie viele|anzahl|cuant[oa]s|كم"
_SUM = r"sum|total|how much|worth|summe|gesamt\w*|wie viel|suma|cuanto|مجموع|قيمة"
_MEAN = r"average|mean|durchschnitt\w*|promedio|متوسط"
_FILLERS = frozenset(" ".join((en.FILLERS, de.FILLERS, es.FILLERS, ar.FILLERS)).split())
"""The words that say nothing of which records are meant."""


def answered_question(turn: Turn) -> Reply | None:
    """Return the answer to a question in words; None for a text that is none."""
    words = [token for token in pairs_joined(tokens(turn.text)) if token.word or token.text]
    found = next(((at, one) for at, token in enumerate(words) if (one := subject_named(token.word))), None)
    if found is None:
        return None
    at, subject = found
    rest = [*words[:at], *words[at + 1 :]]
    try:
        chosen = _understood_words(turn, subject, rest)
    except Unclear:
        return None
    if chosen is None:
        return None
    text = fold(turn.text)
    if re.search(rf"\b(?:{_MEAN})\b", text) and subject.money is not None:
        return added_up(turn, subject, subject.money, chosen, mean=True, confidence=_CONFIDENCE)
    if re.search(rf"\b(?:{_COUNT})\b", text):
        return list_reply(turn, subject, chosen, only_count=True, confidence=_CONFIDENCE)
    if re.search(rf"\b(?:{_SUM})\b", text) and subject.money is not None:
        return added_up(turn, subject, subject.money, chosen, confidence=_CONFIDENCE)
    return list_reply(turn, subject, chosen, confidence=_CONFIDENCE)


def _understood_words(turn: Turn, subject: Subject, words: list[Token]) -> list[Token] | None:
    """Return the words that a command would have for a question; None where one says something that is not known."""
    left = read(turn.call, subject, words).left
    strange = [token for token in left if token.word not in _FILLERS]
    kept = [token for token in words if token not in left]
    if not strange:
        return kept
    names = [name for _, name in names_in(turn.call, turn.text)]
    known = {word for name in names for word in re.split(r"[^\w]+", fold(name)) if word}
    if not names or any(not set(re.split(r"[^\w]+", fold(token.text))) - {""} <= known for token in strange):
        return None
    return [*kept, Token("named", "named"), Token(" ".join(dict.fromkeys(token.text for token in strange)), "")]
