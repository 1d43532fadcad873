"""Sentiment analysis of texts by a word list in English, German and Spanish, with negation and emphasis."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from ..data.queries.query import fold
from .language import language_of, own_words

LIMIT = 0.2
"""The least absolute score of a text that is not neutral."""

# Weight, then the words; a star stands for any ending. Accents and case are ignored.
_WORDS = """
 3 excellent outstanding fantastic amazing perfect thrilled delighted brilliant superb
 3 hervorragend* ausgezeichnet* fantastisch* perfekt* begeistert* großartig*
 3 excelente* fantástic* perfect* encantad* increíble* magnífic* maravillos*
 2 great love loved loves happy impressed pleased thank thanks grateful awesome excited recommend recommended
 2 enthusiastic wonderful satisfied successful enjoyed enjoy appreciate appreciated appreciates pleasure exceeded
 2 exceeds seamless flawless impressive outperformed praise
 2 toll tolle toller super glücklich* zufrieden* beeindruckt* danke dank dankbar* empfehl* freuen erfreut* freut
 2 spaß klasse prima reibungslos* einwandfrei* gelobt vorbildlich*
 2 gracias feliz felices contento* contenta* satisfech* impresionad* recomend* agradec* genial geniales éxito*
 2 maravilla estupend* impecable* placer
 1 good nice helpful interested positive agreed agree approve approved useful welcome easy works smooth smoothly
 1 solved reliable trust efficient intuitive valuable responsive professional
 1 progress improved improvement confident ready quick quickly friendly clear win won better best glad
 1 gut gute guter gutes guten hilfreich* interessiert* positiv* einverstanden zugestimmt nützlich* einfach* schnell*
 1 zuverlässig* angenehm* wertvoll* vertrauen gelöst
 1 freundlich* klar klare verbessert* gewonnen besser* bereit gerne gern
 1 bueno buena buenos bien útil* interesad* positiv* acuerdo aprobad* fácil* rápid* amable* claro mejor* listo
 1 fiable* eficaz eficaces eficiente* agradable* confianza resuelto sencill*
 1 listos gusta gusto gustó
-1 slow delay delays delayed concern concerns concerned issue issues problem problems expensive unclear
-1 difficult late hesitant unfortunately stuck impatient tedious lacking unanswered
-1 missing missed worried confused confusing waiting doubt doubts postponed postpone reject rejected complicated pricey
-1 langsam* verzöger* verspät* sorge sorgen bedenken problem* teuer* unklar* schwierig* spät fehlt fehlend* zweifel*
-1 leider mühsam* umständlich* hängt
-1 verschoben verwirr* abgelehnt kompliziert* warten
-1 lento lenta lentos retras* preocup* problema* caro caros confus* difícil* falta* duda* dudos* pospuest*
-1 rechazad* complicad* lamentablemente tedios* desgraciadamente
-2 bad unhappy disappointed disappointing disappointment frustrated frustrating annoyed complaint complain complained
-2 complains poor broken fail failed fails failure unacceptable angry refund cancel cancelled cancellation
-2 cancelling wrong
-2 mess messy regret regrets regretted crash crashes crashed crashing unusable unstable ignored rude painful
-2 ridiculous misleading unprofessional unresponsive overcharged
-2 dissatisfied upset unreliable useless lost terminate hate hated
-2 schlecht* enttäusch* frustrier* verärgert* beschwer* defekt* kaputt* fehler gescheitert* unzufrieden* wütend*
-2 inakzeptabel*
-2 mangelhaft* peinlich* nervt nervig* unfreundlich* unbrauchbar* absturz* abstürz* abgestürzt* ignoriert* chaos
-2 unzuverlässig* nutzlos* kündig* stornier* rückerstattung ärgerlich* verloren
-2 mala malo malos malas decepcion* frustrad* molest* queja* quejar* roto rota rotos falla fallo fallos fallas
-2 inaceptable* enfadad* reembols*
-2 vergüenza ignora ignoran inservible* caos grosero* bloquead* lamentable* ineficient*
-2 insatisfech* cancel* inútil* perdid* equivocad*
-3 nightmare
-3 terrible horrible awful worst disaster furious outrageous scam lawsuit
-3 schrecklich* furchtbar* katastroph* miserabel* schlimmst* betrug
-3 terribl* horribl* pésim* desastr* furios* estafa*
"""
_NEGATORS = """not no never none nobody nothing neither without cannot cant dont doesnt didnt isnt arent wasnt werent
wont wouldnt couldnt shouldnt hasnt havent hadnt aint mustnt neednt hardly barely nicht kein keine keinen keiner
keinem keines nie niemals ohne kaum ni
nunca jamas sin nada nadie tampoco apenas"""
_STRONGER = """very really extremely absolutely so totally completely incredibly highly too sehr wirklich extrem absolut
total äußerst besonders unglaublich zu muy realmente extremadamente totalmente completamente tan demasiado sumamente"""
_WEAKER = """somewhat slightly fairly rather kinda little bit etwas bisschen ziemlich leicht relativ algo poco
bastante ligeramente"""
_PRAISE = re.compile(
    r"\b(?:couldnt|could not|can ?not|cant) (?:be|have been|ask for|wish for) (?:any )?(?:happier|better|more)\b"
    r"|\b(?:can ?not|cant) (?:recommend|thank|praise)\b[^.!?]{0,30}\benough\b|\b(?:can ?not|cant) complain\b"
    r"|\bkann mich nicht beschweren\b|\bno (?:me )?puedo quejarme\b"
)
"""What praises by denying."""
_ANYTHING_BUT = re.compile(
    r"\b(?:anything but|far from|by no means|alles andere als|weit (?:davon )?entfernt|todo menos|lejos de)\b"
)
"""Negates what follows; its "but" turns nothing."""
_NOTHING_BUT = re.compile(
    r"\b(?:nothing but|not only|not just|no doubt|nicht nur|nichts als|kein zweifel|no solo|sin duda|nada mas que)\b"
)
"""Negates nothing."""
_DOUBTS = re.compile(
    r"\b(?:(?:do|does|did|would|can|could) ?n[o]?t|never|wouldnt|cant|couldnt) (?:really |even |honestly )?"
    r"(?:think|believe|feel|find|see|say|call|consider|expect)\b"
    r"|\b(?:glaube|glauben|denke|denken|finde|finden) (?:ich |wir )?nicht\b"
    r"|\bno (?:creo|creemos|pienso|pensamos|me parece|nos parece|considero|diria)\b"
)
"""Negates the rest of the sentence."""
_NOT, _REALLY, _DOUBT = "not", "really", "doubtful0"
_TURNS = "but however although yet aber jedoch allerdings trotzdem doch pero aunque embargo"
_LEAVING = """cancel cancell* terminat* competitor* switching refund* leaving downgrad* kündig* wettbewerb* konkurren*
wechseln rückerstattung* stornier* rescindir* competidor* competencia reembols*"""

_TOKEN = re.compile(r"[a-z0-9]+|[.!?;:,]")
_CLAUSE_END = frozenset(".!?;:,")
_SENTENCE_END = frozenset(".!?;")
_REACH = 3  # a negation or an emphasis counts for so many words after it
_STEADINESS = 6.0  # how much it takes for the score to come near 1


@dataclass(frozen=True, slots=True)
class Tone:
    """How friendly a text is."""

    score: float
    """-1..1."""
    confidence: int
    """0..100."""
    words: tuple[str, ...] = ()
    """What told, in the order of the text."""

    @property
    def sentiment(self) -> str:
        """Return ``positive``, ``neutral`` or ``negative``."""
        return name_of_score(self.score)


def name_of_score(score: float) -> str:
    """Return the name of a score."""
    return "positive" if score >= LIMIT else "negative" if score <= -LIMIT else "neutral"


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Words with a value; those with a star by their beginning."""

    exact: Mapping[str, int]
    stems: Mapping[str, int]
    longest: int
    """The length of the longest beginning."""

    def value(self, word: str) -> int:
        """Return the value of a word, 0 for one that is not in it; the longest beginning wins."""
        if word in self.exact:
            return self.exact[word]
        begin = min(len(word), self.longest)
        return next((self.stems[word[:end]] for end in range(begin, 1, -1) if word[:end] in self.stems), 0)


def _lexicon(entries: Sequence[tuple[str, int]]) -> _Lexicon:
    exact = {fold(word): value for word, value in entries if not word.endswith("*")}
    stems = {fold(word[:-1]): value for word, value in entries if word.endswith("*")}
    return _Lexicon(MappingProxyType(exact), MappingProxyType(stems), max(map(len, stems), default=0))


def _weighted_words() -> list[tuple[str, int]]:
    lines = [line.split() for line in _WORDS.strip().splitlines()]
    return [(word, int(weight)) for weight, *words in lines for word in words]


def _set(words: str) -> frozenset[str]:
    return frozenset(fold(words).split())


_VALUES = _lexicon(_weighted_words())
_EXIT = _lexicon([(word, 1) for word in _LEAVING.split()])
_NO, _MORE, _LESS, _BUT = _set(_NEGATORS), _set(_STRONGER), _set(_WEAKER), _set(_TURNS)


@lru_cache(maxsize=4096)
def tone(text: str) -> Tone:
    """Judge a text: ``not good`` is worse than nothing, ``very good`` better than ``good``; a "but" turns it."""
    tokens = _tokens(text)
    if language_of(own_words(text)) is None:
        return Tone(0.0, 20)
    parts: list[tuple[str, float]] = []
    values = {word: _VALUES.value(word) for word in set(tokens)}
    turn: int | None = None
    doubted = False
    for at, word in enumerate(tokens):
        if word in _BUT or word in _SENTENCE_END:
            doubted = False
        if word in _BUT:
            turn = len(parts)
            continue
        doubted = doubted or word == _DOUBT
        value: float = values[word]
        if not value:
            continue
        if doubted:
            value *= -0.75
        for before in _reach(tokens, at):
            if before in _NO:
                value *= -0.75
            elif before in _MORE:
                value *= 1.5
            elif before in _LESS:
                value *= 0.6
        parts.append((word, value))
    if not parts:
        return Tone(0.0, 60 if tokens else 30)
    if turn is not None and turn < len(parts):
        parts = [(word, value * (0.5 if n < turn else 1.5)) for n, (word, value) in enumerate(parts)]
    total = sum(value for _, value in parts) * (1.1 if "!" in tokens else 1.0)
    score = total / math.sqrt(total * total + _STEADINESS)
    # Words that contradict each other make the answer less sure.
    unanimity = abs(sum(value for _, value in parts)) / sum(abs(value) for _, value in parts)
    return Tone(round(score, 4), round(50 + 45 * abs(score) * unanimity), tuple(word for word, _ in parts))


@lru_cache(maxsize=4096)
def words_of_leaving(text: str) -> tuple[str, ...]:
    """Return the words of a text that tell of leaving, such as ``cancel`` or ``competitor``, unless negated."""
    tokens = _tokens(text)
    return tuple(
        word
        for at, word in enumerate(tokens)
        if _EXIT.value(word) and not any(before in _NO for before in _reach(tokens, at))
    )


def _tokens(text: str) -> list[str]:
    plain = fold(own_words(text)).replace("'", "").replace("’", "")
    for pattern, word in ((_PRAISE, "excellent"), (_ANYTHING_BUT, _NOT), (_NOTHING_BUT, _REALLY), (_DOUBTS, _DOUBT)):
        plain = pattern.sub(f" {word} ", plain)
    return _TOKEN.findall(plain)


def _reach(tokens: Sequence[str], at: int) -> list[str]:
    """Return the words just before one, of the same clause."""
    found: list[str] = []
    for word in reversed(tokens[max(0, at - _REACH) : at]):
        if word in _CLAUSE_END or word in _BUT:
            break
        found.append(word)
    return found
