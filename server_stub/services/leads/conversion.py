"""The rules of converting leads: a contact, an account and a deal are found or created in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from crm_sdk.resources.leads import Leads

from ...bulk import carry_out, check_size
from ...data import normalise
from ...data.document import Document
from ...data.merging import missing_members
from ...data.queries.latest import entity_refs, latest_first
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members, serves
from ..accounts.records import ACCOUNTS
from ..activities import records as activity_records
from ..contacts import health as contact_health
from ..contacts.records import CONTACTS
from ..contacts.writing import with_address
from ..conversations import state as conversation_state
from ..deals.records import DEALS, rounded_amount
from .records import LEADS, converted_problem

_SHARED = (
    "first_name", "last_name", "email", "phone", "title", "source", "address", "website", "social_profiles",
    "language", "timezone", "tags", "notes", "custom_fields",
)  # fmt: skip
"""The members that leads and contacts share."""

_OF_COMPANY = ("website", "industry", "employees", "annual_revenue", "source")
"""The members of a lead that describe its company."""

_LONGEST_TITLE = 200


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
    """Convert a lead; the caller needs the permissions for all records that are created or filled in."""
    lead = LEADS.writable(call, lead_id)
    _check(lead)
    if deal and not create_deal:
        raise invalid("deal", "choice", "members of a deal are given, but create_deal says that none is made")
    call.reference("user", owner_id, "owner_id")
    owner = owner_id or lead["owner_id"] or call.caller.user_id
    contact, like_contact = _contact_of(call, lead, contact_id)
    account, like_account = _account_of(call, lead, contact, account_id)
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
    link, moved, new_deal = partial(_link_history, call, lead, contact, account), dict[str, int](), None
    if create_deal:  # linked first: its probability follows from the linked activities
        members = _deal_members(call, lead, contact, account, owner, deal or {})
        new_deal = DEALS.add(call, members, parts=lambda made: moved.update(link(made)))
    else:
        moved = link(None)
    contact = contact_health.refresh(call, contact["id"]) or contact
    account = ACCOUNTS.find_one(call, account["id"]) if account is not None else None  # with its new figures
    ids = {
        "converted_contact_id": contact["id"],
        "converted_account_id": account and account["id"],
        "converted_deal_id": new_deal and new_deal["id"],
    }
    done = {"status": "converted", "converted_at": call.now, "account_id": account and account["id"], **ids}
    converted = LEADS.change(call, lead, done, verb="converted", metadata=ids)
    made = (("contact", new_contact), ("account", new_account), ("deal", new_deal is not None))
    return {
        "lead": converted,
        "contact": contact,
        "account": account,
        "deal": new_deal,
        "created": [kind for kind, new in made if new],
        "moved": moved,
        "other_matches": [*entity_refs("contact", like_contact), *entity_refs("account", like_account)],
    }


@serves(Leads.bulk_convert)
def bulk_convert(call: Context, conversions: Sequence[Members], atomic: bool) -> dict[str, Any]:
    """Convert several leads in sequence: a second lead of a new company finds the account that the first created."""
    check_size(conversions, "conversions")
    defaults: Mapping[str, Any] = {
        name: parameter.default
        for name, parameter in Leads.convert.operation.signature.parameters.items()
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
        raise converted_problem(lead, "it is not converted again")
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


# -- existing records ----------------------------------------------------------------------------------------------


Match = tuple[Document | None, Sequence[Document]]
"""The record that is used, and the other matches."""


def _contact_of(call: Context, lead: Document, contact_id: str | None) -> Match:
    """Return the contact by id, else by the lead's e-mail address."""
    given = call.reference("contact", contact_id, "contact_id")
    if given is not None or not lead["email"]:
        return given, ()
    same = latest_first(with_address(call, lead["email"]))
    return (same[0] if same else None), same[1:]


def _account_of(call: Context, lead: Document, contact: Document | None, account_id: str | None) -> Match:
    """Return the account by id, else by the company's name, else by its domain; else the contact's own."""
    given = call.reference("account", account_id, "account_id")
    linked = call.find_one("account", lead["account_id"]) if lead["account_id"] else None
    own = call.find_one("account", contact["account_id"]) if contact is not None and contact["account_id"] else None
    if given is not None or linked is not None:
        return given or linked, ()
    same = _accounts_like(call, lead) if lead["company"] else []
    if not same:
        return own, ()
    chosen = own if own is not None and own in same else same[0]
    return chosen, [account for account in same if account is not chosen]


def _accounts_like(call: Context, lead: Document) -> list[Document]:
    """Return the accounts with the name of the lead's company, else with its domain; the latest activity first."""
    accounts = call.collection("account")
    same = accounts.find("name", lead["company"].strip())
    for host in _hosts(lead):
        same = same or accounts.find("domain", host)
    return latest_first(same)


def _hosts(lead: Members) -> list[str]:
    return [host for host in (normalise.email_domain(lead["email"]), normalise.host(lead["website"])) if host]


def _missing_members(doc: Document, members: Members) -> dict[str, Any]:
    """Return the members that a record which was there lacks; what it knows already stays."""
    changes = missing_members(doc, members, amounts=("annual_revenue",))
    own: dict[str, Any] = {**(members.get("custom_fields") or {}), **doc["custom_fields"]}
    return changes | ({"custom_fields": own} if own != doc["custom_fields"] else {})


def _fill_account(call: Context, lead: Document, account: Document) -> Document:
    members = {name: lead[name] for name in (*_OF_COMPANY, "currency")} | {"billing_address": lead["address"]}
    host = normalise.host(lead["website"])
    if host and not account["website"] and not call.collection("account").find("domain", host):
        members["domain"] = host
    changes = _missing_members(account, members)
    return ACCOUNTS.change(call, ACCOUNTS.writable(call, account["id"]), changes) if changes else account


def _fill_contact(call: Context, lead: Document, contact: Document, account: Document | None) -> Document:
    members = {name: lead[name] for name in _SHARED} | {"lead_id": lead["id"], "company": lead["company"]}
    if account is not None and (contact["company"] or account["name"]).casefold() == account["name"].casefold():
        # The `company` of a contact is its account's name: a contact of another company does not get this account.
        members |= {"account_id": account["id"], "company": account["name"]}
    if lead["email"] and with_address(call, lead["email"]):
        members["email"] = None  # the address belongs to another contact, or is a secondary one
    changes = _missing_members(contact, members)
    if not changes:
        return contact
    writable = CONTACTS.writable(call, contact["id"])
    return CONTACTS.change(call, writable, CONTACTS.stored_form(call, changes, writable))


# -- what is made --------------------------------------------------------------------------------------------------


def _new_account(call: Context, lead: Document, owner: str | None) -> Document:
    permissions.check(call.caller, ACCOUNTS.word, "create")
    members = {name: lead[name] for name in _OF_COMPANY} | {
        "name": lead["company"],
        "domain": hosts[0] if (hosts := _hosts(lead)) else None,
        "billing_address": lead["address"],
        "currency": lead["currency"],
        "owner_id": owner,
    }
    return ACCOUNTS.add(call, ACCOUNTS.stored_form(call, members))


def _new_contact(
    call: Context, lead: Document, account: Document | None, owner: str | None, *, in_deal: bool
) -> Document:
    permissions.check(call.caller, CONTACTS.word, "create")
    members = {name: lead[name] for name in (*_SHARED, "name", "do_not_contact", "email_opt_out")} | {
        "company": lead["company"],
        "account_id": account and account["id"],
        "owner_id": owner,
        "lead_id": lead["id"],
        "lifecycle_stage": "opportunity" if in_deal else "lead",
    }
    return CONTACTS.add(call, CONTACTS.stored_form(call, members))


def _deal_members(
    call: Context, lead: Document, contact: Document, account: Document | None, owner: str | None, given: Members
) -> dict[str, Any]:
    permissions.check(call.caller, DEALS.word, "create")
    start = {
        "title": (lead["company"] or lead["name"])[:_LONGEST_TITLE],
        "value": rounded_amount(lead["value"] or Decimal(0), lead["currency"]),
        "currency": lead["currency"],
        "source": lead["source"],
        "owner_id": owner,
    }
    account_id = account["id"] if account is not None else contact["account_id"]
    return _deal_form(call, {**start, **given, "lead_id": lead["id"]}, contact["id"], account_id)


def _deal_form(call: Context, given: Members, contact_id: str, account_id: str | None) -> dict[str, Any]:
    """Return the stored form of the deal's members. Raises: the errors of a new deal, with fields ``deal.…``."""
    people = {"contact_id": contact_id, "account_id": account_id}
    for name, id in people.items():
        if given.get(name) is not None and call.resolve(name.removesuffix("_id"), given[name], f"deal.{name}") != id:
            raise invalid(f"deal.{name}", "read_only", "the deal is the converted contact's and its account's")
    try:
        return DEALS.stored_form(call, {**given, **people})
    except Problem as problem:
        entries = [replace(entry, field=f"deal.{entry.field}" if entry.field else "deal") for entry in problem.entries]
        raise Problem(problem.code, problem.message, errors=entries, details=problem.details) from None


# -- activities and conversations ----------------------------------------------------------------------------------


def _link_history(
    call: Context, lead: Document, contact: Document, account: Document | None, deal: Document | None
) -> dict[str, int]:
    """Link the lead's activities and conversations to the contact. They stay linked to the lead, for 003's messages."""
    there = {"contact_id": contact["id"], "contact_name": contact["name"]}
    links = {"account_id": account and account["id"], "deal_id": deal and deal["id"]}
    activities = _without_contact(call, "activity", lead)
    for doc in activities:
        unset = {name: id for name, id in links.items() if doc.get(name) is None}
        activity_records.noun_of(doc).change(call, doc, there | unset)
    conversations = _without_contact(call, "conversation", lead)
    for doc in conversations:
        unset = {name: id for name, id in links.items() if name in doc and doc[name] is None}
        conversation_state.change(call, doc, there | unset)
    return {"activities": len(activities), "conversations": len(conversations)}


def _without_contact(call: Context, kind: str, lead: Document) -> list[Document]:
    return [doc for doc in call.collection(kind).find("lead_id", lead["id"]) if doc.get("contact_id") is None]
