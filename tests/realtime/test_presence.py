"""Presence and live cursors: whatever order things come in, everybody ends with the same picture."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.realtime.cursors import CursorPace, LiveCursors
from crm_sdk.realtime.presence import Change, Joined, Left, Presence, Updated

People = dict[str, dict[str, Any]]


def people(*connections: str) -> People:
    """``people("ada:1", "ada:2", "bob:3")``: a payload of these keys and refs."""
    made: People = {}
    for connection in connections:
        key, ref = connection.split(":")
        made.setdefault(key, {"metas": []})["metas"].append({"phx_ref": ref, "name": key.title()})
    return made


def diff(joins: Iterable[str] = (), leaves: Iterable[str] = ()) -> dict[str, People]:
    return {"joins": people(*joins), "leaves": people(*leaves)}


def shown(presence: Presence) -> set[str]:
    return {f"{key}:{meta.ref}" for key, present in presence.items() for meta in present.metas}


def words(changes: list[Change]) -> list[str]:
    return [f"{type(change).__name__} {change.present.key}" for change in changes]


def synced(*connections: str) -> Presence:
    presence = Presence()
    presence.rejoin("1")
    presence.state(people(*connections), "1")
    return presence


def test_the_state_tells_who_is_there() -> None:
    presence = Presence()
    presence.rejoin("4")
    assert not presence.synced and len(presence) == 0
    changes = presence.state(people("ada:1", "ada:2", "bob:3"), "4")
    assert words(changes) == ["Joined ada", "Joined bob"]
    assert presence.synced and list(presence) == ["ada", "bob"]
    assert [meta.ref for meta in presence["ada"].metas] == ["1", "2"]
    assert presence["ada"].name == "Ada"
    with pytest.raises(KeyError):
        presence["eve"]


def test_what_is_known_of_a_connection_is_kept() -> None:
    presence = synced()
    meta = {"phx_ref": "1", "onlineAt": "2026-01-15T09:00:00Z", "name": "Ada", "page": {"n": 3}}
    (change,) = presence.diff({"joins": {"user_1": {"metas": [meta]}}, "leaves": {}})
    assert isinstance(change, Joined)
    (found,) = change.present.metas
    assert (found.ref, found.name, found.online_at) == ("1", "Ada", datetime(2026, 1, 15, 9, tzinfo=UTC))
    assert found.members == meta


def test_diffs_tell_who_comes_and_goes() -> None:
    presence = synced("ada:1")
    assert words(presence.diff(diff(["bob:2"]))) == ["Joined bob"]
    assert words(presence.diff(diff(leaves=["ada:1"]))) == ["Left ada"]
    assert shown(presence) == {"bob:2"}


def test_somebody_with_two_connections_leaves_with_the_second() -> None:
    presence = synced("ada:1")
    (second,) = presence.diff(diff(["ada:2"]))
    assert isinstance(second, Updated)
    assert (len(second.before.metas), len(second.present.metas)) == (1, 2)
    assert words(presence.diff(diff(leaves=["ada:1"]))) == ["Updated ada"]
    (last,) = presence.diff(diff(leaves=["ada:2"]))
    assert isinstance(last, Left)
    assert [meta.ref for meta in last.present.metas] == ["2"], "as they were"


def test_an_update_is_a_join_and_a_leave_at_once() -> None:
    presence = synced("ada:1", "bob:9")
    joins = {"ada": {"metas": [{"phx_ref": "2", "phx_ref_prev": "1", "name": "Ada", "typing": True}]}}
    (change,) = presence.diff({"joins": joins, "leaves": people("ada:1")})
    assert isinstance(change, Updated)
    assert [(meta.ref, meta.members.get("typing")) for meta in change.present.metas] == [("2", True)]
    assert [meta.ref for meta in change.before.metas] == ["1"]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_the_newcomer_may_be_in_the_state_in_a_diff_or_in_both(early: bool, listed: bool) -> None:
    presence = Presence()
    presence.rejoin("1")
    changes: list[Change] = []
    if early:
        changes += presence.diff(diff(["me:5"]))
        assert changes == [], "nothing is told before the state has come"
    changes += presence.state(people("ada:1", *(["me:5"] if listed else [])), "1")
    if not early:
        changes += presence.diff(diff(["me:5"]))
    assert shown(presence) == {"ada:1", "me:5"}
    assert sorted(words(changes)) == ["Joined ada", "Joined me"], "each is told once"


def test_who_left_before_the_state_came_is_not_there() -> None:
    presence = Presence()
    presence.rejoin("1")
    presence.diff(diff(["eve:7"]))
    presence.diff(diff(leaves=["eve:7", "ada:1"]))
    assert presence.state(people("ada:1"), "1") == []
    assert shown(presence) == set()


def test_the_same_diff_again_changes_nothing() -> None:
    presence = synced("ada:1")
    both = diff(["bob:2"], ["ada:1"])
    assert sorted(words(presence.diff(both))) == ["Joined bob", "Left ada"]
    assert presence.diff(both) == []


def test_a_state_again_does_not_bring_back_who_left() -> None:
    presence = synced("ada:1", "bob:2")
    presence.diff(diff(["eve:3"], ["ada:1"]))
    assert presence.state(people("ada:1", "bob:2"), "1") == []
    assert shown(presence) == {"bob:2", "eve:3"}


def test_a_cluster_that_is_whole_again_brings_back_the_same_connection() -> None:
    presence = synced("ada:1")
    presence.diff(diff(leaves=["ada:1"]))
    assert words(presence.diff(diff(["ada:1"]))) == ["Joined ada"]


def test_a_rejoin_replaces_what_is_known_and_tells_the_difference() -> None:
    presence = synced("ada:1", "bob:2", "cat:3")
    presence.rejoin("2")
    assert not presence.synced
    assert shown(presence) == {"ada:1", "bob:2", "cat:3"}, "until the state has come"
    assert presence.diff(diff(["eve:6"])) == []
    changes = presence.state(people("cat:3", "bob:5", "dan:4"), "2")
    assert sorted(words(changes)) == ["Joined dan", "Joined eve", "Left ada", "Updated bob"]
    assert shown(presence) == {"bob:5", "cat:3", "dan:4", "eve:6"}


def test_a_rejoin_that_shows_the_same_in_another_order_tells_nothing() -> None:
    presence = synced("ada:1", "ada:2", "bob:3")
    presence.rejoin("2")
    assert presence.state(people("bob:3", "ada:2", "ada:1"), "2") == []


def test_what_left_before_a_rejoin_may_be_in_its_state() -> None:
    presence = synced("ada:1")
    presence.diff(diff(leaves=["ada:1"]))
    presence.rejoin("2")
    assert words(presence.state(people("ada:1"), "2")) == ["Joined ada"]


def test_the_state_of_an_older_join_is_ignored() -> None:
    presence = Presence()
    presence.rejoin("1")
    presence.rejoin("2")
    assert presence.state(people("old:1"), "1") == []
    assert not presence.synced
    assert words(presence.state(people("new:2"), "2")) == ["Joined new"]
    assert presence.state(people("old:1"), "1") == []
    assert shown(presence) == {"new:2"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["joins", "leaves", "metas", "phx_ref", "ada", "userId", "at"]), inner)
    ),
    max_leaves=10,
)


@given(json_values, json_values, json_values)
def test_nothing_that_comes_can_fail_it(first: Any, second: Any, third: Any) -> None:
    presence, cursors = Presence(), LiveCursors()
    presence.diff(first)
    presence.state(second)
    presence.diff(third)
    assert all(present.metas for present in presence.values())
    cursors.take(first, 0.0)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[str, Any]], set[str]]:
    """What a channel delivers after a join, in any order that can happen, and who is there in the end."""
    fresh = count()
    there = {str(next(fresh)): key for key in draw(st.lists(st.sampled_from("abc"), max_size=4))}  # ref: key
    gone: dict[str, str] = {}
    diffs: list[dict[str, People]] = []
    moments = [dict(there)]  # who is there before the first diff, before the second, …
    for _ in range(draw(st.integers(0, 8))):
        joins: dict[str, str] = {}
        leaves: dict[str, str] = {}
        step = draw(st.sampled_from(["join", "leave", "update", "back", "many"]))
        if step in ("leave", "update", "many") and there:
            ref = draw(st.sampled_from(sorted(there)))
            leaves[ref] = there[ref]
            if step == "update":
                joins[str(next(fresh))] = there[ref]
        if step in ("join", "many"):
            joins[str(next(fresh))] = draw(st.sampled_from("abc"))
        if step == "back" and gone:
            ref = draw(st.sampled_from(sorted(gone)))
            joins[ref] = gone.pop(ref)
        there = {ref: key for ref, key in {**there, **joins}.items() if ref not in leaves}
        gone |= leaves
        diffs.append(diff([f"{k}:{r}" for r, k in joins.items()], [f"{k}:{r}" for r, k in leaves.items()]))
        moments.append(dict(there))

    # The state is of any moment since the join, and comes at any: before diffs that it holds, or after some it lacks.
    # What came may come again: the state at any time, diffs in the order they came.
    listed = people(*(f"{key}:{ref}" for ref, key in draw(st.sampled_from(moments)).items()))
    comes = draw(st.integers(0, len(diffs)))
    events: list[tuple[str, Any]] = [("state", listed)] if comes == 0 else []
    for n, found in enumerate(diffs, start=1):
        events.append(("diff", found))
        events += [("diff", again) for again in diffs[draw(st.integers(0, n)) : n]]
        if n == comes or (n > comes and draw(st.booleans())):
            events.append(("state", listed))
    return events, {f"{key}:{ref}" for ref, key in there.items()}


@given(st.lists(histories(), min_size=1, max_size=3))
def test_whatever_order_it_comes_in_all_see_who_is_there(joins: list[tuple[list[tuple[str, Any]], set[str]]]) -> None:
    presence = Presence()
    told: dict[str, set[str]] = {}
    for n, (events, truth) in enumerate(joins):
        presence.rejoin(str(n))
        for what, payload in events:
            changes = presence.state(payload, str(n)) if what == "state" else presence.diff(payload)
            for change in changes:
                key, refs = change.present.key, {meta.ref for meta in change.present.metas}
                assert (key in told) == (not isinstance(change, Joined))
                if isinstance(change, Left):
                    assert told.pop(key) == refs
                else:
                    assert told.get(key) != refs, "a change changes something"
                    told[key] = refs
        assert presence.synced
        assert shown(presence) == truth
        assert {f"{key}:{ref}" for key, refs in told.items() for ref in refs} == truth, "the changes say the same"


# -- live cursors ------------------------------------------------------------------------------------------------------


def at(second: float, user: str = "ada", connection: str = "c1", **more: Any) -> dict[str, Any]:
    time = datetime.fromtimestamp(1_800_000_000 + second, UTC).isoformat()
    return {"userId": user, "connection": connection, "at": time, **more}


def test_the_first_position_passes_at_once_and_the_newest_after_the_interval() -> None:
    pace: CursorPace[str] = CursorPace(1.0)
    assert pace.wait(0.0) is None
    assert pace.move("a", 0.0) == "a"
    assert pace.wait(0.0) is None
    assert pace.move("b", 0.2) is None
    assert pace.move("c", 0.4) is None
    assert pace.wait(0.4) == pytest.approx(0.6)
    assert pace.take(0.9) is None
    assert pace.take(1.0) == "c"
    assert pace.take(5.0) is None, "each is sent once"
    assert pace.move("d", 5.0) == "d"


def test_the_last_position_passes_in_the_end() -> None:
    pace: CursorPace[int] = CursorPace(1.0)
    pace.move(1, 0.0)
    assert pace.finish() is None
    pace.move(2, 0.1)
    pace.move(3, 0.2)
    assert (pace.finish(), pace.finish()) == (3, None)


def test_a_late_newer_position_passes_instead_of_the_one_that_waits() -> None:
    pace: CursorPace[int] = CursorPace(1.0)
    pace.move(1, 0.0)
    pace.move(2, 0.5)
    assert pace.move(3, 2.0) == 3
    assert pace.finish() is None


@given(st.lists(st.tuples(st.sampled_from([0.0, 1 / 64, 0.25, 1.0, 2.5]), st.booleans()), max_size=40))
def test_at_most_one_position_passes_per_interval_and_the_last_is_never_lost(steps: list[tuple[float, bool]]) -> None:
    pace: CursorPace[int] = CursorPace(1.0)
    now, newest = 0.0, -1
    passed: list[tuple[float, int]] = []
    for n, (pause, moves) in enumerate(steps):
        now += pause
        found = pace.move(n, now) if moves else pace.take(now)
        newest = n if moves else newest
        if found is not None:
            assert found == newest, "never an older one"
            passed.append((now, found))
        waits = pace.wait(now)
        assert (waits is None) == (newest == (passed[-1][1] if passed else -1))
        assert waits is None or 0 < waits <= 1.0
    last = pace.finish()
    assert all(later - earlier >= 1.0 for (earlier, _), (later, _) in pairwise(passed))
    assert newest == (last if last is not None else passed[-1][1] if passed else -1)


def test_the_newest_cursor_of_each_connection_counts() -> None:
    cursors = LiveCursors()
    first = cursors.take(at(5, x=1), 0.0)
    assert first is not None and (first.user_id, first.connection, first.members["x"]) == ("ada", "c1", 1)
    assert cursors.take(at(4, x=2), 0.1) is None, "it was overtaken"
    assert cursors["ada", "c1"].members["x"] == 1
    assert cursors.take(at(4, connection="c2"), 0.1) is not None
    assert cursors.take(at(4, user="bob"), 0.1) is not None
    assert cursors.take(at(6, x=3), 0.2) is not None
    assert cursors["ada", "c1"].members["x"] == 3
    assert sorted(cursors) == [("ada", "c1"), ("ada", "c2"), ("bob", "c1")]
    assert [cursor.whose for cursor in cursors.forget("ada")] == [("ada", "c2"), ("ada", "c1")]
    assert list(cursors) == [("bob", "c1")]


def test_a_cursor_without_a_time_is_taken_as_it_comes() -> None:
    cursors = LiveCursors()
    cursors.take(at(5), 0.0)
    odds: list[Any] = [None, "soon", 5, []]
    for odd in odds:
        found = cursors.take({**at(0), "at": odd}, 0.1)
        assert found is not None and found.at is None


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"userId": "ada"}, {"userId": 5, "connection": "c"}, {"connection": "c"}]
)
def test_what_is_no_cursor_is_ignored(payload: Any) -> None:
    cursors = LiveCursors()
    assert cursors.take(payload, 0.0) is None
    assert len(cursors) == 0


def test_a_silent_cursor_expires() -> None:
    cursors = LiveCursors(expiry=10.0)
    assert cursors.wait(0.0) is None
    cursors.take(at(0, user="ada"), 0.0)
    cursors.take(at(0, user="bob"), 4.0)
    cursors.take(at(1, user="ada"), 6.0)
    assert cursors.wait(6.0) == 8.0, "bob is silent for longest"
    assert cursors.expire(13.9) == []
    assert [cursor.user_id for cursor in cursors.expire(14.0)] == ["bob"]
    assert cursors.wait(14.0) == 2.0
    assert [cursor.user_id for cursor in cursors.expire(99.0)] == ["ada"]
    assert cursors.wait(99.0) is None and len(cursors) == 0


def test_a_server_whose_clock_was_set_back_is_heard_again_after_silence() -> None:
    cursors = LiveCursors(expiry=10.0)
    cursors.take(at(1000), 0.0)
    assert cursors.take(at(1), 9.9) is None
    found = cursors.take(at(2), 10.0)
    assert found is not None and cursors["ada", "c1"] == found
