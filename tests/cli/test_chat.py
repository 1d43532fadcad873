"""``crm chat``: what is answered, and that nothing is written that was not confirmed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shell import Crm, Result

from crm_cli.failures import DECLINED
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def client(client: CrmClient) -> CrmClient:
    return client.with_options(dialects="platform")


def titles(client: CrmClient) -> list[str | None]:
    return [contact.title for contact in client.contacts.list(search="Eva Chat")]


def test_a_question_is_answered_by_a_table(client: CrmClient, served: Crm) -> None:
    listed = client.deals.list(status="won")
    told = served("chat", "won", "deals", "-o", "json").json
    assert told["total"] == listed.total and told["channel"] == "cli"
    lines = served("chat", "won deals", "-o", "table").out.splitlines()
    assert lines[0] == f"{listed.total} deals" and listed.items[0].id in lines[2] and listed.items[0].title in lines[2]
    assert "/list <entity> [words]" in served("chat", "/lst", "deals", "-o", "table").out


def test_a_plan_is_shown_and_carried_out_with_yes_only(client: CrmClient, served: Crm) -> None:
    eva = client.contacts.create({"name": "Eva Chat"})
    refused = served("chat", f"/set {eva.id} title=Director", "-o", "table")
    assert refused.status == 2 and "confirm with --yes" in refused.err and titles(client) == [None]
    lines = [line.split() for line in refused.out.splitlines()]
    assert ["member", "before", "after"] in lines and ["title", "Director"] in lines
    done = served("chat", f"/set {eva.id} title=Director", "--yes", "-o", "table")
    assert done.status == 0 and done.out.splitlines()[-1].startswith("Done: ") and titles(client) == ["Director"]


@pytest.mark.parametrize(("answer", "status", "after"), [("y\n", 0, "Boss"), ("n\n", DECLINED, None)])
def test_a_terminal_is_asked(
    client: CrmClient, served: Crm, terminal: Callable[..., Result], answer: str, status: int, after: str | None
) -> None:
    eva = client.contacts.create({"name": "Eva Chat"})
    done = terminal("chat", f"/set {eva.id} title=Boss", answer=answer)
    assert done.status == status and "Change Eva Chat: title Boss? [y/N]" in done.err and titles(client) == [after]


def test_lines_are_one_conversation(client: CrmClient, served: Crm) -> None:
    eva = client.contacts.create({"name": "Eva Chat"})
    typed = f"/show {eva.id}\n\n/set it title=Typed\nquit\n/set it title=After\n"
    answers = served("chat", "--yes", "-o", "jsonl", stdin=typed).out.splitlines()
    assert len(answers) == 3 and titles(client) == ["Typed"]
    session = client.chatops.send(f"/show {eva.id}").session_id
    assert served("chat", "/set it title=Again", "--session", session, "--yes").status == 0
    assert titles(client) == ["Again"]
