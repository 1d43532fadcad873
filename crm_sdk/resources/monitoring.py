"""Monitoring: the health of the server, its figures, and the state of its services.

The documents ask for monitoring and name no routes: these routes are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, List

from pydantic import Field

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.monitoring import Health, Metrics, Probe, SystemStatus


class Monitoring(Resource[Mode]):
    """Whether the server works, and how well."""

    @operation(
        platform="GET /monitoring/health",
        auth="optional",
        role="everybody",
        statuses=(503,),
        rate="none",
        ours=True,
        errors=("NOT_FOUND",),
        texts={
            "service": "The word of one service, such as `contacts`: it is checked, too.",
            "probe": "Whether only the process is asked (`live`), or all that it needs (`ready`).",
        },
    )
    def health(self, *, service: str | None = None, probe: Probe = "ready") -> Health:
        """Ask whether the server works. It needs no token, and is not counted in rate limits.

        An answer that says `fail` has the status 503 and is returned all the same. With the header
        `Accept: application/health+json` the answer has no envelope. Raises: NotFoundError for an unknown service.
        """

    @operation(
        platform="GET /monitoring/metrics",
        ours=True,
        texts={"names": "The names of figures, such as `requests_total`; without them, all."},
    )
    def metrics(self, *, names: Annotated[List[str], Field(max_length=100)] | None = None) -> Metrics:
        """Fetch the company's figures. With the header `Accept: text/plain` they are in the format of Prometheus."""

    @operation(
        platform="GET /monitoring/status",
        ours=True,
        errors=("NOT_FOUND",),
        texts={
            "service": "The word of one service, such as `contacts`.",
            "since": "From when on incidents are shown; without it, from the start of the server.",
        },
    )
    def status(self, *, service: str | None = None, since: AwareDatetime | None = None) -> SystemStatus:
        """Fetch the state of the services over the last five minutes, incidents, and whether backups are fresh.

        Raises: NotFoundError for an unknown service.
        """
