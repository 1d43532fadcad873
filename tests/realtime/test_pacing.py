"""Pacing: the limit holds in every window, what is urgent never waits, and nobody waits longer than needed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_sdk.realtime.pacing import Pacer


def test_up_to_the_limit_nothing_waits_and_then_each_for_the_oldest() -> None:
    pacer = Pacer(3, 60.0)
    assert [pacer.reserve(now) for now in (0.0, 1.0, 2.0)] == [0.0, 0.0, 0.0]
    assert pacer.reserve(10.0) == 50.0
    assert pacer.reserve(10.0) == 51.0
    assert pacer.reserve(10.0) == 52.0
    assert pacer.reserve(10.0) == 110.0, "the one that passes at 60 is the oldest then"
    assert pacer.reserve(500.0) == 0.0


def test_a_thousand_in_a_minute_of_which_ten_are_spare() -> None:
    pacer = Pacer()
    assert [pacer.reserve(0.0) for _ in range(990)] == [0.0] * 990
    assert pacer.reserve(0.0) == 60.0
    assert pacer.reserve(59.0) == 1.0


def test_what_is_urgent_passes_at_once_and_counts() -> None:
    pacer = Pacer(3, 60.0, spare=0)
    assert [pacer.reserve(0.0), pacer.reserve(1.0, urgent=True), pacer.reserve(2.0)] == [0.0, 0.0, 0.0]
    assert pacer.reserve(3.0, urgent=True) == 0.0, "although the window is full"
    assert pacer.reserve(3.0) == 58.0, "the first at 60 is not enough: the urgent one at 3 is one too many"
    assert pacer.reserve(3.0, urgent=True) == 0.0


def test_the_spare_ones_are_for_what_is_urgent() -> None:
    pacer = Pacer(3, 60.0, spare=1)
    assert [pacer.reserve(0.0), pacer.reserve(0.0)] == [0.0, 0.0]
    assert pacer.reserve(0.0) == 60.0, "the third is spare"
    assert pacer.reserve(0.0, urgent=True) == 0.0
    assert pacer.reserve(0.0) == 60.0, "an urgent one that was spared for takes nothing away"


def test_the_order_is_kept() -> None:
    pacer = Pacer(2, 60.0)
    times = [now + pacer.reserve(now) for now in (0.0, 0.0, 1.0, 1.0, 30.0, 59.0, 60.0)]
    assert times == sorted(times)


@pytest.mark.parametrize(("limit", "per", "spare"), [(0, 60.0, None), (-1, 60.0, None), (5, 0.0, None), (5, 60.0, 5),
                                                     (5, 60.0, -1)])  # fmt: skip
def test_a_limit_that_lets_nothing_pass_is_refused(limit: int, per: float, spare: int | None) -> None:
    with pytest.raises(ValueError, match="no message would ever pass"):
        Pacer(limit, per, spare=spare)


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.125, 1.0, 3.75, 15.0, 59.875, 60.0, 200.0]) | st.integers(0, 640).map(lambda n: n / 8),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=60,
)


@given(st.integers(1, 8), st.integers(0, 3), steps)
@example(3, 0, [(0.0, False), (0.0, False), (0.0, False), (0.0, True), (0.0, False)])
def test_the_limit_holds_in_every_window(limit: int, spare: int, given_steps: list[tuple[float, bool]]) -> None:
    spare = min(spare, limit - 1)
    pacer = Pacer(limit, 60.0, spare=spare)
    now = 0.0
    paced: list[float] = []
    urgent: list[float] = []

    def counted(at: float) -> tuple[int, int]:
        """How many of both passed in the window that ends at a time."""
        return sum(at - 60 < time <= at for time in paced), sum(at - 60 < time <= at for time in urgent)

    def room(at: float) -> bool:
        ours, theirs = counted(at)
        return ours + max(spare, theirs) < limit

    for pause, is_urgent in given_steps:
        now += pause
        wait = pacer.reserve(now, urgent=is_urgent)
        if is_urgent:
            assert wait == 0
            urgent.append(now)
            continue
        at = now + wait
        assert wait >= 0 and at >= max(paced, default=0.0)
        assert room(at), "with this one the window is not over the limit, what is urgent counted"
        earlier = [time for time in {now, *paced, *(t + 60 for t in [*paced, *urgent])} if now <= time < at]
        assert not any(room(time) for time in earlier if time >= max(paced, default=0.0)), "it could not pass earlier"
        paced.append(at)
    for time in [*paced, *urgent]:
        ours, theirs = counted(time)
        assert ours <= limit - spare
        assert theirs > spare or ours + theirs <= limit


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60).map(sorted), st.floats(1e-3, 1e4), st.integers(1, 5))
def test_no_rounding_lets_it_wait_forever_or_too_short(times: list[float], per: float, limit: int) -> None:
    pacer = Pacer(limit, per)
    passed = [now + pacer.reserve(now) for now in times]
    for first, last in zip(passed, passed[limit:], strict=False):
        assert last - first >= per * (1 - 1e-9) - 1e-9
