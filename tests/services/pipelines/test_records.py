"""Pipelines: what a new one begins with, which is the default, and what becomes of the deals of a deleted one."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused as refusal
from stub_data import plain, stored

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from server_stub import StubServer

STAGES: Any = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Late", "probability": 80},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost", "probability": 0},
]


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


def test_stages_that_make_no_pipeline_are_refused(client: CrmClient) -> None:
    start: Any = {"name": "Start"}
    for stages, code, field, message in (
        (STAGES[:4], "STAGE_KINDS_MISSING", "stages",
         "a pipeline needs an open, a won and a lost stage; there is none that is lost"),
        (STAGES[3:], "STAGE_KINDS_MISSING", "stages",
         "a pipeline needs an open, a won and a lost stage; there is none that is open"),
        (STAGES[:1], "STAGE_KINDS_MISSING", "stages",
         "a pipeline needs an open, a won and a lost stage; there is none that is won or lost"),
        ([*STAGES[:3], {"name": "Won", "kind": "won", "probability": 90}, STAGES[4]], "PROBABILITY_MISMATCH",
         "stages.3.probability", "a won stage has the probability 100, not 90"),
        ([*STAGES[:4], {"name": "Lost", "kind": "lost", "probability": 1}], "PROBABILITY_MISMATCH",
         "stages.4.probability", "a lost stage has the probability 0, not 1"),
        ([STAGES[3], *STAGES[:3], STAGES[4]], "STAGE_ORDER", None, "open stages come before closed ones"),
        ([*STAGES[:2], STAGES[4], STAGES[2], STAGES[3]], "STAGE_ORDER", None, "open stages come before closed ones"),
        ([*STAGES[:3], {"name": "start", "key": "s", "probability": 20}, *STAGES[3:]], "STAGE_EXISTS", "stages",
         "two stages have the name 'start'"),
        ([*STAGES[:3], {"name": "Other", "key": "start", "probability": 20}, *STAGES[3:]], "STAGE_EXISTS", "stages",
         "two stages have the key 'start'"),
        ([start, *STAGES[1:]], "VALIDATION_ERROR", "stages.0.probability", "an open stage needs a probability"),
        ([STAGES[0], {**start, "probability": 5, "requiredFields": ["title", "no_such", "nor"]}, *STAGES[2:]],
         "UNKNOWN_FIELD", "stages.1.requiredFields", "deals have no field 'no_such'"),
    ):  # fmt: skip
        refused = client.request("POST", "/v1/pipelines", json={"name": "X", "stages": stages})
        error = refused.json()["errors"][0]
        assert refused.status in (409, 422) and error["code"] == code, stages
        assert (error.get("field"), error["message"]) == (field, message), stages
    assert client.pipelines.list(search="X").total == 0


def test_a_stage_has_what_follows_from_its_name_kind_and_probability(client: CrmClient) -> None:
    given: Any = [
        {"name": " Öl & Gas ", "probability": 0}, {"name": "24", "probability": 24}, {"name": "25", "probability": 25},
        {"name": "74", "probability": 74}, {"name": "75", "probability": 75, "color": "#112233"},
        {"name": "Own", "key": "mine", "probability": 5, "forecast_category": "commit"},
        {"name": "!!", "probability": 100, "required_fields": ["title"]},
        {"name": "Won", "kind": "won"}, {"name": "Won too", "kind": "won", "probability": 100},
        {"name": "Lost", "kind": "lost"},
    ]  # fmt: skip
    made = client.pipelines.create({"name": "Derived", "stages": given}).stages
    assert [(one.name, one.key, one.kind, one.probability, one.forecast_category) for one in made] == [
        ("Öl & Gas", "ol-gas", "open", 0, "pipeline"), ("24", "24", "open", 24, "pipeline"),
        ("25", "25", "open", 25, "best_case"), ("74", "74", "open", 74, "best_case"),
        ("75", "75", "open", 75, "commit"), ("Own", "mine", "open", 5, "commit"),
        ("!!", "stage", "open", 100, "commit"), ("Won", "won", "won", 100, "closed"),
        ("Won too", "won-too", "won", 100, "closed"), ("Lost", "lost", "lost", 0, "omitted"),
    ]  # fmt: skip
    assert [one.position for one in made] == list(range(10)) and made[6].required_fields == ["title"]
    assert {plain(one.deal_count, one.total_value, one.version) for one in made} == {(0, 0, 1)}


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


def test_what_forbids_a_change_or_an_end_says_why_and_how(client: CrmClient, stub: StubServer) -> None:
    first = client.pipelines.list().items[0]
    idle = client.pipelines.create({"name": "Idle", "active": False, "stages": STAGES})
    busy = client.pipelines.create({"name": "Busy", "stages": STAGES})
    deals = [client.deals.create({"title": "In", "value": 1, "pipeline_id": busy.id}).id for _ in range(2)]
    update, delete = client.pipelines.update, client.pipelines.delete
    only = f"{first.name} is the default pipeline: make another"
    for call, status, code, field, message in (
        (lambda: update(first.id, {"is_default": False}), 409, "PIPELINE_IS_DEFAULT", None,
         f"{only} pipeline the default first"),
        (lambda: update(first.id, {"active": False}), 409, "PIPELINE_IS_DEFAULT", None,
         f"{only} pipeline the default first"),
        (lambda: delete(first.id, move_deals_to=busy.id), 409, "PIPELINE_IS_DEFAULT", None,
         f"{only} one the default before it is deleted"),
        (lambda: update(idle.id, {"is_default": True}), 422, "VALIDATION_ERROR", "is_default",
         "an inactive pipeline cannot be the default"),
        (lambda: update(busy.id, {"is_default": True, "active": False}), 422, "VALIDATION_ERROR", "is_default",
         "an inactive pipeline cannot be the default"),
        (lambda: delete(busy.id), 409, "PIPELINE_HAS_DEALS", None,
         "Busy has 2 deals: say where they go with move_deals_to"),
        (lambda: delete(busy.id, move_deals_to=busy.id), 422, "VALIDATION_ERROR", "move_deals_to",
         "the deals cannot move to the pipeline that is deleted"),
        (lambda: delete(idle.id, move_deals_to=idle.id), 422, "VALIDATION_ERROR", "move_deals_to",
         "the deals cannot move to the pipeline that is deleted"),
        (lambda: delete(busy.id, move_deals_to=first.id, version=9), 409, "VERSION_CONFLICT", None, None),
    ):  # fmt: skip
        error = refusal(call)
        found = error.fields[0] if field is not None else error
        assert (error.status, error.code, getattr(found, "field", None)) == (status, code, field), message
        assert message is None or found.message == message
    shown = {one.id: (one.is_default, one.active, one.version) for one in client.pipelines.list()}
    assert (shown[first.id], shown[idle.id], shown[busy.id]) == (
        (True, True, first.version), (False, False, 1), (False, True, 1),
    )  # fmt: skip
    assert [client.deals.get(id).pipeline_id for id in deals] == [busy.id] * 2
    same = update(first.id, {"is_default": True, "active": True, "description": "Still"})
    assert (same.is_default, same.active, same.description) == (True, True, "Still")
    assert update(idle.id, {"is_default": True, "active": True}).is_default
    assert update(busy.id, {"is_default": False, "active": False}).active is False


def test_a_pipeline_goes_with_its_stages_and_rules_and_another_keeps_its_own(
    client: CrmClient, stub: StubServer
) -> None:
    first = client.pipelines.list().items[0]
    gone, kept = (client.pipelines.create({"name": name, "stages": STAGES}) for name in ("Gone", "Kept"))
    assert (gone.position, kept.position) == ((first.position or 0) + 2, (first.position or 0) + 3)
    for one in (gone, kept):
        client.pipelines.automation.create(
            one.id, {"name": "R", "trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "x"}]}
        )
    inside = {key: client.deals.create({"title": key, "value": 2, "pipeline_id": gone.id, "stage": key}).id
              for key in ("middle", "lost")}  # fmt: skip
    found = client.pipelines.get(gone.id)
    assert plain(found.deal_count, found.total_value, found.currency) == (2, 4, "USD")
    assert [plain(one.deal_count, one.total_value) for one in found.stages] == [(0, 0), (1, 2), (0, 0), (0, 0), (1, 2)]
    client.pipelines.delete(gone.id, move_deals_to=kept.id)
    for kind, left in (("stage", 5), ("rule", 1)):
        records = stub.store.collection("tenant_acme", kind)
        assert (len(records.find("pipeline_id", gone.id)), len(records.find("pipeline_id", kept.id))) == (0, left)
    for key, id in inside.items():
        deal = client.deals.get(id)
        assert (deal.pipeline_id, deal.stage) == (kept.id, key)
    empty = client.pipelines.create({"name": "Empty", "stages": STAGES})
    assert empty.position == (kept.position or 0) + 1, "after the last one"
    client.pipelines.delete(empty.id)
    assert [one.name for one in client.pipelines.list()][-1] == "Kept"


def test_each_kind_of_record_has_its_default_pipeline(client: CrmClient, stub: StubServer) -> None:
    def defaults() -> dict[str, int]:
        return {one.name: one.version or 0 for one in client.pipelines.list() if one.is_default}

    (first,) = [one for one in client.pipelines.list() if one.is_default]
    before = defaults()
    leads: Any = {"name": "Leads", "entity_type": "lead", "is_default": True, "stages": STAGES}
    client.pipelines.create(leads)
    assert defaults() == {**before, "Leads": 1}
    client.pipelines.create({"name": "Second", "is_default": True, "stages": STAGES})
    assert defaults() == {"Leads": 1, "Second": 1}
    assert client.pipelines.get(first.id).version == (first.version or 0) + 1
    client.pipelines.update(first.id, {"is_default": True})
    assert defaults() == {first.name: (first.version or 0) + 2, "Leads": 1}
    stored(stub, "pipeline", next(one.id for one in client.pipelines.list() if one.name == "Second"), is_default=True)
    client.pipelines.update(first.id, {"is_default": True, "description": "x"})
    assert set(defaults()) == {first.name, "Leads", "Second"}, "it was the default before"
