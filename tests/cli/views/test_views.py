"""What all views have in common: beside which commands they stand, how they fail, and what deviating answers become."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
from canned_answers import Canned
from shell import Crm, Result

from crm_cli import completion, failures
from crm_cli.tree.nouns import nouns, operations, resources
from crm_cli.views import VIEWS, module_of, own_view, views
from crm_sdk import CrmClient
from crm_sdk.models import Deal
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

ALL = (
    "deals board",
    "dashboard",
    "calendar week",
    "messages thread conv_123",
    "search acme",
    "workflows runs workflow_acme_fair",
    "pipelines show",
    "tenants overview",
    "users access",
)
WEEK = ("calendar", "week", "--start", "2026-11-23")


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, noun: str, **bodies: Any) -> Iterator[None]:
    """Let a view talk to a server that gives these answers, by the end of their paths."""

    def answer(request: httpx.Request) -> httpx.Response:
        end = request.url.path.rpartition("/")[2].replace("-", "_")
        return httpx.Response(200, json=bodies[end]) if end in bodies else httpx.Response(404)

    @contextmanager
    def open_client(settings: object) -> Iterator[CrmClient]:
        transport = httpx.MockTransport(Canned().does(answer))
        with CrmClient("http://crm.test", "key", dialects="flow", http_client=transport) as client:
            yield client

    with monkeypatch.context() as patch:
        patch.setattr(module_of(noun), "open_client", open_client)
        yield


# -- beside the commands that follow from declarations ---------------------------------------------------------------


@pytest.mark.thorough
def test_no_view_hides_a_command_and_every_one_is_in_help_and_completion(crm: Crm) -> None:
    known = completion.names()["commands"]
    for noun, names in VIEWS.items():
        declared = {*operations(nouns()[noun]), *resources(nouns()[noun])}
        assert not declared & {*views(noun)}
        assert {*views(noun), *declared} == known[noun]["commands"].keys()
        shown = crm(noun, "--help").out
        assert all(f" {name} " in shown for name in [*views(noun), *declared])
        assert (noun in names) == (own_view(noun) is not None) == ("arguments" in known[noun])


@pytest.mark.thorough
def test_a_noun_with_a_view_keeps_its_commands(served: Crm) -> None:
    found = [served(*words).json for words in (("search", "query", "acme"), ("search", "acme"))]
    assert found[0] | {"tookMs": 0} == found[1] | {"tookMs": 0}
    found = [served("search", *words).json for words in (("--", "query"), ("query", "query"))]
    assert found[0] | {"tookMs": 0} == found[1] | {"tookMs": 0}
    assert served("dashboard", "forecast").json == served("dashboard").json["forecast"]
    mistyped = served("dashboard", "forcast")
    assert (mistyped.status, "Did you mean 'forecast'" in mistyped.err) == (failures.USAGE, True)
    assert "WORDS" in served("search", "--help").out
    assert "query" in served("search").out
    assert "--type" in served("search", "acme", "--help").out
    assert served("search", "acme", "--tpye", "deals").err.endswith("see `crm search --help`\n")


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("deals bo", ["board"]),
        ("deals board --filter cl", ["closing-soon"]),
        ("deals board --stage nego", ["negotiation"]),
        ("dashboard fo", ["forecast"]),
        ("dashboard -o js", ["json", "jsonl"]),
        ("dashboard nowhere fo", []),
        ("search qu", ["query"]),
        ("search acme qu", []),
        ("search acme --type de", ["deals"]),
        ("calendar week --st", ["--start"]),
        ("workflows ru", ["runs"]),
        ("workflows runs workflow_1 --status wait", ["waiting"]),
    ],
)
def test_completion_knows_both(typed: str, answers: list[str], folder: object) -> None:
    *before, current = typed.split(" ")
    assert [word for word, _ in completion.answers(completion.names(), before, current)] == answers


@pytest.mark.thorough
@pytest.mark.parametrize("view", ALL)
@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
def test_every_view_works_offline_in_every_format(view: str, format: str, offline: Crm) -> None:
    done = offline(*view.split(), "-o", format)
    assert (done.status, done.err) == (0, "")
    assert done.out or "calendar" in view
    assert "\x1b" not in done.out  # a pipe gets no colours


@pytest.mark.thorough
@pytest.mark.parametrize("view", ALL)
def test_what_goes_wrong_is_an_error_of_the_command_line(view: str, crm: Crm, stub: StubServer) -> None:
    words = view.split()
    assert crm(*words).err.startswith("error: no server is known")
    assert crm(*words, "--base-url", "http://127.0.0.1:9").status == failures.RETRYABLE
    with stub.intercept():
        unknown = crm(*words, "--base-url", "http://crm.test", "--api-key", "wrong")
        assert (unknown.status, unknown.out) == (failures.AUTH, "")
        other = crm(*words, "--base-url", "http://crm.test", "--api-key", "acme-admin", "--dialect", "platform")
    assert other.status in (failures.USAGE, 0)
    assert other.err == "" if other.status == 0 else other.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("messages thread nobody", failures.NOT_FOUND, "404 NOT_FOUND"),
        ("messages thread", failures.USAGE, "Missing argument 'CONVERSATION_ID'"),
        ("deals board --filter warm", failures.INVALID, "\n  --filter: 'warm' is not one of"),
        ("deals board --filter hto", failures.USAGE, "--filter: there is no 'hto'; did you mean 'hot'?"),
        ("deals board --limit x", failures.USAGE, "--limit must be a number of records above 0, or all, not 'x'"),
        ("deals stale --days x", failures.USAGE, "--days must be a whole number, not 'x'"),
        ("deals stale --days 0", failures.USAGE, "--days must be at least 1, not '0'"),
        ("deals stale --owner nobody", failures.NOT_FOUND, "no user has the id 'nobody'"),
        ("deals stale --owner 'No body'", failures.NOT_FOUND, "none of the users has the name 'No body'"),
        ("deals stale --pipeline nope", failures.NOT_FOUND, "no pipeline has the id 'nope'"),
        ("configuration set a=1 --scope tenent", failures.USAGE, "did you mean 'tenant'?"),
        ("analytics overview --start-date soon", failures.USAGE, "--start-date must be a day such as"),
        ("events tail --over wss", failures.USAGE, "--over must be ws or sse"),
        ("events tail --type lead.craeted", failures.USAGE, "did you mean 'lead.created'?"),
        ("restore people --mode dril", failures.USAGE, "--mode: there is no 'dril'; did you mean 'drill'?"),
        ("restore people --mode replace", failures.USAGE, "--confirm"),
        ("deals board --stage wn", failures.USAGE, "--stage must be one of prospect, qualified"),
        ("deals board --limit 0", failures.USAGE, "--limit"),
        ("calendar week --start soon", failures.USAGE, "--start must be a day such as"),
        ("calendar week --start 9999-12-31", failures.USAGE, "--start must be a day such as"),
        ("calendar week --start 0001-01-01", failures.USAGE, "--start must be a day such as"),
        ("workflows runs nobody", failures.NOT_FOUND, "404 NOT_FOUND"),
        ("workflows runs workflow_acme_fair --status odd", failures.INVALID, "status"),
        ("search x", failures.INVALID, "at least two characters"),
        ("search acme --type people", failures.INVALID, "type"),
        ("dashboard --limit 3", failures.USAGE, "No such option: --limit"),
    ],
)
def test_wrong_words_are_one_line_and_an_exit_status(words: str, status: int, said: str, served: Crm) -> None:
    failed = served(*shlex.split(words), "-o", "table")
    assert (failed.status, failed.out) == (status, "")
    assert failed.err.startswith("error: ")
    assert said in failed.err


@pytest.mark.thorough
@pytest.mark.parametrize("width", [30, 80, 140])
def test_without_data_a_view_says_so(width: int, served: Crm, stub: StubServer, drawn: Callable[..., str]) -> None:
    with stub.store.transaction():
        for kind in ("execution", "deal", "contact", "lead", "activity", "message"):
            for doc in stub.store.collection("tenant_acme", kind).all():
                stub.store.collection("tenant_acme", kind).remove(doc["id"])
    assert "0 deals" in drawn("deals", "board", width=width)
    assert "nothing wants doing" in " ".join(drawn("dashboard", width=width).split())
    assert "0 events" in drawn(*WEEK, width=width)
    assert "0 executions" in drawn("workflows", "runs", "workflow_acme_fair", width=width)
    assert "no messages" in drawn("messages", "thread", "conv_123", width=width)
    assert served("search", "zzyzx", "-o", "table") == Result(0, "", "nothing found\n")


# -- answers that deviate from their document ------------------------------------------------------------------------


def test_a_record_without_what_it_should_have_is_drawn_all_the_same(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = [{"stage": "prospect", "count": 1}]
    odd = [
        {"id": "deal_1"},
        {"id": "deal_2", "title": "Tea", "value": "much", "stage": "prospect", "probability": None},
    ]
    with answering(monkeypatch, "deals", stage_stats=stages, deals=odd):
        board = crm("deals", "board", "-o", "table")
    assert (board.status, board.err, "Tea" in board.out) == (0, "", True)
    events = [
        {"id": "event_1", "title": "Nowhen"},
        {"id": "event_2", "startTime": "2026-11-24T10:00:00Z", "endTime": "2026-11-24T11:00:00Z"},
    ]
    with answering(monkeypatch, "calendar", events=events):
        assert "1 event " in crm(*WEEK, "-o", "table").out
    with answering(monkeypatch, "messages", conv_1={"id": "conv_1", "messages": [{"id": "msg_1"}], "unreadCount": 1}):
        assert "unread" in crm("messages", "thread", "conv_1", "-o", "table").out
    with answering(
        monkeypatch,
        "search",
        search={"contacts": [{"id": "c_1"}], "deals": odd, "messages": [{"id": "m_1"}], "events": events},
    ):
        found = crm("search", "tea", "-o", "table")
    assert (found.status, "m_1" in found.out) == (0, True)
    with answering(monkeypatch, "dashboard", forecast={"period": "2026-Q1"}, action_items=[{"id": "item_1"}]):
        page = crm("dashboard", "-o", "table")
    assert page.status == 0
    assert "note: RevenueForecast deviates from its document: --output json shows it\n" in page.err


def test_deals_of_a_stage_no_figures_tell_of_have_a_column(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = {**Deal(id="deal_1", title="Tea", value=Decimal(7), stage="tasting").model_dump(by_alias=True, mode="json")}
    with answering(monkeypatch, "deals", stage_stats=[], deals=[deal]):
        board = crm("deals", "board").json
    assert [(each["stage"], each["value"], each["weightedValue"]) for each in board["stages"]] == [("tasting", 7, 0)]
