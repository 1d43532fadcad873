"""What a declaration names is what its module imports, and other things that hold for every declared operation."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect

import pytest

from crm_sdk.arguments import _Names
from crm_sdk.catalogue import declared_operations

OPERATIONS = list(declared_operations())
MODULES = sorted({operation.function.__module__.rpartition(".")[2] for operation in OPERATIONS})


@pytest.mark.parametrize("noun", MODULES)
def test_a_name_means_what_the_module_imports_for_type_checkers(noun: str) -> None:
    module = importlib.import_module(f"crm_sdk.resources.{noun}")
    names = _Names(next(op for op in OPERATIONS if op.function.__module__ == module.__name__).function)
    checked = 0
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith("models"):
            home = importlib.import_module(f"crm_sdk.{node.module}")
            for alias in node.names:
                assert names[alias.asname or alias.name] is getattr(home, alias.name), alias.name
                checked += 1
    assert checked


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_says_what_it_does(operation: object) -> None:
    doc = inspect.getdoc(operation) or ""
    first = doc.splitlines()[0]
    assert first.endswith(".") and len(first) <= 120 and first[0].isupper()
    assert not first.split()[0].endswith("s") or first.split()[0] in {"Process"}, f"not imperative: {first}"


@pytest.mark.thorough
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


@pytest.mark.parametrize("package", ["crm_sdk", "crm_sdk.webhooks", "crm_sdk.sync"])
def test_a_package_loads_with_a_name_what_it_takes_for_it(package: str) -> None:
    module = importlib.import_module(package)
    spec = importlib.util.spec_from_file_location(package, module.__file__)
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    names = getattr(module, "__all__", None) or module._MODULES
    assert set(names) & vars(fresh).keys() <= {"__version__"}


def test_a_package_that_imports_late_offers_what_it_lists() -> None:
    for package in ("crm_sdk", "crm_sdk.models", "crm_sdk.webhooks", "crm_sdk.sync"):
        module = importlib.import_module(package)
        names = set(getattr(module, "__all__", None) or module._MODULES)
        assert all(getattr(module, name) is not None for name in names)
        assert names <= set(dir(module)) or package == "crm_sdk.sync"
        with pytest.raises(AttributeError, match="nothing_of_that_name"):
            _ = module.nothing_of_that_name
