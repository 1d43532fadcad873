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
    """Return what is worth knowing about a contact or a deal.

    `context` may narrow it: ``focus`` names a type of insight, ``minConfidence`` says how sure it must be, ``limit``
    how many there shall be.
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
    """Return what is worth knowing about a deal, in the words of an `AIInsight`: it knows no competitors, but risks."""
    return [
        {**insight, "type": "risk" if insight["type"] == "competitor" else insight["type"]}
        for insight in insights_of_deals.insights(call, deal_figures.with_current_figures(call, deal))
    ]
