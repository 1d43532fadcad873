"""How imports and exports go on: the progress, the waits for a quota, the order of calls, and rows that failed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import OPERATIONS, Crm

from crm_cli import failures
from crm_cli.bulk import progress
from crm_cli.bulk.checking import Check
from crm_cli.bulk.ids_argument import ids_of
from crm_cli.bulk.journal import FAILED, INVALID, READY, Entry, Journal, Wrong
from crm_cli.bulk.sending import Sending
from crm_cli.bulk.sources import OWN
from crm_cli.bulk.working import Quota, in_order
from crm_cli.bulk.wrong_rows import _card, _cells, _joined_errors, _object
from crm_cli.failures import MisuseError
from crm_cli.tree.parameters import Form
from crm_sdk.errors import RateLimitError

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_has_a_bar_and_a_pipe_has_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    with progress.progress("rows", 2) as advance:
        advance(1)
        advance(1)
    lines = [line for line in capsys.readouterr().err.splitlines() if "rows: 2 of 2 (100 %)" in line]
    assert len(lines) == (not is_terminal)


class Waits:
    """What a quota waits on, which notes for how long, and may be ended meanwhile."""

    def __init__(self, *, ends: bool = False, ended: bool = False) -> None:
        self.ends, self.ended, self.waits = ends, ended, list[float]()

    def is_set(self) -> bool:
        return self.ended

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return self.ends

    def set(self) -> None:
        self.ended = True


def limited(times: int, after: float | None) -> Any:
    def act() -> str:
        nonlocal times
        times -= 1
        if times >= 0:
            raise RateLimitError("slow down", status=429, retry_after=after)
        return "done"

    return act


@pytest.mark.parametrize(("after", "waited"), [(7.0, 7.0), (0.0, 0.0), (None, 60.0)])
def test_a_quota_is_waited_for_as_long_as_the_server_says(
    capsys: pytest.CaptureFixture[str], after: float | None, waited: float
) -> None:
    quota, waits = Quota(), Waits()
    quota._ended = waits  # type: ignore[assignment] # what it uses of an event
    assert quota.call(limited(2, after)) == "done" and waits.waits == [waited, waited]
    assert capsys.readouterr().err.splitlines() == [f"the quota is used up: going on in {waited:.0f} s"] * 2


@pytest.mark.parametrize("state", [{"ends": True}, {"ended": True}])
def test_nobody_waits_for_a_quota_when_the_command_ends(state: dict[str, bool]) -> None:
    quota, waits = Quota(), Waits(**state)
    quota._ended = waits  # type: ignore[assignment] # as above
    with pytest.raises(RateLimitError):
        quota.call(limited(1, 5.0))
    assert waits.waits == ([5.0] if "ends" in state else [])
    with quota.ending():
        pass
    assert waits.ended


def test_outcomes_come_in_order_and_no_more_is_begun_than_there_are_workers() -> None:
    read: list[int] = []
    first_may_end = threading.Event()

    def items() -> Any:
        for number in range(6):
            read.append(number)
            if number == 2:
                first_may_end.set()
            yield number

    def work(number: int) -> int:
        assert number or first_may_end.wait(60)
        return -number

    outcomes = in_order(work, items(), 3)
    assert next(outcomes) == (0, 0) and read == [0, 1, 2]
    assert list(outcomes) == [(number, -number) for number in range(1, 6)]
    assert list(in_order(work, [4], 9)) == [(4, -4)]
    outcomes = in_order(work, items(), 1)
    assert next(outcomes) == (0, 0)
    outcomes.close()


@pytest.mark.parametrize(
    ("members", "key", "has_key"),
    [
        ({"id": "c1"}, None, True),
        ({"id": None}, None, False),
        ({}, "", False),
        ({}, "a@b.test", True),
        (None, None, False),
    ],
)
def test_a_row_with_an_id_or_a_key_may_be_there_already(
    members: dict[str, Any] | None, key: str | None, has_key: bool
) -> None:
    mapped: Any = Of(key_in=lambda members: key)
    made = Sending(None, mapped, "upsert", "update", Quota(), "run")  # type: ignore[arg-type] # nothing is sent
    assert made._has_key(Entry(1, [], READY, members)) is has_key


def test_a_row_that_failed_is_written_as_it_was_with_what_is_wrong() -> None:
    wrong = [
        Wrong("email", "format", "is none"),
        Wrong("email", "unique", "is taken"),
        Wrong("name", "format", "is odd"),
    ]
    entry = Entry(7, {OWN[0]: "3", "name": "Ada", "tags": ["a"], "none": None}, FAILED, None, wrong)
    assert json.loads(_object(entry)) == {
        **dict(zip(OWN, (7, "email; name", "format; unique", "is none; is taken; is odd"), strict=True)),
        "name": "Ada", "tags": ["a"], "none": None,
    }  # fmt: skip
    assert list(json.loads(_object(entry)))[: len(OWN)] == list(OWN)
    assert _object(Entry(7, "{", FAILED, None, wrong)) == b"{\n"
    source: Any = Of(headers=("name", "tags", "none", "missing"))
    assert list(_cells(entry, source)) == ["Ada", '["a"]', "", ""]
    assert list(_cells(Entry(1, "a,b", FAILED), source)) == ["a,b"]
    assert list(_cells(Entry(1, ["a", "b"], FAILED), source)) == ["a", "b"]
    assert _joined_errors(entry, "rule") == "format; unique"
    card = "BEGIN:VCARD\nX-CRM-WRONG:row 1\\, old\nFN:A\nEND:VCARD\n"
    assert _card(Entry(2, card, FAILED, None, [Wrong("name", "", "is\nodd")])).decode().splitlines() == [
        "BEGIN:VCARD", "X-CRM-WRONG:row 2\\, name: is odd", "FN:A", "END:VCARD",
    ]  # fmt: skip


def test_a_journal_that_is_open_is_open_once_though_nothing_was_written_yet(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with Journal(path) as journal:
        journal.begin()
    with Journal(path), pytest.raises(MisuseError, match="another process is importing this file"):
        Journal(path)


@pytest.mark.parametrize(("jobs", "status"), [("0", failures.USAGE), ("1", 0), ("32", 0), ("33", failures.USAGE)])
def test_up_to_32_calls_are_made_at_once(served: Crm, jobs: str, status: int) -> None:
    done = served("leads", "get", "-", "--jobs", jobs, "-o", "ids", stdin="lead_123\n")
    assert (done.status, done.out) == (status, "lead_123\n" if status == 0 else "")


@pytest.mark.parametrize(
    ("outcome", "match", "state", "sent"),
    [
        ("create", None, READY, {"name": "Ada"}),
        ("update", "c1", READY, {"name": "Ada", "id": "c1"}),
        ("skip", "c1", "unchanged", {"name": "Ada", "id": "typed"}),
        ("fail", None, INVALID, None),
    ],
)
def test_a_row_that_was_looked_at_has_the_id_of_the_record_it_changes(
    outcome: str, match: str | None, state: str, sent: dict[str, Any] | None
) -> None:
    check = Check(None, None, None, "upsert", Quota())  # type: ignore[arg-type] # nothing is asked
    errors = [
        Of(field=None, rule=None, code="ODD", message="no"),
        Of(field="name", rule="length", code="X", message="is"),
    ]
    row: Any = Of(outcome=outcome, match_id=match, values={"name": "Ada", "id": "typed"}, errors=errors)
    entry = check._entry(7, ["Ada"], row)
    assert (entry.number, entry.raw, entry.outcome, entry.sent) == (7, ["Ada"], state, sent)
    wrong = [Wrong("", "ODD", "no"), Wrong("name", "length", "is")]
    assert list(entry.errors) == (wrong if outcome == "fail" else [])


@pytest.mark.parametrize(
    ("key", "value", "kept"), [("email", "A@b", "a@b"), ("external_id", "A1", "A1"), ("x", 5, "5")]
)
def test_of_rows_with_the_same_key_the_first_counts(key: str, value: object, kept: str) -> None:
    asked: list[str] = []

    def first_with(text: str, number: int) -> int:
        asked.append(text)
        return min(number, 3)

    check = Check(None, None, Of(key=key, key_in=lambda sent: sent["key"]), "upsert", Quota())  # type: ignore[arg-type] # what is asked of it
    journal: Any = Of(first_with=first_with)
    same = Entry(3, [], READY, {"key": value})
    assert check._unique(same, journal) is same and asked == [kept]
    later = check._unique(Entry(4, ["raw"], READY, {"key": value}), journal)
    said = f"row 3 has the {key.replace('_', ' ')} {value!r} already"
    assert (later.outcome, later.raw, later.sent, list(later.errors)) == (
        INVALID, ["raw"], None, [Wrong(key, "unique", said)]
    )  # fmt: skip
    without = Entry(5, [], READY, {"key": None})
    assert check._unique(without, journal) is without and len(asked) == 2


def test_ids_are_read_for_the_first_argument_or_for_the_option_with_ids_of_the_noun() -> None:
    found = {id: ids_of(operation, Form(operation).parameters) for id, operation in OPERATIONS.items()}
    options = {id: one.name for id, one in found.items() if one is not None and one.place != "argument"}
    assert options == {
        "contacts.deduplicate": "contact_ids", "exports.create": "ids", "exports.schedules.create": "ids",
        "leads.assign": "lead_ids",
    }  # fmt: skip
    for id, name in (("leads.get", "lead_id"), ("contacts.deals.list", "contact_id")):
        one = found[id]
        assert one is not None and one.name == name
    for id in ("leads.list", "leads.create", "accounts.create", "files.download", "dashboards.subscribe"):
        assert found[id] is None
