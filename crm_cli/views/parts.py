"""Pages of several parts: one that the server does not have, or that the user may not see, is left out and said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from crm_sdk.errors import NotFoundError, PermissionDeniedError, UnsupportedOperationError

from ..failures import complain, in_short

T = TypeVar("T")


class Parts:
    """The parts of a page, as they are read."""

    def __init__(self) -> None:
        self._missing: list[UnsupportedOperationError | NotFoundError | PermissionDeniedError] = []
        self._found = 0

    def read(self, call: Callable[[], T]) -> T | None:
        """Return a part; None where the server does not have it, or the user may not see it."""
        try:
            found = call()
        except (UnsupportedOperationError, NotFoundError, PermissionDeniedError) as error:
            self._missing.append(error)
            return None
        self._found += 1
        return found

    def say_missing(self) -> None:
        """Say on stderr what is left out. Raises: the first error, where there is no part at all."""
        if self._missing and not self._found:
            raise self._missing[0]
        for error in self._missing:
            complain(f"note: {error.operation} is left out: {in_short(error)}")
