"""What a declaration names is what its module imports, and other things that hold for every declared operation."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from crm_sdk import resources
from crm_sdk.arguments import _Names
from crm_sdk.realtime.declared import LiveCall
from crm_sdk.resource import Resource
from server_stub.router import declared

OPERATIONS = list(declared())
HOMES = ("models", "realtime.stream", "realtime.channel")
MODULES = sorted(path.stem for path in Path(next(iter(resources.__path__))).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("noun", MODULES)
def test_a_name_means_what_the_module_imports_for_type_checkers(noun: str) -> None:
    module = importlib.import_module(f"crm_sdk.resources.{noun}")
    found = [op.function for op in OPERATIONS if op.function.__module__ == module.__name__]
    names = _Names(found[0] if found else _live(module))
    checked = 0
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith(HOMES):
            home = importlib.import_module(f"crm_sdk.{node.module}")
            for alias in node.names:
                assert names[alias.asname or alias.name] is getattr(home, alias.name), alias.name
                checked += 1
    assert checked


def _live(module: ModuleType) -> FunctionType:
    return next(
        call.function
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Resource)
        for call in vars(kind).values()
        if isinstance(call, LiveCall)
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_says_what_it_does(operation: object) -> None:
    doc = inspect.getdoc(operation) or ""
    first = doc.splitlines()[0]
    assert first.endswith(".") and len(first) <= 120 and first[0].isupper()
    assert not first.split()[0].endswith("s") or first.split()[0] in {"Process"}, f"not imperative: {first}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_type_resolves_and_builds(operation: object) -> None:
    from crm_sdk.operation import Operation
    from crm_sdk.reading import Reader
    from crm_sdk.resource import Async, Sync

    assert isinstance(operation, Operation)
    for mode in (Sync, Async):
        if operation.arguments.returns is not None and operation.kind != "download":
            for route in operation.routes.values():
                whole = route.dialect.envelope(
                    operation.arguments.content(mode), listed=operation.kind == "page", path=route.path
                )
                Reader(whole).adapter.json_schema(mode="serialization")
