"""``crm undo``: what it takes back, when it refuses, and what its journal has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import Crm, Result

from crm_cli import failures
from crm_cli.undo.journal import KEPT, Entry, Journal
from crm_cli.undo.reversal import why_not
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


def made(served: Crm, noun: str = "deals", *words: str) -> str:
    given = words or ("--title", "Tea", "--value", "5")
    return served(noun, "create", *given, "-o", "ids").out.strip()


@pytest.mark.parametrize("how", ["trail", "read", "terminal"])
def test_an_update_is_set_back(
    how: str, served: Crm, terminal: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values before are those of the audit trail, or of a request before the write."""
    deal = made(served)
    if how == "read":
        monkeypatch.setenv("CRM_UNDO", "1")
    run = terminal if how == "terminal" else served
    assert run("deals", "update", deal, "--value", "77", "--tags", "a").status == 0
    back = served("undo", "--yes")
    assert (back.status, back.json["value"], back.json["tags"], back.json["version"]) == (0, 5, [], 3)
    assert back.err == f"undone: `crm deals update {deal}`\n"
    kept = json.loads(journals(folder)[0].read_text().splitlines()[-2])
    assert (kept["before"] is None) == (how == "trail")


def journals(folder: Path) -> list[Path]:
    return list((folder / "undo").iterdir())


def test_writes_are_taken_back_one_after_another(served: Crm) -> None:
    deal = made(served)
    served("deals", "update", deal, "--value", "6")
    served("deals", "move-stage", deal, "closed-won")
    served("deals", "update", deal, "--value", "7")
    done = [served("undo", "--yes") for _ in range(3)]
    assert [one.err for one in done] == [one.err for one in done if one.err.startswith("undone")]
    states = [one.json for one in done]
    assert [(state["value"], state["stage"]) for state in states] == [
        (6, "closed-won"), (6, "prospect"), (5, "prospect"),
    ]  # fmt: skip
    assert served("undo", "--yes").status == 0
    assert served("deals", "get", deal).status == failures.NOT_FOUND
    nothing = served("undo", "--yes")
    assert (nothing.status, "nothing to undo" in nothing.err) == (failures.GENERIC, True)
    assert {row["state"] for row in served("undo", "--list").json} == {"undone"}


def test_what_somebody_changed_since_stays(served: Crm, client: CrmClient) -> None:
    deal = made(served)
    served("deals", "update", deal, "--value", "6")
    client.deals.update(deal, {"value": 8})
    refused = served("undo", "--yes")
    assert (refused.status, "changed since" in refused.err) == (failures.CONFLICT, True)
    assert served("deals", "get", deal).json["value"] == 8
    created = served("undo", "1", "--yes")
    assert (created.status, "changed since" in created.err) == (failures.CONFLICT, True)


@pytest.mark.parametrize(
    ("noun", "words"),
    [("contacts", ("--name", "Zoe")), ("leads", ("--name", "Zoe")), ("accounts", ("--name", "Zoe Ltd")), ("deals", ())],
)
def test_a_deleted_record_is_restored(noun: str, words: tuple[str, ...], served: Crm) -> None:
    id = made(served, noun, *words)
    before = served(noun, "get", id).json
    assert served(noun, "delete", id, "--yes").status == 0
    back = served("undo", "--yes")
    assert (back.status, back.json["id"]) == (0, id)
    assert served(noun, "get", id).json["createdAt"] == before["createdAt"]


def test_a_task_is_deleted_by_the_noun_around_it(served: Crm) -> None:
    task = served("activities", "tasks", "create", "--title", "Call", "-o", "ids").out.strip()
    assert served("undo", "--yes").status == 0
    assert served("activities", "get", task).status == failures.NOT_FOUND


def test_what_cannot_be_undone_says_so(served: Crm) -> None:
    deal = made(served)
    served("deals", "bulk-update", "--updates", json.dumps([{"id": deal, "value": 9}]))
    bulk = served("undo", "--yes")
    assert (bulk.status, "it wrote many records at once" in bulk.err) == (failures.CONFLICT, True)
    served("api", "PUT", f"/v1/deals/{deal}", "value:=10")
    raw = served("undo", "--yes")
    assert (raw.status, f"`crm api PUT /v1/deals/{deal}` cannot be undone" in raw.err) == (failures.CONFLICT, True)
    rows = served("undo", "--list").json
    assert [row["state"] for row in rows] == ["cannot be undone", "cannot be undone", "can be undone"]
    assert served("undo", "99").status == failures.USAGE


def test_it_asks_and_a_dry_run_only_shows(served: Crm, terminal: Callable[..., Result]) -> None:
    deal = made(served)
    served("deals", "update", deal, "--value", "6")
    shown = served("undo", "--dry-run").json
    assert (shown["method"], shown["body"], shown["headers"]["If-Match"]) == ("PUT", {"value": 5}, '"2"')
    assert shown["changes"] == {"value": {"before": 6, "after": 5}}
    assert served("undo").status == failures.USAGE
    declined = terminal("undo", answer="n\n")
    assert declined.status == failures.DECLINED
    question = f"set value of {deal} back? [y/N]"
    assert question in declined.err
    assert served("deals", "get", deal).json["value"] == 6
    assert terminal("undo", answer="y\n").status == 0
    assert served("deals", "get", deal).json["value"] == 5


def test_the_journal_is_private_bounded_and_of_one_company(
    served: Crm, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_UNDO", "1")
    person = made(served, "contacts", "--name", "Zoe")
    served("contacts", "update", person, "--company", "Foo")
    (path,) = journals(folder)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "acme-admin" not in path.read_text()
    journal = Journal(path)
    for _ in range(3 * KEPT):
        journal.add(Entry(0, "", "deals.update", ["deal_1"], ["value"]))
    assert len(journal.entries()) == KEPT
    assert len(path.read_text().splitlines()) <= 2 * KEPT
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text() + '{"number": 1\n{"odd": 1}\nnull\n')
    assert len(journal.entries()) == KEPT
    monkeypatch.setenv("CRM_TENANT_ID", "tenant_other")
    assert served("undo", "--list").json == []


def test_without_a_journal_nothing_is_written(served: Crm, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("CRM_UNDO", "0")
    made(served)
    assert not (folder / "undo").exists()
    monkeypatch.setenv("CRM_UNDO", "maybe")
    assert "CRM_UNDO must be" in served("leads", "create", "--name", "Ada").err


def test_a_secret_is_in_no_entry(served: Crm, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_UNDO", "1")
    hook = made(served, "webhooks", "--data", '{"url": "https://crm.test/h", "events": ["lead.created"]}')
    canary = "whsec_" + "canary0" * 5
    served("webhooks", "update", hook, "--data", json.dumps({"secret": canary, "url": "https://crm.test/g"}))
    assert all("canary" not in path.read_text() for path in journals(folder))


def test_a_journal_that_cannot_be_written_fails_no_write(served: Crm, folder: Path) -> None:
    (folder / "undo").write_text("in the way")
    done = served("leads", "create", "--name", "Ada")
    assert (done.status, "`crm undo` will not know of this" in done.err) == (0, True)


def test_an_update_that_changes_nothing_is_no_write_to_take_back(served: Crm) -> None:
    deal = made(served)
    assert served("deals", "update", deal, "--value", "77").status == 0
    assert served("deals", "update", deal, "--data", "{}").status == 0
    assert served("undo", "--yes").json["value"] == 5


def test_what_cannot_be_undone_names_the_way_to_the_writes_before_it(served: Crm) -> None:
    made(served)
    assert served("api", "POST", "/v1/deals", "title=Tea").status == 0
    refused = served("undo", "--yes")
    assert refused.status == failures.CONFLICT and "`crm undo --list`" in refused.err


def written(journal: Journal, call: str = "deals.update", *ids: str, **more: Any) -> Entry:
    return journal.add(Entry(0, "", call, list(ids or ("deal_1",)), **more))


def test_a_journal_numbers_its_entries_and_keeps_the_last_fifty(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.jsonl"
    journal = Journal(path)
    assert journal.entries() == []
    assert [written(journal).number for _ in range(100)] == list(range(1, 101))
    assert len(path.read_bytes().splitlines()) == 100
    assert [entry.number for entry in journal.entries()] == list(range(51, 101))
    assert written(journal).number == 101
    assert len(path.read_bytes().splitlines()) == 50 and path.stat().st_mode & 0o077 == 0
    assert journal.entries()[0].number == 52 and journal.entries()[-1].at.endswith("Z")
    with path.open("ab") as file:
        file.write(b'{"half\n{"call": "x"}\n{"undone": 7, "version": 1}\n[1]\n')
    assert len(journal.entries()) == 50 and written(journal).number == 102


def test_what_was_there_before_is_kept_unless_it_is_large(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    for size, kept in ((100, True), (70_000, False)):
        entry = written(journal, before={"name": "x" * size})
        assert (entry.before is not None, journal.entries()[-1].before is not None) == (kept, kept)
    assert written(journal).before is None
    whole = len((tmp_path / "a.jsonl").read_bytes().splitlines()[0])
    for more, kept in ((65_536 - whole - 1, True), (65_536 - whole, False)):
        own = Journal(tmp_path / f"{kept}.jsonl")
        assert (written(own, before={"name": "x" * (100 + more)}).before is not None) is kept


def test_an_entry_that_was_undone_makes_the_one_before_it_the_present_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    first, other, second = (written(journal, "deals.update", id, version=version)
                            for id, version in (("deal_1", 4), ("deal_2", 4), ("deal_1", 5)))  # fmt: skip
    assert [entry.valid_version for entry in journal.entries()] == [4, 4, 5]
    journal.mark_undone(second, 6)
    found = journal.entries()
    assert [(entry.undone, entry.valid_version) for entry in found] == [(False, 6), (False, 4), (True, 5)]
    journal.mark_undone(other, None)
    assert [entry.undone for entry in journal.entries()] == [False, True, True]
    assert (first.noun, first.words) == ("deals", "crm deals update deal_1")
    assert Entry(1, "", "custom_objects.records.update", ["a", "b"]).words == "crm custom-objects records update a b"


def test_what_can_be_taken_back_is_known_by_its_call() -> None:
    cases = [
        (Entry(1, "", "deals.update", ["d"], ["name"], undone=True), "it was undone already"),
        (Entry(1, "", "users.update", ["u"], ["name"], withheld=["password"]), "password may hold a secret"),
        (Entry(1, "", "deals.update", ["d"], ["name"]), None), (Entry(1, "", "deals.update", ["d"]), "no call"),
        (Entry(1, "", "deals.create", ["d"]), None), (Entry(1, "", "deals.delete", ["d"]), None),
        (Entry(1, "", "deals.delete", []), "no call"), (Entry(1, "", "deals.bulk_update", []), "many records at once"),
        (Entry(1, "", "api", ["POST", "/x"]), "no call takes it back"),
        (Entry(1, "", "leads.convert", ["l"]), "no call"),
    ]  # fmt: skip
    for entry, why in cases:
        found = why_not(entry)
        assert (found is None) if why is None else (why in str(found)), entry
