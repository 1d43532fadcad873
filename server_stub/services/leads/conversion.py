"""The rules of converting leads: a contact, an account and a deal are found or made, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crm_sdk.models.accounts import Account
from crm_sdk.models.deals import Deal
from crm_sdk.resources.leads import Leads

from ...bulk import carry_out, check_size
from ...data import normalise
from ...data.blanks import blank
from ...data.document import Document
from ...problems import Problem, invalid
from ...serving import Context, Members, changes_between, serves
from ..contacts import health as contact_health
from ..contacts.records import CONTACTS
from ..contacts.writing import with_address
from ..deals import figures as deal_figures
from ..deals import stages as deal_stages
from .assignment import territory_of
from .records import event_changes

_SHARED = (
    "first_name", "last_name", "email", "phone", "title", "source", "address", "website", "social_profiles",
    "language", "timezone", "tags", "notes", "custom_fields",
)  # fmt: skip
"""What a lead and a contact both have."""

_OF_COMPANY = ("website", "industry", "employees", "annual_revenue", "source")
"""What a lead tells about its company."""


@serves(Leads.convert)
def convert(
    call: Context,
    lead_id: str,
    account_id: str | None,
    contact_id: str | None,
    create_account: bool,
    create_deal: bool,
    deal: Members | None,
    owner_id: str | None,
) -> dict[str, Any]:
    """Convert a lead."""
    lead = call.record("lead", lead_id)
    _check(lead)
    if deal and not create_deal:
        raise invalid("deal", "choice", "members of a deal are given, but create_deal says that none is made")
    call.reference("user", owner_id, "owner_id")
    owner = owner_id or lead["owner_id"] or call.caller.user_id
    contact = _contact_of(call, lead, contact_id)
    account = _account_of(call, lead, contact, account_id)
    _check_match(contact, account)
    new_account, new_contact = False, contact is None
    if account is not None:
        account = _fill_account(call, lead, account)
    elif create_account and lead["company"]:
        account, new_account = _new_account(call, lead, owner), True
    if contact is not None:
        contact = _fill_contact(call, lead, contact, account)
    else:
        contact = _new_contact(call, lead, account, owner, in_deal=create_deal)
    new_deal = _new_deal(call, lead, contact, account, owner, deal or {}) if create_deal else None
    moved = _link_history(call, lead, contact, account, new_deal)
    if new_deal is not None:
        new_deal = deal_stages.begin(call, new_deal)  # now, since what was said with the lead tells how likely it is
    contact = contact_health.refresh(call, contact["id"]) or contact
    ids = {
        "converted_contact_id": contact["id"],
        "converted_account_id": account and account["id"],
        "converted_deal_id": new_deal and new_deal["id"],
    }
    done = {"status": "converted", "converted_at": call.now, "account_id": account and account["id"], **ids}
    converted = call.update("lead", lead, done)
    call.emit("lead.converted", "lead", converted, changes=event_changes(lead, converted), metadata=ids)
    made = (("contact", new_contact), ("account", new_account), ("deal", new_deal is not None))
    return {
        "lead": converted,
        "contact": contact,
        "account": account,
        "deal": new_deal,
        "created": [kind for kind, new in made if new],
        "moved": moved,
    }


@serves(Leads.bulk_convert)
def bulk_convert(call: Context, conversions: Sequence[Members], atomic: bool) -> dict[str, Any]:
    """Convert many leads, one after the other: of two from one new company, the second finds what the first made."""
    check_size(conversions, "conversions")
    defaults: Mapping[str, Any] = {
        name: parameter.default
        for name, parameter in Leads.convert.signature.parameters.items()
        if parameter.default is not parameter.empty
    }
    return carry_out(
        call,
        conversions,
        lambda item: convert(call, **{**defaults, **item}),
        field="conversions",
        id_of=lambda item: item["lead_id"],
        atomic=atomic,
    )


def _check(lead: Document) -> None:
    if lead["converted_contact_id"] is not None:
        contact = lead["converted_contact_id"]
        raise Problem("LEAD_CONVERTED", f"the lead was converted to {contact} already", details={"contact_id": contact})
    if lead["status"] == "unqualified":
        raise Problem(
            "LEAD_UNQUALIFIED",
            "the lead was disqualified: qualify it before it is converted",
            details={"reason": lead["disqualified_reason"]},
        )


def _check_match(contact: Document | None, account: Document | None) -> None:
    theirs = contact and contact["account_id"]
    if contact is not None and account is not None and theirs not in (None, account["id"]):
        raise Problem(
            "ACCOUNT_MISMATCH",
            f"the contact {contact['id']} belongs to the account {theirs}, not to {account['id']}",
            details={"contact_id": contact["id"], "contact_account_id": theirs, "account_id": account["id"]},
        )


# -- what is there already -----------------------------------------------------------------------------------------


def _contact_of(call: Context, lead: Document, contact_id: str | None) -> Document | None:
    given = call.reference("contact", contact_id, "contact_id")
    if given is not None or not lead["email"]:
        return given
    same = with_address(call, lead["email"])
    return same[0] if same else None


def _account_of(call: Context, lead: Document, contact: Document | None, account_id: str | None) -> Document | None:
    """Return the account by id, else by the company's name, else by its domain; else the contact's own."""
    given = call.reference("account", account_id, "account_id")
    accounts = call.collection("account")
    linked = accounts.get(lead["account_id"]) if lead["account_id"] else None
    own = accounts.get(contact["account_id"]) if contact is not None and contact["account_id"] else None
    if given is not None or linked is not None:
        return given or linked
    if lead["company"]:
        same = accounts.find("name", lead["company"].strip())
        for host in _hosts(lead):
            same = same or accounts.find("domain", host)
        if same:
            return own if own in same else same[0]
    return own


def _hosts(lead: Members) -> list[str]:
    return [host for host in (normalise.email_domain(lead["email"]), normalise.host(lead["website"])) if host]


def _missing_members(doc: Document, members: Members) -> dict[str, Any]:
    """Return the members that a record which was there lacks; what it knows already stays."""
    changes = {name: value for name, value in members.items() if doc.get(name) in _EMPTY and value not in _EMPTY}
    own: dict[str, Any] = {**(members.get("custom_fields") or {}), **doc["custom_fields"]}
    return changes | ({"custom_fields": own} if own != doc["custom_fields"] else {})


def _fill_account(call: Context, lead: Document, account: Document) -> Document:
    members = {name: lead[name] for name in _OF_COMPANY} | {"billing_address": lead["address"]}
    if account["currency"] not in (None, lead["currency"]):
        members["annual_revenue"] = None  # an amount of another currency
    changes = _missing_members(account, members)
    if not changes:
        return account
    new = call.update("account", account, changes)
    call.emit("account.updated", "account", new, changes=changes_between(account, new))
    return new


def _fill_contact(call: Context, lead: Document, contact: Document, account: Document | None) -> Document:
    members = {name: lead[name] for name in _SHARED} | {"lead_id": lead["id"], "company": lead["company"]}
    if account is not None and (contact["company"] or account["name"]).casefold() == account["name"].casefold():
        # A contact is called after its account, so that one of another company cannot get this one.
        members |= {"account_id": account["id"], "company": account["name"]}
    if lead["email"] and with_address(call, lead["email"]):
        members["email"] = None  # the address is another contact's, or this one's second
    changes = _missing_members(contact, members)
    return CONTACTS.change(call, contact, CONTACTS.stored_form(call, changes, contact)) if changes else contact


_EMPTY: tuple[Any, ...] = (None, "", [], {})


# -- what is made --------------------------------------------------------------------------------------------------


def _new_account(call: Context, lead: Document, owner: str | None) -> Document:
    hosts = _hosts(lead)
    members = {name: lead[name] for name in _OF_COMPANY} | {
        "name": lead["company"].strip(),
        "domain": hosts[0] if hosts else None,
        "billing_address": lead["address"],
        "currency": lead["currency"],
        "owner_id": owner,
    }
    doc = call.create("account", "account_", blank(Account) | members)
    territory = territory_of(call, doc)
    if territory is not None:
        doc = call.collection("account").put(doc | {"territory_id": territory["id"]})
    call.emit("account.created", "account", doc)
    return doc


def _new_contact(
    call: Context, lead: Document, account: Document | None, owner: str | None, *, in_deal: bool
) -> Document:
    members = {name: lead[name] for name in (*_SHARED, "name", "do_not_contact", "email_opt_out")} | {
        "company": lead["company"],
        "account_id": account and account["id"],
        "owner_id": owner,
        "lead_id": lead["id"],
        "lifecycle_stage": "opportunity" if in_deal else "lead",
    }
    return CONTACTS.add(call, CONTACTS.stored_form(call, members))


def _new_deal(
    call: Context, lead: Document, contact: Document, account: Document | None, owner: str | None, given: Members
) -> Document:
    for name, fixed in (("contact_id", contact), ("account_id", account)):
        if given.get(name) is not None and given[name] != (fixed and fixed["id"]):
            raise invalid(f"deal.{name}", "read_only", "the deal is the converted contact's and its account's")
    call.reference("user", given.get("owner_id"), "deal.owner_id")
    call.reference("team", given.get("team_id"), "deal.team_id")
    stage = _stage(call, given)
    value = given.get("value", lead["value"]) or Decimal(0)
    override = given.get("probability_override")
    probability = override if override is not None else stage["probability"]
    members = {
        "title": lead["company"] or lead["name"],
        "currency": lead["currency"],
        "source": lead["source"],
        "owner_id": owner,
        "expected_close_date": deal_figures.quarter(deal_figures.today(call))[1],
        "forecast_category": stage["forecast_category"],
        **given,
        "value": value,
        "pipeline_id": stage["pipeline_id"],
        "stage": stage["key"],
        "stage_id": stage["id"],
        "status": stage["kind"],
        "probability": probability,
        "weighted_value": value * probability / 100,
        "contact_id": contact["id"],
        "contact_name": contact["name"],
        "contact_roles": _roles(call, contact, given.get("contact_roles") or ()),
        "account_id": account["id"] if account is not None else contact["account_id"],
        "company": account["name"] if account is not None else contact["company"],
        "lead_id": lead["id"],
        "created_date": call.now,
        "stage_changed_at": call.now,
        "last_activity": call.now,
        "closed_at": None if stage["kind"] == "open" else call.now,
    }
    return call.create("deal", "deal_", blank(Deal) | members)


def _stage(call: Context, given: Members) -> Document:
    pipeline = deal_stages.pipeline_of(call, given.get("pipeline_id"), "deal.pipeline_id")
    return deal_stages.stage_named(call, pipeline, given.get("stage"), "deal.stage")


def _roles(call: Context, contact: Document, given: Sequence[Members]) -> list[dict[str, Any]]:
    """Return who takes part in the deal; the converted contact is the one primary."""
    roles = {contact["id"]: {"contact_id": contact["id"], "role": "other", "is_primary": True}}
    for index, entry in enumerate(given):
        call.reference("contact", entry["contact_id"], f"deal.contact_roles.{index}.contact_id")
        id = entry["contact_id"]
        roles[id] = {"contact_id": id, "role": entry.get("role", "other"), "is_primary": id == contact["id"]}
    return list(roles.values())


# -- what moves ----------------------------------------------------------------------------------------------------


def _link_history(
    call: Context, lead: Document, contact: Document, account: Document | None, deal: Document | None
) -> dict[str, int]:
    """Give the contact what was said with the lead. It stays the lead's as well: that is how 003 finds its messages."""
    there = {"contact_id": contact["id"], "contact_name": contact["name"]}
    moved: dict[str, int] = {}
    for kind, name in (("activity", "activities"), ("conversation", "conversations")):
        left = [doc for doc in call.collection(kind).find("lead_id", lead["id"]) if doc.get("contact_id") is None]
        for doc in left:
            links = {"account_id": account and account["id"], "deal_id": deal and deal["id"]}
            unset = {link: id for link, id in links.items() if link in doc and doc[link] is None}
            call.update(kind, doc, {**there, **unset})
        moved[name] = len(left)
    return moved
