"""The rule of `ai.generate_insights`: the insights of a contact or a deal, narrowed by a context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.ai import Ai
from crm_sdk.wire import snake

from ...data.document import Document
from ...problems import invalid
from ...serving import Context, Members, serves
from ..contacts.insights import insights_of
from ..deals import figures as deal_figures
from ..deals import insights as insights_of_deals


@serves(Ai.generate_insights)
def generate_insights(
    call: Context, entity_type: str, entity_id: str, context: Members | None
) -> list[Mapping[str, Any]]:
    """Return the insights about a contact or a deal.

    `context` can filter them: ``focus`` is a type of insight, ``minConfidence`` the least confidence, ``limit`` the
    greatest number.
    """
    if entity_type not in ("contact", "deal"):
        raise invalid(
            "entity_type", "choice", f"{entity_type!r} is neither contact nor deal", choices=["contact", "deal"]
        )
    doc = call.reference(entity_type, entity_id, "entity_id")
    assert doc is not None  # an id was given
    found: Sequence[Mapping[str, Any]] = (
        insights_of(call, doc) if entity_type == "contact" else deal_insights(call, doc)
    )
    known = {snake(name): value for name, value in (context or {}).items()}
    focus, least, limit = known.get("focus"), known.get("min_confidence"), known.get("limit")
    if isinstance(focus, str) and focus:
        found = [insight for insight in found if insight["type"] == focus]
    if isinstance(least, (int, float)):
        found = [insight for insight in found if insight["confidence"] >= least]
    return list(found[:limit] if isinstance(limit, int) and limit >= 0 else found)


def deal_insights(call: Context, deal: Document) -> list[dict[str, Any]]:
    """Return the insights about a deal as `AIInsight`s, which have the type ``risk`` in place of ``competitor``."""
    return [
        {**insight, "type": "risk" if insight["type"] == "competitor" else insight["type"]}
        for insight in insights_of_deals.insights(call, deal_figures.with_current_figures(call, deal))
    ]
