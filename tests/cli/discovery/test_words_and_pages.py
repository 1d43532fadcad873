"""The pages and words that commands are found by: the reference, the examples, the scores of a search."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shell import OPERATIONS

from crm_cli.discovery import live_words
from crm_cli.discovery.manifest import paragraphs
from crm_cli.discovery.reference import pages
from crm_cli.discovery.searching import _STARTS, _of
from crm_cli.discovery.tree import whole
from crm_cli.plurals import singular
from crm_cli.tree.nouns import declared_call
from crm_cli.tree.parameters import Form
from crm_cli.tree.sources import nouns_with_ids, source_of, source_of_view

pytest_plugins = ["cli_fixtures"]


def test_paragraphs_are_lines_without_their_marks() -> None:
    assert list(paragraphs("one\ntwo `code`\n\nthree")) == ["one two code", "three"]
    for odd in ("- a list", "a **bold** word"):
        with pytest.raises(ValueError, match="paragraphs"):
            list(paragraphs(odd))


@pytest.mark.parametrize(
    ("word", "among", "score"),
    [
        ("deal", ["lead", "deal"], 1),
        ("deal", ["dealer"], _STARTS),
        ("dea", ["deal"], _STARTS),
        ("de", ["deal"], 0),
        ("de", ["de"], 1),
        ("eal", ["deal"], 0),
        ("deal", [], 0),
    ],
)
def test_a_word_counts_whole_more_than_as_a_beginning(word: str, among: list[str], score: float) -> None:
    assert _of(word, among) == score


def test_every_kind_of_record_has_a_singular() -> None:
    kinds = {part for id in OPERATIONS for part in id.split(".")[:-1]}
    odd = {
        "activities": "activity", "deliveries": "delivery", "policies": "policy",
        "retention_policies": "retention_policy", "territories": "territory",
    }  # fmt: skip
    assert {kind: singular(kind) for kind in kinds} == {kind: odd.get(kind, kind.removesuffix("s")) for kind in kinds}
    others = {
        "addresses": "address", "branches": "branch", "invoices": "invoice", "status": "status", "sms": "sms",
        "companies": "company", "ties": "tie", "class": "class", "bus": "bus", "lead": "lead",
    }  # fmt: skip
    assert {word: singular(word) for word in others} == others


@pytest.mark.thorough
def test_the_page_of_a_noun_has_what_is_typed_and_an_example() -> None:
    made = pages(whole())
    page = made["leads.md"].splitlines()
    assert page[0] == "# crm leads" and "## `crm leads get`" in page
    get = page[page.index("## `crm leads get`") :]
    head = get.index("| typed | what it is |")
    assert get[head + 1] == "|---|---|" and get[head + 2].startswith("| `LEAD_ID` |")
    assert "```sh" in get[head:] and get.index("```") < head
    options = made["index.md"].splitlines()
    assert "| exit | class | means |" in options and any(line.startswith("| `--base-url") for line in options)
    assert any(line.startswith("- [`crm leads`](leads.md): ") for line in options)


@pytest.mark.thorough
def test_examples_have_names_where_a_command_takes_one_and_ids_elsewhere() -> None:
    examples = {entry["command"]: entry["example"] for entry in whole()["commands"] if entry["example"]}
    last = {command: lines[-1] for command, lines in examples.items()}
    assert any("'Alice Johnson'" in line for line in last.values())
    assert any("contact_123" in line or "lead_123" in line for line in last.values())


def test_answers_are_deleted_once_they_no_longer_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 2_000_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    for name, ages in (("old", (301.0,)), ("mixed", (300.0, 301.0, 0.0))):
        (folder / "words" / name).mkdir(parents=True)
        for number, age in enumerate(ages):
            path = folder / "words" / name / str(number)
            path.write_text("x")
            os.utime(path, (now - age, now - age))
    live_words.keep(str(folder / "words" / "new" / "a"), [("id", "A \t name")])
    left = sorted(str(path.relative_to(folder / "words")) for path in (folder / "words").rglob("*") if path.is_file())
    assert left == ["mixed/0", "mixed/2", "new/a"] and not (folder / "words" / "old").exists()
    assert (folder / "words" / "new" / "a").read_text() == f"{int(now) + 300}\nid\tA name"
    live_words.keep(str(folder / "words" / "new" / "a"), None)
    assert (folder / "words" / "new" / "a").read_text() == f"{int(now) + 30}"
    live_words.forget_answers()
    live_words.forget_answers()
    assert not (folder / "words").exists()


def test_a_call_is_found_by_its_name() -> None:
    assert all(declared_call(id) is operation for id, operation in OPERATIONS.items())
    for odd in ("", "leads", "leads.nothing", "leads.get.more", "nothing.get", "leads.get_all"):
        assert declared_call(odd) is None


SOURCES = {
    "agents.execute": {"agent_id": "@agents.list"},
    "notifications.mark_read": {"notification_id": "@notifications.list"},
    "accounts.update": {"account_id": "@accounts.list+", "owner_id": "@users.list"},
    "contacts.deals.list": {"contact_id": "@contacts.list+", "pipeline_id": "@pipelines.list"},
    "custom_objects.records.get": {
        "object_id": "@custom_objects.list+", "record_id": "@custom_objects.records.list/1",
    },
    "deals.update": {
        "deal_id": "@deals.list+", "pipeline_id": "@pipelines.list", "stage": "@stages", "contact_id": "@contacts.list",
        "account_id": "@accounts.list", "owner_id": "@users.list", "team_id": "@users.teams.list",
    },
    "leads.assign": {"lead_ids": "@leads.list", "user_ids": "@users.list", "team_id": "@users.teams.list"},
    "messages.list": {"lead_id": "@leads.list+"},
    "pipelines.stages.update": {"pipeline_id": "@pipelines.list+", "stage_id": "@stages/1"},
}  # fmt: skip


def test_where_the_values_of_an_argument_are_listed() -> None:
    for id, sources in SOURCES.items():
        form = Form(OPERATIONS[id])
        found = {parameter.name: source_of(form, parameter) for parameter in form.parameters}
        assert {name: source for name, source in found.items() if source} == sources, id
    views = [
        ("deals", "id", True, "@deals.list+"), ("deals", "pipeline", False, "@pipelines.list"),
        ("deals", "owner", False, "@users.list"), ("deals", "stage", False, "@stages"),
        ("contacts", "contact", True, "@contacts.list+"), ("contacts", "contact", False, None),
        ("accounts", "account_id", False, "@accounts.list"), ("odd", "id", True, None),
        ("deals", "template_id", False, None),
    ]  # fmt: skip
    for noun, name, is_argument, source in views:
        assert source_of_view(noun, name, argument=is_argument) == source, (noun, name)
    nouns = nouns_with_ids()
    assert {"accounts", "custom-objects", "deals"} <= set(nouns) and nouns == sorted(nouns)
    assert not {"agents", "messages", "notifications"} & set(nouns)
