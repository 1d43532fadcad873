"""Achievements: what the signed-in user has reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.achievements import AchievementList


class Achievements(Resource[Mode]):
    """What the signed-in user has reached."""

    @operation(mvp="GET /api/achievements")
    def list(self) -> AchievementList:
        """Return every achievement with your progress, and your points."""
