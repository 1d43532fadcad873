"""Workflows against a plain model: any order of calls and times leaves both with the same leads and executions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .flow_model import Act, Asks, Flow, Lead, World

NUMBERS, MINUTES = st.integers(0, 20), st.sampled_from([0, 0, 0, 30, 90])
MEMBERS, VALUES = st.sampled_from(["company", "industry"]), st.sampled_from(["a", "b"])
TAGS = st.sampled_from(["x", "y"])
TESTS = st.builds(Asks, MEMBERS, VALUES, st.booleans())
PLAIN = st.one_of(
    st.builds(Act, st.sampled_from(["add", "remove"]), tag=TAGS),
    st.builds(Act, st.just("set"), member=MEMBERS, value=VALUES),
    st.builds(Act, st.sampled_from(["mail", "stop"])),
    st.builds(Act, st.just("wait"), minutes=st.sampled_from([20, 45])),
    st.builds(Act, st.just("until"), member=st.just("industry")),
    st.builds(Act, st.just("enroll"), flow=NUMBERS.map(str)),
)


def branch(inner: st.SearchStrategy[Act]) -> st.SearchStrategy[Act]:
    part = st.lists(inner, min_size=1, max_size=2).map(tuple)
    return st.builds(Act, st.just("branch"), test=TESTS, then=part, otherwise=part)


ACTS = st.builds(
    replace,
    PLAIN | branch(PLAIN | branch(PLAIN)),
    delay=MINUTES,
    goes_on=st.booleans(),
    asks=st.none() | TESTS,
)
FLOWS = st.builds(
    Flow,
    st.sampled_from(["company", "industry", ""]),
    st.none() | VALUES,
    st.none() | TESTS,
    st.lists(ACTS, min_size=1, max_size=4),
    st.booleans(),
)


class WorkflowMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer()
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.world = World()
        for email in (None, "ada@example.com"):
            members = {"company": "a", "industry": None, "email": email}
            given: Any = {"name": "Lead", **members}
            self.world.leads[self.client.leads.create(given).id] = Lead(members)

    @initialize(first=FLOWS, second=FLOWS)
    def begin(self, first: Flow, second: Flow) -> None:
        for flow in (first, second):
            self.define(flow)
            self.turn(len(self.world.flows) - 1, "activate")

    def flow_of(self, number: int) -> str:
        return list(self.world.flows)[number % len(self.world.flows)]

    def lead_of(self, number: int) -> str:
        return list(self.world.leads)[number % len(self.world.leads)]

    def linked(self, act: Act) -> Act:
        """Let an action that enrolls, or those within a branch, name a workflow that is there, else add a tag."""
        if act.type == "branch":
            then, otherwise = (tuple(map(self.linked, part)) for part in (act.then, act.otherwise))
            return replace(act, then=then, otherwise=otherwise)
        if act.type != "enroll":
            return act
        return replace(act, flow=self.flow_of(int(act.flow))) if self.world.flows else replace(act, type="add", tag="x")

    def both(self, code: str | None, call: Callable[[], Any]) -> Any:
        """Make a call that the model expects to be refused with a code, or not; return what it answered."""
        self.world.now += 1
        if code is not None:
            assert refused(call).code == code
            return None
        return call()

    def carry_out(self) -> None:
        """Let both carry out what is due."""
        self.client.leads.list(limit=1)
        self.world.settle()

    # -- workflows -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.flows) < 4)
    @rule(flow=FLOWS)
    def define(self, flow: Flow) -> None:
        flow = replace(flow, acts=[self.linked(act) for act in flow.acts], enrolled=set())
        given: Any = {
            "name": "Flow",
            "entity_type": "lead",
            "re_enroll": not flow.once,
            "triggers": [flow.trigger],
            "conditions": flow.asks.groups if flow.asks is not None else [],
            "actions": [act.given for act in flow.acts],
        }
        self.world.flows[self.both(None, lambda: self.client.workflows.create(given)).id] = flow

    @rule(number=NUMBERS, verb=st.sampled_from(["activate", "activate", "deactivate", "cancel"]))
    def turn(self, number: int, verb: str) -> None:
        id, workflows = self.flow_of(number), self.client.workflows
        flow = self.world.flows[id]
        if verb == "activate":
            self.both(None, lambda: workflows.activate(id))
            flow.status = "active"
            return
        self.both(None, lambda: workflows.deactivate(id, cancel_waiting=verb == "cancel"))
        flow.status = "inactive" if flow.status == "active" else flow.status
        if verb == "cancel":
            self.cancel_waiting(id)

    def cancel_waiting(self, flow_id: str) -> None:
        for run in self.world.runs:
            if run.flow == flow_id and run.status == "waiting":
                self.world.cancel(run)

    @rule(number=NUMBERS, act=ACTS, asks=st.none() | TESTS)
    def edit(self, number: int, act: Act, asks: Asks | None) -> None:
        """Add an action and ask something else: executions that have begun are not changed."""
        id, act = self.flow_of(number), self.linked(act)
        flow, given = self.world.flows[id], act.given
        inner = [act, *act.then, *act.otherwise]
        inner += [deep for one in inner for deep in (*one.then, *one.otherwise)]
        code = "WORKFLOW_LOOP" if any(one.type == "enroll" and one.flow == id for one in inner) else None
        made: Any = {**given, "position": 0}
        if self.both(code, lambda: self.client.workflows.actions.create(id, made)) is not None:
            flow.acts.insert(0, act)
        changes: Any = {"conditions": asks.groups if asks is not None else []}
        self.both(None, lambda: self.client.workflows.update(id, changes))
        flow.asks = asks

    @precondition(lambda self: len(self.world.flows) > 1)
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        id = self.flow_of(number)
        used = any(id in str(act.spec) for other, flow in self.world.flows.items() if other != id for act in flow.acts)
        code = "WORKFLOW_ACTIVE" if self.world.flows[id].status == "active" else None
        code = code or ("WORKFLOW_REFERENCED" if used else None)
        self.both(code, lambda: self.client.workflows.delete(id))
        if code is None:
            self.cancel_waiting(id)
            del self.world.flows[id]

    # -- leads and executions ------------------------------------------------------------------------------------------

    @rule(number=NUMBERS, member=MEMBERS, value=st.sampled_from(["a", "b", "c", None]))
    def change(self, number: int, member: str, value: str | None) -> None:
        id = self.lead_of(number)
        gone = self.world.leads[id].deleted
        changes: Any = {member: value}
        self.both("NOT_FOUND" if gone else None, lambda: self.client.leads.update(id, changes))
        if not gone:
            self.world.change(id, member, value)
        self.carry_out()

    @rule(number=NUMBERS)
    def delete_lead(self, number: int) -> None:
        """Delete a lead, and make another."""
        id = self.lead_of(number)
        lead = self.world.leads[id]
        self.both("NOT_FOUND" if lead.deleted else None, lambda: self.client.leads.delete(id))
        if not lead.deleted:
            lead.deleted = True
            self.world.wake(id)
            new = {"company": None, "industry": None, "email": lead.members["email"]}
            given: Any = {"name": "New", **new}
            self.world.leads[self.both(None, lambda: self.client.leads.create(given)).id] = Lead(new)
        self.carry_out()

    @rule(number=NUMBERS, lead=NUMBERS)
    def execute(self, number: int, lead: int) -> None:
        flow_id, lead_id = self.flow_of(number), self.lead_of(lead)
        code = None if self.world.flows[flow_id].status == "active" else "WORKFLOW_INACTIVE"
        code = code or ("REFERENCE_NOT_FOUND" if self.world.leads[lead_id].deleted else None)
        code = code or (None if self.world.takes(flow_id, lead_id) else "ALREADY_ENROLLED")
        self.both(code, lambda: self.client.workflows.execute(flow_id, entity_id=lead_id))
        if code is None:
            self.world.begin(flow_id, lead_id, "manual")
        self.carry_out()

    @rule(minutes=st.sampled_from([1, 20, 29, 31, 61, 91]))
    def wait(self, minutes: int) -> None:
        self.stub.clock.advance(timedelta(minutes=minutes).total_seconds())
        self.world.pass_time(minutes)
        self.carry_out()

    @precondition(lambda self: self.world.runs)
    @rule(number=NUMBERS)
    def cancel_job(self, number: int) -> None:
        """Cancel an execution, whose id is that of its job, if there is only one that it can be."""
        run = self.world.runs[number % len(self.world.runs)]
        same = [one for one in self.world.runs if (one.flow, one.lead, one.status) == (run.flow, run.lead, run.status)]
        if run.flow not in self.world.flows or len(same) > 1:
            return
        executions = self.client.workflows.executions.list(run.flow, entity_id=run.lead, status=run.status)
        id = next(one.id for one in executions)
        code = None if run.status in ("waiting", "cancelled") else "JOB_FINISHED"
        self.both(code, lambda: self.client.jobs.cancel(id))
        if run.status == "waiting":
            self.world.cancel(run)

    # -- what holds ----------------------------------------------------------------------------------------------------

    @invariant()
    def leads_are_the_same(self) -> None:
        for id, lead in self.world.leads.items():
            if not lead.deleted:
                found = self.client.leads.get(id)
                assert ({"company": found.company, "industry": found.industry}, set(found.tags)) == (
                    {name: lead.members[name] for name in ("company", "industry")}, lead.tags,
                )  # fmt: skip

    @invariant()
    def executions_are_the_same(self) -> None:
        for id, flow in self.world.flows.items():
            found = self.client.workflows.get(id)
            mine = [run for run in self.world.runs if run.flow == id]
            listed = list(self.client.workflows.executions.list(id, limit=200))
            assert sorted((run.status, run.source, run.depth) for run in listed) == sorted(
                (run.status, run.source, run.depth) for run in mine
            )
            assert (found.status, found.execution_count) == (flow.status, len(mine))
            ended = [sum(run.status == status for run in mine) for status in ("succeeded", "failed")]
            assert [found.success_count, found.failure_count] == ended

    def teardown(self) -> None:
        """Compare the executions step by step."""
        for id in self.world.flows:
            mine = [run for run in self.world.runs if run.flow == id]
            listed = self.client.workflows.executions.list(id, limit=200)
            found = [self.client.workflows.executions.get(run.id) for run in listed]
            assert sorted(
                (
                    run.entity and run.entity.id,
                    run.depth,
                    [step.status for step in run.steps],
                    (run.error and run.error.code) or "",
                )
                for run in found
            ) == sorted((run.lead, run.depth, [step.status for step in run.steps], run.error or "") for run in mine)


TestWorkflows = WorkflowMachine.TestCase
TestWorkflows.settings = settings(max_examples=portion(12), stateful_step_count=20)
