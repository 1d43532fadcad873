"""The rule of `leads.assign`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.resources.leads import Leads

from ...bulk import carry_out, check_size
from ...serving import Context, serves
from .owners import OPEN, Dealer
from .records import LEADS


@serves(Leads.assign)
def assign(
    call: Context,
    lead_ids: Sequence[str] | None,
    strategy: str,
    user_ids: Sequence[str] | None,
    team_id: str | None,
    reassign: bool,
) -> dict[str, Any]:
    """Assign leads to users; without ids, all open leads without an owner, oldest first."""
    if lead_ids is None:
        waiting = [doc for doc in LEADS.records(call).find("owner_id", None) if doc["status"] in OPEN]
        lead_ids = [doc["id"] for doc in sorted(waiting, key=lambda doc: (doc["created_at"], doc["id"]))]
    else:
        check_size(lead_ids, "lead_ids")
    dealer = Dealer(call, strategy, user_ids=user_ids, team_id=team_id)
    return carry_out(
        call,
        lead_ids,
        lambda lead_id: _assign_lead(call, dealer, lead_id, strategy, reassign=reassign),
        field="lead_ids",
        id_of=str,
    )


def _assign_lead(call: Context, dealer: Dealer, lead_id: str, strategy: str, *, reassign: bool) -> dict[str, Any]:
    lead = LEADS.writable(call, lead_id)
    owner = lead["owner_id"]
    if owner is not None and not reassign:
        return {
            "lead_id": lead["id"],
            "owner_id": owner,
            "previous_owner_id": owner,
            "strategy": strategy,
            "territory_id": lead["territory_id"],
            "reason": "has an owner, who keeps it",
            "assigned_at": call.now,
        }
    given = dealer.assignment(lead)
    changes = {name: given[name] for name in ("owner_id", "territory_id")}
    new = LEADS.change(call, lead, changes, verb="assigned", reason=given["reason"])
    if new is not lead and lead["status"] in OPEN:
        dealer.count_assignment(owner, given["owner_id"])
    return given
