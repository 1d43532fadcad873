"""The rules of leads: create, read, update, delete, list and qualify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.models.leads import Lead
from crm_sdk.resources.leads import Leads

from ...bulk import carry_out, check_size
from ...data import normalise
from ...data.blanks import blank
from ...data.collection import Collection
from ...data.document import Document
from ...data.query import filter_by_dates, filter_by_tags, filter_by_text, filter_by_values, sort_documents
from ...problems import FieldError, Problem, invalid, validation
from ...serving import Collections, Context, Members, RecordType, changes_between, completes, serves
from ..notifications import notify
from . import scoring as lead_scoring
from .assignment import first_owner, territory_of

SORTS = ("name", "company", "score", "value", "status", "last_activity_at", "created_at")
_SEARCHED = ("name", "email", "phone", "company", "title", "industry", "campaign", "source_detail", "notes", "tags")
_LONGEST_NAME = 200
_FREE = ("tags", "notes", "owner_id")
"""What can be changed about a lead that has become a contact."""

_UNTOLD = ("score_reasons", "duplicate_ids", "score_override", "score_override_reason")
"""What follows from other members: an event does not list it."""


LEADS = RecordType("lead", Lead)

# -- what the other rules of leads build on ----------------------------------------------------------------------


def stored_form(call: Context, given: Members, before: Document | None = None) -> dict[str, Any]:
    """Return given members in the form they are stored in. Raises 422 with every field that is wrong."""
    members = dict(given)
    forms: Mapping[str, Callable[[Any], object]] = {
        "email": normalise.email,
        "phone": lambda value: normalise.phone(value, call.tenant.get("country")),
        "language": normalise.language,
        "timezone": normalise.timezone,
        "tags": normalise.tags,
    }
    wrong: list[FieldError] = []
    for name, form in forms.items():
        if name in members:
            try:
                members[name] = form(members[name])
            except Problem as problem:
                wrong += problem.entries
    try:
        members |= _name_members(members, before)
    except Problem as problem:
        wrong += problem.entries
    if wrong:
        raise validation(wrong)
    call.reference("user", members.get("owner_id"), "owner_id")
    call.reference("account", members.get("account_id"), "account_id")
    if "custom_fields" in members:
        merged: dict[str, Any] = {**(before["custom_fields"] if before is not None else {}), **members["custom_fields"]}
        members["custom_fields"] = {name: value for name, value in merged.items() if value is not None}
    return members


def _name_members(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the name made of its parts where only they are given, and the parts anew where only the name is."""
    parts = {part: members[part] for part in ("first_name", "last_name") if part in members}
    if before is None or "name" in members:
        name = normalise.person_name(members)
        if not name:
            raise invalid("name", "required", "a lead needs a name, or a first or a last name")
        if len(name) > _LONGEST_NAME:
            raise invalid("name", "length", f"must have at most {_LONGEST_NAME} characters")
        if before is None or parts or before["last_name"] is None or name == before["name"]:
            return {"name": name}
        first, _, last = name.rpartition(" ")
        return {"name": name, "first_name": first or None, "last_name": last}
    former = {part: before[part] for part in ("first_name", "last_name")}
    if not parts or before["name"] != normalise.person_name(former):
        return {}
    return {"name": normalise.person_name({**former, **parts}) or before["name"]}


def add(
    call: Context, members: Members, *, heard: Callable[[Document], object] | None = None
) -> tuple[Document, dict[str, Any] | None]:
    """Store a new lead from prepared members: owned, scored, its duplicates named. Returns it and how it got its owner.

    `heard` is called with it before it is scored, to store what was heard of it.
    """
    draft = {"currency": call.tenant["base_currency"], **members}
    doc = call.create("lead", "lead_", blank(Lead) | draft | _of_status(None, draft.get("status", "new"), call.now))
    territory = territory_of(call, doc)
    doc = doc | {"territory_id": territory["id"] if territory is not None else None}
    assignment = first_owner(call, doc) if doc["owner_id"] is None else None
    if assignment is not None:
        doc = doc | {"owner_id": assignment["owner_id"]}
    if heard is not None:
        heard(doc)
    doc = call.collection("lead").put(doc | lead_scoring.current_score_members(call, doc))
    lead_scoring.remember(call, doc, None)
    return _with_duplicates(call, doc, ()), assignment


def change(call: Context, doc: Document, changes: Members) -> Document:
    """Store prepared changes to a lead and what follows from them; the same document where nothing differs."""
    real = {name: value for name, value in changes.items() if doc.get(name) != value}
    if not real:
        return doc
    if "status" in real:
        real = {**_of_status(doc, real["status"], call.now), **real}
    if doc["converted_contact_id"] is None:  # what became of it is decided: its score stays what it was
        real |= lead_scoring.current_score_members(call, doc | real)
    new = call.update("lead", doc, real)
    if new["score"] != doc["score"]:
        lead_scoring.remember(call, new, doc)
    if "email" in real or "phone" in real:
        new = _with_duplicates(call, new, doc["duplicate_ids"])
    return new


def event_changes(before: Members, after: Members) -> list[dict[str, Any]]:
    """Return the changes an event of a lead lists: all but those of members that are computed from others."""
    return [entry for entry in changes_between(before, after) if entry["field"] not in _UNTOLD]


def link_duplicates(leads: Collection, ids: Iterable[str]) -> None:
    """Bring `duplicate_ids` of some leads up to date: all others with the same e-mail address or phone."""
    for id in ids:
        doc = leads.get(id)
        if doc is None:
            continue
        same = {other["id"] for field in ("email", "phone") if doc[field] for other in leads.find(field, doc[field])}
        duplicates = sorted(same - {id})
        if duplicates != doc["duplicate_ids"]:
            # Not an update: nobody changed this lead, so that a lock on its version must hold.
            leads.put(doc | {"duplicate_ids": duplicates})


def _with_duplicates(call: Context, doc: Document, former: Iterable[str]) -> Document:
    leads = call.collection("lead")
    link_duplicates(leads, [doc["id"]])
    new = leads.get(doc["id"]) or doc
    link_duplicates(leads, {*former, *new["duplicate_ids"]})
    return new


def _of_status(before: Members | None, status: str, now: datetime) -> dict[str, Any]:
    """Return the members that follow from a status that is set by hand."""
    members: dict[str, Any] = {}
    old = before["status"] if before is not None else "new"
    if status == "converted":
        members["converted_at"] = now
    elif old == "converted":
        members["converted_at"] = None
    if old == "unqualified" and before is not None:
        judged = before.get("qualification")
        members |= {"disqualified_reason": None, "qualification": judged if judged and judged["qualified"] else None}
    if status == "contacted" and (before is None or before.get("first_response_at") is None):
        members["first_response_at"] = now
    return members


@completes("lead")
def with_score(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored lead with its score, by its activities, and the leads that are the same person."""
    leads = collections("lead")
    same = {other["id"] for field in ("email", "phone") if doc[field] for other in leads.find(field, doc[field])}
    scored = lead_scoring.score_members(doc, collections("activity").find("lead_id", doc["id"]), now)
    return doc | scored | {"duplicate_ids": sorted(same - {doc["id"]})}


# -- rules -------------------------------------------------------------------------------------------------------


@serves(Leads.create)
def create(call: Context, lead: Members) -> Document:
    """Create a lead."""
    doc, _ = add(call, stored_form(call, lead))
    call.emit("lead.created", "lead", doc)
    return doc


@serves(Leads.get)
def get(call: Context, lead_id: str) -> Document:
    """Return a lead."""
    return call.record("lead", lead_id)


@serves(Leads.update)
def update(call: Context, lead_id: str, changes: Members, version: int | None) -> Document:
    """Change a lead; one that became a contact only in what everybody may still note about it."""
    doc = call.record("lead", lead_id)
    call.lock(doc, version)
    members = stored_form(call, changes, doc)
    if doc["converted_contact_id"] is not None:
        closed = [name for name, value in members.items() if name not in _FREE and doc.get(name) != value]
        if closed:
            raise _converted_problem(doc, f"only {', '.join(_FREE)} can still be changed", field=closed[0])
    new = change(call, doc, members)
    if new is not doc:
        call.emit("lead.updated", "lead", new, changes=event_changes(doc, new))
        _tell_owner(call, doc, new)
    return new


def _converted_problem(doc: Document, consequence: str, field: str | None = None) -> Problem:
    contact = doc["converted_contact_id"]
    return Problem(
        "LEAD_CONVERTED",
        f"the lead {doc['id']} was converted{f' to {contact}' if contact else ''}: {consequence}",
        field=field,
        rule="read_only" if field else None,
        details={"contact_id": contact},
    )


@serves(Leads.delete)
def delete(call: Context, lead_id: str, version: int | None) -> None:
    """Delete a lead; what it was converted to stays."""
    doc = call.record("lead", lead_id)
    call.lock(doc, version)
    gone = call.delete("lead", doc)
    link_duplicates(call.collection("lead"), doc["duplicate_ids"])
    call.emit("lead.deleted", "lead", gone)


@serves(Leads.list)
def list_leads(
    call: Context,
    search: str | None,
    status: str | None,
    source: str | None,
    owner_id: str | None,
    territory_id: str | None,
    rating: str | None,
    min_score: int | None,
    max_score: int | None,
    tags: Sequence[str] | None,
    converted: bool | None,
    created_after: datetime | None,
    created_before: datetime | None,
    updated_after: datetime | None,
    updated_before: datetime | None,
    sort: str | None,
    order: str | None,
) -> list[Document]:
    """Return the leads that fit every filter, newest first."""
    leads = call.collection("lead")
    docs: Sequence[Document] = leads.find("owner_id", owner_id) if owner_id is not None else leads.all()
    docs = filter_by_values(docs, status=status, source=source, territory_id=territory_id, rating=rating)
    if min_score is not None:
        docs = [doc for doc in docs if doc["score"] >= min_score]
    if max_score is not None:
        docs = [doc for doc in docs if doc["score"] <= max_score]
    if converted is not None:
        docs = [doc for doc in docs if (doc["converted_contact_id"] is not None) is converted]
    docs = filter_by_dates(
        filter_by_tags(docs, tags),
        created_after=created_after,
        created_before=created_before,
        updated_after=updated_after,
        updated_before=updated_before,
    )
    return sort_documents(filter_by_text(docs, search, _SEARCHED), sort, order, SORTS)


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
    """Judge a lead; the same judgement again changes nothing."""
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
    """Judge many leads alike."""
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


_JUDGED = ("reason", "budget", "authority", "need", "timeline", "notes")


def _judge(call: Context, lead_id: str, qualified: bool, known: Members) -> Document:
    doc = call.record("lead", lead_id)
    if doc["status"] == "converted":
        raise _converted_problem(doc, "there is nothing left to judge")
    former: Members = doc["qualification"] or {}
    same = former.get("qualified") is qualified
    judgement = {name: known.get(name, former.get(name)) for name in _JUDGED}
    if not same:
        judgement["reason"] = known.get("reason")  # the reason for the contrary verdict is none for this one
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
    new = change(call, doc, changes)
    event = "lead.qualified" if qualified else "lead.disqualified"
    call.emit(event, "lead", new, changes=event_changes(doc, new), reason=judgement["reason"])
    _tell_owner(call, doc, new)
    return new


def _tell_owner(call: Context, before: Members, after: Members) -> None:
    """Tell the owner of a lead that has just been qualified."""
    if after["status"] == "qualified" != before["status"] and after.get("owner_id"):
        text = f"{after['name']} has been qualified and is ready for follow-up"
        about = {"leadId": after["id"], "leadName": after["name"]}
        notify(call, after["owner_id"], "lead", "New qualified lead", text, data=about)
