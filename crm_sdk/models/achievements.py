"""Achievements: the goals that a user has reached, and the progress towards the others."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Model
from .values import EMPTY

AchievementRarity: TypeAlias = Literal["common", "uncommon", "rare", "epic", "legendary"] | str


class AchievementProgress(Model):
    """A user's progress towards an achievement."""

    current: int
    """The present value."""
    target: int
    """The value at which the achievement is unlocked."""
    percentage: int
    """0..100."""


class Achievement(Model):
    """A goal that a user can reach."""

    id: str
    title: str
    description: str
    category: str
    rarity: AchievementRarity
    """How rare it is."""
    unlocked_at: AwareDatetime | None = None
    """When the user reached it; null while it is not reached."""
    progress: AchievementProgress


class AchievementTotals(Model):
    """The totals of a user's achievements."""

    total_unlocked: int
    """The number of unlocked achievements."""
    total_available: int
    """The number of all achievements."""
    points: int
    """The points of the unlocked achievements."""


class AchievementList(Model):
    """All achievements with a user's progress, and the totals."""

    achievements: list[Achievement] = Field(default_factory=EMPTY)
    """All achievements, unlocked or not."""
    progress: AchievementTotals
