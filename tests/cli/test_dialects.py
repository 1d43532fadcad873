"""How the command line finds out which dialects its server speaks, and what it remembers of it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import one_dialect
import pytest
from one_dialect import SERVERS, OneDialect
from shell import Crm, Memory

from crm_cli import failures
from crm_cli.account.profiles import SignIn, read_sign_in, write_sign_in

pytest_plugins = ["cli_fixtures"]

BASE_URL = "http://crm.test"


def reach(monkeypatch: pytest.MonkeyPatch, server: OneDialect) -> OneDialect:
    """Let the command line's clients reach a server."""
    monkeypatch.setattr("crm_sdk.network.http.sync_transports", lambda *_: lambda: httpx.MockTransport(server))
    return server


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_profile_keeps_what_was_found_out(
    crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    server = reach(monkeypatch, SERVERS[dialect]())
    assert crm("login", "--base-url", BASE_URL, stdin="key\n").status == 0
    noun = "contacts" if dialect == "flow" else "leads"
    asked = []
    for _ in range(3):
        server.requests.clear()
        assert crm(noun, "list").status == 0
        asked.append(len(server.requests))
    assert asked == ([1, 1, 1] if dialect == "platform" else [2, 1, 1])
    kept = read_sign_in()
    assert (kept.speaks, "platform" in kept.lacks) == ((dialect,), dialect != "platform")
    assert dialect in crm("status").json["dialects"].split(",")
    assert ("platform" in crm("status").json["dialects"]) is (dialect == "platform")


def test_what_a_failed_command_found_out_is_kept_as_well(
    crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = reach(monkeypatch, one_dialect.mvp())
    crm("login", "--base-url", BASE_URL, stdin="key\n")
    failed = crm("leads", "get", "none")
    assert (failed.status, "tried platform, mvp" in failed.err) == (failures.NOT_FOUND, True)
    server.requests.clear()
    failed = crm("leads", "convert", "lead_123")
    assert (failed.status, "--dialect platform" in failed.err) == (failures.USAGE, True)
    assert server.requests == []


def test_a_new_sign_in_begins_anew(crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    reach(monkeypatch, one_dialect.mvp())
    crm("login", "--base-url", BASE_URL, stdin="key\n")
    crm("leads", "list")
    assert read_sign_in().lacks == ("platform",)
    reach(monkeypatch, one_dialect.platform())  # the server has grown
    crm("login", "--base-url", BASE_URL, stdin="key\n")
    assert read_sign_in().lacks == ()
    assert crm("leads", "list").json[0]["tags"] == ["vip"]


@pytest.mark.parametrize(("dialect", "refresh"), [("mvp", None), ("flow", "refresh_1"), ("platform", "refresh_1")])
def test_signing_in_brings_a_refresh_token_where_the_server_has_one(
    crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch, dialect: str, refresh: str | None
) -> None:
    reach(monkeypatch, SERVERS[dialect]())
    assert crm("login", "--base-url", BASE_URL, "--email", "ada@example.com", stdin="secret\n").status == 0
    assert json.loads(next(iter(ring.kept.values())))["refresh_token"] == refresh
    assert ("platform" in read_sign_in().lacks) is (dialect != "platform")


def test_what_was_found_out_about_one_server_is_not_thought_of_another(
    crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sign_in(SignIn("http://other.test", "acme", None, ("mvp",), ("platform", "flow")))
    server = reach(monkeypatch, one_dialect.platform())
    monkeypatch.setenv("CRM_API_KEY", "key")
    assert crm("leads", "list", "--base-url", BASE_URL).status == 0
    assert server.asked == ["GET /v1/leads"]
    assert "x-tenant-id" not in server.requests[0].headers
    assert read_sign_in() == SignIn("http://other.test", "acme", None, ("mvp",), ("platform", "flow"))


def test_a_sign_out_during_a_command_stands(crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    server = one_dialect.mvp()

    def signing_out(request: httpx.Request) -> httpx.Response:
        write_sign_in(SignIn())
        return server(request)

    write_sign_in(SignIn(BASE_URL))
    monkeypatch.setattr("crm_sdk.network.http.sync_transports", lambda *_: lambda: httpx.MockTransport(signing_out))
    monkeypatch.setenv("CRM_API_KEY", "key")
    assert crm("leads", "list").status == 0
    assert read_sign_in() == SignIn()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"base_url": 5, "speaks": 7}', '{"speaks": ["morse"], "lacks": "x"}']
)
def test_a_spoilt_profile_is_none(crm: Crm, folder: Path, text: str) -> None:
    (folder / "sign-in.json").write_text(text)
    assert crm("status").json["dialects"] == "platform,flow,mvp"


def test_a_chosen_dialect_is_fixed(crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    server = reach(monkeypatch, one_dialect.mvp())
    crm("login", "--base-url", BASE_URL, "--dialect", "mvp", stdin="key\n")
    server.requests.clear()
    assert crm("leads", "list").status == 0
    assert crm("leads", "list", "--dialect", "platform").status == failures.NOT_FOUND
    assert server.asked == ["GET /api/leads", "GET /v1/leads"]
    assert crm("status").json["dialects"] == "mvp"


def test_a_page_of_html_says_which_option_helps(crm: Crm, ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "crm_sdk.network.http.sync_transports",
        lambda *_: lambda: httpx.MockTransport(lambda request: httpx.Response(200, html="<html></html>")),
    )
    failed = crm("leads", "list", "--base-url", BASE_URL, "--api-key", "key")
    assert "a page of HTML" in failed.err
    assert "--dialect" in failed.err
    assert "dialects=" not in failed.err


def test_a_list_has_the_same_columns_whatever_the_filter(offline: Crm) -> None:
    def columns(*words: str) -> str:
        done = offline("leads", "list", *words, "--limit", "3", "-o", "csv")
        assert done.status == 0
        return done.out.splitlines()[0]

    filters = [
        ("--status", "new"),
        ("--source", "website"),
        ("--search", "a"),
        ("--sort", "score"),
        ("--page", "2"),
        ("--created-after", "2020-01-01T00:00:00Z"),
    ]
    assert {columns(*words) for words in filters} == {columns()}
