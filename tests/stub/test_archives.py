"""Lines of archives, and what an archive has: nothing is lost but secrets, and of a company only what is its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.archives.lines import read_line, with_secrets_of, write_line
from server_stub.archives.parts import KINDS, Scope, at_home, away, is_kept, known_entities, name_of, records_of
from server_stub.data.document import Document

WHOLE: dict[str, Any] = {
    "id": "x_1", "text": "Zoë \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "number": 5,
    "share": 0.5,
    "flag": True, "none": None, "at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "day": date(2026, 1, 2),
    "amount": Decimal("1.50"), "raw": b"\0\1", "list": [1, "a", Decimal("2"), [date(2026, 1, 3)], {"at": date(2026,
    1, 4)}],
    "object": {"a/b": Decimal("3"), "c~d": {"e": date(2026, 1, 5)}, "plain": [1, None, False]},
}  # fmt: skip


def test_a_line_loses_nothing() -> None:
    line = write_line(WHOLE)
    back = read_line(line)
    assert dict(back) == WHOLE and write_line(back) == line == write_line(Document(WHOLE))
    assert [type(back[name]) for name in WHOLE] == [type(value) for value in WHOLE.values()]
    told = json.loads(line)["$types"]
    assert told == {
        "bytes": ["/raw"], "datetime": ["/at"],
        "date": ["/day", "/list/3/0", "/list/4/at", "/object/c~0d/e"],
        "decimal": ["/amount", "/list/2", "/object/a~1b"],
    }  # fmt: skip
    plain = write_line({"b": 1, "id": "x", "a": [True]})
    assert plain == b'{"a":[true],"b":1,"id":"x"}', "in the order of the names, without more"
    assert write_line({"id": "x", "a": (1, 2)}) == b'{"a":[1,2],"id":"x"}'


NO_LINES = (
    b"[]", b"5", b"{}", b'{"id": 5}', b'{"id": ""}', b"no json", b'{"id": "x", "$types": {"odd": ["/a"]}}',
    b'{"id": "x", "$types": {"date": ["/a"]}}', b'{"id": "x", "a": "no date", "$types": {"date": ["/a"]}}',
)  # fmt: skip


def test_what_is_no_line_is_refused() -> None:
    for line in NO_LINES:
        with pytest.raises((ValueError, KeyError, TypeError)):
            read_line(line)


def test_secrets_are_empty_and_names_of_the_company_are_none() -> None:
    secrets: dict[str, Any] = {
        "password": "a", "password_hash": "b", "api_key": "c", "access_token": "d", "client_secret": b"e",
        "credentials": {"user": "f"}, "fingerprint": "g", "private_key": "h", "tokens": "i", "webhook_key": "j",
    }  # fmt: skip
    others: dict[str, Any] = {
        "tokens_used": 5, "secretary": "Eva", "token": ["a"], "passwordless": "x", "secrets": None, "api_keys": "y",
        "custom_fields": {"token": "own", "inner": {"password": "own"}}, "fields": {"secret": "own"},
        "values": {"password": "own"}, "metadata": {"api_key": "own"}, "inner": {"name": "x"},
    }  # fmt: skip
    doc = {"id": "x", **secrets, **others, "deep": {"secret": "z", "fields": {"secret": "own"}}}
    back = dict(read_line(write_line(doc)))
    assert {name for name in back if name in secrets and back[name] is not None} == set()
    assert {name: back[name] for name in others} == others
    assert back["deep"] == {"secret": None, "fields": {"secret": "own"}}
    whole = with_secrets_of(Document(back), doc)
    assert dict(whole) == doc
    changed = Document(back | {"name": None, "token": None, "deep": {"secret": None, "new": 1}, "password": "new"})
    put = with_secrets_of(changed, doc | {"name": "there"})
    assert (put["name"], put["token"], put["deep"], put["password"]) == (None, None, {"secret": "z", "new": 1}, "new")
    own = with_secrets_of(Document({"id": "x", "custom_fields": {"token": None}, "metadata": None}), doc)
    assert (own["custom_fields"], own["metadata"]) == ({"token": None}, None)


def test_what_an_archive_can_have() -> None:
    def names(*include: str, only: list[str] | None = None) -> list[str]:
        return [kind.name for kind in Scope(list(include), only).kinds()]

    assert names("users") == ["role", "team", "user", "notification_preferences", "picture"]
    assert names("files") == ["file", "file_version"] and names("audit") == ["audit"] and names() == []
    assert names("data", only=["lead"]) == ["lead", "lead_score", "lead_capture", "record"]
    assert names("data", "configuration", only=["pipeline"]) == ["pipeline", "stage", "rule", "record"]
    assert names("configuration", only=["pipeline"]) == ["pipeline", "stage", "rule"]
    assert list(Scope(["files"]).entities()) == ["file"]
    assert list(Scope(["users"]).entities()) == ["role", "team", "user"]
    assert list(Scope(["data"], ["deal", "vehicle"]).entities()) == ["deal", "vehicle"]
    assert "record" not in list(Scope(["data"]).entities()) and "contact" in list(Scope(["data"]).entities())
    assert [(KINDS[name].is_part, KINDS[name].of) for name in ("stage", "pipeline", "user", "picture")] == [
        (True, "pipeline"), (False, "pipeline"), (False, "user"), (True, "user"),
    ]  # fmt: skip
    for include, only, has in (
        (["configuration"], None, True), (["data"], None, False), (["configuration"], ["company"], True),
        (["configuration"], ["pipeline"], False), (["data"], ["company"], False),
    ):  # fmt: skip
        assert Scope(include, only).has_company is has
    record = KINDS["record"]
    assert Scope(["data"], ["vehicle"]).has(record, {"object": "vehicle"})
    assert not Scope(["data"], ["vehicle"]).has(record, {"object": "boat"}) and Scope(["data"]).has(
        record, {"object": "boat"}
    )
    assert Scope(["data"], ["lead"]).has(KINDS["lead"], {"id": "x"})
    assert not Scope(["files"]).has(KINDS["file"], {"related_to": {"type": "backup"}})


def test_what_is_kept_where_it_is() -> None:
    cases: list[tuple[str, dict[str, Any], bool]] = [
        ("file", {"related_to": {"type": "backup"}}, True), ("file", {"related_to": {"type": "deal"}}, False),
        ("file", {"related_to": None}, False), ("note", {"related_to": {"type": "backup"}}, False),
        ("setting", {"secret": True}, True), ("setting", {"secret": False}, False), ("flag", {"secret": True}, False),
    ]  # fmt: skip
    assert [is_kept(kind, doc) for kind, doc, _ in cases] == [kept for *_, kept in cases]
    assert (name_of("record", {"object": "boat"}), name_of("lead", {"object": "boat"})) == ("boat", "lead")


def test_records_are_away_and_at_home() -> None:
    user = Document(id="user_1", tenant_id="t_1", name="U")
    assert (
        away("user", user) == user | {"tenant_id": ""}
        and at_home("user", away("user", user), "t_2")["tenant_id"] == "t_2"
    )
    own = Document(id="setting/tenant/t_1/a.b", scope="tenant", scope_id="t_1", key="a.b", secret=False)
    there = away("setting", own)
    assert there["scope_id"] == "" and there["id"] != own["id"]
    home = at_home("setting", there, "t_2")
    assert home["scope_id"] == "t_2" and home["id"] not in (own["id"], there["id"])
    assert at_home("setting", there, "t_1")["scope_id"] == "t_1"
    of_user = Document(id="x", scope="user", scope_id="user_1", key="a.b")
    lead = Document(id="lead_1", tenant_id="t_1", scope="tenant", key="k", scope_id="t_1")
    for kind, doc in (("setting", of_user), ("lead", lead)):
        assert away(kind, doc) is doc and at_home(kind, doc, "t_2") is doc


def test_which_records_and_entities_a_company_has(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", strict=True)
    gone = crm.leads.create({"name": "Gone"}).id
    crm.leads.delete(gone)
    crm.files.upload(("a.txt", b"a"))

    def collections(kind: str) -> Any:
        return stub.store.collection("tenant_acme", kind)

    def ids(kind: str, scope: Scope) -> list[str]:
        return [doc["id"] for doc in records_of(collections, KINDS[kind], scope)]

    assert gone in ids("lead", Scope(["data"])) and ids("lead", Scope(["data"])) != sorted(ids("lead", Scope(["data"])))
    own = {doc["object"] for doc in records_of(collections, KINDS["record"], Scope(["data"], ["onboarding"]))}
    assert own == {"onboarding"}
    assert {doc["object"] for doc in records_of(collections, KINDS["record"], Scope(["data"]))} == {
        "onboarding",
        "subscription",
    }
    files = set(ids("file", Scope(["files"])))
    versions = list(records_of(collections, KINDS["file_version"], Scope(["files"])))
    assert versions and {one["file_id"] for one in versions} <= files
    archives = {doc["id"] for doc in collections("file") if (doc.get("related_to") or {}).get("type") == "backup"}
    assert archives and not archives & files and not archives & {one["file_id"] for one in versions}
    known = known_entities(collections)
    assert {"contact", "company", "onboarding", "file"} <= set(known) and not {"record", "stage", "picture"} & set(
        known
    )
