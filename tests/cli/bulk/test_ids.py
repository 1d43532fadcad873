"""`-` in place of an id: the command is carried out for each id of stdin, and the outcomes come in their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shell import Crm

from crm_sdk import CrmClient
from crm_sdk.resource import operation_of
from crm_sdk.resources.leads import Leads
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.fixture
def leads(client: CrmClient) -> list[str]:
    return [lead.id for lead in client.leads.list(limit=7).items]


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_one_call_for_each_id(served: Crm, leads: list[str], jobs: str) -> None:
    typed = "\n".join([*leads[:3], "lead_none", "", *leads[3:]])
    done = served("leads", "get", "-", "--jobs", jobs, "-o", "ids", stdin=typed)
    assert (done.status, done.out.split()) == (9, leads)
    missing = "  lead_none: NOT_FOUND: no lead has the id 'lead_none'"
    assert done.err.splitlines()[-2:] == [missing, "7 of 8 done, 1 failed"]


def test_several_ids_of_a_call_are_shared_out(served: Crm, leads: list[str]) -> None:
    done = served("leads", "assign", "-", "--jobs", "3", "--reassign", "-o", "jsonl", stdin="\n".join(leads))
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 0 and done.err == "7 of 7 done\n"
    assert [(row["index"], row["id"]) for row in rows] == list(enumerate(leads))
    typed = "\n".join([leads[0], "lead_none"])
    part = served("leads", "bulk-qualify", "-", "-o", "jsonl", stdin=typed)
    assert (part.status, len(part.out.splitlines())) == (9, 1) and "NOT_FOUND" in part.err


def test_what_is_deleted_is_confirmed(served: Crm, client: CrmClient, leads: list[str]) -> None:
    typed = "\n".join(leads)
    refused = served("leads", "delete", "-", stdin=typed)
    assert refused.status == 2 and "this would delete 7 leads: confirm with --yes" in refused.err
    shown = served("leads", "delete", "-", "--dry-run", stdin=typed)
    assert shown.status == 0 and shown.out.count("DELETE") == 7
    assert served("leads", "delete", "-", "--yes", "--jobs", "4", "-o", "ids", stdin=typed).out.split() == leads
    assert not {lead.id for lead in client.leads.list(limit=100)} & set(leads)


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("leads", "get", "lead_1", "--jobs", "2"), "", "--jobs is for the ids of stdin"),
        (("leads", "assign", "lead_1"), "", "ids go to --lead-ids"),
        (("leads", "update", "-", "--data", "-"), "{}", "--data cannot read it as well"),
        (("leads", "get", "-"), '[{"id": "lead_1"}]', "stdin has JSON"),
    ],
)
def test_what_is_typed_wrong(served: Crm, words: tuple[str, ...], stdin: str, said: str) -> None:
    done = served(*words, stdin=stdin)
    assert done.status == 2 and said in done.err


def test_ctrl_c_says_how_many_are_done(
    served: Crm, stub: StubServer, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    operation = operation_of(vars(Leads)["get"])
    assert operation is not None
    get: Callable[..., Any] = stub.rules[operation]

    def interrupted(call: Any, **named: Any) -> Any:
        calls.append(named["lead_id"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return get(call, **named)

    monkeypatch.setitem(stub.rules, operation, interrupted)
    done = served("leads", "get", "-", "-o", "ids", stdin="\n".join(leads))
    assert (done.status, done.out.split()) == (130, leads[:2])
    assert "2 of 7 done, 5 not begun" in done.err
