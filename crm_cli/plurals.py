"""Nouns in singular: the calls name kinds of records in plural, and arguments, questions and messages name one."""

from __future__ import annotations

import re

_WITH_ES = re.compile(r"(?:ss|x|ch|sh)es$")


def singular(noun: str) -> str:
    """Return a noun of the catalogue, or any English word, in singular: ``activity`` for ``activities``."""
    if noun.endswith("ies") and len(noun) > 4:
        return f"{noun[:-3]}y"
    if _WITH_ES.search(noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3 else noun
