"""How it is measured: ours and a baseline in turn, medians of the rounds, and their ratio."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PASS = [sys.executable, "-c", "pass"]


def row(what: str, ours: float, bare: float | None = None, unit: str = "µs", aim: str = "") -> None:
    """Print one comparison, or one figure that there is no baseline for."""
    beside = f"{bare:>10,.1f} {unit:<5} {ours / bare:>6.2f}" if bare is not None else " " * 23
    print(f"  {what:<54} {ours:>10,.1f} {unit:<5} {beside}   {aim}".rstrip())


def timed(call: Callable[[], object], count: int = 1) -> float:
    """Return the microseconds one call takes."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count * 1_000_000


def median_of(call: Callable[[], object], count: int, rounds: int = 7) -> float:
    """Return the median microseconds of a call."""
    timed(call, -(-count // 4))
    return statistics.median(timed(call, count) for _ in range(rounds))


def in_turn(ours: Callable[[], object], bare: Callable[[], object], count: int, rounds: int = 9) -> tuple[float, float]:
    """Return the median microseconds of two calls, measured in turn."""
    timed(ours, count // 4), timed(bare, count // 4)
    pairs = [(timed(ours, count), timed(bare, count)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def processes(
    *commands: Sequence[str],
    rounds: int = 15,
    env: Mapping[str, str] | None = None,
    envs: Sequence[Mapping[str, str]] = (),
) -> list[float]:
    """Return the median wall times in ms of commands, run in turn; `envs` has more of the environment for each."""
    taken: list[list[float]] = [[] for _ in commands]
    for count in range(rounds + 1):
        for number, command in enumerate(commands):
            more = {**os.environ, **(env or {}), **(envs[number] if envs else {})}
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=more)
            if count:  # the first round warms the disk's cache, and compiles
                taken[number].append((time.perf_counter() - began) * 1000)
    return [statistics.median(times) for times in taken]


@contextmanager
def canned(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Serve bytes by path from a server that takes next to no time; gives its URL."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.json"
        file.write_text(json.dumps({path: body.decode() for path, body in answers.items()}))
        with served([sys.executable, str(HERE / "canned.py"), str(file)]) as url:
            yield url


@contextmanager
def served(command: Sequence[str]) -> Iterator[str]:
    """Run a server that prints its URL; gives the URL."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.kill()
