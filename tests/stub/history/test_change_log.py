"""The log of changes, entry by entry: what a transaction wrote, in which order, and what erasures and shares say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stub_data import some

from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.history import change_log
from server_stub.serving import Context

TENANT = "tenant_acme"


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


def of(stub: StubServer, kind: str) -> Collection:
    return stub.store.collection(TENANT, kind)


def contact(id: str = "contact_new", **members: Any) -> Document:
    """Return a record as it is stored; `secret_note` is no member of contacts."""
    usual = {"name": "A", "version": 1, "owner_id": "user_sam", "deleted_at": None, "secret_note": 1}
    return Document({"id": id, **usual, **members})


def told(stub: StubServer, *writes: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the entries of a transaction of these writes."""
    log = of(stub, change_log.KIND)
    known = len(log)
    with stub.store.transaction():
        for write in writes:
            write()
    return [dict(entry) for entry in log.all()[known:]]


def stored(stub: StubServer, doc: Document, kind: str = "contact") -> Callable[[], object]:
    return lambda: of(stub, kind).put(doc)


def brief(entries: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(entry["record_id"], entry["change"], entry["version"]) for entry in entries]


def test_a_new_record(stub: StubServer) -> None:
    (entry,) = told(stub, stored(stub, contact()))
    last = stub.store.last_count(change_log.series(TENANT))
    assert entry == {
        "id": change_log.key_of(last), "seq": last, "at": stub.clock.now(), "collection": "contact", "type": "contact",
        "record_id": "contact_new", "change": "created", "version": 1, "values": [], "merged_into": None,
        "actor": "system", "event": "contact.created", "before": None,
        "after": {"id": "contact_new", "owner_id": "user_sam"},
    }  # fmt: skip
    (second,) = told(stub, stored(stub, contact("contact_2")))
    assert (entry["id"], second["seq"]) == (str(last), last + 1)


GONE = {"deleted_at": "then"}
CHANGES: list[tuple[str, dict[str, Any] | None, dict[str, Any] | None, str | None]] = [
    # what a record was, what it is, and what that is to a copy
    ("new", None, {}, "created"),
    ("changed", {}, {"name": "B", "version": 2}, "updated"),
    ("another version alone", {}, {"version": 2}, "updated"),
    ("changed within its version", {}, {"name": "B"}, "updated"),
    ("nothing that is told", {}, {"updated_at": 5}, None),
    ("no member of the entity", {}, {"secret_note": 2}, None),
    ("deleted", {}, {**GONE, "version": 2}, "deleted"),
    ("merged", {}, {**GONE, "version": 2, "merged_into": "contact_123"}, "merged"),
    ("restored", GONE, {"version": 2}, "restored"),
    ("changed while deleted", GONE, {**GONE, "name": "B", "version": 2}, None),
    ("purged", {}, None, "purged"),
    ("purged when it was deleted", GONE, None, "purged"),
    ("stored deleted", None, GONE, None),
]


@pytest.mark.parametrize("half", [slice(0, 7), slice(7, None)], ids=["living", "gone"])
def test_what_each_write_is(stub: StubServer, half: slice) -> None:
    def change(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str | None:
        start = stub.snapshot()
        if before is not None:
            told(stub, stored(stub, contact(**before)))
        write = (
            stored(stub, contact(**after)) if after is not None else lambda: of(stub, "contact").remove("contact_new")
        )
        entries = told(stub, write)
        stub.restore(start)
        assert len(entries) <= 1
        return entries[0]["change"] if entries else None

    cases = CHANGES[half]
    assert [(name, before, after, change(before, after)) for name, before, after, _ in cases] == cases


def test_the_values_of_a_change(stub: StubServer) -> None:
    before = contact(title="CEO", tags=["a"], phone="1", note=None)
    told(stub, stored(stub, before))
    after = Document({key: value for key, value in before.items() if key != "phone"})
    after = after | {"title": None, "tags": ["b"], "version": 2, "updated_at": 5, "owner_id": "user_ada"}
    (entry,) = told(stub, stored(stub, after))
    assert {value["field"]: (value["before"], value["after"]) for value in entry["values"]} == {
        "title": ("CEO", None), "tags": (["a"], ["b"]), "phone": ("1", None), "owner_id": ("user_sam", "user_ada"),
    }  # fmt: skip
    assert (entry["before"]["owner_id"], entry["after"]["owner_id"]) == ("user_sam", "user_ada")
    assert (entry["version"], entry["event"]) == (2, "contact.updated")
    (gone,) = told(stub, stored(stub, after | {"version": 3, "deleted_at": "then", "title": "VP", "merged_into": "c"}))
    assert (gone["values"], gone["merged_into"], gone["version"]) == ([], "c", 3)


def test_the_fields_of_a_custom_object_are_told_one_by_one(stub: StubServer) -> None:
    one = of(stub, "record").all()[0]
    names = list(one["fields"])
    fields = {**one["fields"], names[0]: "changed", "odd": 1}
    changed = one | {"fields": fields, "owner_id": "user_sam", "version": one["version"] + 1}
    told(stub, stored(stub, one | {"owner_id": "user_ada"}, "record"))
    (entry,) = told(stub, stored(stub, changed, "record"))
    assert {value["field"]: (value["before"], value["after"]) for value in entry["values"]} == {
        f"fields.{names[0]}": (one["fields"][names[0]], "changed"), "fields.odd": (None, 1),
        "owner_id": ("user_ada", "user_sam"),
    }  # fmt: skip
    assert entry["type"] == one["object"] and entry["event"] == "record.updated"
    assert entry["after"]["object_id"] == one["object_id"]
    (entry,) = told(stub, stored(stub, one | {"fields": None, "version": one["version"] + 2}, "record"))
    assert (f"fields.{names[0]}", "changed", None) in [tuple(value.values()) for value in entry["values"]]


def test_the_versions_of_one_transaction(stub: StubServer) -> None:
    """Writes of one version are one entry, with what it was before the first and is after the last of them."""
    told(stub, stored(stub, contact()))
    versions = [
        contact(name="B", version=2), contact(name="C", version=2), contact(name="D", version=3, tags=["x"]),
    ]  # fmt: skip
    entries = told(stub, *(stored(stub, one) for one in versions), stored(stub, contact("contact_2")))
    assert brief(entries) == [("contact_new", "updated", 2), ("contact_new", "updated", 3), ("contact_2", "created", 1)]
    assert [entry["values"][0] for entry in entries[:2]] == [
        {"field": "name", "before": "A", "after": "C"}, {"field": "name", "before": "C", "after": "D"},
    ]  # fmt: skip
    gone = lambda: of(stub, "contact").remove("contact_new")  # noqa: E731 # one of several writes
    again = told(stub, gone, stored(stub, contact(name="Z", version=3, tags=["x"])))
    assert brief(again) == [("contact_new", "purged", 3), ("contact_new", "created", 3)]
    assert brief(told(stub, stored(stub, contact(version=4)), gone)) == [
        ("contact_new", "updated", 4), ("contact_new", "purged", 4),
    ]  # fmt: skip


def context(stub: StubServer, user: str = "user_ada") -> Context:
    caller = Caller(TENANT, user, user, "admin", "Ada")
    return Context(
        stub, caller, stub.clock.now() - timedelta(hours=1), dialect="platform", operation="contacts.update",
        request_id="req_1", source={"dialect": "platform"},
    )  # fmt: skip


def test_who_did_it_says_the_trail(stub: StubServer) -> None:
    """An entry about the record itself, else the last one of the transaction: that of which it is a consequence."""
    call = context(stub)
    new, other = contact(), contact("contact_2")

    def publish(doc: Document, event: str) -> Callable[[], object]:
        return lambda: call.emit(event, "contact", doc)

    entries = told(
        stub, stored(stub, other), stored(stub, new), publish(new, "contact.invited"), publish(new, "contact.seen"),
    )  # fmt: skip
    by_id = {entry["record_id"]: entry for entry in entries if entry["collection"] == "contact"}
    assert (by_id["contact_new"]["event"], by_id["contact_2"]["event"]) == ("contact.invited", "contact.created")
    for entry in by_id.values():
        assert (entry["actor"], entry["at"]) == ("user_ada", call.now)
    entries = told(
        stub, stored(stub, new | {"version": 2}), publish(new, "contact.first"), stored(stub, new | {"version": 3}),
        publish(new, "contact.second"),
    )  # fmt: skip
    assert [entry["event"] for entry in entries] == ["contact.first", "contact.second"]


def test_what_lies_outside_of_the_data_of_a_company_is_not_told(stub: StubServer) -> None:
    assert told(stub, stored(stub, Document(id="x", version=1), "session")) == []
    known = len(stub.store.collection("", change_log.KIND))
    with stub.store.transaction():
        stub.store.collection("", "contact").put(contact())
    assert len(stub.store.collection("", change_log.KIND)) == known
    company = some(of(stub, "tenant").get(TENANT))
    for purged, entries in ((False, 1), (True, 0)):
        of(stub, "tenant").put(company | {"purged": purged})
        assert len(told(stub, stored(stub, contact(f"contact_{purged}")))) == entries


def test_a_note_of_a_delete_goes_with_the_record_or_its_restore(stub: StubServer) -> None:
    for after, stays in (({"deleted_at": "then", "name": "B"}, True), ({"version": 3}, False), (None, False)):
        start = stub.snapshot()
        told(stub, stored(stub, contact()))
        note = stored(stub, Document(id="contact_new", touched=[]), "trash")
        told(stub, stored(stub, contact(deleted_at="then", version=2)), note)
        assert "contact_new" in of(stub, "trash")
        if after is not None:
            told(stub, stored(stub, contact(**after)))
        else:
            told(stub, lambda: of(stub, "contact").remove("contact_new"))
        assert ("contact_new" in of(stub, "trash")) is stays
        stub.restore(start)


# -- erasures ----------------------------------------------------------------------------------------------------------


def erased(stub: StubServer, *writes: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the entries of a transaction that erases somebody."""
    latest = stored(stub, Document(id=change_log.LATEST_ERASURE, number=1), change_log.ERASURES)
    entries = told(stub, *writes, latest)
    return [entry for entry in entries if entry["collection"] == "contact"]


def test_what_an_erasure_leaves_of_a_record(stub: StubServer) -> None:
    told(stub, stored(stub, contact(title="CEO")))
    (cleared,) = erased(stub, stored(stub, contact(name="erased", version=2, owner_id="user_ada")))[:1]
    assert cleared["change"] == "updated"
    assert {value["field"]: (value["before"], value["after"]) for value in cleared["values"]} == {
        "name": (None, None), "title": (None, None), "owner_id": (None, None),
    }  # fmt: skip
    assert cleared["before"] == cleared["after"] == {"id": "contact_new", "owner_id": "user_ada"}, "whose it is now"
    told(stub, stored(stub, contact(name="erased", version=2)))
    changed = stored(stub, contact(name="C", version=3))
    gone = lambda: of(stub, "contact").remove("contact_new")  # noqa: E731 # one of several writes
    start = stub.snapshot()
    entries = erased(stub, changed, gone)
    assert brief(entries) == [("contact_new", "erased", 2)], "once, and not what it was changed to before"
    assert (entries[0]["values"][0]["after"], entries[0]["after"]) == (None, None)
    assert entries[0]["before"] == {"id": "contact_new", "owner_id": "user_sam"}
    stub.restore(start)
    assert [entry["change"] for entry in told(stub, changed, gone)] == ["updated", "purged"]
    stub.restore(start)
    (deleted,) = erased(stub, stored(stub, contact(version=3, deleted_at="then")))
    assert (deleted["change"], deleted["after"]) == ("erased", None)


def test_who_saw_a_record_needs_more_of_it_where_its_noun_looks_further(stub: StubServer) -> None:
    """All of it, and of one that was erased what says nothing."""
    whole = Document(id="report_new", name="R", visibility="team", owner_id="user_sam", version=1, deleted_at=None)
    bare = dict(whole | {"name": None})
    gone = lambda: of(stub, "report").remove("report_new")  # noqa: E731 # done twice
    for erasing in (False, True):
        (made,) = told(stub, stored(stub, whole, "report"))
        assert (made["before"], made["after"]) == (None, dict(whole))
        latest = stored(stub, Document(id=change_log.LATEST_ERASURE, number=1), change_log.ERASURES)
        also = [latest] if erasing else []
        changed = whole | {"name": "S", "version": 2}
        entry = told(stub, stored(stub, changed, "report"), *also)[0]
        assert (entry["before"], entry["after"]) == (dict(changed if erasing else whole), dict(changed))
        entry = told(stub, gone, *also)[0]
        assert (entry["before"], entry["after"]) == (bare | {"version": 2} if erasing else dict(changed), None)


def test_what_is_bare_of_a_record() -> None:
    doc = {
        "id": "x", "kind": "task", "visibility": "team", "owner_id": "user_1", "name": "Eva", "size": 5, "done": True,
        "tags": ["a"], "related": {"type": "deal", "id": "d", "name": "Deal"}, "none": None, "at": timedelta(1),
        "text_ids": ["a"],
    }  # fmt: skip
    assert change_log.bare_of(doc) == {
        **doc, "name": None, "tags": [], "related": {"type": "deal", "id": "d"}, "text_ids": [],
    }  # fmt: skip


# -- shares and figures ------------------------------------------------------------------------------------------------


def share(**members: Any) -> Document:
    entity = {"type": "deal", "id": "deal_new"}
    usual = {"subject_id": "user_sam", "created_by": "user_ada", "deleted_at": None, "entity": entity}
    return Document({"id": "share_new", **usual, **members})


def deal(**members: Any) -> Document:
    roles = [{"contact_id": "contact_2"}, {"contact_id": "contact_new"}, {"contact_id": "contact_none"}]
    usual = {"version": 1, "owner_id": "user_sam", "deleted_at": None, "contact_id": "contact_new"}
    return Document({"id": "deal_new", **usual, "account_id": "account_new", "contact_roles": roles, **members})


@pytest.fixture
def family(stub: StubServer) -> StubServer:
    """Store a deal with its account, which is a part of another, and its contacts."""
    for id, parent in (("account_new", "account_up"), ("account_up", None)):
        told(
            stub, stored(stub, Document(id=id, version=4, deleted_at=None, parent_id=parent, owner_id=None), "account")
        )
    told(stub, stored(stub, contact(account_id="account_new")), stored(stub, contact("contact_2")))
    told(stub, stored(stub, deal(), "deal"))
    return stub


COUNTING = [("account_new", "recounted", 4), ("contact_2", "recounted", 1), ("contact_new", "recounted", 1)]


def test_what_is_shared_is_told_with_what_counts_it(family: StubServer) -> None:
    entries = told(family, stored(family, share(), "share"))
    assert brief(entries)[0] == ("deal_new", "shared", 1) and sorted(brief(entries)[1:]) == COUNTING
    first, last = entries[0], family.store.last_count(change_log.series(TENANT))
    assert (first["event"], first["given"], first["subject"], first["actor"]) == (
        "share.created", True, "user_sam", "user_ada",
    )  # fmt: skip
    assert [entry["seq"] for entry in entries] == list(range(last - len(entries) + 1, last + 1))
    assert [entry["id"] for entry in entries] == [str(entry["seq"]) for entry in entries]
    assert {entry["event"] for entry in entries[1:]} == {"account.updated", "contact.updated"}
    for entry in entries:
        assert (entry["values"], entry["before"], entry["after"], entry["merged_into"]) == ([], None, None, None)
    assert told(family, stored(family, share(access="edit"), "share")) == [], "it is still shared"
    ended = told(family, stored(family, share(deleted_at="then", created_by=None), "share"))
    assert (ended[0]["event"], ended[0]["given"], ended[0]["actor"]) == ("share.deleted", False, "system")
    assert told(family, lambda: of(family, "share").remove("share_new")) == [], "it was not shared any more"
    told(family, stored(family, share(), "share"))
    assert told(family, lambda: of(family, "share").remove("share_new"))[0]["event"] == "share.deleted"
    for about in ({"type": "planet", "id": "x"}, {"type": "deal", "id": "deal_none"}, None):
        assert told(family, stored(family, share(entity=about), "share")) == []
        told(family, lambda: of(family, "share").remove("share_new"))


def test_another_owner_is_told_of_what_counts_a_record(family: StubServer) -> None:
    moved = told(family, stored(family, deal(owner_id="user_ada", version=2), "deal"))
    assert brief(moved)[0] == ("deal_new", "updated", 2) and sorted(brief(moved)[1:]) == COUNTING
    assert {entry["actor"] for entry in moved[1:]} == {"system"}
    two = [
        stored(family, deal(id=id, owner_id=owner), "deal") for owner in ("user_sam", "user_ada") for id in ("a", "b")
    ]
    told(family, *two[:2])
    assert sorted(brief(told(family, *two[2:]))[2:]) == COUNTING, "once, however many deals moved"
    assert brief(told(family, stored(family, deal(owner_id="user_ada", version=3, value=5), "deal"))) == [
        ("deal_new", "updated", 3)
    ]
    up = told(family, stored(family, contact(account_id="account_new", owner_id="user_ada", version=2)))
    assert brief(up)[1:] == [("account_new", "recounted", 4)]
    whole = some(of(family, "account").get("account_new"))
    up = told(family, stored(family, whole | {"owner_id": "user_ada", "version": 5}, "account"))
    assert brief(up)[1:] == [("account_up", "recounted", 4)]
    lead = Document(id="lead_new", version=1, owner_id="user_sam", deleted_at=None, account_id="account_new")
    told(family, stored(family, lead, "lead"))
    assert len(told(family, stored(family, lead | {"owner_id": "user_ada", "version": 2}, "lead"))) == 1
    assert len(told(family, stored(family, deal(id="deal_2"), "deal"))) == 1, "a new one is counted by its consequences"
