"""The rules of leads: their derived members (name, owner, territory, score) and their duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_sdk.models.leads import Lead
from crm_sdk.resources.leads import Leads

from ...data import normalise
from ...data.document import Document
from ...data.merging import differences
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Collections, Context, Members, completes
from ..ai_insights.scheme import scheme_of
from ..erasures import refuse_erased
from ..territories import territory_of
from .duplicates import duplicates_of, link_duplicates, refuse_duplicates, with_duplicates
from .owners import first_owner
from .points import current_score_members, remember_score, score_members

_LONGEST_NAME = 200
_FREE = ("tags", "notes", "owner_id")
"""The members of a converted lead that can be changed."""
_ONCE_QUALIFIED = ("qualified", "converted")
"""The statuses that only a lead which was qualified has (002, 0.7: qualified counts what was ever qualified)."""


# -- before a lead is stored -------------------------------------------------------------------------------------------


def check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Check the members of a lead, and return the derived members. Raises: 409 for a duplicate by policy; 422."""
    follows = check_form(call, members, before)
    refuse_duplicates(call, members, before)
    return follows


def check_form(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Check as `check` does, but accept duplicates, for captures."""
    refuse_erased(call, members, before)
    if before is not None and before["converted_contact_id"] is not None:
        closed = [name for name in differences(before, members) if name not in _FREE]
        if closed:
            raise converted_problem(before, f"only {', '.join(_FREE)} can still be changed", field=closed[0])
    follows = _name_members(members, before) | _status_members(call, members.get("status"), before)
    if before is None and "owner_id" in members and members["owner_id"] is None:
        follows["left_unowned"] = True
    return follows


def _name_members(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the name made of first and last name where only these are given, or the parts of a given name."""
    parts = {part: members[part] for part in ("first_name", "last_name") if part in members}
    if before is None or "name" in members:
        name = normalise.person_name(members)
        if not name:
            raise invalid("name", "required", "a lead needs a name, or a first or a last name")
        _refuse_long(name)
        if before is None or parts or before["last_name"] is None or name == before["name"]:
            return {"name": name}
        first, _, last = name.rpartition(" ")
        return {"name": name, "first_name": first or None, "last_name": last}
    former = {part: before[part] for part in ("first_name", "last_name")}
    if not parts or before["name"] != normalise.person_name(former):
        return {}
    made: str = normalise.person_name({**former, **parts}) or before["name"]
    _refuse_long(made)
    return {"name": made}


def _refuse_long(name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise invalid("name", "length", f"must have at most {_LONGEST_NAME} characters")


def _status_members(call: Context, status: str | None, before: Document | None) -> dict[str, Any]:
    """Return the members that follow from a given status."""
    old = before["status"] if before is not None else "new"
    if status is None or status == old:
        return {}
    members: dict[str, Any] = {}
    if status == "converted":
        members["converted_at"] = call.now
    elif old == "converted":
        members["converted_at"] = None
    if old == "unqualified" and before is not None:
        judged = before["qualification"]
        members |= {"disqualified_reason": None, "qualification": judged if judged and judged["qualified"] else None}
    if status == "contacted" and (before is None or before["first_response_at"] is None):
        members["first_response_at"] = call.now
    return members


def converted_problem(doc: Document, consequence: str, field: str | None = None) -> Problem:
    """Return the 409 LEAD_CONVERTED for an action that is possible only before the conversion."""
    contact = doc["converted_contact_id"]
    return Problem(
        "LEAD_CONVERTED",
        f"the lead {doc['id']} was converted{f' to {contact}' if contact else ''}: {consequence}",
        field=field,
        rule="read_only" if field else None,
        details={"contact_id": contact},
    )


# -- after a lead was stored -------------------------------------------------------------------------------------------


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Assign and score a lead, record its score, and link its duplicates; unlink those of a deleted lead."""
    leads = call.collection("lead")
    if after is None:
        link_duplicates(leads, before["duplicate_ids"] if before is not None else ())
        return None
    if before is None:
        after = leads.put(after | _place(call, after))
    if after["status"] in _ONCE_QUALIFIED and after.get("first_qualified_at") is None:
        after = leads.put(after | {"first_qualified_at": call.now})
    if before is None or after["converted_contact_id"] is None:  # the score of a converted lead stays
        after = leads.put(after | current_score_members(call, after))
    if before is None or after["score"] != before["score"]:
        remember_score(call, after, before)
    return with_duplicates(call, after, before)


def _place(call: Context, lead: Document) -> dict[str, Any]:
    """Return the territory and the owner of a new lead by the company's rules; a given null stays no owner."""
    territory = territory_of(call, lead)
    members: dict[str, Any] = {"territory_id": territory["id"] if territory is not None else None}
    if lead["owner_id"] is None and not lead.get("left_unowned"):
        given = first_owner(call, lead)
        members["owner_id"] = given["owner_id"] if given is not None else None
    return members


@completes("lead")
def with_score(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a lead of the demo data with its score and its duplicates."""
    judged: Members = doc["qualification"] or {}
    since = judged.get("qualified_at") or doc["converted_at"] or doc["updated_at"]
    return doc | {
        "first_qualified_at": since if doc["status"] in _ONCE_QUALIFIED else None,
        **score_members(doc, collections("activity").find("lead_id", doc["id"]), now, scheme_of(collections, now)),
        "duplicate_ids": duplicates_of(collections("lead"), doc),
    }


def was_qualified(lead: Members) -> bool:
    """Return whether a lead was ever qualified, whatever its present status; a converted lead was (002, 0.7)."""
    return lead["status"] in _ONCE_QUALIFIED or lead.get("first_qualified_at") is not None


LEADS = Noun(
    resource=Leads,
    kind="lead",
    model=Lead,
    searched=(
        "name", "email", "phone", "company", "title", "industry", "campaign", "source_detail", "notes", "tags",
    ),
    sorts=("name", "company", "score", "value", "status", "last_activity_at"),
    refers={"owner_id": "user", "account_id": "account"},
    defaults={"currency": lambda call: call.tenant["base_currency"]},
    filters={"converted": lambda call, value: lambda doc: (doc["converted_contact_id"] is not None) is value},
    computed=(
        "score_reasons", "duplicate_ids", "score_override", "score_override_reason", "first_qualified_at",
        "left_unowned",
    ),
    check=check,
    follow=_follow,
)  # fmt: skip
