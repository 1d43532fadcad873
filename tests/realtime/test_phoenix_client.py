"""The JavaScript client of Phoenix Channels against the stub, in three versions: it sees what the real one shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from patience import HANG

from server_stub import StubServer

pytestmark = pytest.mark.thorough

HERE = Path(__file__).parent.parent / "support" / "phoenix"
INSTALLED = Path(sys.prefix) / "phoenix"
"""Where `make test` installs the clients."""

EXPECTED: Mapping[str, Any] = {
    "pushes": {
        "echo": ["ok", {"a": [1, "ü"]}], "error": ["error", {"reason": "no"}], "noreply": ["timeout"],
        "pushed": [{"n": 1}],
    },
    "broadcast": {"reply": ["ok", {}], "heard": [["one", 7], ["other", 7]]},
    "presence": {"there": [["user_ada", None, "desk"], ["user_sam", True, None]]},
    "heartbeat": {"opens": 1, "errors": 0},
    "silence": {"echo": ["ok", {}]},
    "leave": {"result": ["ok", {}], "closed": 1, "state": "closed"},
    "duplicate": {"replies": [["phx_reply", True, "ok"], ["phx_close", False, None]]},
    "lost": {"echo": ["ok", {"again": True}]},
    "restarted": {"codes": [1012]},
    "refused": {
        "user:user_sam:deals": ["error", {"reason": "unauthorized"}],
        "company:tenant_globex": ["error", {"reason": "unauthorized"}],
        "nothing:here": ["error", {"reason": "unmatched topic"}],
    },
    "crash": {"reasons": ["channel_crash"], "echo": ["ok", {}]},
    "binary": {"echo": ["ok", [1, 0, 255]], "heard": {"bin": [0, 1, 254], "binb": [0, 1, 254]}},
    "token": {"protocol": "phoenix", "connected": False},
}  # fmt: skip


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the clients are installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    if (INSTALLED / "node_modules").is_dir():
        return INSTALLED
    folder = tmp_path_factory.mktemp("phoenix")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    stub = StubServer()
    stub.live.test_mode = True
    with stub.serve() as port:
        yield port.url


@pytest.mark.parametrize("client", ["phoenix-1.8", "phoenix-1.7", "phoenix-1.6"])
def test_the_javascript_client_sees_a_phoenix_server(clients: Path, url: str, client: str) -> None:
    done = subprocess.run(
        ["node", str(HERE / "drive.mjs"), str(clients), client, url],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    saw = {line["name"]: line["saw"] for line in map(json.loads, done.stdout.splitlines())}
    expected = {**EXPECTED, "events": {"heard": [f"Told {client}"]}}
    if client != "phoenix-1.8":
        expected["token"] = None
    assert saw == expected
