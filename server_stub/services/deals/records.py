"""Deals: where a new one begins, who it is with, what a change of stage asks for, and what follows from a write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from crm_sdk.models.deals import Deal
from crm_sdk.resources.deals import Deals

from ...data.document import Document
from ...data.forms import FORMS, Form, required_text
from ...noun import Noun
from ...problems import invalid
from ...serving import Context, Members, changes_between, reacts
from .. import company
from ..activities.privacy import may_read
from ..contacts import health as contact_health
from . import figures as figures
from . import history as deal_history
from . import notices as deal_notices
from . import stages as deal_stages
from .insights import insights

_MOST = Decimal(10) ** 15
"""The value that every deal must be below."""
_DIGITS: Mapping[str, int] = dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""The decimals of the currencies that have more than two (ISO 4217)."""
_REASONS = ("lost_reason", "lost_notes", "won_reason")
_PEOPLE = ("contact_id", "contact_name", "contact_roles", "account_id", "company")
_CUSTOMERS = ("customer", "evangelist", "other")


def with_nested_lists(call: Context, deal: Document) -> Document:
    """Return a stored deal as it is now, with its activities and insights."""
    now = figures.with_current_figures(call, deal)
    happened = [told for told in figures.activities_of(call, deal["id"]) if may_read(call, told["id"])]
    return now | {"activities": happened, "ai_insights": insights(call, now)}


# -- what may be stored ----------------------------------------------------------------------------------------------


def _never_none(name: str) -> Form:
    """Return the form of a member that a deal always has; as every noun has it where it has one."""

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
    """Return who the deal is with, and the stage it is in. Raises what forbids either."""
    _check_decimals(members, before)
    people = _people(call, members, before)
    placed = _place(call, members, before)
    after = {**(before or {}), **members, **people, **placed}
    if (
        after.get("lost_reason") == "other"
        and not after.get("lost_notes")
        and {"lost_reason", "lost_notes"} & members.keys()
    ):
        raise invalid("lost_notes", "required", "say what the other reason is")
    if "stage_id" in placed:
        stage = call.record("stage", placed["stage_id"])
        if before is not None:
            deal_stages.check_move(call, before, stage)
        deal_stages.check_entry(call, after, stage)
    return {**people, **placed}


def _check_decimals(members: Members, before: Members | None) -> None:
    value, currency = (members.get(name, before and before[name]) for name in ("value", "currency"))
    if value is not None and rounded_amount(value, currency) != value:
        raise invalid("value", "format", f"amounts in this currency have at most {_DIGITS.get(currency, 2)} decimals")


def rounded_amount(value: Decimal, currency: str | None) -> Decimal:
    """Return an amount with as many decimals as its currency has."""
    return Decimal(value).quantize(Decimal(1).scaleb(-_DIGITS.get(currency or "", 2)), "ROUND_HALF_UP")


def _place(call: Context, members: Members, before: Document | None) -> dict[str, Any]:
    """Return the members that follow from the pipeline and the stage; those of another stage where it moves.

    Only what differs from the record is meant, so that one that was fetched can be sent back with one change.
    """
    if before is None:
        stage = deal_stages.stage_named(
            call, deal_stages.pipeline_of(call, members.get("pipeline_id")), members.get("stage")
        )
    else:
        stays = members.get("stage") in (None, before["stage"], before["stage_id"])
        if members.get("pipeline_id") in (None, before["pipeline_id"]):
            if stays:
                return _category({name: before[name] for name in ("pipeline_id", "stage")}, members, before)
            stage = deal_stages.stage_named(call, call.record("pipeline", before["pipeline_id"]), members["stage"])
        else:
            pipeline = deal_stages.pipeline_of(call, members["pipeline_id"])
            known = deal_stages.stage_named(call, pipeline, members["stage"]) if not stays else None
            stage = known or deal_stages.stage_like(call, before, pipeline)
    placed = deal_stages.stage_members(call, stage)
    for name in _REASONS:
        given = members.get(name)
        if name in placed and given != (before[name] if before is not None else None):
            placed[name] = given
    if placed["closed_at"] is not None and members.get("closed_at") is not None:
        placed["closed_at"] = members["closed_at"]
    return _category(placed, members, before)


def _category(placed: dict[str, Any], members: Members, before: Members | None) -> dict[str, Any]:
    """Return the members of a place with the forecast category that was given. Raises 422 where it cannot be."""
    known: Members = before or {}
    given = members.get("forecast_category")
    if given is None or given == known.get("forecast_category"):
        return placed
    status = placed.get("status", known.get("status"))
    of_stage = placed.get("forecast_category", known.get("forecast_category"))
    if given == "closed" if status == "open" else given != of_stage:
        message = "only a won deal is closed" if status == "open" else f"a {status} deal is {of_stage}"
        raise invalid("forecast_category", "choice", message)
    return placed | {"forecast_category": given}


def _people(call: Context, members: Members, before: Document | None) -> dict[str, Any]:
    """Return who a deal is with: the contact, the others that take part, and the account, given or the contact's."""
    known: Members = before if before is not None else {}
    if all(members[name] == known.get(name) for name in _PEOPLE if name in members):
        return {}
    contact, roles = _contact(call, members, known)
    contact_id = contact["id"] if contact is not None else None
    moved = contact_id != known.get("contact_id")
    account_id = contact["account_id"] if moved and contact is not None else None if moved else known.get("account_id")
    if members.get("account_id") != known.get("account_id") or before is None:
        account_id = members.get("account_id", account_id)
    account = _referred_record(call, "account", account_id, known)
    # What was said of somebody who is not a contact is kept; what was looked up is not.
    free: Members = {} if known.get("contact_id") or known.get("account_id") else known
    name, firm = (members.get(member, free.get(member)) for member in ("contact_name", "company"))
    return {
        "contact_id": contact_id,
        "contact_name": contact["name"] if contact is not None else name,
        "contact_roles": roles,
        "account_id": account and account["id"],
        "company": account["name"] if account is not None else contact["company"] if contact is not None else firm,
    }


def _referred_record(call: Context, kind: str, id: str | None, known: Members) -> Document | None:
    """Return the record with an id; None for one that was deleted since the deal got it. Raises: 422."""
    if id is not None and id == known.get(f"{kind}_id"):
        return call.find_one(kind, id)
    return call.reference(kind, id, f"{kind}_id")


def _contact(call: Context, members: Members, known: Members) -> tuple[Document | None, list[dict[str, Any]]]:
    """Return the primary contact, and everybody's role; of contact and roles what differs from the record is meant."""
    stored: Sequence[dict[str, Any]] = known.get("contact_roles") or []
    there = {one["contact_id"] for one in stored}  # some of them may be gone
    given: Sequence[Members] = members.get("contact_roles", stored) or ()
    entries: list[dict[str, Any]] = []
    for number, one in enumerate(given):
        id, where = one["contact_id"], f"contact_roles.{number}.contact_id"
        id = id if id in there else call.resolve("contact", id, where)
        entries.append({"role": "other", "is_primary": False, **one, "contact_id": id})
    contact = _referred_record(call, "contact", members.get("contact_id", known.get("contact_id")), known)
    contact_id = contact["id"] if contact is not None else None
    changed = contact_id != known.get("contact_id")
    if entries != list(stored):
        primary = [one["contact_id"] for one in entries if one["is_primary"]]
        if len(set(primary)) > 1 or (changed and contact_id is not None and set(primary) - {contact_id}):
            raise invalid("contact_roles", "choice", "one contact is the primary one: that of contact_id")
        if not primary and contact is None and members.get("contact_id", "") is not None:
            primary = [one["contact_id"] for one in entries[:1]]  # one of them is: the first, where none is named
        if primary and not (changed and contact_id is None):
            contact = call.reference("contact", primary[0], "contact_roles")
            contact_id = primary[0]
    elif changed:  # somebody of whom nothing else was said takes no part any more
        entries = [one for one in entries if one["contact_id"] != known.get("contact_id") or one["role"] != "other"]
    roles = {one["contact_id"]: one | {"is_primary": one["contact_id"] == contact_id} for one in entries}
    if contact_id is not None:
        roles.setdefault(contact_id, {"contact_id": contact_id, "role": "other", "is_primary": True})
    return contact, list(roles.values())


# -- what follows ----------------------------------------------------------------------------------------------------


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Weigh the deal, remember the stage it came to, and let its contacts follow; what happened stays with them."""
    if after is None:
        if before is not None:
            for activity in call.collection("activity").find("deal_id", before["id"]):
                kept = {
                    name: activity.get(name) or before[name] for name in ("contact_id", "contact_name", "account_id")
                }
                call.collection("activity").put(activity | kept | {"deal_id": None})
            bring_along(call, before | {"status": "deleted"})
        return None
    if before is not None:
        after = after | deal_stages.place_again(call, after)
    new = call.collection("deal").put(after | figures.computed_members(call, after))
    if before is None or before["stage_id"] != new["stage_id"]:
        deal_history.remember(call, before, new)
    bring_along(call, new, before)
    return new


def bring_along(call: Context, deal: Members, before: Members | None = None) -> None:
    """Compute anew what contacts hold of a deal, those that took part before as well; accounts follow its events."""
    people: dict[str | None, None] = {}
    for one in (deal, before or {}):
        people |= dict.fromkeys(
            (one.get("contact_id"), *(role["contact_id"] for role in one.get("contact_roles") or ()))
        )
    for contact_id in sorted(id for id in people if id is not None):
        contact = call.collection("contact").get(contact_id)
        if contact is not None and deal["status"] == "won" and contact["lifecycle_stage"] not in _CUSTOMERS:
            new = call.update("contact", contact, {"lifecycle_stage": "customer"})
            call.emit("contact.updated", "contact", new, changes=changes_between(contact, new))
        contact_health.refresh(call, contact_id)


@reacts("deal.updated")
def _tell_move(call: Context, entry: Document) -> None:
    """Tell that a deal is in another stage, where an update was what moved it."""
    changed = {change["field"]: change for change in entry["changes"]}
    deal = call.collection("deal").get(entry["entity"]["id"])
    if "stage_id" in changed and deal is not None:
        before = changed["stage"]["before"] if "stage" in changed else deal["stage"]
        DEALS.publish(
            call,
            "stage_changed",
            deal,
            before=deal | {name: change["before"] for name, change in changed.items()},
            metadata={"from": before, "to": deal["stage"]},
        )


@reacts("deal.created", "deal.stage_changed")
def _tell_status(call: Context, entry: Document) -> None:
    """Tell that a deal was won, lost or reopened, and its owner that it moved."""
    deal = call.collection("deal").get(entry["entity"]["id"])
    made = entry["action"] == "deal.created"
    if deal is None or (made and deal["status"] == "open"):
        return
    if made or any(change["field"] == "status" for change in entry["changes"]):
        verb = "reopened" if deal["status"] == "open" else str(deal["status"])
        DEALS.publish(call, verb, deal, metadata={"value": deal["value"], "currency": deal["currency"]})
    deal_notices.notify_stage_change(call, deal, None if made else entry["metadata"]["from"])


# -- lists -----------------------------------------------------------------------------------------------------------


def _named_view(call: Context, name: Any) -> Callable[[Document], bool]:
    today = company.today(call)
    return lambda deal: bool(figures.filter_by_name([figures.with_current_figures(call, deal)], name, today))


def _is_rotten(call: Context, wanted: Any) -> Callable[[Document], bool]:
    return lambda deal: figures.with_current_figures(call, deal)["is_rotten"] is wanted


def _closing(*, after: bool) -> Callable[[Context, Any], Callable[[Document], bool]]:
    def make(call: Context, day: date) -> Callable[[Document], bool]:
        def test(deal: Document) -> bool:
            closing: date | None = deal["expected_close_date"]
            return closing is not None and (closing >= day if after else closing < day)

        return test

    return make


def _now(name: str) -> Callable[[Context], Callable[[Document], Any]]:
    """Return what gives a computed member of a deal as it is now."""
    return lambda call: lambda deal: figures.with_current_figures(call, deal)[name]


def _stage_order(call: Context) -> Callable[[Document], Any]:
    places = {
        stage["id"]: (pipeline["position"], stage["position"])
        for pipeline in call.collection("pipeline")
        for stage in call.collection("stage").find("pipeline_id", pipeline["id"])
    }
    return lambda deal: places.get(deal["stage_id"])


DEALS = Noun(
    resource=Deals,
    kind="deal",
    limit="deals",
    model=Deal,
    searched=("title", "company", "contact_name", "description", "tags", "stage"),
    sorts=(
        "title",
        "value",
        "probability",
        "weighted_value",
        "expected_close_date",
        "last_activity",
        "stage",
    ),
    sorted_by={
        "stage": _stage_order,
        **{name: _now(name) for name in ("probability", "weighted_value", "last_activity")},
    },
    forms={
        "title": _title,
        "value": _value,
        **{name: _never_none(name) for name in ("expected_close_date", "tags", "currency")},
    },
    refers={"owner_id": "user", "team_id": "team"},
    defaults={
        "owner_id": lambda call: call.caller.user_id,
        "currency": lambda call: call.tenant["base_currency"],
        "expected_close_date": lambda call: company.quarter(company.today(call))[1],
        "created_date": lambda call: call.now,
    },
    filters={
        "filter": _named_view,
        "is_rotten": _is_rotten,
        "stage": lambda call, name: lambda deal: name in (deal["stage"], deal["stage_id"]),
        "closing_after": _closing(after=True),
        "closing_before": _closing(after=False),
    },
    check=_check,
    follow=_follow,
    shown=with_nested_lists,
    listed=figures.with_current_figures,
)
