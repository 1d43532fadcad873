"""Imports in tests: a file is sent, the job has ended, and what it made can be read."""

from __future__ import annotations

from typing import Any

from crm_sdk import CrmClient
from crm_sdk.models import AnyJob


def load(client: CrmClient, entity: str, content: str | bytes, name: str = "rows.csv", **options: Any) -> AnyJob:
    """Import a file, and return the job that has ended."""
    raw = content.encode() if isinstance(content, str) else content
    job = client.imports.create(entity, (name, raw), **options)
    return client.jobs.get(job.id).wait(timeout=None)


def counts(job: AnyJob) -> tuple[int, int, int, int]:
    """Return how many rows were created, updated, skipped and failed."""
    assert job.counts is not None
    return job.counts.created, job.counts.updated, job.counts.skipped, job.counts.failed


def result(job: AnyJob) -> Any:
    """Return the result of an import, whatever job it is of."""
    return job.result


def record(client: CrmClient, entity: str, job: AnyJob, place: int = 0) -> Any:
    """Return a record that an import has created."""
    (item,) = client.objects.batch_get(entity, [result(job).created_ids[place]]).items
    return item.result
