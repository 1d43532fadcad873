"""Analyse messages in three languages: topics, tone, urgency, intent, a suggested answer and action items."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ...data.queries.query import fold
from .. import language, sentiment

# A stem counts where a word begins with it; the texts are compared without accents and in lower case.
_TOPICS: Mapping[str, str] = {
    "pricing": "price pricing cost quote discount budget expensive preis angebot teuer kosten rabatt precio oferta "
    "presupuesto caro cara descuento",
    "contract": "contract renew terms vertrag laufzeit verlanger contrato renov",
    "cancellation": "cancel terminat kundig rescind",
    "reliability": "outage bug error fail crash ausfall fehler fehlgeschlagen caida fallo fallado",
    "billing": "invoice billing payment rechnung zahlung factura pago",
    "demo": "demo trial vorfuhrung probe prueba",
    "meeting": "meeting appointment agenda schedule termin gesprach reunion llamada cita",
    "integration": "integration integrat api import sync schnittstelle",
    "onboarding": "onboarding training einfuhrung schulung formacion",
    "security": "security compliance gdpr dsgvo datenschutz seguridad",
    "reporting": "report dashboard bericht auswertung informe",
    "licences": "seat licen lizenz",
    "competitor": "competitor competition wettbewerb konkurren competencia competidor",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        name: f"the {name}"
        for name in (
            "contract", "cancellation", "demo", "meeting", "integration", "onboarding", "reporting", "licences",
        )
    },
    "de": {
        "pricing": "Preise", "contract": "Vertrag", "cancellation": "Kündigung", "reliability": "Störung",
        "billing": "Rechnung", "demo": "Vorführung", "meeting": "Termin", "integration": "Schnittstelle",
        "onboarding": "Einführung", "security": "Sicherheit", "reporting": "Auswertungen", "licences": "Lizenzen",
        "competitor": "Wettbewerb",
    },
    "es": {
        "pricing": "precios", "contract": "contrato", "cancellation": "cancelación", "reliability": "incidencia",
        "billing": "factura", "demo": "demostración", "meeting": "reunión", "integration": "integración",
        "onboarding": "formación", "security": "seguridad", "reporting": "informes", "licences": "licencias",
        "competitor": "competencia",
    },
}  # fmt: skip
_INTENTS: Mapping[str, str] = {
    "complaint": "complain unacceptable disappoint frustrat angry wrong cancel refund beschwer enttausch verarger "
    "inakzeptabel kundig queja decepcion molest inaceptable",
    "support": "help error fail bug problem issue broken outage hilfe fehler problem ausfall ayuda fall problema caida",
    "purchase": "buy purchase order sign contract approved proposal renew forward quote kauf bestell freigegeben "
    "weitermachen angebot compr aprobado adelante renov",
    "inquiry": "question could interested wonder information pricing price how frage konnten interess consulta podria "
    "interesad",
    "follow-up": "follow reminder discussed moved thanks thank attached checking nachfrag besprochen danke verlegen "
    "seguimiento gracias mover",
}
"""The intents in the order of their weight where a text says as much for one as for another."""
_URGENT = """urgent urgently asap immediately emergency critical deadline outage dringend sofort umgehend
ausfall notfall urgente inmediat caida"""
_PRESSING = """today heute hoy soon tomorrow waiting again still nobody bald morgen warten wieder niemand pronto
manana esper sigue nadie"""
_DOWN = re.compile(
    r"\b(?:server|site|website|webshop|shop|store|system|service|app|api|platform|portal|network|database|login|export|"
    r"production|everything|dashboard)s?\b[^.!?\n]{0,20}\bdown\b(?! (?:to|with|payment|well|as|the line))"
    r"|\b(?:server|seite|website|shop|system|dienst|netz|datenbank|anmeldung|alles)\w{0,10} "
    r"(?:ist |sind |liegt |steht )?(?:schon wieder |komplett |seit \w+ )?(?:down|lahm|offline|nicht erreichbar|tot)\b"
    r"|\b(?:servidor|sistema|pagina|web|servicio|red|tienda|todo)\b[^.!?\n]{0,20}\b(?:caid[oa]s?|no funciona)\b"
    r"|\bcan ?(?:not|t) wait\b|\bkann nicht warten\b|\bno puede esperar\b"
)
"""What stands still, in a folded text."""
_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "nicht",
        "kein",
        "keine",
        "nie",
        "sin",
        "nunca",
        "isnt",
        "arent",
        "wasnt",
        "hasnt",
        "havent",
        "doesnt",
        "dont",
        "didnt",
    ]
)
_WORD = re.compile(r"[a-z0-9]+")
_NEAR = 80
"""So many characters before a word its negation is looked for."""
_TIMES = {"high": "within 1 hour", "medium": "within 4 hours", "low": "within 24 hours"}
_ACTIONS: Mapping[str, str] = {
    "pricing": "Send a quote",
    "contract": "Send the contract",
    "cancellation": "Offer a review with the owner",
    "reliability": "Open a support ticket",
    "billing": "Check the invoice",
    "demo": "Arrange a demo",
    "meeting": "Confirm the appointment",
    "integration": "Ask a technician about the integration",
    "onboarding": "Plan the onboarding",
    "security": "Send the security documents",
    "reporting": "Show the reports that fit",
    "licences": "Explain how licences are counted",
    "competitor": "Prepare a comparison",
}
_ANSWERS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "complaint": "I am sorry about this. I am looking into {topic} now and will call you {when}.",
        "support": "thank you for telling us. We are looking into {topic} and will report back {when}.",
        "purchase": "that is good to hear. I will send you the documents on {topic} {when}.",
        "inquiry": "thank you for your question about {topic}. You will have an answer {when}.",
        "follow-up": "thank you for your message about {topic}. I have noted it and will get back to you {when}.",
    },
    "de": {
        "complaint": "das tut mir leid. Ich kümmere mich jetzt darum (Thema {topic}) und melde mich {when}.",
        "support": "danke für den Hinweis. Wir prüfen das (Thema {topic}) und melden uns {when}.",
        "purchase": "das freut uns. Die Unterlagen (Thema {topic}) erhalten Sie {when}.",
        "inquiry": "danke für Ihre Frage (Thema {topic}). Eine Antwort erhalten Sie {when}.",
        "follow-up": "danke für Ihre Nachricht (Thema {topic}). Wir haben sie vermerkt und melden uns {when}.",
    },
    "es": {
        "complaint": "lamento lo ocurrido. Ya estoy revisando el asunto ({topic}) y le llamaré {when}.",
        "support": "gracias por avisarnos. Estamos revisando el asunto ({topic}) y le informaremos {when}.",
        "purchase": "es una buena noticia. Le enviaré los documentos ({topic}) {when}.",
        "inquiry": "gracias por su consulta ({topic}). Tendrá una respuesta {when}.",
        "follow-up": "gracias por su mensaje ({topic}). Lo hemos anotado y le responderemos {when}.",
    },
}
_WHEN: Mapping[str, Mapping[str, str]] = {
    "en": _TIMES,
    "de": {"high": "innerhalb einer Stunde", "medium": "innerhalb von 4 Stunden", "low": "innerhalb von 24 Stunden"},
    "es": {"high": "en una hora", "medium": "en 4 horas", "low": "en 24 horas"},
}
_GREETINGS = {"en": "Hello", "de": "Guten Tag", "es": "Hola"}
_ABOUT = re.compile(r" (?:about|on) \{topic\}| \((?:Thema )?\{topic\}\)")
"""What an answer leaves out where there is no topic."""
_SHOWN = re.compile(r"\b(?:thank\w*|danke|gracias)\b[^.!?]*\bdemo|\bdemo (?:was|went|war|fue)\b")
"""Tells a demo that has been given, of a folded text."""
_DAY = re.compile(
    r"\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|montag|dienstag|mittwoch|donnerstag|"
    r"freitag|lunes|martes|miercoles|jueves|viernes)\b"
)
# Begins where a sentence does: elsewhere each try would read on to the end, which takes seconds for a long text.
_QUESTION = re.compile(r"(?<![^.!?¿\n])[^.!?¿\n]++\?")


@dataclass(frozen=True, slots=True)
class Situation:
    """The context of a message."""

    name: str | None = None
    """The name of the sender."""
    unanswered: int = 0
    """The number of unanswered messages of the sender before this one."""
    important: bool = False
    """Whether the sender is an important contact or lead."""
    before: Sequence[str] = field(default=())
    """The texts of the earlier messages, the oldest first."""


def analyse(content: str, situation: Situation | None = None) -> dict[str, Any]:
    """Return the analysis of a message."""
    known = situation or Situation()
    topics, urgency, kind = topics_of(content, known.before), urgency_of(content, known), intent_of(content)
    return {
        "key_topics": topics,
        "emotional_tone": mood_of(content, urgency),
        "urgency_level": urgency,
        "business_intent": kind,
        "suggested_response": response(content, kind, urgency, topics, known),
        "response_time": _TIMES[urgency],
        "action_items": _actions(content, kind, urgency, topics),
    }


def language_of(*texts: str) -> str:
    """Return the language that texts are answered in: ``de``, ``es``, and ``en`` for all others."""
    return language.language_of(" ".join(map(language.own_words, texts))) or "en"


def topics_of(content: str, before: Sequence[str] = ()) -> list[str]:
    """Return what a text is about, the most mentioned first; where it says nothing, what was talked of before."""
    counts = {topic: len(_hits(content, stems)) for topic, stems in _TOPICS.items()}
    found = sorted((topic for topic, count in counts.items() if count), key=lambda topic: -counts[topic])
    if not found and before:
        return topics_of(before[-1], before[:-1])[:1]
    return found[:5]


def intent_of(content: str) -> str:
    """Return what somebody wants with a text."""
    negative = sentiment.tone(content).sentiment == "negative"
    points = {name: len(_hits(content, stems)) for name, stems in _INTENTS.items()}
    points["complaint"] = points["complaint"] * 2 + len(sentiment.words_of_leaving(content)) if negative else 0
    points["inquiry"] += language.own_words(content).count("?") * 2
    best = max(points, key=lambda name: points[name])
    return best if points[best] else "follow-up"


def urgency_of(content: str, situation: Situation | None = None) -> str:
    """Return how urgent a text is: by its words, its tone, and how its sender writes and what depends on them."""
    if language.is_automatic(content):
        return "low"  # nobody wrote it
    known, content = situation or Situation(), language.own_words(content)
    points = 3 * min(len(_hits(content, _URGENT)) + len(_DOWN.findall(_plain(content))), 1) + min(
        len(_hits(content, _PRESSING)), 2
    )
    points += 1 if sentiment.tone(content).score <= -0.5 else 0
    points += 1 if sentiment.words_of_leaving(content) else 0
    letters = [letter for letter in content if letter.isalpha()]
    if "!!" in content or (len(letters) > 8 and sum(letter.isupper() for letter in letters) > len(letters) * 0.7):
        points += 1
    points += min(known.unanswered, 2) + (1 if known.important else 0)
    return "high" if points >= 3 else "medium" if points >= 1 else "low"


def mood_of(content: str, urgency: str | None = None, *, score: float | None = None) -> str:
    """Return the emotional tone of a text, in a word; `score` where its sentiment has been judged otherwise."""
    value = sentiment.tone(content).score if score is None else score
    if value <= -sentiment.LIMIT:
        return "frustrated" if value <= -0.6 else "concerned"
    if value >= sentiment.LIMIT:
        return "enthusiastic" if value >= 0.7 else "friendly"
    if (urgency or urgency_of(content)) == "high":
        return "urgent"
    return "curious" if "?" in content else "matter-of-fact"


def response(content: str, kind: str, urgency: str, topics: Sequence[str], situation: Situation) -> str:
    """Return an answer to a text in its own language."""
    language = language_of(content, *situation.before[-1:])
    text = _ANSWERS[language][kind]
    if not topics:
        text = _ABOUT.sub("", text)
    text = text.format(topic=topic_name(topics[0], language) if topics else "this", when=_WHEN[language][urgency])
    greeting = f"{_GREETINGS[language]} {situation.name}" if situation.name else _GREETINGS[language]
    return f"{greeting}, {text}"


def topic_name(topic: str, language: str) -> str:
    """Return what a topic is called in a language."""
    return _NAMES.get(language, {}).get(topic, topic)


def questions_of(content: str) -> list[str]:
    """Return the questions of a text."""
    return [found.strip() for found in _QUESTION.findall(language.own_words(content))]


def _actions(content: str, kind: str, urgency: str, topics: Sequence[str]) -> list[str]:
    items = [f"Answer {_TIMES[urgency]}"] if urgency == "high" else []
    if kind == "complaint":
        items.append("Call and apologise")
    shown = "demo" in topics and _SHOWN.search(fold(content)) is not None
    items += [
        "Agree on what comes after the demo" if shown and topic == "demo" else _ACTIONS[topic] for topic in topics[:3]
    ]
    items += [f"Answer the question: {question}" for question in questions_of(content)[:2]]
    items += [f"Check the calendar for {day.capitalize()}" for day in dict.fromkeys(_DAY.findall(fold(content)))]
    return items or ["Send a short answer"]


def _hits(content: str, stems: str) -> list[str]:
    """Return the words of a text that begin with one of the stems, unless they are negated."""
    text = _plain(content)
    return [
        found.group()
        for found in _beginning(stems).finditer(text)
        if not _NEGATIONS.intersection(_WORD.findall(text, max(0, found.start() - _NEAR), found.start())[-2:])
    ]


@lru_cache(maxsize=64)
def _plain(content: str) -> str:
    return fold(language.own_words(content)).replace("'", "")


@lru_cache(maxsize=256)
def _beginning(stems: str) -> re.Pattern[str]:
    """Return the pattern of the words that begin with one of the stems."""
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, stems.split()))})[a-z0-9]*")
