"""Choose the owner of a lead: in turn, by workload or by territory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...request.access.callers import has_permission
from ...serving import Context, Members
from ..territories import territory_of

OPEN = ("new", "contacted", "qualified")
"""The statuses of open leads."""


class Dealer:
    """Assigns leads to the users who can get them."""

    def __init__(
        self, call: Context, strategy: str, *, user_ids: Sequence[str] | None = None, team_id: str | None = None
    ) -> None:
        self._call = call
        self._strategy = strategy
        self._pool = _pool(call, user_ids, team_id)
        self._name = f"team:{team_id}" if team_id else "all"
        if user_ids is not None:
            self._name = f"users:{','.join(sorted(set(user_ids)))}"
        self._loads: dict[str, int] | None = None

    def assignment(self, lead: Members) -> dict[str, Any]:
        """Return the LeadAssignment for a lead, without writing to the lead.

        Raises: Problem NO_ELIGIBLE_OWNER where no user can get it.
        """
        territory = territory_of(self._call, lead)
        pool, turn = self._pool, self._name
        if self._strategy == "territory":
            if territory is None:
                raise Problem("NO_ELIGIBLE_OWNER", "the lead is in no territory", details={"lead_id": lead.get("id")})
            pool = [id for id in pool if id in territory["member_ids"]]
            turn = f"{turn}/{territory['id']}"
        active = [id for id in pool if self._is_eligible(id)]
        if not active:
            raise Problem(
                "NO_ELIGIBLE_OWNER",
                "nobody who may get the lead is active and allowed to work on leads",
                details={"lead_id": lead.get("id"), "territory_id": territory and territory["id"]},
            )
        if self._strategy == "load_balanced":
            owner, reason = self._least_loaded(active)
        else:
            owner, reason = self._next(turn, pool, active), f"next of {len(active)} in turn"
        if self._strategy == "territory" and territory is not None:
            reason = f"{territory['name']}: {reason}"
        return {
            "lead_id": lead.get("id"),
            "owner_id": owner,
            "previous_owner_id": lead.get("owner_id"),
            "strategy": self._strategy,
            "territory_id": territory["id"] if territory is not None else None,
            "reason": reason,
            "assigned_at": self._call.now,
        }

    def count_assignment(self, before: str | None, after: str) -> None:
        """Count an assigned lead in the workload for the next assignments."""
        if self._loads is not None:
            self._loads[after] = self._loads.get(after, 0) + 1
            if before in self._loads:
                self._loads[before] -= 1

    def _is_eligible(self, user_id: str) -> bool:
        user = self._call.collection("user").get(user_id)
        return (
            user is not None and user.get("status") == "active" and has_permission(self._call, user, "leads", "update")
        )

    def _next(self, turn: str, pool: list[str], active: list[str]) -> str:
        """Return the next user in turn; the last one is stored in the data, so that it survives a restart."""
        turns = self._call.collection("assignment_turn")
        last = turns.get(turn)
        after = pool.index(last["user_id"]) + 1 if last is not None and last["user_id"] in pool else 0
        owner = next(id for id in pool[after:] + pool[:after] if id in active)
        turns.put(Document(id=turn, user_id=owner))
        return owner

    def _least_loaded(self, active: list[str]) -> tuple[str, str]:
        if self._loads is None:
            leads = self._call.collection("lead")
            self._loads = {id: sum(doc["status"] in OPEN for doc in leads.find("owner_id", id)) for id in self._pool}
        loads = self._loads
        owner = min(active, key=loads.__getitem__)  # of equal ones the first in the pool
        return owner, f"fewest open leads ({loads[owner]})"


def _pool(call: Context, user_ids: Sequence[str] | None, team_id: str | None) -> list[str]:
    """Return the ids of the users who can get leads, in a fixed order: those given, the team's, or all users."""
    pool = [user["id"] for user in call.collection("user")]
    if team_id is not None:
        team = call.reference("team", team_id, "team_id")
        members = [entry["user_id"] for entry in team["members"]] if team is not None else []
        pool = [id for id in pool if id in members]
    if user_ids is not None:
        for index, id in enumerate(user_ids):
            call.reference("user", id, f"user_ids.{index}")
        pool = [id for id in dict.fromkeys(user_ids) if team_id is None or id in pool]
    return pool


def first_owner(call: Context, lead: Members) -> dict[str, Any] | None:
    """Return the assignment of a new lead by the company's strategy; None without a strategy or an eligible user."""
    strategy = call.tenant.get("lead_assignment") or "none"
    if strategy == "none":
        return None
    try:
        return Dealer(call, strategy).assignment(lead)
    except Problem:  # nobody can get it: no user or team is named that might not be there
        return None
