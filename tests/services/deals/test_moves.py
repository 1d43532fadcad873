"""What forbids a deal a stage, what a move keeps, and what copies and bulk updates do."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline
from server_stub import StubServer
from server_stub.data.collection import Collection

from .conftest import STAGES, Make, plain


def trail(stub: StubServer, deal: Deal) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == deal.id]


def gated(platform: CrmClient, **rules: Any) -> Pipeline:
    stages = [*STAGES[:2], {**STAGES[2], "required_fields": ["description", "next_step"]}, *STAGES[3:]]
    given: Any = {"name": "Gated", "stages": stages, **rules}
    return platform.pipelines.create(given)


def test_a_stage_asks_for_its_fields_in_every_door(platform: CrmClient) -> None:
    pipe, deals = gated(platform), platform.deals
    both = {"description", "next_step"}
    late: Any = {"stage": "late"}
    doors: list[tuple[Callable[[str], Any], set[str]]] = [
        (lambda deal: deals.create({"title": "y", "pipeline_id": pipe.id, "stage": "late"}), both),
        (lambda deal: deals.move_stage(deal, "late"), both),
        (lambda deal: deals.clone(deal, stage="late"), both),
        (lambda deal: deals.update(deal, late | {"next_step": "Call"}), {"description"}),
        (lambda deal: deals.bulk_update([{"id": deal, "stage": "late"}], atomic=True), {"description"}),
    ]
    for enter, wanted in doors:
        inside = deals.create({"title": "x", "pipeline_id": pipe.id})
        error = refused(partial(enter, inside.id))
        assert error.status == 422
        named = {str(one.field).rpartition(".")[2] for one in error.fields if one.code == "STAGE_FIELDS_MISSING"}
        assert named >= wanted
        assert deals.get(inside.id).version == 1
        deals.update(inside.id, {"description": "d", "next_step": "n", "stage": "late"})
        assert deals.get(inside.id).stage == "late"


def test_a_loss_has_a_reason_where_the_pipeline_asks(platform: CrmClient) -> None:
    pipe = gated(platform, require_lost_reason=True)
    deal = platform.deals.create({"title": "x", "pipeline_id": pipe.id})
    error = refused(lambda: platform.deals.move_stage(deal.id, "lost"))
    assert (error.status, error.code, error.fields[0].field) == (422, "LOST_REASON_REQUIRED", "lost_reason")
    assert refused(lambda: platform.deals.create({"title": "y", "pipeline_id": pipe.id, "stage": "lost"})).status == 422
    error = refused(lambda: platform.deals.move_stage(deal.id, "lost", lost_reason="other"))
    assert (error.status, error.fields[0].field) == (422, "lost_notes")
    lost = platform.deals.move_stage(deal.id, "lost", lost_reason="other", lost_notes="They moved")
    assert (lost.status, lost.lost_reason, lost.lost_notes, lost.probability) == ("lost", "other", "They moved", 0)
    back = platform.deals.move_stage(deal.id, "start")
    assert (back.status, back.lost_reason, back.lost_notes, back.closed_at) == ("open", None, None, None)


WAYS: list[tuple[dict[str, bool], list[str], str | None]] = [
    ({"allow_skip": False}, ["late"], "STAGE_SKIP_FORBIDDEN"),
    ({"allow_skip": False}, ["won"], "STAGE_SKIP_FORBIDDEN"),
    ({"allow_skip": False}, ["middle", "late", "won"], None),
    ({"allow_skip": False}, ["lost"], None),
    ({"allow_skip": False}, ["lost", "late"], None),
    ({"allow_backward": False}, ["late", "middle"], "STAGE_BACKWARD_FORBIDDEN"),
    ({"allow_backward": False}, ["won", "start"], None),
    ({"lock_closed": True}, ["won", "start"], "DEAL_CLOSED"),
    ({"lock_closed": True}, ["lost", "won"], "DEAL_CLOSED"),
    ({"lock_closed": True}, ["won", "won"], None),
    ({}, ["nowhere"], "STAGE_NOT_IN_PIPELINE"),
]


def test_the_pipeline_says_which_moves_there_are(platform: CrmClient) -> None:
    doors: list[Callable[[str, str], Deal]] = [
        platform.deals.move_stage, lambda deal, stage: platform.deals.update(deal, {"stage": stage}),
    ]  # fmt: skip
    for number, (rules, way, code) in enumerate(WAYS):
        given: Any = {"name": f"Strict {number}", "stages": STAGES, **rules}
        pipe = platform.pipelines.create(given).id
        for move in doors:
            deal = platform.deals.create({"title": "x", "pipeline_id": pipe})
            for stage in way[:-1]:
                move(deal.id, stage)
            if code is None:
                assert move(deal.id, way[-1]).stage == way[-1]
                continue
            error = refused(partial(move, deal.id, way[-1]))
            assert (error.status, error.code) == (409, code), (rules, way)


def test_a_locked_pipeline_lets_no_closed_deal_go_elsewhere(platform: CrmClient, pipe: Pipeline) -> None:
    locked = platform.pipelines.create({"name": "Locked", "stages": STAGES, "lock_closed": True})
    deal = platform.deals.create({"title": "x", "pipeline_id": locked.id, "stage": "won"})
    assert refused(lambda: platform.deals.move_stage(deal.id, "start", pipeline_id=pipe.id)).code == "DEAL_CLOSED"
    assert platform.deals.update(deal.id, {"next_step": "Thank them"}).next_step == "Thank them"


def test_a_move_is_told_once_and_kept_in_the_history(platform: CrmClient, stub: StubServer, make: Make) -> None:
    deal = make()
    same = platform.deals.move_stage(deal.id, "start", won_reason="None", note="It is there")
    assert (trail(stub, deal), same.version, same.won_reason) == (["deal.created"], 1, None)
    platform.deals.move_stage(deal.id, "won", won_reason="Price", note="Signed on paper")
    platform.deals.move_stage(deal.id, "late")
    platform.deals.update(deal.id, {"stage": "lost", "value": 5, "lost_reason": "price"})
    assert trail(stub, deal) == [
        "deal.created",
        *("deal.stage_changed", "deal.won"),
        *("deal.stage_changed", "deal.reopened"),
        *("deal.updated", "deal.stage_changed", "deal.lost"),
    ] or sorted(trail(stub, deal)) == sorted(
        ["deal.created", "deal.updated", "deal.won", "deal.reopened", "deal.lost", *["deal.stage_changed"] * 3]
    )
    seen = [(one.from_stage, one.to_stage, one.direction, one.reason) for one in platform.deals.history(deal.id)]
    assert seen == [
        (None, "start", "initial", None),
        ("start", "won", "forward", "Signed on paper"),
        ("won", "late", "reopened", None),
        ("late", "lost", "forward", "price"),
    ]


@pytest.mark.thorough
def test_durations_add_up_to_the_age(platform: CrmClient, stub: StubServer, make: Make, wait: Any) -> None:
    deal = make()
    for stage, days in (("middle", 1.00001), ("start", 2.00001), ("won", 0.50001)):
        wait(days)
        platform.deals.move_stage(deal.id, stage)
    wait(1.7)
    stays = list(platform.deals.history(deal.id))
    assert deal.created_at is not None
    age = stub.clock.now() - deal.created_at
    assert sum(one.duration_seconds for one in stays) == int(age.total_seconds())
    assert [one.direction for one in stays] == ["initial", "forward", "backward", "forward"]
    assert [one.left_at for one in stays[:-1]] == [one.entered_at for one in stays[1:]] and stays[-1].left_at is None
    latest = platform.deals.history(deal.id, sort="entered_at", order="desc", limit=1)
    assert [one.to_stage for one in latest.items] == ["won"] and latest.total == 4


def test_a_deal_may_have_been_closed_before(platform: CrmClient, stub: StubServer, make: Make) -> None:
    at = stub.clock.now() - timedelta(days=40)
    assert platform.deals.move_stage(make().id, "won", closed_at=at).closed_at == at
    error = refused(lambda: platform.deals.move_stage(make().id, "won", closed_at=stub.clock.now() + timedelta(1)))
    assert (error.status, error.fields[0].field) == (422, "closed_at")


def test_another_pipeline_has_the_same_key_or_begins(platform: CrmClient, make: Make) -> None:
    other = platform.pipelines.create({"name": "Other", "stages": [{"name": "First", "probability": 5}, *STAGES[1:]]})
    assert platform.deals.update(make(stage="middle").id, {"pipeline_id": other.id}).stage == "middle"
    moved = platform.deals.update(make().id, {"pipeline_id": other.id})
    assert (moved.stage, moved.probability) == ("first", 5)
    sent = platform.deals.get(make().id)
    body = {**sent.model_dump(mode="json", by_alias=True), "pipelineId": other.id}
    answer = platform.request("PUT", f"/v1/deals/{sent.id}", json=body)
    assert answer.json()["data"]["stage"] == "first", "of a fetched record what differs is meant"
    platform.pipelines.update(other.id, {"active": False})
    for call in (
        lambda: platform.deals.create({"title": "x", "pipeline_id": other.id}),
        lambda: platform.deals.update(make().id, {"pipeline_id": other.id}),
        lambda: platform.deals.move_stage(make().id, "first", pipeline_id=other.id),
    ):
        assert refused(call).code == "PIPELINE_INACTIVE"
    assert platform.deals.move_stage(moved.id, "won").status == "won", "deals that are there go on"


def test_the_forecast_category_is_the_stages_or_chosen(platform: CrmClient, make: Make) -> None:
    deal = make(stage="middle", forecast_category="commit")
    assert deal.forecast_category == "commit"
    assert platform.deals.move_stage(deal.id, "start").forecast_category == "pipeline"
    assert refused(lambda: platform.deals.update(deal.id, {"forecast_category": "closed"})).status == 422
    assert platform.deals.move_stage(deal.id, "won").forecast_category == "closed"
    assert refused(lambda: platform.deals.update(deal.id, {"forecast_category": "commit"})).status == 422


def test_one_contact_is_the_primary_one(platform: CrmClient, make: Make) -> None:
    account = platform.accounts.create({"name": "Firm"})
    ada, bob = (platform.contacts.create({"name": name, "account_id": account.id}) for name in ("Ada", "Bob"))

    def roles(deal: Deal) -> dict[str, tuple[str, bool]]:
        return {one.contact_id: (str(one.role), one.is_primary) for one in deal.contact_roles}

    deal = make(contact_roles=[{"contact_id": ada.id, "role": "champion", "is_primary": True}, {"contact_id": bob.id}])
    assert (deal.contact_id, deal.contact_name, deal.company) == (ada.id, "Ada", "Firm")
    assert roles(deal) == {ada.id: ("champion", True), bob.id: ("other", False)}
    turned = platform.deals.update(deal.id, {"contact_id": bob.id})
    assert roles(turned) == {ada.id: ("champion", False), bob.id: ("other", True)}
    alone = platform.deals.update(deal.id, {"contact_id": None})
    assert (alone.contact_name, alone.account_id, roles(alone)) == (None, None, {ada.id: ("champion", False)})
    first = make(contact_roles=[{"contact_id": bob.id, "role": "user"}, {"contact_id": ada.id}])
    assert first.contact_id == bob.id, "none was named"
    assert roles(first) == {bob.id: ("user", True), ada.id: ("other", False)}
    assert make(contact_id=None, contact_roles=[{"contact_id": bob.id}]).contact_id is None, "nobody was named"
    two = [{"contact_id": one.id, "is_primary": True} for one in (ada, bob)]
    error = refused(lambda: make(contact_roles=two))
    assert (error.status, error.fields[0].field) == (422, "contact_roles")
    assert refused(lambda: make(contact_id=ada.id, contact_roles=two[1:])).status == 422
    assert refused(lambda: make(contact_roles=[{"contact_id": "contact_none"}])).code == "REFERENCE_NOT_FOUND"


def test_what_cannot_be_names_its_member(platform: CrmClient, make: Make) -> None:
    stages: Any = [{"name": "A", "probability": 10}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]
    of_leads = platform.pipelines.create({"name": "Leads", "entity_type": "lead", "stages": stages})
    wrong = refused(partial(make, pipeline_id=of_leads.id)).fields[0]
    assert (wrong.field, wrong.rule, wrong.message) == ("pipeline_id", "choice", "Leads is a pipeline of leads")
    assert make(value=Decimal(10) ** 15 - 1).value == Decimal(10) ** 15 - 1
    cases: list[tuple[dict[str, Any], str]] = [
        ({"value": Decimal("1.005")}, "value"),
        ({"currency": "JPY"}, "currency"),
        ({"pipeline_id": "pipeline_none"}, "pipeline_id"),
        ({"owner_id": "user_none"}, "owner_id"),
        ({"team_id": "team_none"}, "team_id"),
        ({"lost_reason": "other"}, "lost_notes"),
    ]
    for members, field in cases:
        error = refused(partial(make, **members))
        assert (error.status, [one.field for one in error.fields]) == (422, [field])


def test_an_external_id_is_of_one_deal(platform: CrmClient, make: Make) -> None:
    first, second = make(external_id="erp-1"), make()
    for call in (
        lambda: make(external_id="erp-1"),
        lambda: platform.deals.update(second.id, {"external_id": "erp-1"}),
    ):
        error = refused(call)
        assert (error.code, error.fields[0].details["existingId"]) == ("DUPLICATE_VALUE", first.id)
    platform.deals.delete(first.id)
    assert make(external_id="erp-1").external_id == "erp-1"


def test_a_copy_begins_anew(platform: CrmClient, stub: StubServer, make: Make) -> None:
    past, ahead = date(2025, 3, 1), date(2027, 1, 1)
    contact = platform.contacts.create({"name": "Ada"})
    deal = make(
        title="x" * 200, value=7, tags=["a"], custom_fields={"tier": "gold"}, external_id="e", expected_close_date=past,
        contact_id=contact.id, contact_roles=[{"contact_id": contact.id, "role": "user"}], next_step="Call",
    )  # fmt: skip
    platform.deals.move_stage(deal.id, "lost", lost_reason="price")
    copy = platform.deals.clone(deal.id)
    assert copy.title.endswith("x (copy)") and len(copy.title) == 200
    assert (copy.stage, copy.status, copy.lost_reason, copy.external_id) == ("start", "open", None, None)
    assert plain(copy.value, copy.tags, copy.custom_fields, copy.next_step) == (7, ["a"], {"tier": "gold"}, "Call")
    assert (copy.cloned_from, copy.contact_id, copy.contact_roles[0].role) == (deal.id, contact.id, "user")
    assert copy.expected_close_date == date(2026, 3, 31) and len(list(platform.deals.history(copy.id))) == 1
    assert trail(stub, copy) == ["deal.created"]
    platform.deals.update(deal.id, {"expected_close_date": ahead})
    bare = platform.deals.clone(deal.id, title="New", stage="middle", owner_id="user_sam", include=["tags"])
    assert (bare.title, bare.stage, bare.owner_id, bare.tags) == ("New", "middle", "user_sam", ["a"])
    assert (bare.custom_fields, bare.expected_close_date) == ({}, ahead)
    assert [one.role for one in bare.contact_roles] == ["other"], "the primary contact stays, without what was said"


def test_what_happened_stays_with_the_people_of_a_deleted_deal(
    platform: CrmClient, stub: StubServer, make: Make
) -> None:
    contact = platform.contacts.create({"name": "Ada"})
    deal = make(contact_id=contact.id)
    flow = stub.client(dialects="flow")
    told = flow.deals.activities.create(deal.id, {"type": "call", "date": stub.clock.now(), "description": "Hello"})
    platform.deals.delete(deal.id)
    kept = stub.store.collection("tenant_acme", "activity").get(told.id)
    assert kept is not None and (kept["contact_id"], kept["deal_id"]) == (contact.id, None)
    assert platform.contacts.get(contact.id).total_deals == 0


def test_the_examples_of_the_page_run(platform: CrmClient, make: Make, pipe: Pipeline) -> None:
    text = (Path(__file__).parents[3] / "docs" / "deals.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/deals.md", "exec"), names)  # noqa: S102 # our own document
    assert len(blocks) == 3
    deal = make(value=2_000, owner_id="user_rita", expected_close_date=date(2025, 12, 1))
    assert names["quarter"](platform, "user_rita") == "2,000 USD, weighted 200, in 3 months"
    assert names["next_steps"](platform, pipe.id) == 1 and platform.deals.get(deal.id).priority == "high"
    platform.pipelines.update(pipe.id, {"allow_skip": False})
    assert names["close"](platform, deal.id) == ["start", "middle", "late", "won"]
    assert names["close"](platform, make(stage="late").id) == ["late", "won"]


# -- many at once --------------------------------------------------------------------------------------------------


def test_a_bulk_update_fails_item_by_item(platform: CrmClient, stub: StubServer, make: Make) -> None:
    one, two = make(), make()
    sales = stub.client(dialects="platform", api_key="acme-sales")
    mine = sales.deals.create({"title": "Mine"})
    done = sales.deals.bulk_update(
        [
            {"id": one.id, "value": 5},
            {"id": "deal_none", "value": 5},
            {"id": mine.id, "stage": "nowhere"},
            {"id": mine.id, "value": 5, "stage": "qualified"},
        ]
    )
    assert [item.error and item.error.code for item in done.items] == [
        "FORBIDDEN", "NOT_FOUND", "STAGE_NOT_IN_PIPELINE", None,
    ]  # fmt: skip
    assert done.items[3].result is not None and done.items[3].result.stage == "qualified"
    error = refused(
        lambda: platform.deals.bulk_update([{"id": one.id, "value": 9}, {"id": "deal_none", "value": 5}], atomic=True)
    )
    assert (error.status, error.code) == (422, "BULK_REJECTED")
    assert platform.deals.get(one.id).value == 1_000
    assert platform.deals.bulk_update([]).items == []
    many: Any = [{"id": two.id}] * 1_001
    assert refused(lambda: platform.deals.bulk_update(many)).code == "TOO_MANY_ITEMS"


class _BrokenError(Exception):
    """The write that fails."""


@pytest.mark.parametrize("call", ["create", "move", "update", "bulk", "clone", "delete"])
def test_a_call_that_breaks_at_any_write_has_done_nothing(
    platform: CrmClient,
    stub: StubServer,
    make: Make,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[logging.LogRecord],
) -> None:
    contact = platform.contacts.create({"name": "Ada"})
    one, two = make(contact_id=contact.id), make(contact_id=contact.id)
    calls: dict[str, Any] = {
        "create": lambda: make(contact_id=contact.id, stage="won"),
        "move": lambda: platform.deals.move_stage(one.id, "won", note="Signed"),
        "update": lambda: platform.deals.update(one.id, {"stage": "lost", "value": 3, "lost_reason": "price"}),
        "bulk": lambda: platform.deals.bulk_update([{"id": d.id, "stage": "won"} for d in (one, two)], atomic=True),
        "clone": lambda: platform.deals.clone(one.id),
        "delete": lambda: platform.deals.delete(one.id),
    }
    put, writes = Collection.put, 0

    def counted(self: Collection, doc: Any) -> Any:
        nonlocal writes
        if self.kind in WATCHED:
            writes += 1
            if writes == breaks:
                raise _BrokenError
        return put(self, doc)

    def stored() -> dict[str, Any]:
        return {kind: list(stub.store.collection("tenant_acme", kind)) for kind in WATCHED}

    before, breaks = stored(), 0
    monkeypatch.setattr(Collection, "put", counted)
    for breaks in range(1, 100):
        writes = 0
        try:
            calls[call]()
        except Exception:  # whatever a client makes of a server that breaks
            failures.clear()
            assert writes == breaks, "no write after the one that failed"
            assert stored() == before, f"write {breaks} failed, and something was done"
        else:
            assert writes < breaks and stored() != before
            break
    assert breaks > 3


WATCHED = ("deal", "stage_change", "deal_state", "audit", "contact", "activity", "notification", "event")
