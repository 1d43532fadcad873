"""Find positive signals, risks and competitors in English, German and Spanish texts.

A signal and a risk belong to one topic: "budget approved" replaces "budget in doubt", and vice versa. The latest
statement about a topic counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from ...data.queries.query import fold
from ...serving import Members

# Topic, kind, label, then phrases: their words follow each other with at most two words between; a star stands for any
# ending. Accents and case are ignored. A negation before a phrase cancels it, unless it is part of the phrase.
_PHRASES = """
budget + Budget approved: budget approved | budget confirmed | budget secured | approved budget | budget genehmigt
  | budget freigegeben | budget bestatigt | presupuesto aprobado | presupuesto confirmado
budget - Budget in doubt: no budget | budget cut* | budget frozen | budget freeze | budget tight | budget concern*
  | too expensive | over budget | price too high | kein budget | budget gekurzt | budget gestrichen | budget eingefroren
  | zu teuer | sin presupuesto | presupuesto recort* | presupuesto congelad* | demasiado car* | muy caro
people + Decision maker on board: decision maker joined | decision maker agree* | decision maker support*
  | cfo agree* | ceo agree* | executive sponsor | internal champion | entscheider dabei | entscheider uberzeugt
  | geschaftsfuhr* uberzeugt | geschaftsfuhr* zugestimmt | director convencid* | direccion de acuerdo
people - Decision maker missing: no decision maker | champion left | left the company | decision maker unclear
  | stakeholder* changed | kein entscheider | unternehmen verlassen | entscheider unklar | sin responsable
  | dejo la empresa
interest + Strong interest: very interested | strong interest | highly interested | excited | impressed | loved
  | sehr interessiert | grosses interesse | begeistert* | beeindruckt | muy interesad* | gran interes | encantad*
  | impresionad*
interest - Concerns raised: concern* | hesita* | not convinced | not sure | objection* | doubts | bedenken | zweifel*
  | nicht uberzeugt | einwand* | preocup* | dudas | no convencid* | objecion*
timing + Wants to start soon: as soon as possible | start immediately | urgent need | urgently need* | go live
  | so schnell wie moglich | sofort starten | dringend | cuanto antes | lo antes posible | empezar ya
timing - Delayed: delay* | postpone* | pushed back | on hold | next year | verzoger* | verschob* | verschieb* | auf eis
  | nachstes jahr | retras* | pospuest* | posponer | aplaz* | en pausa | proximo ano
contact + Next step agreed: next step* agreed | agreed next step* | follow up scheduled | meeting scheduled
  | demo scheduled | termin vereinbart | nachste schritte vereinbart | reunion acordada | reunion programada
  | proximos pasos acordados
contact - No response: no response | no reply | no answer | not respond* | unresponsive | gone quiet | gone silent
  | keine antwort | keine ruckmeldung | meldet sich nicht | antwortet nicht | sin respuesta | no responde*
  | no contesta*
contract + Ready to sign: ready to sign | sign this week | sign the contract | send the contract | verbal commitment
  | verbally agreed | vertrag schicken | vertrag unterschr* | bereit unterschreib* | mundlich zugesagt
  | list* para firmar | firmar contrato | enviar contrato
contract - Held up by review: legal review | security review | procurement review | compliance issue*
  | rechtsabteilung pruft | rechtliche prufung | sicherheitsprufung | revision legal | revision de seguridad
product + Demo convinced: demo went well | great demo | successful pilot | pilot successful | successful trial
  | demo gut gelaufen | demo lief gut | pilot erfolgreich | erfolgreich* pilot* | demo fue bien | piloto exitos*
product - Feature missing: missing feature* | lacks feature* | feature gap* | missing integration* | does not support
  | funktion fehlt | funktionen fehlen | fehlende funktion* | falta funcion* | faltan funcion*
"""
_NEGATOR_WORDS = """no not never none neither without cannot cant dont doesnt didnt isnt arent wasnt wont hardly
nicht kein keine keinen nie niemals ohne nunca sin ni tampoco"""
_NEGATORS = frozenset(_NEGATOR_WORDS.split())
_KNOWN = ("Salesforce", "HubSpot", "Pipedrive", "Zoho", "Freshsales", "SugarCRM", "Insightly")
"""Names of known competitors."""
_NAMED = re.compile(
    r"(?i:\b(?:competitors?|competing offer (?:from|of)|versus|vs\.?|compared (?:us )?(?:to|with)|switching to|"
    r"wettbewerber|konkurrenten?|konkurrenz|konkurrenzangebot von|wechsel zu|vergleich mit|"
    r"competidor(?:es|a)?|competencia|comparad[oa] con|cambiar a))[:,]?\s+"
    r"([A-ZÄÖÜÁÉÍÓÚÑ][\w&-]+(?:\s[A-ZÄÖÜÁÉÍÓÚÑ][\w&-]+)?)"
)
_UNNAMED = re.compile(
    r"\b(?:competitors?|competing offers?|competing vendors?|wettbewerber|konkurrent\w*|konkurrenz\w*|competidor\w*|"
    r"la competencia)\b"
)
UNNAMED = "unnamed competitor"

_TOKEN = re.compile(r"[a-z0-9]+|[.!?;:,]")
_CLAUSE_END = frozenset(".!?;:,")
_REACH = 3  # a negation counts for so many words after it
_GAP = 2  # so many words may stand between two of a phrase


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that is a signal or a risk of a topic."""

    topic: str
    kind: Literal["signal", "risk"]
    label: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A signal, risk or competitor, and the activity in which it was found."""

    kind: Literal["signal", "risk", "competitor"]
    label: str
    topic: str
    activity_id: str | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The findings in all activities of a deal."""

    signals: tuple[Finding, ...] = ()
    risks: tuple[Finding, ...] = ()
    competitor: Finding | None = None
    """The competitor that was named last."""


def _parse_phrases() -> tuple[Phrase, ...]:
    found: list[Phrase] = []
    for entry in re.split(r"\n(?=\w)", _PHRASES.strip()):
        head, _, phrases = entry.partition(":")
        topic, sign, label = head.split(" ", 2)
        for phrase in phrases.split("|"):
            found.append(Phrase(topic, "signal" if sign == "+" else "risk", label, tuple(phrase.split())))
    return tuple(found)


_TABLE = _parse_phrases()


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return the findings in a text as (kind, label, topic), in order."""
    folded = fold(text).replace("'", "").replace("’", "")
    tokens = _TOKEN.findall(folded)
    found: list[tuple[int, str, str, str]] = []
    for phrase in _TABLE:
        at = _place(tokens, phrase.words)
        if at is not None:
            found.append((at, phrase.kind, phrase.label, phrase.topic))
    told = [(kind, label, topic) for _, kind, label, topic in sorted(found)]
    name = competitor(text)
    return tuple(dict.fromkeys([*told, *([("competitor", name, "competitor")] if name else [])]))


@lru_cache(maxsize=4096)
def competitor(text: str) -> str | None:
    """Return the competitor that a text names, or `UNNAMED` where it mentions one without a name."""
    named = _NAMED.search(text)
    if named is not None and not _is_negated(text[: named.start()]):
        return named[1]
    for name in _KNOWN:
        known = re.search(rf"\b{name}\b", text, re.IGNORECASE)
        if known is not None and not _is_negated(text[: known.start()]):
            return name
    unnamed = _UNNAMED.search(text.lower())
    return UNNAMED if unnamed is not None and not _is_negated(text[: unnamed.start()]) else None


def evidence(activities: Iterable[Members], now: datetime | None = None) -> Evidence:
    """Return the findings in activities, from the oldest to the newest; future activities are skipped.

    An activity is a mapping with ``id``, ``date``, ``description``, ``outcome`` and ``next_step``; one without a date
    counts as older than the others.
    """
    told: dict[str, Finding] = {}
    rival: Finding | None = None
    for activity in sorted(activities, key=lambda entry: (entry.get("date") is not None, entry.get("date") or 0)):
        date = activity.get("date")
        if now is not None and date is not None and date > now:
            continue
        for kind, label, topic in read(text_of_activity(activity)):
            finding = Finding(kind, label, topic, activity.get("id"), date)  # type: ignore[arg-type] # the table's kinds
            if kind == "competitor":
                rival = finding
            else:
                told.pop(topic, None)  # added again, so that the latest is last
                told[topic] = finding
    return Evidence(
        tuple(finding for finding in told.values() if finding.kind == "signal"),
        tuple(finding for finding in told.values() if finding.kind == "risk"),
        rival,
    )


def text_of_activity(activity: Members) -> str:
    """Return all the text of an activity."""
    return ". ".join(str(activity[name]) for name in ("description", "outcome", "next_step") if activity.get(name))


def _place(tokens: Sequence[str], words: Sequence[str]) -> int | None:
    """Return where a phrase begins in a text without a negation; None where it does not occur."""
    for start, token in enumerate(tokens):
        if _is(token, words[0]) and _follows(tokens, start, words[1:]):
            before: list[str] = []
            for word in reversed(tokens[max(0, start - _REACH) : start]):
                if word in _CLAUSE_END:
                    break
                before.append(word)
            if not _NEGATORS.intersection(before):
                return start
    return None


def _follows(tokens: Sequence[str], at: int, words: Sequence[str]) -> bool:
    for word in words:
        for step in range(1, _GAP + 2):
            if at + step >= len(tokens) or tokens[at + step] in _CLAUSE_END:
                return False
            if _is(tokens[at + step], word):
                at += step
                break
            if tokens[at + step] in _NEGATORS:
                return False
        else:
            return False
    return True


def _is(token: str, word: str) -> bool:
    return token.startswith(word[:-1]) if word.endswith("*") else token == word


def _is_negated(before: str) -> bool:
    clause = re.split(r"[.!?;:,]", fold(before).replace("'", "").replace("’", ""))[-1]
    return bool(_NEGATORS.intersection(clause.split()[-_REACH:]))
