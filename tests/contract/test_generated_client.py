"""A client that openapi-python-client generates from our documents, which knows nothing else of us, calls the stub."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crm_sdk.openapi import document
from crm_sdk.wire import encode_json
from server_stub import StubServer

HERE = Path(__file__).parent.parent / "support" / "generated_client"
SCRIPTS = Path(sys.prefix) / "generated" / ("Scripts" if sys.platform == "win32" else "bin")
"""Where `make test` installs the generator: it needs an older typer than ours."""


@pytest.mark.thorough
@pytest.mark.skipif(not (SCRIPTS.parent / "installed").exists(), reason="`make test` installs openapi-python-client")
@pytest.mark.parametrize(
    ("dialect", "noun", "kind"),
    [("mvp", "leads", "Lead"), ("flow", "contacts", "Contact"), ("platform", "leads", "Lead")],
)
def test_a_generated_client_lists_creates_gets_and_reads_errors(
    tmp_path: Path, dialect: str, noun: str, kind: str
) -> None:
    described = tmp_path / "openapi.json"
    described.write_bytes(encode_json(document(dialect)))
    generator = ["-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    generator += ["--config", str(HERE / "config.yaml")]
    _run(*generator, "--path", str(described), "--output-path", str(tmp_path / "generated"))
    with StubServer().serve() as port:
        url = f"{port.url}/v1" if dialect == "platform" else f"{port.url}/{dialect}"
        saw = json.loads(_run(str(HERE / "drive.py"), str(tmp_path), url, noun, kind))
    assert saw == {
        "created": [201, "Grace Hopper", "grace@example.com"],
        "got": [True, kind],
        "listed": [kind] * 5,
        "refused": [[404, "Failure", ["NOT_FOUND"]], [422, "Failure", ["VALIDATION_ERROR"]]],
    }


def _run(*words: str) -> str:
    done = subprocess.run(
        [str(SCRIPTS / "python"), *words], capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
