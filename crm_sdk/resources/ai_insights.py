"""AI insights: jobs that enrich the company's records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import job
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.enrichment import EnrichmentResult
    from ..models.jobs import Job


class Enrichment(Resource[Mode]):
    """Enrichment jobs: fill in members of records from other sources."""

    @job(platform="GET /ai-insights/enrich/{job_id}", status=200)
    def get(self, job_id: str) -> Job[EnrichmentResult]:
        """Fetch the state of an enrichment job, including those started by `leads.enrich`.

        Raises: NotFoundError.
        """


class AiInsights(Resource[Mode]):
    """Jobs that enrich the company's records."""

    enrich: Enrichment[Mode] = part(Enrichment)
