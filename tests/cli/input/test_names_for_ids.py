"""Names in place of ids: what is looked up, how often, and what is never."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from shell import OPERATIONS, Crm, Result

from crm_cli import failures
from crm_cli.lookups import lists_of
from crm_cli.tree.parameters import Form
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

RECORDS = sorted(
    (name, listed.id)
    for name, operation in OPERATIONS.items()
    if name.endswith(".get")
    for listed in lists_of(Form(operation)).values()
    if name.rpartition(".")[0] == listed.id.rpartition(".")[0]
)
"""The calls that get a record by its id, with the list in which its name can be looked up."""
Asked = Callable[..., tuple[Result, list[tuple[str, str]]]]


@pytest.fixture
def asked(served: Crm, stub: StubServer) -> Asked:
    """Run a command; return its result, and the methods and paths of its requests."""

    def call(*words: str) -> tuple[Result, list[tuple[str, str]]]:
        stub.journal.clear()
        done = served(*words, "--dialect", "platform")
        return done, [(entry.method, entry.path.removeprefix("/v1")) for entry in stub.journal]

    return call


def words(name: str) -> list[str]:
    return Form(OPERATIONS[name]).path.split()


@pytest.mark.parametrize(("get", "listed"), RECORDS)
def test_a_unique_name_stands_for_the_id(get: str, listed: str, asked: Asked) -> None:
    records = asked(*words(listed), "--limit", "all", "-o", "json")[0].json
    names = [next((str(r[key]) for key in ("name", "title", "subject", "label") if r.get(key)), "") for r in records]
    record, name = next((r, n) for r, n in zip(records, names, strict=True) if n and names.count(n) == 1)
    by_id, sent = asked(*words(get), record["id"])
    assert (by_id.status, len(sent)) == (0, 1), by_id.err
    by_name, sent = asked(*words(get), name.upper())
    assert (by_name.status, by_name.json["id"], by_name.err) == (0, record["id"], ""), (name, by_name.err)
    assert len(sent) == (2 if " " in name else 3)


def test_a_move_by_name(asked: Asked) -> None:
    deal = asked("deals", "create", "--title", "Acme renewal", "--pipeline-id", "pipeline_acme")[0].json
    moved, sent = asked("deals", "move-stage", "acme  renewal", "negotiation", "-o", "json")
    assert (moved.status, moved.json["id"], moved.json["stage"]) == (0, deal["id"], "negotiation"), moved.err
    assert [method for method, _ in sent] == ["GET", "POST"]


@pytest.mark.parametrize("typed", ["Jane Doe", "Jane"])
@pytest.mark.parametrize("call", ["get", "delete --yes"])
def test_several_of_a_name_are_told_with_their_ids(typed: str, call: str, asked: Asked) -> None:
    ids = [asked("contacts", "create", "--name", typed)[0].json["id"] for _ in range(2)]
    other = asked("contacts", "create", "--name", f"{typed} Junior")[0].json["id"]
    name, *options = call.split()
    done, _ = asked("contacts", name, typed, *options)
    assert (done.status, done.out) == (failures.USAGE, "")
    assert all(f"CONTACT_ID: {id} ({typed})" in done.err for id in ids)
    assert other not in done.err
    told = json.loads(asked("contacts", name, typed, *options, "--json-errors")[0].err)
    assert {field["message"].partition(" ")[0] for field in told["fields"]} == set(ids)
    assert all(asked("contacts", "get", id)[0].status == 0 for id in (*ids, other))


@pytest.mark.parametrize(("typed", "requests"), [("deal_none", 1), ("contact_none_1", 1), ("None", 2), ("No one", 1)])
def test_a_name_that_nothing_has_is_not_found(typed: str, requests: int, asked: Asked) -> None:
    done, sent = asked("deals", "get", typed)
    assert (done.status, len(sent)) == (failures.NOT_FOUND, requests)
    assert repr(typed) in done.err
    assert ("has the name" in done.err) == (" " in typed)  # what can be an id is told as the server tells it


def test_a_part_of_a_name_is_no_name(asked: Asked) -> None:
    made = asked("contacts", "create", "--name", "Jane Doe Junior")[0].json["id"]
    assert asked("contacts", "delete", "Jane Doe", "--yes")[0].status == failures.NOT_FOUND
    assert asked("contacts", "get", made)[0].status == 0


def test_what_deletes_asks_about_the_id_that_a_name_has(served: Crm, terminal: Callable[..., Result]) -> None:
    made = served("contacts", "create", "--name", "Jane Doe").json["id"]
    refused = terminal("contacts", "delete", "Jane Doe", answer="n\n")
    assert (refused.status, f"Delete contact {made}?" in refused.err) == (failures.DECLINED, True)
    assert "confirm with --yes" in served("contacts", "delete", "Jane Doe").err
    assert served("contacts", "get", made).status == 0
    assert f"deleted contact {made}" in served("contacts", "delete", "Jane Doe", "--yes").err


def test_what_one_word_names_is_asked_about_again(served: Crm, terminal: Callable[..., Result]) -> None:
    made = served("contacts", "create", "--name", "Jane").json["id"]
    refused = terminal("contacts", "delete", "Jane", answer="y\nn\n")
    assert (refused.status, f"Delete contact {made}?" in refused.err) == (failures.DECLINED, True)
    assert terminal("contacts", "delete", "Jane", answer="y\ny\n").status == 0
    assert served("contacts", "get", made).status == failures.NOT_FOUND


def test_shown_calls_have_the_id(asked: Asked) -> None:
    made = asked("contacts", "create", "--name", "Jane Doe")[0].json["id"]
    shown, sent = asked("contacts", "get", "Jane Doe", "--explain")
    assert (f"/contacts/{made}" in shown.out, [path for _, path in sent]) == (True, ["/contacts"])


def test_two_names_of_one_call_are_looked_up_in_their_own_lists() -> None:
    lists = lists_of(Form(OPERATIONS["users.teams.members.remove"]))
    assert {name: listed.id for name, listed in lists.items()} == {
        "team_id": "users.teams.list",
        "user_id": "users.list",
    }


@pytest.mark.parametrize(
    "name", ["reports.schedules.delete", "pipelines.stages.update", "contacts.relationships.delete"]
)
def test_ids_of_parts_are_not_looked_up_elsewhere(name: str) -> None:
    assert list(lists_of(Form(OPERATIONS[name]))) == [OPERATIONS[name].positional[0]]
