"""The actions of automation rules: their parameters and their effects on a deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from crm_sdk.models.deals import Deal
from crm_sdk.resources.deals import Deals
from crm_sdk.wire import camel

from ...bulk import error_of
from ...data.document import Document
from ...data.filter_groups import compile_filters
from ...data.filters import filter_fields
from ...problems import LOG, Problem, invalid, validation
from ...request.intake import receive_changes
from ...serving import Context, Members
from ..activities import records as activities
from ..deals.moves import move
from ..deals.records import DEALS
from ..leads.owners import Dealer
from ..notifications import notify

FIELDS = filter_fields(Deal)
"""The fields of deals for conditions, with their types."""


class StopRule(Exception):  # noqa: N818 # not an error: an action raises it
    """Raised by the action ``stop``: the following actions are not carried out."""


def attempt(call: Context, rule: Members, work: Callable[[], object]) -> Mapping[str, Any] | None:
    """Do something of a rule, all of it or nothing. Return the ErrorDetail of what it failed of; None where it did not.

    A mistake in what it does is a failure of this rule too, and in the log with its traceback. Raises StopRule once
    what came before ``stop`` is done.
    """
    stopped = False
    try:
        with call.server.store.transaction():
            try:
                work()
            except StopRule:
                stopped = True
    except Problem as problem:
        return error_of(problem)
    except Exception as error:
        LOG.exception("the rule %s failed (%s)", rule["id"], call.request_id)
        return error_of(Problem("INTERNAL_ERROR", f"the rule raised {type(error).__name__}; the log has more"))
    if stopped:
        raise StopRule
    return None


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
        _check_value(call, spec, where)
    if spec["type"] == "branch":
        compile_filters(spec["conditions"], FIELDS, now=call.now)
        check_actions(call, spec["then"], f"{where}.then")
        check_actions(call, spec.get("otherwise") or (), f"{where}.otherwise")


def moves_to(actions: Sequence[Members], stage: Members) -> bool:
    """Tell whether one of some actions moves deals to a stage, in whatever branch."""
    return any(
        spec.get("stage") in (stage["id"], stage["key"])
        or (spec.get("field") == "stage" and spec.get("value") in (stage["id"], stage["key"]))
        or moves_to([*(spec.get("then") or ()), *(spec.get("otherwise") or ())], stage)
        for spec in actions
    )


def _check_value(call: Context, spec: Members, where: str) -> None:
    """Refuse a value that no update of a deal would take. Raises 422 that names the place in the value."""
    name, path = spec["field"], f"{where}.value"
    if name not in Deals.update.operation.arguments.members:
        message = f"deals have no field {name!r} that can be set"
        raise Problem("UNKNOWN_FIELD", message, field=f"{where}.field", details={"field": name})
    if "value" not in spec:
        raise invalid(path, "required", "update_field needs a value; null clears the field")
    try:
        value = receive_changes(Deals.update.operation, {camel(name): spec["value"]}, typed=True)[name]
        DEALS.stored_value(call, name, value)
    except Problem as problem:
        entries = [replace(entry, field=path + (entry.field or "").removeprefix(name)) for entry in problem.entries]
        raise validation(entries) from None
    kind = _REFERENCES.get(name)
    if kind is not None:
        call.reference(kind, value, path)


# -- doing -----------------------------------------------------------------------------------------------------------


def carry_out(call: Context, deal_id: str, spec: Members) -> None:
    """Carry out an action on a deal. Raises: Problem where it fails; StopRule for ``stop``."""
    _ACTIONS[spec["type"]](call, call.record("deal", deal_id), spec)


def _write(call: Context, deal: Document, changes: Members) -> None:
    DEALS.change(call, deal, DEALS.stored_form(call, changes, deal))


def _update_field(call: Context, deal: Document, spec: Members) -> None:
    _write(call, deal, receive_changes(Deals.update.operation, {camel(spec["field"]): spec["value"]}, typed=False))


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
    move(call, deal, spec["stage"], {"lost_reason": spec["lost_reason"]} if spec.get("lost_reason") else {})


def _create_task(call: Context, deal: Document, spec: Members) -> None:
    days = spec.get("due_in_days")
    activities.add(
        call,
        "task",
        {
            "title": spec["title"],
            "description": spec.get("description"),
            "due_at": call.now + timedelta(days=days) if days is not None else None,
            "owner_id": spec.get("owner_id") or deal["owner_id"],
            "priority": spec.get("priority") or "medium",
            "deal_id": deal["id"],
            **{name: deal[name] for name in ("contact_id", "contact_name", "account_id")},
            "source": "workflow",
        },
    )


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


_REFERENCES = {**DEALS.refers, "contact_id": "contact", "account_id": "account", "pipeline_id": "pipeline"}
"""The fields of a deal that hold the id of another record, and its kind."""
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
