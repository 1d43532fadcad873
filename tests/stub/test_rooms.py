"""The stub is built in rooms that stand on each other: an import goes down, never back up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import server_stub

ROOT = Path(server_stub.__file__).parent
ROOMS = (
    "problems",
    "languages",
    "data",
    "files",
    "clock",
    "outside",
    "faults",
    "history",
    "caller",
    "answers",
    "serving",
    "timetable",
    "request",
    "messages",
    "archives",
    "jobs",
    "mail",
    "bulk",
    "nouns",
    "webhooks",
    "live",
    "noun",
    "services",
    "seed",
    "collected",
    "jsonapi",
    "doors",
    "core",
    "__init__",
    "__main__",
)
"""The packages and modules of the stub, from the bottom up: each may import those before it."""
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def room_of(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py") if parts else "__init__"


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Give the rooms a file imports from, and in which line; what only type checkers import does not count."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    checked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in checked:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            base = file.parent.parts[: len(file.parent.parts) - node.level + 1]
            for alias in node.names:
                named = (*base, *(node.module or "").split("."), alias.name) if node.module else (*base, alias.name)
                yield node.lineno, room_of(named)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in names:
                package, *rest = name.split(".")
                if package == "server_stub":
                    yield node.lineno, room_of(tuple(rest))


def test_every_room_has_its_place() -> None:
    assert {room_of(file.parts) for file in FILES} <= set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_import_runs_back_up(file: Path) -> None:
    own = room_of(file.parts)
    up = [
        f"{file}:{line}: {own} imports {room}"
        for line, room in imports(file)
        if room != own and ROOMS.index(room) > ROOMS.index(own)
    ]
    assert up == []


@pytest.mark.parametrize("file", FILES, ids=str)
def test_the_services_are_collected_and_not_imported(file: Path) -> None:
    own, imported = room_of(file.parts), {room for _, room in imports(file)}
    if own not in ("services", "collected"):  # which looks through the services' modules
        assert "services" not in imported
    if own == "services":
        assert "seed" not in imported


def test_an_import_that_runs_back_up_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "live").mkdir()
    lines = (
        "if TYPE_CHECKING:",
        "    from ..collected import A",
        "def late():",
        "    from ..services.leads import b",
        "from . import c",
        "import server_stub.core",
        "from server_stub.seed import d",
    )
    (tmp_path / "live" / "one.py").write_text("\n".join(lines))
    monkeypatch.setattr(__name__ + ".ROOT", tmp_path)
    assert {room for _, room in imports(Path("live/one.py"))} == {"services", "live", "core", "seed"}
