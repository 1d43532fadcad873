"""No password, token, key or secret of a second factor shows in output, notes, logs and files of settings."""

from __future__ import annotations

import logging
from pathlib import Path

import pyotp
import pytest
from shell import Crm, Memory

from crm_cli.account import credentials
from crm_cli.account.credentials import Account
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

AT = ("--base-url", "http://crm.test")


def test_no_secret_shows(
    crm: Crm,
    ring: Memory,
    folder: Path,
    project: Path,
    stub: StubServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    ada = stub.client(api_key=None)
    ada.auth.login("ada@acme.test", "demo-password")
    secret = str(ada.auth.mfa.setup().secret)
    totp = pyotp.TOTP(secret)
    ada.auth.mfa.verify(totp.at(stub.clock.now()))
    caplog.clear()
    stub.clock.advance(60)
    code = totp.at(stub.clock.now())
    words = ["login", *AT, "--email", "ada@acme.test", "--debug"]
    account = Account("default", "http://crm.test")
    secrets = ["demo-password", secret, "wrong-password", "canary-key-77"]
    shown = []
    with stub.intercept():
        shown += [crm(*words, stdin="wrong-password\n"), crm(*words, stdin=f"demo-password\n{code}9\n")]
        done = crm(*words, stdin=f"demo-password\n{code}\n")
        assert done.status == 0, done.err
        shown.append(done)
        for renewed in (False, True):
            if renewed:
                stub.clock.advance(3601)
                assert crm("whoami").status == 0
            kept = credentials.load(account)
            assert kept is not None and kept.refresh_token is not None
            secrets += [kept.access_token, kept.refresh_token]
            assert kept.access_token not in repr(kept) and kept.refresh_token not in repr(kept)
            lead = crm("leads", "create", "--name", "Ada", "--debug").json["id"]
            for each in (
                ["status", "-o", "table"], ["doctor"], ["config", "explain", "api_key"],
                ["leads", "get", "none", "--debug"], ["leads", "list", "--explain"],
                ["leads", "update", lead, "--value", "5", "--dry-run"], ["api", "GET", "/v1/none", "-i", "--debug"],
            ):  # fmt: skip
                shown.append(crm(*each, stdin="wrong-password\n"))
        monkeypatch.setenv("CRM_API_KEY", "canary-key-77")
        for each in (["status", "--debug"], ["whoami", "--json-errors"], ["config", "list"], ["doctor"], ["login"]):
            shown.append(crm(*each))
    files = "".join(path.read_text() for path in folder.iterdir() if path.suffix in (".toml", ".json", ".lock"))
    text = "".join(result.out + result.err for result in shown) + caplog.text + files
    assert [secret for secret in secrets if secret in text] == []
    assert len(set(secrets)) == len(secrets)
