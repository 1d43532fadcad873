"""What is asked before something is deleted, what is said after it, and output that goes through a pager."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace as Of
from typing import Any

import pytest
import typer
from shell import OPERATIONS

from crm_cli import failures
from crm_cli.failures import MisuseError
from crm_cli.terminal import asking, pager, prompts
from crm_cli.tree.parameters import Form

DELETE, MERGE = Form(OPERATIONS["deals.delete"]), Form(OPERATIONS["accounts.merge"])


def test_a_question_says_what_and_where(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    answers: list[Any] = [True, False, True, typer.Abort()]

    def confirm(text: str, err: bool) -> bool:
        asked.append(text)
        assert err
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr(typer, "confirm", confirm)
    with pytest.raises(MisuseError, match="this would delete deal d1: confirm with --yes"):
        asking.is_agreed(DELETE, {"deal_id": "d1"})
    monkeypatch.setattr(asking, "may_ask", lambda: True)
    assert asking.is_agreed(DELETE, {"deal_id": "d1\x1b"}) and capsys.readouterr().err == ""
    assert not asking.is_confirmed("undo it") and capsys.readouterr().err == "nothing was done\n"
    token = prompts.production.set("work, http://crm.test")
    try:
        assert asking.is_confirmed("undo it")
        with pytest.raises(KeyboardInterrupt):
            asking.is_confirmed("undo it")
    finally:
        prompts.production.reset(token)
    assert asked == ["Delete deal d1\ufffd?", "Undo it?", *["Undo it on PRODUCTION (work, http://crm.test)?"] * 2]


def test_what_was_done_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(asking, "forget_answers", lambda: forgotten.append(True))
    made, failed = Form(OPERATIONS["deals.create"]), Of(failures=[1])
    for terminal, said in ((False, ["deleted deal d1"]), (True, ["deleted deal d1 on S", "done on S", "done on S"])):
        with monkeypatch.context() as patched:
            patched.setattr(sys.stderr, "isatty", lambda here=terminal: here)
            asking.say_done(DELETE, {"deal_id": "d1"}, None, "S")
            asking.say_done(DELETE, {"deal_id": "d1"}, failed, "S")
            asking.say_done(made, {}, None, "S")
        assert capsys.readouterr().err.splitlines() == said
    assert len(forgotten) == 6
    related = Form(OPERATIONS["contacts.relationships.delete"])
    arguments = dict(zip(related.operation.positional, ("c1", "r1"), strict=True))
    assert asking._target(related, arguments) == "relationship r1 of contact c1" and asking._target(made, {}) == "deals"
    merged = {"survivor_id": "a1", "duplicate_ids": ["a2", "a3"]}
    assert asking._target(MERGE, merged) == "2 accounts (a2, a3) into survivor a1"


def test_output_goes_through_the_pager_and_notes_come_after_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = io.BytesIO()
    began: list[Any] = []
    waited: list[bool] = []

    class Pipe(io.BytesIO):
        def write(self, content: Any) -> int:
            return shown.write(content)

    class Pager:
        def __init__(self, words: list[str], stdin: int, env: dict[str, str]) -> None:
            began.append((words, stdin, env["LESS"], env["LESSCHARSET"]))
            self.stdin = Pipe()

        def wait(self) -> None:
            waited.append(True)
            if len(waited) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Pager)
    monkeypatch.setattr(pager, "_pager", lambda: ["less", "-x"])
    monkeypatch.delenv("LESS", raising=False)
    before = sys.stdout
    with pager.through_pager():
        assert sys.stdout.isatty() and sys.stdout is not before
        sys.stdout.write("Jürgen\n")
        failures.complain("a note")
        assert capsys.readouterr().err == ""
    assert sys.stdout is before and waited == [True, True]
    assert shown.getvalue().decode() == "Jürgen\n" and capsys.readouterr().err == "a note\n"
    assert began == [(["less", "-x"], subprocess.PIPE, "FRX", "utf-8")]

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "Popen", missing)
    with pager.through_pager():
        sys.stdout.write("shown\n")
    assert capsys.readouterr().out == "shown\n"
