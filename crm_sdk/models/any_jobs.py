"""Jobs of every kind, as `client.jobs` answers them: beside jobs, the records that are work themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from ..wire import is_object
from .marks import OPEN
from .record import Model
from .runs import Run
from .values import EMPTY, EntityRef, JobCounts, JobError

if TYPE_CHECKING:
    from .ai_insights import LeadScoringModel
    from .audit import PurgeResult
    from .backups import RestoreResult
    from .contact_duplicates import DeduplicateResult
    from .contact_imports import ImportResult
    from .enrichment import EnrichmentResult
    from .imports import RevertResult
    from .privacy import PrivacyReport
    from .report_runs import ExportResult

    _Results: TypeAlias = (
        ImportResult
        | ExportResult
        | EnrichmentResult
        | DeduplicateResult
        | LeadScoringModel
        | PurgeResult
        | RevertResult
        | PrivacyReport
        | RestoreResult
        | dict[str, Any]
    )
else:
    _Results = Any  # which of them it is says `kind`, see `AnyJob._type_result`

JobResult: TypeAlias = _Results
"""The result of a job of any kind."""

_RESULTS: Mapping[str, str] = {
    "contact_import": "contact_imports:ImportResult",
    "export": "report_runs:ExportResult",
    "import": "contact_imports:ImportResult",
    "import_revert": "imports:RevertResult",
    "report_export": "report_runs:ExportResult",
    "audit_export": "report_runs:ExportResult",
    "enrichment": "enrichment:EnrichmentResult",
    "deduplicate": "contact_duplicates:DeduplicateResult",
    "training": "ai_insights:LeadScoringModel",
    "data_purge": "audit:PurgeResult",
    "privacy_export": "privacy:PrivacyReport",
    "privacy_erase": "privacy:PrivacyReport",
    "backup_restore": "backups:RestoreResult",
}
"""The module and the model of the result of each kind of job."""

JobKind: TypeAlias = Annotated[
    Literal[
        "contact_import", "import", "export", "report_export", "audit_export", "enrichment", "training", "reindex",
        "data_purge", "backup_restore", "import_revert", "privacy_export", "privacy_erase", "prediction", "workflow",
        "report_run", "sync", "backup",
    ]
    | str,
    OPEN,
]  # fmt: skip
JobStatus: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JobSort: TypeAlias = Literal["created_at", "finished_at", "kind", "id", "updated_at"] | str


@cache
def result_model(kind: str) -> type[Model] | None:
    """Return the model of the results of a kind of job; None for a kind whose result is an object of any members."""
    if kind not in _RESULTS:
        return None
    module, _, name = _RESULTS[kind].partition(":")
    found: type[Model] = getattr(import_module(f"{__package__}.{module}"), name)
    return found


class AnyJob(Run):
    """A job of any kind, or a record that is work itself: a prediction, a workflow's execution, a report's run.

    `wait` returns the job as it is when it has ended.
    """

    poll_url: ClassVar[str] = "/jobs/{id}"

    kind: JobKind
    """What it does. It tells which model the `result` is of."""
    title: str | None = None
    """What it does, in a line: `Import of people.csv`."""
    entity: EntityRef | None = None
    """The one record it is about; a record that is work itself is about itself."""
    cancellable: bool = False
    """Whether it can still be stopped; what is done stays done."""
    counts: JobCounts | None = None
    """The numbers of items that are done."""
    errors: list[JobError] = Field(default_factory=EMPTY)
    """The errors of single rows or records, at most 1,000; empty in lists."""
    errors_truncated: bool = False
    """Whether there are more errors than are listed: the file `file_id` has them all."""
    file_id: str | None = None
    """The file it made; of a job that made none and had errors, the file with all of them."""
    result: JobResult | None = None
    """The result, by `kind`; null until the job has succeeded, and in lists."""
    status_url: str | None = None
    """The route that returns its state: the documented one, where there is one."""

    @field_validator("result", mode="before")
    @classmethod
    def _type_result(cls, value: object, info: ValidationInfo) -> object:
        """Return the result in the model of its kind of job."""
        model = result_model(str(info.data.get("kind")))
        return model.model_validate(value) if model is not None and is_object(value) else value
