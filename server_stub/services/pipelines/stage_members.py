"""The members of stages that follow from kind and probability, and the allowed order of stages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.deals import Deal
from crm_sdk.models.pipelines import Stage

from ...data.blanks import blank
from ...data.queries.query import fold
from ...problems import Problem, invalid
from ...serving import STAMPS, Members

KINDS = ("open", "won", "lost")
_FIXED: Mapping[str, int] = {"won": 100, "lost": 0}
# 004, "Deal Stages and Probabilities".
_USUAL = (
    ("Prospect", "prospect", "open", 10),
    ("Qualified", "qualified", "open", 25),
    ("Proposal", "proposal", "open", 50),
    ("Negotiation", "negotiation", "open", 75),
    ("Closed Won", "closed-won", "won", 100),
    ("Closed Lost", "closed-lost", "lost", 0),
)


def usual_stages() -> list[Members]:
    """Return the six default stages of a pipeline."""
    return [{"name": n, "key": k, "kind": kind, "probability": p} for n, k, kind, p in _USUAL]


def check_stages(given: Sequence[Members]) -> list[dict[str, Any]]:
    """Return the stages of a new pipeline in stored form. Raises: 409 or 422 for invalid stages, see `stage_form`."""
    stages = [stage_form(stage, f"stages.{number}.") for number, stage in enumerate(given)]
    missing = [kind for kind in KINDS if all(stage["kind"] != kind for stage in stages)]
    if missing:
        message = f"a pipeline needs an open, a won and a lost stage; there is none that is {' or '.join(missing)}"
        raise Problem("STAGE_KINDS_MISSING", message, field="stages", details={"missing": missing})
    check_order([stage["kind"] for stage in stages])
    for name in ("key", "name"):
        values = [str(stage[name]).casefold() for stage in stages]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise Problem("STAGE_EXISTS", f"two stages have the {name} {twice!r}", field="stages", rule="unique")
    return [stage | {"position": position} for position, stage in enumerate(stages)]


def check_order(kinds: Sequence[str]) -> None:
    """Raise a Problem for an open stage after a closed one."""
    closed = next((n for n, kind in enumerate(kinds) if kind != "open"), len(kinds))
    if "open" in kinds[closed:]:
        raise Problem("STAGE_ORDER", "open stages come before closed ones")


def stage_form(given: Members, path: str = "", before: Members | None = None) -> dict[str, Any]:
    """Return a stage with its derived members.

    `path` is the path of the stage in the body, `before` the stage before a change.

    Raises: 422 for an open stage without a probability, a closed one with another than 100 or 0, or a required field
    that deals do not have.
    """
    start: Members = {k: v for k, v in blank(Stage).items() if k not in STAMPS} if before is None else before
    stage: dict[str, Any] = {**start, **given}
    kind: str = stage["kind"]
    probability: Any = stage["probability"]
    changed_kind = before is not None and kind != before["kind"]
    if kind in _FIXED:
        if (probability is None or changed_kind) and "probability" not in given:
            probability = _FIXED[kind]
        if probability != _FIXED[kind]:
            message = f"a {kind} stage has the probability {_FIXED[kind]}, not {probability}"
            raise Problem("PROBABILITY_MISMATCH", message, field=f"{path}probability")
    elif not isinstance(probability, int):
        raise invalid(f"{path}probability", "required", "an open stage needs a probability")
    if before is None or changed_kind or given.get("probability", probability) != before["probability"]:
        stage["forecast_category"] = given.get("forecast_category") or _category(kind, probability or 0)
    unknown = [name for name in stage["required_fields"] or () if name not in Deal.model_fields]
    if unknown:
        message = f"deals have no field {unknown[0]!r}"
        raise Problem("UNKNOWN_FIELD", message, field=f"{path}required_fields", details={"field": unknown[0]})
    stage["name"] = stage["name"].strip()
    return stage | {"probability": probability, "key": stage["key"] or _slug(stage["name"])}


def _category(kind: str, probability: int) -> str:
    if kind in _FIXED:
        return "closed" if kind == "won" else "omitted"
    return "pipeline" if probability < 25 else "best_case" if probability < 75 else "commit"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-") or "stage"
