"""What sets off the rules of a pipeline: each event of a deal, and the time that one spends in a stage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

STAGES: Any = [
    {"name": "Start", "probability": 10, "rotten_days": 5},
    {"name": "Middle", "probability": 50},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]


class Rules:
    """Rules of one pipeline, by their names, and which of them have run since one looked last."""

    def __init__(self, stub: StubServer, client: CrmClient, pipeline: Pipeline) -> None:
        self.stub, self.client, self.pipeline = stub, client, pipeline
        self.names: dict[str, str] = {}
        self.seen = 0

    def add(self, name: str, event: str, **trigger: Any) -> str:
        body: Any = {"name": name, "trigger": {"event": event, **trigger}, "actions": [{"type": "stop"}]}
        made = self.client.pipelines.automation.create(self.pipeline.id, body)
        self.names[made.id] = name
        return made.id

    def ran(self) -> list[str]:
        runs = self.stub.store.collection("tenant_acme", "execution").find("source", "pipeline_rule")
        new = runs[self.seen :]
        self.seen = len(runs)
        return [self.names[run["rule_id"]] for run in new]


def test_each_event_sets_off_the_rules_that_wait_for_it(
    client: CrmClient, pipeline: Pipeline, stub: StubServer
) -> None:
    start, middle, *_ = (stage.id for stage in pipeline.stages)
    rules = Rules(stub, client, pipeline)
    for name, event, trigger in (
        ("made", "deal_created", {}), ("won", "deal_won", {}), ("lost", "deal_lost", {}),
        ("value", "field_changed", {"field": "value"}), ("stage", "field_changed", {"field": "stage"}),
        ("in", "stage_entered", {}), ("in start", "stage_entered", {"stage_id": start}),
        ("in middle", "stage_entered", {"stage_id": middle}),
        ("start to middle", "stage_entered", {"stage_id": middle, "from_stage_id": start}),
        ("middle to any", "stage_entered", {"from_stage_id": middle}),
        ("out", "stage_left", {}), ("out of start", "stage_left", {"stage_id": start}),
        ("out of middle", "stage_left", {"stage_id": middle, "from_stage_id": start}),
        ("rotten", "deal_rotten", {}), ("days", "days_in_stage", {"days": 1}),
    ):  # fmt: skip
        rules.add(name, event, **trigger)
    off = rules.add("off", "deal_created")
    client.pipelines.automation.update(pipeline.id, off, {"enabled": False})
    other = client.pipelines.create({"name": "Other", "stages": STAGES})
    client.deals.create({"title": "Elsewhere", "value": 1, "pipeline_id": other.id})
    assert rules.ran() == []
    deal = client.deals.create({"title": "Engine", "value": 1}).id
    assert rules.ran() == ["made", "in", "in start"]
    client.deals.update(deal, {"value": 2})
    assert rules.ran() == ["value"]
    client.deals.update(deal, {"title": "Motor"})
    assert rules.ran() == []
    client.deals.move_stage(deal, "middle")
    assert rules.ran() == ["stage", "in", "in middle", "start to middle", "out", "out of start"]
    client.deals.update(deal, {"value": 3, "stage": "start"})
    assert rules.ran() == ["value", "stage", "in", "in start", "middle to any", "out", "out of middle"]
    client.deals.move_stage(deal, "won")
    assert sorted(rules.ran()) == sorted(["won", "stage", "in", "out", "out of start"])
    client.deals.move_stage(deal, "middle")
    assert rules.ran() == ["stage", "in", "in middle", "out"]
    client.deals.move_stage(deal, "lost")
    assert sorted(rules.ran()) == sorted(["lost", "stage", "in", "middle to any", "out", "out of middle"])


def test_time_sets_off_a_rule_once_for_each_stay_of_an_open_deal(
    client: CrmClient, pipeline: Pipeline, stub: StubServer
) -> None:
    start, middle, *_ = (stage.id for stage in pipeline.stages)
    rules = Rules(stub, client, pipeline)
    rules.add("two days", "days_in_stage", days=2)
    rules.add("two days in middle", "days_in_stage", days=2, stage_id=middle)
    rules.add("rotten", "deal_rotten")
    rules.add("rotten in start", "deal_rotten", stage_id=start)
    rules.add("made", "deal_created")
    off = rules.add("off", "days_in_stage", days=2)
    client.pipelines.automation.update(pipeline.id, off, {"enabled": False})
    deal, closed = (client.deals.create({"title": title, "value": 1}).id for title in ("Open", "Closed"))
    client.deals.move_stage(closed, "won")
    rules.ran()
    now = stub.clock.now()

    def an_hour_later(**members: Any) -> list[str]:
        for id in (deal, closed):
            stored(stub, "deal", id, **members)
        stub.clock.advance(3_600)
        return rules.ran()

    assert an_hour_later(stage_changed_at=now - timedelta(days=2) + timedelta(hours=1.1)) == []
    assert an_hour_later(stage_changed_at=now - timedelta(days=2)) == ["two days"]
    assert an_hour_later() == []
    assert an_hour_later(stage_changed_at=now - timedelta(days=5), last_activity=now - timedelta(days=9)) == [
        "two days", "rotten", "rotten in start",
    ]  # fmt: skip
    assert an_hour_later() == []
    client.deals.move_stage(deal, "middle")
    assert rules.ran() == []
    assert an_hour_later(stage_changed_at=now - timedelta(days=8)) == ["two days", "two days in middle"]
    (status,) = {rule.last_status for rule in client.pipelines.automation.list(pipeline.id) if rule.run_count}
    assert status == "succeeded"


def test_a_trial_is_answered_whole(client: CrmClient, pipeline: Pipeline) -> None:
    start, middle, *_ = (stage.id for stage in pipeline.stages)
    deal = client.deals.create({"title": "Engine", "value": 10}).id
    worth = {"field": "value", "op": "gte", "value": 5}
    either: Any = [
        {"filters": [worth, {"field": "title", "op": "eq", "value": "x"}]},
        {"filters": [{"field": "stage", "op": "eq", "value": "start"}]},
    ]
    inside = [{"type": "add_tag", "tag": "a"}, {"type": "add_tag", "tag": "b"},
              {"type": "update_field", "field": "value", "value": 7}]  # fmt: skip
    body: Any = {
        "name": "R", "trigger": {"event": "stage_entered", "stage_id": start}, "conditions": either,
        "actions": [
            {"type": "branch", "conditions": either, "then": inside, "otherwise": [{"type": "add_tag", "tag": "z"}]},
            {"type": "update_field", "field": "value", "value": 8}, {"type": "stop"}, {"type": "add_tag", "tag": "c"},
        ],
    }  # fmt: skip
    made = client.pipelines.automation.create(pipeline.id, body)
    found = client.pipelines.automation.test(pipeline.id, made.id, deal)
    assert (found.rule_id, found.deal_id, found.would_run, found.trigger_matched) == (made.id, deal, True, True)
    assert [(one.filter.field, one.actual, one.matched) for one in found.conditions] == [
        ("value", 10, True), ("title", "Engine", False), ("stage", "start", True),
    ]  # fmt: skip
    assert [(one.type, one.description, one.error) for one in found.actions] == [
        ("branch", "branch", None), ("update_field", "update_field: value", None), ("stop", "stop", None),
    ]  # fmt: skip
    moved = [{one.field: (one.before, one.after) for one in action.changes} for action in found.actions]
    assert [changes.get("value") for changes in moved] == [(10, 7), (7, 8), None]
    assert moved[0]["tags"] == ([], ["a", "b"]) and "tags" not in moved[1]
    for event, stage, more, matched in (
        ("stage_entered", middle, {}, False), ("stage_entered", None, {}, True), ("stage_entered", start, {}, True),
        ("days_in_stage", middle, {"days": 1}, False), ("days_in_stage", start, {"days": 1}, True),
        ("stage_left", middle, {}, True), ("deal_won", None, {}, True),
    ):  # fmt: skip
        given: Any = {"trigger": {"event": event, "stage_id": stage, **more}, "conditions": []}
        client.pipelines.automation.update(pipeline.id, made.id, given)
        found = client.pipelines.automation.test(pipeline.id, made.id, deal)
        assert (found.trigger_matched, found.would_run, found.conditions) == (matched, matched, []), (event, stage)
