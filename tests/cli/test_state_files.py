"""The offline state of another version, or damaged: a sentence with the way out, an exit status, and no traceback."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Crm

from crm_cli import app

pytest_plugins = ["cli_fixtures"]


def sql(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as base:
            for statement in statements:
                base.execute(statement)
        base.close()

    return damage


def cut(length: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:length])

    return damage


def overwritten(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:20_000] + b"U" * 100_000 + content[120_000:])


REFUSED: dict[str, Callable[[Path], None]] = {
    "cut after 100 bytes": cut(100),
    "cut after 10,000 bytes": cut(10_000),
    "overwritten": overwritten,
    "of a newer version": sql("PRAGMA user_version = 99"),
    "without documents": sql("DROP TABLE document"),
    "without a clock": sql("DROP TABLE meta"),
    "odd members beside the documents": sql("UPDATE meta SET value = '[]'"),
    "no JSON": sql("UPDATE document SET body = '{' WHERE kind = 'lead'"),
    "no object": sql("UPDATE document SET body = '[1]' WHERE kind = 'lead'"),
    "records without members": sql("UPDATE document SET body = '{}' WHERE kind = 'lead'"),
    "members of other types": sql('UPDATE document SET body = replace(body, \'"name":"\', \'"name":5,"x":"\')'),
    "dates that are none": sql("UPDATE document SET body = replace(body, '2026-', 'x-') WHERE kind = 'lead'"),
}
SERVED: dict[str, Callable[[Path], None]] = {
    "of an unknown kind": sql("INSERT INTO document VALUES ('tenant_acme', 'zebra', 'z', 1, '{\"id\":\"z\"}')"),
    "without logs": sql("DELETE FROM document WHERE kind = 'log'"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("damage", REFUSED)
def test_a_state_that_cannot_be_read_is_told_in_a_sentence(
    damage: str, offline: Crm, folder: Path, failures: list[logging.LogRecord]
) -> None:
    REFUSED[damage](folder / "offline.db")
    for words in (["leads", "list", "--limit", "all"], ["audit", "logs", "list"]):
        done = offline(*words)
        assert "Traceback" not in done.err + done.out, done.err
        assert done.status in (0, 1, 2), done
        if done.status:
            assert "offline" in done.err and ("reset" in done.err or "another file" in done.err), done.err
    failures.clear()  # what is damaged may break a rule
    assert offline("offline", "reset", "--yes").status == 0
    assert offline("leads", "list", "--limit", "1").status == 0


@pytest.mark.parametrize("odd", SERVED)
def test_what_it_has_beside_or_lacks_does_not_matter(odd: str, offline: Crm, folder: Path) -> None:
    SERVED[odd](folder / "offline.db")
    for words in (["leads", "list", "--limit", "all"], ["audit", "logs", "list"]):
        done = offline(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), done.err


def test_a_fault_before_a_command_is_a_sentence_too(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("nothing")

    monkeypatch.setattr(app, "application", broken)
    done = crm("today")
    assert (done.status, done.out) == (1, "")
    assert done.err == "error: KeyError: 'nothing' (a fault of this program; --debug shows where)\n"
