"""How a contact is written: what was given is normalised and checked, the rest is filled in, others are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from crm_sdk.models.contacts import Contact

from ...data.blanks import blank
from ...data.document import Document
from ...data.normalise import email, email_domain, person_name, phone, tags
from ...problems import FieldError, Problem, invalid, validation
from ...serving import Context, Members, changes_between
from . import health as health

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NAME_LENGTH = 200


# -- finding -----------------------------------------------------------------------------------------------------------


def found(call: Context, contact_id: str) -> Document:
    """Return a contact; the id of one that was merged into another gives that other one. Raises 404."""
    contacts = call.collection("contact")
    doc = contacts.get(contact_id, deleted=True)
    while doc is not None and doc.get("deleted_at") is not None and doc.get("merged_into"):
        doc = contacts.get(doc["merged_into"], deleted=True)
    return doc if doc is not None and doc.get("deleted_at") is None else call.record("contact", contact_id)


def writable(call: Context, contact_id: str) -> Document:
    """Return a contact that is to be changed. Raises 404, or 409 for one that was merged into another."""
    gone = call.collection("contact").get(contact_id, deleted=True)
    if gone is not None and gone.get("deleted_at") is not None and gone.get("merged_into"):
        survivor = found(call, contact_id)
        raise Problem(
            "RECORD_MERGED",
            f"this contact was merged into {survivor['id']}",
            details={"survivor_id": survivor["id"]},
        )
    return call.record("contact", contact_id)


def with_address(call: Context, address: str) -> list[Document]:
    """Return the live contacts that have an e-mail address, as their first or as another one."""
    contacts = call.collection("contact")
    first = contacts.find("email", address)
    return first + [doc for doc in contacts.find("secondary_emails", address) if doc not in first]


# -- checking ----------------------------------------------------------------------------------------------------------


def stored_form_and_problems(
    call: Context, members: Members, current: Document | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the members in the form they are stored in, and the problems that forbid storing them.

    `current` is the contact they are changes of; None for a new one.
    """
    out = dict(members)
    problems: list[Problem] = []
    country = call.tenant.get("country")

    def attempt(name: str, step: Callable[[Any], Any]) -> None:
        if out.get(name) is not None:
            try:
                out[name] = step(out[name])
            except Problem as problem:
                problems.append(problem)

    attempt("email", email)
    attempt("secondary_emails", lambda given: _addresses(given, out.get("email", current and current.get("email"))))
    attempt("phone", lambda given: phone(given, country))
    attempt("mobile", lambda given: phone(given, country))
    attempt("tags", tags)
    attempt("language", _language)
    attempt("timezone", _timezone)
    attempt("owner_id", lambda given: (call.reference("user", given, "owner_id"), given)[1])
    attempt("account_id", lambda given: (call.reference("account", given, "account_id"), given)[1])
    try:
        out |= _names(out, current)
    except Problem as problem:
        problems.append(problem)
    problems += _conflicts(call, out, current)
    return out, problems


def stored_form(call: Context, members: Members, current: Document | None = None) -> dict[str, Any]:
    """Return the members in the form they are stored in. Raises 422 with every field that is wrong, or 409."""
    out, problems = stored_form_and_problems(call, members, current)
    fields = [entry for problem in problems if problem.code == "VALIDATION_ERROR" for entry in problem.entries]
    if fields:
        raise validation(fields)
    if problems:
        raise problems[0]
    return out


def _addresses(given: Iterable[str], first: str | None) -> list[str]:
    kept: dict[str, None] = {}
    errors: list[FieldError] = []
    for number, value in enumerate(given):
        try:
            address = email(value, f"secondary_emails.{number}")
        except Problem as problem:
            errors += problem.entries
        else:
            if address is not None and address != first:
                kept[address] = None
    if errors:
        raise validation(errors)
    return list(kept)


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise invalid("language", "format", f"{tag!r} is no language tag such as 'en' or 'pt-BR'")
    return tag


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if available_timezones():  # else this machine has no time zones to tell by
            raise invalid("timezone", "format", f"{name!r} is no time zone such as 'Europe/Berlin'") from None
    return name


def _names(members: Members, current: Document | None) -> dict[str, Any]:
    """Return the name, made of first and last name where it was not given; and those anew where only it was given."""
    parts = {"first_name", "last_name"} & members.keys()
    if current is not None and "name" not in members and not parts:
        return {}
    known = {name: current.get(name) for name in ("first_name", "last_name")} if current is not None and parts else {}
    given = {name: members[name] for name in ("name", *parts) if name in members}
    name = person_name({**known, **given})
    if name is None:
        if current is not None and "name" not in members:
            return {}
        raise invalid("name", "required", "a contact needs a name")
    if len(name) > _NAME_LENGTH:
        raise invalid("name", "length", f"must have at most {_NAME_LENGTH} characters")
    if current is not None and not parts and name != current["name"] and current.get("last_name"):
        first, _, last = name.rpartition(" ")
        return {"name": name, "first_name": first or None, "last_name": last}
    return {"name": name}


def _conflicts(call: Context, members: Members, current: Document | None) -> list[Problem]:
    own = current["id"] if current is not None else None
    problems: list[Problem] = []
    addresses = [
        ("email", members.get("email")),
        *(("secondary_emails", a) for a in members.get("secondary_emails") or ()),
    ]
    for field, address in addresses:
        other = next((doc for doc in with_address(call, address) if doc["id"] != own), None) if address else None
        if other is not None:
            message = f"the contact {other['id']} has the e-mail address {address} already"
            details = {"existing_id": other["id"]}
            problems.append(Problem("CONTACT_EXISTS", message, field=field, rule="unique", details=details))
    outside = members.get("external_id")
    for other in call.collection("contact").find("external_id", outside) if outside else ():
        if other["id"] != own and other["external_id"] == outside:
            message = f"the contact {other['id']} has the external id {outside!r} already"
            details = {"existing_id": other["id"]}
            problems.append(Problem("DUPLICATE_VALUE", message, field="external_id", rule="unique", details=details))
    return problems


# -- writing -----------------------------------------------------------------------------------------------------------


def build_new(call: Context, members: Members) -> Document:
    """Store a new contact: check and normalise it, link it to its account, fill in the rest, and tell of it."""
    given = stored_form(call, members)
    if given.get("owner_id") is None:
        given["owner_id"] = call.caller.user_id
    given |= _account_of(call, given)
    whole = blank(Contact) | given
    fresh = whole | {"created_at": call.now}
    whole |= health.complete(fresh, (), (), call.now, base_currency=call.tenant["base_currency"], rates={})
    doc = call.create("contact", "contact_", whole)
    call.emit("contact.created", "contact", doc)
    return doc


def apply(call: Context, doc: Document, changes: Members) -> Document:
    """Store changes of a contact, compute it anew, let what holds its name follow, and tell."""
    given = stored_form(call, changes, doc)
    if "custom_fields" in given:
        merged: dict[str, Any] = {**(doc.get("custom_fields") or {}), **(given["custom_fields"] or {})}
        given["custom_fields"] = {name: value for name, value in merged.items() if value is not None}
    if given.get("email") and "secondary_emails" not in given and given["email"] in (doc.get("secondary_emails") or ()):
        given["secondary_emails"] = [address for address in doc["secondary_emails"] if address != given["email"]]
    if "account_id" in given or "company" in given:
        given |= _account_of(call, given, doc)
    new = call.update("contact", doc, {**given, **health.computed_members(call, doc | given)})
    call.emit("contact.updated", "contact", new, changes=changes_between(doc, new))
    if new["health_score"] != doc.get("health_score"):
        health.tell_health(call, doc, new)
    if new["name"] != doc["name"] or new.get("company") != doc.get("company"):
        _rename(call, new)
    return new


def _account_of(call: Context, members: Members, current: Document | None = None) -> dict[str, Any]:
    """Return the account somebody belongs to, and the company's name as the account has it.

    Without an account it is the one called like the company, or the one of the e-mail's domain if no company is told.
    """
    accounts = call.collection("account")
    if members.get("account_id"):
        account = accounts.get(members["account_id"])
        return {"company": account["name"]} if account is not None else {}
    if current is not None and "account_id" in members:
        return {}  # it was taken out of its account on purpose
    company = members.get("company")
    if company:
        named = accounts.find("name", company.strip())
        if named:
            return {"account_id": named[0]["id"], "company": named[0]["name"]}
        return {"account_id": None}
    if current is not None:
        return {"account_id": None}  # the company was cleared
    place = email_domain(members.get("email"))
    there = accounts.find("domain", place) if place else []
    return {"account_id": there[0]["id"], "company": there[0]["name"]} if there else {}


def _rename(call: Context, contact: Document) -> None:
    for kind in ("deal", "activity"):
        company = {"contact_company": contact.get("company")} if kind == "activity" else {}
        for doc in call.collection(kind).find("contact_id", contact["id"]):
            call.collection(kind).put(doc | {"contact_name": contact["name"], **company})


def remove(call: Context, doc: Document) -> None:
    """Delete a contact and its relationships; deals and activities stay without it, and keep its name."""
    relationships = call.collection("relationship")
    for side in ("contact_id", "related_contact_id"):
        for relationship in relationships.find(side, doc["id"]):
            call.delete("relationship", relationship)
    for kind in ("deal", "activity"):
        records = call.collection(kind)
        for record in records.find("contact_id", doc["id"]):
            records.put(record | {"contact_id": None, "contact_name": record.get("contact_name") or doc["name"]})
    for deal in call.collection("deal").all():
        roles: list[dict[str, Any]] = deal.get("contact_roles") or []
        left = [role for role in roles if role["contact_id"] != doc["id"]]
        if len(left) < len(roles):
            call.collection("deal").put(deal | {"contact_roles": left})
    call.emit("contact.deleted", "contact", call.delete("contact", doc))
