"""Retention policies: how long records are kept, and the daily run that purges what is older."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from crm_sdk.resources.audit import Audit, RetentionPolicies

from ... import jobs
from ...data.document import Document
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ...timetable import KIND as TIMETABLE
from ...timetable import recurs
from . import purging
from .purging import AUDIT_LOG, DELETED

DEFAULTS = (
    (DELETED, 30, "deleted_at"),
    (AUDIT_LOG, 1_095, "created_at"),
    ("notification", 90, "created_at"),
    ("job", 30, "updated_at"),
    ("session", 30, "updated_at"),
)
"""The policies of a new company: the type, the days, and the time from which they are counted."""
RETAINED = timedelta(days=1_095)
"""How long an entry of the trail is kept by the policy that every company begins with."""
_RUN = "audit retention"
_EVERY = timedelta(days=1)
_SHORTEST = 365
_KIND, _ID = "retention", "policies"
_GIVEN = ("entity_type", "retain_days", "basis", "action", "legal_hold", "filter_groups", "enabled")


def policies_of(call: Context) -> list[Document]:
    """Return the policies of the company, in the order of the set; those of a new company until they are replaced."""
    known = call.collection(_KIND).get(_ID)
    return [Document(policy) for policy in known["policies"]] if known is not None else _first_policies(call)


def _first_policies(call: Context) -> list[Document]:
    began = call.tenant["created_at"]
    stamp = {"created_at": began, "updated_at": began, "created_by": "system", "version": 1}
    return [
        Document(
            id=_first_id(call.caller.tenant_id, kind),
            **stamp,
            **_with_defaults({"entity_type": kind, "retain_days": days, "basis": basis}),
        )
        for kind, days, basis in DEFAULTS
    ]


def _first_id(tenant_id: str, kind: str) -> str:
    """Return the id of a policy of a new company, which is the same whenever it is read."""
    return f"retention_{sha256(f'{tenant_id} {kind}'.encode()).hexdigest()[:12]}"


def _with_defaults(given: Members) -> dict[str, Any]:
    usual: dict[str, Any] = {"basis": "updated_at", "action": "delete", "filter_groups": []}
    flags = {"legal_hold": False, "enabled": True}
    unrun = {"last_run_at": None, "last_count": None}
    return {**unrun, **usual, **flags, **{name: value for name, value in given.items() if name in _GIVEN}}


def _store(call: Context, policies: Sequence[Members]) -> None:
    call.collection(_KIND).put(Document(id=_ID, policies=[dict(policy) for policy in policies]))


def _shown_policies(call: Context, policies: Sequence[Document]) -> list[Document]:
    planned = call.collection(TIMETABLE).get(_RUN)
    begins = max(call.server.clock.start, call.tenant["created_at"]) + _EVERY
    at = planned["due_at"] if planned is not None else begins
    return [policy | {"next_run_at": at if policy["enabled"] else None} for policy in policies]


@serves(RetentionPolicies.list)
def find(call: Context) -> list[Document]:
    """Return the policies of the company."""
    return _shown_policies(call, policies_of(call))


@serves(RetentionPolicies.update)
def update(call: Context, policies: Sequence[Members]) -> list[Document]:
    """Replace the set of policies."""
    before = {policy["id"]: policy for policy in policies_of(call)}
    found = [_policy(call, given, before, f"policies.{number}") for number, given in enumerate(policies)]
    kinds = [policy["entity_type"] for policy in found]
    for number, kind in enumerate(kinds):
        if kind in kinds[:number]:
            at = f"policies.{number}.entity_type"
            raise Problem("DUPLICATE_POLICY", f"there are two policies for {kind}", field=at, rule="unique")
    kept = {policy["id"] for policy in found}
    for policy in before.values():
        if policy["legal_hold"] and policy["id"] not in kept:
            message = f"the policy for {policy['entity_type']} is on legal hold: end the hold before it is dropped"
            raise Problem("LEGAL_HOLD", message, details={"id": policy["id"], "entity_type": policy["entity_type"]})
    changes = list(_changes(before, {policy["id"]: policy for policy in found}))
    if changes or [policy["id"] for policy in found] != list(before):
        _store(call, found)
        call.emit("retention.updated", "tenant", call.tenant, changes=changes)
    return _shown_policies(call, found)


def _policy(call: Context, given: Members, before: Mapping[str, Document], at: str) -> Document:
    id, kind, days = given.get("id"), given["entity_type"], given["retain_days"]
    known = before.get(id) if id is not None else None
    if id is not None and known is None:
        raise Problem("REFERENCE_NOT_FOUND", f"no policy has the id {id!r}", field=f"{at}.id", rule="reference")
    purging.check_type(call, kind, f"{at}.entity_type")
    if kind == AUDIT_LOG and days < _SHORTEST:
        message = f"the audit trail is kept for at least {_SHORTEST} days"
        raise Problem("RETENTION_TOO_SHORT", message, field=f"{at}.retain_days", rule="min", details={"min": _SHORTEST})
    if kind in (AUDIT_LOG, DELETED) and given.get("action", "delete") != "delete":
        raise invalid(f"{at}.action", "choice", f"{kind} can only be deleted", allowed=["delete"])
    members = _with_defaults({name: value for name, value in given.items() if value is not None})
    purging.conditions(call, kind, members["filter_groups"])
    if known is None:
        return _stamped_policy(call, members)
    run = {name: known[name] for name in ("last_run_at", "last_count")}
    if all(known[name] == members[name] for name in _GIVEN):
        return known
    return known | members | run | {"updated_at": call.now, "version": known["version"] + 1}


def _stamped_policy(call: Context, members: Members) -> Document:
    """Return a new policy with its id, times, creator and version."""
    stamp = {"created_at": call.now, "updated_at": call.now, "created_by": call.caller.actor_id, "version": 1}
    return Document(id=call.new_id("retention_"), **stamp, **members)


def _changes(before: Mapping[str, Members], after: Mapping[str, Members]) -> Any:
    for id in dict.fromkeys([*before, *after]):
        one, two = ({name: found[id][name] for name in _GIVEN} if id in found else None for found in (before, after))
        if one != two:
            kind = (two or one or {})["entity_type"]
            yield {"field": kind, "before": one, "after": two}


@serves(Audit.data_purge)
def data_purge(
    call: Context, entity_type: str, before: Any, policy_id: str | None, dry_run: bool, confirm: str | None
) -> Document:
    """Purge the records of a type that are older than a time or a policy allows, or count them."""
    if (before is None) == (policy_id is None):
        raise invalid("before", "required", "give either before or policy_id")
    purging.check_type(call, entity_type, "entity_type")
    policies = policies_of(call)
    policy = next((one for one in policies if one["entity_type"] == entity_type), None)
    if policy_id is not None and (policy is None or policy["id"] != policy_id):
        message = f"no policy for {entity_type} has the id {policy_id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="policy_id", rule="reference")
    if not dry_run and confirm != entity_type:
        message = f"this purges records for good: confirm it with {entity_type!r}"
        raise Problem("CONFIRMATION_REQUIRED", message, field="confirm", rule="required")
    plan = purging.plan(call, entity_type, policies, policy_id is not None, before)
    result = purging.result_of(plan, dry_run=True) if dry_run else purging.carry_out(call, plan)
    job = jobs.start(
        call, "data_purge", {}, title=f"Purge of {entity_type}", total=result["matched"], status_url=None,
        cancellable=False,
    )  # fmt: skip
    done = result["purged"] + result["anonymized"] + result["archived"]
    return jobs.finish(
        call, job, result, processed=result["matched"], succeeded=done, skipped=result["matched"] - done,
        deleted=result["purged"] + result["archived"], updated=result["anonymized"],
    )  # fmt: skip


@recurs(_RUN, every=_EVERY)
def purge_old_records(call: Context) -> None:
    """Carry out every policy that is enabled; a run that purges something is in the trail."""
    policies = policies_of(call)
    ran: list[Document] = []
    for policy in policies:
        if policy["enabled"]:
            result = purging.carry_out(call, purging.plan(call, policy["entity_type"], policies, True))
            count = result["purged"] + result["anonymized"] + result["archived"]
            policy = policy | {"last_run_at": call.now, "last_count": count}
        ran.append(policy)
    _store(call, ran)
