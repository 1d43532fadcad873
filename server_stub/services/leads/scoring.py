"""The rules of lead scores: compute a score, set it by hand, and list its history."""

from __future__ import annotations

from crm_sdk.resources.leads import Leads

from ...data.document import Document
from ...data.queries.query import filter_by_values, sort_documents
from ...problems import Problem
from ...serving import Context, Members, serves
from ..ai_insights.scheme import Scheme
from .points import current_score_members, remember_score
from .records import LEADS


@serves(Leads.score)
def score(call: Context, lead_id: str, score: int | None, reason: str | None) -> Document:
    """Compute a lead's score, or set it by hand until this is called without a score."""
    doc = LEADS.writable(call, lead_id)
    why = reason.strip() if reason else ""
    if score is not None and not why:
        raise Problem("REASON_REQUIRED", "a score that is set by hand needs a reason", field="reason", rule="required")
    held = {"score_override": score, "score_override_reason": why if score is not None else None}
    return store_score(call, doc, {**held, **current_score_members(call, doc | held)}, why or None)


def store_score(
    call: Context, doc: Document, changes: Members, why: str | None = None, scheme: Scheme | None = None
) -> Document:
    """Store the present score members of a lead, and return the newest entry of its history.

    Where the score and what is held of it do not differ, the lead is not updated.
    """
    told = ("score", "rating", "score_override", "score_override_reason")
    if all(doc.get(name) == changes[name] for name in told if name in changes):
        # Not an update: the score is the same, and no caller has changed the lead.
        new = call.collection("lead").put(doc | changes)
    else:
        new = LEADS.change(call, doc, changes, verb="scored", reason=why)
    return remember_score(call, new, doc, why, scheme)


@serves(Leads.scoring_history)
def scoring_history(
    call: Context, lead_id: str, source: str | None, sort: str | None, order: str | None
) -> list[Document]:
    """Return the scores a lead has had, newest first."""
    lead = LEADS.find_one(call, lead_id)
    entries = filter_by_values(call.collection("lead_score").find("lead_id", lead["id"]), source=source)
    return sort_documents(entries, sort, order, ("scored_at", "score"), default="sequence")
