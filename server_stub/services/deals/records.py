"""The rules of deals: create, get, update, delete, list, move between stages, activities, and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.deals import Deal
from crm_sdk.resources.deals import DealActivities, Deals

from ...data.blanks import blank
from ...data.document import Document
from ...data.forms import FORMS, Form, required_text
from ...data.merging import differences
from ...data.query import filter_by_text, sort_documents
from ...noun import Noun
from ...problems import invalid
from ...serving import Context, Members, changes_between, serves
from .. import company
from ..activities import records as activities
from ..activities.privacy import is_hidden_id
from ..contacts import health as contact_health
from . import figures as figures
from . import stages as deal_stages
from .insights import insights

SEARCHED = ("title", "company", "contact_name", "description", "tags", "stage")

_KINDS: Mapping[str, str] = {
    "call": "call",
    "email": "email",
    "proposal": "note",
    "meeting": "event",
    "demo": "event",
    "note": "note",
}
"""The kind of activity as which each type of deal activity is stored."""
_MEETING = timedelta(minutes=30)
_AHEAD = timedelta(days=3_660)
_MOST = Decimal(10) ** 15
"""The value that every deal must be below."""


@serves(Deals.list)
def list_(call: Context, filter: str | None, search: str | None) -> Sequence[Document]:
    """Return the deals that match, newest first."""
    docs = figures.filter_by_name(figures.all_seen(call), filter, company.today(call))
    return sort_documents(filter_by_text(docs, search, SEARCHED), None, None, ("created_at",))


def with_nested_lists(call: Context, deal: Document) -> Document:
    """Return a stored deal with its present figures, activities and insights."""
    now = figures.with_current_figures(call, deal)
    happened = [told for told in figures.activities_of(call, deal["id"]) if not is_hidden_id(call, told["id"])]
    return now | {"activities": happened, "ai_insights": insights(call, now)}


@serves(Deals.create)
def create(call: Context, deal: Members) -> Document:
    """Create a deal in its pipeline's first stage, or in the one that is given."""
    given = DEALS.stored_form(call, deal)
    stage = deal_stages.stage_named(
        call, deal_stages.pipeline_of(call, given.pop("pipeline_id", None)), given.pop("stage", None)
    )
    members: dict[str, Any] = {
        **blank(Deal),
        "currency": call.tenant["base_currency"],
        "owner_id": call.caller.user_id,
        "expected_close_date": company.quarter(company.today(call))[1],
        "created_date": call.now,
        "last_activity": call.now,
        **deal_stages.stage_members(call, stage),
        **given,
    }
    return with_nested_lists(call, deal_stages.begin(call, call.create("deal", "deal_", members)))


@serves(Deals.update)
def update(call: Context, deal_id: str, changes: Members) -> Document:
    """Change a deal and recompute its figures; a `stage` moves it."""
    doc = DEALS.writable(call, deal_id)
    call.lock(doc)
    return with_nested_lists(call, apply(call, doc, DEALS.stored_form(call, changes, doc)))


def apply(call: Context, doc: Document, given: Members) -> Document:
    """Store changes of a deal in stored form; a `stage` among them moves it."""
    given = dict(given)
    place = {name: given.pop(name) for name in ("pipeline_id", "stage") if name in given}
    there = {"pipeline_id": (doc["pipeline_id"],), "stage": (doc["stage"], doc["stage_id"])}
    if any(value not in there[name] for name, value in place.items()):
        wanted = deal_stages.pipeline_of(call, place.get("pipeline_id") or doc["pipeline_id"])
        stage = deal_stages.stage_named(call, wanted, place.get("stage", doc["stage"]))
        if stage["id"] != doc["stage_id"]:
            deal_stages.check_move(call, doc, stage, given)
            new = deal_stages.move(call, doc, stage, given)
            _tell_changes(call, doc, new)
            return new
    given = differences(doc, given)
    if not given:
        return doc
    new = call.update("deal", doc, given | figures.computed_members(call, doc | given))
    _tell_changes(call, doc, new)
    return new


def _tell_changes(call: Context, before: Document, after: Document) -> None:
    call.emit("deal.updated", "deal", after, changes=changes_between(before, after))
    former = [role["contact_id"] for role in before.get("contact_roles") or ()]
    deal_stages.follow(call, after, before["contact_id"], *former)


@serves(Deals.move_stage)
def move_stage(call: Context, deal_id: str, stage: str) -> Document:
    """Move a deal to a stage; moving it to its present stage changes nothing."""
    doc = DEALS.writable(call, deal_id)
    wanted = deal_stages.stage_named(call, deal_stages.pipeline_of(call, doc["pipeline_id"]), stage)
    if wanted["id"] != doc["stage_id"]:
        deal_stages.check_move(call, doc, wanted, {})
        doc = deal_stages.move(call, doc, wanted)
    return with_nested_lists(call, doc)


@serves(DealActivities.create)
def record(call: Context, deal_id: str, activity: Members) -> dict[str, Any]:
    """Record an activity on a deal, and recompute its figures."""
    deal = DEALS.writable(call, deal_id)
    description = activity["description"].strip()
    if not description:
        raise invalid("description", "length", "an activity needs a description")
    type, date = activity["type"], activity["date"]
    if date > call.now + _AHEAD:
        raise invalid("date", "max", f"an activity is at most {_AHEAD.days} days ahead")
    kind = _KINDS[type]
    own = {"type": type, "outcome": activity.get("outcome"), "next_step": activity.get("next_step")}
    title = description.partition("\n")[0][:255]
    doc = activities.add(
        call,
        kind,
        {
            **_activity_members(call, kind, type, date, title, description),
            "title": title,
            "description": description,
            "owner_id": call.caller.user_id or deal["owner_id"],
            "contact_id": deal["contact_id"],
            "deal_id": deal["id"],
            "account_id": deal["account_id"],
            "contact_name": deal["contact_name"],
            "contact_company": deal["company"],
            "occurred_at": date,
            "deal_activity": own,
            **contact_health.analysis(None, description),
        },
    )
    return {"id": doc["id"], "date": date, "description": description, **own}


def _activity_members(call: Context, kind: str, type: str, date: Any, title: str, text: str) -> dict[str, Any]:
    """Return the members of an activity of a kind for a text and a time."""
    if kind == "email":
        return {"subject": title, "to": [], "body_text": text, "sent_at": date}
    if kind == "note":
        return {"body": text, "tags": ["proposal"] if type == "proposal" else []}
    status = "completed" if kind == "call" or date <= call.now else "scheduled"
    if kind == "call":
        return {"start_time": date, "status": status}
    what = "demo" if type == "demo" else "meeting"
    return {"start_time": date, "end_time": date + _MEETING, "status": status, "type": what}


@serves(Deals.forecast)
def forecast(call: Context) -> dict[str, Any]:
    """Sum up the open deals; overdue deals count in this month."""
    worth, today = company.worth_in(call.tenant), company.today(call)
    opened = [deal for deal in figures.all_seen(call) if deal["status"] == "open"]
    beyond = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    month = [deal for deal in opened if (closing := deal.get("expected_close_date")) is not None and closing < beyond]
    return {
        "total_pipeline": company.total(worth(deal) for deal in opened),
        "weighted_forecast": company.total(worth(deal) * deal["probability"] / 100 for deal in opened),
        "deals_closing_this_month": len(month),
        "monthly_forecast": company.total(worth(deal) * deal["probability"] / 100 for deal in month),
    }


@serves(Deals.stage_stats)
def stage_stats(call: Context) -> list[dict[str, Any]]:
    """Return the figures of each stage of the default pipeline; its days are the mean of all past and present stays."""
    pipeline = deal_stages.pipeline_of(call, None)
    worth, docs = company.worth_in(call.tenant), figures.all_seen(call)
    days: dict[str, list[float]] = {}
    for deal in docs:
        stays = deal_stages.history(call, deal)
        for stay in stays:
            days.setdefault(stay["to_stage_id"], []).append(_days((stay["left_at"] or call.now) - stay["entered_at"]))
        if not stays:
            since = deal["stage_changed_at"] or deal["created_at"]
            days.setdefault(deal["stage_id"], []).append(_days(call.now - since))
    stats: list[dict[str, Any]] = []
    for stage in deal_stages.stages(call, pipeline["id"]):
        inside = [deal for deal in docs if deal["stage_id"] == stage["id"]]
        stays_here = days.get(stage["id"], []) if stage["kind"] == "open" else []
        stats.append(
            {
                "stage": stage["key"],
                "count": len(inside),
                "total_value": company.total(worth(deal) for deal in inside),
                "avg_probability": _mean([deal["probability"] for deal in inside]),
                "avg_days_in_stage": _mean(stays_here),
            }
        )
    return stats


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def _never_none(name: str) -> Form:
    """Return the stored form of a member that cannot be cleared, based on the common form of its name."""

    def form(call: Context, value: Any) -> object:
        if value is None:
            raise invalid(name, "type", "this member cannot be cleared")
        return FORMS[name](call, value) if name in FORMS else value

    return form


def _title(call: Context, value: Any) -> object:
    return required_text("title")(call, _never_none("title")(call, value))


def _value(call: Context, value: Any) -> object:
    if value is None:
        raise invalid("value", "type", "this member cannot be cleared")
    if value >= _MOST:
        raise invalid("value", "max", f"a deal is worth less than {_MOST:,.0f}")
    return value


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the contacts and the account of a deal, if one of them is given."""
    if {"contact_id", "contact_name", "account_id", "company", "contact_roles"} & members.keys():
        return _people(call, members, before or Document())
    return {}


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Update the contacts and the account of a deleted deal."""
    if before is not None and after is None:
        deal_stages.follow(call, before | {"status": "deleted"})


def _people(call: Context, given: Members, before: Members) -> dict[str, Any]:
    """Return the contact of a deal, its other contacts, and its account: the given one or the contact's."""
    contact_id = given.get("contact_id", before.get("contact_id"))
    contact = call.reference("contact", contact_id, "contact_id", before.get("contact_id"))
    contact_id = contact and contact["id"]  # the survivor's, where it was merged
    roles: dict[str, dict[str, Any]] = {}
    held = [role["contact_id"] for role in before.get("contact_roles") or ()]
    for number, entry in enumerate(given.get("contact_roles", before.get("contact_roles")) or ()):
        id = call.resolved("contact", entry["contact_id"], f"contact_roles.{number}.contact_id", held)
        roles[id] = {"role": "other", **entry, "contact_id": id, "is_primary": id == contact_id}
    if contact is not None:
        roles.setdefault(contact["id"], {"contact_id": contact["id"], "role": "other", "is_primary": True})
    known = before.get("account_id") if contact_id == before.get("contact_id") else contact and contact["account_id"]
    account = call.reference("account", given.get("account_id", known), "account_id", before.get("account_id"))
    free: Members = (
        {} if before.get("contact_id") or before.get("account_id") else before
    )  # what was said, not looked up
    name, company = (given.get(member, free.get(member)) for member in ("contact_name", "company"))
    return {
        "contact_id": contact_id,
        "contact_name": contact["name"] if contact is not None else name,
        "contact_roles": list(roles.values()),
        "account_id": account and account["id"],
        "company": account["name"] if account is not None else contact["company"] if contact is not None else company,
    }


DEALS = Noun(
    resource=Deals,
    kind="deal",
    model=Deal,
    own=("create", "update", "list"),
    searched=SEARCHED,
    forms={
        "title": _title,
        "value": _value,
        **{name: _never_none(name) for name in ("expected_close_date", "tags", "currency")},
    },
    refers={"owner_id": "user", "team_id": "team"},
    check=_check,
    follow=_follow,
    shown=with_nested_lists,
)
