"""Pipelines: the stages that deals pass through, and the automation rules that act on them."""

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
        """Add a stage to a pipeline, by default after the last stage of its kind; later stages move back by one.

        An open stage needs a `probability`; that of a won stage is 100, that of a lost stage 0.

        Raises: NotFoundError; ConflictError when the name or key is taken; ValidationError, including for an open stage
        after a closed one.
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
    def update(
        self, pipeline_id: str, stage_id: str, changes: StageUpdate | Stage, *, version: int | None = None
    ) -> Stage:
        """Change a stage; a new `probability` also applies to its open deals. The key cannot be changed.

        Raises: NotFoundError; ConflictError for a new kind of a stage that has deals or is the last of its kind, a name
        that is taken, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_STAGE}/{{stage_id}}",
        errors=("STAGE_HAS_DEALS", "STAGE_NOT_IN_PIPELINE", "STAGE_REQUIRED", "REFERENCE_NOT_FOUND"),
    )
    def delete(self, pipeline_id: str, stage_id: str, *, move_deals_to: str | None = None) -> None:
        """Delete a stage; its deals move to the stage `move_deals_to` of the same pipeline.

        Raises: NotFoundError; ConflictError when it has deals and no `move_deals_to` is given, when that is a stage of
        another pipeline, or for the last stage of its kind.
        """

    @operation(platform=f"POST {_STAGE}/reorder", errors=("INCOMPLETE_ORDER", "STAGE_ORDER"))
    def reorder(self, pipeline_id: str, stage_ids: Sequence[str]) -> List[Stage]:
        """Reorder the stages of a pipeline; `stage_ids` names every stage exactly once.

        Raises: NotFoundError; ValidationError for a missing, unknown or repeated stage, or an open stage after a closed
        one.
        """


class PipelineAutomation(Resource[Mode]):
    """The automation rules of a pipeline, which act on its deals."""

    @operation(
        platform=f"POST {_RULE}",
        errors=("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE", "REFERENCE_NOT_FOUND"),
    )
    def create(self, pipeline_id: str, rule: AutomationRuleCreate) -> AutomationRule:
        """Create an automation rule: its trigger, its conditions, and the actions to carry out in order.

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
        self,
        pipeline_id: str,
        rule_id: str,
        changes: AutomationRuleUpdate | AutomationRule,
        *,
        version: int | None = None,
    ) -> AutomationRule:
        """Change a rule; runs that have begun continue with the old rule.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(platform=f"DELETE {_RULE}/{{rule_id}}")
    def delete(self, pipeline_id: str, rule_id: str) -> None:
        """Delete a rule; the changes that it has made stay.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"POST {_RULE}/{{rule_id}}/test",
        safe=True,
        errors=("DEAL_NOT_IN_PIPELINE", "REFERENCE_NOT_FOUND"),
    )
    def test(self, pipeline_id: str, rule_id: str, deal_id: str) -> AutomationTest:
        """Test a rule on a deal as if its trigger had fired; no record is changed and no event is published.

        A disabled rule can be tested, too.

        Raises: NotFoundError; ValidationError for an unknown deal; ConflictError for a deal of another pipeline.
        """


class Pipelines(Resource[Mode]):
    """The stages that deals pass through, from the first stage to won or lost."""

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
        """Create a pipeline; without `stages` it gets six, from prospect to closed-won and closed-lost.

        At least one open, one won and one lost stage are needed. With `is_default` it replaces the present default
        pipeline.

        Raises: ConflictError when the name is taken; ValidationError.
        """

    @operation(platform="GET /pipelines/{pipeline_id}")
    def get(self, pipeline_id: str) -> Pipeline:
        """Fetch one pipeline, with its stages in order.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /pipelines/{pipeline_id}", errors=("PIPELINE_EXISTS", "PIPELINE_IS_DEFAULT"))
    def update(self, pipeline_id: str, changes: PipelineUpdate | Pipeline, *, version: int | None = None) -> Pipeline:
        """Change a pipeline: members left out keep their values, null clears a member.

        To replace the default pipeline, set `is_default` of another pipeline.

        Raises: NotFoundError; ConflictError when the name is taken, `is_default` is taken from the default pipeline,
        the default pipeline is made inactive, or `version` differs; ValidationError.
        """

    @operation(
        platform="DELETE /pipelines/{pipeline_id}",
        errors=("PIPELINE_IS_DEFAULT", "PIPELINE_HAS_DEALS", "PIPELINE_INACTIVE", "REFERENCE_NOT_FOUND"),
    )
    def delete(self, pipeline_id: str, *, move_deals_to: str | None = None, version: int | None = None) -> None:
        """Delete a pipeline with its stages and rules; its deals move to the pipeline `move_deals_to`.

        There each deal is put into the stage with the same key, else into the first stage of the same kind.

        Raises: NotFoundError; ConflictError for the default pipeline, or when it has deals and no `move_deals_to` is
        given; ValidationError for an unknown target.
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
        """List pipelines, ordered by position.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """
