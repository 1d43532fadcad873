"""Where a subscriber stands: each event once and in order, and every loss told."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.errors import EventGap
from crm_sdk.realtime.feed import record_of
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.position import GRACE, TRIES, Cursor, Position


class Reader:
    """Takes what a position passes on."""

    def __init__(self, room: int = 10**9, since: Cursor | None = None) -> None:
        self.room = room
        self.got: list[int] = []
        self.gaps: list[tuple[int | None, int | None, str]] = []
        self.position: Position[int] = Position(self._take, self._told, since)

    def _take(self, event: int) -> bool:
        if self.room <= 0:
            return False
        self.room -= 1
        self.got.append(event)
        return True

    def _told(self, gap: EventGap) -> None:
        self.gaps.append((gap.from_seq, gap.to_seq, gap.reason))

    def feed(self, *seqs: int, now: float = 0.0, epoch: str = "e1") -> None:
        for seq in seqs:
            self.position.take(seq, now, seq=seq, epoch=epoch, id=f"evt_{seq}")


def test_events_pass_in_order_and_once() -> None:
    reader = Reader()
    reader.position.begin(10, "e1", None)
    reader.feed(11, 12, 12, 11, 13)
    assert reader.got == [11, 12, 13] and reader.gaps == []
    assert str(reader.position.cursor) == "e1:13"


def test_what_comes_too_early_waits_for_what_is_before_it() -> None:
    reader = Reader()
    reader.position.begin(0, "e1", None)
    reader.feed(2, 3)
    assert reader.got == [] and not reader.position.wants_resume(GRACE / 2, room=True)
    reader.feed(1)
    assert reader.got == [1, 2, 3] and not reader.position.wants_resume(99, room=True)


def test_what_is_missing_is_asked_for_and_in_the_end_given_up() -> None:
    reader = Reader()
    reader.position.begin(0, "e1", None)
    for _ in range(TRIES):
        reader.feed(3, 4)
        assert reader.position.wants_resume(GRACE, room=True)
        assert reader.position.begin_resuming() == Cursor(0, "e1")
        reader.position.begin(0, "e1", None)
        assert reader.gaps == []
    reader.feed(3, 4)
    assert reader.gaps == [(1, 2, "lost")] and reader.got == [3, 4]


def test_what_came_without_room_for_it_is_not_given_up() -> None:
    reader = Reader(room=0)
    reader.position.begin(0, "e1", None)
    for _ in range(3 * TRIES):
        reader.feed(1)  # there is no room
        reader.position.begin_resuming()
        reader.position.begin(0, "e1", None)
        reader.feed(2)  # the first was dropped on the way
        reader.position.begin_resuming()
        reader.position.begin(0, "e1", None)
    reader.room = 9
    reader.feed(1, 2)
    assert reader.got == [1, 2] and reader.gaps == []


def test_a_mark_shows_that_the_newest_events_did_not_come() -> None:
    reader = Reader()
    reader.position.begin(5, "e1", None)
    reader.position.mark(5, "e1", 1.0)
    assert not reader.position.wants_resume(1.0, room=True)
    reader.position.mark(7, "e1", 1.0)
    assert reader.position.wants_resume(1.0, room=True)


def test_a_gap_the_server_tells_of_is_reported_before_what_follows() -> None:
    reader = Reader(since=Cursor(5, "e1"))
    reader.position.begin(9, "e1", {"from": 6, "to": 9, "reason": "expired"})
    reader.feed(10)
    assert reader.gaps == [(6, 9, "expired")] and reader.got == [10]


def test_a_server_that_goes_on_later_without_a_word_left_a_gap_too() -> None:
    reader = Reader(since=Cursor(5, "e1"))
    reader.position.begin(8, "e1", None)
    assert reader.gaps == [(6, 8, "expired")]


@pytest.mark.parametrize("told", [{"from": None, "to": None, "reason": "epoch"}, None])
def test_numbers_that_begin_anew_are_a_gap_of_unknown_length(told: dict[str, object] | None) -> None:
    reader = Reader()
    reader.position.begin(40, "e1", None)
    reader.feed(41)
    reader.position.begin(3, "e2", told)
    reader.feed(4, epoch="e2")
    assert reader.gaps == [(42, None, "epoch")] and reader.got == [41, 4]


def test_numbers_that_begin_anew_on_a_living_link_are_noticed() -> None:
    reader = Reader()
    reader.position.begin(40, "e1", None)
    reader.feed(1, 2, epoch="e2")
    assert reader.gaps == [(41, None, "epoch")] and reader.got == [1, 2]


def test_without_room_nothing_is_passed_over() -> None:
    reader = Reader(room=2)
    reader.position.begin(0, "e1", None)
    reader.feed(1, 2, 3, 4)
    assert reader.got == [1, 2] and reader.position.blocked
    assert not reader.position.wants_resume(99, room=False) and reader.position.wants_resume(99, room=True)
    reader.room = 9
    assert reader.position.begin_resuming() == Cursor(2, "e1")
    assert not reader.position.wants_resume(99, room=True), "asked once is enough until the answer has come"
    reader.position.begin(2, "e1", None)
    reader.feed(3, 4)
    assert reader.got == [1, 2, 3, 4] and reader.gaps == []


def test_events_without_numbers_are_told_apart_by_id_and_a_broken_link_is_told() -> None:
    reader = Reader()
    assert reader.position.take(1, 0, seq=None, epoch=None, id="a")
    assert reader.position.take(1, 0, seq=None, epoch=None, id="a")
    assert reader.got == [1] and reader.position.cursor is None
    reader.position.broke()
    reader.position.note_restored()
    assert reader.gaps == [(None, None, "unnumbered")]


@given(st.integers(0, 2**32), st.integers(1, 120), st.floats(0, 0.5), st.integers(1, 40))
def test_whatever_the_link_does_each_event_comes_once_and_in_order(
    seed: int, events: int, trouble: float, room: int
) -> None:
    rng = random.Random(seed)
    reader = Reader(room=room)
    reader.position.begin(0, "e1", None)
    now = 0.0
    for _ in range(10_000):
        if reader.position.seq == events:
            break
        for seq in _troubled(rng, range((reader.position.seq or 0) + 1, events + 1), trouble):
            reader.feed(seq, now=now)
        reader.position.mark(events, "e1", now)
        now += 1
        reader.room = room
        if reader.position.wants_resume(now, room=True):
            reader.position.begin_resuming()
            reader.position.begin(reader.position.seq or 0, "e1", None)
        trouble *= 0.7
    assert reader.got == list(range(1, events + 1)) and reader.gaps == []


def _troubled(rng: random.Random, seqs: range, trouble: float) -> Iterator[int]:
    held: list[int] = []
    for seq in seqs:
        fate = rng.random()
        if fate < trouble / 3:
            continue
        if fate < trouble * 2 / 3:
            held.append(seq)
            continue
        yield seq
        if fate < trouble:
            yield seq
        if held and rng.random() < 0.5:
            yield held.pop()
    yield from held


def test_a_cursor_reads_what_it_wrote() -> None:
    for cursor in (Cursor(0), Cursor(41, "e1"), Cursor(7, "a:b")):
        assert Cursor.parse(str(cursor)) == cursor
    with pytest.raises(ValueError, match="x"):
        Cursor.parse("e1:x")


class TestMailbox:
    def test_block_refuses_and_loses_nothing(self) -> None:
        box: Mailbox[int] = Mailbox(2, "block", lambda item: item)
        assert [box.offer(n) for n in range(4)] == [True, True, False, False]
        assert not box.room and box.take() == 0 and box.room and box.dropped == 0

    def test_drop_oldest_counts_what_it_forgets(self) -> None:
        box: Mailbox[int] = Mailbox(2, "drop_oldest", lambda item: item)
        assert all(box.offer(n) for n in range(5))
        assert [box.take(), box.take(), box.take()] == [3, 4, None] and box.dropped == 3

    def test_coalesce_keeps_the_newest_of_each_record(self) -> None:
        box: Mailbox[tuple[str, int]] = Mailbox(2, "coalesce", lambda item: item[0])
        for item in [("a", 1), ("b", 1), ("a", 2), ("a", 3)]:
            assert box.offer(item)
        assert [box.take(), box.take()] == [("b", 1), ("a", 3)] and box.dropped == 2

    def test_a_gap_needs_no_room_and_keeps_its_place(self) -> None:
        box: Mailbox[int] = Mailbox(1, "drop_oldest", lambda item: item)
        gap = EventGap(1, 2, "lost")
        box.offer(1)
        box.put(gap)
        box.offer(2)
        assert [box.take(), box.take()] == [gap, 2]

    @pytest.mark.parametrize(
        ("name", "one", "another", "same"),
        [
            ("lead.updated", {"id": "a", "n": 1}, {"id": "a", "n": 2}, True),
            ("lead.updated", {"id": "a"}, {"id": "b"}, False),
            ("agent.status", {"agentId": "a"}, {"agentId": "b"}, False),
            ("metrics.update", {"metric": "a", "value": 1}, {"metric": "a", "value": 2}, True),
            ("deal:created", {"deal": {"id": "a"}}, {"deal": {"id": "b"}}, False),
        ],
    )
    @pytest.mark.parametrize("names", [("type", "data"), ("event", "payload")])
    def test_what_is_of_one_record_in_the_feed_and_on_a_channel(
        self, names: tuple[str, str], name: str, one: object, another: object, same: bool
    ) -> None:
        box: Mailbox[Mapping[str, object]] = Mailbox(2, "coalesce", record_of)
        other, older, newer = (dict(zip(names, (name, said), strict=True)) for said in ({"id": "other"}, one, another))
        for item in (other, older, newer):
            assert box.offer(item)
        assert [box.take(), box.take()] == ([other, newer] if same else [older, newer])

    @pytest.mark.parametrize("odd", [{"type": "x", "data": "text"}, {"type": "x"}, {"presence": 1}, {"cursor": 2}])
    def test_what_is_of_no_record_takes_the_place_of_the_oldest(self, odd: Mapping[str, object]) -> None:
        box: Mailbox[Mapping[str, object]] = Mailbox(2, "coalesce", record_of)
        for item in (1, 2, 3):
            box.offer({"type": "x", "data": {"id": str(item)}})
        assert box.offer(odd)
        assert [box.take(), box.take()] == [{"type": "x", "data": {"id": "3"}}, odd]
