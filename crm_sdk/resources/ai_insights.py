"""AI insights: what is computed from the company's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import job
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.enrichment import EnrichmentResult
    from ..models.jobs import Job


class Enrichment(Resource[Mode]):
    """Fill in what can be found out about records."""

    @job(platform="GET /ai-insights/enrich/{job_id}", status=200)
    def get(self, job_id: str) -> Job[EnrichmentResult]:
        """Fetch the state of an enrichment, also of one that `leads.enrich` began.

        Raises: NotFoundError.
        """


class AiInsights(Resource[Mode]):
    """What is computed from the company's data."""

    enrich: Enrichment[Mode] = part(Enrichment)
