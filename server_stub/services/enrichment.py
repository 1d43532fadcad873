"""Enrichment: a job that fills in members of leads from offline sources.

The sources are the e-mail address, the prefix of the phone number, the title, the website, the account and other
records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.resources.ai_insights import Enrichment
from crm_sdk.resources.leads import Leads

from .. import jobs
from ..bulk import check_size, error_of
from ..data import normalise
from ..data.document import Document
from ..data.latest import latest_first
from ..data.query import member
from ..problems import Problem, missing
from ..serving import Context, Members, runs, serves
from .leads.records import LEADS

FIELDS = (
    "first_name",
    "last_name",
    "title",
    "phone",
    "company",
    "account_id",
    "website",
    "industry",
    "employees",
    "annual_revenue",
    "address.country",
    "timezone",
    "language",
    "custom_fields.seniority",
    "custom_fields.department",
)
"""The members that can be filled in."""

_STEP = 50
_EMPTY: tuple[Any, ...] = (None, "", [], {})
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


@serves(Enrichment.get)
def get(call: Context, job_id: str) -> Document:
    """Return the state of an enrichment job."""
    job = call.record("job", job_id)
    if not job["kind"].endswith("enrichment"):
        raise missing("enrichment", job_id)
    return job


@serves(Leads.enrich)
def enrich(call: Context, lead_ids: Sequence[str], fields: Sequence[str] | None, overwrite: bool) -> Document:
    """Start a job that fills leads in."""
    return start(call, lead_ids, fields, overwrite=overwrite)


def start(call: Context, lead_ids: Sequence[str], fields: Sequence[str] | None, *, overwrite: bool) -> Document:
    """Queue the job; it is the same whichever route asks for it."""
    check_size(lead_ids, "lead_ids")
    for index, field in enumerate(fields or ()):
        if field not in FIELDS:
            raise Problem(
                "UNKNOWN_FIELD",
                f"{field!r} is nothing that enrichment fills in; that are {', '.join(FIELDS)}",
                field=f"fields.{index}",
                rule="choice",
                details={"field": field, "choices": list(FIELDS)},
            )
    ids = list(dict.fromkeys(lead_ids))
    payload = {"lead_ids": ids, "fields": list(fields or FIELDS), "overwrite": overwrite, "records": []}
    return jobs.start(
        call,
        "lead_enrichment",
        payload,
        title=f"Enrichment of {len(ids):,} lead{'s' * (len(ids) != 1)}",
        total=len(ids),
        status_url="/ai-insights/enrich/{id}",
    )


@runs("lead_enrichment")
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Fill in some leads of a job."""
    payload = job["payload"]
    records: list[Members] = list(payload["records"])
    counts: dict[str, int] = dict(job["counts"])
    errors: list[Members] = []
    for lead_id in payload["lead_ids"][len(records) :][:_STEP]:
        record, outcome = _enrich_lead(call, lead_id, payload["fields"], overwrite=payload["overwrite"])
        records.append(record)
        counts["processed"] += 1
        for name in outcome:
            counts[name] += 1
        if record["error"] is not None:
            error = record["error"]
            told_of = {name: error[name] for name in ("code", "message", "field")}
            errors.append({"row": len(records), **told_of, "value": lead_id})
    members: dict[str, Any] = {"counts": counts, "new_errors": errors, "payload": payload | {"records": records}}
    if len(records) < len(payload["lead_ids"]):
        return members
    tally = Counter(record["status"] for record in records)
    result = {
        "matched": tally["enriched"] + tally["unchanged"] - counts["skipped"],
        "unmatched": tally["no_match"],
        "changed": tally["enriched"],
        "records": records,
    }
    return members | {"status": "succeeded", "result": result}


def _enrich_lead(
    call: Context, lead_id: str, fields: Sequence[str], *, overwrite: bool
) -> tuple[dict[str, Any], Sequence[str]]:
    """Fill one lead in. Returns its EnrichedRecord, and what to count it as."""
    entity = {"type": "lead", "id": lead_id, "name": None}
    try:
        lead = LEADS.writable(call, lead_id)
    except Problem as problem:  # somebody else's, deleted since, or never there: the others are done all the same
        return {"entity": entity, "status": "failed", "changes": [], "error": error_of(problem)}, ("failed",)
    entity["name"] = lead["name"]
    if lead["converted_contact_id"] is not None:
        return {"entity": entity, "status": "unchanged", "changes": [], "error": None}, ("skipped",)
    best: dict[str, Proposal] = {}
    for proposal in _proposals(call, lead):
        rival = best.get(proposal.field)
        if proposal.field in fields and (rival is None or proposal.confidence > rival.confidence):
            best[proposal.field] = proposal
    found = [_entry(lead, best[field], overwrite=overwrite) for field in FIELDS if field in best]
    entries = [entry for entry in found if entry["before"] != entry["after"]]
    applied = {entry["field"]: entry["after"] for entry in entries if entry["applied"]}
    LEADS.change(call, lead, _members(lead, applied), verb="enriched", metadata={"job_id": call.request_id})
    status = "enriched" if applied else "unchanged" if best else "no_match"
    return {"entity": entity, "status": status, "changes": entries, "error": None}, (
        ("succeeded", "updated") if applied else ("succeeded",)
    )


def _entry(lead: Document, proposal: Proposal, *, overwrite: bool) -> dict[str, Any]:
    before = member(lead, proposal.field)
    return {
        "field": proposal.field,
        "before": before,
        "after": proposal.value,
        "source": proposal.source,
        "confidence": proposal.confidence,
        "applied": overwrite or before in _EMPTY,
    }


def _members(lead: Document, applied: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members to change; what lies within one is put into a copy of it."""
    changes: dict[str, Any] = {}
    for field, value in applied.items():
        outer, _, inner = field.partition(".")
        changes[outer] = {**(changes.get(outer) or lead[outer] or {}), inner: value} if inner else value
    return changes


# -- where it comes from -------------------------------------------------------------------------------------------


def _proposals(call: Context, lead: Document) -> Iterable[Proposal]:
    yield from _of_email(lead)
    yield from _of_phone(lead)
    yield from _of_title(lead)
    yield from _of_website(lead)
    yield from _of_account(call, lead)
    yield from _of_tenant(call, lead)


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


def _of_host(host: str, source: str, confidence: int) -> Iterable[Proposal]:
    country = _COUNTRY_DOMAINS.get(host.rpartition(".")[2])
    if country:
        yield Proposal("address.country", country, source, confidence)


def _of_website(lead: Document) -> Iterable[Proposal]:
    host = normalise.host(lead["website"])
    if host:
        yield Proposal("company", normalise.company_of(host), "website", 55)
        yield from _of_host(host, "website", 45)


def _of_phone(lead: Document) -> Iterable[Proposal]:
    # Imported here: only this needs the tables of area codes, which are large.
    import phonenumbers
    from phonenumbers.timezone import time_zones_for_number

    try:
        number = phonenumbers.parse(lead["phone"] or "")
    except phonenumbers.NumberParseException:
        return
    country = phonenumbers.region_code_for_number(number)
    if country:
        yield Proposal("address.country", country, "phone_prefix", 85)
    zones = time_zones_for_number(number)
    if len(zones) == 1 and "/" in zones[0] and not zones[0].startswith("Etc/"):
        yield Proposal("timezone", zones[0], "phone_prefix", 70)


def _of_title(lead: Document) -> Iterable[Proposal]:
    words = (lead["title"] or "").casefold().replace("-", " ").replace("/", " ").split()
    for field, choices in (("seniority", _SENIORITIES), ("department", _DEPARTMENTS)):
        for value, marks in choices:
            if any(word.strip(",.") in marks for word in words):
                yield Proposal(f"custom_fields.{field}", value, "title", 75)
                break


def _of_account(call: Context, lead: Document) -> Iterable[Proposal]:
    accounts = call.collection("account")
    found, confidence = (call.found("account", lead["account_id"]) if lead["account_id"] else None), 95
    for field, value, sure in (
        ("domain", normalise.email_domain(lead["email"]), 90),
        ("domain", normalise.host(lead["website"]), 85),
        ("name", lead["company"], 80),
    ):
        if found is None and value:
            found, confidence = next(iter(latest_first(accounts.find(field, value))), None), sure
    if found is None:
        return
    yield Proposal("account_id", found["id"], "account", confidence)
    facts = {"company": found["name"], **{name: found[name] for name in _COMPANY_FACTS if name != "company"}}
    facts["address.country"] = member(found, "billing_address.country")
    if found["currency"] != lead["currency"]:
        del facts["annual_revenue"]
    for name, value in facts.items():
        if value not in _EMPTY:
            yield Proposal(name, value, "account", confidence - 5)


def _of_tenant(call: Context, lead: Document) -> Iterable[Proposal]:
    """Yield values from other records: of the same person, and of the same company where most records agree."""
    if not lead["email"]:
        return
    same = [
        *latest_first(call.collection("contact").find("email", lead["email"])),
        *latest_first(doc for doc in call.collection("lead").find("email", lead["email"]) if doc["id"] != lead["id"]),
    ]
    for name in _PERSON_FACTS:
        value = next((doc[name] for doc in same if doc[name] not in _EMPTY), None)
        if value is not None:
            yield Proposal(name, value, "tenant_data", 88)
    if lead["company"]:
        others = call.collection("lead").find("company", lead["company"])
        colleagues = [doc for doc in others if doc["id"] != lead["id"]]
        for name in ("website", "industry", "employees"):  # revenue is in whatever currency each one has
            told_of = Counter(doc[name] for doc in colleagues if doc[name] not in _EMPTY)
            if told_of:
                value, times = told_of.most_common(1)[0]
                if times * 2 > told_of.total():
                    yield Proposal(name, value, "tenant_data", 65)
