"""How the process of a command begins and ends: its streams, its arguments, Ctrl-C, and what its faults are told as."""

from __future__ import annotations

import errno
import gc
import io
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from crm_cli import __main__, failures, interruption
from crm_cli.terminal import streams
from crm_sdk import __version__, errors

pytest_plugins = ["cli_fixtures"]

FULL = OSError(errno.ENOSPC, "No space left on device")


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def action(*_: object) -> NoReturn:
        raise error

    return action


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts of a process that ran, the first one first."""
    parts: list[str] = []
    monkeypatch.setattr(__main__, "prepare", lambda: parts.append("prepared"))
    monkeypatch.setattr(__main__, "discard_output", lambda: parts.append("discarded"))
    monkeypatch.setattr(sys, "argv", ["crm", "leads", "J\udcc3\udcbcrgen"])
    return parts


ENDS: list[tuple[BaseException, int, str]] = [
    (KeyboardInterrupt(), 130, "interrupted\n"),
    (BrokenPipeError(), streams.READER_GONE, ""),
    (FULL, 2, "error: No space left on device\n"),
    (OSError("odd"), 2, "error: odd\n"),
]


@pytest.mark.parametrize("at_end", [False, True])
def test_a_process_ends_quietly_where_its_output_goes_nowhere(
    at_end: bool, noted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, status, said in ENDS:
        noted.clear()
        monkeypatch.setattr(__main__, "_run", (lambda words: 0) if at_end else raising(error))
        with monkeypatch.context() as patched:
            if at_end:
                patched.setattr(sys, "stdout", SimpleNamespace(flush=raising(error)))
            assert __main__.main() == status
        assert capsys.readouterr().err == said
        assert noted == (["prepared", "discarded"] if isinstance(error, OSError) else ["prepared"])


def test_a_process_ends_with_the_status_of_its_command(noted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def run(words: list[str]) -> int:
        called.append(words)
        return 7

    monkeypatch.setattr(__main__, "_run", run)
    assert (__main__.main(), called, noted) == (7, [["leads", "Jürgen"]], ["prepared"])


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_the_module_is_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["crm", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("crm_cli", run_name="__main__")
    assert (ended.value.code, capsys.readouterr().out) == (0, f"crm {__version__}\n")


@pytest.fixture
def collecting() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collecting")
def test_what_is_not_answered_at_once_is_run_without_what_nobody_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("httpx._main", "trio"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    answers: list[int | None] = [0, 3, None]
    monkeypatch.setattr(__main__, "answered_at_once", lambda words: answers.pop(0))
    monkeypatch.setattr(__main__, "run", lambda words: {"leads": 9}[words[0]])
    assert [__main__._run(["leads"]), __main__._run(["leads"])] == [0, 3]
    assert "trio" not in sys.modules
    assert __main__._run(["leads"]) == 9
    assert sys.modules["trio"] is None and sys.modules["httpx._main"] is None
    assert gc.get_threshold() == (100_000, 20, 20)


def test_an_argument_that_its_locale_could_not_read_is_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, typed, read in (
        ("ascii", "J\udcc3\udcbcrgen", "Jürgen"),
        ("latin-1", "\udcff", "\udcff"),
        ("latin-1", "a\nb", "a\nb"),
        ("latin-1", "Ã¼", "Ã¼"),
        ("latin-1", "", ""),
    ):
        with monkeypatch.context() as patched:
            patched.setattr("os.fsencode", lambda word, by=encoding: word.encode(by, "surrogateescape"))
            assert streams.read_arguments(["leads", typed]) == ["leads", read]


def test_what_an_encoding_lacks_is_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, written in (("ascii", "J?rgen"), ("UTF_8", "Jürgen"), ("utf-8", "Jürgen"), ("latin-1", "Jürgen")):
        content = io.BytesIO()
        file = io.TextIOWrapper(content, encoding=encoding)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", file)
            streams.prepare()
        file.write("Jürgen")
        file.flush()
        assert content.getvalue().decode(encoding) == written
        assert file.errors == ("strict" if encoding.lower().startswith("utf") else "replace")
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", SimpleNamespace(encoding=encoding))
            streams.prepare()  # what cannot be told so is left as it is


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_is_opened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[Any, ...]] = []

    def opened(file: Any, mode: str = "r", *, encoding: str) -> Any:
        done.append(("open", file, mode))
        return io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    monkeypatch.setattr(streams, "open", opened, raising=False)
    with monkeypatch.context() as patched:
        patched.setattr("os.pipe", lambda: (71, 72))
        patched.setattr("os.close", lambda number: done.append(("close", number)))
        patched.setattr("os.dup2", lambda *numbers: done.append(("dup2", *numbers)))
        patched.setattr(sys, name, None)
        streams.prepare()
        assert getattr(sys, name).encoding == "utf-8"
    expected = {
        "stdin": [("open", os.devnull, "r")],
        "stdout": [("close", 71), ("dup2", 72, 1), ("open", 1, "w")],
        "stderr": [("open", os.devnull, "w")],
    }
    assert done == expected[name]


def test_output_that_cannot_be_written_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as file, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", file)
        file.write("left over")
        streams.discard_output()
        file.flush()
    assert (tmp_path / "out").read_text() == ""


# -- a command within it


def guarded(action: Callable[[], int | None], *, debug: bool = False, as_json: bool = False) -> int:
    return failures.run_guarded(action, debug=debug, secrets=["s3cret-key"], flags={}, as_json=as_json)


@pytest.mark.parametrize("at_end", [False, True])
def test_each_end_of_a_command_has_a_status(
    at_end: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    discarded: list[bool] = []
    monkeypatch.setattr(failures, "discard_output", lambda: discarded.append(True))
    ends: list[tuple[BaseException, int, str]] = [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (failures.MisuseError("what is s3cret-key?"), 2, "error: what is ***?\n"),
        (errors.ConflictError("no s3cret-key", status=409, code="X"), 6, "error: 409 X: no ***\n"),
        (BrokenPipeError(), 141, ""),
    ]
    for error, status, said in ends:
        assert not discarded
        with monkeypatch.context() as patched:
            if at_end:  # what a command printed may fail to be written after it
                patched.setattr(sys, "stdout", SimpleNamespace(flush=raising(error)))
            assert guarded((lambda: 0) if at_end else raising(error)) == status
        assert capsys.readouterr().err == said
    assert discarded == [True]


def test_a_command_ends_with_its_own_status_or_as_done() -> None:
    assert [guarded(lambda status=status: status) for status in (None, 0, 9)] == [0, 0, 9]  # type: ignore[misc] # a call each


def test_only_debug_shows_where_a_fault_is_and_no_secret_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(raising(ZeroDivisionError("by s3cret-key"))) == 1
    told = capsys.readouterr().err
    assert told == "error: ZeroDivisionError: by *** (a fault of this program; --debug shows where)\n"
    assert guarded(raising(ZeroDivisionError("by s3cret-key")), debug=True) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback") and said.endswith(f"ZeroDivisionError: by ***\n{told}") and "s3cret" not in said


def test_an_interruption_that_became_another_error_is_told_as_one(
    capsys: pytest.CaptureFixture[str], interruptible: None
) -> None:
    def lost() -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("made of it") from None
        return 0

    assert guarded(lost) == 130 and capsys.readouterr().err == "interrupted\n"
    assert guarded(lost, as_json=True) == 130 and '"code": "INTERRUPTED"' in capsys.readouterr().err
    assert guarded(raising(ValueError("odd"))) == 1, "the next command was not interrupted"


def test_a_secret_of_one_command_is_not_hidden_in_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    def first() -> int:
        failures.conceal("mine-alone")
        raise failures.MisuseError("mine-alone")

    assert guarded(first) == 2 and capsys.readouterr().err == "error: ***\n"
    assert guarded(raising(failures.MisuseError("mine-alone"))) == 2
    assert capsys.readouterr().err == "error: mine-alone\n"


# -- Ctrl-C


def pressed() -> None:
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_noted_and_raised(interruptible: None) -> None:
    hook = sys.unraisablehook
    with interruption.noting_interruptions():
        assert not interruption.was_interrupted()
        interruption.end_if_interrupted()
        with pytest.raises(KeyboardInterrupt):
            pressed()
        assert interruption.was_interrupted()
        with pytest.raises(KeyboardInterrupt):
            interruption.end_if_interrupted()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and sys.unraisablehook is hook
    assert not interruption.was_interrupted(), "what runs next in this process was not"


@pytest.mark.parametrize(("lost", "reported"), [(KeyboardInterrupt, False), (ValueError, True)])
def test_a_lost_interruption_is_not_reported_as_a_fault(
    lost: type[BaseException], reported: bool, interruptible: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reports.append)
    with interruption.noting_interruptions():
        sys.unraisablehook(SimpleNamespace(exc_type=lost))
    assert bool(reports) is reported


def test_who_sees_to_ctrl_c_already_goes_on_to_do_so(interruptible: None) -> None:
    before, hook = signal.signal(signal.SIGINT, signal.SIG_IGN), sys.unraisablehook
    try:
        with interruption.noting_interruptions():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN and sys.unraisablehook is hook
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_gets_no_signals(interruptible: None) -> None:
    seen: list[Any] = []

    def run() -> None:
        with interruption.noting_interruptions():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_what_goes_on_until_ctrl_c_ends_as_interrupted(interruptible: None) -> None:
    def lost() -> int:
        with pytest.raises(KeyboardInterrupt):
            pressed()
        raise ValueError("made of it")

    with interruption.noting_interruptions():
        assert interruption.until_interrupted(lambda: 5) == 5
        assert interruption.until_interrupted(raising(KeyboardInterrupt())) == 130
        with pytest.raises(ValueError, match="odd"):
            interruption.until_interrupted(raising(ValueError("odd")))
        assert interruption.until_interrupted(lost) == 130


# -- what an error is in words


def test_an_error_is_told_in_short_and_in_the_words_of_help() -> None:
    assert failures.in_short(errors.NotFoundError("no", status=404, code="X")) == "not found"
    assert failures.in_short(errors.DeadlineExceededError("late")) == "no answer in time"
    text = "Get it. Raises: NotFoundError, ConflictError."
    assert failures.in_words(text) == "Get it. Fails: not found (exit 5), conflict (exit 6)."
    assert failures.status_of_class(errors.CrmError) == failures.GENERIC
    assert failures.status_of_class(errors.BulkFailedError) == failures.PARTIAL
