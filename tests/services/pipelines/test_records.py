"""Pipelines: what a new one begins with, which is the default, and what becomes of the deals of a deleted one."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from server_stub import StubServer

STAGES: Any = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Late", "probability": 80},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost", "probability": 0},
]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def test_a_pipeline_without_stages_gets_the_usual_six(client: CrmClient) -> None:
    made = client.pipelines.create({"name": "Six"})
    assert [(stage.key, stage.probability, stage.kind, stage.forecast_category) for stage in made.stages] == [
        ("prospect", 10, "open", "pipeline"),
        ("qualified", 25, "open", "best_case"),
        ("proposal", 50, "open", "best_case"),
        ("negotiation", 75, "open", "commit"),
        ("closed-won", 100, "won", "closed"),
        ("closed-lost", 0, "lost", "omitted"),
    ]
    assert (made.entity_type, made.is_default, made.active, made.deal_count) == ("deal", False, True, 0)
    assert [stage.position for stage in made.stages] == list(range(6))
    assert client.pipelines.get(made.id).stages == made.stages
    listed = client.pipelines.list().items
    assert [found.position for found in listed] == [0, 1, 2] and listed[2].id == made.id and listed[2].stages == []


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        (STAGES[:4], "STAGE_KINDS_MISSING"),
        (STAGES[3:], "STAGE_KINDS_MISSING"),
        ([*STAGES[:3], {"name": "Won", "kind": "won", "probability": 90}, STAGES[4]], "PROBABILITY_MISMATCH"),
        ([STAGES[3], *STAGES[:3], STAGES[4]], "STAGE_ORDER"),
        ([*STAGES[:3], {"name": "start", "probability": 20}, *STAGES[3:]], "STAGE_EXISTS"),
        ([{"name": "Start"}, *STAGES[1:]], "VALIDATION_ERROR"),
        ([{"name": "Start", "probability": 5, "requiredFields": ["no_such"]}, *STAGES[1:]], "UNKNOWN_FIELD"),
    ],
)
def test_stages_that_make_no_pipeline_are_refused(client: CrmClient, stages: Any, code: str) -> None:
    refused = client.request("POST", "/v1/pipelines", json={"name": "X", "stages": stages})
    assert refused.status in (409, 422) and refused.json()["errors"][0]["code"] == code
    assert client.pipelines.list(search="X").total == 0


def test_there_is_always_one_default(client: CrmClient, stub: StubServer) -> None:
    first = client.pipelines.list().items[0]
    for changes in ({"is_default": False}, {"active": False}):
        with pytest.raises(ConflictError) as caught:
            client.pipelines.update(first.id, changes)  # type: ignore[arg-type] # members of an update
        assert caught.value.code == "PIPELINE_IS_DEFAULT"
    second = client.pipelines.create({"name": "Second", "is_default": True, "stages": STAGES})
    assert [found.id for found in client.pipelines.list() if found.is_default] == [second.id]
    made = client.deals.create({"title": "Engine", "value": 1})
    assert made.stage == "start", "deals that name no pipeline are in the default one"
    client.pipelines.update(first.id, {"is_default": True})
    assert client.pipelines.get(second.id).is_default is False
    with pytest.raises(ConflictError) as caught:
        client.pipelines.delete(first.id)
    assert caught.value.code == "PIPELINE_IS_DEFAULT"


def test_deals_of_a_deleted_pipeline_move_to_the_stage_of_the_same_key_or_kind(client: CrmClient) -> None:
    first = client.pipelines.list().items[0]
    made = client.pipelines.create({"name": "Second", "is_default": True, "stages": STAGES})
    deals = {stage: client.deals.create({"title": stage, "value": 1, "stage": stage}).id for stage in ("start", "won")}
    assert client.pipelines.get(made.id).deal_count == 2
    client.pipelines.update(first.id, {"is_default": True})
    with pytest.raises(ConflictError) as caught:
        client.pipelines.delete(made.id)
    assert caught.value.code == "PIPELINE_HAS_DEALS" and caught.value.details == {"dealCount": 2}
    with pytest.raises(ValidationError):
        client.pipelines.delete(made.id, move_deals_to="pipeline_none")
    client.pipelines.delete(made.id, move_deals_to=first.id)
    assert client.deals.get(deals["start"]).stage == "prospect" and client.deals.get(deals["won"]).stage == "closed-won"
    assert made.id not in {found.id for found in client.pipelines.list()}
    client.pipelines.create({"name": "second"})  # the name is free


def test_a_fetched_pipeline_can_be_sent_back_and_its_stages_have_their_own_calls(client: CrmClient) -> None:
    made = client.pipelines.create({"name": "Second", "stages": STAGES})
    body = client.request("GET", f"/v1/pipelines/{made.id}").json()["data"]
    assert client.request("PUT", f"/v1/pipelines/{made.id}", json=body).json()["data"] == body
    assert client.request("PUT", f"/v1/pipelines/{made.id}", json={"stages": STAGES[1:]}).status == 422


def test_sales_reads_pipelines_and_writes_none(client: CrmClient, stub: StubServer) -> None:
    made, sales = client.pipelines.create({"name": "Second"}), stub.client(api_key="acme-sales").pipelines
    assert sales.get(made.id).id == made.id
    rule = client.pipelines.automation.create(
        made.id, {"name": "R", "trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "x"}]}
    )
    stage = made.stages[0].id
    for refused in (
        lambda: sales.create({"name": "No"}),
        lambda: sales.update(made.id, {"description": "x"}),
        lambda: sales.delete(made.id),
        lambda: sales.stages.create(made.id, {"name": "N", "probability": 1}),
        lambda: sales.stages.update(made.id, stage, {"name": "N"}),
        lambda: sales.stages.delete(made.id, stage),
        lambda: sales.stages.reorder(made.id, [found.id for found in made.stages]),
        lambda: sales.automation.update(made.id, rule.id, {"enabled": False}),
        lambda: sales.automation.delete(made.id, rule.id),
    ):
        with pytest.raises(PermissionDeniedError):
            refused()
    assert client.pipelines.get(made.id) == made


def test_the_event_of_a_new_pipeline_has_no_stages_of_its_own(client: CrmClient, stub: StubServer) -> None:
    """They are records, which have ids: those that were given have none."""
    made = client.pipelines.create({"name": "Told"})
    told = [
        event["entity"]
        for event in stub.store.collection("tenant_acme", "event")
        if "pipeline.created" in event["type"]
    ]
    assert [(one["id"], one["stages"]) for one in told] == [(made.id, [])] and all(one.id for one in made.stages)
