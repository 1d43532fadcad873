"""Small parts of the command line by themselves, with the values at which they change."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from shell import Crm, Terminal

from crm_cli import interruption
from crm_cli.commands import chat, stub
from crm_cli.failures import MisuseError
from crm_cli.folders import write_whole
from crm_cli.help.overview import by_group, draw_commands
from crm_cli.live import pulse
from crm_cli.lookups import identified_record
from crm_cli.showing import _headers, is_secret, masked_secrets
from crm_cli.terminal import pager
from crm_cli.terminal.asking import _named_value
from crm_cli.terminal.columns import Columns, age, number
from crm_cli.terminal.limits import Found, Wanted, count
from crm_cli.terminal.tables import print_card
from crm_cli.views.sales import accounts
from crm_sdk import CrmClient
from crm_sdk.resource import operation_of
from crm_sdk.resources.leads import Leads
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


class Pages:
    """A list of so many records from one place on, in pages of three."""

    def __init__(self, total: int, offset: int = 0, *, tells: bool = True) -> None:
        self.total, self.offset = total if tells else None, offset
        self._every = list(range(offset, total))
        self.items = self._every[:3]
        self.has_next = len(self._every) > 3

    def __iter__(self) -> Any:
        return iter(self._every)


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize(
    ("total", "offset", "wanted", "shown", "more"),
    [
        (9, 0, Wanted(None), 3, True),
        (3, 0, Wanted(None), 3, False),
        (9, 0, Wanted(2), 2, True),
        (2, 0, Wanted(2), 2, False),
        (3, 0, Wanted(3), 3, False),
        (9, 0, Wanted(5), 5, True),
        (5, 0, Wanted(5), 5, False),
        (9, 4, Wanted(5), 5, False),
        (10, 4, Wanted(5), 5, True),
        (4, 0, Wanted(9), 4, False),
        (9, 0, Wanted(None, every=True), 9, False),
    ],
)
def test_who_sees_not_all_records_is_told(
    capsys: pytest.CaptureFixture[str], total: int, offset: int, wanted: Wanted, shown: int, more: bool, tells: bool
) -> None:
    found = Found(Pages(total, offset, tells=tells), wanted)  # type: ignore[arg-type] # what it uses of a page
    assert len(list(found)) == shown
    found.say_more()
    of = f" of {total}" if tells else "; there are more"
    assert capsys.readouterr().err == (f"showing {shown}{of}: --limit all for all\n" if more else "")


def test_a_limit_is_a_number_above_0_or_all() -> None:
    assert [count(text) for text in ("1", 5, "ALL", "9" * 30)] == [1, 5, sys.maxsize, sys.maxsize]
    for odd in ("0", "-1", "one", "", "\u0661"):
        with pytest.raises(MisuseError, match="--limit must be a number of records above 0"):
            count(odd)


def test_a_column_shows_the_member_of_its_name_or_the_one_it_stands_for() -> None:
    row = {"owner": "Ada", "ownerId": "u1", "createdAt": "then", "value": 5}
    own = Columns(("owner", "ownerId", "value"), (), frozenset({"value"}), frozenset())
    other = Columns(("ownerId", "createdAt"), (), frozenset(), frozenset())
    assert [own.value(name, row) for name in ("owner", "age", "value", "odd")] == ["Ada", "then", 5, None]
    assert [other.value(name, row) for name in ("owner", "age")] == ["u1", "then"]
    assert other.resolve(["owner", "owner_id", "age", "createdAt"]) == ["owner", "ownerId", "age", "createdAt"]
    with pytest.raises(MisuseError, match="no such column: odd"):
        other.resolve(["odd"])
    assert [number(value, unit) for value, unit in ((1234, None), (1234.5, "EUR"), (True, None), ("1", None))] == [
        "1,234", "1,234.500000 EUR", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "now"), (60, "1min"), (3599, "59min"), (3600, "1h"), (86399, "23h"), (86400, "1d"), (30 * 86400 - 1, "29d"),
     (30 * 86400, "1mo"), (365 * 86400 - 1, "12mo"), (365 * 86400, "1y")],
)  # fmt: skip
def test_an_age_has_one_unit(seconds: int, text: str) -> None:
    assert age(SimpleNamespace(total_seconds=lambda: seconds)) == text


def test_headers_and_members_that_may_hold_a_secret_are_masked() -> None:
    request: Any = SimpleNamespace(headers={"X-Api-Key": "canary", "X-Tenant-Id": 5})
    shown = dict(_headers(request))
    assert shown["Authorization"].startswith("Bearer ") and shown["X-Tenant-Id"] == "5"
    assert "canary" not in str(shown) and shown["X-Api-Key"] == shown["Authorization"].removeprefix("Bearer ")
    assert [is_secret(name) for name in ("password", "X-Api-Key", "name")] == [True, True, False]
    masked = masked_secrets({"password": "canary", "inner": [{"api_key": "canary", "name": "Ada"}], "token": ""})
    assert "canary" not in str(masked) and masked["inner"][0]["name"] == "Ada" and masked["token"] == ""


def test_what_is_suggested_is_shown_where_no_records_are() -> None:
    def drawn(records: list[Any]) -> list[str]:
        answer: Any = SimpleNamespace(plan=None, intent=None, records=records, text="Which?", suggestions=["/a", "/b"])
        file = io.StringIO()
        chat._draw(Console(file=file, width=80), answer)
        return file.getvalue().splitlines()

    assert drawn([]) == ["Which?", "  /a", "  /b"]
    assert drawn([SimpleNamespace(id="x", name="X")]) == ["Which?"]


def test_the_stub_says_where_it_is_and_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    stub._announce("http://127.0.0.1:8410")
    first, second = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:8410 (stop with Ctrl-C)" in first
    assert second.strip() == "crm --base-url http://127.0.0.1:8410 --api-key acme-admin leads list"


def test_all_commands_stand_in_their_groups() -> None:
    summaries = [("Sales", "deals", "Work with `deals`."), ("Sales", "leads", "Work with leads.")]
    assert by_group(summaries)["Sales"] == {"deals": "Work with `deals`.", "leads": "Work with leads."}
    file = io.StringIO()
    screen, group = Console(file=file, width=80), next(iter(by_group([])))
    draw_commands(screen, [(group, "deals", "Work with `deals`."), (group, "leads", "Work with leads.")])
    lines = [line.split() for line in file.getvalue().splitlines()]
    assert ["deals", "Work", "with", "deals."] in lines and ["leads", "Work", "with", "leads."] in lines


def test_what_a_former_process_left_does_not_decide_who_may_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    path.parent.mkdir()
    for left in (False, True):
        if left:
            part = Path(f"{path}.{os.getpid()}.part")
            part.write_bytes(b"left")
            part.chmod(0o644)
        write_whole(str(path), b"mine", mode=0o600)
        assert path.read_bytes() == b"mine" and [each.name for each in path.parent.iterdir()] == ["secret"]
        assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    write_whole(str(path), b"anew")
    assert path.read_bytes() == b"anew"


def test_nothing_is_interrupted_before_a_command_begins() -> None:
    spec = importlib.util.spec_from_file_location("fresh_interruption", interruption.__file__)
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh.was_interrupted() is False
    fresh.end_if_interrupted()


@pytest.mark.parametrize(
    ("left", "asked", "rested", "whole"),
    [
        (None, 5.0, 5.0, True),
        (9.0, 5.0, 5.0, True),
        (5.0, 5.0, 5.0, True),
        (3.0, 5.0, 3.0, False),
        (-1.0, 5.0, 0.0, False),
    ],
)
def test_a_rest_ends_with_the_time(
    monkeypatch: pytest.MonkeyPatch, left: float | None, asked: float, rested: float, whole: bool
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(pulse, "pause", rests.append)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    made: Any = object.__new__(pulse.Pulse)
    made._until = None if left is None else 1000.0 + left
    assert made.rest(asked) is whole and rests == [rested]


def test_a_record_is_named_by_as_many_words_as_its_call_takes(client: CrmClient) -> None:
    call = operation_of(Leads.get)
    assert call is not None
    assert identified_record(client, call, ["lead_123"]) == {"lead_id": "lead_123"}
    for typed in ([], ["lead_123", "lead_124"]):
        with pytest.raises(ValueError, match="zip"):
            identified_record(client, call, typed)


def test_a_record_is_a_card_without_a_head_and_its_lists_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"id": "x", "empty": [], "none": None, "lines": [{"name": "A", "price": 5}], "inner": {"a": 1}}
    print_card(record, None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["id", "x"] and ["lines"] in lines and ["A", "5"] in lines
    assert not any(line[:1] in (["empty"], ["none"]) for line in lines)
    print_card(record, ["inner.a", "id"])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["inner.a", "1"], ["id", "x"]]


def test_a_job_that_has_ended_is_shown(served: Crm, stub: StubServer) -> None:
    job = next(job for job in stub.client(dialects="platform").jobs.list() if job.status == "succeeded")
    assert served("jobs", "wait", job.id).json["status"] == "succeeded"
    assert served("jobs", "wait", job.id, "-o", "table").out.startswith("✓ ")


def test_a_question_names_the_first_three_of_what_it_is_about() -> None:
    told = {1: "1 policy (a)", 3: "3 policies (a, b, c)", 4: "4 policies (a, b, c …)"}
    assert {count: _named_value("policy_ids", list("abcd")[:count], "policies") for count in told} == told
    assert (
        _named_value("deal_id", "d1", "deal") == "deal d1"
        and _named_value("from_stage", "new", "x") == "from stage new"
    )


def test_a_pager_is_one_that_is_there_and_shows_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO()))
    monkeypatch.setattr("shutil.which", lambda name: None if name == "missing" else f"/bin/{name}")
    for name in ("CRM_PAGER", "PAGER", "TERM"):
        monkeypatch.delenv(name, raising=False)
    token = pager.paging.set(True)
    try:
        assert pager._pager() == ["less"]
        for chosen, words in (
            ("more -s", ["more", "-s"]),
            ("cat", []),
            ("", []),
            ("missing -x", []),
            ("cat -n", ["cat", "-n"]),
        ):
            monkeypatch.setenv("PAGER", chosen)
            assert pager._pager() == words
        monkeypatch.setenv("CRM_PAGER", "more")
        assert pager._pager() == ["more"]
        monkeypatch.setenv("TERM", "dumb")
        assert pager._pager() == []
        monkeypatch.delenv("TERM")
        monkeypatch.setattr("sys.stdout.isatty", lambda: False)
        assert pager._pager() == []
    finally:
        pager.paging.reset(token)


def test_accounts_stand_below_those_that_somebody_sees() -> None:
    def account(id: str, parent: str | None = None) -> Any:
        members = dict.fromkeys(("owner_id", "open_deal_value", "won_value"))
        return SimpleNamespace(id=id, name=id, type="customer", parent_id=parent, **members)

    every = [account("a"), account("b", "a"), account("c", "b"), account("d", "hidden")]

    def told(nodes: Any) -> dict[str, Any]:
        return {f"{node.id}{node.level}": told(node.children) for node in nodes}

    assert told(accounts._forest(every, 9)) == {"a0": {"b1": {"c2": {}}}, "d0": {}}
    assert told(accounts._forest(every, 1)) == {"a0": {"b1": {}}, "d0": {}}
