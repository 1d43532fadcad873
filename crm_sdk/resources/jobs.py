"""Jobs: all work that the server goes on with after its answer, whoever started it and by whichever call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.any_jobs import AnyJob, JobKind, JobSort, JobStatus
    from ..models.values import EntityType


class Jobs(Resource[Mode]):
    """All work that the server goes on with after its answer."""

    @paginated(
        platform="GET /jobs",
        role="everybody",
        ours=True,
        texts={
            "kind": "Only jobs of these kinds.",
            "status": "Only jobs in these states.",
            "created_by": "Only jobs that this user, API key or app started.",
            "entity_type": "Only jobs about a record of this type.",
            "since": "Only jobs that were started at this time or later.",
            "until": "Only jobs that were started before this time.",
        },
    )
    def list(
        self,
        *,
        kind: Sequence[JobKind] | None = None,
        status: Sequence[JobStatus] | None = None,
        created_by: str | None = None,
        entity_type: EntityType | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: JobSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[AnyJob]:
        """List jobs, newest first, without their errors and results: the caller's, with ``jobs:read`` those of all.

        Records that are work themselves are among them: predictions, executions, runs of reports and synchronisations.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="GET /jobs/{job_id}", role="everybody", ours=True)
    def get(self, job_id: str) -> AnyJob:
        """Fetch the state of a job, also of one that has a documented route of its own.

        Raises: NotFoundError, also for a job of somebody else that the caller may not see, and 30 days after its end.
        """

    @operation(
        platform="POST /jobs/{job_id}/cancel",
        role="everybody",
        ours=True,
        errors=("JOB_FINISHED", "JOB_NOT_CANCELLABLE", "FORBIDDEN"),
    )
    def cancel(self, job_id: str) -> AnyJob:
        """Stop a job: one that waits at once, one that runs after the row in hand. What is done stays done.

        Cancelling a cancelled job changes nothing.

        Raises: NotFoundError; ConflictError when it has ended, or cannot be stopped; PermissionDeniedError for a job of
        somebody else without ``jobs:manage``.
        """
