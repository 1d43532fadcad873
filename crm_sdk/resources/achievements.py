"""Achievements: the goals that the signed-in user has reached, and the progress towards the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.achievements import AchievementList


class Achievements(Resource[Mode]):
    """The goals that the signed-in user has reached, and the progress towards the others."""

    @operation(mvp="GET /api/achievements")
    def list(self) -> AchievementList:
        """Return every achievement with the signed-in user's progress, and the user's points."""
