"""The plain model of workflows: programs that records start, and that wait, branch, fail and start one another.

Time is counted in steps of a call and in minutes; what is due is carried out in rounds, the first due first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

MINUTE = 1_000_000
"""The units of time in a minute; a call takes one."""
DEEPEST = 5
OPEN = ("pending", "waiting")


@dataclass(frozen=True)
class Asks:
    """A condition: a member has a value, or has not."""

    member: str
    value: str
    has: bool = True

    @property
    def groups(self) -> list[Any]:
        return [{"filters": [{"field": self.member, "op": "eq" if self.has else "neq", "value": self.value}]}]


@dataclass(frozen=True)
class Act:
    """An action: ``add``, ``remove``, ``set``, ``mail``, ``wait``, ``until``, ``branch``, ``stop`` or ``enroll``.

    ``mail`` fails where the record has no address; ``until`` waits until `member` has a value.
    """

    type: str
    tag: str = ""
    member: str = ""
    value: str = ""
    minutes: int = 0
    test: Asks | None = None
    """What a branch asks."""
    then: tuple[Act, ...] = ()
    otherwise: tuple[Act, ...] = ()
    flow: str = ""
    delay: int = 0
    goes_on: bool = False
    asks: Asks | None = None
    """The condition of the action itself."""

    @property
    def spec(self) -> dict[str, Any]:
        """The action as the API has it."""
        if self.type == "branch":
            assert self.test is not None
            then, otherwise = ([one.spec for one in part] for part in (self.then, self.otherwise))
            return {"type": "branch", "conditions": self.test.groups, "then": then, "otherwise": otherwise}
        specs: dict[str, dict[str, Any]] = {
            "add": {"type": "add_tag", "tag": self.tag},
            "remove": {"type": "remove_tag", "tag": self.tag},
            "set": {"type": "update_field", "field": self.member, "value": self.value},
            "mail": {"type": "send_email", "to": "record", "subject": "Hi", "body": "Hello"},
            "wait": {"type": "wait", "minutes": self.minutes},
            "until": {"type": "wait", "until_field": self.member},
            "enroll": {"type": "enroll", "workflow_id": self.flow},
            "stop": {"type": "stop"},
        }
        return specs[self.type]

    @property
    def given(self) -> dict[str, Any]:
        return {
            "spec": self.spec,
            "delay_minutes": self.delay,
            "on_error": "continue" if self.goes_on else "stop",
            "conditions": self.asks.groups if self.asks is not None else [],
        }


@dataclass
class Lead:
    """A lead; one that was deleted is as it was then."""

    members: dict[str, str | None]
    tags: set[str] = field(default_factory=set[str])
    deleted: bool = False

    def meets(self, test: Asks | None) -> bool:
        return test is None or (self.members[test.member] == test.value) is test.has


@dataclass
class Flow:
    """A workflow: what starts it (a member that becomes a value, or any change), what it asks, and what it does."""

    member: str
    """Empty where any change starts it."""
    value: str | None
    asks: Asks | None
    acts: list[Act]
    once: bool
    status: str = "draft"
    enrolled: set[str] = field(default_factory=set[str])

    @property
    def trigger(self) -> dict[str, Any]:
        if not self.member:
            return {"type": "record_updated"}
        return {"type": "field_changed", "field": self.member} | ({"to_value": self.value} if self.value else {})

    def starts_by(self, member: str, value: str | None) -> bool:
        return not self.member or (self.member == member and self.value in (None, value))


@dataclass
class Step:
    """A step of an execution."""

    act: Act
    level: int = 0
    goes_on: bool = False
    status: str = "pending"
    waits_for: str = ""
    """``delay``, ``time`` or ``member``, once it has begun to wait."""
    until: int = 0


@dataclass
class Run:
    """An execution."""

    flow: str
    lead: str
    depth: int
    number: int
    due: int | None
    steps: list[Step]
    source: str
    status: str = "queued"
    error: str | None = None


class World:
    """Leads, workflows, and executions: what a call does to them, and what the clock does."""

    def __init__(self) -> None:
        self.now = 0
        self.leads: dict[str, Lead] = {}
        self.flows: dict[str, Flow] = {}
        self.runs: list[Run] = []

    # -- what starts executions ----------------------------------------------------------------------------------------

    def begin(self, flow_id: str, lead_id: str, source: str, depth: int = 1) -> None:
        flow = self.flows[flow_id]
        flow.enrolled.add(lead_id)
        steps = [Step(act, goes_on=act.goes_on) for act in flow.acts]
        self.runs.append(Run(flow_id, lead_id, depth, len(self.runs), self.now, steps, source))

    def takes(self, flow_id: str, lead_id: str) -> bool:
        flow = self.flows[flow_id]
        return not (flow.once and lead_id in flow.enrolled)

    def change(self, lead_id: str, member: str, value: str | None, by: Run | None = None) -> None:
        """Give a lead a value (for ``tags``: it has changed already), and start what that starts."""
        lead = self.leads[lead_id]
        if member != "tags":
            if lead.members[member] == value:
                return
            lead.members[member] = value
        self.wake(lead_id)
        for id, flow in self.flows.items():
            own = by is not None and (by.flow, by.lead) == (id, lead_id)
            wanted = flow.status == "active" and flow.starts_by(member, value) and lead.meets(flow.asks)
            if wanted and not own and self.takes(id, lead_id):
                self.begin(id, lead_id, "trigger", by.depth + 1 if by is not None else 1)

    def wake(self, lead_id: str) -> None:
        """Let what waits for a member of a lead look at it again."""
        for run in self.runs:
            waiting = next((step for step in run.steps if step.status == "waiting"), None)
            if run.lead == lead_id and run.status == "waiting" and waiting and waiting.waits_for == "member":
                run.due = self.now

    # -- what carries them out -----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Carry out what is due now, in rounds."""
        while due := [run for run in self.runs if run.due is not None and run.due <= self.now]:
            for run in sorted(due, key=lambda run: (run.due or 0, run.number)):
                self.carry_out(run)

    def pass_time(self, minutes: int) -> None:
        end = self.now + minutes * MINUTE
        while times := [run.due for run in self.runs if run.due is not None and run.due <= end]:
            self.now = max(self.now, min(times))
            self.settle()
        self.now = end

    def carry_out(self, run: Run) -> None:
        run.due = None
        if run.depth > DEEPEST:
            self.end(run, "failed", "WORKFLOW_LOOP")
            return
        run.status = "running"
        while run.status == "running":
            at = next((at for at, step in enumerate(run.steps) if step.status in OPEN), None)
            if at is None:
                self.end(run, "succeeded")
            elif not self.waits(run, run.steps[at]):
                self.do(run, at)

    def end(self, run: Run, status: str, error: str | None = None) -> None:
        run.status, run.error, run.due = status, error, None
        for step in run.steps:
            if step.status in OPEN:
                step.status = "skipped"

    def waits(self, run: Run, step: Step) -> bool:
        """Let a step wait for its delay, then, where its condition holds, for what it says."""
        act, lead = step.act, self.leads[run.lead]
        if act.delay and not step.waits_for:
            return self.wait(run, step, "delay", self.now + act.delay * MINUTE)
        if act.type in ("wait", "until") and step.waits_for in ("", "delay") and lead.meets(act.asks):
            if act.type == "wait":
                return self.wait(run, step, "time", self.now + act.minutes * MINUTE)
            step.waits_for = "member"
        if act.type == "until" and step.waits_for == "member" and not lead.deleted and not lead.members[act.member]:
            return self.wait(run, step, "member", None)
        return False

    def wait(self, run: Run, step: Step, what: str, until: int | None) -> bool:
        run.status, run.due = "waiting", until
        step.status, step.waits_for = "waiting", what
        return True

    def do(self, run: Run, at: int) -> None:
        step, lead = run.steps[at], self.leads[run.lead]
        if step.waits_for not in ("time", "member") and not lead.meets(step.act.asks):
            step.status = "skipped"
            return
        error = self.effect(run, at, step.act, lead)
        step.status = "failed" if error else "succeeded"
        if error and step.goes_on:  # the rest of the branch it is in is passed over
            for other in run.steps[at + 1 :]:
                if other.level == 0:
                    break
                other.status = "skipped"
        elif error:
            self.end(run, "failed", error)
        elif step.act.type == "stop":
            self.end(run, "succeeded")

    def effect(self, run: Run, at: int, act: Act, lead: Lead) -> str | None:
        """Do what an action says; return the code of its failure."""
        if act.type == "branch":
            step = run.steps[at]
            inner: Sequence[Act] = act.then if lead.meets(act.test) else act.otherwise
            run.steps[at + 1 : at + 1] = [Step(one, step.level + 1, step.goes_on) for one in inner]
            return None
        if act.type in ("wait", "until", "stop"):
            return None
        if lead.deleted:
            return "NOT_FOUND"
        does: dict[str, Callable[[], str | None]] = {
            "add": lambda: self.tag(run, act.tag, there=True),
            "remove": lambda: self.tag(run, act.tag, there=False),
            "set": lambda: self.change(run.lead, act.member, act.value, run),
            "mail": lambda: None if lead.members["email"] else "NO_ADDRESS",
            "enroll": lambda: self.enroll(run, act.flow),
        }
        return does[act.type]()

    def tag(self, run: Run, tag: str, *, there: bool) -> None:
        tags = self.leads[run.lead].tags
        if (tag in tags) is not there:
            (tags.add if there else tags.remove)(tag)
            self.change(run.lead, "tags", None, run)

    def enroll(self, run: Run, flow_id: str) -> str | None:
        if self.flows[flow_id].status != "active":
            return "WORKFLOW_INACTIVE"
        if not self.takes(flow_id, run.lead):
            return "ALREADY_ENROLLED"
        self.begin(flow_id, run.lead, "workflow", run.depth + 1)
        return None

    def cancel(self, run: Run) -> None:
        self.end(run, "cancelled")
