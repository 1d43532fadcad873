"""``crm audit reports compliance`` and ``data-access``: drawn for people, and the figures as they are for programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shell import Crm

from crm_sdk import CrmClient
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_controls_are_drawn_with_what_they_found(served: Crm, drawn: Callable[..., str]) -> None:
    report = served("audit", "reports", "compliance", "--framework", "hipaa").json
    picture = drawn("audit", "reports", "compliance", "--framework", "hipaa")
    assert "hipaa" in picture and report["status"] in picture
    for control in report["controls"]:
        mark = next(row for row in picture.splitlines() if control["title"] in row)
        assert mark.startswith(control["status"])
    assert "Ada Lindqvist" in picture and "expected: " in picture


def test_accesses_are_drawn_with_what_is_unusual(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    client.contacts.export().read()
    (row,) = served("audit", "reports", "data-access", "--entity-type", "contact").json["rows"]
    picture = drawn("audit", "reports", "data-access", "--entity-type", "contact")
    assert row["actor"]["name"] in picture and "1 exported" in picture and row["reasons"][0] in picture
