"""What is carried out with somebody else's rights, later or by itself, is said by nobody who has less of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import New, permission

NEW_ADMIN: Any = {"email": "evil@acme.test", "name": "Evil", "role": "admin"}
RAISE: Any = [{"spec": {"type": "update_field", "field": "role", "value": "admin"}}]


@pytest.fixture
def manager(stub: StubServer, admin: CrmClient) -> CrmClient:
    """Somebody who writes workflows and pipelines, and no users."""
    return signed_in(stub, admin, "manager")[1]


def flow(**members: Any) -> Any:
    return {"name": "F", "entity_type": "user", "triggers": [{"type": "manual"}], "actions": RAISE, **members}


def test_nobody_gives_a_workflow_to_who_may_do_more(admin: CrmClient, manager: CrmClient) -> None:
    """It acts with the rights of its owner: a manager could become an administrator by it."""
    own = manager.workflows.create(flow())
    for call in (
        lambda: manager.workflows.create(flow(owner_id="user_ada")),
        lambda: manager.workflows.update(own.id, {"owner_id": "user_ada"}),
    ):
        error: Any = refused(call)
        assert (error.code, [one.field for one in error.fields]) == ("FORBIDDEN", ["owner_id"])
        assert error.message.startswith("F acts with the rights of Ada Lindqvist")
        assert "users:update@all" in error.details["permissions"]
    assert manager.workflows.update(own.id, {"owner_id": "user_sam"}).owner_id == "user_sam"
    assert admin.workflows.update(own.id, {"owner_id": "user_ada"}).owner_id == "user_ada"


@pytest.mark.parametrize("left", [False, True], ids=["active", "deactivated"])
def test_nobody_writes_a_workflow_of_who_may_do_more(
    admin: CrmClient, manager: CrmClient, stub: StubServer, left: bool
) -> None:
    """One of somebody who left would act with their rights once they are active again."""
    owner: Any = admin.users.create(NEW_ADMIN)
    made = admin.workflows.create(flow(name="Of Ada", owner_id=owner.id))
    if left:
        admin.users.deactivate(owner.id)
    (action,), (trigger,) = made.actions, made.triggers
    spec: Any = RAISE[0]
    calls: list[Callable[[], object]] = [
        lambda: manager.workflows.update(made.id, {"name": "Mine"}),
        lambda: manager.workflows.actions.create(made.id, spec),
        lambda: manager.workflows.actions.update(made.id, action.id, {"name": "x"}),
        lambda: manager.workflows.triggers.create(made.id, {"type": "record_created"}),
        lambda: manager.workflows.triggers.update(made.id, trigger.id, {"active": False}),
    ]
    for call in calls:
        assert refused(call).code == "FORBIDDEN"
    now = admin.workflows.get(made.id)
    assert (now.name, now.revision, len(now.actions), len(now.triggers)) == ("Of Ada", made.revision, 1, 1)
    taken = manager.workflows.update(
        made.id, {"owner_id": manager.users.list(search="New").items[0].id, "name": "Mine"}
    )
    assert taken.name == "Mine" and manager.workflows.actions.create(made.id, spec).id


def test_what_a_rule_makes_beside_its_deal_its_author_could_make(
    admin: CrmClient, manager: CrmClient, stub: StubServer
) -> None:
    """A rule has every right on the deal, whoever moves it, and those of its author on everything else."""
    pipeline = manager.pipelines.list().items[0]

    def made_by(author: CrmClient, entity_type: str, fields: Any) -> int:
        action = {"type": "create_record", "entity_type": entity_type, "fields": fields}
        given: Any = {"name": "R", "trigger": {"event": "deal_created"}, "actions": [action]}
        rule = author.pipelines.automation.create(pipeline.id, given)
        docs = stub.store.collection("tenant_acme", entity_type)
        before = len(docs)
        admin.deals.create({"title": "D", "pipeline_id": pipeline.id})
        admin.leads.list(limit=1)
        after = len(docs)
        admin.pipelines.automation.delete(pipeline.id, rule.id)
        return after - before

    assert made_by(manager, "user", NEW_ADMIN) == 0
    assert made_by(manager, "account", {"name": "Beside"}) == 1
    assert made_by(admin, "user", NEW_ADMIN) == 1


def test_a_workflow_of_a_limited_key_is_as_limited(admin: CrmClient, stub: StubServer) -> None:
    """A key that only writes workflows is no way to all that its user may do."""
    for held, outcome in ((["workflows:create", "workflows:read", "workflows:update"], "failed"), (None, "succeeded")):
        given: Any = {"name": "K", **({"permissions": held} if held is not None else {})}
        key = admin.security.api_keys.create(given).key
        crm = stub.client(api_key=key, dialects="platform", max_retries=0)
        made = crm.workflows.create(flow())
        admin.workflows.activate(made.id)
        run = admin.workflows.execute(made.id, entity_id="user_rita")
        admin.leads.list(limit=1)
        assert admin.workflows.executions.get(run.id).status == outcome, held
    assert admin.users.get("user_rita").role == "admin"


def test_a_scheduled_report_of_a_limited_key_is_as_limited(admin: CrmClient, stub: StubServer) -> None:
    limits = [f"reports:{action}" for action in ("read", "create", "update")]
    report = admin.reports.create({"name": "R", "entity_type": "deal", "columns": [{"field": "title"}]})
    for held, outcome in ((limits, "failed"), (None, "succeeded")):
        given: Any = {"name": "K", **({"permissions": held} if held is not None else {})}
        key = admin.security.api_keys.create(given).key
        crm = stub.client(api_key=key, dialects="platform", max_retries=0)
        plan: Any = {"schedule": {"frequency": "daily"}, "recipients": ["user_ada"], "format": "csv"}
        made = crm.reports.schedules.create(report.id, plan)
        stub.clock.advance(86_400)
        found = next(one for one in admin.reports.schedules.list(report.id) if one.id == made.id)
        assert found.last_status == outcome, held


@pytest.mark.thorough
def test_a_scheduled_report_is_read_with_the_rights_of_who_says_what_is_in_it(
    stub: StubServer, admin: CrmClient, new: New
) -> None:
    """Who may write a report that an administrator has scheduled reads no more by way of the schedule."""
    reads = [permission(word, action) for word in ("reports", "deals") for action in ("read", "create", "update")]
    hidden: Any = [{"entity": "deal", "field": "value", "access": "hidden"}]
    weak = new(*reads, permission("files", "read"), field_permissions=hidden)
    report = weak.crm.reports.create(
        {"name": "R", "entity_type": "deal", "columns": [{"field": "title"}], "visibility": "tenant"}
    )
    plan: Any = {"schedule": {"frequency": "daily"}, "recipients": [weak.id], "format": "csv"}
    admin.reports.schedules.create(report.id, plan)
    with_value: Any = {"columns": [{"field": "title"}, {"field": "value"}]}
    without: Any = {"columns": [{"field": "title"}, {"field": "stage"}]}

    def outcome() -> str | None:
        stub.clock.advance(86_400)
        return admin.reports.schedules.list(report.id).items[0].last_status

    admin.reports.update(report.id, with_value)
    weak.crm.reports.update(report.id, {"description": "Weekly"})
    assert outcome() == "succeeded"
    weak.crm.reports.update(report.id, without)
    assert outcome() == "succeeded"
    admin.reports.update(report.id, with_value)
    assert outcome() == "failed", "it is read as who changed it"


@pytest.mark.thorough
def test_a_schedule_of_somebody_who_left_does_not_run(stub: StubServer, admin: CrmClient, new: New) -> None:
    """The administrators are told; a report is run on as who changes it."""
    words = {"reports": ["read", "create", "update"], "deals": ["read", "export"], "jobs": ["read"]}
    gone = new(*(permission(word, action) for word, actions in words.items() for action in actions))
    report = gone.crm.reports.create(
        {"name": "R", "entity_type": "deal", "columns": [{"field": "title"}], "visibility": "tenant"}
    )
    daily: Any = {"schedule": {"frequency": "daily"}, "recipients": [gone.id], "format": "csv"}
    of_export: Any = {"schedule": {"frequency": "daily"}, "name": "Nightly", "request": {"entity_types": ["deal"]}}
    gone.crm.reports.schedules.create(report.id, daily)
    gone.crm.exports.schedules.create(of_export)

    def outcomes() -> list[str | None]:
        stub.clock.advance(86_400)
        report_of, export_of = admin.reports.schedules.list(report.id), admin.exports.schedules.list(search="Nightly")
        return [each.last_status for each in (*report_of, *export_of)]

    assert outcomes() == ["succeeded", "succeeded"]
    admin.users.deactivate(gone.id)
    assert outcomes() == ["skipped", "skipped"]
    told = {each.title: each.message for each in admin.notifications.list(limit=50)}
    for title, name in (("Report skipped: R", "R"), ("Export skipped: Nightly", "Nightly")):
        way_out = "Activate them, or delete the schedule."
        assert told[title] == f"{name} did not run: the owner of its schedule is not active. {way_out}"
    admin.reports.update(report.id, {"columns": [{"field": "stage"}]})
    assert outcomes() == ["succeeded", "skipped"]


def test_a_scheduled_export_is_of_no_more_than_who_says_what_is_in_it_may_export(
    stub: StubServer, admin: CrmClient, new: New
) -> None:
    """Who may manage all jobs may stop those of an administrator, and not let them export something else."""
    exports = [permission("jobs", action) for action in ("read", "update", "manage")]
    keeper = new(*exports, permission("contacts", "export", "own"), permission("contacts", "read", "own")).crm
    body: Any = {"name": "Nightly", "schedule": {"frequency": "daily"}, "request": {"entity_types": ["lead"]}}
    made = admin.exports.schedules.create(body)
    wanted: list[Any] = [{"request": {"entity_types": ["contact"]}}, {"recipients": ["evil@elsewhere.example"]}]
    for changes in wanted:
        error = refused(lambda changes=changes: keeper.exports.schedules.update(made.id, changes))  # type: ignore[misc] # a call each
        assert (error.status, error.code) == (403, "FORBIDDEN"), error
        assert "Ada Lindqvist" in error.message and "make one of your own" in error.message
    assert keeper.exports.schedules.update(made.id, {"enabled": False}).enabled is False
    (kept,) = (one for one in admin.exports.schedules.list() if one.id == made.id)
    assert kept.request.entity_types == ["lead"]


@pytest.mark.thorough
def test_a_scheduled_export_of_a_limited_key_is_as_limited(admin: CrmClient, stub: StubServer) -> None:
    mine = stub.store.collection("tenant_acme", "contact").find("owner_id", "user_ada")
    body: Any = {
        "name": "Nightly", "schedule": {"frequency": "daily"}, "request": {"entity_types": ["contact"]},
    }  # fmt: skip
    counts: list[int] = []
    for held in (["contacts:export@own", "contacts:read@own", "jobs:read"], None):
        given: Any = {"name": "K", **({"permissions": held} if held is not None else {})}
        crm = stub.client(api_key=admin.security.api_keys.create(given).key, dialects="platform", max_retries=0)
        made = crm.exports.schedules.create(body | {"name": f"Nightly {held}"})
        stub.clock.advance(86_400)
        (done,) = (one for one in admin.exports.schedules.list() if one.id == made.id)
        job = admin.jobs.get(str(done.last_job_id))
        counts.append(len(admin.files.download(str(job.file_id)).read().splitlines()) - 1)
    assert counts[0] == len(mine) < counts[1]


def everything(word: str) -> list[Any]:
    return [permission(word, action) for action in ("read", "create", "update", "delete", "manage")]


def test_nobody_takes_the_place_of_who_may_do_more(admin: CrmClient, new: New) -> None:
    """By an API key that acts as somebody, or by an address that the link to a new password goes to."""
    keeper, staff = new(*everything("security")).crm, new(*everything("users")).crm
    weak = new(permission("security", "read")).user
    key = admin.security.api_keys.create({"name": "Of Ada"})
    calls: list[Callable[[], object]] = [
        lambda: keeper.security.api_keys.create({"name": "K", "user_id": "user_ada"}),
        lambda: keeper.security.api_keys.rotate(key.id),
        lambda: staff.users.update("user_ada", {"email": "evil@acme.test"}),
    ]
    for call in calls:
        error = refused(call)
        assert (
            error.code == "ROLE_ESCALATION" and "Ada Lindqvist" in error.message and "do more than you" in error.message
        )
    narrow: Any = {"name": "K", "user_id": "user_ada", "permissions": ["security:read"]}
    assert keeper.security.api_keys.create(narrow).user_id == "user_ada"
    assert keeper.security.api_keys.create({"name": "K", "user_id": weak.id}).user_id == weak.id
    assert staff.users.update("user_ada", {"title": "Chief"}).title == "Chief"
    other = admin.users.create({"email": "two@acme.test", "name": "Two", "role": "admin"})
    assert admin.users.update(other.id, {"email": "three@acme.test"}).email == "three@acme.test"
