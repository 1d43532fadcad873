"""Whose rights executions have, and who may say what is done with them.

An execution of a workflow acts with the rights of its owner, one of a rule with every right on its deal, and with those
of who wrote its actions beside it. So nobody says what is done with rights that they do not have themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...caller import Caller
from ...serving import Context, Members
from ..users.roles import refuse_borrowed, rights_of


def executor(call: Context, execution: Members) -> Caller | None:
    """Return who an execution acts as: the owner of the workflow; for a rule whoever set it off, with every right.

    None where the owner is gone or deactivated.
    """
    if execution["rule_id"] is not None:
        return replace(Caller.of(execution["caller"]), role="system", granted=None)
    workflow = call.collection("workflow").get(execution["workflow_id"], deleted=True)
    return rights_of(call, workflow["owner_id"], workflow.get("granted")) if workflow is not None else None


def author(call: Context, execution: Members) -> Caller | None:
    """Return who wrote the actions of a rule; None for a workflow, and where nobody is known or active."""
    rule = call.collection("rule").get(execution["rule_id"] or "", deleted=True)
    return (
        rights_of(call, rule.get("author_id") or rule["created_by"], rule.get("granted")) if rule is not None else None
    )


def written_by(call: Context) -> dict[str, Any]:
    """Return the members of a rule that say who wrote its actions, and what the credential was limited to."""
    return {"author_id": call.caller.user_id, **granted_by(call)}


def granted_by(call: Context) -> dict[str, Any]:
    """Return the member that says what the credential of a writer is limited to, which executions are, too."""
    return {"granted": call.caller.stored_grant}


def require_rights(call: Context, workflow: Mapping[str, Any]) -> None:
    """Raise 403 where a workflow acts with rights that the caller, who writes it, does not have."""
    caller = call.caller
    owner = rights_of(call, workflow["owner_id"], workflow.get("granted"), once_active=True)
    if owner is None or (caller.user_id == owner.user_id and caller.granted is None):
        return
    refuse_borrowed(call, owner, workflow["name"], may_take_over=True)
