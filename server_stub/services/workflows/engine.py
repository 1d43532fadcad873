"""The engine: it carries out executions step by step, lets them wait for a time or a member, and ends them.

Each step is a transaction of its own. A rule of a pipeline is all or nothing up to the next time it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from ...bulk import error_of
from ...data.document import Document
from ...data.queries.query import member
from ...problems import LOG, Problem
from ...serving import Context, Members, reacts
from ...timetable import falls_due
from .. import company
from .effects import EFFECTS, Made, output_of
from .rights import author, executor
from .starting import EXECUTION, OPEN, WORK, blank_step, plan, planned_specs
from .subjects import Subject, condition, differences_between, holds, noun_of
from .triggers import keep_schedules

DEEPEST = 5
"""The greatest length of a chain of executions that cause one another."""
ENDED = frozenset({"succeeded", "failed", "cancelled"})
_OPEN = frozenset({"pending", "waiting"})


class UndoError(Exception):
    """Raised to undo the block of a transaction."""


@falls_due(WORK)
def go_on(call: Context) -> None:
    """Start what schedules say, and carry out the executions that are due, the first first, until no more are."""
    keep_schedules(call)
    executions = call.collection(EXECUTION)
    while due := [doc for status in OPEN for doc in executions.find("status", status) if _is_due(call, doc)]:
        for doc in sorted(due, key=lambda doc: (doc["due_at"], doc["queue_number"])):
            now = executions.get(doc["id"])  # one before it may have cancelled it
            if now is not None and _is_due(call, now):
                _carry_out_or_fail(call, now)


def _is_due(call: Context, execution: Members) -> bool:
    return execution["status"] in OPEN and execution["due_at"] is not None and execution["due_at"] <= call.now


def _carry_out_or_fail(call: Context, execution: Document) -> None:
    """Carry out an execution; a mistake in the engine fails this one, and holds up no other."""
    try:
        with call.server.store.transaction():
            carry_out(call, execution)
    except Exception as error:
        LOG.exception("the execution %s failed", execution["id"])
        problem = Problem("INTERNAL_ERROR", f"the engine raised {type(error).__name__}; the log has more")
        _fail(call, execution, error_of(problem))


def _fail(call: Context, execution: Document, error: Mapping[str, Any]) -> None:
    """End an execution that could not be carried out as failed, and tell of it."""
    try:
        with call.server.store.transaction():
            run = Run(call, execution)
            run.fail(error)
            call.collection(EXECUTION).put(run.result())
    except Exception:  # what is wrong with it may be wrong for telling of it, too
        LOG.exception("the failure of the execution %s was not told", execution["id"])
        cancel(call, execution, status="failed", error=error)


def carry_out(call: Context, execution: Document) -> None:
    """Carry out an execution until it ends or waits, and store it; a rule whose conditions do not hold leaves none."""
    run = Run(call, execution)
    if run.goes_ahead():
        run.go()
        call.collection(EXECUTION).put(run.result())
    else:
        call.collection(EXECUTION).remove(execution["id"])


class Run:
    """One execution at work: its steps are changed here, and stored by whoever carries it out."""

    def __init__(self, call: Context, execution: Document, *, dry: bool = False) -> None:
        self._doc = execution
        self._dry = dry
        self._entries = [dict(entry) for entry in execution["entries"]]
        self._steps = [dict(step) for step in execution["steps"]]
        self._subject = Subject(
            execution["entity_type"], execution["entity_id"], execution["input"],
            by_rule=execution["rule_id"] is not None, author=author(call, execution),
        )  # fmt: skip
        self._status = "running"
        self._due_at: datetime | None = None
        self._error: Mapping[str, Any] | None = None
        acting = executor(call, execution)
        self._has_rights = acting is not None
        source = {
            "dialect": "system",
            "depth": execution["depth"],
            "execution_id": execution["id"],
            "workflow_id": execution["workflow_id"],
            "entity_id": execution["entity_id"],
        }
        self._call = Context(
            call.server, acting or call.caller, call.now, dialect="system", operation="workflow",
            request_id=execution["id"], source=source,
        )  # fmt: skip

    # -- the whole -----------------------------------------------------------------------------------------------------

    def goes_ahead(self) -> bool:
        """Return whether the record is there, and the conditions of a rule hold at its start; a workflow's held."""
        if self._doc["rule_id"] is None or self._doc["started_at"] is not None:
            return True
        doc = self._record()
        there = doc is not None and doc.get("deleted_at") is None
        return there and holds(self._call, self._subject.kind, self._doc["conditions"], doc)

    def go(self) -> None:
        """Carry out the steps until the execution ends or waits."""
        call, begins = self._call, self._doc["started_at"] is None
        if begins:
            self._doc = self._doc | {"started_at": call.now}
            self._tell("execution_started")
        if self._doc["depth"] > DEEPEST:
            self._refuse(
                "AUTOMATION_LOOP" if self._doc["rule_id"] else "WORKFLOW_LOOP",
                f"{DEEPEST} executions were caused by one another: this is a loop",
            )
        elif not self._has_rights:
            self._refuse("FORBIDDEN", "the owner of the workflow is gone or deactivated: it has nobody's rights")
        elif self._doc["rule_id"] is not None and not self._dry:
            self._all_or_nothing()
        else:
            self._go()
        if self._status in ENDED:
            self._tell("execution_completed" if self._status == "succeeded" else "execution_failed")

    def skip(self) -> None:
        """End without carrying out any step."""
        self._doc = self._doc | {"started_at": self._call.now}
        self._end("succeeded")

    def fail(self, error: Mapping[str, Any]) -> None:
        """End as failed without carrying out any step."""
        self._doc = self._doc | {"started_at": self._doc["started_at"] or self._call.now}
        self._end("failed", error)
        self._tell("execution_failed")

    def result(self) -> Document:
        """Return the execution as it is now."""
        done = sum(step["status"] not in _OPEN for step in self._steps)
        members: dict[str, Any] = {
            "entries": self._entries,
            "steps": self._steps,
            "status": self._status,
            "error": self._error,
            "due_at": self._due_at,
            "progress": round(done / len(self._steps), 4) if self._steps else 1.0,
            "updated_at": self._call.now,
            "version": self._doc["version"] + 1,
        }
        if self._status in ENDED:
            took = self._call.now - self._doc["started_at"]
            members |= {"finished_at": self._call.now, "duration_ms": took // timedelta(milliseconds=1)}
        return self._doc | members

    def _refuse(self, code: str, message: str) -> None:
        self._end("failed", error_of(Problem(code, message)))

    def _end(self, status: str, error: Mapping[str, Any] | None = None) -> None:
        self._status, self._error, self._due_at = status, error, None
        for step in self._steps:
            if step["status"] in _OPEN:
                step |= {"status": "skipped", "resume_at": None}

    def _all_or_nothing(self) -> None:
        """Carry out the steps up to the next wait in one transaction: what fails leaves nothing of them."""
        done = {at for at, step in enumerate(self._steps) if step["status"] not in _OPEN}
        try:
            with self._call.server.store.transaction():
                self._go()
                if self._status == "failed":
                    raise UndoError
        except UndoError:
            for at, step in enumerate(self._steps):
                if at not in done and step["status"] == "succeeded" and step["type"] in EFFECTS:
                    step |= {"status": "skipped", "changes": [], "output": None}

    # -- the steps -----------------------------------------------------------------------------------------------------

    def _go(self) -> None:
        while self._status == "running":
            at = next((at for at, step in enumerate(self._steps) if step["status"] in _OPEN), None)
            if at is None:
                self._end("succeeded")
            elif self._dry or not self._waits(at):
                self._carry_out(at)

    def _waits(self, at: int) -> bool:
        """Let a step wait for its delay, and then, where its conditions hold, for what ``wait`` says; tell whether."""
        entry, step, now = self._entries[at], self._steps[at], self._call.now
        spec: Members = entry["spec"]
        if step["status"] == "pending":
            step |= {"started_at": now}
            if entry["delay"]:
                return self._wait(at, "delay", now + timedelta(minutes=entry["delay"]))
        if spec["type"] != "wait" or not self._check_conditions(entry, self._record())[1]:
            return False
        if spec.get("minutes") is not None:
            until = step["resume_at"] if entry["waited"] == "time" else now + timedelta(minutes=spec["minutes"])
            return until > now and self._wait(at, "time", until)
        doc = self._record()
        if doc is None or doc.get("deleted_at") is not None:
            return False
        value = member(doc, spec["until_field"])
        if value in (None, "", [], {}):
            return self._wait(at, "member", None)
        moment = self._moment(value)
        return moment is not None and moment > now and self._wait(at, "member", moment)

    def _wait(self, at: int, what: str, until: datetime | None) -> bool:
        self._entries[at] |= {"waited": what}
        self._steps[at] |= {"status": "waiting", "resume_at": until}
        self._status, self._due_at = "waiting", until
        return True

    def _moment(self, value: object) -> datetime | None:
        if isinstance(value, datetime):
            return value
        return company.midnight(self._call, value) if isinstance(value, date) else None

    def _carry_out(self, at: int) -> None:
        entry, step, call = self._entries[at], self._steps[at], self._call
        spec: Members = entry["spec"]
        step |= {"started_at": step["started_at"] or call.now, "resume_at": None}
        before = self._record()
        error, wanted = self._check_conditions(entry, before)
        made = None
        if error is None:
            if not wanted:
                step |= {"status": "skipped"}
                return
            error, made = self._attempt(partial(self._act, at, spec, before))
        step |= {"status": "failed" if error else "succeeded", "finished_at": call.now, "error": error}
        if made is not None:
            step["output"] = output_of(made) if not self._dry else None
        if made is not None and made.members:
            step["changes"] = [{"field": k, "before": None, "after": v} for k, v in made.members.items()]
        elif before is not None and error is None:
            after = call.collection(self._collection()).get(before["id"]) or before
            step["changes"] = differences_between(call, self._subject.kind, before, after)
        if error is not None and entry["on_error"] == "continue":
            self._skip_within(at)
        elif error is not None:
            self._end("failed", error)
        elif spec["type"] == "stop":
            self._end("succeeded")

    def _check_conditions(self, entry: Members, record: Document | None) -> tuple[Mapping[str, Any] | None, bool]:
        """Tell what is wrong with the conditions of a step, or whether they hold; once it waits for a time they did."""
        if not entry["conditions"] or entry["waited"] in ("time", "member"):
            return None, True
        try:
            return None, condition(self._call, self._subject.kind, entry["conditions"])(record)
        except Problem as problem:  # a field that was there when they were written
            return error_of(problem), False

    def _skip_within(self, at: int) -> None:
        """Skip the rest of the branch in which a step has failed."""
        for entry, step in zip(self._entries[at + 1 :], self._steps[at + 1 :], strict=True):
            if entry["level"] == 0:
                return
            step |= {"status": "skipped"}

    def _attempt(self, work: Callable[[], Made | None]) -> tuple[Mapping[str, Any] | None, Made | None]:
        """Do something, all of it or nothing. A mistake is a failure of the step, and in the log with its traceback."""
        what = ("rule", self._doc["rule_id"]) if self._doc["rule_id"] else ("workflow", self._doc["workflow_id"])
        try:
            with self._call.server.store.transaction():
                return None, work()
        except Problem as problem:
            return error_of(problem), None
        except Exception as error:
            LOG.exception("the %s %s failed (%s)", *what, self._call.request_id)
            message = f"the {what[0]} raised {type(error).__name__}; the log has more"
            return error_of(Problem("INTERNAL_ERROR", message)), None

    def _act(self, at: int, spec: Members, before: Document | None) -> Made | None:
        if spec["type"] == "branch":
            holds = condition(self._call, self._subject.kind, spec["conditions"])(before)
            entry = self._entries[at]
            chosen = spec["then"] if holds else spec.get("otherwise") or ()
            inner = planned_specs(chosen, level=entry["level"] + 1, on_error=entry["on_error"])
            self._entries[at + 1 : at + 1] = inner
            self._steps[at + 1 : at + 1] = [blank_step(entry) for entry in inner]
            return None
        if spec["type"] in ("wait", "stop"):
            return None
        return EFFECTS[spec["type"]](self._call, self._subject, spec)

    # -- what it is about ----------------------------------------------------------------------------------------------

    def _collection(self) -> str:
        return noun_of(self._call, self._subject.kind).collection

    def _record(self) -> Document | None:
        """Return the record as it is, or was when it was deleted; None where there is none."""
        return self._subject.last_known(self._call)

    def _tell(self, verb: str) -> None:
        """Count the execution in its workflow or rule, and publish the workflow's event. Neither is a change of it."""
        call, failed = self._call, verb == "execution_failed"
        if self._dry:
            return
        if self._doc["rule_id"] is not None:
            rule = call.collection("rule").get(self._doc["rule_id"])
            if rule is not None and verb != "execution_started":
                status = "failed" if failed else "succeeded"
                counts = {"run_count": rule["run_count"] + 1, "last_run_at": call.now, "last_status": status}
                call.collection("rule").put(rule | counts)
            return
        workflow = call.collection("workflow").get(self._doc["workflow_id"])
        if workflow is None:
            return
        if verb == "execution_started":
            counts = {"execution_count": workflow["execution_count"] + 1, "last_executed_at": call.now}
        else:
            counted = "failure_count" if failed else "success_count"
            counts = {counted: workflow[counted] + 1}
        new = call.collection("workflow").put(workflow | counts)
        said = {"run_id": self._doc["id"], "source": self._doc["source"], "entity": self._doc["entity"]}
        call.emit(f"workflow.{verb}", "workflow", new, metadata=said | ({"error": self._error} if failed else {}))


def cancel(
    call: Context, execution: Document, *, status: str = "cancelled", error: Mapping[str, Any] | None = None
) -> None:
    """Cancel an execution that has not ended, or end it otherwise; what it has done stays."""
    steps = [
        step | {"status": "skipped", "resume_at": None} if step["status"] in _OPEN else step
        for step in execution["steps"]
    ]
    ended = {"status": status, "error": error, "due_at": None, "finished_at": call.now, "steps": steps}
    call.update(EXECUTION, execution, ended)


@reacts("*")
def wake(call: Context, entry: Document) -> None:
    """Let executions that wait for a member of a record look at it again, whatever changed it."""
    if not entry["changes"] and not entry["action"].endswith(".deleted"):
        return
    executions = call.collection(EXECUTION)
    about = executions.find("entity_id", entry["entity"]["id"])
    waiting = [doc for doc in about if doc["status"] == "waiting" and _waits_for_member(doc)]
    for doc in waiting:
        executions.put(doc | {"due_at": call.now})
    if waiting:
        plan(call)


def _waits_for_member(execution: Members) -> bool:
    both = zip(execution["steps"], execution["entries"], strict=True)
    return any(step["status"] == "waiting" and entry["waited"] == "member" for step, entry in both)
