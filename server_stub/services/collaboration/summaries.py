"""The lines of a feed, in the languages of the application."""

from __future__ import annotations

from ...languages.catalogue import feed

VERBS = frozenset({
    "created", "updated", "deleted", "commented", "mentioned", "shared", "stage_changed", "won", "lost", "qualified",
    "converted", "assigned", "completed", "merged", "uploaded", "joined",
})  # fmt: skip
"""What a feed says was done."""


def summary(language: str, verb: str, actor: str, entity: str, target: str) -> str:
    """Return the line of an item."""
    return feed(language)[verb].format(actor=actor, entity=entity, target=target)
