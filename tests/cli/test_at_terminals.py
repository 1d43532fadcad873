"""Prompts, Ctrl-C and widths at a real terminal, of which there is one wherever there is Python on a Unix."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pyotp
import pytest

from server_stub import StubServer

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform == "win32", reason="needs the pseudo-terminals of a Unix"),
]
if sys.platform != "win32":
    from typing_at import AtTerminal


@pytest.fixture(scope="module")
def stub() -> StubServer:
    return StubServer()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, stub: StubServer) -> Iterator[dict[str, str]]:
    with stub.serve() as port:
        yield {
            "CRM_DATA_DIR": str(tmp_path_factory.mktemp("person")),
            "CRM_BASE_URL": port.url,
            "CRM_API_KEY": "acme-admin",
            "CI": "",
        }


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ("y\r", 0, "deleted"),
        ("n\r", 130, "nothing was done"),
        ("\r", 130, "nothing was done"),
        ("\x03", 130, "interrupted"),
    ],
    ids=["yes", "no", "Enter", "Ctrl-C"],
)
def test_a_call_that_deletes_asks(
    typed: str, status: int, said: str, stub: StubServer, environment: dict[str, str]
) -> None:
    made = stub.client().leads.create({"name": "Asked For"})
    with AtTerminal(["leads", "delete", made.id], environment) as crm:
        crm.shows("[y/N]")
        crm.interrupt(said) if typed == "\x03" else crm.type(typed)
        assert crm.status() == status
        assert said in crm.printed and "Traceback" not in crm.printed
    assert (made.id in {lead.id for lead in stub.client().leads.list(search="Asked For")}) == (status != 0)


@pytest.mark.parametrize("words", [["--no-input"], []], ids=["--no-input", "CI"])
def test_nobody_is_asked_where_it_is_said_so(words: list[str], environment: dict[str, str]) -> None:
    with AtTerminal(["leads", "delete", "lead_123", *words], environment | ({} if words else {"CI": "1"})) as crm:
        assert crm.status() == 2
        assert "--yes" in crm.printed and "[y/N]" not in crm.printed


def test_a_password_is_asked_for_and_not_shown(environment: dict[str, str]) -> None:
    without = {name: value for name, value in environment.items() if name != "CRM_API_KEY"}
    words = ["login", "--email", "user@example.com", "--insecure-storage"]
    with AtTerminal(words, without) as crm:
        crm.shows("assword")
        crm.type("securepassword\r")
        assert crm.status() == 0, crm.printed
        assert "securepassword" not in crm.printed and "signed in" in crm.printed


def test_a_second_factor_is_asked_for_until_it_is_right(environment: dict[str, str]) -> None:
    stub = StubServer()
    ada = stub.client(api_key=None)
    ada.auth.login("ada@acme.test", "demo-password")
    totp = pyotp.TOTP(str(ada.auth.mfa.setup().secret))
    ada.auth.mfa.verify(totp.at(stub.clock.now()))
    stub.clock.advance(60)
    words = ["login", "--email", "ada@acme.test", "--insecure-storage"]
    without = {name: value for name, value in environment.items() if name != "CRM_API_KEY"}
    with stub.serve() as port, AtTerminal(words, without | {"CRM_BASE_URL": port.url}) as crm:
        crm.shows("assword")
        crm.type("demo-password\r")
        crm.shows("second factor")
        crm.type("000000\r")
        crm.shows("type the next one")
        code = totp.at(stub.clock.now())
        crm.type(f"{code}\r")
        assert crm.status() == 0, crm.printed
        assert "signed in" in crm.printed and "demo-password" not in crm.printed


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "yaml"])
def test_a_list_ends_at_once_with_ctrl_c(form: str, stub: StubServer, environment: dict[str, str]) -> None:
    stub.client().leads.create({"name": f"Endless {form}", "notes": ["long " * 200_000]})
    words = ["leads", "list", "--search", f"Endless {form}", "-o", form, "--no-pager"]
    with AtTerminal(words, environment) as crm:
        crm.shows("long long")  # the rest is more than a terminal takes unread
        crm.interrupt("interrupted")
        assert crm.status() == 130
        assert "Traceback" not in crm.printed and "rror:" not in crm.printed


@pytest.mark.parametrize("wanted", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}], ids=["NO_COLOR", "dumb", "colour"])
@pytest.mark.parametrize("words", ["leads list --limit 5", "leads get lead_123", "deals board", "leads list --help"])
def test_colours_come_where_they_are_wanted(words: str, wanted: dict[str, str], environment: dict[str, str]) -> None:
    options = [] if "--help" in words else ["--no-pager"]
    with AtTerminal([*words.split(), *options], environment | wanted) as crm:
        assert crm.status() == 0, crm.printed
    assert ("\x1b[" in crm.printed) == ("TERM" not in wanted)
    if "NO_COLOR" in wanted:  # bold is no colour
        assert set(re.findall(r"\x1b\[([0-9;?]*[A-Za-z])", crm.printed)) <= {"0m", "1m", "2m", "3m"}


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("words", ["leads list --limit 5", "deals board", "leads list --help"])
def test_no_line_is_wider_than_the_terminal(words: str, width: int, environment: dict[str, str]) -> None:
    with AtTerminal([*words.split(), "--no-pager"], environment, width=width) as crm:
        assert crm.status() == 0
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", crm.printed).splitlines()
    assert len(lines) > 4
    told = [
        line for line in lines if line.startswith("showing ") or " hidden: " in line
    ]  # standard error: the terminal breaks it
    assert max(len(line) for line in lines if line not in told) <= width, lines
    if words.startswith("leads list --limit") and width < 80:
        assert re.search(r"\d+ columns? hidden", crm.printed)


@pytest.mark.parametrize("call", ["get", "list"])
def test_whoever_leaves_the_pager_early_has_seen_enough(
    call: str, stub: StubServer, environment: dict[str, str]
) -> None:
    made = stub.client().leads.create({"name": "Long Story", "notes": ["long " * 100_000]})  # more than a pipe holds
    words = ["leads", "get", made.id] if call == "get" else ["leads", "list", "--search", "Long Story", "--limit", "1"]
    with AtTerminal([*words, "-o", "json"], environment | {"CRM_PAGER": "head -c 20"}) as crm:
        assert crm.status() == 0
        assert crm.printed.strip().startswith(("{", "[")) and "error" not in crm.printed
