"""The following of changes against a server of a script: what is asked, what is saved before it is told, and when."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Of
from typing import Any

import anyio
import pytest

from crm_sdk.errors import ConflictError
from crm_sdk.models import Lead
from crm_sdk.sync import MemoryStore, SyncChange, Syncing, SyncState
from crm_sdk.sync.following import AsyncSyncing
from crm_sdk.sync.state import ENTITIES


class Stop(Exception):  # noqa: N818 # how a test leaves what goes on for ever
    """Nothing more is waited for."""


class Server:
    """Answers calls one after another as a script says, and notes what they were and what had been saved by then."""

    def __init__(self, *answers: Any, asynchronous: bool) -> None:
        self.answers, self.asked, self.slept = list(answers), list[Any](), list[float]()
        self.store = MemoryStore()
        names: Any = {"scan": self._later("scan"), "list": self._later("list")} if asynchronous else {
            "scan": lambda **given: self.answer("scan", given), "list": lambda **given: self.answer("list", given),
        }  # fmt: skip
        self.objects = self.changes = Of(**names)
        self.clock = self
        self.following: Any = (AsyncSyncing if asynchronous else Syncing)(self)  # type: ignore[arg-type] # what it uses
        self.asynchronous = asynchronous

    def _later(self, name: str) -> Callable[..., Any]:
        async def call(**given: Any) -> Any:
            return self.answer(name, given)

        return call

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        self.asked.append((name, given))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.answers:
            raise Stop

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def follow(self, **given: Any) -> list[tuple[str, str]]:
        """Return kind and id of what is told; what is there has to be in the copy by then, and what is gone not."""
        told: list[tuple[str, str]] = []

        def note(change: SyncChange) -> None:
            told.append((change.kind, change.id))
            assert (change.id in self.store.records(change.entity)) is not change.is_gone

        async def in_loop() -> None:
            async for change in self.following.changes(self.store, **given):
                note(change)

        try:
            if self.asynchronous:
                anyio.run(in_loop)
            else:
                for change in self.following.changes(self.store, **given):
                    note(change)
        except Stop:
            told.append(("stopped", ""))
        return told


@pytest.fixture
def server(mode: str) -> Callable[..., Server]:
    return lambda *answers: Server(*answers, asynchronous=mode == "async")


def lead(id: str, version: int | None = 1) -> Lead:
    return Lead.model_validate({"id": id, "name": id, "status": "new"} | ({"version": version} if version else {}))


def scanned(*ids: str, next: str | None = None, cursor: str | None = "c1") -> Any:
    return Of(items=[lead(id) for id in ids], next=next, cursor=cursor)


def change(kind: str, id: str, *, gone: bool = False, record: bool = True, entity: str = "lead") -> Any:
    return Of(
        change=kind, is_gone=gone, record=lead(id, 2) if record else None, entity=Of(type=entity, id=id), version=2,
        changed_fields=["name"], merged_into="l9" if kind == "merged" else None,
    )  # fmt: skip


def news(*changes: Any, cursor: str = "c2", more: bool = False) -> Any:
    return Of(items=list(changes), cursor=cursor, has_more=more)


EXPIRED = ConflictError("it is forgotten", status=410, code="CURSOR_EXPIRED")


def test_each_entity_is_scanned_to_its_end_and_the_changes_follow_the_first_scan(server: Callable[..., Server]) -> None:
    made = server(
        scanned("l1", "l2", next="l2", cursor="c1"), scanned("l3", cursor="c2"), scanned(cursor="c3"), news(cursor="c4")
    )
    assert made.follow(entities=["lead", "deal"], limit=2) == [("scanned", f"l{n}") for n in (1, 2, 3)]
    assert made.asked == [
        ("scan", {"entity": "lead", "after": None, "limit": 2}),
        ("scan", {"entity": "lead", "after": "l2", "limit": 2}),
        ("scan", {"entity": "deal", "after": None, "limit": 2}),
        ("list", {"cursor": "c1", "entity_types": ["lead", "deal"], "limit": 2}),
    ]
    assert made.store.load() == SyncState(("lead", "deal"), (), None, "c4", 1) and made.slept == []


def test_without_names_it_is_the_five_that_most_want_by_200(server: Callable[..., Server]) -> None:
    made = server(*[scanned()] * 5, news())
    assert made.follow() == []
    assert [given.get("entity") for _, given in made.asked] == [*ENTITIES, None]
    assert {given["limit"] for _, given in made.asked} == {200}


def test_pages_of_changes_are_followed_as_long_as_there_are_more(server: Callable[..., Server]) -> None:
    made = server(
        scanned("l1", "l2", "l3"),
        news(change("updated", "l1"), change("created", "l4"), change("created", "l5", record=False), more=True),
        news(change("deleted", "l2", gone=True, record=False), change("merged", "l3", gone=True), cursor="c3"),
    )
    assert made.follow(entities=["lead"]) == [
        *(("scanned", f"l{n}") for n in (1, 2, 3)), ("updated", "l1"), ("created", "l4"), ("deleted", "l2"),
        ("merged", "l3"),
    ]  # fmt: skip
    assert [given["cursor"] for name, given in made.asked if name == "list"] == ["c1", "c2"]
    assert made.store.records("lead").keys() == {"l1", "l4"} and made.store.records("lead")["l1"]["version"] == 2


def test_a_record_without_a_version_has_none_that_is_later(server: Callable[..., Server]) -> None:
    made = server(Of(items=[lead("l1", None)], next=None, cursor="c1"), news())
    made.follow(entities=["lead"])
    assert [row.version for row in made.store.rows.values()] == [0]


def test_a_live_copy_waits_where_there_is_nothing_more(server: Callable[..., Server]) -> None:
    made = server(scanned("l1"), news(more=True), news(), news(change("updated", "l1")))
    assert made.follow(entities=["lead"], live=2.5) == [("scanned", "l1"), ("updated", "l1"), ("stopped", "")]
    assert made.slept == [2.5, 2.5]


@pytest.mark.parametrize("within", ["list", "scan"])
def test_a_position_that_has_expired_begins_a_new_scan(server: Callable[..., Server], within: str) -> None:
    made = server(
        scanned("l1", "l2", next="l2"),
        *([scanned("l3"), EXPIRED] if within == "list" else [EXPIRED]),
        scanned("l1", cursor="c7"),
        news(cursor="c8"),
    )
    told = made.follow(entities=["lead"])
    assert told[-2 - (within == "list") :][0] == ("scanned", "l1")
    missing = ["l2", "l3"] if within == "list" else ["l2"]
    assert told[-len(missing) :] == [("missing", id) for id in missing]
    assert made.asked[-1][1]["cursor"] == "c7" and made.asked[-2][1]["after"] is None
    assert made.store.load() == SyncState(("lead",), (), None, "c8", 2)
    assert made.store.records("lead").keys() == {"l1"}


def test_another_conflict_is_the_callers_and_what_is_saved_stays(server: Callable[..., Server]) -> None:
    made = server(scanned("l1"), ConflictError("busy", status=409, code="BUSY"))
    with pytest.raises(ConflictError):
        made.follow(entities=["lead"])
    assert made.store.records("lead").keys() == {"l1"}


def test_what_is_named_later_is_scanned_before_it_goes_on(server: Callable[..., Server]) -> None:
    made = server(
        scanned("l1"), news(), scanned("d1", cursor="c5"), news(cursor="c6"), news(cursor="c7"), news(cursor="c8")
    )
    made.follow(entities=["lead"])
    assert made.follow(entities=["deal", "lead"]) == [("scanned", "d1")]
    assert made.asked[2:] == [
        ("scan", {"entity": "deal", "after": None, "limit": 200}),
        ("list", {"cursor": "c2", "entity_types": ["lead", "deal"], "limit": 200}),
    ]
    assert made.follow(entities=["lead"]) == made.follow() == [], "what is known stays, though it is not named"
    assert [given["entity_types"] for _, given in made.asked[4:]] == [["lead", "deal"]] * 2
