"""``crm backups create --to`` and ``crm restore``: an archive in a file, and what restoring it does."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from shell import Crm

pytest_plugins = ["cli_fixtures"]


@pytest.mark.thorough
def test_an_archive_is_saved_and_restored(offline: Crm, tmp_path: Path) -> None:
    file = tmp_path / "acme.zip"
    made = offline("backups", "create", "--name", "Now", "--to", str(file), "-o", "json")
    assert made.status == 0, made.err
    assert made.json["file"] == str(file)
    assert offline("backups", "create", "--name", "Now", "-o", "table").out.startswith("✓ Now")
    assert "manifest.json" in zipfile.ZipFile(file).namelist()
    _, backup, *_ = json.loads(offline("backups", "list", "-o", "json").out)
    assert backup["size"] == file.stat().st_size
    assert offline("restore", backup["id"], "-o", "table").out == "the backup is what is there now\n"
    assert offline("contacts", "delete", "contact_123", "--yes").status == 0
    drill = offline("restore", backup["id"], "-o", "table").out
    assert any(line.split() == ["contact", "1", "would", "come", "back"] for line in drill.splitlines())
    merged = offline("restore", str(file), "--mode", "merge", "-o", "table")
    assert "is the backup backup_" in merged.err
    assert any(line.split() == ["contact", "1", "restored"] for line in merged.out.splitlines())
    assert offline("contacts", "get", "contact_123").status == 0
    replaced = json.loads(offline("restore", backup["id"], "--mode", "replace", "--confirm", "acme", "-o", "json").out)
    assert replaced["safetyBackupId"].startswith("backup_")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("restore", "nofile.zip"), "there is no file nofile.zip"),
        (("restore", "backup_none"), "NOT_FOUND"),
        (("restore", "in/a/folder"), "there is no file in/a/folder"),
        (("restore", "backup_none", "--mode", "all"), "--mode must be one of"),
        (("restore", "backup_none", "--mode", "replace"), "confirm it with --confirm and the company's slug"),
        (("backups", "create", "--no-wait", "--to", "x.zip"), "--to saves what the job has made"),
    ],
)
def test_what_cannot_be_done_is_said(offline: Crm, words: tuple[str, ...], why: str) -> None:
    done = offline(*words)
    assert done.status != 0 and why in done.err
