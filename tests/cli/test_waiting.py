"""``crm wait`` and ``--watch``: by live events of the stub, and by looks where a server has none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.live import pulse
from crm_cli.live import watch as watching
from crm_cli.live.watch import differences
from crm_cli.times import seconds_of
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def deal(client: CrmClient) -> str:
    return client.deals.create({"title": "Waited for", "value": 5}).id


@pytest.fixture(params=["live", "looks"])
def when_it_waits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Do something once the command waits: its events are there, or it pauses between two looks."""
    todo: list[Callable[[], object]] = []
    monkeypatch.setattr(watching, "_LEAST", 0.0)

    def act() -> None:
        if todo:
            todo.pop(0)()

    before = pulse.Pulse.wait
    if request.param == "looks":
        monkeypatch.setattr(pulse.Pulse, "__enter__", lambda self: self)
        monkeypatch.setattr(pulse, "FIRST_PAUSE", 0.0)
        monkeypatch.setattr(pulse, "pause", lambda seconds: None)

    def wait(self: pulse.Pulse, look_up: Any = lambda: False) -> bool:
        assert self.live == (request.param == "live")
        act()
        return before(self, look_up)

    monkeypatch.setattr(pulse.Pulse, "wait", wait)
    yield todo.append
    assert not todo


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        (("stage=closed-won",), "closed-won"),
        (("stage=won",), "closed-won"),
        (("value>=5", "closedAt exists"), "closed-won"),
    ],
)
def test_it_waits_until_the_record_is_as_it_should_be(
    until: tuple[str, ...], shown: str, served: Crm, client: CrmClient, deal: str, when_it_waits: Any
) -> None:
    when_it_waits(lambda: client.deals.move_stage(deal, "closed-won"))
    done = served("wait", "deals", "Waited for", *(word for one in until for word in ("--until", one)))
    assert (done.status, done.json["id"], done.json["stage"]) == (0, deal, shown)
    assert ("note: stage=won is read as stage=closed-won as well" in done.err) is (until == ("stage=won",))


def test_it_waits_until_the_record_is_there_or_gone(
    served: Crm, client: CrmClient, deal: str, when_it_waits: Any
) -> None:
    when_it_waits(lambda: client.deals.delete(deal))
    gone = served("wait", "deals", deal, "--until", "deleted")
    assert (gone.status, gone.out) == (0, "")
    assert served("wait", "contacts", "contact_123", "--until", "exists").json["id"] == "contact_123"


def test_a_record_that_is_deleted_meanwhile_is_not_found(
    served: Crm, client: CrmClient, deal: str, when_it_waits: Any
) -> None:
    when_it_waits(lambda: client.deals.delete(deal))
    done = served("wait", "deals", deal, "--until", "value>100")
    assert (done.status, done.err) == (failures.NOT_FOUND, f"error: {deal} was deleted before: value>100\n")


def test_a_job_needs_no_condition(served: Crm, client: CrmClient) -> None:
    jobs = [job for job in client.with_options(dialects="platform").jobs.list() if job.status == "succeeded"]
    assert served("wait", "jobs", jobs[0].id).json["status"] == "succeeded"
    ended = served("wait", "jobs", jobs[0].id, "--until", "status=failed")
    assert (ended.status, "has ended" in ended.err) == (failures.GENERIC, True)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("deals", "{deal}", "--until", "value>9", "--timeout", "0.01s"), failures.NOT_IN_TIME, "value is 5"),
        (("deals", "deal_nobody", "--until", "value>9"), failures.NOT_FOUND, "no deal has the id"),
        (("deals", "{deal}", "--until", "stge=won"), failures.USAGE, "did you mean 'stage'?"),
        (("dels", "{deal}", "--until", "stage=won"), failures.USAGE, "did you mean 'deals'?"),
        (("deals", "{deal}"), failures.USAGE, "--until is missing"),
        (("deals", "{deal}", "more", "--until", "deleted"), failures.USAGE, "needs DEAL_ID"),
        (("deals", "{deal}", "--until", "deleted", "--until", "value=1"), failures.USAGE, "stands alone"),
        (("events", "x", "--until", "deleted"), failures.USAGE, "cannot be waited for"),
        (("deals", "{deal}", "--until", "value=>9"), failures.USAGE, "--until must be"),
        (("deals", "{deal}", "--until", "value=9", "--timeout", "soon"), failures.USAGE, "such as 90s or 10m"),
    ],
)
def test_what_does_not_come_is_an_exit_status(
    words: tuple[str, ...], status: int, said: str, served: Crm, deal: str
) -> None:
    done = served("wait", *(word.format(deal=deal) for word in words))
    assert (done.status, done.out, said in done.err) == (status, "", True), done.err


@pytest.mark.parametrize(("typed", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("10min", 600), ("1.5h", 5400)])
def test_a_length_of_time_is_typed_with_its_unit(typed: str, seconds: float) -> None:
    assert seconds_of(typed) == seconds


# -- watching --------------------------------------------------------------------------------------------------------


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("view", [("deals", "list", "--search", "Waited"), ("deals", "board", "--search", "Waited")])
def test_each_change_is_a_line_until_ctrl_c(
    view: tuple[str, ...], served: Crm, client: CrmClient, deal: str, when_it_waits: Any
) -> None:
    when_it_waits(lambda: client.deals.update(deal, {"value": 6}))
    when_it_waits(lambda: client.deals.create({"title": "Waited longer", "value": 1}))
    when_it_waits(lambda: client.deals.delete(deal))
    when_it_waits(interrupt)
    done = served(*view, "--watch")
    assert (done.status, done.err) == (130, "")
    changes = [json.loads(line) for line in done.out.splitlines()]
    assert [change["change"] for change in changes] == ["updated", "added", "removed"]
    assert changes[0]["changes"]["value"] == {"before": 5, "after": 6}
    assert (changes[1]["record"]["title"], changes[2]["id"]) == ("Waited longer", deal)


def test_a_table_in_a_pipe_is_printed_again_where_it_changed(
    served: Crm, client: CrmClient, deal: str, when_it_waits: Any
) -> None:
    when_it_waits(lambda: client.deals.update(deal, {"title": "Waited on"}))
    when_it_waits(lambda: client.contacts.create({"name": "Nobody asked"}))
    when_it_waits(interrupt)
    done = served("deals", "list", "--search", "Waited", "--watch", "-o", "table")
    first, second = done.out.split("\n\n")
    assert not done.err
    assert (done.status, "Waited for" in first, "Waited on" in second) == (130, True, True)


@pytest.mark.parametrize(
    "words", [("-o", "csv"), ("-o", "ids"), ("--template", "{{name}}"), ("--jq", ".id")], ids=" ".join
)
def test_what_goes_on_has_one_form(words: tuple[str, ...], served: Crm) -> None:
    assert served("deals", "list", "--watch", *words).status == failures.USAGE


def test_a_view_that_goes_on_by_itself_has_no_watch(served: Crm) -> None:
    assert "--watch" not in served("events", "tail", "--help").out
    for words in ("today", "deals list", "deals board"):
        assert "--watch" in served(*words.split(), "--help").out


def test_the_time_is_over(served: Crm) -> None:
    done = served("deals", "list", "--watch", "--timeout", "0.01s")
    assert (done.status, done.out) == (0, "")


def test_records_without_ids_differ_by_their_place() -> None:
    assert [change["change"] for change in differences({"0": {"a": 1}, "1": 2}, {"0": {"a": 2}, "1": 3})] == [
        "updated", "updated",
    ]  # fmt: skip


def test_a_frame_is_drawn_over_the_last_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "4")
    watching._frame("one\ntwo\nthree\nfour\n", ["a note"], "● live", "crm.test")
    drawn = capsys.readouterr().out
    assert drawn.startswith("\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\n") and drawn.endswith("\x1b[J")
    assert "… 2 more lines" in drawn and "● live" in drawn and drawn.count("\r\n") == 3
