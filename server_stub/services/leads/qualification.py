"""The rules of qualifying and disqualifying leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from crm_sdk.resources.leads import Leads

from ...bulk import carry_out, check_size
from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members, reacts, serves
from ..notifications import notify
from .records import LEADS, converted_problem

_JUDGED = ("reason", "budget", "authority", "need", "timeline", "notes")


@serves(Leads.qualify)
def qualify(
    call: Context,
    lead_id: str,
    qualified: bool,
    reason: str | None,
    budget: Decimal | None,
    authority: bool | None,
    need: str | None,
    timeline: date | None,
    notes: str | None,
) -> Document:
    """Qualify or disqualify a lead; the same qualification again changes nothing."""
    known = {
        "reason": reason.strip() if reason else None,
        "budget": budget,
        "authority": authority,
        "need": need,
        "timeline": timeline,
        "notes": notes,
    }
    return _judge(call, lead_id, qualified, {name: value for name, value in known.items() if value is not None})


@serves(Leads.bulk_qualify)
def bulk_qualify(
    call: Context, lead_ids: Sequence[str], qualified: bool, reason: str | None, atomic: bool
) -> dict[str, Any]:
    """Qualify or disqualify several leads with the same arguments."""
    check_size(lead_ids, "lead_ids")
    known = {"reason": reason.strip()} if reason else {}
    return carry_out(
        call,
        lead_ids,
        lambda lead_id: _judge(call, lead_id, qualified, known),
        field="lead_ids",
        id_of=str,
        atomic=atomic,
    )


def _judge(call: Context, lead_id: str, qualified: bool, known: Members) -> Document:
    doc = LEADS.writable(call, lead_id)
    if doc["status"] == "converted":
        raise converted_problem(doc, "there is nothing left to judge")
    former: Members = doc["qualification"] or {}
    same = former.get("qualified") is qualified
    judgement = {name: known.get(name, former.get(name)) for name in _JUDGED}
    if not same:
        judgement["reason"] = known.get("reason")  # the reason of an opposite qualification is not kept
    if not qualified and not judgement["reason"]:
        raise Problem("REASON_REQUIRED", "a lead is not disqualified without a reason", field="reason", rule="required")
    status = "qualified" if qualified else "unqualified"
    if doc["status"] == status and same and all(former.get(name) == value for name, value in judgement.items()):
        return doc
    stamp = {"qualified": qualified, "qualified_at": call.now, "qualified_by": call.caller.actor_id}
    changes = {
        "status": status,
        "qualification": {**judgement, **stamp},
        "disqualified_reason": None if qualified else judgement["reason"],
    }
    verb = "qualified" if qualified else "disqualified"
    return LEADS.change(call, doc, changes, verb=verb, reason=judgement["reason"])


@reacts("lead.qualified", "lead.updated")
def tell_owner(call: Context, entry: Document) -> None:
    """Notify the owner of a lead that has just been qualified."""
    lead = call.collection("lead").get(entry["entity"]["id"])
    if lead is None or lead["owner_id"] is None:
        return
    if any(change["field"] == "status" and change["after"] == "qualified" for change in entry["changes"]):
        text = f"{lead['name']} has been qualified and is ready for follow-up"
        about, data = ("lead", lead["id"]), {"leadName": lead["name"]}
        notify(call, lead["owner_id"], "lead", "New qualified lead", text, about=about, data=data)
