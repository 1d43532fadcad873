"""Enrichment: jobs that fill in members of leads, contacts and accounts from offline sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.resources.ai_insights import Enrichment
from crm_sdk.resources.leads import Leads

from ... import jobs
from ...bulk import check_size, error_of
from ...data import normalise
from ...data.document import Document
from ...data.queries.query import member
from ...noun import Check, Noun
from ...problems import FieldError, Problem, invalid, missing, validation
from ...serving import Context, Members, runs, serves
from ..accounts.records import ACCOUNTS
from ..contacts.records import CONTACTS
from ..leads.records import LEADS, check_form
from . import sources
from .sources import EMPTY, Proposal

_STEP = 50


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of records that can be enriched."""

    noun: Noun
    word: str
    """What titles call them."""
    fields: Sequence[str]
    """The members that can be filled in."""
    proposals: Callable[[Context, Document], Iterable[Proposal]]
    check: Check | None = None
    """In place of the noun's own check."""


_PERSON = (
    "first_name", "last_name", "title", "phone", "company", "account_id", "website", "address.country", "timezone",
    "language", "custom_fields.seniority",
)  # fmt: skip
_COMPANY = ("industry", "employees", "annual_revenue")
TARGETS: Mapping[str, Target] = {
    "lead": Target(
        LEADS, "lead", (*_PERSON, *_COMPANY, "custom_fields.department"), sources.of_lead, check_form
    ),
    "contact": Target(CONTACTS, "contact", (*_PERSON, "department"), sources.of_contact),
    "account": Target(
        ACCOUNTS, "account", ("domain", "website", *_COMPANY, "billing_address.country"), sources.of_account
    ),
}  # fmt: skip


@serves(Enrichment.get)
def get(call: Context, job_id: str) -> Document:
    """Return the state of an enrichment job."""
    job = call.record("job", job_id)
    if job["kind"] != "enrichment":
        raise missing("enrichment", job_id)
    return job


@serves(Leads.enrich, Enrichment.leads)
def leads(call: Context, lead_ids: Sequence[str], fields: Sequence[str] | None, overwrite: bool) -> Document:
    """Start a job that fills leads in; it is the same whichever route asks for it."""
    check_size(lead_ids, "lead_ids")
    return _start(call, "lead", lead_ids, fields, overwrite=overwrite)


@serves(Enrichment.contacts)
def contacts(call: Context, contact_ids: Sequence[str], fields: Sequence[str] | None, overwrite: bool) -> Document:
    """Start a job that fills contacts in."""
    check_size(contact_ids, "contact_ids")
    return _start(call, "contact", contact_ids, fields, overwrite=overwrite)


@serves(Enrichment.companies)
def companies(
    call: Context,
    account_ids: Sequence[str] | None,
    domains: Sequence[str] | None,
    fields: Sequence[str] | None,
    overwrite: bool,
) -> Document:
    """Start a job that fills accounts in, named by their ids or their domains."""
    if (account_ids is None) == (domains is None):
        message = "name the companies either by account_ids or by domains"
        raise validation(FieldError(name, "required", message) for name in ("account_ids", "domains"))
    if account_ids is not None:
        check_size(account_ids, "account_ids")
        return _start(call, "account", account_ids, fields, overwrite=overwrite)
    check_size(domains or (), "domains")
    hosts = [_host(domain, number) for number, domain in enumerate(domains or ())]
    return _start(call, "account", [f"domain:{host}" for host in hosts], fields, overwrite=overwrite)


def _host(domain: str, number: int) -> str:
    host = normalise.domain(domain, f"domains.{number}") or ""
    if "." not in host.strip("."):
        raise invalid(f"domains.{number}", "format", f"{domain!r} is not a domain such as acme.example")
    return host


def _start(
    call: Context, kind: str, given: Sequence[str], fields: Sequence[str] | None, *, overwrite: bool
) -> Document:
    target = TARGETS[kind]
    for index, field in enumerate(fields or ()):
        if field not in target.fields:
            raise Problem(
                "UNKNOWN_FIELD",
                f"{field!r} is nothing that enrichment fills in; that are {', '.join(target.fields)}",
                field=f"fields.{index}",
                rule="choice",
                details={"field": field, "choices": list(target.fields)},
            )
    keys = list(dict.fromkeys(given))
    payload = {"kind": kind, "keys": keys, "fields": list(fields or target.fields), "overwrite": overwrite}
    return jobs.start(
        call,
        "enrichment",
        payload | {"records": []},
        title=f"Enrichment of {len(keys):,} {target.word}{'s' * (len(keys) != 1)}",
        total=len(keys),
        status_url="/ai-insights/enrich/{id}",
    )


@runs("enrichment")
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Fill in some records of a job."""
    payload = job["payload"]
    records: list[Members] = list(payload["records"])
    counts: dict[str, int] = dict(job["counts"])
    errors: list[Members] = []
    for key in payload["keys"][len(records) :][:_STEP]:
        record, outcome = _enrich(call, payload["kind"], key, payload["fields"], overwrite=payload["overwrite"])
        records.append(record)
        counts["processed"] += 1
        for name in outcome:
            counts[name] += 1
        if record["error"] is not None:
            error = record["error"]
            told_of = {name: error[name] for name in ("code", "message", "field")}
            errors.append({"row": len(records), **told_of, "value": key})
    members: dict[str, Any] = {"counts": counts, "new_errors": errors, "payload": payload | {"records": records}}
    if len(records) < len(payload["keys"]):
        return members
    tally = Counter(record["status"] for record in records)
    result = {
        "matched": tally["enriched"] + tally["unchanged"] - counts["skipped"],
        "unmatched": tally["no_match"],
        "changed": tally["enriched"],
        "records": records,
    }
    return members | {"status": "succeeded", "result": result}


def _enrich(
    call: Context, kind: str, key: str, fields: Sequence[str], *, overwrite: bool
) -> tuple[dict[str, Any], Sequence[str]]:
    """Fill one record in. Returns its EnrichedRecord, and what to count it as."""
    target, id = TARGETS[kind], key
    if key.startswith("domain:"):
        host = key.removeprefix("domain:")
        account = next(iter(call.collection("account").find("domain", host)), None)
        if account is None:
            return _look_up_domain(call, host, fields), ("succeeded",)
        id = account["id"]
    entity = {"type": kind, "id": id, "name": None}
    try:
        with call.server.store.transaction():
            doc = target.noun.writable(call, id)
            entity["name"] = doc["name"]
            if doc.get("converted_contact_id") is not None:
                return {"entity": entity, "status": "unchanged", "changes": [], "error": None}, ("skipped",)
            found = _best_proposals(target.proposals(call, doc), (*fields,))
            entries = [_entry(doc, proposal, overwrite=overwrite) for proposal in found]
            entries = [entry for entry in entries if entry["before"] != entry["after"]]
            applied = {entry["field"]: entry["after"] for entry in entries if entry["applied"]}
            _write(call, target, doc, applied)
    except Problem as problem:  # somebody else's, deleted since, or never there: the others are done all the same
        return {"entity": entity, "status": "failed", "changes": [], "error": error_of(problem)}, ("failed",)
    status = "enriched" if applied else "unchanged" if found else "no_match"
    return {"entity": entity, "status": status, "changes": entries, "error": None}, (
        ("succeeded", "updated") if applied else ("succeeded",)
    )


def _best_proposals(proposals: Iterable[Proposal], fields: Sequence[str]) -> list[Proposal]:
    """Return for each member the proposal of the greatest confidence."""
    best: dict[str, Proposal] = {}
    for proposal in proposals:
        rival = best.get(proposal.field)
        if proposal.field in fields and (rival is None or proposal.confidence > rival.confidence):
            best[proposal.field] = proposal
    return [best[field] for field in fields if field in best]


def _write(call: Context, target: Target, doc: Document, applied: Mapping[str, Any]) -> None:
    """Write the members that were filled in; a name stays as it is, though its parts are known now."""
    if not applied:
        return
    form = target.noun.stored_form(call, _members(doc, applied), doc, check=target.check)
    changes = {name: value for name, value in form.items() if name != "name"}
    target.noun.change(call, doc, changes, verb="enriched", metadata={"job_id": call.request_id})


def _look_up_domain(call: Context, host: str, fields: Sequence[str]) -> dict[str, Any]:
    """Return what is known of a company that is not an account; nothing is written."""
    found = _best_proposals(sources.of_domain(call, host, call.tenant["base_currency"]), ("name", *fields))
    entries = [_entry(Document(), proposal, overwrite=False) | {"applied": False} for proposal in found]
    return {"entity": None, "status": "unchanged" if found else "no_match", "changes": entries, "error": None}


def _entry(doc: Document, proposal: Proposal, *, overwrite: bool) -> dict[str, Any]:
    before = member(doc, proposal.field)
    return {
        "field": proposal.field,
        "before": before,
        "after": proposal.value,
        "source": proposal.source,
        "confidence": proposal.confidence,
        "applied": overwrite or before in EMPTY,
    }


def _members(doc: Document, applied: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members to change; what lies within one is put into a copy of it."""
    changes: dict[str, Any] = {}
    for field, value in applied.items():
        outer, _, inner = field.partition(".")
        changes[outer] = {**(changes.get(outer) or doc[outer] or {}), inner: value} if inner else value
    return changes
