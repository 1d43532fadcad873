"""The actions of automation rules: their parameters and their effects on a deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from crm_sdk.models.activities import Task
from crm_sdk.models.deals import Deal
from crm_sdk.resources.deals import Deals

from ...data.blanks import blank
from ...data.document import Document
from ...data.filter_groups import compile_filters
from ...data.filters import filter_fields
from ...problems import Problem, invalid
from ...serving import Context, Members
from ..deals import records as deals
from ..deals import stages as deal_stages
from ..leads.owners import Dealer
from ..notifications import notify

FIELDS = filter_fields(Deal)
"""The fields of deals for conditions, with their types."""


class StopRule(Exception):  # noqa: N818 # not an error: an action raises it
    """Raised by the action ``stop``: the following actions are not carried out."""


# -- checking --------------------------------------------------------------------------------------------------------


def check_actions(call: Context, actions: Sequence[Members], path: str = "actions") -> None:
    """Check actions. Raises: 422 for an unknown type, a missing parameter, or an unknown reference."""
    for number, spec in enumerate(actions):
        where = f"{path}.{number}"
        needed = _PARAMETERS.get(spec["type"])
        if needed is None:
            choices = sorted(_PARAMETERS)
            message = f"there is no action {spec['type']!r}; use one of {', '.join(choices)}"
            raise invalid(f"{where}.type", "choice", message, choices=choices)
        for alternatives in needed:
            if all(spec.get(name) in (None, [], "") for name in alternatives.split("|")):
                message = f"{spec['type']} needs {alternatives.replace('|', ' or ')}"
                raise invalid(f"{where}.{alternatives.partition('|')[0]}", "required", message)
        _check_references(call, spec, where)


def _check_references(call: Context, spec: Members, where: str) -> None:
    call.reference("user", spec.get("owner_id"), f"{where}.owner_id")
    call.resolved("user", spec.get("user_ids") or [], f"{where}.user_ids")
    if spec["type"] == "update_field":
        field = spec["field"]
        if field not in Deals.update.arguments.members:
            message = f"deals have no field {field!r} that can be set"
            raise Problem("UNKNOWN_FIELD", message, field=f"{where}.field", details={"field": field})
    if spec["type"] == "branch":
        compile_filters(spec["conditions"], FIELDS, now=call.now)
        check_actions(call, spec["then"], f"{where}.then")
        check_actions(call, spec.get("otherwise") or (), f"{where}.otherwise")


# -- doing -----------------------------------------------------------------------------------------------------------


def carry_out(call: Context, deal_id: str, spec: Members) -> None:
    """Carry out an action on a deal. Raises: Problem where it fails; StopRule for ``stop``."""
    _ACTIONS[spec["type"]](call, call.record("deal", deal_id), spec)


def _write(call: Context, deal: Document, changes: Members) -> None:
    deals.apply(call, deal, deals.DEALS.stored_form(call, changes, deal))


def _update_field(call: Context, deal: Document, spec: Members) -> None:
    values = Deals.update.arguments.receive({"changes": {spec["field"]: spec["value"]}}, text=False)
    _write(call, deal, values["changes"])


def _add_tag(call: Context, deal: Document, spec: Members) -> None:
    _write(call, deal, {"tags": [*deal["tags"], spec["tag"]]})


def _remove_tag(call: Context, deal: Document, spec: Members) -> None:
    _write(call, deal, {"tags": [tag for tag in deal["tags"] if tag.casefold() != spec["tag"].casefold()]})


def _assign_owner(call: Context, deal: Document, spec: Members) -> None:
    owner = spec.get("owner_id")
    if owner is None:
        owner = Dealer(call, spec["strategy"]).assignment(deal)["owner_id"]
    _write(call, deal, {"owner_id": owner})


def _move_stage(call: Context, deal: Document, spec: Members) -> None:
    stage = deal_stages.stage_named(call, deal_stages.pipeline_of(call, deal["pipeline_id"]), spec["stage"])
    if stage["id"] != deal["stage_id"]:
        reason = {"lost_reason": spec["lost_reason"]} if spec.get("lost_reason") else {}
        deal_stages.check_move(call, deal, stage, reason)
        deal_stages.move(call, deal, stage, reason)


def _create_task(call: Context, deal: Document, spec: Members) -> None:
    days = spec.get("due_in_days")
    task = blank(Task) | {
        "kind": "task",
        "title": spec["title"],
        "description": spec.get("description"),
        "due_at": call.now + timedelta(days=days) if days is not None else None,
        "owner_id": spec.get("owner_id") or deal["owner_id"],
        "priority": spec.get("priority") or "medium",
        "deal_id": deal["id"],
        **{name: deal[name] for name in ("contact_id", "contact_name", "account_id")},
        "source": "automation",
        "occurred_at": call.now,
    }
    doc = call.create("activity", "task_", task)
    call.emit("activity.created", "activity", doc)
    call.emit("task.created", "activity", doc)


def _notify(call: Context, deal: Document, spec: Members) -> None:
    users = spec.get("user_ids") or [user["id"] for user in call.collection("user").find("role", spec.get("role"))]
    for user_id in users:
        notify(call, user_id, "system", spec["title"], spec["message"], about=("deal", deal["id"]))


def _branch(call: Context, deal: Document, spec: Members) -> None:
    holds = compile_filters(spec["conditions"], FIELDS, now=call.now)(deal)
    for inner in spec["then"] if holds else spec.get("otherwise") or ():
        carry_out(call, deal["id"], inner)


def _stop(call: Context, deal: Document, spec: Members) -> None:
    raise StopRule


_PARAMETERS: Mapping[str, Sequence[str]] = {
    "update_field": ("field",),
    "add_tag": ("tag",),
    "remove_tag": ("tag",),
    "assign_owner": ("owner_id|strategy",),
    "move_stage": ("stage",),
    "create_task": ("title",),
    "notify": ("user_ids|role", "title", "message"),
    "branch": ("conditions", "then"),
    "stop": (),
}
"""The required parameters of each type of action; of alternatives (``a|b``) one."""
_ACTIONS: Mapping[str, Callable[[Context, Document, Members], None]] = {
    "update_field": _update_field,
    "add_tag": _add_tag,
    "remove_tag": _remove_tag,
    "assign_owner": _assign_owner,
    "move_stage": _move_stage,
    "create_task": _create_task,
    "notify": _notify,
    "branch": _branch,
    "stop": _stop,
}


def describe(spec: Members) -> str:
    """Return a short description of an action: ``add_tag: hot``."""
    first = next((spec[name] for name in ("tag", "field", "stage", "title", "owner_id") if spec.get(name)), None)
    return f"{spec['type']}: {first}" if first else str(spec["type"])
