"""Change the sources a little, at random, and see whether a test notices.

    make mutants ARGS="server_stub/services/deals --sample 8"

Of each module a sample is tried, the same one for the same seed: a comparison moved by one, `and` for `or`, a condition
that never holds, a constant or a default changed, a call left out, a value not returned. The tests that reach the
changed line run, the nearest and quickest first, up to the first that fails (scripts/mutant_tests.py). What no test
notices is printed and counts against the figure, unless `tests/mutants.txt` says why nothing differs. A copy of the
sources is changed, never they themselves.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutant_tests

ROOT = Path(__file__).resolve().parent.parent
JUDGED = ROOT / "tests" / "mutants.txt"
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
_OF_DATACLASSES = {"frozen", "slots", "kw_only"}
"""What refuses code that nobody wrote: without it every program does the same."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the source of a node, and what stands in its place."""

    module: str
    lines: range
    """From the first line of the statement to the last of what is changed."""
    functions: tuple[str, ...]
    """The functions whose code is another with the change, the outermost first; none where the module's own is."""
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
    for node, statement, functions in _nodes(ast.parse(source), 1, (), ""):
        for part, changed in _changes(node):
            start = starts[part.lineno - 1] + part.col_offset
            last = part.end_lineno or part.lineno
            end = starts[last - 1] + (part.end_col_offset or 0)
            lines = range(min(statement, part.lineno), last + 1)
            before = source[start:end].decode()
            yield Mutant(str(module.relative_to(ROOT)), lines, functions, start, end, before, f"({changed})")


def _nodes(
    node: ast.AST, statement: int, functions: tuple[str, ...], prefix: str
) -> Iterator[tuple[ast.AST, int, tuple[str, ...]]]:
    """Yield each node with the line its statement begins in and the functions that it is part of the code of."""
    yield node, statement, functions
    for field, value in ast.iter_fields(node):
        within, named = functions, prefix
        if field == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            within, named = (*functions, prefix + node.name), f"{prefix}{node.name}.<locals>."
        elif field == "body" and isinstance(node, ast.ClassDef):
            named = f"{prefix}{node.name}."
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                line = child.lineno if isinstance(child, ast.stmt) else statement
                yield from _nodes(child, line, within, named)


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
    elif isinstance(node, ast.keyword) and node.arg in _OF_DATACLASSES:
        return
    elif isinstance(node, ast.keyword | ast.Assign | ast.AnnAssign | ast.Return):
        yield from _other_constants([node.value])
    elif isinstance(node, ast.arguments):
        yield from _other_constants([*node.defaults, *node.kw_defaults])


def _other_constants(values: list[ast.expr | None]) -> Iterator[tuple[ast.expr, str]]:
    for node in values:
        value = node.value if isinstance(node, ast.Constant) else None
        if node is not None and isinstance(value, bool):
            yield node, str(not value)
        elif node is not None and isinstance(value, int | float):
            yield node, str(value + 1)


def _swapped(operator: ast.AST) -> Any:
    return SWAPPED[type(operator)]()


def _is_for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def sampled(words: list[str], count: int, seed: int) -> list[Mutant]:
    """Return a sample of the changes of each module of some files and folders, without those that are judged."""
    judged = {line.partition("  # ")[0] for line in JUDGED.read_text().splitlines() if not line.startswith("#")}
    sample: list[Mutant] = []
    for word in words:
        path = (ROOT / word).resolve()
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            every = [mutant for mutant in mutants(module) if mutant.name not in judged]
            chooser = random.Random(f"{seed} {module.relative_to(ROOT)}")
            sample += chooser.sample(every, min(count, len(every)))
    return sample


def main() -> int:
    """Try a sample of each module; return 1 where fewer than the least part of it is noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=["crm_sdk", "crm_cli", "server_stub"], help="files and folders")
    parser.add_argument("--sample", type=int, default=2, help="changes per module (2)")
    parser.add_argument("--seed", type=int, default=1, help="which changes they are (1)")
    parser.add_argument("--least", type=float, default=90, help="the percentage that has to be noticed (90)")
    parser.add_argument("--seconds", type=float, default=40, help="how long the tests of one change may take (40)")
    parser.add_argument("--map", action="store_true", help="see anew which tests reach which line: a run of all tests")
    parser.add_argument("--all", action="store_true", help="print what was noticed too, and by which test")
    given = parser.parse_args()
    sample = sampled(given.modules, given.sample, given.seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        tree = mutant_tests.copied(ROOT, Path(folder) / "sources")
        reach = mutant_tests.reach(ROOT, tree, anew=given.map)

        def told(mutant: Mutant, outcome: str, noted: str) -> None:
            outcomes[outcome] += 1
            if given.all or outcome != "noticed":
                print(f"{outcome}, line {mutant.lines[-1]} ({noted})\n    {mutant.name}", flush=True)

        mutant_tests.tried(sample, tree, reach, given.seconds, told)
    noticed = outcomes["noticed"] + outcomes["hangs"]
    part = 100 * noticed / max(len(sample), 1)
    print(f"{noticed} of {len(sample)} changes are noticed ({outcomes['hangs']} hang): {part:.0f} %")
    return int(part < given.least)


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
