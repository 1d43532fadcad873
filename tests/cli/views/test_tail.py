"""``crm events tail`` and ``crm channels join``: what they show, what ends them, and with which status."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from shell import Crm, Result

from crm_cli import failures
from crm_cli.failures import MisuseError
from crm_cli.views import tail as tailing
from crm_cli.views.conditions import condition
from crm_cli.views.tail import Ending, summary_of
from crm_sdk.errors import EventGap
from crm_sdk.models.events import read_event
from crm_sdk.wire import read_instant
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

TAIL = ("events", "tail", "--since", "0")
DEALS = ("channels", "join", "user:user_ada:deals", "--since", "0", "--timeout", "120")


def lines(done: Result) -> list[Any]:
    return [json.loads(line) for line in done.out.splitlines()]


def win(stub: StubServer) -> str:
    """Win a deal; return its id."""
    client = stub.client(dialects="flow")
    deal = next(deal for deal in client.deals.list() if deal.stage == "negotiation")
    client.deals.move_stage(deal.id, "closed-won")
    return deal.id


# -- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", ["ws", "sse"])
def test_each_event_is_a_line_that_says_where_to_go_on(served: Crm, stub: StubServer, over: str) -> None:
    client = stub.client()
    for name in ("Ada", "Bob", "Cyd"):
        client.leads.create({"name": name})
    first = served(*TAIL, "--count", "3", "--over", over)
    assert (first.status, first.err) == (0, "")
    told = lines(first)
    assert [line["seq"] for line in told] == [1, 2, 3]
    assert (told[0]["type"], told[0]["data"]["name"]) == ("lead.created", "Ada")
    cursor = f"{told[-1]['epoch']}:{told[-1]['seq']}"
    rest = lines(served("events", "tail", "--since", cursor, "--count", "3", "--over", over))
    assert [line["seq"] for line in rest] == [4, 5, 6]
    assert len({line["id"] for line in [*told, *rest]}) == 6
    present = served("events", "tail", "--since", "now", "--timeout", "1.5", "--over", over)
    assert (present.status, present.out) == (0, "")


def test_types_may_be_repeated_and_separated_by_commas(served: Crm, stub: StubServer) -> None:
    stub.client().leads.create({"name": "Ada"})
    win(stub)
    words = ("--type", "lead.created,deal.won", "--type", "deal.stage_changed", "--count", "3")
    assert [line["type"] for line in lines(served(*TAIL, *words))] == ["lead.created", "deal.stage_changed", "deal.won"]


@pytest.mark.parametrize("width", [60, 140])
def test_people_get_a_table(served: Crm, stub: StubServer, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    made = stub.client().leads.create({"name": "Eve\x1b[31m[bold]"})
    stub.client().leads.update(made.id, {"company": "New\nInc"})
    done = served(*TAIL, "--type", "lead.created,lead.updated", "--count", "2", "-o", "table")
    head, created, updated = done.out.splitlines()
    assert head.split() == ["time", "type", "about", "seq"]
    assert "\x1b" not in done.out and all(len(line) <= width for line in (head, created, updated))
    assert "lead.created" in created.split() and created.endswith(" 1")
    assert "Eve\ufffd[31m[bold]" in created
    assert "company: New Inc" in updated or width == 60


def test_on_a_terminal_a_line_below_says_how_the_link_is(
    served: Crm, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    stub.client().leads.create({"name": "Ada"})
    done = served(*TAIL, "--count", "1", "-o", "table")
    assert done.status == 0
    assert "● listening" in done.out and "Ctrl-C ends" in done.out and "Ada" in done.out
    assert done.err == "to continue: --since e1:1\n"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"type": "lead.created", "data": {"id": "lead_1", "name": "Ada"}}, "Ada"),
        ({"type": "lead.updated", "data": {"id": "lead_1", "changes": {"status": "won"}}}, "lead_1 · status: won"),
        ({"type": "metrics.update", "data": {"metric": "leads", "value": 5, "change": "+2"}}, "leads · 5 · +2"),
        ({"type": "agent.status", "data": {"agentId": "agent_1", "status": "active"}}, "agent_1"),
        ({"type": "deal:created", "deal": {"id": "deal_1", "title": "Tea"}}, "Tea"),
        ({"type": "deal:stage_changed", "id": "deal_1", "newStage": "proposal"}, "deal_1 · newStage: proposal"),
        ({"type": "odd", "data": "a text"}, "a text"),
        ({"type": "odd", "data": {"changes": 1, "name": 2}}, ""),
        ({"type": "odd", "data": None}, ""),
    ],
)
def test_what_an_event_is_about_is_said_in_short(told: Any, said: str) -> None:
    assert summary_of(told) == said


# -- conditions ------------------------------------------------------------------------------------------------------

RECORD = {
    "type": "lead.updated",
    "timestamp": read_instant("2026-01-15T09:00:00Z"),
    "data": {
        "name": 'Ada "A" Byron',
        "value": Decimal("19.90"),
        "leadId": "lead_1",
        "tags": ["hot", "new"],
        "won": True,
        "email": None,
        "own": {"depth": 2},
    },
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("type=lead.updated", True),
        ("type = lead.updated  and  data.value=19.9", True),
        ("type=lead.created and data.value=19.9", False),
        ("data.value=twenty", False),
        ("data.value!=20", True),
        ("data.lead_id=lead_1 and data.leadId=lead_1", True),
        ("data.tags=hot and data.tags!=cold", True),
        ("data.won=true and data.email=null", True),
        ("data.won=True", False),
        ("data.own.depth=2", True),
        ("data.own=2", False),
        ("data.own.depth.more=2", False),
        ("data.missing=x", False),
        ("data.missing!=x", False),
        (r'data.name="Ada \"A\" Byron" and type!=x', True),
        ("data.name='Ada \"A\" Byron'", True),
        ("timestamp=2026-01-15T09:00:00Z", True),
        ("data.value>19 and data.value<=19.9 and data.value<20", True),
        ("data.value>=20", False),
        ("data.value>ten", False),
        ("data.name>A", False),
        ("timestamp>2026-01-15 and timestamp<2026-01-17", True),
        ("data.tags exists and type=lead.updated", True),
        ("data.email exists", False),
        ("data.missing exists", False),
    ],
)
def test_a_condition(text: str, holds: bool) -> None:
    assert condition(text, tuple(RECORD)).holds(RECORD) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "to its end"),
        ("type", "from 'type' on"),
        ("type=", "from 'type=' on"),
        ("type==x", "from 'type==x' on"),
        ("type=x or type=y", "from 'or type=y' on"),
        ("type=x and", "from 'and' on"),
        ("type=x and ", "to its end"),
        ("type=x type=y", "from 'type=y' on"),
        ('type="x', "from 'type=\"x' on"),
        ("data.value>", "from 'data.value>' on"),
        ("data..value=5", "'data..value' is no member"),
        ("status=won", "'status' is no member of an event: they begin with type, timestamp, data"),
    ],
)
def test_a_bad_condition_is_told(text: str, said: str) -> None:
    with pytest.raises(MisuseError) as refused:
        condition(text, tuple(RECORD))
    assert said in str(refused.value)


# -- what ends it ----------------------------------------------------------------------------------------------------


def test_until_ends_with_the_event_that_fulfils_it(served: Crm, stub: StubServer) -> None:
    for name in ("Ada", "Bob", "Cyd"):
        stub.client().leads.create({"name": name})
    done = served(*TAIL, "--type", "lead.created", "--until", "type=lead.created and data.name=Bob")
    assert (done.status, [line["data"]["name"] for line in lines(done)]) == (0, ["Ada", "Bob"])


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--until", "data.name=Zoe", "--timeout", "1.5"), failures.NOT_IN_TIME),
        (("--count", "9", "--timeout", "1.5"), failures.NOT_IN_TIME),
        (("--until", "data.name=Zoe", "--count", "1"), failures.NOT_IN_TIME),
        (("--until", "data.name=Ada", "--count", "1"), 0),
        (("--timeout", "1.5"), 0),
    ],
)
def test_what_has_not_happened_in_time_is_an_exit_status(
    served: Crm, stub: StubServer, words: tuple[str, ...], status: int
) -> None:
    stub.client().leads.create({"name": "Ada"})
    done = served(*TAIL, "--type", "lead.created", *words)
    assert (done.status, len(lines(done)), bool(done.err)) == (status, 1, status != 0)


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--count", "2"), failures.NOT_IN_TIME)])
def test_listening_for_webhooks_ends_in_time_as_well(
    words: tuple[str, ...], status: int, served: Crm, stub: StubServer
) -> None:
    stub.client().leads.create({"name": "Ada"})
    done = served("webhooks", "listen", "--events", "lead.created", "--since", ":0", "--timeout", "0.5", *words)
    assert (done.status, len(done.out.splitlines())) == (status, 1)
    assert ("1 of 2 came in time" in done.err) is (status != 0)


@pytest.mark.thorough
def test_offline_it_ends_with_what_has_happened(offline: Crm) -> None:
    nothing = offline("events", "tail")
    assert (nothing.status, nothing.out) == (0, "") and "--since 0 shows what has happened" in nothing.err
    offline("leads", "create", "--name", "Ada")
    assert [line["seq"] for line in lines(offline(*TAIL))] == [1, 2]
    assert offline(*TAIL, "--until", "data.name=Ada").status == 0
    assert offline(*TAIL, "--until", "data.name=Bob").status == failures.NOT_IN_TIME
    began = time.monotonic()
    assert offline("events", "tail", "--timeout", "0.7", "--until", "data.name=Bob").status == failures.NOT_IN_TIME
    assert time.monotonic() - began >= 0.7


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("events tail --until status=won", failures.USAGE, "--until: 'status' is no member of an event"),
        ("events tail --type a.b,c.d --until type=e.f", failures.USAGE, "waits for e.f, which --type leaves out"),
        ("events tail --since yesterday", failures.INVALID, "since must be a stream's cursor"),
        ("events tail --over pigeon", failures.USAGE, "--over must be ws or sse"),
        ("events tail --count 0", failures.USAGE, "--count"),
        ("events tail -o csv", failures.USAGE, "--output jsonl"),
        ("events tail --dialect platform", failures.USAGE, "events.listen is of the mvp document"),
        ("events tail --api-key wrong", failures.AUTH, "sign in with `crm login`"),
        ("channels join user:user_bob:deals", failures.INVALID, "unauthorized"),
        ("channels join", failures.USAGE, "TOPIC"),
        ("channels join record:lead:lead_123 --until x", failures.USAGE, "--until must be NAME=VALUE"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_status(words: str, status: int, said: str, served: Crm) -> None:
    failed = served(*words.split())
    assert (failed.status, failed.out) == (status, "")
    assert failed.err.startswith("error: ") and said in failed.err and failed.err.count("\n") == 1


def test_a_server_that_is_not_there_is_an_error_within_the_time(crm: Crm) -> None:
    failed = crm("events", "tail", "--base-url", "http://127.0.0.1:9", "--timeout", "0.3")
    assert (failed.status, failed.out) == (failures.RETRYABLE, "") and failed.err.startswith("error: ")


class Told:
    """A stream that gives what it was made of, and then nothing."""

    cursor, connected = "e1:7", True

    def __init__(self, *found: Any) -> None:
        self._found = list(found)

    def wait(self, timeout: float) -> Any:
        if not self._found:
            return None
        found = self._found.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found


def event(seq: int) -> Any:
    return read_event({"type": "lead.created", "seq": seq, "data": {"id": "lead_1", "name": "Ada"}})


def plainly(told: Any) -> Any:
    return {"type": told.type, "seq": told.seq}


def test_a_gap_is_told_and_the_tail_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    source = Told(event(1), EventGap(2, 4, "expired"), event(5))
    assert tailing.tail(source, plainly, "jsonl", Ending(None, 2, None, offline=False)) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["seq"] for line in printed.out.splitlines()] == [1, 5]
    assert printed.err.startswith("note: events 2 to 4 are missing (expired)")


def test_an_interruption_is_quiet_and_says_where_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tailing.tail(Told(KeyboardInterrupt()), plainly, "jsonl", Ending(None, None, None, offline=False)) == 130
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert tailing.tail(Told(KeyboardInterrupt()), plainly, "jsonl", Ending(None, None, None, offline=False)) == 130
    assert capsys.readouterr().err == "to continue: --since e1:7\n"


class Losing(Told):
    """A stream in which an interruption is lost: dropped where Python drops exceptions, or made another error of."""

    error: type[Exception] | None = None
    waits = 0

    def wait(self, timeout: float) -> Any:
        class Last:
            def __del__(self) -> None:
                signal.raise_signal(signal.SIGINT)

        self.waits += 1
        assert self.waits == 1, "it goes on"
        if self.error is None:
            Last()
            return None
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise self.error("Error building the validator") from None


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("error", [None, ValueError])
def test_an_interruption_that_is_lost_ends_it_all_the_same(
    error: type[Exception] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Losing()
    source.error = error

    def follow() -> int:
        return tailing.tail(source, plainly, "jsonl", Ending(None, None, None, offline=False))

    handlers = signal.getsignal(signal.SIGINT), sys.unraisablehook
    assert failures.run_guarded(follow, debug=False, secrets=(), flags={}) == 130
    assert capsys.readouterr() == ("", "")
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == handlers


# -- channels --------------------------------------------------------------------------------------------------------


def test_what_comes_on_a_channel_is_shown_alike(served: Crm, stub: StubServer) -> None:
    won = win(stub)
    done = served(*DEALS, "--until", "type=deal:stage_changed and newStage=closed-won")
    assert (done.status, done.err) == (0, "")
    told = lines(done)[-1]
    assert (told["topic"], told["id"], told["oldStage"], told["seq"]) == (
        "user:user_ada:deals", won, "negotiation", 1
    )  # fmt: skip
    assert served(*DEALS, "--until", "id=nobody", "--timeout", "1.5").status == failures.NOT_IN_TIME


def test_who_is_there_and_where_they_point_is_shown(served: Crm, stub: StubServer) -> None:
    with stub.client(api_key="acme-sales").channels.join("record:lead:lead_123") as other:
        other.send("presence:update", {"meta": {"at": "name"}})
        moving = threading.Event()

        def move() -> None:
            while not moving.wait(0.02):
                stub.clock.advance(0.1)  # which the pace of cursors goes by
                other.move_cursor(x=3, y=4)

        mover = threading.Thread(target=move)
        mover.start()
        try:
            words = ("channels", "join", "record:lead:lead_123", "--timeout", "120")
            done = served(*words, "--until", "type=cursor and x=3")
        finally:
            moving.set()
            mover.join()
    told = lines(done)
    assert done.status == 0, done.err
    assert told[-1]["y"] == 4 and told[-1]["userId"] != "user_ada"
    present = {line["userId"]: line for line in told if line["type"] == "presence:joined"}
    assert present.keys() >= {"user_ada", told[-1]["userId"]}
    assert present["user_ada"]["name"] == present["user_ada"]["metas"][0]["name"] != ""
