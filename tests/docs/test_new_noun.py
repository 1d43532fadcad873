"""The skeleton of a service, as `make noun` writes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "new_noun.py"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, writing into a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("new_noun", SCRIPT)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for folder in ("crm_sdk/models", "crm_sdk/resources", "server_stub/services", "tests/services"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def test_it_writes_four_files_of_python_and_nothing_twice(script: Any, tmp_path: Path) -> None:
    assert script.main(["delivery_companies"]) == 0
    files = sorted(tmp_path.rglob("*.py"))
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "crm_sdk/models/delivery_companies.py",
        "crm_sdk/resources/delivery_companies.py",
        "server_stub/services/delivery_companies.py",
        "tests/services/test_delivery_companies.py",
    ]
    for file in files:
        compile(file.read_text(), str(file), "exec")
    assert 'kind="delivery_company"' in files[2].read_text() and "class DeliveryCompany(Record)" in files[0].read_text()
    before = [file.read_text() for file in files]
    assert script.main(["delivery_companies"]) == 1
    assert [file.read_text() for file in files] == before


@pytest.mark.parametrize("name", ["", "Warehouses", "../x", "warehouse", "ware houses"])
def test_a_name_that_cannot_be_one_is_refused(script: Any, tmp_path: Path, name: str) -> None:
    assert script.main([name] if name else []) == 2
    assert not list(tmp_path.rglob("*.py"))
