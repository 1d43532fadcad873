"""What is said in each language, by its English text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from ..problems import FieldError, Problem, validation_message

Section: TypeAlias = Literal["messages", "labels"]
_HOLE = re.compile(r"\{(\d)\}")


@cache
def catalogue(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return the catalogue of a language: its sections, each with texts by their English templates."""
    found: Mapping[str, Mapping[str, str]] = json.loads(
        (Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8")
    )
    return found


@cache
def _with_values(section: Section) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return the templates with holes, each with what is between them, the most exact first."""
    templates = [(one, tuple(_HOLE.split(one)[::2])) for one in catalogue("en")[section] if _HOLE.search(one)]
    return sorted(templates, key=lambda entry: (-len("".join(entry[1])), entry[0]))


@lru_cache(maxsize=1024)
def _pattern(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("(.*?)".join(map(re.escape, parts)), re.DOTALL)


def template_of(section: Section, text: str) -> tuple[str, Sequence[str]] | None:
    """Return the template that a text was made from, with its values; None for a text that the catalogue lacks."""
    if text in catalogue("en")[section]:
        return text, ()
    for template, parts in _with_values(section):
        if text.startswith(parts[0]) and text.endswith(parts[-1]) and all(part in text for part in parts):
            match = _pattern(parts).fullmatch(text)
            if match is not None and all(match.groups()):
                return template, match.groups()
    return None


def translated_text(language: str, text: str, section: Section = "messages") -> str | None:
    """Return a text in another language; None for one that its catalogue lacks.

    A value that is itself a text of the catalogue, such as the reason within a message, is translated as well. Each
    other value stays letter by letter; in a text from right to left it is isolated from what is around it (Unicode's
    FSI and PDI), so that a name, an id or a number in Latin letters does not turn the order of the words.
    """
    if language == "en":
        return text
    found = template_of(section, text)
    own = catalogue(language).get(section, {}).get(found[0]) if found is not None else None
    if found is None or own is None:
        return None
    values = [translated_text(language, value, section) or _isolated_value(language, value) for value in found[1]]
    return _HOLE.sub(lambda hole: values[int(hole[1])], own)


def _isolated_value(language: str, value: str) -> str:
    return f"\u2068{value}\u2069" if language == "ar" else value


def label(language: str, text: str) -> str:
    """Return a label in another language; as it is where there is no translation."""
    return translated_text(language, text, "labels") or text


def permission_words(language: str, template: str, *values: str) -> str:
    """Return a text about a permission in a language, with its values; a value without a translation is as it is."""
    own = catalogue(language)["permissions"]
    said = [own.get(value) or (value if value.isdecimal() else _isolated_value(language, value)) for value in values]
    return _HOLE.sub(lambda hole: said[int(hole[1])], own[template])


def feed(language: str) -> Mapping[str, str]:
    """Return the lines of the feed in a language, by verb."""
    return catalogue(language)["feed"]


def in_language(language: str, problem: Problem) -> Problem | None:
    """Return a problem with its messages in another language; None where one has no translation."""
    if language == "en":
        return problem
    entries: list[FieldError] = []
    for entry in problem.entries:
        message = translated_text(language, entry.message)
        if message is None:
            return None
        entries.append(replace(entry, message=message))
    if not problem.errors:
        message = entries[0].message
        return problem.saying(message, ())
    whole = validation_message(
        entries[0], translated_text(language, f"and {len(entries) - 1} more") or "", len(entries) - 1
    )
    own = problem.message if problem.message != _english(problem) else None
    return problem.saying(whole if own is None else translated_text(language, own) or whole, entries)


def said_in(language: str, problem: Problem) -> tuple[Problem, str]:
    """Return a problem in a language, and the language it is in: English where a message has no translation."""
    found = in_language(language, problem)
    return (found, language) if found is not None else (problem, "en")


def _english(problem: Problem) -> str:
    more = len(problem.entries) - 1
    return validation_message(problem.entries[0], f"and {more} more", more)
