"""Which addresses, members and files an action may name, spelling by spelling."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.workflows.action_types import check_url

PUBLIC = [
    "https://example.com", "HTTP://example.com:8080/x?y", "http://8.8.8.8/", "http://134744072/", "http://0x08.0x080808",
    "http://010.8.8.8", "http://8.8.2056", "http://8.526344", "http://1.2.3.4.5/", "http://256.1.1.1/",
    "http://8.8.8.256", "http://8.8.65536", "http://4294967296", "http://[2606:4700::1111]/", "http://x.internal.example",
]  # fmt: skip
PRIVATE = [
    "http://localhost", "http://intranet/", "http://a.localhost", "http://x.local.", "http://X.INTERNAL", "http://x.lan",
    "http://x.home.arpa", "http://127.0.0.1", "http://127.1", "http://0177.0.0.1", "http://2130706433",
    "http://0x7f000001", "http://0x7f.1", "http://10.0.0.1", "http://192.168.0.1", "http://192.168.1", "http://[::1]",
    "http://[::ffff:127.0.0.1]", "http://[2002:7f00:1::]", "http://4294967295", "http://255.255.255.255",
    "http://0x08080808", "http://0",
]  # fmt: skip
NONE = ["ftp://example.com", "http://", "http://[x", "http://example.com:99999", "http://example.com:x", "example.com"]


def test_an_address_is_public_in_every_spelling() -> None:
    for url in PUBLIC:
        check_url(url, "url")
    for urls, code, rule in ((PRIVATE, "URL_NOT_ALLOWED", "choice"), (NONE, "VALIDATION_ERROR", "format")):
        for url in urls:
            with pytest.raises(Problem) as raised:
                check_url(url, "url")
            (entry,) = raised.value.entries
            assert (entry.code or raised.value.code, entry.field, entry.rule) == (code, "url", rule), url


def test_a_new_record_has_members_by_either_name(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)

    def made(**fields: Any) -> Any:
        spec: Any = {"type": "create_record", "entity_type": "lead", "fields": fields}
        body: Any = {"name": "W", "entity_type": "deal", "triggers": [{"type": "manual"}], "actions": [{"spec": spec}]}
        return crm.workflows.create(body)

    for fields in (
        {"name": "N", "annual_revenue": 5},
        {"name": "N", "annualRevenue": 5},
        {"name": "{{title}}"},
    ):
        assert made(**fields).actions[0].spec.fields == fields
    for fields, field, code in (
        ({"name": "N", "hat": 1}, "hat", "UNKNOWN_FIELD"),
        ({"name": "N", "annualRevenue": -5}, "annual_revenue", "VALIDATION_ERROR"),
        ({"name": "N", "score": 5}, "score", "UNKNOWN_FIELD"),
    ):
        error = refused(lambda fields=fields: made(**fields))  # type: ignore[misc] # some members
        assert (error.status, error.fields[0].code or error.code) == (422, code), fields
        assert (error.fields[0].field or "").endswith(f"spec.fields.{field}"), error.fields[0].field


def test_who_is_told_hears_of_it_by_the_channel_that_is_asked_for(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)
    told = stub.store.collection("tenant_acme", "notification")
    lead = crm.leads.create({"name": "Ann", "owner_id": "user_sam"}).id
    for channel in ("in_app", "email", None):
        spec: Any = {"type": "notify", "user_ids": ["user_mia"], "title": "T {{name}}", "message": "M"}
        spec |= {"channel": channel} if channel else {}
        body: Any = {"name": "W", "entity_type": "lead", "triggers": [{"type": "manual"}], "actions": [{"spec": spec}]}
        flow = crm.workflows.create(body).id
        crm.workflows.activate(flow)
        before = {doc["id"] for doc in told}
        crm.workflows.execute(flow, entity_id=lead)
        stub.clock.advance(5)
        new = [doc for doc in told if doc["id"] not in before and doc["type"] == "system"]
        assert [(doc["user_id"], doc["title"], doc["message"]) for doc in new] == [("user_mia", "T Ann", "M")], channel
        expected = {"channel": channel} if channel == "email" else {}
        assert {name: value for name, value in new[0]["metadata"].items() if name == "channel"} == expected
        assert (new[0]["entity"]["type"], new[0]["entity"]["id"]) == ("lead", lead)


def test_a_conversion_makes_a_deal_or_a_contact(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)
    for create_deal, made in ((True, "deal"), (False, "contact")):
        spec: Any = {"type": "convert_lead", "create_deal": create_deal}
        body: Any = {"name": "W", "entity_type": "lead", "triggers": [{"type": "manual"}], "actions": [{"spec": spec}]}
        flow = crm.workflows.create(body).id
        crm.workflows.activate(flow)
        lead = crm.leads.create({"name": "Ann", "company": f"Mill {made}"}).id
        run = crm.workflows.execute(flow, entity_id=lead)
        stub.clock.advance(5)
        (step,) = crm.workflows.executions.get(run.id).steps
        now = crm.leads.get(lead)
        assert step.output is not None and (step.output.type, step.status) == (made, "succeeded")
        assert step.output.id == (now.converted_deal_id if create_deal else now.converted_contact_id)


def test_a_workflow_of_who_is_gone_is_written_all_the_same(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)
    body: Any = {"name": "W", "entity_type": "lead", "triggers": [{"type": "manual"}]}
    flow = crm.workflows.create(body).id
    stored(stub, "workflow", flow, owner_id="user_gone")
    assert crm.workflows.update(flow, {"name": "Other"}).name == "Other"


def test_an_action_is_for_kinds_that_have_what_it_sets(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)
    for kind, spec, field, code, message in (
        *(("pipeline", {"type": name, "tag": "x"}, "type", "VALIDATION_ERROR",
           f"a pipeline has no tags, which {name} sets") for name in ("add_tag", "remove_tag")),
        ("pipeline", {"type": "assign_owner", "owner_id": "user_sam"}, "type", "VALIDATION_ERROR",
         "a pipeline has no owner_id, which assign_owner sets"),
        ("deal", {"type": "move_stage", "stage": "nowhere"}, "stage", "REFERENCE_NOT_FOUND",
         "no stage has the key or the id 'nowhere'"),
    ):  # fmt: skip
        body: Any = {"name": "W", "entity_type": kind, "triggers": [{"type": "manual"}], "actions": [{"spec": spec}]}
        error = refused(partial(crm.workflows.create, body))
        (entry,) = error.fields
        assert (error.status, error.code, entry.field) == (422, code, f"actions.0.spec.{field}"), spec
        assert message in error.message
    for stage in ("proposal", "stage_acme_proposal"):
        actions = [{"spec": {"type": "move_stage", "stage": stage}}]
        given: Any = {"name": "W", "entity_type": "deal", "triggers": [{"type": "manual"}], "actions": actions}
        assert crm.workflows.create(given).actions[0].spec.stage == stage


def test_an_activity_is_written_and_a_rule_without_its_writer_makes_nothing(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0, strict=True)
    specs = [{"type": "update_field", "field": "title", "value": "Done: {{title}}"}, {"type": "add_tag", "tag": "x"}]
    body: Any = {"name": "W", "entity_type": "activity", "triggers": [{"type": "manual"}],
                 "actions": [{"spec": spec} for spec in specs]}  # fmt: skip
    flow = crm.workflows.activate(crm.workflows.create(body).id)
    task = crm.activities.tasks.create({"title": "Call"})
    run = crm.workflows.execute(flow.id, entity_id=task.id)
    now: Any = crm.activities.get(task.id)
    assert (now.title, now.tags, now.version) == ("Done: Call", ["x"], 3)
    assert [[(one.field, one.before, one.after) for one in step.changes if one.field in ("title", "tags")]
            for step in crm.workflows.executions.get(run.id).steps] == [
        [("title", "Call", "Done: Call")], [("tags", [], ["x"])],
    ]  # fmt: skip
    makes: Any = {"name": "R", "trigger": {"event": "deal_created"}, "actions": [
        {"type": "create_record", "entity_type": "lead", "fields": {"name": "Of {{title}}"}}]}  # fmt: skip
    rule = crm.pipelines.automation.create("pipeline_acme", makes).id
    executions = stub.store.collection("tenant_acme", "execution")
    for author, code in (("user_ada", None), ("user_gone", "FORBIDDEN")):
        stored(stub, "rule", rule, author_id=author)
        deal = crm.deals.create({"title": f"Deal {author}"}).id
        crm.deals.get(deal)
        (done,) = [doc for doc in executions.find("rule_id", rule) if doc["entity_id"] == deal]
        assert (done["error"] or {}).get("code") == code
        assert bool(crm.leads.list(search=f"Of Deal {author}").items) is (code is None)
