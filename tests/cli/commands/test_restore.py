"""``crm restore``: what it asks the server to do, and what is drawn of it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.commands import restore
from crm_cli.console import stdout

pytest_plugins = ["cli_fixtures"]


def drawn(capsys: pytest.CaptureFixture[str], **given: Any) -> list[str]:
    result: dict[str, Any] = {"mode": "merge", "differences": [], "restored": {}, "conflicts": []}
    made: Any = Of(**result | {"safety_backup_id": None} | given)
    restore._draw(stdout(90), made)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_drill_says_what_would_change_and_a_restore_what_came_back(capsys: pytest.CaptureFixture[str]) -> None:
    def one(entity: str, *counts: int) -> Any:
        return Of(entity=entity, **dict(zip(("only_in_backup", "only_now", "different"), counts, strict=True)))

    differences = [one("lead", 1200, 0, 2), one("deal", 0, 1, 0)]
    assert drawn(capsys, mode="drill", differences=differences, restored={"lead": 5}) == [
        "lead              1,200 would come back, 2 would change", "deal              1 would go",
    ]  # fmt: skip
    assert drawn(capsys, mode="drill") == ["the backup is what is there now"]
    assert drawn(capsys, restored={"lead": 1200, "deal": 0}, safety_backup_id="b9", differences=differences) == [
        "lead              1,200 restored", "safety backup  b9",
    ]  # fmt: skip
    assert drawn(capsys, restored={"deal": 0}) == drawn(capsys) == ["nothing was missing"]
    conflicts = [Of(value=None if n else "a@b.test", code="TAKEN", message="is taken") for n in range(restore._SHOWN)]
    shown = drawn(capsys, conflicts=conflicts)
    assert shown[:3] == ["nothing was missing", "a@b.test  TAKEN  is taken", "TAKEN  is taken"]
    assert len(shown) == 1 + restore._SHOWN
    more = drawn(capsys, conflicts=[*conflicts, *conflicts[:2]])
    assert len(more) == 2 + restore._SHOWN and more[-1] == "… 2 more"


def test_an_archive_is_taken_over_first(served: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []

    def restored(backup: str, **given: Any) -> Any:
        done.append((backup, given))
        result = Of(mode=given["mode"], differences=[], restored={}, conflicts=[], safety_backup_id=None)

        def wait(timeout: float) -> Any:
            done.append(timeout)
            return result

        return Of(wait=wait)

    def upload(path: Path, on_conflict: str) -> Any:
        done.append((path.name, on_conflict))
        return Of(id="file_1")

    backups = Of(restore=restored, create=lambda file_id: Of(id=f"of_{file_id}", tenant_slug="acme"))
    client = Of(backups=backups, files=Of(upload=upload))
    monkeypatch.setattr(restore, "open_writing_client", lambda settings: nullcontext(client))
    file = tmp_path / "acme.zip"
    file.touch()
    said = served("restore", str(file), "-o", "table")
    assert (said.status, said.out) == (0, "the backup is what is there now\n")
    assert said.err == f"{file} is the backup of_file_1, of acme\n"
    drill = {"mode": "drill", "confirm": None, "entity_types": None}
    assert done == [("acme.zip", "rename"), ("of_file_1", drill), None]
    done.clear()
    words = ["--mode", "replace", "--confirm", "acme", "--entity-types", "lead", "--entity-types", "deal"]
    assert served("restore", "backup_1", *words, "-o", "table").status == 0
    assert done == [
        ("backup_1", {"mode": "replace", "confirm": "acme", "entity_types": ["lead", "deal"]}), None,
    ]  # fmt: skip
    for wrong in (["x", "--mode", "odd"], ["x", "--mode", "replace"], ["x.zip"], ["a/b"]):
        assert served("restore", *wrong).status == failures.USAGE
    assert served("restore", "x", "--mode", "merge", "-o", "table").out == "nothing was missing\n"
