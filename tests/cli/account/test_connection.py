"""How a client is opened from the settings: with which key, and what is remembered of its server."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import Memory

from crm_cli import connection, settings
from crm_cli.account import credentials
from crm_cli.account.credentials import Account, Secret
from crm_cli.account.profiles import finding_of, note_finding
from crm_cli.connection import open_client, open_writing_client, refuse_strange_server, server_name, sharing
from crm_cli.failures import MisuseError, sign_in_hint
from crm_cli.settings import Options, settle
from crm_cli.terminal.prompts import production
from crm_sdk.errors import ConfigurationError
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

WORK = '[profiles.default]\nbase_url = "http://crm.test"\n'


def test_a_key_goes_before_the_secret_that_is_stored(
    folder: Path, project: Path, ring: Memory, stub: StubServer
) -> None:
    (folder / "config.toml").write_text(WORK)
    with stub.intercept():
        with open_client(settle(Options(api_key="acme-admin"))) as client:
            assert client.auth.me().id == "user_ada"
        credentials.save(Account("default", "http://crm.test"), Secret("globex-admin"), in_file=False)
        with open_client(settle(Options())) as client:
            assert client.auth.me().id == "user_gina"
        with open_client(
            settle(Options(api_key="acme-admin", tenant="tenant_acme", reason="why", language="de"))
        ) as one:
            assert one.auth.me().id == "user_ada" and one.tenant_id == "tenant_acme" and one.language == "de"
            settled = settle(Options())
            assert server_name(settled, one) == "http://crm.test"
            with sharing(one), open_client(settled) as other:
                assert other is one
            with open_client(settled) as other:
                assert other is not one


def test_without_a_server_there_is_no_client(folder: Path, project: Path) -> None:
    settled = settle(Options())
    assert settled.account is None
    with pytest.raises(ConfigurationError, match="no server is known"), open_client(settled):
        pass


def test_what_a_command_found_out_is_remembered_of_ones_own_servers(
    folder: Path, project: Path, stub: StubServer
) -> None:
    with stub.intercept():
        with open_client(settle(Options(api_key="acme-admin", base_url="http://crm.test"))) as client:
            client.leads.list(limit=1)
        assert finding_of("http://crm.test") == ((), ()), "no profile has it"
        (folder / "config.toml").write_text(WORK)
        with open_client(settle(Options(api_key="acme-admin"))) as client:
            client.leads.list(limit=1)
        spoken, lacking = finding_of("http://crm.test/")
        assert spoken
        note_finding("http://crm.test", spoken, ("mvp",))
        with open_client(settle(Options(api_key="acme-admin"))) as client:
            assert client.finding is not None and client.finding.lacking == ("mvp",)
        with open_client(settle(Options(api_key="acme-admin", dialect="flow"))) as client:
            assert client.finding is None
            (folder / "config.toml").write_text("")
        assert finding_of("http://crm.test") == (spoken, ("mvp",)) and lacking == ()


def test_a_command_that_writes_lets_tab_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(connection, "forget_answers", lambda: forgotten.append(True))
    client: Any = Of()
    nothing: Any = None
    with sharing(client), open_writing_client(nothing) as one:
        assert one is client and not forgotten
    assert forgotten == [True]
    with pytest.raises(ZeroDivisionError), sharing(client), open_writing_client(nothing):
        raise ZeroDivisionError
    assert forgotten == [True, True]


def test_a_key_is_for_ones_own_servers_and_this_machine(folder: Path, project: Path) -> None:
    (folder / "config.toml").write_text(WORK)
    for server, strange in (
        ("https://evil.example.com", True), ("http://crm.test", False), ("http://crm.test/", True),
        ("http://127.0.0.1:9", False), ("https://127.0.0.1:9", False), ("https://localhost", False),
    ):  # fmt: skip
        (project / ".crm.toml").write_text(f'base_url = "{server}"\n')
        settled = settle(Options(api_key="key"))
        if strange and server != "http://crm.test/":
            with pytest.raises(MisuseError, match="which no profile of yours has, so it is not sent --api-key: set"):
                refuse_strange_server(settled)
        elif not strange:
            refuse_strange_server(settled)
        refuse_strange_server(settle(Options()))
        refuse_strange_server(settle(Options(api_key="key", base_url=server)))


def test_the_embedded_server_has_the_demo_company_unless_another_key_is_typed(
    folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_API_KEY", "of-another-server")
    monkeypatch.setenv("CRM_TENANT_ID", "tenant_other")
    with open_client(settle(Options(offline=True, reason="why", language="de", timeout="7"))) as client:
        assert client.auth.me().id == "user_ada" and client.tenant_id == "tenant_acme" and client.language == "de"
        assert server_name(settle(Options(offline=True)), client) == "the embedded server"
    with open_client(settle(Options(offline=True, api_key="globex-admin"))) as client:
        assert client.auth.me().id == "user_gina" and client.tenant_id is None
    with open_client(settle(Options(offline=True, tenant="tenant_acme", dialect="platform"))) as client:
        assert client.tenant_id == "tenant_acme" and client.finding is None


# -- the settings of a command


def test_options_complete_those_before_the_command() -> None:
    outer = Options(output="json", offline=False, tenant="t", debug=True)
    assert Options(output="csv", offline=True).over(outer) == Options(
        output="csv", offline=True, tenant="t", debug=True
    )
    alone = Options(output="csv")
    assert alone.over(None) is alone and Options().over(outer) == outer
    assert [Options(dry_run=dry, explain=told).sends_nothing for dry, told in (
        (None, None), (True, None), (None, True), (False, False),
    )] == [False, True, True, False]  # fmt: skip


def test_settings_say_how_to_sign_in_and_what_is_production(
    folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.toml").write_text(f"{WORK}production = true\n")
    settled = settle(Options(debug=True))
    assert (settled.output, settled.timeout, settled.offline, settled.debug) == ("json", 30.0, False, True)
    assert production.get() == "default, http://crm.test"
    assert sign_in_hint.get() == "sign in with `crm login`, or set CRM_API_KEY"
    settle(Options(offline=True))
    assert production.get() is None
    (folder / "config.toml").write_text(WORK)
    assert settle(Options(output="csv")).output == "csv" and production.get() is None
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert settle(Options()).output == "table" and not settle(Options()).debug
    monkeypatch.setenv("CRM_API_KEY", "of-env")
    assert settings.secrets(Options(api_key="typed")) == ["typed", "of-env"]
    monkeypatch.delenv("CRM_API_KEY")
    assert settings.secrets(Options()) == []
