"""Achievements: what a user has reached, and how far they are on the way to the rest."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Model
from .values import EMPTY

AchievementRarity: TypeAlias = Literal["common", "uncommon", "rare", "epic", "legendary"] | str


class AchievementProgress(Model):
    """How far somebody is on the way to an achievement."""

    current: int
    """How far it is."""
    target: int
    """Where it is reached."""
    percentage: int
    """0..100."""


class Achievement(Model):
    """Something worth reaching."""

    id: str
    title: str
    description: str
    category: str
    rarity: AchievementRarity
    """How rare it is."""
    unlocked_at: AwareDatetime | None = None
    """When it was reached; null while it is not."""
    progress: AchievementProgress


class AchievementTotals(Model):
    """What a user has reached in all."""

    total_unlocked: int
    """How many are reached."""
    total_available: int
    """How many there are."""
    points: int
    """The points of those that are reached."""


class AchievementList(Model):
    """Every achievement there is, and what a user has reached in all."""

    achievements: list[Achievement] = Field(default_factory=EMPTY)
    """Every achievement, reached or not."""
    progress: AchievementTotals
