"""Pipelines: the stages a deal goes through, and the rules that act when it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.pipelines import (
        AutomationRule,
        AutomationRuleCreate,
        AutomationRuleUpdate,
        AutomationSort,
        AutomationTest,
        Pipeline,
        PipelineCreate,
        PipelineEntity,
        PipelineSort,
        PipelineUpdate,
        Stage,
        StageCreate,
        StageUpdate,
    )

_STAGE = "/pipelines/{pipeline_id}/stages"
_RULE = "/pipelines/{pipeline_id}/automation"


class PipelineStages(Resource[Mode]):
    """The stages of a pipeline."""

    @operation(
        platform=f"POST {_STAGE}",
        errors=("STAGE_EXISTS", "STAGE_ORDER", "PROBABILITY_MISMATCH", "UNKNOWN_FIELD"),
    )
    def create(self, pipeline_id: str, stage: StageCreate) -> Stage:
        """Add a stage to a pipeline, by default as the last of its kind; stages behind it move on.

        An open stage needs a probability; that of a won one is 100, that of a lost one 0.

        Raises: NotFoundError; ConflictError when the name or key is taken; ValidationError, also where an open stage
        would come behind a closed one.
        """

    @operation(
        platform=f"PUT {_STAGE}/{{stage_id}}",
        errors=(
            "STAGE_EXISTS",
            "STAGE_HAS_DEALS",
            "STAGE_ORDER",
            "STAGE_REQUIRED",
            "PROBABILITY_MISMATCH",
            "UNKNOWN_FIELD",
        ),
    )
    def update(self, pipeline_id: str, stage_id: str, changes: StageUpdate, *, version: int | None = None) -> Stage:
        """Change a stage; another probability is that of its open deals, too. Its key stays.

        Raises: NotFoundError; ConflictError for the kind of a stage with deals, the last of its kind, a name that is
        taken, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_STAGE}/{{stage_id}}",
        errors=("STAGE_HAS_DEALS", "STAGE_NOT_IN_PIPELINE", "STAGE_REQUIRED", "REFERENCE_NOT_FOUND"),
    )
    def delete(self, pipeline_id: str, stage_id: str, *, move_deals_to: str | None = None) -> None:
        """Delete a stage; its deals move to another stage of the pipeline.

        Raises: NotFoundError; ConflictError while it has deals and there is no `move_deals_to`, for a stage of another
        pipeline, or the last of its kind.
        """

    @operation(platform=f"POST {_STAGE}/reorder", errors=("INCOMPLETE_ORDER", "STAGE_ORDER"))
    def reorder(self, pipeline_id: str, stage_ids: Sequence[str]) -> List[Stage]:
        """Put the stages of a pipeline into another order; every stage is named exactly once.

        Raises: NotFoundError; ValidationError for a missing, a strange or a repeated stage, or an open stage behind a
        closed one.
        """


class PipelineAutomation(Resource[Mode]):
    """What happens by itself to the deals of a pipeline."""

    @operation(
        platform=f"POST {_RULE}",
        errors=("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE", "REFERENCE_NOT_FOUND"),
    )
    def create(self, pipeline_id: str, rule: AutomationRuleCreate) -> AutomationRule:
        """Create a rule: when its trigger happens and its conditions hold, its actions are carried out in order.

        Raises: NotFoundError; ValidationError for a stage of another pipeline, an unknown member, or an action without
        its parameters.
        """

    @paginated(platform=f"GET {_RULE}")
    def list(
        self,
        pipeline_id: str,
        *,
        enabled: bool | None = None,
        sort: AutomationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[AutomationRule]:
        """List the rules of a pipeline, in the order in which they run.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_RULE}/{{rule_id}}",
        errors=("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE", "REFERENCE_NOT_FOUND"),
    )
    def update(
        self, pipeline_id: str, rule_id: str, changes: AutomationRuleUpdate, *, version: int | None = None
    ) -> AutomationRule:
        """Change a rule; runs that have begun go on as they were.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(platform=f"DELETE {_RULE}/{{rule_id}}")
    def delete(self, pipeline_id: str, rule_id: str) -> None:
        """Delete a rule; what it did stays.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"POST {_RULE}/{{rule_id}}/test",
        safe=True,
        errors=("DEAL_NOT_IN_PIPELINE", "REFERENCE_NOT_FOUND"),
    )
    def test(self, pipeline_id: str, rule_id: str, deal_id: str) -> AutomationTest:
        """Try a rule on a deal as if its trigger had happened: nothing is changed, and nobody hears of it.

        Disabled rules can be tried, too.

        Raises: NotFoundError; ValidationError for an unknown deal; ConflictError for a deal of another pipeline.
        """


class Pipelines(Resource[Mode]):
    """The ways that deals go, from the first stage to won or lost."""

    stages: PipelineStages[Mode] = part(PipelineStages)
    automation: PipelineAutomation[Mode] = part(PipelineAutomation)

    @operation(
        platform="POST /pipelines",
        errors=(
            "PIPELINE_EXISTS",
            "STAGE_EXISTS",
            "STAGE_KINDS_MISSING",
            "STAGE_ORDER",
            "PROBABILITY_MISMATCH",
            "UNKNOWN_FIELD",
        ),
    )
    def create(self, pipeline: PipelineCreate) -> Pipeline:
        """Create a pipeline; without `stages` with the usual six, from prospect to closed-won and closed-lost.

        Stages need one open, one won and one lost at least. With `is_default` it takes that from the pipeline that has
        it.

        Raises: ConflictError when the name is taken; ValidationError.
        """

    @operation(platform="GET /pipelines/{pipeline_id}")
    def get(self, pipeline_id: str) -> Pipeline:
        """Fetch one pipeline, with its stages in order.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /pipelines/{pipeline_id}", errors=("PIPELINE_EXISTS", "PIPELINE_IS_DEFAULT"))
    def update(self, pipeline_id: str, changes: PipelineUpdate, *, version: int | None = None) -> Pipeline:
        """Change a pipeline: members that are left out stay, null clears.

        The default is moved by making another pipeline the default.

        Raises: NotFoundError; ConflictError when the name is taken, the default would be none or inactive, or `version`
        differs; ValidationError.
        """

    @operation(
        platform="DELETE /pipelines/{pipeline_id}",
        errors=("PIPELINE_IS_DEFAULT", "PIPELINE_HAS_DEALS", "PIPELINE_INACTIVE", "REFERENCE_NOT_FOUND"),
    )
    def delete(self, pipeline_id: str, *, move_deals_to: str | None = None, version: int | None = None) -> None:
        """Delete a pipeline with its stages and rules; its deals move to another pipeline.

        There they are in the stage of the same key, else in the first of the same kind.

        Raises: NotFoundError; ConflictError for the default, or while it has deals and there is no `move_deals_to`;
        ValidationError for an unknown target.
        """

    @paginated(platform="GET /pipelines")
    def list(
        self,
        *,
        entity_type: PipelineEntity | None = None,
        active: bool | None = None,
        search: str | None = None,
        sort: PipelineSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Pipeline]:
        """List pipelines, by position.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """
