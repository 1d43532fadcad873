"""Jobs: work that the server continues after its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import AwareDatetime, Field, PrivateAttr

from ..errors import ConfigurationError, DeadlineExceededError, JobFailedError
from .record import Record
from .values import EMPTY, EntityRef, ErrorDetail, JobCounts, JobError

T = TypeVar("T")

RunStatus: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"] | str

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""The seconds between two looks at a job: at first, and at most."""


class JobState(Record, Generic[T]):
    """The state of a job; it has a `result` once its `status` is ``succeeded``."""

    kind: str
    title: str | None = None
    """What it does, in a line: `Import of people.csv`."""
    entity: EntityRef | None = None
    """The one record it is about, where it is about one."""
    cancellable: bool = False
    """Whether it can still be stopped; what is done stays done."""
    status: RunStatus
    progress: float = 0.0
    """0 to 1."""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    error: ErrorDetail | None = None
    counts: JobCounts | None = None
    """The numbers of items that are done."""
    errors: list[JobError] = Field(default_factory=EMPTY)
    """The errors of single rows or records; at most 1,000."""
    errors_truncated: bool = False
    """Whether there are more errors than are listed: the file `file_id` has them all."""
    file_id: str | None = None
    """The file it made. A job that made none and had errors has all of them there, as CSV with the columns `row`,
    `field`, `code`, `message` and `value`."""
    result: T | None = None
    status_url: str | None = None
    """The route that returns the state of the job; null where the work was done within the request."""

    _client: Any = PrivateAttr(default=None)

    @property
    def done(self) -> bool:
        """Whether the job has ended, successfully or not."""
        return self.status in ("succeeded", "failed", "cancelled") or self.finished_at is not None

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = state.get("__pydantic_private__")
        return state | {"__pydantic_private__": private and {**private, "_client": None}}

    def _result_or_raise(self) -> T:
        if self.status in ("failed", "cancelled"):
            why = f": {self.error.message}" if self.error else ""
            raise JobFailedError(
                f"job {self.id} ({self.kind}) {self.status}{why}",
                job=self,
                code=self.error.code if self.error else None,
            )
        return self.result  # type: ignore[return-value] # a succeeded job has a result, unless its document says None

    def _poll(self, on_progress: Callable[[Any], object] | None, until: float, pause: float) -> tuple[Any, str, float]:
        if on_progress is not None:
            on_progress(self)
        if self._client is None or self.status_url is None:
            raise ConfigurationError(f"job {self.id} cannot be polled: it has no client or no status_url")
        now = self._client.clock.monotonic()
        if now >= until:
            raise DeadlineExceededError(
                f"job {self.id} ({self.kind}) is still {self.status} at {self.progress:.0%}; it goes on: wait again"
            )
        return self._client, self.status_url, min(pause, until - now)


class Job(JobState[T]):
    """A job of the server; `wait` returns its result."""

    def wait(self, *, timeout: float | None = 300.0, on_progress: Callable[[Job[T]], object] | None = None) -> T:
        """Wait until the job has ended and return its result.

        `timeout` is in seconds, None waits forever; `on_progress` is called with the job's state after each look.

        Raises: JobFailedError, or DeadlineExceededError when `timeout` has passed (the job goes on).
        """
        job, pause = self, FIRST_PAUSE
        until = self._client.clock.monotonic() + timeout if self._client and timeout is not None else float("inf")
        while not job.done:
            client, url, wait = job._poll(on_progress, until, pause)
            client.clock.sleep(wait)
            job, pause = client._run(client._job_at(url, type(self))), min(pause * 1.5, LONGEST_PAUSE)
        if on_progress is not None:
            on_progress(job)
        return job._result_or_raise()


class AsyncJob(JobState[T]):
    """A job of the server; ``await job.wait()`` returns its result."""

    async def wait(
        self, *, timeout: float | None = 300.0, on_progress: Callable[[AsyncJob[T]], object] | None = None
    ) -> T:
        """Wait until the job has ended and return its result.

        `timeout` is in seconds, None waits forever; `on_progress` is called with the job's state after each look.

        Raises: JobFailedError, or DeadlineExceededError when `timeout` has passed (the job goes on).
        """
        job, pause = self, FIRST_PAUSE
        until = self._client.clock.monotonic() + timeout if self._client and timeout is not None else float("inf")
        while not job.done:
            client, url, wait = job._poll(on_progress, until, pause)
            await client.clock.sleep_async(wait)
            job, pause = await client._run(client._job_at(url, type(self))), min(pause * 1.5, LONGEST_PAUSE)
        if on_progress is not None:
            on_progress(job)
        return job._result_or_raise()
