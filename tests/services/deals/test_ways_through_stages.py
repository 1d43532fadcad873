"""The way of a deal through its stages: what is remembered of it, whom it is told, and what a pipeline forbids."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

from .conftest import STAGES, Make

DAY = timedelta(days=1)


def test_each_stay_has_its_direction_its_time_and_its_reason(
    platform: CrmClient, stub: StubServer, make: Make, pipe: Pipeline
) -> None:
    other = platform.pipelines.create({"name": "Other", "stages": STAGES})
    deal = make(value=5)
    move: Any = platform.deals.move_stage
    for step in (
        {"stage": "late"}, {"stage": "middle", "note": "Too fast"}, {"stage": "lost", "lost_reason": "price"},
        {"stage": "won", "won_reason": "They came back"}, {"stage": "start"},
        {"stage": "middle", "pipeline_id": other.id}, {"stage": "start", "pipeline_id": pipe.id},
        {"stage": "lost", "lost_reason": "other", "lost_notes": "Moved"},
    ):  # fmt: skip
        stub.clock.advance(60)
        move(deal.id, **step)
    stays = list(platform.deals.history(deal.id))
    shown = [(one.from_stage, one.to_stage, one.direction, one.reason, one.probability) for one in stays]
    assert shown == [
        (None, "start", "initial", None, 10), ("start", "late", "forward", None, 80),
        ("late", "middle", "backward", "Too fast", 50), ("middle", "lost", "forward", "price", 0),
        ("lost", "won", "forward", "They came back", 100), ("won", "start", "reopened", None, 10),
        ("start", "middle", "forward", None, 50), ("middle", "start", "forward", None, 10),
        ("start", "lost", "forward", "Moved", 0),
    ]  # fmt: skip
    assert [one.pipeline_id for one in stays] == [pipe.id] * 6 + [other.id] + [pipe.id] * 2
    assert {(one.deal_id, one.changed_by, int(some(one.value))) for one in stays} == {(deal.id, "apikey_acme_admin", 5)}
    assert [one.left_at for one in stays] == [*(one.entered_at for one in stays[1:]), None]
    assert stays[0].entered_at == deal.created_at
    assert {one.duration_seconds for one in stays[1:-1]} == {60} and stays[-1].duration_seconds == 0
    assert stays[0].from_stage_id is None and [one.from_stage_id for one in stays[1:]] == [
        one.to_stage_id for one in stays[:-1]
    ]
    backwards = [one.id for one in stays][::-1]
    history: Any = platform.deals.history
    assert [one.id for one in history(deal.id, order="desc")] == backwards
    assert [one.id for one in history(deal.id, order="asc")] == backwards[::-1]
    assert [one.id for one in history(deal.id, sort="entered_at", order="desc")] == backwards
    assert refused(partial(history, deal.id, sort="reason")).status == 422
    sales = stub.client(dialects="platform", api_key="acme-sales")
    by = sales.deals.create({"title": "Mine", "value": 1})
    assert [one.changed_by for one in sales.deals.history(by.id)] == ["apikey_acme_sales"]


def test_of_stays_that_began_at_one_moment_the_one_that_lasts_is_last(platform: CrmClient, make: Make) -> None:
    deal = make()
    stages: Any = [{"id": deal.id, "stage": stage} for stage in ("middle", "late", "start", "middle")]
    assert platform.deals.bulk_update(stages).failures == []
    stays = list(platform.deals.history(deal.id))
    assert [(one.to_stage, one.left_at is None) for one in stays][-1] == ("middle", True)
    assert len({one.entered_at for one in stays[1:]}) == 1 and len(stays) == 5


def test_what_a_deal_was_is_kept_where_a_forecast_differs(platform: CrmClient, stub: StubServer, make: Make) -> None:
    deal = make()
    states = stub.store.collection("tenant_acme", "deal_state")

    def kept() -> list[tuple[Any, ...]]:
        found = sorted(states.find("deal_id", deal.id), key=lambda state: state["at"])
        return [(state["status"], int(state["value"]), state["probability"], state["owner_id"]) for state in found]

    first = ("open", 1_000, 10, "user_ada")
    assert kept() == [first]
    update: Any = platform.deals.update
    update(deal.id, {"title": "x", "tags": ["a"], "next_step": "y"})
    assert kept() == [first]
    update(deal.id, {"value": 5})
    update(deal.id, {"owner_id": "user_sam"})
    platform.deals.move_stage(deal.id, "won")
    flow = stub.client(dialects="flow")
    other = make()
    heard: Any = {"type": "note", "date": stub.clock.now(), "description": "Budget approved"}
    flow.deals.activities.create(other.id, heard)
    assert kept() == [first, ("open", 5, 10, "user_ada"), ("open", 5, 10, "user_sam"), ("won", 5, 100, "user_sam")]
    assert sorted(state["probability"] for state in states.find("deal_id", other.id)) == [10, 15]


def test_an_owner_is_told_of_each_stage_a_deal_came_to(platform: CrmClient, stub: StubServer, make: Make) -> None:
    notes = stub.store.collection("tenant_acme", "notification")

    def told(deal: Any) -> list[tuple[Any, ...]]:
        mine = [doc for doc in notes.find("type", "deal_update") if (doc.get("entity") or {}).get("id") == deal.id]
        assert all(doc["expires_at"] - doc["created_at"] == 30 * DAY for doc in mine)
        found = sorted(mine, key=lambda doc: doc["created_at"])
        return [(doc["user_id"], doc["title"], doc["message"], doc["priority"]) for doc in found]

    deal = make(title="Fleet", value=1_234_567, owner_id="user_ada")
    assert told(deal) == []
    sam: Any = make(title="Sams", value=5, owner_id="user_sam", stage="won")
    assert told(sam) == [
        ("user_sam", "Deal won: Sams", "Made in won, now 100 % likely. It is worth 5 USD.", "high")
    ]  # fmt: skip
    for stage, more in (("middle", {}), ("lost", {"lost_reason": "price"}), ("start", {})):
        moved: Any = more
        platform.deals.update(deal.id, {"owner_id": "user_sam"})
        platform.deals.move_stage(deal.id, stage, **moved)
    worth = "It is worth 1,234,567 USD."
    assert told(deal) == [
        ("user_sam", "Deal moved: Fleet", f"From start to middle, now 50 % likely. {worth}", "low"),
        ("user_sam", "Deal lost: Fleet", f"From middle to lost, now 0 % likely. {worth}", "medium"),
        ("user_sam", "Deal moved: Fleet", f"From lost to start, now 10 % likely. {worth}", "low"),
    ]


def test_a_pipeline_forbids_what_it_says_in_these_words(platform: CrmClient, make: Make) -> None:
    strict: Any = {"name": "Strict", "stages": STAGES, "allow_skip": False, "allow_backward": False}
    pipe = platform.pipelines.create(strict)
    deal = make(pipeline_id=pipe.id)
    move: Any = platform.deals.move_stage

    def why(stage: str, **more: Any) -> tuple[str, str]:
        error = refused(partial(move, deal.id, stage, **more))
        return error.code, error.message

    assert why("late") == ("STAGE_SKIP_FORBIDDEN", "deals of Strict do not skip Middle on the way to Late")
    assert why("won") == ("STAGE_SKIP_FORBIDDEN", "deals of Strict do not skip Middle on the way to Won")
    move(deal.id, "middle")
    assert why("start") == ("STAGE_BACKWARD_FORBIDDEN", "deals of Strict do not go back to Start")
    code, message = why("nowhere")
    assert (code, message) == ("STAGE_NOT_IN_PIPELINE", "the pipeline Strict has no stage 'nowhere'")
    error = refused(partial(move, deal.id, "nowhere"))
    assert error.details == {"stages": ["start", "middle", "late", "won", "lost"]}
    move(deal.id, "late")
    assert move(deal.id, "lost", lost_reason="price").status == "lost", "the way out is no way back"
    assert move(deal.id, "start").stage == "start", "a closed one begins where it is put"
    free = make()
    assert move(free.id, "late", pipeline_id=pipe.id).stage == "late", "from elsewhere it comes to any stage"


def test_a_copy_takes_what_is_asked_for_of_what_is_there(platform: CrmClient, stub: StubServer, make: Make) -> None:
    ada, bob = (platform.contacts.create({"name": name}).id for name in ("Ada", "Bob"))
    today = stub.clock.now().date()
    given: Any = {
        "value": 7, "contact_id": ada, "contact_roles": [{"contact_id": ada, "role": "user"}, {"contact_id": bob}],
        "tags": ["a"], "custom_fields": {"x": 1}, "next_step": "Call", "description": "d", "priority": "high",
        "probability_override": 33, "source": "referral", "expected_close_date": today,
    }  # fmt: skip
    deal = make(**given)
    clone: Any = platform.deals.clone
    names = ("value", "contact_id", "tags", "custom_fields", "next_step", "description", "priority", "source",
             "probability_override", "expected_close_date", "pipeline_id", "owner_id", "currency")  # fmt: skip
    copy = clone(deal.id)
    assert {name: getattr(copy, name) for name in names} == {name: getattr(deal, name) for name in names}
    assert (copy.title, copy.stage, copy.version, copy.cloned_from) == ("Deal (copy)", "start", 1, deal.id)
    bare = clone(deal.id, include=[])
    assert (bare.tags, bare.custom_fields, [one.contact_id for one in bare.contact_roles]) == ([], {}, [ada])
    stored(stub, "deal", deal.id, expected_close_date=today - DAY)
    assert clone(deal.id).expected_close_date == platform.deals.create({"title": "x"}).expected_close_date
    platform.contacts.delete(bob)
    assert [one.contact_id for one in clone(deal.id).contact_roles] == [ada]
    stored(stub, "deal", deal.id, owner_id="user_gone")
    assert clone(deal.id).owner_id == "user_ada"
    assert clone(deal.id, owner_id="user_sam").owner_id == "user_sam"
