"""Run the tests that reach a changed line, up to the first that fails.

Which test reaches which line is seen once, by a run of all tests under coverage, and kept in `.mutants.json`. The
tests are collected once, in this process. For each change it is copied (`os.fork`), the copy's functions get the code
that the change makes of them, and the tests run in it, with a limit to their time: nothing is imported or collected
anew. Only a change of what has run by then, the body of a module or a function that one calls, is tried in a process
of its own.
"""

from __future__ import annotations

import contextlib
import difflib
import gc
import importlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import types
import xml.etree.ElementTree as ET  # what it reads, pytest wrote a moment before
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from coverage import CoverageData

if TYPE_CHECKING:
    from mutants import Mutant

ALL = ["-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-profile", "quick"]
LEFT_OUT = ["tests/docs", "tests/typing", "tests/contract/test_fuzzing.py", "tests/contract/test_generated_client.py"]
"""What takes long whatever it is asked, and says little about the line that is wrong."""
KEPT = 200
"""How many tests of a line are kept: the nearest and quickest."""
VARIANTS = 3
"""How many variants of one function of tests run to see what they reach: the first, the last and one between them."""
Place: TypeAlias = tuple[str, str, int]
"""The file, the name and the first line of a function."""
COVERAGE = "[run]\nsource_pkgs = crm_sdk, crm_cli, server_stub\ndata_file = {}\n"


@dataclass
class Reach:
    """Which tests reach which line, the nearest and quickest first."""

    sources: dict[str, list[str]]
    """The lines of each module as they were when this was seen."""
    tests: list[list[str]]
    lines: dict[str, dict[str, int]]
    """For a line of a module, from 1, which of `tests` are its own."""
    first: dict[str, list[int]]
    """The lines of a module that run before any test does."""
    seconds: dict[str, float]

    def of(self, mutant: Mutant, source: str) -> tuple[list[str], bool]:
        """Return the tests of a changed line, and whether it runs before any test does."""
        here = self.lines.get(mutant.module, {})
        lines = self._as_seen(mutant.module, source, mutant.lines)
        found = {test: None for line in lines if line in here for test in self.tests[here[line]]}
        if not found:
            found = {test: None for number in sorted(set(here.values())) for test in self.tests[number]}
        ordered = sorted(found, key=lambda test: (-_shared(mutant.module, test), self.seconds.get(test, 1.0)))
        is_first = not here or any(int(line) in self.first.get(mutant.module, ()) for line in lines)
        return ordered, is_first

    def _as_seen(self, module: str, source: str, lines: range) -> list[str]:
        """Return what the lines of a module were when this was seen."""
        matcher = difflib.SequenceMatcher(None, self.sources.get(module, []), source.splitlines(), autojunk=False)
        old = {new + n: old + n for old, new, size in matcher.get_matching_blocks() for n in range(size)}
        return [str(old[line - 1] + 1) for line in lines if line - 1 in old]


def copied(root: Path, tree: Path) -> Path:
    """Copy the sources and tests of a folder into another."""
    ignored = shutil.ignore_patterns(
        ".git", ".mutants.json", ".venv*", ".*_cache", "build", "dist", ".hypothesis", "*.data"
    )
    shutil.copytree(root, tree, ignore=ignored)
    return tree


def reach(root: Path, tree: Path, *, anew: bool = False) -> Reach:
    """Return which tests reach which line: as kept, or as all tests say that run now."""
    kept = root / ".mutants.json"
    if anew or not kept.exists():
        print("which tests reach which line is seen first: all of them run, under coverage", flush=True)
        data, times = tree / "reach.data", tree / "times.xml"
        (tree / "coverage.ini").write_text(COVERAGE.format(data))
        words = [*ALL, "-n", "auto", "--cov", "--cov-config=coverage.ini", "--cov-context=test", "--cov-report="]
        words += [f"--junit-xml={times}", *(f"--ignore={path}" for path in LEFT_OUT), "-p", __name__, "tests"]
        environment = _environment(tree)
        environment["PYTHONPATH"] += f"{os.pathsep}{Path(__file__).parent}"
        subprocess.run([sys.executable, "-m", "pytest", *words], cwd=tree, env=environment, check=False)
        kept.write_text(json.dumps(vars(seen(tree, data, times))))
    return Reach(**json.loads(kept.read_text()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out all but a few variants of each function of tests: they reach much the same."""
    functions: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        functions[item.nodeid.partition("[")[0]].append(item)
    items[:] = [
        found[place]
        for found in functions.values()
        for place in sorted({number * (len(found) - 1) // (VARIANTS - 1) for number in range(VARIANTS)})
    ]


def seen(tree: Path, data: Path, times: Path) -> Reach:
    """Read which tests reached which line from what a run under coverage wrote."""
    seconds: dict[str, float] = {}
    for case in ET.parse(times).iter("testcase"):  # noqa: S314 # pytest wrote it
        seconds[f"{case.get('classname')}::{case.get('name')}"] = float(case.get("time") or 0)
    coverage = CoverageData(str(data))
    coverage.read()
    found = Reach({}, [], {}, {}, {})
    numbers: dict[tuple[str, ...], int] = {}
    for file in sorted(coverage.measured_files()):
        module = str(Path(file).relative_to(tree))
        found.sources[module] = Path(file).read_text().splitlines()
        found.lines[module], found.first[module] = {}, []
        for line, contexts in coverage.contexts_by_lineno(file).items():
            tests = sorted({context.rpartition("|")[0] for context in contexts if context})
            if "" in contexts:
                found.first[module].append(line)
            for test in tests:
                path, _, name = test.partition("::")
                found.seconds.setdefault(test, seconds.get(f"{path[:-3].replace('/', '.')}::{name}", 1.0))
            if tests:
                kept = tuple(_nearest(module, tests, found.seconds))
                found.lines[module][str(line)] = numbers.setdefault(kept, len(numbers))
    found.tests = [list(tests) for tests in numbers]
    return found


def _nearest(module: str, tests: list[str], seconds: dict[str, float]) -> list[str]:
    """Return the tests of a line that are kept: one of each function of tests before the second of any."""
    variants: dict[str, int] = defaultdict(int)
    ranked: list[tuple[int, int, float, str]] = []
    for test in sorted(tests, key=lambda test: seconds[test]):
        function = test.partition("[")[0]
        ranked.append((variants[function] // 2, -_shared(module, test), seconds[test], test))
        variants[function] += 1
    return [test for *_, test in sorted(ranked)[:KEPT]]


def _shared(module: str, test: str) -> int:
    """Return how many words the names of a module and of a test have in common."""
    words = set(re.split(r"[/_.]", module.removesuffix(".py")))
    return len(words & set(re.split(r"[/_.]", test.partition("::")[0].removesuffix(".py"))))


def tried(
    sample: list[Mutant], tree: Path, reached: Reach, seconds: float, told: Callable[[Mutant, str, str], None]
) -> None:
    """Try each change in a copy of the sources; tell the outcome of each, and which test it is due to."""
    trial = _Trial(sample, tree, reached, seconds, told)
    os.chdir(tree)
    os.environ |= _environment(tree)
    files = {test.partition("::")[0] for mutant in sample for test in trial.chosen(mutant)[0]}
    known = {test.partition("::")[0] for test in reached.seconds}
    there = {str(path.relative_to(tree)) for path in (tree / "tests").rglob("test_*.py") if "tools" not in path.parts}
    new = {file for file in there - known if not file.startswith(tuple(LEFT_OUT))}
    pytest.main([*ALL, "-s", "-n", "0", *sorted(files & there | new)], plugins=[trial])


def _environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "CRM_TEST_INSTALLED"}
    return {**kept, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}


@dataclass
class _Trial:
    """A plugin of pytest in whose process the tests are collected, and which runs those of each change in a copy."""

    sample: list[Mutant]
    tree: Path
    reached: Reach
    seconds: float
    told: Callable[[Mutant, str, str], None]
    items: dict[str, pytest.Item] = field(default_factory=dict)
    functions: dict[Place, list[Any]] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    """Tests of which it is not known yet what they reach; they are asked about what is named like them."""
    sound: set[str] = field(default_factory=set)
    """Tests that failed with a change and pass without one."""
    unsound: set[str] = field(default_factory=set)

    def chosen(self, mutant: Mutant) -> tuple[list[str], bool]:
        """Return the tests of a change that its time is enough for, and whether it needs a process of its own."""
        tests, is_first = self.reached.of(mutant, (self.tree / mutant.module).read_text())
        left, chosen = self.seconds, list[str]()
        for test in [*(test for test in self.new if _shared(mutant.module, test) > 1), *tests]:
            took = self.reached.seconds.get(test, 0.1)
            if test not in self.unsound and (took <= left or len(chosen) < 3):
                chosen.append(test)
                left -= took
        return chosen, is_first or not mutant.functions

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        known = {test.partition("[")[0] for test in self.reached.seconds}
        self.new = [test for test in self.items if test.partition("[")[0] not in known]
        for module in {mutant.module for mutant in self.sample}:  # services are imported by the first stub
            importlib.import_module(module.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
        self.functions = _functions()
        gc.freeze()  # a copy's collector leaves alone what it shares with this process
        for mutant in self.sample:
            self.told(mutant, *self._outcome(mutant))
        return True

    def _outcome(self, mutant: Mutant) -> tuple[str, str]:
        while True:
            tests, own_process = self.chosen(mutant)
            with self._changed(mutant):
                noted = self._run(tests, mutant, own_process=own_process)
            if noted is None:
                return "not noticed", f"{len(tests)} tests"
            if noted not in tests or noted in self.sound:  # what cannot be imported fails no test of its own
                return ("hangs" if noted == "hangs" else "noticed"), noted
            if self._run(tests[: tests.index(noted) + 1], None, own_process=own_process) is None:
                self.sound.add(noted)
                return "noticed", noted
            self.unsound.add(noted)

    @contextlib.contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        """Change the file as well: what a test starts reads it. Python compiles it anew, as it is younger."""
        path = self.tree / mutant.module
        source, times = path.read_bytes(), path.stat()
        path.write_bytes(mutant.applied(source))
        try:
            yield
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _run(self, tests: list[str], mutant: Mutant | None, *, own_process: bool) -> str | None:
        """Run tests with a change; return the one that failed, "hangs", or None where all passed."""
        took = sum(self.reached.seconds.get(test, 1.0) for test in tests)
        if own_process:
            return self._run_alone(tests, took)
        found = [self.items[test] for test in tests if test in self.items]
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(reading)
                _limit(took)
                if mutant is not None:
                    _exchange_code(mutant, self.tree / mutant.module, self.functions)
                os.write(writing, _first_failing(found).encode())
            except BaseException as error:
                os.write(writing, f"cannot be tried: {error!r}".encode())
            finally:
                os._exit(0)
        os.close(writing)
        _wait(child, took)
        with os.fdopen(reading) as answer:
            said = answer.read()
        if said.startswith("cannot be tried"):
            return self._run_alone(tests, took)
        return {"": "hangs", "-": None}.get(said, said)

    def _run_alone(self, tests: list[str], took: float) -> str | None:
        words = [sys.executable, "-m", "pytest", *ALL, "-n", "0", "-x", "-rfE", *tests]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
            preexec_fn=lambda: _limit(took + 10, silent=False),
        ) as process:  # fmt: skip
            try:
                said = process.communicate(timeout=_patience(took + 10))[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return "hangs"
        if process.returncode == 0:
            return None
        if process.returncode < 0:
            return "hangs"
        failed = re.search(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", said, re.MULTILINE)
        return failed[1] if failed else "nothing runs"


def _limit(took: float, *, silent: bool = True) -> None:
    """Limit the time of a process's own cores, and make it and what it starts one group."""
    os.setsid()
    most = int(20 + 4 * took)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
    if silent:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)


def _patience(took: float) -> float:
    return 90 + 15 * took


def _wait(child: int, took: float) -> None:
    """Wait until a process has ended, and end it and what it started where that takes too long."""
    latest = time.monotonic() + _patience(took)
    pause = 0.01
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > latest:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def _first_failing(items: list[pytest.Item]) -> str:
    """Run tests; return which is the first to fail, or "-"."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return item.nodeid
    return "-"


def _functions() -> dict[Place, list[Any]]:
    """Return all functions of this process by where their code stands."""
    found: dict[Place, list[Any]] = defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType:  # `isinstance` asks lazy objects what they are, and Django's raise then
            found[_place(thing.__code__)].append(thing)
    return found


def _exchange_code(mutant: Mutant, path: Path, functions: dict[Place, list[Any]]) -> None:
    """Give the functions that a change is part of the code that it makes of them."""
    changed = path.read_bytes()
    original = changed[: mutant.start] + mutant.before.encode() + changed[mutant.start + len(mutant.after.encode()) :]
    codes = zip(_codes(original, path), _codes(changed, path), strict=True)
    exchanged = {_place(old): new for old, new in codes if old.co_qualname in mutant.functions}
    live = [function for place in exchanged for function in functions.get(place, ())]
    if not live:
        raise LookupError(mutant.functions)
    for function in live:
        function.__code__ = exchanged[_place(function.__code__)]


def _place(code: types.CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(source: bytes, path: Path) -> list[types.CodeType]:
    """Return the code of each function and method of a module, in the order they stand in."""

    def within(code: types.CodeType) -> Iterator[types.CodeType]:
        for part in code.co_consts:
            if isinstance(part, types.CodeType):
                if not part.co_name.startswith("<"):
                    yield part
                yield from within(part)

    module: Any = compile(source, str(path), "exec", dont_inherit=True)
    return list(within(module))
