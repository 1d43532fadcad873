"""What TAB offers from the server, aliases and programs, and for how long it is remembered."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import HANG
from shell import ROOT, Crm

from crm_cli import completion
from crm_cli.discovery import live_words
from crm_cli.discovery.remembering import remember
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]
Tab = Callable[..., list[str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that the server is asked for, which this process does itself."""
    sources: list[str] = []

    def start(words: list[str]) -> None:
        sources.append(words[2])
        remember(words[1:])

    monkeypatch.setattr(live_words, "_start", start)
    return sources


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of names, which takes long to make."""
    folder = tmp_path_factory.mktemp("names")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_DATA_DIR", str(folder))
        completion.names()
    return folder / "names"


@pytest.fixture
def tab(asked: list[str], capsys: pytest.CaptureFixture[str], names: Path, folder: Path) -> Tab:
    shutil.copy(names, folder)

    def press(line: str, shell: str = "zsh") -> list[str]:
        words = line.split(" ")
        capsys.readouterr()
        assert completion.complete([shell, str(len(words) - 1), *words]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out.splitlines()

    return press


PLACES = [
    ("crm deals get ", "deal_"),
    ("crm deals get {Deal}", "{Deal}"),
    ("crm deals list --owner-id ", "user_"),
    ("crm deals list --owner-id user_s", "user_sam"),
    ("crm deals move-stage deal_1 neg", "negotiation"),
    ("crm deals list --stage neg", "negotiation"),
    ("crm pipelines stages update pipeline_acme ", "stage_"),
    ("crm contacts show ", "contact_"),
    ("crm contacts relationships list ", "contact_"),
    ("crm wait accounts ", "account_"),
    ("crm wait pip", "pipelines"),
    ("crm leads get ", "lead_"),
    ("crm accounts tree ", "account_"),
    ("crm completion f", "fish"),
    ("crm help exit", "exit-codes"),
    ("crm --profile d", "default"),
    ("crm config get base", "base_url"),
]


@pytest.mark.parametrize(("line", "begins"), PLACES, ids=[line for line, _ in PLACES])
def test_a_place_is_completed_with_what_can_stand_there(
    line: str, begins: str, served: Crm, tab: Tab, stub: StubServer
) -> None:
    stub.client().deals.create({"title": "Zeppelin", "value": 1, "contact_id": "contact_123"})
    found = tab(line.replace("{Deal}", "zepp"))
    assert found and all(each.startswith(begins.replace("{Deal}", "Zeppelin")) for each in found), found


def test_a_company_has_its_own_stages(served: Crm, tab: Tab, stub: StubServer) -> None:
    stages: Any = [
        {"name": "Tasting", "probability": 20},
        {"name": "Bought", "kind": "won"},
        {"name": "Left", "kind": "lost"},
    ]
    made = stub.client(dialects="platform").pipelines.create({"name": "Tea", "stages": stages})
    assert "tasting:Tasting (Tea)" in tab("crm deals list --stage ")
    assert tab(f"crm pipelines stages update {made.id} ")[0] == f"{made.stages[0].id}:Tasting"


@pytest.mark.parametrize(
    ("shell", "typed", "answer"),
    [
        ("zsh", "tea", 'Tea\\: "5 o\'clock", a$b\\\\c:{id}'),
        ("fish", "tea", 'Tea: "5 o\'clock", a$b\\c\t{id}'),
        ("bash", "tea", 'Tea:\\ \\"5\\ o\\\'clock\\",\\ a\\$b\\\\c'),
        ("bash", '"tea', 'Tea: \\"5 o\'clock\\", a\\$b\\\\c'),
        ("bash", "'tea", "Tea: \"5 o'\\''clock\", a$b\\c"),
        ("bash", "Tea:\\", 'Tea:\\ \\"5\\ o\\\'clock\\",\\ a\\$b\\\\c'),
    ],
)
def test_a_name_is_quoted_as_its_shell_reads_it(
    shell: str, typed: str, answer: str, served: Crm, tab: Tab, stub: StubServer
) -> None:
    made = stub.client().contacts.create({"name": 'Tea: "5 o\'clock", a$b\\c'})
    assert tab(f"crm contacts get {typed}", shell) == [answer.format(id=made.id)]


def test_a_name_that_two_have_is_completed_with_their_ids(served: Crm, tab: Tab, stub: StubServer) -> None:
    ids = {stub.client().contacts.create({"name": "Twin Peaks", "email": f"{n}@x.test"}).id for n in "ab"}
    assert {each.partition(":")[0] for each in tab("crm contacts get twin")} == ids


def test_an_answer_holds_until_it_expires_or_something_is_written(
    served: Crm, tab: Tab, stub: StubServer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "crm contacts get late"
    assert tab(line) == []
    stub.client().contacts.create({"name": "Late Comer"})
    assert (tab(line), asked) == ([], ["contacts.list"])
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + live_words.FRESH + 1)
    assert (len(tab(line)), asked) == (1, ["contacts.list"] * 2)
    monkeypatch.setattr("time.time", lambda: now)  # a clock that was put back
    assert (len(tab(line)), asked) == (1, ["contacts.list"] * 3)
    assert served("contacts", "create", "--name", "Late Bird").status == 0
    assert (len(tab(line)), asked) == (2, ["contacts.list"] * 4)


def test_whatever_writes_makes_tab_ask_again(
    served: Crm, tab: Tab, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRM_UNDO", "1")
    rows = tmp_path / "rows.csv"
    rows.write_text("name,email\nRow Reader,row@reader.example\n")
    for words in (
        ["contacts", "create", "--name", "Row Writer"],
        ["undo", "--yes"],
        ["contacts", "import", str(rows)],
        ["contacts", "delete", "contact_123", "--yes"],
        ["api", "POST", "/v1/contacts", "-d", '{"name": "Row Api"}'],
        ["chat", "create a task call Ada tomorrow", "--yes"],
    ):
        tab("crm contacts get row")
        before = len(asked)
        assert served(*words).status == 0, words
        tab("crm contacts get row")
        assert len(asked) == before + 1, words


@pytest.mark.parametrize(
    "other", ["--tenant tenant_globex", "--base-url http://other.test", "--api-key other", "--profile other", "file"]
)
def test_other_settings_do_not_share_an_answer(
    other: str, served: Crm, tab: Tab, asked: list[str], folder: Path
) -> None:
    assert tab("crm deals get ")
    if other == "file":
        (folder / "config.toml").write_text("[profiles.other]\nbase_url = 'http://other.test'\n")
        tab("crm deals get ")
    else:
        tab(f"crm {other} deals get ")
    assert asked == ["deals.list"] * 2
    assert len(list((folder / "words").iterdir())) == 2


def test_nobody_else_may_read_what_is_remembered_and_no_secret_is_in_it(served: Crm, tab: Tab, folder: Path) -> None:
    tab("crm deals get ")
    paths = [folder / "words", *(folder / "words").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert all("acme-admin" not in str(path) and b"acme-admin" not in path.read_bytes() for path in paths[2:])


FAULTS: list[tuple[Any, dict[str, str]]] = [
    ({"kind": "status", "status": 500}, {}),
    ({"kind": "status", "status": 401}, {}),
    ({"kind": "garble"}, {}),
    (None, {"CRM_API_KEY": "wrong"}),
    ({"kind": "refuse"}, {}),
    (None, {"CRM_BASE_URL": "no address"}),
    (None, {"CRM_COMPLETION_WAIT": "soon"}),
    (None, {"CRM_OFFLINE": "maybe"}),
]


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_no_error_shows_in_tab(
    number: int, served: Crm, tab: Tab, stub: StubServer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, variables = FAULTS[number]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if fault is not None:
        stub.faults.add(**fault)
    assert tab("crm deals get ") == tab("crm deals get ") == []
    assert len(asked) <= 1 or "CRM_COMPLETION_WAIT" in variables


def test_a_file_of_words_that_is_damaged_is_written_anew(served: Crm, tab: Tab, folder: Path) -> None:
    whole = tab("crm deals get ")
    (file,) = (folder / "words").rglob("deals.list")
    for content in (b"", b"\xff\xfe", b"soon\nx", b"9999999999\nx\ty"):
        file.write_bytes(content)
        assert tab("crm deals get ") == whole


@pytest.mark.thorough
def test_a_server_that_hangs_does_not_hang_tab(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {
            **os.environ,
            "CRM_BASE_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
            "CRM_API_KEY": "key",
            "CRM_COMPLETION_WAIT": "0.1",
        }
        words = ["__complete", "bash", "3", "crm", "deals", "get", ""]
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-m", "crm_cli", *words], cwd=ROOT, env=environment, capture_output=True, timeout=HANG
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        server.settimeout(HANG)
        connection, _ = server.accept()  # the server was asked, and TAB has ended before it answered
        connection.close()


@pytest.mark.thorough
def test_aliases_and_programs_are_commands_to_tab(served: Crm, tab: Tab, folder: Path, tmp_path: Path) -> None:
    assert served("alias", "set", "zz", "deals list --status open").status == 0
    assert served("alias", "set", "mv", "deals move-stage $1").status == 0
    program = tmp_path / "bin" / "crm-zzz"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        assert tab("crm zz") == ["zz:crm deals list --status open", f"zzz:{program}"]
        assert tab("crm zzz ") == []
    assert "--owner-id" in tab("crm zz --own")
    assert tab("crm --offline zz --stage nego") == ["negotiation"]
    assert "negotiation" in tab("crm mv deal_1 nego")
    assert tab("crm mv ") == []  # what it needs is still to be typed
    assert tab("crm alias delete m") == ["mv:crm deals move-stage $1"]
    (folder / "aliases.json").write_text("{")
    assert tab("crm zz ") == []
