"""The stages of a pipeline: their order, their names, and what becomes of the deals in them."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, NotFoundError, ValidationError
from crm_sdk.models import Pipeline
from server_stub import StubServer

STAGES: Any = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def pipeline(client: CrmClient) -> Pipeline:
    """A pipeline that is the default, so that deals of the flow document are in it."""
    return client.pipelines.create({"name": "Short", "is_default": True, "stages": STAGES})


def keys(client: CrmClient, pipeline: Pipeline) -> list[str | None]:
    stages = client.pipelines.get(pipeline.id).stages
    assert [stage.position for stage in stages] == list(range(len(stages)))
    return [stage.key for stage in stages]


def stage_id(client: CrmClient, pipeline: Pipeline, key: str) -> str:
    return next(stage.id for stage in client.pipelines.get(pipeline.id).stages if stage.key == key)


def test_a_stage_comes_last_of_its_kind_or_where_it_is_put(client: CrmClient, pipeline: Pipeline) -> None:
    create = client.pipelines.stages.create
    last = create(pipeline.id, {"name": "Final talks", "probability": 90})
    assert (last.key, last.position, last.forecast_category) == ("final-talks", 2, "commit")
    create(pipeline.id, {"name": "First", "probability": 5, "position": 0})
    create(pipeline.id, {"name": "Given up", "kind": "lost"})
    assert keys(client, pipeline) == ["first", "start", "middle", "final-talks", "won", "lost", "given-up"]
    with pytest.raises(ConflictError) as caught:
        create(pipeline.id, {"name": "START", "probability": 1})
    assert caught.value.code == "STAGE_EXISTS"
    for wrong in ({"name": "Behind", "probability": 1, "position": 9}, {"name": "No probability"}):
        with pytest.raises(ValidationError):
            create(pipeline.id, wrong)  # type: ignore[arg-type] # members of a stage


def test_a_change_moves_the_stage_and_weighs_its_deals(client: CrmClient, pipeline: Pipeline) -> None:
    inside = client.deals.create({"title": "In", "value": 1000, "stage": "middle"})
    outside = client.deals.create({"title": "Out", "value": 1000, "stage": "start"})
    middle = stage_id(client, pipeline, "middle")
    before = client.deals.get(inside.id).probability
    assert before is not None
    new = client.pipelines.stages.update(pipeline.id, middle, {"probability": 60, "name": "Centre", "position": 0})
    assert (new.probability, new.name, new.key, new.version, new.position) == (60, "Centre", "middle", 2, 0)
    assert client.deals.get(inside.id).probability == before + 10
    assert client.deals.get(outside.id).probability == outside.probability
    assert keys(client, pipeline) == ["middle", "start", "won", "lost"]
    update = client.pipelines.stages.update
    for changes, code in (
        ({"kind": "won", "probability": 100}, "STAGE_HAS_DEALS"),
        ({"name": "Start"}, "STAGE_EXISTS"),
    ):
        with pytest.raises(ConflictError) as caught:
            update(pipeline.id, middle, changes)  # type: ignore[arg-type] # members of an update
        assert caught.value.code == code
    with pytest.raises(ConflictError) as caught:
        update(pipeline.id, stage_id(client, pipeline, "won"), {"kind": "open", "probability": 50})
    assert caught.value.code == "STAGE_REQUIRED"
    refused = client.request("PUT", f"/v1/pipelines/{pipeline.id}/stages/{middle}", json={"key": "center"})
    assert refused.status == 422 and refused.json()["errors"][0]["rule"] == "read_only"
    with pytest.raises(NotFoundError):
        client.pipelines.stages.update("pipeline_acme", middle, {"name": "Not here"})


def test_a_stage_with_deals_is_deleted_into_another(client: CrmClient, pipeline: Pipeline) -> None:
    inside = client.deals.create({"title": "In", "value": 1000, "stage": "middle"})
    middle, start = stage_id(client, pipeline, "middle"), stage_id(client, pipeline, "start")
    delete = client.pipelines.stages.delete
    for arguments, code in (
        ({}, "STAGE_HAS_DEALS"),
        ({"move_deals_to": "stage_acme_prospect"}, "STAGE_NOT_IN_PIPELINE"),
    ):
        with pytest.raises(ConflictError) as caught:
            delete(pipeline.id, middle, **arguments)
        assert caught.value.code == code
    delete(pipeline.id, middle, move_deals_to=start)
    assert client.deals.get(inside.id).stage == "start" and keys(client, pipeline) == ["start", "won", "lost"]
    moves = [(one.to_stage, one.direction) for one in client.deals.history(inside.id)]
    assert moves == [("middle", "initial"), ("start", "backward")]
    with pytest.raises(ConflictError) as caught:
        delete(pipeline.id, stage_id(client, pipeline, "won"))
    assert caught.value.code == "STAGE_REQUIRED"


def test_a_deal_comes_back_to_a_stage_that_is_there(client: CrmClient, pipeline: Pipeline) -> None:
    """One whose stage has gone, or is of another kind now, to the one with its key, else the first of its kind."""
    update, delete = client.pipelines.stages.update, client.pipelines.stages.delete
    client.pipelines.stages.create(pipeline.id, {"name": "Late", "probability": 80})
    made = {key: client.deals.create({"title": key, "value": 1, "stage": key}).id for key in ("middle", "late", "won")}
    closed_at = client.deals.get(made["won"]).closed_at
    for id in made.values():
        client.deals.delete(id)
    delete(pipeline.id, stage_id(client, pipeline, "middle"))
    update(pipeline.id, stage_id(client, pipeline, "late"), {"kind": "won"})
    delete(pipeline.id, stage_id(client, pipeline, "won"))
    assert all(item.error is None for item in client.objects.restore("deal", list(made.values())).items)
    back = {key: client.deals.get(id) for key, id in made.items()}
    assert {key: (deal.stage, deal.status) for key, deal in back.items()} == {
        "middle": ("start", "open"), "late": ("start", "open"), "won": ("late", "won"),
    }  # fmt: skip
    assert {deal.version for deal in back.values()} == {3} and back["won"].closed_at == closed_at
    stays = [(stay.to_stage, stay.direction) for stay in client.deals.history(made["middle"])]
    assert stays == [("middle", "initial"), ("start", "backward")]
    assert client.pipelines.get(pipeline.id).deal_count == sum(
        stage.deal_count or 0 for stage in client.pipelines.get(pipeline.id).stages
    )


def test_a_deal_of_a_pipeline_that_has_gone_comes_back_to_the_default_one(
    client: CrmClient, pipeline: Pipeline
) -> None:
    gone = client.pipelines.create({"name": "Gone", "stages": STAGES})
    made = client.deals.create({"title": "In", "value": 1, "pipeline_id": gone.id, "stage": "middle"})
    client.deals.delete(made.id)
    client.pipelines.delete(gone.id)
    client.objects.restore("deal", [made.id])
    back = client.deals.get(made.id)
    assert (back.pipeline_id, back.stage) == (pipeline.id, "middle")
    assert client.deals.move_stage(made.id, "start").stage == "start"


def test_an_order_names_every_stage_once(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    by_key = {stage.key: stage.id for stage in pipeline.stages}

    def reorder(*names: str) -> list[str | None]:
        return [stage.key for stage in client.pipelines.stages.reorder(pipeline.id, [by_key[name] for name in names])]

    assert reorder("middle", "start", "lost", "won") == ["middle", "start", "lost", "won"] == keys(client, pipeline)
    for wrong, code in (
        (("middle", "start", "lost"), "INCOMPLETE_ORDER"),
        (("middle", "start", "lost", "won", "won"), "INCOMPLETE_ORDER"),
        (("won", "middle", "start", "lost"), "STAGE_ORDER"),
    ):
        with pytest.raises(ValidationError) as caught:
            reorder(*wrong)
        assert caught.value.code == code
    reorder("middle", "start", "lost", "won")
    deeds = [entry for entry in stub.audit() if entry["action"] == "pipeline.stages_reordered"]
    assert len(deeds) == 1 and deeds[0]["entity"]["id"] == pipeline.id


@pytest.mark.parametrize(
    ("rules", "start", "to", "code"),
    [
        ({"allow_backward": False}, "late", "start", "STAGE_BACKWARD_FORBIDDEN"),
        ({"allow_skip": False}, "start", "late", "STAGE_SKIP_FORBIDDEN"),
        ({"lock_closed": True}, "won", "start", "DEAL_CLOSED"),
        ({"require_lost_reason": True}, "start", "lost", "LOST_REASON_REQUIRED"),
        ({}, "start", "gated", "STAGE_FIELDS_MISSING"),
    ],
)
def test_the_rules_of_a_pipeline_hold_for_its_deals(
    client: CrmClient, rules: Any, start: str, to: str, code: str
) -> None:
    stages = [
        *STAGES[:2],
        {"name": "Late", "probability": 80},
        {"name": "Gated", "probability": 85, "required_fields": ["description"]},
        *STAGES[2:],
    ]
    body: Any = {"name": "Strict", "is_default": True, "stages": stages, **rules}
    client.pipelines.create(body)
    made = client.deals.create({"title": "Engine", "value": 1, "stage": start})
    with pytest.raises((ConflictError, ValidationError)) as caught:
        client.deals.move_stage(made.id, to)
    assert caught.value.code == code
    with pytest.raises((ConflictError, ValidationError)) as caught:
        client.deals.update(made.id, {"stage": to})
    assert caught.value.code == code
    assert client.deals.get(made.id).stage == start
