"""Find the messages of errors in the source of the stub: every text that reaches a `Problem` or a `FieldError`.

A message is found through local names, conditional expressions and functions that pass it on; its values become
numbered holes, as in the catalogues: ``f"no {kind} has the id {id!r}"`` is ``no {0} has the id {1}``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import server_stub

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
Passed: TypeAlias = "tuple[Function, str]"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEEPEST = 3
_NOT_MESSAGES = frozenset({"__init__", "row", "websocket", "__call__", "send"})
"""Functions of other modules that are called as one that passes a message on."""
_WORDS = re.compile(r"[A-Za-z]{2}")
_HOLE = "\0"


def templates(root: Path = Path(server_stub.__file__).parent) -> dict[str, str]:
    """Return the templates of all messages in a folder, each with a file that has it."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.py"))}
    carriers: dict[str, dict[str, int | None]] = {"Problem": {"message": 1}, "FieldError": {"message": 2}}
    found: dict[str, str] = {}
    known = 0
    while known != (known := sum(map(len, carriers.values()))):
        for path, tree in trees.items():
            owners = {m: c.name for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for m in c.body}
            for call, scope in _calls(tree, ()):
                for text in _messages(call, scope, carriers):
                    if isinstance(text, str):
                        found.setdefault(_numbered(text), path.relative_to(root).as_posix())
                    else:
                        _note(text, owners, carriers)
    return {text: path for text, path in found.items() if _WORDS.search(text.replace("{0}.", ""))}


def _note(passed: Passed, owners: dict[ast.stmt, str], carriers: dict[str, dict[str, int | None]]) -> None:
    """Remember that a function passes one of its arguments on as a message."""
    function, argument = passed
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    place = names.index(argument) if argument in names else None
    if place is not None and names[0] in ("self", "cls"):
        place -= 1
    name = owners.get(function, "") if function.name == "__init__" else function.name
    carriers.setdefault(name, {}).setdefault(argument, place)


def _calls(node: ast.AST, scope: Sequence[Function]) -> Iterator[tuple[ast.Call, Sequence[Function]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, scope
        yield from _calls(child, (child, *scope) if isinstance(child, _FUNCTIONS) else scope)


def _messages(
    call: ast.Call, scope: Sequence[Function], carriers: dict[str, dict[str, int | None]]
) -> Iterator[str | Passed]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in _NOT_MESSAGES:
        return
    for argument, place in list(carriers.get(name, {}).items()):
        given = next((one.value for one in call.keywords if one.arg == argument), None)
        if place is not None and place < len(call.args):
            given = None if any(isinstance(one, ast.Starred) for one in call.args[: place + 1]) else call.args[place]
        if given is not None:
            yield from _texts(given, scope, 0)


def _texts(node: ast.expr, scope: Sequence[Function], depth: int) -> Iterator[str | Passed]:
    """Yield the texts that an expression may have, with holes; or the argument that it passes on."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else _HOLE for one in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, scope, depth)
        yield from _texts(node.orelse, scope, depth)
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            yield from _texts(one, scope, depth)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (list(_texts(one, scope, depth)) for one in (node.left, node.right))
        yield from (a + b for a in left for b in right if isinstance(a, str) and isinstance(b, str))
    elif isinstance(node, ast.Name) and depth < _DEEPEST:
        for function in scope:
            values = list(_assigned(function, node.id))
            for value in values:
                yield from _texts(value, scope, depth + 1)
            arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
            is_argument = any(one.arg == node.id for one in arguments)
            if is_argument:
                yield function, node.id
            if values or is_argument:
                return


def _assigned(function: Function, name: str) -> Iterator[ast.expr]:
    """Yield what a local name is set to, also as one of several."""
    for node in ast.walk(function):
        if isinstance(node, (ast.NamedExpr, ast.AnnAssign)) and node.value is not None:
            yield from _matching(node.target, node.value, name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _matching(target, node.value, name)


def _matching(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
        yield from _matching(target, value.body, name)
        yield from _matching(target, value.orelse, name)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, each in zip(target.elts, value.elts, strict=False):
            yield from _matching(one, each, name)


def _numbered(text: str) -> str:
    parts = text.split(_HOLE)
    return "".join(f"{part}{{{n}}}" for n, part in enumerate(parts[:-1])) + parts[-1]
