"""``crm undo``: its list at a terminal, what it refuses after a look at the record, and what the trail tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shell import OPERATIONS, Crm

from crm_cli import failures
from crm_cli.commands import undo
from crm_cli.failures import CommandError
from crm_cli.settings import Options
from crm_cli.tree.parameters import Form
from crm_cli.undo import recording, reversal
from crm_cli.undo.journal import Entry, Journal
from crm_sdk import errors
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


def refused(client: Any, entry: Entry) -> str:
    with pytest.raises(CommandError) as error:
        reversal.reversal(client, entry)
    assert (error.value.code, error.value.exit) == ("CANNOT_UNDO", failures.CONFLICT)
    assert error.value.hint is not None and "`crm undo --list`" in error.value.hint
    return str(error.value).partition(" cannot be undone: ")[2]


def test_the_list_is_a_table_of_what_was_written(drawn: Callable[..., str], served: Crm) -> None:
    nothing = "nothing was written yet; what commands write is listed here"
    assert drawn("undo", "--list").strip() == nothing
    deal = served("deals", "create", "--title", "Tea", "--value", "5", "-o", "ids").out.strip()
    served("deals", "update", deal, "--value", "6", "--tags", "a")
    served("api", "POST", "/v1/deals", "title=Tea")
    lines = [line.rstrip() for line in drawn("undo", "--list", width=160).splitlines()]
    assert lines[0].split() == ["number", "age", "command", "state"]
    assert [line[:13] for line in lines[1:]] == ["     3  now  ", "     2  now  ", "     1  now  "]
    assert " ".join(lines[1].split()[2:]) == "crm api POST /v1/deals cannot be undone: no call takes it back"
    assert f"crm deals update {deal} (value, tags)" in lines[2] and lines[2].endswith("  can be undone")
    assert "(" not in lines[3]
    narrow = drawn("undo", "--list", width=60).splitlines()
    assert sum("now" in line for line in narrow) == 3
    rows = served("undo", "--list").json
    assert [(row["number"], row["state"], row["why"], row["members"]) for row in rows] == [
        (3, "cannot be undone", "no call takes it back", []), (2, "can be undone", None, ["value", "tags"]),
        (1, "can be undone", None, []),
    ]  # fmt: skip


def test_where_a_part_cannot_be_taken_back_nothing_is_marked(served: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = served("deals", "create", "--title", "Tea", "-o", "ids").out.strip()
    assert served("deals", "delete", deal, "--yes").status == 0
    with monkeypatch.context() as patched:
        patched.setattr("crm_cli.terminal.output.say_bulk_failures", lambda result, **_: failures.PARTIAL)
        done = served("undo", "--yes")
    assert (done.status, done.out, done.err) == (failures.PARTIAL, "", "")
    assert served("undo", "--list").json[0]["state"] == "can be undone"
    assert served("deals", "delete", deal, "--yes").status == 0
    done = served("undo", "--yes")
    assert (done.status, done.json["id"], done.err) == (0, deal, f"undone: `crm deals delete {deal}`\n")
    assert [row["state"] for row in served("undo", "--list").json][:2] == ["undone", "can be undone"]


def test_the_last_write_is_the_last_that_is_not_undone() -> None:
    entries = [Entry(number, "", "deals.update", ["d"], ["name"], undone=number == 3) for number in (1, 2, 3)]
    assert undo._chosen_entry(entries, None).number == 2
    assert [undo._chosen_entry(entries, number).number for number in (1, 2, 3)] == [1, 2, 3]
    with pytest.raises(failures.MisuseError, match="there is no write 4"):
        undo._chosen_entry(entries, 4)
    for none in ([], [entries[2]]):
        with pytest.raises(CommandError, match="nothing to undo"):
            undo._chosen_entry(none, None)


def test_what_a_look_at_the_record_shows_may_refuse_it(stub: StubServer) -> None:
    client = stub.client(dialects="platform")
    deal = client.deals.create({"title": "Tea", "value": 5})
    client.deals.update(deal.id, {"value": 6})

    def entry(version: int | None, **more: Any) -> Entry:
        return Entry(1, "", "deals.update", [deal.id], ["value"], version, **more)

    assert refused(client, entry(2, before={"value": 6})) == "the record has the values from before again"
    assert refused(client, entry(1, before={"value": 1})) == (
        f"{deal.id} was changed since: it is at version 2, and should be at 1"
    )
    no_version = "the server tells no version of it, so nobody knows whether it was changed since"
    assert refused(client, entry(None, before={"value": 1})) == no_version
    found = reversal.reversal(client, entry(2, before={"value": 5}))
    assert found.arguments == {"deal_id": deal.id, "changes": {"value": 5}, "version": 2}
    assert found.does == f"set value of {deal.id} back"
    assert reversal.reversal(client, entry(1, stands=2, before={"value": 5})).arguments["version"] == 2
    client.deals.delete(deal.id)
    assert refused(client, entry(2, before={"value": 5})) == f"{deal.id} is not there any more"
    assert refused(client, Entry(1, "", "audit.logs.update", ["x"], ["a"], 1)) == "the noun has no update"


def test_what_is_read_by_nobody_cannot_be_set_back(served: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_API_KEY", "acme-sales")
    deal = served("deals", "create", "--title", "Tea", "-o", "ids").out.strip()
    assert served("deals", "update", deal, "--title", "Mate").status == 0
    done = served("undo", "--yes")
    assert done.status == failures.CONFLICT
    assert "the audit trail does not tell you; CRM_UNDO=1 reads it" in done.err


class Trail:
    """A client whose deal is at a version, and whose audit trail has these requests, the last one first."""

    def __init__(self, version: int, requests: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        record = SimpleNamespace(version=version, value=9, title="now", custom_fields=None)
        self.deals = SimpleNamespace(get=lambda deal_id: record)
        self.audit = SimpleNamespace(logs=self)
        self.asked: dict[str, Any] = {}
        self._items = [
            SimpleNamespace(
                source=SimpleNamespace(request_id=request, operation=call),
                changes=[SimpleNamespace(field=name, before=value) for name, value in changes.items()],
            )
            for request, call, changes in requests
        ]

    def list(self, **asked: Any) -> Any:
        self.asked = asked
        return SimpleNamespace(items=self._items)


def test_the_values_before_are_those_of_the_request_of_that_version() -> None:
    mine = ("r1", "deals.update", {"value": 5, "customFields.a": 1, "customFields.b": 2, "title": "Tea"})
    later: list[tuple[str, str, dict[str, Any]]] = [
        ("r3", "deals.update", {"value": 8}), ("r2", "deals.move_stage", {"stage": "new"}), ("r2", "x", {"value": 7}),
        ("r0", "deals.get", {}),
    ]  # fmt: skip
    trail: Any = Trail(6, [*later, mine])
    entry = Entry(1, "", "deals.update", ["d"], ["value", "custom_fields", "notes"], 4, stands=6)
    found = reversal.reversal(trail, entry)
    assert found.arguments["changes"] == {"value": 5, "custom_fields": {"a": 1, "b": 2}}
    assert trail.asked == {"entity_id": "d", "sort": "sequence", "order": "desc", "limit": 9}
    for version, limit in ((4, 5), (51, 99), (52, 100)):
        trail = Trail(version, [mine])
        entry.stands = version
        if version == 4:
            assert reversal.reversal(trail, entry).arguments["changes"]["value"] == 5
        else:
            assert refused(trail, entry).startswith("what was there before was not read")
        assert trail.asked["limit"] == limit
    other: Any = Trail(4, [("r1", "deals.move_stage", {"value": 5})])
    entry.stands = None
    assert refused(other, entry).startswith("what was there before was not read")


def test_a_value_before_is_that_of_the_member_or_of_its_parts() -> None:
    before = reversal._value_before
    assert before({"value": None}, "value")[-1] is None and before({}, "value") == []
    assert before({"closeDate": 1, "close_date": 2}, "close_date") == [2, 1]
    assert before({"customFields.a.b": 1, "customFieldsX.a": 2, "x": 3}, "custom_fields") == [{"a.b": 1}]
    assert before({"custom_fields": 5, "custom_fields.a": 1}, "custom_fields") == [5]


def test_what_was_created_is_deleted_where_nobody_changed_it(stub: StubServer) -> None:
    client = stub.client(dialects="platform")
    deal = client.deals.create({"title": "Tea"})
    found = reversal.reversal(client, Entry(1, "", "deals.create", [deal.id], version=1))
    assert (found.operation.id, found.does) == ("deals.delete", f"delete {deal.id}")
    assert found.arguments == {"deal_id": deal.id, "version": 1}
    assert "should be at 3" in refused(client, Entry(1, "", "deals.create", [deal.id], version=3))


def test_what_was_deleted_is_restored_under_the_name_of_its_entity() -> None:
    for call, ids, entity in (
        ("deals.delete", ["d"], "deal"), ("activities.delete", ["a"], "activity"),
        ("calendar.events.delete", ["e"], "activity"), ("communication.meetings.delete", ["m"], "activity"),
        ("custom_objects.records.delete", ["car__c", "r"], "car__c"),
    ):  # fmt: skip
        nobody: Any = None
        found = reversal.reversal(nobody, Entry(1, "", call, ids))
        assert found.arguments == {"entity": entity, "ids": [ids[-1]]} and found.does == f"restore {ids[-1]}"


# -- what is written down


def test_a_variable_says_whether_writes_are_written_down(
    served: Crm, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines() -> int:
        return sum(len(path.read_bytes().splitlines()) for path in (folder / "undo").glob("*"))

    for said, kept in (("", 1), ("AUTO", 1), ("1", 1), ("on", 1), ("true", 1), ("0", 0), ("Off", 0), ("false", 0)):
        monkeypatch.setenv("CRM_UNDO", said)
        for words in (("leads", "create", "--name", "Ada"), ("api", "POST", "/v1/leads?", "name=Ada")):
            before = lines()
            assert served(*words).status == 0
            assert lines() - before == kept, said
    monkeypatch.setenv("CRM_UNDO", "1")
    assert [row["command"] for row in served("undo", "--list").json][:1] == ["crm api POST /v1/leads"]


def test_of_fields_that_are_set_one_by_one_those_that_are_given_are_read() -> None:
    given = {"a": 5, "c": 6}
    for known, before in (({"a": 1, "b": 2}, {"a": 1, "c": None}), (None, {"a": None, "c": None})):
        record = SimpleNamespace(custom_fields=known, tags=("x",), name="Ada")
        assert recording._value(record, "custom_fields", given) == before
        assert recording._value(record, "custom_fields", None) == known
        assert recording._value(record, "tags", ["y"]) == ["x"] and recording._value(record, "name", given) == "Ada"
        assert recording._value(record, "odd", 1) is None


class Kept(recording.Recording):
    """A recording whose entries are looked at."""

    entries: list[Entry]

    @staticmethod
    def write(settings: Any, entry: Entry) -> None:
        Kept.entries.append(entry)


@pytest.mark.usefixtures("folder")
def test_what_is_noted_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = None
    Kept.entries = []

    def noted(call: str, arguments: dict[str, Any], result: Any) -> Entry | None:
        Kept.entries = []
        Kept(Form(OPERATIONS[call]), settings).note(arguments, result)
        return Kept.entries[0] if Kept.entries else None

    made = SimpleNamespace(id="d1", version=3)
    entry = noted("deals.create", {"deal": {"title": "Tea"}}, made)
    assert entry is not None and (entry.ids, entry.members, entry.version) == (["d1"], [], 3)
    entry = noted("deals.update", {"deal_id": "d1", "changes": {"value": 5, "title": "x"}}, made)
    assert entry is not None and (entry.ids, entry.members) == (["d1"], ["value", "title"])
    assert noted("deals.update", {"deal_id": "d1", "changes": {}}, made) is None
    entry = noted("deals.move_stage", {"deal_id": "d1", "stage": "won"}, SimpleNamespace(version="3"))
    assert entry is not None and (entry.ids, entry.members, entry.version) == (["d1"], ["stage"], None)
    entry = noted("webhooks.update", {"webhook_id": "w", "changes": {"secret": "x", "url": "y"}}, made)
    assert entry is not None and (entry.members, entry.withheld) == (["url"], ["secret"])
    entry = noted("leads.convert", {"lead_id": "l"}, SimpleNamespace(id="c"))
    assert entry is not None and entry.ids == ["l"] and entry.before is None


@pytest.mark.usefixtures("folder")
def test_what_an_update_will_change_is_read_where_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = None
    for said, terminal, reads in (("", True, True), ("", False, False), ("1", False, True), ("0", True, False)):
        monkeypatch.setenv("CRM_UNDO", said)
        monkeypatch.setattr(recording, "may_ask", lambda here=terminal: here)
        record = recording.Recording(Form(OPERATIONS["webhooks.update"]), settings)
        asked: list[str] = []
        client: Any = SimpleNamespace(
            webhooks=SimpleNamespace(get=lambda hook, asked=asked: asked.append(hook) or SimpleNamespace(url="u"))
        )
        record.look(client, {"webhook_id": "w", "changes": {"url": "v", "secret": "s"}})
        assert (asked, record._before) == ((["w"], {"url": "u"}) if reads else ([], None))
        record.look(client, {"webhook_id": "w", "changes": {}})
        assert len(asked) == int(reads)

    def gone(hook: str) -> Any:
        raise errors.NotFoundError("no", status=404, code="X")

    record = recording.Recording(Form(OPERATIONS["webhooks.update"]), settings)
    client = SimpleNamespace(webhooks=SimpleNamespace(get=gone))
    monkeypatch.setattr(record, "_chosen", True)
    record.look(client, {"webhook_id": "w", "changes": {"url": "v"}})
    assert record._before is None


def test_a_journal_is_that_of_a_company_of_a_server(folder: Path) -> None:
    def path(**settings: Any) -> str:
        every = {"offline": False, "base_url": "http://a", "tenant": None, "api_key": "k", "typed": Options()}
        made: Any = SimpleNamespace(**every | settings)
        return str(Journal.of(made)._path)

    assert path() == path(base_url="http://a/") != path(base_url="http://b")
    assert path() != path(api_key="l") and path(tenant="t") == path(tenant="t", api_key="l") != path(tenant="u")
    assert path(offline=True) == path(offline=True, api_key="l", base_url="http://b") != path()
    assert path(offline=True, typed=Options(api_key="m")) != path(offline=True)
