"""The stages of a pipeline: their order, their names, and what becomes of the deals in them."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused as refusal
from stub_data import stored

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


def test_the_rules_of_a_pipeline_hold_for_its_deals(client: CrmClient) -> None:
    stages = [
        *STAGES[:2],
        {"name": "Late", "probability": 80},
        {"name": "Gated", "probability": 85, "required_fields": ["description"]},
        *STAGES[2:],
    ]
    for rules, start, to, code in (
        ({"allow_backward": False}, "late", "start", "STAGE_BACKWARD_FORBIDDEN"),
        ({"allow_skip": False}, "start", "late", "STAGE_SKIP_FORBIDDEN"),
        ({"lock_closed": True}, "won", "start", "DEAL_CLOSED"),
        ({"require_lost_reason": True}, "start", "lost", "LOST_REASON_REQUIRED"),
        ({}, "start", "gated", "STAGE_FIELDS_MISSING"),
    ):
        body: Any = {"name": f"Strict {code}", "is_default": True, "stages": stages, **rules}
        client.pipelines.create(body)
        made = client.deals.create({"title": "Engine", "value": 1, "stage": start})
        with pytest.raises((ConflictError, ValidationError)) as caught:
            client.deals.move_stage(made.id, to)
        assert caught.value.code == code
        with pytest.raises((ConflictError, ValidationError)) as caught:
            client.deals.update(made.id, {"stage": to})
        assert caught.value.code == code
        assert client.deals.get(made.id).stage == start


def test_what_forbids_a_stage_says_why(client: CrmClient, pipeline: Pipeline) -> None:
    by_key = {stage.key: stage.id for stage in pipeline.stages}
    client.deals.create({"title": "In", "value": 1, "stage": "middle"})
    stages, id = client.pipelines.stages, pipeline.id
    only = "Short exactly once"
    calls: Any = (
        (lambda: stages.delete(id, by_key["won"]), 409, "STAGE_REQUIRED",
         "Won is the only won stage of its pipeline", {}),
        (lambda: stages.update(id, by_key["lost"], {"kind": "won"}), 409, "STAGE_REQUIRED",
         "Lost is the only lost stage of its pipeline", {}),
        (lambda: stages.delete(id, by_key["middle"]), 409, "STAGE_HAS_DEALS",
         "Middle has 1 deals: move them with move_deals_to", {"dealCount": 1}),
        (lambda: stages.update(id, by_key["middle"], {"kind": "lost"}), 409, "STAGE_HAS_DEALS",
         "Middle has 1 deals: move them before its kind is changed", {"dealCount": 1}),
        (lambda: stages.delete(id, by_key["middle"], move_deals_to=by_key["middle"]), 409, "STAGE_NOT_IN_PIPELINE",
         "Middle is no other stage of Short", {}),
        (lambda: stages.delete(id, by_key["start"], move_deals_to="stage_acme_prospect"), 409, "STAGE_NOT_IN_PIPELINE",
         "Prospect is no other stage of Short", {}),
        (lambda: stages.reorder(id, [*by_key.values()][1:]), 422, "INCOMPLETE_ORDER",
         f"name each of the 4 stages of {only}", {"stageIds": [*by_key.values()]}),
        (lambda: stages.create(id, {"name": "Back", "probability": 1, "position": 3}), 422, "STAGE_ORDER",
         "open stages come before closed ones", {}),
        (lambda: stages.create(id, {"name": "Early", "kind": "won", "position": 1}), 422, "STAGE_ORDER",
         "open stages come before closed ones", {}),
        (lambda: stages.update(id, by_key["won"], {"probability": 90}), 422, "PROBABILITY_MISMATCH",
         "a won stage has the probability 100, not 90", {}),
        (lambda: stages.update(id, by_key["start"], {"required_fields": ["title", "nope"]}), 422, "UNKNOWN_FIELD",
         "deals have no field 'nope'", {}),
    )  # fmt: skip
    for call, status, code, message, details in calls:
        error = refusal(call)
        said = error.fields[0].message if error.fields else error.message
        assert (error.status, error.code, said) == (status, code, message)
        assert {name: error.details.get(name) for name in details} == details, message
    assert client.pipelines.get(id).stages[0] == pipeline.stages[0] and keys(client, pipeline) == list(by_key)


def test_where_a_stage_comes_and_what_it_becomes_with_another_kind(client: CrmClient, pipeline: Pipeline) -> None:
    create, update = client.pipelines.stages.create, client.pipelines.stages.update
    for members, position in (
        ({"name": "Won two", "kind": "won"}, 3), ({"name": "Lost two", "kind": "lost"}, 5),
        ({"name": "Third", "probability": 60}, 2), ({"name": "Last", "kind": "lost", "position": 99}, 7),
        ({"name": "Between", "kind": "lost", "position": 3}, 3), ({"name": "Zero", "probability": 1, "position": 0}, 0),
    ):  # fmt: skip
        made: Any = members
        assert create(pipeline.id, made).position == position, members
    order = ["zero", "start", "middle", "third", "between", "won", "won-two", "lost", "lost-two", "last"]
    assert keys(client, pipeline) == order
    third = stage_id(client, pipeline, "third")
    for changes, found in (
        ({"kind": "won"}, ("won", 100, "closed", 6)), ({"kind": "lost"}, ("lost", 0, "omitted", 9)),
        ({"kind": "open", "probability": 74}, ("open", 74, "best_case", 3)),
        ({"probability": 75}, ("open", 75, "commit", 3)),
        ({"forecast_category": "pipeline"}, ("open", 75, "pipeline", 3)),
        ({"name": "Third", "color": "#112233"}, ("open", 75, "pipeline", 3)),
        ({"probability": 75, "rotten_days": 3}, ("open", 75, "pipeline", 3)),
        ({"probability": 24, "forecast_category": "commit"}, ("open", 24, "commit", 3)),
        ({"probability": 25}, ("open", 25, "best_case", 3)), ({"position": 1}, ("open", 25, "best_case", 1)),
    ):  # fmt: skip
        given: Any = changes
        one = update(pipeline.id, third, given)
        assert (one.kind, one.probability, one.forecast_category, one.position) == found, changes
    assert keys(client, pipeline) == ["zero", "third", *(key for key in order if key not in ("zero", "third"))]
    versions = {one.key: one.version for one in client.pipelines.get(pipeline.id).stages}
    assert versions == {key: 11 if key == "third" else 1 for key in order}, "who makes room is not changed"


def test_a_new_probability_is_told_of_each_open_deal_that_moves_with_it(
    client: CrmClient, pipeline: Pipeline, stub: StubServer
) -> None:
    one, fixed, closed = (client.deals.create({"title": "In", "value": 100, "stage": "middle"}).id for _ in range(3))
    client.deals.update(fixed, {"probability_override": 40})
    stored(stub, "deal", closed, status="lost")
    log = len(stub.audit())
    middle = stage_id(client, pipeline, "middle")
    client.pipelines.stages.update(pipeline.id, middle, {"name": "Centre"})
    assert [entry["action"] for entry in stub.audit()[log:]] == ["pipeline.stage_updated"]
    log, before = len(stub.audit()), client.deals.get(one).probability or 0
    client.pipelines.stages.update(pipeline.id, middle, {"probability": 60})
    told = stub.audit()[log:]
    assert sorted((entry["action"], entry["entity"]["id"]) for entry in told) == sorted(
        [("deal.updated", one), ("pipeline.stage_updated", pipeline.id)]
    )
    (changes,) = (entry["changes"] for entry in told if entry["action"] == "deal.updated")
    moved = {change["field"]: (change["before"], change["after"]) for change in changes}
    assert moved["probability"] == (before, before + 10) and "weighted_value" in moved
    assert client.deals.get(one).probability == before + 10 and client.deals.get(fixed).probability == 40
    log = len(stub.audit())
    order = [stage.id for stage in client.pipelines.get(pipeline.id).stages]
    order[:2] = order[1::-1]
    answered = client.pipelines.stages.reorder(pipeline.id, order)
    assert answered == client.pipelines.get(pipeline.id).stages and [one.id for one in answered] == order
    (entry,) = stub.audit()[log:]
    assert (entry["action"], entry["entity"]["id"], entry["metadata"]) == (
        "pipeline.stages_reordered", pipeline.id, {"stage_ids": order},
    )  # fmt: skip
