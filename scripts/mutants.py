"""Change the sources a little, at random, and see whether a test notices.

    make mutants ARGS="server_stub/services/deals --sample 8"

Of each module a sample is tried, the same one for the same seed: a comparison moved by one, `and` for `or`, a condition
that never holds, a constant changed, a call left out, a value not returned. The nearest tests run, by where the module
stands; with --wide the fast ones of the whole suite after them. What no test notices is printed and counts against the
figure, unless `tests/mutants.txt` says why nothing differs. A copy of the sources is changed, never they themselves.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
JUDGED = ROOT / "tests" / "mutants.txt"
TIMEOUT = 600
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_LEFT_OUT: dict[type[ast.AST], tuple[type[ast.expr], ...]] = {
    ast.Expr: (ast.Call,),
    ast.Return: (ast.Call, ast.Compare, ast.BoolOp, ast.BinOp, ast.Name, ast.Attribute, ast.Dict, ast.List, ast.Tuple),
}
"""The values that are not returned, and the expressions that are not evaluated."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the source of a node, and what stands in its place."""

    module: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """Return the module's source with the change."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    @property
    def name(self) -> str:
        """Return what `tests/mutants.txt` knows it by, wherever in the file it stands."""
        return f"{self.module}: {' '.join(self.before.split())} -> {' '.join(self.after.split())}"


def mutants(module: Path) -> Iterator[Mutant]:
    """Yield every change of a module that is tried."""
    source = module.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(source)):
        for part, changed in _changes(node):
            start = starts[part.lineno - 1] + part.col_offset
            end = starts[(part.end_lineno or part.lineno) - 1] + (part.end_col_offset or 0)
            before = source[start:end].decode()
            yield Mutant(str(module.relative_to(ROOT)), part.lineno, start, end, before, f"({changed})")


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Compare):
        other = copy.deepcopy(node)
        other.ops[0] = _swapped(node.ops[0])
        yield node, ast.unparse(other)
    elif isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPPED:
        kept = copy.deepcopy(node)
        kept.op = _swapped(node.op)
        yield node, ast.unparse(kept)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, f"bool({ast.unparse(node.operand)})"
    elif isinstance(node, ast.If | ast.IfExp) and not _is_for_types(node.test):
        yield node.test, "False"
    elif isinstance(node, ast.Return | ast.Expr) and isinstance(node.value, _LEFT_OUT[type(node)]):
        yield node.value, "None"
    elif isinstance(node, ast.keyword | ast.Assign | ast.Return) and isinstance(node.value, ast.Constant):
        value = node.value.value
        if isinstance(value, bool):
            yield node.value, str(not value)
        elif isinstance(value, int | float):
            yield node.value, str(value + 1)


def _swapped(operator: ast.AST) -> Any:
    return SWAPPED[type(operator)]()


def _is_for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def nearest_tests(module: str) -> list[str]:
    """Return the tests that are about a module, by where it stands."""
    parts = Path(module).with_suffix("").parts
    if parts[:2] == ("server_stub", "services"):
        found = [f"tests/services/{parts[2]}", f"tests/services/test_{parts[2]}.py"]
    elif parts[0] == "server_stub":
        found = [f"tests/stub/test_{parts[-1]}.py", f"tests/stub/{parts[1]}", "tests/stub"]
    elif parts[0] == "crm_cli":
        found = ["tests/cli"]
    else:
        found = [f"tests/{parts[1]}", f"tests/client/test_{parts[-1]}.py", "tests/client"]
    return [path for path in found if (ROOT / path).exists()]


def is_noticed(mutant: Mutant, tree: Path, *, wide: bool) -> bool:
    """Tell whether a test fails in a copy of the sources with a change; `wide` asks the whole suite too."""
    path = tree / mutant.module
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    try:
        rounds = [*nearest_tests(mutant.module), *(["tests"] if wide else [])]
        return any(not _passes(tests, tree) for tests in rounds)
    finally:
        path.write_bytes(source)


def _passes(tests: str, tree: Path) -> bool:
    words = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow and not thorough", tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("CRM_TEST_INSTALLED", None)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words], cwd=tree, env=environment, capture_output=True, check=False,
            timeout=TIMEOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in (0, 5)  # 5: no test of these is a fast one


def main() -> int:
    """Try a sample of each module; return 1 where fewer than the least part of it is noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=["crm_sdk", "crm_cli", "server_stub"], help="files and folders")
    parser.add_argument("--sample", type=int, default=2, help="changes per module (2)")
    parser.add_argument("--seed", type=int, default=1, help="which changes they are (1)")
    parser.add_argument("--least", type=float, default=90, help="the percentage that has to be noticed (90)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many are tried at once")
    parser.add_argument(
        "--wide", action="store_true", help="ask the whole suite where the nearest tests notice nothing"
    )
    given = parser.parse_args()
    judged = {line.partition("  # ")[0] for line in JUDGED.read_text().splitlines() if not line.startswith("#")}
    sample: list[Mutant] = []
    for word in given.modules:
        path = ROOT / word
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            every = [mutant for mutant in mutants(module) if mutant.name not in judged]
            chooser = random.Random(f"{given.seed} {module.relative_to(ROOT)}")
            sample += chooser.sample(every, min(given.sample, len(every)))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        trees = [_copy(Path(folder) / str(number)) for number in range(given.jobs)]

        for tests in sorted({near for mutant in sample for near in nearest_tests(mutant.module)}):
            if not _passes(tests, trees[0]):
                print(f"{tests} fails without any change: mend it first", file=sys.stderr)
                return 2

        def tried(mutant: Mutant) -> bool:
            tree = trees.pop()
            try:
                noticed = is_noticed(mutant, tree, wide=given.wide)
            finally:
                trees.append(tree)
            if not noticed:
                print(f"not noticed, line {mutant.line}: {mutant.name}", flush=True)
            return noticed

        noticed = sum(pool.map(tried, sample))
    part = 100 * noticed / max(len(sample), 1)
    print(f"{noticed} of {len(sample)} changes are noticed: {part:.0f} %")
    return int(part < given.least)


def _copy(tree: Path) -> Path:
    ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", "build", "dist", ".hypothesis")
    shutil.copytree(ROOT, tree, ignore=ignored)
    return tree


if __name__ == "__main__":
    sys.exit(main())
