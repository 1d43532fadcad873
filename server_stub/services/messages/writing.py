"""Suggestions for a message: next texts, a draft in other tones, and matching templates, filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...data.queries.query import fold
from . import reading as reading

TONES = ("formal", "casual", "friendly", "urgent")

_VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")
_GREETING = re.compile(
    r"^\s*(?:hi|hey|hello|dear|good (?:morning|afternoon|day)|hallo|guten tag|liebe[r]?|sehr geehrte[r]?|hola|"
    r"estimad[oa]|buenos días)\b[^,!\n.?]{0,60}[,!\n]\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s+(?:(?:best|kind|warm) (?:regards|wishes)|regards|cheers|sincerely|yours sincerely|mit freundlichen grüßen|"
    r"viele grüße|liebe grüße|saludos(?: cordiales)?|un abrazo|atentamente)\b[^?]{0,60}$",
    re.IGNORECASE,
)
_MARKS: Mapping[str, str] = {
    "formal": r"\b(?:dear|sincerely|kind regards|would like|regarding|cannot|do not|will not|sehr geehrte|"
    r"mit freundlichen|estimad\w|atentamente|le agradec\w+)\b",
    "casual": r"\b(?:hey|hi|thanks|yeah|gonna|wanna|cool|cheers|btw|\w+'(?:s|ll|re|ve|m|t)|moin|klar|vale)\b",
    "friendly": r"\b(?:thank you|happy|glad|hope|lovely|gladly|gern\w*|freu\w+|danke|gracias|encantad\w)\b|!",
    "urgent": r"\b(?:urgent\w*|asap|immediately|as soon as possible|today|dringend|sofort|heute|urgente|hoy)\b",
}
_FORMAL = (
    (r"\bcan't (I|we|you|they)\b", r"can \1 not"), (r"\bwon't (I|we|you|they)\b", r"will \1 not"),
    (r"n't (I|we|you|they)\b", r" \1 not"),
    (r"\bcan't\b", "cannot"), (r"\bwon't\b", "will not"), (r"n't\b", " not"), (r"'ll\b", " will"), (r"'re\b", " are"),
    (r"'ve\b", " have"), (r"\bI'm\b", "I am"), (r"\b(it|that|what|here|there)'s\b", r"\1 is"),
    (r"\bthanks\b", "thank you"), (r"\bgonna\b", "going to"), (r"\bwanna\b", "want to"), (r"\byeah\b", "yes"),
    (r"\basap\b", "as soon as possible"), (r"\bget in touch\b", "contact you"), (r"\bneed\b", "require"),
    (r"\bhelp\b", "assist"), (r"!+", "."),
)  # fmt: skip
_CASUAL = (
    (r"\bcannot\b", "can't"), (r"\bwill not\b", "won't"), (r"\b(do|does|did|is|are|was|were|have|has) not\b", r"\1n't"),
    (r"\b(I|we|you|they) will\b", r"\1'll"), (r"\b(we|you|they) are\b", r"\1're"), (r"\bI am\b", "I'm"),
    (r"\b(it|that) is\b", r"\1's"), (r"\bthank you\b", "thanks"), (r"\bregarding\b", "about"),
    (r"\brequire\b", "need"), (r"\bassist\b", "help"), (r"\bas soon as possible\b", "asap"),
)  # fmt: skip
_FRAMES: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "en": {
        "formal": ("Dear {name},", "", "Kind regards"),
        "casual": ("Hey {first},", "", "Cheers"),
        "friendly": ("Hi {first}!", "I hope you are doing well.", "Warm wishes"),
        "urgent": ("Hello {name},", "This is urgent:", "Please reply today."),
    },
    "de": {
        "formal": ("Guten Tag {name},", "", "Mit freundlichen Grüßen"),
        "casual": ("Hi {first},", "", "Bis bald"),
        "friendly": ("Hallo {first}!", "Ich hoffe, es geht Ihnen gut.", "Viele Grüße"),
        "urgent": ("Guten Tag {name},", "Es eilt:", "Bitte antworten Sie noch heute."),
    },
    "es": {
        "formal": ("Buenos días, {name}:", "", "Atentamente"),
        "casual": ("Hola, {first}:", "", "Un abrazo"),
        "friendly": ("¡Hola, {first}!", "Espero que todo vaya bien.", "Saludos"),
        "urgent": ("Buenos días, {name}:", "Es urgente:", "Le ruego que responda hoy."),
    },
}
"""Greeting, first sentence and end of a message, by language and tone."""
_NEXT: Mapping[str, tuple[str, str]] = {
    "en": ("As for {topic}: shall we talk about it this week?", "Is there anything else you need from us?"),
    "de": ("Zum Thema {topic}: Wollen wir diese Woche darüber sprechen?", "Was brauchen Sie noch von uns?"),
    "es": ("Sobre el tema {topic}: ¿lo hablamos esta semana?", "¿Necesita algo más de nosotros?"),
}
_FITTING: Mapping[str, str] = {
    "complaint": "support", "support": "support", "purchase": "proposal", "inquiry": "introduction",
    "follow-up": "follow-up",
}  # fmt: skip


def variables_of(content: str) -> list[str]:
    """Return the variables of a template's text, in the order in which they come."""
    return list(dict.fromkeys(_VARIABLE.findall(content)))


def compose(
    draft: str,
    before: Sequence[str],
    *,
    last_in: str | None,
    facts: Mapping[str, str | None],
    templates: Sequence[Mapping[str, Any]],
    tone: str | None = None,
    situation: reading.Situation | None = None,
) -> dict[str, Any]:
    """Return suggestions for a message.

    `before` are the texts of the conversation, the oldest first, `last_in` the one to be answered. `facts` are the
    values for the variables of templates. A `tone` is what the suggestions are put in.
    """
    name = facts.get("contact_name")
    known = situation or reading.Situation(name=name, before=before[:-1])
    asked = last_in if last_in is not None else (before[-1] if before else draft)
    language = reading.language_of(draft, *before[-2:])
    read = reading.analyse(asked, known)
    said = _suggestions(draft, read, asked, language)
    if tone is not None:
        said = [in_tone(text, tone, language, name) for text in said]
    text = draft.strip() or said[0]
    current = tone_of(text)
    return {
        "suggestions": said,
        "tone_adjustments": {
            "current": current,
            "alternatives": [
                {"tone": other, "preview": in_tone(text, other, language, name)} for other in TONES if other != current
            ],
        },
        "template_suggestions": _templates(templates, read, draft, language, facts),
    }


def tone_of(text: str) -> str:
    """Return the tone of a draft, by the words that mark one; friendly where nothing does."""
    points = {tone: len(re.findall(marks, text, re.IGNORECASE)) for tone, marks in _MARKS.items()}
    points["urgent"] *= 2
    best = max(points, key=lambda tone: points[tone])
    return best if points[best] else "friendly"


def in_tone(text: str, tone: str, language: str, name: str | None) -> str:
    """Return a draft in another tone: its greeting and end replaced, its words exchanged, its content kept."""
    body = _CLOSING.sub("", _GREETING.sub("", text.strip()))
    if language == "en":
        for pattern, into in _FORMAL if tone == "formal" else _CASUAL if tone == "casual" else ():
            body = re.sub(pattern, into, body, flags=re.IGNORECASE)
    if tone == "formal":
        body = re.sub(r"!+", ".", body)
    if tone == "urgent":
        body = re.sub(r"\b(?:soon|bald|pronto)\b", {"en": "today", "de": "heute", "es": "hoy"}[language], body)
    body = re.sub(r"(^|[.?!]\s+)([a-zà-ÿ])", lambda match: match[1] + match[2].upper(), body)
    greeting, opening, end = _FRAMES[language][tone]
    who = name or ""
    hello = greeting.format(name=who, first=who.partition(" ")[0])
    hello = re.sub(r",? +(?=[,:!])", "", hello)
    return "\n\n".join((hello, f"{opening} {body}".strip(), end))


def _suggestions(draft: str, read: Mapping[str, Any], asked: str, language: str) -> list[str]:
    topics: Sequence[str] = read["key_topics"]
    open_topics = [topic for topic in topics if topic not in reading.topics_of(draft)]
    more = _NEXT[language][0].format(topic=reading.topic_name(open_topics[0], language)) if open_topics else ""
    said: list[str] = []
    text = draft.strip()
    if text:
        text = text if text[-1] in ".!?" else f"{text}."
        said.append(f"{text} {more or _NEXT[language][1]}")
    said.append(read["suggested_response"])
    question = next(iter(reading.questions_of(asked)), None)
    said.append(f"“{question}” – {more or _NEXT[language][1]}" if question else more or _NEXT[language][1])
    return list(dict.fromkeys(said))


def _templates(
    templates: Sequence[Mapping[str, Any]],
    read: Mapping[str, Any],
    draft: str,
    language: str,
    facts: Mapping[str, str | None],
) -> list[dict[str, Any]]:
    """Return up to three templates that fit what was asked and what is drafted, filled with what is known."""
    first = _FITTING[read["business_intent"]]
    wanted = {first, *([_FITTING[reading.intent_of(draft)]] if draft.strip() else [])}
    topics = {*read["key_topics"], *reading.topics_of(draft)}
    if topics & {"meeting", "demo"}:
        wanted.add("meeting")
    if topics & {"pricing", "contract"}:
        wanted.add("proposal")
    words = set(re.findall(r"\w{4,}", fold(draft)))
    known = {**facts, "topic": reading.topic_name(read["key_topics"][0], language) if read["key_topics"] else None}

    def points(template: Mapping[str, Any]) -> int:
        own = 10 if template.get("language", "en") == language else 0
        asked = 5 if template["category"] == first else 0
        return own + asked + len(words & set(re.findall(r"\w{4,}", fold(template["content"]))))

    found = sorted((one for one in templates if one["category"] in wanted), key=lambda one: (-points(one), one["name"]))
    return [_fill_template(template, known) for template in found[:3]]


def _fill_template(template: Mapping[str, Any], facts: Mapping[str, str | None]) -> dict[str, Any]:
    content = _VARIABLE.sub(lambda match: facts.get(match[1]) or match[0], template["content"])
    return {**template, "content": content, "variables": variables_of(content)}
