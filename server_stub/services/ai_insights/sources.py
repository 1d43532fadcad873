"""The offline sources of enrichment, and what they propose for a lead, a contact or an account.

The sources are the e-mail address, the prefix of the phone number, the title, the website, the account and other
records of the company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...data import normalise
from ...data.document import Document
from ...data.queries.latest import latest_first
from ...data.queries.query import member
from ...serving import Context, Members

EMPTY: tuple[Any, ...] = (None, "", [], {})
"""The values of a member that can be filled in."""
_COMPANY_FACTS = ("company", "website", "industry", "employees", "annual_revenue")
_PERSON_FACTS = ("first_name", "last_name", "title", "phone", "language", "timezone")
_SENIORITIES = (
    ("executive", ("chief", "ceo", "cto", "cfo", "coo", "cmo", "cio", "founder", "president", "geschäftsführer")),
    ("director", ("vp", "director", "head", "leiter", "direktor")),
    ("manager", ("manager", "lead")),
)
_DEPARTMENTS = (
    ("Technology", ("cto", "cio", "engineer", "developer", "architect", "technology", "software", "it")),
    ("Finance", ("cfo", "finance", "accounting", "controller", "controlling")),
    ("Marketing", ("cmo", "marketing", "brand", "growth")),
    ("Sales", ("sales", "account", "vertrieb", "revenue")),
    ("Purchasing", ("procurement", "purchasing", "buyer", "einkauf")),
    ("Human resources", ("hr", "people", "talent", "personal")),
    ("Operations", ("coo", "operations", "logistics")),
)
_COUNTRY_DOMAINS = {"uk": "GB", "de": "DE", "at": "AT", "ch": "CH", "fr": "FR", "es": "ES", "pl": "PL", "se": "SE"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for one member, with its source and confidence."""

    field: str
    value: Any
    source: str
    confidence: int


def of_lead(call: Context, lead: Document) -> Iterator[Proposal]:
    """Yield what can be proposed for a lead."""
    yield from _of_email(lead)
    yield from _of_phone(lead["phone"], "address.country")
    yield from _of_title(lead, "custom_fields.department")
    yield from _of_website(lead)
    yield from _of_account(call, lead)
    yield from _of_tenant(call, "lead", lead)


def of_contact(call: Context, contact: Document) -> Iterator[Proposal]:
    """Yield what can be proposed for a contact; one that works for another company gets no account."""
    yield from _of_email(contact)
    yield from _of_phone(contact["phone"] or contact["mobile"], "address.country")
    yield from _of_title(contact, "department")
    yield from _of_website(contact)
    account = _account_of(call, contact)[0]
    company: str = (contact["company"] or "").strip().casefold()
    if account is not None and company in ("", account["name"].strip().casefold()):
        yield from _of_account(call, contact)
    yield from _of_tenant(call, "contact", contact)


def of_account(call: Context, account: Document) -> Iterator[Proposal]:
    """Yield what can be proposed for an account."""
    contacts = call.collection("contact").find("account_id", account["id"])
    host = account["domain"] or normalise.host(account["website"])
    source, confidence = "website", 90
    if host is None:
        host, confidence = _majority(normalise.email_domain(contact["email"]) for contact in contacts), 60
        source = "email_domain"
    if host is not None and not _belongs_to_another(call, host, account):
        yield Proposal("domain", host, source, confidence)
        yield Proposal("website", f"https://{host}", source, confidence - 10)
        yield from _of_host(host, source, 45, "billing_address.country")
    yield from _of_phone(account["phone"], "billing_address.country")
    country = _majority(member(contact, "address.country") for contact in contacts)
    if country is not None:
        yield Proposal("billing_address.country", country, "tenant_data", 65)
    yield from _of_leads_of_company(call, account["name"], host, account["currency"])


def of_domain(call: Context, host: str, currency: str) -> Iterator[Proposal]:
    """Yield what is known of the company with a domain that no account has."""
    yield Proposal("name", normalise.company_of(host), "website", 50)
    yield Proposal("domain", host, "website", 90)
    yield Proposal("website", f"https://{host}", "website", 80)
    yield from _of_host(host, "website", 45, "billing_address.country")
    yield from _of_leads_of_company(call, None, host, currency)


# -- single sources ----------------------------------------------------------------------------------------------------


def _of_email(lead: Document) -> Iterable[Proposal]:
    first, last = normalise.name_in(lead["email"])
    if first and last:
        yield Proposal("first_name", first, "email_local_part", 70)
        yield Proposal("last_name", last, "email_local_part", 70)
    host = normalise.email_domain(lead["email"])
    if host:
        yield Proposal("company", normalise.company_of(host), "email_domain", 50)
        yield Proposal("website", f"https://{host}", "email_domain", 60)
        yield from _of_host(host, "email_domain", 40)


def _of_host(host: str, source: str, confidence: int, field: str = "address.country") -> Iterable[Proposal]:
    country = _COUNTRY_DOMAINS.get(host.rpartition(".")[2])
    if country:
        yield Proposal(field, country, source, confidence)


def _of_website(lead: Document) -> Iterable[Proposal]:
    host = normalise.host(lead["website"])
    if host:
        yield Proposal("company", normalise.company_of(host), "website", 55)
        yield from _of_host(host, "website", 45)


def _of_phone(phone: str | None, field: str) -> Iterable[Proposal]:
    # Imported here: only this needs the tables of area codes, which are large.
    import phonenumbers
    from phonenumbers.timezone import time_zones_for_number

    try:
        number = phonenumbers.parse(phone or "")
    except phonenumbers.NumberParseException:
        return
    country = phonenumbers.region_code_for_number(number)
    if country:
        yield Proposal(field, country, "phone_prefix", 85)
    zones = time_zones_for_number(number)
    if len(zones) == 1 and "/" in zones[0] and not zones[0].startswith("Etc/"):
        yield Proposal("timezone", zones[0], "phone_prefix", 70)


def _of_title(lead: Document, department: str) -> Iterable[Proposal]:
    words = (lead["title"] or "").casefold().replace("-", " ").replace("/", " ").split()
    for field, choices in (("custom_fields.seniority", _SENIORITIES), (department, _DEPARTMENTS)):
        for value, marks in choices:
            if any(word.strip(",.") in marks for word in words):
                yield Proposal(field, value, "title", 75)
                break


def _account_of(call: Context, person: Document) -> tuple[Document | None, int]:
    """Return the account of a lead or contact with how sure it is: its own, else by domain, else by name."""
    accounts = call.collection("account")
    found, confidence = (call.find_one("account", person["account_id"]) if person["account_id"] else None), 95
    for field, value, sure in (
        ("domain", normalise.email_domain(person["email"]), 90),
        ("domain", normalise.host(person["website"]), 85),
        ("name", person["company"], 80),
    ):
        if found is None and value:
            found, confidence = next(iter(latest_first(accounts.find(field, value))), None), sure
    return found, confidence


def _of_account(call: Context, person: Document) -> Iterable[Proposal]:
    found, confidence = _account_of(call, person)
    if found is None:
        return
    yield Proposal("account_id", found["id"], "account", confidence)
    facts = {"company": found["name"], **{name: found[name] for name in _COMPANY_FACTS if name != "company"}}
    facts["address.country"] = member(found, "billing_address.country")
    if found["currency"] != person["currency"]:
        del facts["annual_revenue"]
    for name, value in facts.items():
        if value not in EMPTY:
            yield Proposal(name, value, "account", confidence - 5)


def _of_tenant(call: Context, kind: str, person: Document) -> Iterable[Proposal]:
    """Yield values from other records: of the same person, and of the same company where most records agree."""
    if not person["email"]:
        return
    same: list[Members] = []
    for other in ("contact", "lead"):
        known = call.collection(other).find("email", person["email"])
        same += latest_first(doc for doc in known if doc["id"] != person["id"])
    for name in _PERSON_FACTS:
        value = next((doc[name] for doc in same if doc[name] not in EMPTY), None)
        if value is not None:
            yield Proposal(name, value, "tenant_data", 88)
    if person["company"]:
        colleagues = call.collection(kind).find("company", person["company"])
        for name in ("website", "industry", "employees"):  # revenue is in whatever currency each one has
            value = _majority(doc.get(name) for doc in colleagues if doc["id"] != person["id"])
            if value is not None:
                yield Proposal(name, value, "tenant_data", 65)


def _of_leads_of_company(call: Context, name: str | None, host: str | None, currency: str) -> Iterable[Proposal]:
    """Yield what most leads of a company say of it."""
    leads = call.collection("lead").find("company", name) if name else []
    leads += (
        [] if host is None else [doc for doc in call.collection("lead") if host == normalise.email_domain(doc["email"])]
    )
    known = {doc["id"]: doc for doc in leads}.values()
    for field in ("industry", "employees", "annual_revenue"):
        value = _majority(doc[field] for doc in known if field != "annual_revenue" or doc["currency"] == currency)
        if value is not None:
            yield Proposal(field, value, "tenant_data", 65)


def _majority(values: Iterable[Any]) -> Any:
    """Return the value that more than half of those that are given say; None where there is none."""
    counts = Counter(value for value in values if value not in EMPTY)
    if not counts:
        return None
    value, times = counts.most_common(1)[0]
    return value if times * 2 > counts.total() else None


def _belongs_to_another(call: Context, host: str, account: Document) -> bool:
    return any(doc["id"] != account["id"] for doc in call.collection("account").find("domain", host))
