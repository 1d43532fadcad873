"""Writes: what is asked before something is deleted, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shell import OPERATIONS, Crm, Result

from crm_cli import failures
from crm_cli.tree.parameters import Form

pytest_plugins = ["cli_fixtures"]

DESTROYING = [name for name, operation in OPERATIONS.items() if operation.destroys]


@pytest.mark.parametrize("name", DESTROYING)
def test_what_deletes_needs_yes_where_there_is_no_terminal(name: str, served: Crm) -> None:
    form = Form(OPERATIONS[name])
    ids = [f"id_{n}" for n, parameter in enumerate(form.parameters) if parameter.place == "argument"]
    refused = served(*form.path.split(), *ids)
    assert (refused.status, refused.out) == (failures.USAGE, "")
    assert "confirm with --yes" in refused.err
    assert all(each in refused.err for each in ids)
    assert served(*form.path.split(), *ids, "--yes").status in (failures.NOT_FOUND, failures.PARTIAL, failures.INVALID)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in DESTROYING])
def test_what_deletes_nothing_asks_nothing(name: str) -> None:
    assert "--yes" not in Form(OPERATIONS[name]).own


@pytest.mark.parametrize(("answer", "status", "said", "there"), [
    ("y\n", 0, "deleted lead {id} on http://crm.test", False),
    ("n\n", failures.DECLINED, "nothing was done", True),
    ("\n", failures.DECLINED, "nothing was done", True),
    ("", failures.DECLINED, "interrupted", True),
])  # fmt: skip
def test_on_a_terminal_it_asks(
    answer: str, status: int, said: str, there: bool, served: Crm, terminal: Callable[..., Result]
) -> None:
    made = served("leads", "create", "--name", "Ada").json
    done = terminal("leads", "delete", made["id"], answer=answer)
    assert done.status == status
    assert f"Delete lead {made['id']}? [y/N]" in done.err
    assert done.err.splitlines()[-1].endswith(said.format(id=made["id"]))
    assert (terminal("leads", "get", made["id"]).status == 0) is there


def test_what_was_deleted_is_said_with_those_it_belonged_to(served: Crm) -> None:
    ada, bob = (served("contacts", "create", "--name", name).json["id"] for name in ("Ada", "Bob"))
    link = served("contacts", "relationships", "create", ada, "--related-contact-id", bob, "--type", "colleague").json
    gone = served("contacts", "relationships", "delete", ada, link["id"], "--yes")
    assert gone.err == f"deleted relationship {link['id']} of contact {ada}\n"
    assert served("contacts", "bulk-delete", ada, bob, "--yes").err == f"deleted 2 contacts ({ada}, {bob})\n"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("leads create --name Ada", True),
        ("contacts bulk-upsert --data [{\"name\":\"Ada\"}] --dialect platform", True),
        ("leads list --limit all", False),
        ("contacts search --limit all", False),
    ],
)  # fmt: skip
def test_a_write_on_a_terminal_names_its_server(
    words: str, names: bool, served: Crm, terminal: Callable[..., Result]
) -> None:
    assert ("on http://crm.test" in terminal(*words.split()).err) is names


def test_the_state_of_the_embedded_server_is_kept_without_yes(offline: Crm) -> None:
    assert offline("offline", "reset").status == failures.USAGE
    assert offline("offline", "reset", "--yes").err == "the state was reset to the demo data\n"
    assert offline("offline", "reset").err == "there was no state to reset\n"
