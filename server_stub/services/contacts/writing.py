"""What is particular about writing a contact: its name, its addresses, its account, and what holds its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...data.document import Document
from ...data.keys import with_value
from ...data.normalise import email_domain, person_name
from ...problems import invalid
from ...serving import Context, Members, reacts
from . import health as health

EMAILS = ("email", "secondary_emails")
PHONES = ("phone", "mobile")
_NAME_LENGTH = 200


def with_address(call: Context, address: str) -> list[Document]:
    """Return the live contacts that have an e-mail address, as their first or as another one."""
    return with_value(call.collection("contact"), EMAILS, address)


# -- what follows from the members -------------------------------------------------------------------------------------


def check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the members that follow from given ones: the whole name, the other addresses, the account."""
    return {**_names(members, before), **_other_addresses(members, before), **_account_of(call, members, before)}


def _names(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the name, made of first and last name where it was not given; and those anew where only it was given."""
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
    """Return the further addresses without the one that is the first."""
    known: Members = {**(before or {}), **members}
    others: list[str] = known.get("secondary_emails") or []
    first = known.get("email")
    return {"secondary_emails": [address for address in others if address != first]} if first in others else {}


def _account_of(call: Context, members: Members, before: Document | None) -> dict[str, Any]:
    """Return the account somebody belongs to, and the company's name as the account has it.

    Without an account it is the only one called like the company, or that of the e-mail's domain where no company is
    given. A company that several accounts are called like is linked to none.
    """
    accounts = call.collection("account")
    known: Members = before or {}
    new = {name for name in ("account_id", "company") if name in members and members[name] != known.get(name)}
    if "account_id" in new and members["account_id"]:
        account = accounts.get(members["account_id"])
        return {"company": account["name"]} if account is not None else {}
    if before is not None and ("account_id" in new or not new):
        return {}  # taken out of its account on purpose, or nothing of it is new
    company = members.get("company")
    place = email_domain(members.get("email")) if not company and before is None else None
    same = accounts.find("name", company.strip()) if company else accounts.find("domain", place) if place else []
    if len(same) == 1:
        return {"account_id": same[0]["id"], "company": same[0]["name"]}
    return {"account_id": None} if before is not None else {}


# -- what follows from a write -----------------------------------------------------------------------------------------


def follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Compute a contact's health anew, and let what holds its name follow; part with a deleted one."""
    if after is None:
        _leave(call, before or {})
        return None
    if before is None:  # what is new has no deals and was not talked to
        members = health.complete(after, (), (), call.now, call.tenant)
    else:
        members = health.computed_members(call, after)
    if before is not None and any(before.get(name) != after.get(name) for name in ("name", "company")):
        _rename(call, after)
    return call.collection("contact").put(after | members)


@reacts("contact.updated", "contact.merged")
def publish_health(call: Context, entry: Document) -> None:
    """Publish that a write moved a contact's health."""
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
    """Delete a contact's relationships; its deals and activities stay without it, and keep its name."""
    relationships = call.collection("relationship")
    for side in ("contact_id", "related_contact_id"):
        for relationship in relationships.find(side, contact["id"]):
            call.delete("relationship", relationship)
    for kind in ("deal", "activity"):
        records = call.collection(kind)
        for record in records.find("contact_id", contact["id"]):
            records.put(record | {"contact_id": None, "contact_name": record.get("contact_name") or contact["name"]})
    for deal in call.collection("deal").all():
        roles: list[dict[str, Any]] = deal.get("contact_roles") or []
        left = [role for role in roles if role["contact_id"] != contact["id"]]
        if len(left) < len(roles):
            call.collection("deal").put(deal | {"contact_roles": left})
