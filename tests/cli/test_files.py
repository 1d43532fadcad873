"""Files on the command line: sent, fetched, listed, and drawn by their folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Crm

from crm_cli import failures
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


def test_a_file_goes_up_and_comes_down(served: Crm, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"one\ntwo\n")
    made = served("files", "upload", str(path), "--folder", "/cli").json
    assert (made["name"], made["folder"], made["size"]) == ("note.txt", "/cli", 8)
    done = served("files", "download", made["id"], "--to", str(tmp_path / "copy.txt")).json
    assert (tmp_path / "copy.txt").read_bytes() == b"one\ntwo\n" and done["bytes"] == 8
    assert served("files", "download", made["id"], "--byte-range", "4-6", "--to", "-").out == "two"
    share = served("files", "share", made["id"], "--link", "--data", json.dumps({"password": "open sesame"})).json
    assert share["passwordProtected"] is True
    header, row = served("files", "shared", "--direction", "by_me", "-o", "csv").out.splitlines()
    assert header.startswith("id,name,folder,access") and row.startswith(f"{share['id']},note.txt,/cli,view,link")


def test_folders_are_drawn(client: CrmClient, drawn: Callable[..., str], served: Crm) -> None:
    client = client.with_options(dialects="platform")
    made = client.files.upload(("b.txt", b"x" * 1500), folder="/tree/in", visibility="private")
    client.files.upload(("a.txt", b"x"), folder="/tree")
    client.files.share(client.files.versions.create(made.id, b"y" * 2000).file_id, link=True)
    lines = [text.strip() for text in drawn("files", "tree", "/tree").splitlines() if text.strip()]
    assert [text.split("  ")[0] for text in lines] == ["/tree", "a.txt", "/tree/in", "◆ b.txt", "2 files"]
    assert "2.0 kB  version 2" in lines[3] and lines[-1] == "2 files  2.0 kB"
    ids = [json.loads(row)["id"] for row in served("files", "tree", "/tree", "-o", "jsonl").out.splitlines()]
    assert ids[-1] == made.id


def test_a_long_copy_says_how_far_it_is(served: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_cli.commands.sync._EVERY", 7)
    said = served("sync", str(tmp_path / "copy"), "--entity", "account").err.splitlines()
    count = int(said[-1].partition(": ")[2].partition(" ")[0])
    assert count > 14 and said[:-1] == [f"{number} changes …" for number in range(7, count + 1, 7)]


def test_a_copy_is_a_folder_of_lines_or_a_file(served: Crm, client: CrmClient, tmp_path: Path) -> None:
    folder, file = tmp_path / "deep" / "copy", tmp_path / "crm.db"
    first = served("sync", str(folder), "--entity", "account")
    assert first.status == 0 and " scanned" in first.err
    assert sorted(path.name for path in folder.glob("*.jsonl")) == ["account.jsonl"]
    lines = (folder / "account.jsonl").read_text().splitlines()
    assert f"{len(lines)} scanned" in first.err
    assert f"{folder}: up to date" in served("sync", str(folder)).err
    client.with_options(dialects="platform").accounts.create({"name": "Looms"})
    assert f"{folder}: 1 created" in served("sync", str(folder)).err
    assert len((folder / "account.jsonl").read_text().splitlines()) == len(lines) + 1
    assert served("sync", f"sqlite:{file}", "--entity", "account").status == 0 and file.is_file()
    refused = served("sync", "sqlite:")
    assert (refused.status, "sqlite: needs the name of a file" in refused.err) == (failures.USAGE, True)
