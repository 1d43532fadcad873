"""Workflows against a plain model: any order of calls and times leaves both with the same tags and executions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

NUMBERS = st.integers(0, 20)


@dataclass
class Flow:
    """A workflow as the model sees it: on `company` it adds its tag, perhaps after some minutes."""

    company: str
    delay: int
    once: bool
    status: str = "draft"
    enrolled: set[str] = field(default_factory=set)


@dataclass
class Run:
    """An execution as the model sees it."""

    flow: str
    lead: str
    status: str
    due: int


@dataclass
class Lead:
    """A lead as the model sees it."""

    company: str
    tags: set[str] = field(default_factory=set)


class WorkflowMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer()
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.flows: dict[str, Flow] = {}
        self.leads: dict[str, Lead] = {}
        self.runs: list[Run] = []
        self.minutes = 0
        for company, delay, once in (("a", 0, False), ("a", 30, False), ("b", 0, True), ("b", 90, True)):
            self.add_flow(company, delay, once)
        for company in ("a", "b"):
            self.leads[self.client.leads.create({"name": "Lead", "company": company}).id] = Lead(company)

    def add_flow(self, company: str, delay: int, once: bool) -> None:
        given: Any = {
            "name": "Flow",
            "entity_type": "lead",
            "re_enroll": not once,
            "triggers": [{"type": "field_changed", "field": "company", "to_value": company}],
            "actions": [
                {"spec": {"type": "add_tag", "tag": f"to {company}"}},
                {"delay_minutes": delay, "spec": {"type": "remove_tag", "tag": f"to {company}"}},
            ],
        }
        self.flows[self.client.workflows.create(given).id] = Flow(company, delay, once)

    def flow_of(self, number: int) -> str:
        return list(self.flows)[number % len(self.flows)]

    def lead_of(self, number: int) -> str:
        return list(self.leads)[number % len(self.leads)]

    def begin(self, flow_id: str, lead_id: str) -> None:
        flow = self.flows[flow_id]
        flow.enrolled.add(lead_id)
        lead, tag = self.leads[lead_id], f"to {flow.company}"
        lead.tags.add(tag)
        run = Run(flow_id, lead_id, "waiting" if flow.delay else "succeeded", self.minutes + flow.delay)
        if not flow.delay:
            lead.tags.discard(tag)
        self.runs.append(run)

    def both(self, code: str | None, call: Callable[[], object]) -> bool:
        """Make a call that the model expects to be refused with a code, or not; return whether it was done."""
        if code is None:
            call()
            self.client.leads.list(limit=1)  # what it queued is carried out
            return True
        assert refused(call).code == code
        return False

    @rule(number=NUMBERS)
    def activate(self, number: int) -> None:
        id = self.flow_of(number)
        self.both(None, lambda: self.client.workflows.activate(id))
        self.flows[id].status = "active"

    @rule(number=NUMBERS, cancel=st.booleans())
    def deactivate(self, number: int, cancel: bool) -> None:
        id = self.flow_of(number)
        self.both(None, lambda: self.client.workflows.deactivate(id, cancel_waiting=cancel))
        flow = self.flows[id]
        flow.status = "inactive" if flow.status == "active" else flow.status
        for run in self.runs if cancel else ():
            if run.flow == id and run.status == "waiting":
                run.status = "cancelled"

    @rule(number=NUMBERS, company=st.sampled_from("abc"))
    def change(self, number: int, company: str) -> None:
        id = self.lead_of(number)
        self.both(None, lambda: self.client.leads.update(id, {"company": company}))
        before, self.leads[id].company = self.leads[id].company, company
        for flow_id, flow in self.flows.items():
            again = not flow.once or id not in flow.enrolled
            if flow.status == "active" and flow.company == company != before and again:
                self.begin(flow_id, id)

    @rule(number=NUMBERS, lead=NUMBERS)
    def execute(self, number: int, lead: int) -> None:
        flow_id, lead_id = self.flow_of(number), self.lead_of(lead)
        flow = self.flows[flow_id]
        code = None
        if flow.status != "active":
            code = "WORKFLOW_INACTIVE"
        elif flow.once and lead_id in flow.enrolled:
            code = "ALREADY_ENROLLED"
        if self.both(code, lambda: self.client.workflows.execute(flow_id, entity_id=lead_id)):
            self.begin(flow_id, lead_id)

    @rule(minutes=st.sampled_from([1, 29, 31, 61, 91]))
    def wait(self, minutes: int) -> None:
        self.stub.clock.advance(timedelta(minutes=minutes).total_seconds())
        self.minutes += minutes
        for run in sorted(self.runs, key=lambda run: run.due):
            if run.status == "waiting" and run.due < self.minutes:
                run.status = "succeeded"
                self.leads[run.lead].tags.discard(f"to {self.flows[run.flow].company}")

    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        id = self.flow_of(number)
        if len(self.flows) == 1:
            return
        if self.both(
            "WORKFLOW_ACTIVE" if self.flows[id].status == "active" else None, lambda: self.client.workflows.delete(id)
        ):
            del self.flows[id]
            self.runs = [run for run in self.runs if run.flow != id]

    @invariant()
    def leads_are_the_same(self) -> None:
        for id, lead in self.leads.items():
            assert set(self.client.leads.get(id).tags) == lead.tags

    @invariant()
    def executions_are_the_same(self) -> None:
        for id, flow in self.flows.items():
            found = self.client.workflows.get(id)
            mine = [run for run in self.runs if run.flow == id]
            listed = [run.status for run in self.client.workflows.executions.list(id, limit=200)]
            assert sorted(listed) == sorted(run.status for run in mine)
            assert (found.status, found.execution_count) == (flow.status, len(mine))
            assert found.success_count == sum(run.status == "succeeded" for run in mine)


TestWorkflows = WorkflowMachine.TestCase
TestWorkflows.settings = settings(max_examples=portion(8), stateful_step_count=25)
