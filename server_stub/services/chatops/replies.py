"""What the assistant says, in four languages. Names, numbers and dates stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...serving import Context
from .languages import ar, de, en, es

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def _read(texts: str) -> Mapping[str, str]:
    return {key: text for key, _, text in (line.partition(": ") for line in texts.splitlines())}


TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": _read(en.TEXTS), "de": _read(de.TEXTS), "es": _read(es.TEXTS), "ar": _read(ar.TEXTS),
}  # fmt: skip
"""What the assistant says, by language and key."""
LANGUAGES = tuple(TEXTS)


def language_of(call: Context, asked: str | None) -> str:
    """Return the language of an answer: the asked one, that of the header, the user's, the company's, else English.

    Only languages that the company has, and that there are answers in, count (RFC 4647 lookup: ``de-AT`` is ``de``).
    """
    known = [tag for tag in LANGUAGES if tag in (call.tenant.get("languages") or LANGUAGES)]
    user: Mapping[str, Any] = call.collection("user").get(call.caller.user_id or "") or {}
    preferences: Mapping[str, Any] = user.get("preferences") or {}
    for wish in (
        asked,
        *_accepted(call.headers.get("accept-language", "")),
        preferences.get("language"),
        call.tenant.get("locale"),
    ):
        tag = str(wish or "").casefold().partition("-")[0]
        if tag in known:
            return tag
    return "en"


def _accepted(header: str) -> Iterator[str]:
    """Yield the languages of an Accept-Language header, the best first; of a malformed one none, after * none."""
    found: list[tuple[float, str]] = []
    for part in header.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            return
        if (weight := float(match[2] or 1)) > 0:
            found.append((weight, match[1]))
    for _, tag in sorted(found, key=lambda entry: -entry[0]):
        if tag == "*":
            return
        yield tag


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
