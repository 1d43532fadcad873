"""What the assistant says, in four languages. Names, numbers and dates stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

from ...languages.negotiation import language_for
from ...serving import Context
from .languages import ar, de, en, es


def _read(texts: str) -> Mapping[str, str]:
    return {key: text for key, _, text in (line.partition(": ") for line in texts.splitlines())}


TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": _read(en.TEXTS), "de": _read(de.TEXTS), "es": _read(es.TEXTS), "ar": _read(ar.TEXTS),
}  # fmt: skip
"""What the assistant says, by language and key."""
LANGUAGES = tuple(TEXTS)


def language_of(call: Context, asked: str | None) -> str:
    """Return the language of an answer: the asked one, that of the header, the user's, the company's, else English.

    What counts is as for every answer: see `server_stub.languages.negotiation`.
    """
    return language_for(call.server, call.caller, call.headers.get("accept-language", ""), asked)


def say(language: str, phrase: str, **facts: object) -> str:
    """Return a phrase in a language; `entity` and `total` say which noun there is in it."""
    entity = facts.pop("entity", None)
    if isinstance(entity, str):
        facts |= {"one": noun(language, entity), "noun": noun(language, entity, facts.get("total", 2))}
    return TEXTS[language][phrase].format(**facts)


def noun(language: str, entity: str, count: object = 1) -> str:
    """Return what records of a kind are called."""
    return TEXTS[language][f"{'one' if count == 1 else 'many'}.{entity}"]


def description(language: str, command: str) -> str:
    """Return what a command does."""
    return TEXTS[language][f"command.{command}"]
