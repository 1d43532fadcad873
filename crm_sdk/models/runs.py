"""Records that are themselves a piece of work of the server: predictions, reports that run, executions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import AwareDatetime, PrivateAttr

from ..errors import ConfigurationError, DeadlineExceededError, JobFailedError
from .jobs import FIRST_PAUSE, LONGEST_PAUSE, RunStatus
from .record import Record
from .values import ErrorDetail


class Run(Record):
    """A record with the state of its own work; `wait` or `wait_async` return it when the work has ended."""

    poll_url: ClassVar[str] = "/jobs/{id}"
    """The route of the platform that returns its state."""

    status: RunStatus
    progress: float | None = None
    """0..1."""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    error: ErrorDetail | None = None

    _client: Any = PrivateAttr(default=None)

    @property
    def done(self) -> bool:
        """Whether the work has ended, successfully or not."""
        return self.status in ("succeeded", "failed", "cancelled")

    def wait(self, *, timeout: float | None = 300.0, on_progress: Callable[[Self], object] | None = None) -> Self:
        """Wait until the work has ended and return the record as it is then; for records of a `CrmClient`.

        `timeout` is in seconds, None waits forever; `on_progress` is called with the record after each look.

        Raises: JobFailedError, or DeadlineExceededError when `timeout` has passed (the work goes on).
        """
        run, pause, until = self, FIRST_PAUSE, self._until(timeout)
        while run._goes_on(on_progress, until):
            self._client.clock.sleep(run._pause(pause, until))
            run, pause = self._client._run(run._look()), min(pause * 1.5, LONGEST_PAUSE)
        return run

    async def wait_async(
        self, *, timeout: float | None = 300.0, on_progress: Callable[[Self], object] | None = None
    ) -> Self:
        """Wait until the work has ended and return the record as it is then; for records of an `AsyncCrmClient`.

        `timeout` is in seconds, None waits forever; `on_progress` is called with the record after each look.

        Raises: JobFailedError, or DeadlineExceededError when `timeout` has passed (the work goes on).
        """
        run, pause, until = self, FIRST_PAUSE, self._until(timeout)
        while run._goes_on(on_progress, until):
            await self._client.clock.sleep_async(run._pause(pause, until))
            run, pause = await self._client._run(run._look()), min(pause * 1.5, LONGEST_PAUSE)
        return run

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = state.get("__pydantic_private__")
        return state | {"__pydantic_private__": private and {**private, "_client": None}}

    def _look(self) -> Any:
        return self._client._job_at(self.poll_url.format(id=self.id), type(self))

    def _until(self, timeout: float | None) -> float:
        if self._client is None or timeout is None:
            return float("inf")
        return float(self._client.clock.monotonic()) + timeout

    def _pause(self, pause: float, until: float) -> float:
        return min(pause, until - float(self._client.clock.monotonic()))

    def _goes_on(self, on_progress: Callable[[Any], object] | None, until: float) -> bool:
        """Return whether the work has not ended yet. Raises where it failed, or there is no time left to wait."""
        if on_progress is not None:
            on_progress(self)
        if self.status in ("failed", "cancelled"):
            why = f": {self.error.message}" if self.error else ""
            raise JobFailedError(
                f"{self.id} {self.status}{why}", job=self, code=self.error.code if self.error else None
            )
        if self.done:
            return False
        if self._client is None:
            raise ConfigurationError(f"{self.id} cannot be waited for: it has no client")
        if self._client.clock.monotonic() >= until:
            raise DeadlineExceededError(f"{self.id} is still {self.status}; it goes on: wait again")
        return True
