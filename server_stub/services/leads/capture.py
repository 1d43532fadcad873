"""The rules of lead captures: web forms, e-mails and posts on social networks become leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from crm_sdk.resources.leads import LeadCaptures

from ...answers import Answer
from ...data import normalise
from ...data.document import Document
from ...data.merging import EMPTY, missing_members
from ...data.queries.latest import entity_refs, latest_first
from ...problems import invalid
from ...serving import Context, Members, serves
from .. import erasures
from ..activities import records as activities
from .owners import OPEN, first_owner
from .points import current_score_members
from .records import LEADS, check_form
from .signatures import read_signature

_FILLED = ("first_name", "last_name", "email", "phone", "company", "title", "value", "utm", "campaign")


@serves(LeadCaptures.web_form)
def web_form(call: Context, submission: Members) -> Answer:
    """Capture a web form; a submission with a filled-in honeypot is not stored."""
    if (submission.get("honeypot") or "").strip():
        return _answer("web_form", None, created=False)
    if not (submission.get("email") or "").strip() and not (submission.get("phone") or "").strip():
        raise invalid("email", "required", "a form needs an e-mail address or a phone number")
    utm: Members = submission.get("utm") or {}
    at = submission.get("submitted_at") or call.now
    message = (submission.get("message") or "").strip()
    form = (submission.get("form_id") or "").strip() or None
    members: dict[str, Any] = {
        **{name: submission[name] for name in ("name", *_FILLED) if submission.get(name) not in EMPTY},
        "source": "website",
        "source_detail": form,
        "campaign": utm.get("campaign"),
        "custom_fields": submission.get("custom_fields") or {},
    }
    if submission.get("consent") is False:
        members["email_opt_out"] = True
    elif submission.get("consent") and members.get("email"):
        erasures.lift(call, members["email"])
    came = [f"{name}: {submission[name]}" for name in ("page_url", "referrer") if submission.get(name)]
    body = "\n".join([message, *came]).strip()
    note = {"kind": "note", "title": f"Web form {form}" if form else "Web form", "description": body, "body": body}
    return _capture(call, "web_form", members, note, at, notes=[message] if message else [])


_KEPT = ("assignment", "extracted", "other_matches")
"""The members of the answer to an e-mail that are stored, for a repeated call with the same e-mail."""


@serves(LeadCaptures.email)
def email(call: Context, email: Members) -> Answer:
    """Capture an e-mail; the same e-mail again returns the first answer."""
    message_id = (email.get("message_id") or "").strip() or None
    if message_id is not None:
        for known in call.collection("lead_capture").find("message_id", message_id):
            lead = call.collection("lead").get(known["lead_id"])
            if lead is not None:
                first = {name: known[name] for name in _KEPT}
                return _answer("email", lead, created=False, matched_on="message_id", **first)
    attachments = call.resolve("file", email.get("attachments") or (), "attachments")
    address = normalise.email(email["from_email"], "from_email")
    found = read_signature(email["body"], call.tenant.get("country"))
    place = normalise.email_domain(address)
    if place is not None:
        accounts = call.collection("account").find("domain", place)
        found["company"] = accounts[0]["name"] if accounts else found.get("company") or normalise.company_of(place)
    at = email.get("received_at") or call.now
    to = normalise.email(email.get("to"), "to")
    mail = {
        "kind": "email",
        "title": email["subject"],
        "description": email["body"],
        "direction": "inbound",
        "subject": email["subject"],
        "from_address": {"email": address, "name": email.get("from_name")},
        "to": [{"email": to, "name": None}] if to else [],
        "body_text": email["body"],
        "status": "received",
        "received_at": at,
        "message_id": message_id,
        "is_read": False,
        "folder": "inbox",
        "attachments": attachments,
    }
    members = {"name": email.get("from_name"), "email": address, "source": "email", "source_detail": to, **found}
    answer = _capture(call, "email", members, mail, at, extracted=found)
    if message_id is not None:
        first = {name: answer.value[name] for name in _KEPT}
        about = {"id": call.new_id("capture_"), "message_id": message_id, "lead_id": answer.value["lead"]["id"]}
        call.collection("lead_capture").put(Document({**about, **first}))
    return answer


@serves(LeadCaptures.social)
def social(call: Context, post: Members) -> Answer:
    """Capture a post, a mention or a lead form."""
    handle = _handle(post.get("handle") or (post.get("profile_url") or "").rstrip("/").rpartition("/")[2])
    if not handle:
        raise invalid("handle", "required", "a post needs the handle or the address of a profile")
    mention = call.reference("mention", post.get("mention_id"), "mention_id")
    network = post["network"]
    profile = {
        "network": network,
        "url": post.get("profile_url") or f"https://{network}.com/{handle}",
        "handle": handle,
    }
    members = {
        "name": post.get("name") or handle,
        "email": post.get("email"),
        "phone": post.get("phone"),
        "source": "social",
        "source_detail": post.get("ad_form_id") or post.get("post_url") or network,
        "social_profiles": [profile],
    }
    message = (post.get("message") or "").strip()
    body = "\n".join(part for part in (message, post.get("post_url")) if part)
    note = {"kind": "note", "title": f"{network}: {handle}", "description": body, "body": body}
    answer = _capture(call, "social", members, note, call.now, notes=[message] if message else [])
    if mention is not None:
        call.update("mention", mention, {"lead_id": answer.value["lead"]["id"]})
    return answer


def _capture(
    call: Context,
    channel: str,
    members: Members,
    activity: Members,
    at: datetime,
    *,
    notes: Sequence[str] = (),
    extracted: Members = MappingProxyType({}),
) -> Answer:
    """Fill in the matching open lead, or create a lead; in both cases store the text as an activity."""
    name = normalise.person_name(members) or _fallback_name(members)
    given = LEADS.stored_form(call, {**members, "name": name}, check=check_form)
    matches, matched_on = _matches(call, given)
    before = LEADS.writable(call, matches[0]["id"]) if matches else None
    assignment = None
    if before is None:
        assignment = first_owner(call, given)
        owner = {"owner_id": assignment["owner_id"]} if assignment is not None else {}
        new = {**given, **owner, "notes": list(notes), "last_activity_at": at}
        lead = LEADS.add(call, new)
        said = _write_activity(call, lead, activity, at)
        lead = call.record("lead", lead["id"])  # scored with what was said
        assignment = assignment and {**assignment, "lead_id": lead["id"]}
    else:
        lead = before
        said = _write_activity(call, lead, activity, at)
    about = {"channel": channel, "matched_on": matched_on, "activity_id": said["id"]}
    if before is not None:
        changes = _additions(before, given, notes, at, call.tenant["base_currency"])
        changes |= current_score_members(call, before | changes)
        lead = LEADS.change(call, before, changes, verb="captured", metadata=about)
    if lead is before or before is None:  # else it was published with what changed
        LEADS.publish(call, "captured", lead, metadata=about)
    return _answer(
        channel,
        lead,
        created=before is None,
        matched_on=matched_on,
        assignment=assignment,
        extracted=[
            {"field": name, "before": before[name] if before is not None else None, "after": value}
            for name, value in extracted.items()
        ],
        other_matches=entity_refs("lead", matches[1:]),
    )


def _answer(
    channel: str,
    lead: Document | None,
    *,
    created: bool,
    matched_on: str | None = None,
    assignment: Members | None = None,
    extracted: Sequence[Members] = (),
    other_matches: Sequence[Members] = (),
) -> Answer:
    value = {
        "lead": lead,
        "created": created,
        "matched_on": matched_on,
        "channel": channel,
        "assignment": assignment,
        "extracted": list(extracted),
        "other_matches": list(other_matches),
    }
    return Answer(value, status=201 if created else 200)


def _fallback_name(members: Members) -> str | None:
    """Return a name for a lead without one: from the e-mail address, else the phone number."""
    address = members.get("email") or ""
    first, last = normalise.name_in(address)
    return f"{first} {last}" if first and last else address.partition("@")[0] or members.get("phone")


def _handle(text: str) -> str:
    return text.strip().removeprefix("@").casefold()


def _matches(call: Context, given: Members) -> tuple[list[Document], str | None]:
    """Return the open leads of the same person, the latest first, and the member that matched."""
    leads = call.collection("lead")
    profiles = {(profile["network"], profile["handle"]) for profile in given.get("social_profiles") or ()}
    if profiles:
        same = [
            doc
            for doc in leads.all()
            if any((one["network"], _handle(one.get("handle") or "")) in profiles for one in doc["social_profiles"])
        ]
        if found := _open(same):
            return found, "handle"
    for field in ("email", "phone"):
        if given.get(field) and (found := _open(leads.find(field, given[field]))):
            return found, field
    return [], None


def _open(leads: Sequence[Document]) -> list[Document]:
    return latest_first(doc for doc in leads if doc["status"] in OPEN)


def _additions(before: Document, given: Members, notes: Sequence[str], at: datetime, currency: str) -> dict[str, Any]:
    """Return what a capture adds to a lead: what it lacks, and what cannot be in the way of anything."""
    filled = {name: given.get(name) for name in _FILLED} | {"currency": currency}
    changes = missing_members(before, filled, amounts=("value", "annual_revenue"))
    known = [(one["network"], _handle(one.get("handle") or "")) for one in before["social_profiles"]]
    profiles = [one for one in given.get("social_profiles") or () if (one["network"], one["handle"]) not in known]
    if profiles:
        changes["social_profiles"] = [*before["social_profiles"], *profiles]
    if notes:
        changes["notes"] = [*before["notes"], *notes]
    if given.get("email_opt_out"):
        changes["email_opt_out"] = True
    last = before["last_activity_at"]
    return changes | {
        "custom_fields": {**(given.get("custom_fields") or {}), **before["custom_fields"]},
        "last_activity_at": at if last is None else max(at, last),
    }


def _write_activity(call: Context, lead: Document, activity: Members, at: datetime) -> Document:
    """Store what was said as an activity of a lead; an e-mail that is there already becomes one of its activities."""
    for known in call.collection("activity").find("message_id", activity.get("message_id") or ""):
        free = known["lead_id"] is None or call.find_one("lead", known["lead_id"]) is None
        return activities.noun_of(known).change(call, known, {"lead_id": lead["id"]}) if free else known
    about = {"lead_id": lead["id"], "owner_id": lead["owner_id"], "source": "api", "occurred_at": at}
    members = {name: value for name, value in activity.items() if name != "kind"}
    return activities.add(call, activity["kind"], {**members, **about})
