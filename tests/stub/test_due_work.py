"""Work on the clock that fails at any of its writes: every kind that there is, write by write.

Nothing half done is left: what failed is as if it had failed at its first write. It is logged, what else is due at the
same time is done, no request is to blame, and it is tried again; a job has failed, and so has what it was to make.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any

import pytest
from due_work import BEGINNINGS, add_probe, kinds, wait_for
from failing_writes import InjectedError, chosen, different, failing, state
from stub_data import some
from valid_requests import COMPANY

from server_stub import StubServer, timetable
from server_stub.core import Snapshot
from server_stub.data.store import Transaction
from server_stub.request.http import Request
from server_stub.serving import Context

LOOK = Request("GET", "/v1/leads", "limit=1", {"authorization": "Bearer acme-admin"}, b"")
HOOK = "https://example.com/hook"
AGAIN = 301
"""After so many seconds what fell due and failed is tried again."""
UNDER_WAY = frozenset({"queued", "running", "in_progress"})


@cache
def furnished() -> tuple[StubServer, Snapshot]:
    stub = StubServer()
    stub.client().webhooks.create({"url": HOOK, "events": ["*"]})
    return stub, stub.snapshot()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    stub, start = furnished()
    table, steps = stub.timetable, stub.steps
    stub.restore(start)
    yield stub
    stub.timetable, stub.steps = table, steps


@contextmanager
def failing_within(nth: int | None) -> Iterator[tuple[list[str], list[int]]]:
    """Let the nth write fail; also note the first writes of the transactions that it is within, the outermost first."""
    begun: list[int] = []
    undone: list[int] = []
    enter, leave = Transaction.__enter__, Transaction.__exit__
    with failing(nth) as written, pytest.MonkeyPatch.context() as patch:

        def begin(self: Transaction) -> None:
            enter(self)
            begun.append(len(written))

        def end(
            self: Transaction,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            if isinstance(error, InjectedError) and not undone:
                undone.extend(begun)
            try:
                leave(self, kind, error, trace)
            except InjectedError:
                undone.extend(begun)
                raise
            finally:
                begun.pop()

        patch.setattr(Transaction, "__enter__", begin)
        patch.setattr(Transaction, "__exit__", end)
        yield written, undone


class Work:
    """One kind of work that is due, which can be done again and again."""

    def __init__(self, stub: StubServer, kind: str, failures: list[logging.LogRecord]) -> None:
        self.stub, self.kind, self.failures = stub, kind, failures
        self.others: list[str] = []
        self.begun: list[tuple[int, str]] = []
        """The companies whose work was begun, each with the number of writes before."""
        self.refused: str | None = None
        self.written: list[str] = []
        self._left: dict[str, dict[str, Any]] = {}
        BEGINNINGS[kind](stub)
        at = wait_for(stub, kind, self._begins)
        add_probe(stub, at, self.others)
        self.start = stub.snapshot()

    def _begins(self, call: Context) -> None:
        self.begun.append((len(self.written), call.caller.tenant_id))
        if call.caller.tenant_id == self.refused:
            raise InjectedError("nothing was written yet")

    def done(self, nth: int | None = None, refused: str | None = None) -> tuple[list[str], list[int], dict[str, Any]]:
        """Do the work; return what was written, the transactions that were undone, and what is kept then."""
        self.others.clear()
        self.failures.clear()
        self.begun.clear()
        self.refused = refused
        self.stub.restore(self.start)
        with failing_within(nth) as (written, undone):
            self.written = written
            self.stub.catch_up()
        self.refused = None
        after = {name: docs for name, docs in state(self.stub).items() if not name.endswith(f"/{timetable.KIND}")}
        return written, undone, after

    def later(self) -> dict[str, int]:
        """Let time pass; return how many records of each kind there are then."""
        for seconds in (AGAIN, 3600):
            self.stub.clock.advance(seconds)
            assert self.stub.handle(LOOK).status < 500
        return Counter({name: len(docs) for name, docs in state(self.stub).items() if "/" in name})

    def left_by_nothing(self, nth: int) -> dict[str, Any]:
        """Return what is left where the work with a write fails before it begins."""
        company = next(company for first, company in reversed(self.begun) if first <= nth)
        if company not in self._left:
            present = self.stub.snapshot()
            self._left[company] = self.done(refused=company)[2]
            self.stub.restore(present)
        return self._left[company]

    def has_undone_a_part(self, undone: list[int], after: dict[str, Any]) -> bool:
        """Tell whether what is left is what a failure at the first write of one of some transactions leaves."""
        present = self.stub.snapshot()
        lefts = (self.done(first)[2] for first in undone)
        found = not all(different(left, after) for left in lefts)
        self.stub.restore(present)
        return found


@pytest.mark.parametrize("kind", kinds(furnished()[0]))
def test_work_whose_write_fails_has_done_nothing_and_is_done_again(
    stub: StubServer, kind: str, failures: list[logging.LogRecord]
) -> None:
    work = Work(stub, kind, failures)
    written, _, _ = work.done()
    assert set(written) - {timetable.KIND}, "it has to write something, for a test"
    finally_there = work.later()
    for nth in chosen(len(written) - 2, most=3):  # the last are the probe's
        _, undone, after = work.done(nth)
        where = f"write {nth + 1} of {len(written)}, of {written[nth]}"
        assert any(one.exc_info and one.exc_info[0] is InjectedError for one in failures), f"{where}: it is not logged"
        assert work.others, f"{where}: what else is due is not done"
        assert stub.handle(LOOK).status < 500, where
        differences = different(work.left_by_nothing(nth), after)
        if kind.startswith("job "):
            assert differences == {}, where
            expect_failed(stub)
            continue
        assert differences == {} or nth in undone or work.has_undone_a_part(undone, after), where
        again = work.later()
        if kind == "workflows":
            expect_ended_execution(stub)
        if not kind.startswith("every ") and kind != "workflows":
            assert again == finally_there, where
    failures.clear()


@pytest.mark.parametrize("status", [204, 500])
def test_a_delivery_whose_outcome_cannot_be_noted_is_posted_again(
    status: int, failures: list[logging.LogRecord]
) -> None:
    stub = StubServer()
    stub.client().webhooks.create({"url": HOOK, "events": ["*"]})
    stub.client().leads.create({"name": "Ada New"})
    waiting, bodies = stub.snapshot(), list[bytes]()

    def receive(headers: Any, body: bytes) -> int:
        bodies.append(body)
        return status

    def posted(nth: int | None) -> list[str]:
        stub.restore(waiting)
        bodies.clear()
        with failing(nth) as written:
            stub.webhooks.receive(HOOK, receive)
        return written

    whole = posted(None)
    count = len(bodies)
    for nth in range(len(whole)):
        posted(nth)
        assert [record.exc_info and record.exc_info[0] for record in failures] == [InjectedError]
        failures.clear()
        assert len(bodies) == count, "each of them was posted"
        (unnoted,) = (delivery for delivery in stub.webhooks.deliveries if not delivery["attempts"])
        assert unnoted["status"] == "pending"
        stub.clock.advance(AGAIN)
        (noted,) = (delivery for delivery in stub.webhooks.deliveries if delivery["id"] == unnoted["id"])
        assert noted["attempts"] and [entry["number"] for entry in noted["attempts"]] == list(
            range(1, len(noted["attempts"]) + 1)
        )


def expect_failed(stub: StubServer) -> None:
    """Expect that a job has failed, and what it was to make has, too."""
    job = stub.collection(COMPANY, "job").all()[-1]
    assert (job["status"], some(job["error"])["code"]) == ("failed", "INTERNAL_ERROR")
    named = {value for value in job["payload"].values() if isinstance(value, str)}
    for held in stub.store.of_company(COMPANY):
        assert [doc["id"] for doc in map(held.get, named) if doc is not None and doc.get("status") in UNDER_WAY] == []


def expect_ended_execution(stub: StubServer) -> None:
    """Expect that an execution has ended, and that its end is told."""
    execution = stub.collection(COMPANY, "execution").all()[-1]
    told = [entry for entry in stub.audit() if entry["metadata"].get("run_id") == execution["id"]]
    event = {"succeeded": "execution_completed", "failed": "execution_failed"}[execution["status"]]
    assert told[-1]["action"] == f"workflow.{event}"
