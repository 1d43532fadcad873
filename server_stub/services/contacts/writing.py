"""Writes of contacts: the derived members (name, addresses, account), and the copies of its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...data.document import Document
from ...data.keys import with_value
from ...data.normalise import email_domain, person_name
from ...problems import invalid
from ...serving import Context, Members, reacts
from ..erasures import refuse_erased
from . import health as health

EMAILS = ("email", "secondary_emails")
PHONES = ("phone", "mobile")
_NAME_LENGTH = 200


def with_address(call: Context, address: str) -> list[Document]:
    """Return the live contacts with an e-mail address, as their main or a secondary one."""
    return with_value(call.collection("contact"), EMAILS, address)


# -- what follows from the members -------------------------------------------------------------------------------------


def check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the derived members: the whole name, the secondary addresses, the account."""
    refuse_erased(call, members, before)
    return {**_names(members, before), **_other_addresses(members, before), **_account_of(call, members, before)}


def _names(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the name made of first and last name where only these are given, or the parts of a given name."""
    parts = {"first_name", "last_name"} & members.keys()
    if before is not None and "name" not in members and not parts:
        return {}
    known = {name: before.get(name) for name in ("first_name", "last_name")} if before is not None and parts else {}
    given = {name: members[name] for name in ("name", *parts) if name in members}
    name = person_name({**known, **given})
    if name is None:
        if before is not None and "name" not in members:
            return {}
        raise invalid("name", "required", "a contact needs a name, or a first or last name")
    if len(name) > _NAME_LENGTH:
        raise invalid("name", "length", f"must have at most {_NAME_LENGTH} characters")
    if before is not None and not parts and name != before["name"] and before.get("last_name"):
        first, _, last = name.rpartition(" ")
        return {"name": name, "first_name": first or None, "last_name": last}
    return {"name": name}


def _other_addresses(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the secondary addresses without the main address."""
    known: Members = {**(before or {}), **members}
    others: list[str] = known.get("secondary_emails") or []
    first = known.get("email")
    return {"secondary_emails": [address for address in others if address != first]} if first in others else {}


def _account_of(call: Context, members: Members, before: Document | None) -> dict[str, Any]:
    """Return the account of a contact, and the name of the account as its company.

    Without an `account_id` it is the only account with the name of the company, or where no company is given, that with
    the domain of the e-mail address. A company name that several accounts have is linked to none.
    """
    accounts = call.collection("account")
    known: Members = before or {}
    new = {name for name in ("account_id", "company") if name in members and members[name] != known.get(name)}
    if "account_id" in new and members["account_id"]:
        account = accounts.get(members["account_id"])
        return {"company": account["name"]} if account is not None else {}
    if before is not None and ("account_id" in new or not new):
        return {}  # the account was cleared, or nothing it depends on has changed
    company = members.get("company")
    place = email_domain(members.get("email")) if not company and before is None else None
    same = accounts.find("name", company.strip()) if company else accounts.find("domain", place) if place else []
    if len(same) == 1:
        return {"account_id": same[0]["id"], "company": same[0]["name"]}
    return {"account_id": None} if before is not None else {}


# -- what follows from a write -----------------------------------------------------------------------------------------


def follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Recompute a contact's health, and update the copies of its name; unlink the records of a deleted contact."""
    if after is None:
        _leave(call, before or {})
        return None
    if before is None:  # a new contact has no deals and no communication
        members = health.complete(after, (), (), call.now, call.tenant)
    else:
        members = health.computed_members(call, after)
    if before is not None and any(before.get(name) != after.get(name) for name in ("name", "company")):
        _rename(call, after)
    return call.collection("contact").put(after | members)


@reacts("contact.updated", "contact.merged")
def publish_health(call: Context, entry: Document) -> None:
    """Publish a change of a contact's health by a write."""
    moved = [change for change in entry["changes"] if change["field"] == "health_score"]
    contact = call.collection("contact").get(entry["entity"]["id"])
    if moved and contact is not None:
        call.emit("contact.health_changed", "contact", contact, changes=moved)


def _rename(call: Context, contact: Document) -> None:
    for kind in ("deal", "activity"):
        company = {"contact_company": contact.get("company")} if kind == "activity" else {}
        for doc in call.collection(kind).find("contact_id", contact["id"]):
            call.collection(kind).put(doc | {"contact_name": contact["name"], **company})


def _leave(call: Context, contact: Members) -> None:
    """Delete a contact's relationships; its deals and activities lose its id and keep its name."""
    relationships = call.collection("relationship")
    for side in ("contact_id", "related_contact_id"):
        for relationship in relationships.find(side, contact["id"]):
            call.delete("relationship", relationship)
    for kind in ("deal", "activity"):
        records = call.collection(kind)
        for record in records.find("contact_id", contact["id"]):
            records.put(record | {"contact_id": None, "contact_name": record.get("contact_name") or contact["name"]})
    for deal in call.collection("deal").find("contact_roles.contact_id", contact["id"]):
        left = [role for role in deal["contact_roles"] if role["contact_id"] != contact["id"]]
        call.collection("deal").put(deal | {"contact_roles": left})
