"""What the README, the examples and the reference say works as it is written."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest
from patience import HANG

from server_stub import StubServer

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.M | re.S)
PYTHON = [text for language, text in BLOCKS if language == "python"]
SHELL = [text for language, text in BLOCKS if language == "sh"]


def shell(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CRM_DATA_DIR": str(folder / "data"),
        "CRM_CACHE_DIR": str(folder / "cache"),
        **more,
    }
    return subprocess.run(
        ["sh", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG
    )


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert len(README.splitlines()) <= 80
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    assert re.findall(r"^(make \w+)", SHELL[0], flags=re.M) == ["make demo", "make test"]


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_a_python_block_runs(number: int) -> None:
    module = types.ModuleType("readme")
    with StubServer().intercept():
        exec(compile(PYTHON[number], f"README.md, block {number}", "exec"), module.__dict__)  # noqa: S102 # our own README
        for name, value in list(vars(module).items()):
            if name.startswith("test_"):
                value()


@pytest.mark.thorough
def test_the_shell_block_runs(tmp_path: Path) -> None:
    done = shell(SHELL[1], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "acme.csv").read_text().startswith("id,")
    assert (tmp_path / "contacts.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.thorough
def test_the_commands_for_webhooks_run(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "webhooks.md").read_text().partition("## In a shell")[2]
    (block,) = re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S)
    done = shell(block, tmp_path)
    assert done.returncode == 0, done.stderr
    genuine, *headers, digest = done.stdout.splitlines()
    assert genuine == "genuine" and len(headers) == 4 and all(line.startswith("-H ") for line in headers)
    assert headers[0].endswith("sha256=" + digest.split()[-1])


def test_the_deliveries_of_the_document_arrive() -> None:
    text = (ROOT / "docs" / "webhooks.md").read_text().partition("## Endpoints and deliveries")[2]
    (block,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    exec(compile(block, "docs/webhooks.md", "exec"), {})  # noqa: S102 # our own document


def test_the_guide_to_real_time_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text, _, wire = (ROOT / "docs" / "realtime.md").read_text().partition("\n# On the wire\n")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    assert len(blocks) == text.count("```") // 2 and wire
    module = types.ModuleType("guide")
    with StubServer().intercept():
        for number, block in enumerate(blocks):
            exec(compile(block, f"docs/realtime.md, block {number}", "exec"), module.__dict__)  # noqa: S102 # our own guide
    said = capsys.readouterr().out
    assert "welcome Jane Doe\nJohn Doe\n" in said
    assert "lead.created\n" in said and "negotiation -> closed-won" in said and "came: Joined(" in said


def test_the_example_of_events_greets_every_lead_once(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "new_leads.py"), run_name="__main__")
    assert capsys.readouterr().out == "Welcome, Ada!\nWelcome, Bob!\nWelcome, Cyd!\n"


@pytest.mark.thorough
def test_the_demo_shows_the_main_job(tmp_path: Path) -> None:
    script = (ROOT / "examples" / "demo.sh").read_text().replace("examples/", f"{ROOT}/examples/")
    done = shell(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Grace Hopper") >= 2 and done.stdout.rstrip().endswith("ok")


def test_the_documents_own_example_runs_unchanged() -> None:
    with StubServer().intercept() as server:
        made = runpy.run_path(str(ROOT / "examples" / "mvp_document.py"))
    assert len(made["leads"].items) == 10 and {lead.status for lead in made["leads"].items} == {"new"}
    assert made["new_lead"].source == "api"
    assert made["result"].output.response
    assert [entry.operation for entry in server.journal] == ["leads.list", "leads.create", "agents.execute"]


@pytest.mark.parametrize("script", ["exports.py", "generate.py"])
def test_what_make_docs_writes_is_up_to_date(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
