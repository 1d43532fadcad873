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
    target: int
    percentage: int
    """0..100."""


class Achievement(Model):
    """Something worth reaching."""

    id: str
    title: str
    description: str
    category: str
    rarity: AchievementRarity
    unlocked_at: AwareDatetime | None = None
    """When it was reached; None while it is not."""
    progress: AchievementProgress


class AchievementTotals(Model):
    """What a user has reached in all."""

    total_unlocked: int
    total_available: int
    points: int


class AchievementList(Model):
    """Every achievement there is, and what a user has reached in all."""

    achievements: list[Achievement] = Field(default_factory=EMPTY)
    progress: AchievementTotals
