"""What goes wrong in the command line itself is no success; and tables on terminals with little room."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shell import Crm

from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize("words", [("leads", "list"), ("leads", "get", "lead_123"), ("accounts", "list", "-o", "json")])
@pytest.mark.parametrize("error", [KeyError("name"), RuntimeError("no sense"), AttributeError("'x' has no 'y'")])
def test_a_fault_of_the_program_is_no_success(
    offline: Crm, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("crm_sdk.client.CrmClient._run", broken)
    done = offline(*words)
    assert (done.status, done.out) == (1, "")
    assert type(error).__name__ in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("noun", ["leads", "contacts", "deals", "accounts"])
def test_a_table_fits_a_narrow_terminal(drawn: Callable[..., str], noun: str, width: int) -> None:
    lines = drawn(noun, "list", "--limit", "5", width=width).splitlines()
    assert len(lines) >= 6 and max(map(len, lines)) <= width


def test_a_cell_with_an_object_or_a_list_is_readable(drawn: Callable[..., str], stub: StubServer) -> None:
    made = stub.client().contacts.create(
        {"name": "Cell Object", "tags": ["a", "b"], "address": {"city": "Bonn", "country": "DE"}}
    )
    shown = drawn("contacts", "list", "--search", "Cell Object", "--columns", "id,tags,address")
    row = next(line for line in shown.splitlines() if made.id in line)
    assert "Bonn" in row and "a" in row and "{'" not in row and "['" not in row
