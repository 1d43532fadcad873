"""What a delete did to other records is noted, and given back member by member where nobody has changed it since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stub_data import some

from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.data.document import Document
from server_stub.history import trash
from server_stub.serving import Context

TENANT = "tenant_acme"


@pytest.fixture
def call(restored: StubServer) -> Context:
    return Context(
        restored, Caller(TENANT, "apikey_1", "user_ada", "admin"), restored.clock.now() + timedelta(hours=1),
        dialect="platform", operation="contacts.delete", request_id="req_1", source={},
    )  # fmt: skip


def doc(id: str, **members: Any) -> Document:
    usual = {"version": 1, "updated_at": 0, "deleted_at": None, "name": "N", "owner_id": "user_sam"}
    return Document({"id": id, **usual, **members})


def get(call: Context, kind: str, id: str) -> Document:
    return some(call.collection(kind).get(id, deleted=True))


def put(call: Context, kind: str, id: str, **members: Any) -> Document:
    """Store a record with these members changed."""
    return call.collection(kind).put(get(call, kind, id) | members)


def deleted(call: Context, *writes: Callable[[], object]) -> list[dict[str, Any]]:
    """Carry out a delete of a contact that does this as well, and return what is noted of it."""
    for kind in ("contact", "deal", "account", "notification", "session"):
        call.collection(kind).put(doc(f"{kind}_1"))
    with trash.taking_note(call, "contact_1"):
        call.delete("contact", get(call, "contact", "contact_1"))
        for write in writes:
            write()
    note = some(call.collection(trash.KIND).get("contact_1"))
    assert note["deleted_by"] == "apikey_1"
    return [dict(one) for one in note["touched"]]


def entry(id: str, *, kind: str = "deal", told: bool = True, deleted: bool = False, **members: Any) -> dict[str, Any]:
    return {"kind": kind, "id": id, "members": members, "deleted": deleted, "told": told}


def test_what_is_noted(call: Context) -> None:
    def change(kind: str, **members: Any) -> Callable[[], object]:
        return lambda: call.update(kind, get(call, kind, f"{kind}_1"), members)

    assert deleted(call) == [], "of the record itself nothing"
    assert deleted(call, change("deal", name="M", stage="s")) == [entry("deal_1", name=("N", "M"), stage=(None, "s"))]
    twice = deleted(call, change("deal", name="M"), change("account", name="A"), change("deal", name="Z"))
    assert twice == [entry("deal_1", name=("N", "Z")), entry("account_1", kind="account", name=("N", "A"))]
    assert deleted(call, change("deal", name="M"), change("deal", name="N")) == [], "it is as it was"
    quietly = deleted(call, lambda: put(call, "deal", "deal_1", name="M", updated_at=5))
    assert quietly == [entry("deal_1", told=False, name=("N", "M"))], "without another version nobody is told"
    gone = deleted(call, lambda: call.delete("deal", get(call, "deal", "deal_1")))
    assert gone == [entry("deal_1", deleted=True)]
    assert deleted(call, change("notification"), change("session", name="M")) == [], "it tells of it, or is no record"
    assert deleted(call, change("notification", name="M")) == []
    assert deleted(call, lambda: call.collection("deal").remove("deal_1")) == [], "what is purged does not come back"
    assert deleted(call, lambda: call.collection("deal").put(doc("deal_2"))) == [], "nor is what was made then"
    call.collection("deal").put(doc("deal_3"))
    with call.server.store.transaction():
        put(call, "deal", "deal_3", name="before")
        assert deleted(call) == [], "what was done before is not a part of it"


Before = Callable[[Context], object]


def back(call: Context, *meanwhile: Before, quietly: bool = False, ends: bool = False) -> tuple[Any, ...]:
    """Return a deal that a delete has changed, after that was given back: its members, and whether it was told."""

    def change() -> None:
        put(call, "deal", "deal_1", name="M", stage="s", version=1 if quietly else 2)
        if ends:
            put(call, "deal", "deal_1", version=3, deleted_at="then")

    deleted(call, change)
    for write in meanwhile:
        write(call)
    before = call.collection("deal").get("deal_1", deleted=True)
    written = trash.give_back(call, "contact_1")
    found = call.collection("deal").get("deal_1", deleted=True)
    if written:
        assert written == [("deal", before, found)] and found is not None and found["updated_at"] == call.now
    if found is None:
        return (None, bool(written))
    return (found["name"], found.get("stage"), found["version"], found["deleted_at"], bool(written))


def changing(**members: Any) -> Before:
    return lambda call: put(call, "deal", "deal_1", **members)


def test_what_is_given_back(call: Context) -> None:
    assert trash.give_back(call, "contact_none") == []
    assert back(call) == ("N", None, 3, None, True)
    assert back(call, quietly=True) == ("N", None, 1, None, False)
    assert back(call, changing(name="own", version=7)) == ("own", None, 8, None, True)
    assert back(call, changing(name="own", stage="t", version=7)) == ("own", "t", 7, None, False)
    assert back(call, changing(version=7, deleted_at="now")) == ("M", "s", 7, "now", False), "it is deleted by now"
    assert back(call, changing(version=7, merged_into="x")) == ("M", "s", 7, None, False)
    assert back(call, lambda call: call.collection("deal").remove("deal_1")) == (None, False)
    assert back(call, ends=True) == ("N", None, 4, None, True)
    assert back(call, changing(name="own"), ends=True) == ("own", None, 4, None, True)
    assert back(call, changing(deleted_at=None, version=8), ends=True) == ("M", "s", 8, None, False), "it is back"
    assert back(call, changing(merged_into="x"), ends=True) == ("M", "s", 3, "then", False)
