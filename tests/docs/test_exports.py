"""The lists of public names follow from the modules: a new module is in them, a name that two have is refused."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script, on a copy of the package."""
    spec = importlib.util.spec_from_file_location("exports", ROOT / "docs" / "exports.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "crm_sdk", tmp_path / "crm_sdk", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "ROOT", tmp_path / "crm_sdk")
    monkeypatch.setattr("sys.argv", ["exports.py"])
    return module


def test_a_new_module_is_listed(exports: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    package = exports.ROOT
    (package / "models" / "quuxes.py").write_text(
        "from typing import TypeAlias\nfrom .record import Record\nQuuxKind: TypeAlias = str\n"
        "class Quux(Record): ...\nclass _Quux(Record): ...\n"
    )
    (package / "resources" / "quuxes.py").write_text("from .quux_parts import QuuxParts\nclass Quuxes: ...\n")
    (package / "resources" / "quux_parts.py").write_text("class QuuxParts: ...\n")
    (package / "errors.py").write_text(f"{(package / 'errors.py').read_text()}\n\nclass QuuxError(CrmError): ...\n")
    monkeypatch.setattr("sys.argv", ["exports.py", "--check"])
    assert exports.main() == 1
    monkeypatch.setattr("sys.argv", ["exports.py"])
    assert exports.main() == 0
    listed = (package / "models" / "__init__.py").read_text()
    assert '    "quuxes": "Quux QuuxKind",\n' in listed
    assert "    from .quuxes import Quux as Quux, QuuxKind as QuuxKind\n" in listed
    catalogue = (package / "catalogue.py").read_text()
    assert "    quuxes: Quuxes[Mode] = noun()\n" in catalogue
    assert "quux_parts" not in catalogue, "what belongs to another resource is no noun of the client"
    assert '    "QuuxError",\n' in (package / "__init__.py").read_text()
    for file in ("models/__init__.py", "__init__.py", "catalogue.py"):
        compile((package / file).read_text(), file, "exec")
    monkeypatch.setattr("sys.argv", ["exports.py", "--check"])
    assert exports.main() == 0


def test_a_name_has_one_home(exports: ModuleType) -> None:
    (exports.ROOT / "models" / "quuxes.py").write_text("class Lead: ...\n")
    with pytest.raises(ValueError, match=r"both models/leads\.py and models/quuxes\.py define Lead"):
        exports.main()


def test_a_resource_is_called_like_its_module(exports: ModuleType) -> None:
    (exports.ROOT / "resources" / "quuxes.py").write_text("class Quux: ...\n")
    with pytest.raises(ValueError, match=r"resources/quuxes\.py has no class Quuxes"):
        exports.main()
