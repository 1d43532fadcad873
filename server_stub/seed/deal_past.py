"""Makes what the deals of a demo company went through: their stages, what slipped, what was lost and opened again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from ..data.document import Document
from .deals import deal_members
from .records import Records
from .setup.company import RENEWALS, STAGES, Stages, stage_id

_STATE = (
    "status", "pipeline_id", "stage_id", "value", "currency", "probability", "expected_close_date", "owner_id",
    "team_id",
)  # fmt: skip


_FIRST, _APART, _COURTED = 24, 41, 40
"""The age in days of the first win that is moved, what is between two of them, and the longest way to one."""


def renewals(records: Records) -> None:
    """Put the renewals of a year, with contacts that are known for long, drawn apart from all other demo data."""
    random = Random(f"{records.plan.slug}/renewals")
    known = [
        contact
        for contact in records.collection("contact")
        if contact["account_id"]
        and contact["status"] == "active"
        and records.now - contact["created_at"] > timedelta(days=180)
    ]
    for number, contact in enumerate(random.sample(known, min(records.plan.deals // 4, len(known)))):
        latest = records.now - contact["created_at"] - timedelta(days=1)
        at = (records.now - min(timedelta(days=330 - 25 * number % 300), latest)).replace(microsecond=0)
        moved = (at + (records.now - at) * (0.1 + 0.8 * random.random())).replace(microsecond=0)
        stage = random.choices(RENEWALS, (20, 20, 20, 25, 15))[0]
        members = deal_members(records, random, contact, at, moved, stage, pipeline="renewals")
        value = Decimal(random.choice((1, 2, 3, 5)) * 1000)
        records.put("deal", members | {"title": f"Renewal – {members['title']}", "value": value, "type": "renewal"})


def spread_wins(records: Records) -> None:
    """Move the wins with contacts that are known for long to the months before, so that a year has revenue throughout.

    Those from leads, and those with new contacts, stay as recent as they are.
    """
    contacts, deals = records.collection("contact"), records.collection("deal")
    random, number = Random(f"{records.plan.slug}/wins"), 0
    for deal in deals.all():
        contact = contacts.get(deal["contact_id"] or "")
        if deal["status"] != "won" or deal["lead_id"] is not None or contact is None or deal["type"] == "renewal":
            continue
        most = (records.now - contact["created_at"]).days - _COURTED
        if most < _FIRST:
            continue
        age = min(_FIRST + _APART * number, most)
        number += 1
        closed = (records.now - timedelta(days=age, hours=random.randint(0, 9))).replace(microsecond=0)
        at = closed - timedelta(days=random.randint(_COURTED // 2, _COURTED - 1))
        deals.put(
            deal
            | dict.fromkeys(("created_date", "created_at"), at)
            | dict.fromkeys(("updated_at", "stage_changed_at", "last_activity", "closed_at"), closed)
            | {"expected_close_date": closed.date()}
        )


def deal_past(records: Records) -> None:
    """Put the stays of every deal in its stages, and what it was worth, how likely and when expected meanwhile."""
    random = Random(f"{records.plan.slug}/deal past")
    for deal in records.collection("deal").all():
        _course(records, random, deal)


def _course(records: Records, random: Random, deal: Document) -> None:
    """Put the past of one deal, from its creation to the stage it is in."""
    pipeline = "renewals" if deal["pipeline_id"].endswith("_renewals") else ""
    way = _way(random, RENEWALS if pipeline else STAGES, deal["stage"])
    begin, end = deal["created_at"], deal["stage_changed_at"]
    times = sorted((begin + (end - begin) * random.random()).replace(microsecond=0) for _ in way[1:-1])
    entered = [begin, *(max(at, begin) for at in times), *([end] if len(way) > 1 else [])]
    value = deal["value"] * Decimal(random.choice(("1", "1", "1", "0.8", "1.25")))
    before: Document | None = None
    expected = _expected_dates(random, deal)
    for number, (stage, at) in enumerate(zip(way, entered, strict=True)):
        last = number == len(way) - 1
        then = deal | {
            "stage": stage[0],
            "stage_id": stage_id(records.plan, stage[0], pipeline),
            "status": stage[2],
            "probability": stage[3],
            "value": deal["value"] if last else value,
            "closed_at": None if stage[2] == "open" else at,
            "expected_close_date": deal["expected_close_date"] if last else expected[min(number, len(expected) - 1)],
        }
        _put(records, before, then, at, None if last else entered[number + 1])
        before = then


def _way(random: Random, stages: Stages, key: str) -> Stages:
    """Return the stages that a deal was in, one after the other, up to the last."""
    opened = [stage for stage in stages if stage[2] == "open"]
    last = next(stage for stage in stages if stage[0] == key)
    if last[2] == "open":
        steps = [stage for stage in opened[: opened.index(last)] if random.random() < 0.85]
    else:
        steps = opened[: random.randint(2 if last[2] == "won" else 1, len(opened))]
    chance = random.random()
    if steps and chance < 0.12:  # it was lost, and opened again
        steps += [stages[-1], steps[-1]]
    elif len(steps) > 1 and chance < 0.3:  # it went back, and on again
        steps += [steps[-2], steps[-1]]
    return (*steps, last)


def _expected_dates(random: Random, deal: Document) -> list[date]:
    """Return when a deal was expected to close meanwhile: with some the date slipped, with a few twice."""
    closing: date = deal["expected_close_date"]
    slips = random.choices((0, 1, 2), (55, 30, 15))[0]
    days = sorted((random.randint(20, 75) for _ in range(slips)), reverse=True)
    return [*(closing - timedelta(days=count) for count in days), closing]


def _put(records: Records, before: Document | None, then: Document, at: datetime, left_at: datetime | None) -> None:
    back = before is not None and before["status"] == "open" and before["probability"] > then["probability"]
    direction = (
        "initial" if before is None
        else "reopened" if before["status"] != "open" and then["status"] == "open"
        else "backward" if back and then["status"] == "open"
        else "forward"
    )  # fmt: skip
    stay = {
        **{name: then[name] for name in ("pipeline_id", "value", "probability", "closed_at", "currency", "owner_id")},
        "id": records.store.new_id("stagechange_"),
        "deal_id": then["id"],
        "from_stage": before and before["stage"],
        "from_stage_id": before and before["stage_id"],
        "to_stage": then["stage"],
        "to_stage_id": then["stage_id"],
        "entered_at": at,
        "left_at": left_at,
        "direction": direction,
        "reason": then["lost_reason"] if then["status"] == "lost" else None,
        "changed_by": then["owner_id"] or "system",
        "kind": then["status"],
        "created_at": at,
        "updated_at": left_at or at,
        "created_by": "system",
        "version": 1,
    }
    state = {name: then[name] for name in _STATE} | {"deal_id": then["id"], "at": at}
    records.collection("stage_change").put(Document(stay))
    records.collection("deal_state").put(Document(state, id=records.store.new_id("dealstate_")))
