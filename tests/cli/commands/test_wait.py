"""``crm wait``: what is waited for, what is said meanwhile, and failures that pass."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from shell import OPERATIONS, Crm, Terminal

from crm_cli import failures
from crm_cli.commands import wait
from crm_cli.commands.wait import _Goal, _goal, _meant_call, _Waiting
from crm_cli.failures import MisuseError
from crm_cli.live import pulse
from crm_cli.views.conditions import condition
from crm_sdk import CrmClient, errors

pytest_plugins = ["cli_fixtures"]

DEAL, JOB = OPERATIONS["deals.get"], OPERATIONS["jobs.get"]


def test_a_goal_is_reached_and_told_by_what_is_waited_for() -> None:
    there: Any = SimpleNamespace(done=False, status="running")
    ended: Any = SimpleNamespace(done=True, status="failed")
    values: Any = {"value": 5, "stage": "new", "owner": None}
    cases: list[tuple[_Goal, Any, bool, str, str]] = [
        (_Goal(), there, False, "status is running", "its end"),
        (_Goal(), ended, True, "status is failed", "its end"),
        (_Goal(), None, False, "it does not exist", "its end"),
        (_Goal(exists=True), there, True, "status is running", "exists"),
        (_Goal(exists=True), None, False, "it does not exist", "exists"),
        (_Goal(deleted=True), there, False, "it exists", "deleted"),
        (_Goal(deleted=True), ended, False, "it exists", "deleted"),
        (_Goal(deleted=True), None, True, "it does not exist", "deleted"),
    ]
    for goal, record, reached, state, text in cases:
        assert (goal.is_reached(record), goal.state(record), str(goal)) == (reached, state, text)
    terms = [term for text in ("value>9", "owner exists", "stage=new") for term in condition(text).terms]
    both = _Goal(terms)
    assert not both.is_reached(values) and str(both) == "value>9 and owner exists and stage=new"
    assert both.state(values) == "value is 5, owner is empty"
    assert both.is_reached({"value": 10, "stage": "new", "owner": "u"}) and not both.is_reached(None)


def test_what_is_waited_for_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _goal(JOB, []) == _Goal()
    assert (_goal(DEAL, [" exists "]), _goal(DEAL, ["deleted"])) == (_Goal(exists=True), _Goal(deleted=True))
    for typed, said in (
        ([], "--until is missing"), (["deleted", "value=1"], "stands alone"), (["value=1", "exists"], "stands alone"),
        (["stge=won"], "have no member 'stge'; did you mean 'stage'"),
        (["stage!=prospct"], "there is no 'prospct'; did you mean 'prospect'"),
    ):  # fmt: skip
        with pytest.raises(MisuseError, match=said.replace("?", r"\?")):
            _goal(DEAL, typed)
    assert capsys.readouterr().err == ""
    [term] = _goal(DEAL, ["stage=won"]).terms
    assert (term.value, term.also) == ("won", ("closed-won",))
    assert capsys.readouterr().err == "note: stage=won is read as stage=closed-won as well\n"
    for text in ("stage=closed-won", "stage exists", "value=5", "closed_at exists", "custom_fields.a=x", "stage>won"):
        assert not any(term.also for term in _goal(DEAL, [text]).terms)
    assert capsys.readouterr().err == ""


def test_a_noun_may_be_several_words() -> None:
    for words in (["calendar", "events", "e"], ["calendar.events", "e"]):
        call, ids = _meant_call(words)
        assert (call.id, ids) == ("calendar.events.get", ["e"])
    call, ids = _meant_call(["custom-objects", "records", "car__c", "r"])
    assert (call.id, ids) == ("custom_objects.records.get", ["car__c", "r"])
    for words, said in (
        (["dels", "d"], "there is no noun 'dels'; did you mean 'deals'"), (["deals"], "crm wait deals needs DEAL_ID"),
        (["deals", "a", "b"], "crm wait deals needs DEAL_ID"), (["events", "x"], "events cannot be waited for"),
        (["custom-objects", "records", "r"], "needs OBJECT_NAME RECORD_ID"),
    ):  # fmt: skip
        with pytest.raises(MisuseError, match=said.replace("OBJECT_NAME ", ".* ")):
            _meant_call(words)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the looks of a wait find these, one after another; what is no record is raised."""

    def find(*found: Any) -> None:
        left = list(found)

        def look(*_: Any, **__: Any) -> Any:
            one = left.pop(0)
            if isinstance(one, Exception):
                raise one
            return one

        monkeypatch.setattr("crm_cli.lookups.record_of", look)

    monkeypatch.setattr(pulse.Pulse, "__enter__", lambda self: self)
    monkeypatch.setattr(pulse.Pulse, "wait", lambda self, look_up: not look_up())
    return find


def test_a_failure_that_passes_is_waited_out(
    served: Crm, client: CrmClient, looks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = client.deals.create({"title": "Waited for", "value": 5})
    won = client.deals.move_stage(deal.id, "closed-won")
    said: list[str] = []
    monkeypatch.setattr(_Waiting, "_say", lambda self, state: said.append(state))
    failed = errors.ServerError("no", status=503, code="X")
    looks(deal, failed, won)
    done = served("wait", "deals", deal.id, "--until", "stage=closed-won")
    assert (done.status, done.json["stage"], done.err) == (0, "closed-won", "")
    assert said == ["stage is prospect", "the server failed, tries again", "stage is prospect"]
    for error, status in ((errors.PermissionDeniedError("no", status=403, code="X"), failures.AUTH),
                          (errors.NotFoundError("no", status=404, code="X"), failures.NOT_FOUND)):  # fmt: skip
        looks(deal, error, won)
        assert served("wait", "deals", deal.id, "--until", "stage=closed-won").status == status


def test_what_ended_otherwise_will_not_come(served: Crm, looks: Any) -> None:
    class Job(SimpleNamespace):
        def model_dump(self, **_: Any) -> dict[str, Any]:
            return vars(self)

        def wait(self, timeout: float) -> None:
            if self.status == "failed":
                raise errors.JobFailedError("it failed", job=self)

    running, failed = Job(id="j", done=False, status="running"), Job(id="j", done=True, status="failed")
    looks(running, failed)
    ended = served("wait", "jobs", "job_1", "--until", "status=succeeded")
    assert (ended.status, ended.err) == (
        failures.GENERIC, "error: job_1 has ended, and status is failed: status=succeeded will not come\n",
    )  # fmt: skip
    looks(failed)
    assert served("wait", "jobs", "job_1", "--until", "exists").status == 0
    looks(failed)
    assert served("wait", "jobs", "job_1", "--until", "status=failed").status == 0


def test_nothing_is_waited_for_at_the_embedded_server_unless_for_a_time(
    offline: Crm, looks: Any, client: CrmClient
) -> None:
    deal = client.deals.create({"title": "Waited for", "value": 5})
    looks(deal, deal)
    done = offline("wait", "deals", "deal_123", "--until", "value>9")
    assert done.status == failures.NOT_IN_TIME
    assert "value is 5; nothing happens at the embedded server while this waits" in done.err
    deal_2 = deal.model_copy(update={"value": 10})
    looks(deal, deal_2)
    assert offline("wait", "deals", "deal_123", "--until", "value>9", "--timeout", "5").status == 0


def test_a_line_says_how_it_stands_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [100.0], io.BytesIO()
    stream = Terminal(written, encoding="utf-8")
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(wait, "_columns", lambda: 60)
    live: Any = SimpleNamespace(live=True)
    nobody: Any = None
    waiting = _Waiting(nobody, DEAL, {"deal_id": "d"}, _Goal(deleted=True), live, False)

    def said(action: Callable[[], object], *, terminal: bool = True) -> str:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stream if terminal else io.StringIO())
            assert not action()
        text = written.getvalue().decode()
        written.seek(0)
        written.truncate()
        return text

    def say() -> bool:
        return waiting._say("it exists")

    assert said(waiting._erase) == ""
    assert said(say, terminal=False) == ""
    assert said(say) == "\r\x1b[K⠋ d: waiting for deleted; it exists  0 s  live"
    now[0] = 100.99
    assert said(say) == ""
    now[0], live.live = 111.0, False
    assert said(say) == "\r\x1b[K⠙ d: waiting for deleted; it exists  11 s  looks by and by"[: 4 + 59]
    monkeypatch.setattr(wait, "_columns", lambda: 11)
    now[0] = 112.0
    assert said(say) == "\r\x1b[K⠹ d: waiti"
    assert said(waiting._erase) == "\r\x1b[K" and said(waiting._erase) == ""
    monkeypatch.undo()
    monkeypatch.setenv("COLUMNS", "77")
    assert wait._columns() == 77
