"""What waits to be read: how many, which makes room for the next, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk.realtime.mailbox import Mailbox, Overflow


def box(capacity: int, overflow: Overflow) -> tuple[Mailbox[str], list[str], list[str]]:
    """Return a mailbox of texts whose first letter is their record, how often it changed, and what it forgot."""
    mailbox: Mailbox[str] = Mailbox(capacity, overflow, lambda item: None if item.startswith("-") else item[0])
    changes, forgotten = list[str](), list[str]()
    mailbox.changed = lambda: changes.append("x")
    mailbox.forgot = forgotten.append
    return mailbox, changes, forgotten


def taken(mailbox: Mailbox[str]) -> list[Any]:
    found = []
    while (item := mailbox.take()) is not None:
        found.append(item)
    return found


def test_a_full_one_that_blocks_takes_no_more_until_there_is_room() -> None:
    mailbox, changes, forgotten = box(2, "block")
    assert [mailbox.offer(item) for item in ("a1", "b1", "c1")] == [True, True, False]
    assert (len(mailbox), mailbox.dropped, forgotten, changes) == (2, 0, [], ["x", "x"])
    assert mailbox.take() == "a1" and mailbox.offer("c1") and not mailbox.offer("d1")
    assert taken(mailbox) == ["b1", "c1"] and mailbox.take() is None
    assert (len(mailbox), mailbox.capacity) == (0, 2)


@pytest.mark.parametrize(
    ("overflow", "offered", "left", "forgotten"),
    [
        ("drop_oldest", "a1 b1 c1 d1", "c1 d1", "a1 b1"),
        ("drop_oldest", "a1 b1 b2", "b1 b2", "a1"),
        ("coalesce", "a1 b1 b2", "a1 b2", "b1"),
        ("coalesce", "a1 b1 a2", "b1 a2", "a1"),
        ("coalesce", "a1 b1 c1", "b1 c1", "a1"),
        ("coalesce", "-1 b1 -2", "b1 -2", "-1"),
        ("coalesce", "a1 -1 -2", "-1 -2", "a1"),
    ],
)
def test_which_one_makes_room_for_the_next(overflow: Overflow, offered: str, left: str, forgotten: str) -> None:
    mailbox, changes, gone = box(2, overflow)
    assert all(mailbox.offer(item) for item in offered.split())
    assert (len(mailbox), mailbox.dropped, gone) == (2, len(forgotten.split()), forgotten.split())
    assert len(changes) == len(offered.split()) and taken(mailbox) == left.split() and len(mailbox) == 0


@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "coalesce"])
def test_an_error_keeps_its_place_and_needs_no_room(overflow: Overflow) -> None:
    mailbox, changes, forgotten = box(1, overflow)
    first, second = ValueError("1"), ValueError("2")
    mailbox.put(first)
    mailbox.offer("a1")
    mailbox.put(second)
    assert mailbox.pending and len(mailbox) == 1 and len(changes) == 3
    assert mailbox.offer("a2") is (overflow != "block")
    if overflow == "block":
        assert taken(mailbox) == [first, "a1", second] and forgotten == []
    else:
        assert taken(mailbox) == [first, second, "a2"] and forgotten == ["a1"]
    assert not mailbox.pending and len(mailbox) == 0


def test_it_ends_once_after_what_waits() -> None:
    mailbox, changes, _ = box(1, "block")
    why = ValueError("the first")
    mailbox.offer("a1")
    mailbox.close(why)
    mailbox.close(ValueError("the second"))
    mailbox.close()
    assert mailbox.closed and mailbox.end is why and len(changes) == 4 and taken(mailbox) == ["a1"]
    other, _, _ = box(1, "block")
    assert (other.closed, other.end) == (False, None)
    other.close()
    other.close(why)
    assert (other.closed, other.end) == (True, None)


@pytest.mark.parametrize(("capacity", "waiting", "room"), [(4, 2, True), (4, 3, False), (5, 2, True), (5, 3, False),
                                                           (1, 0, True), (1, 1, False)])  # fmt: skip
def test_there_is_room_where_half_is_free(capacity: int, waiting: int, room: bool) -> None:
    mailbox, _, _ = box(capacity, "block")
    for number in range(waiting):
        mailbox.offer(f"a{number}")
    assert mailbox.room is room
