"""The session: one link kept, in simulated time. What the network does is a script."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest

from crm_sdk import CrmError
from crm_sdk.errors import AuthenticationError, ConnectionFailedError, NotFoundError, ServerError
from crm_sdk.realtime.session import (
    Alive,
    Backoff,
    HangUp,
    Open,
    Opening,
    Pause,
    Ping,
    Receive,
    Renew,
    Transmit,
    keep,
)
from crm_sdk.realtime.sockets import Data, SocketClosedError, SocketRefusedError


class Time:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.now += seconds


class Talk:
    """A line that counts what it hears."""

    heartbeat = 20.0
    asked = 0.0

    def __init__(self) -> None:
        self.progress = 0
        self.full = False
        self.anew = False
        self.bearer: str | None = "old"
        self.errors: list[CrmError] = []

    def opening(self) -> Opening:
        return Opening("ws://crm.test/ws", {}, bearer=self.bearer)

    def opened(self, now: float) -> Iterable[Data]:
        return ["hello"]

    def received(self, data: Data, now: float) -> Iterable[Data]:
        self.progress += 1
        return ()

    idles = 0

    def idle(self) -> None:
        self.idles += 1

    def due(self, now: float) -> Iterable[Data]:
        return ()

    def wants_anew(self, now: float) -> bool:
        return self.anew

    def patience(self, now: float) -> float:
        return 1.0

    def lost(self) -> None:
        self.anew = False

    def failed(self, error: CrmError) -> None:
        self.errors.append(error)

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        kind = {401: AuthenticationError, 404: NotFoundError}.get(refused.status)
        return kind(str(refused), status=refused.status, code="X") if kind else ConnectionFailedError(str(refused))


class World:
    """Carries out a session against a script, and writes down what was done and when."""

    def __init__(self, script: Callable[[World, Any], Any], seconds: float) -> None:
        self.time, self.line = Time(), Talk()
        self.done: list[tuple[float, Any]] = []
        steps = keep(self.line, self.time, Backoff(rng=random.Random(7)))
        start = self.time.now
        step = next(steps)
        while self.time.now - start < seconds:
            self.done.append((self.time.now - start, step))
            try:
                if isinstance(step, Pause):
                    self.time.now += step.seconds
                outcome = script(self, step)
            except (SocketClosedError, SocketRefusedError, ConnectionFailedError, ServerError) as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)

    def times(self, kind: type[object]) -> list[float]:
        return [at for at, step in self.done if isinstance(step, kind)]

    def silence(self, step: Any) -> None:
        """Let the time of a receive pass."""
        if isinstance(step, Receive):
            self.time.now += max(step.timeout, 0.001)


def test_a_server_that_accepts_and_closes_is_called_at_most_8_times_in_10_seconds() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            raise SocketClosedError(1011, "no")

    for seed in range(200):
        random.seed(seed)
        assert 3 <= len(World(script, 10).times(Open)) <= 8


def test_a_server_that_is_down_is_called_ever_less_often_but_for_ever() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open):
            raise ConnectionFailedError("refused", sent=False)

    opened = World(script, 600).times(Open)
    waits = [after - before for before, after in pairwise(opened)]
    assert waits[0] <= 0.1 and 15 <= waits[-1] <= 30


def test_the_short_waits_return_after_a_link_has_proved_stable() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            if len(world.times(Open)) in (1, 2, 3, 4, 5):
                raise SocketClosedError(None, "reset")
            world.silence(step)
            if world.time.now - 1000.0 - world.times(Open)[-1] > 6:
                raise SocketClosedError(None, "reset")

    world = World(script, 60)
    pauses = [step.seconds for _, step in world.done if isinstance(step, Pause)]
    assert pauses[4] > 0.75 and pauses[5] <= 0.1


def test_a_link_that_brings_events_has_proved_stable_too() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            world.time.now += 0.001
            if world.line.progress % 30 == 29:
                world.line.progress += 1
                raise SocketClosedError(None, "reset")
            return "event"

    pauses = [step.seconds for _, step in World(script, 10).done if isinstance(step, Pause)]
    assert len(pauses) > 20 and max(pauses) <= 0.1


def test_a_server_that_asks_for_time_gets_it() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open):
            raise SocketRefusedError(503, {"retry-after": "7"})

    opened = World(script, 25).times(Open)
    assert [round(at) for at in opened] == [0, 7, 14, 21]


def test_a_server_that_asks_for_a_life_of_time_gets_an_hour() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open):
            raise SocketRefusedError(429, {"retry-after": "1e300"})

    assert World(script, 8000).times(Open) == [0, 3600, 7200]


def test_the_time_between_two_connections_is_what_the_other_side_asks_for() -> None:
    def script(world: World, step: Any) -> Any:
        world.line.asked = 4.0
        if isinstance(step, Receive):
            raise SocketClosedError(None, "the answer ended")

    assert World(script, 10).times(Open) == [0, 4, 8]


@pytest.mark.parametrize("code", [None, 4401])
def test_a_credential_that_cannot_be_renewed_at_the_moment_is_renewed_later(code: int | None) -> None:
    failures = [ConnectionFailedError("reset"), ServerError("busy", status=503, code="BUSY")]

    def script(world: World, step: Any) -> Any:
        if isinstance(step, Renew):
            if failures:
                raise failures.pop()
            world.line.bearer = "new"
            return True
        if isinstance(step, (Open if code is None else Receive)) and world.line.bearer == "old":
            raise SocketRefusedError(401, {}) if code is None else SocketClosedError(code)
        world.silence(step)

    world = World(script, 30)
    assert len(world.times(Renew)) == 3 and world.line.bearer == "new" and world.times(Open)[-1] < 1
    told = ["503 BUSY: busy", "reset"] if code is None else [f"ws://crm.test/ws: the link was closed with {code}"] * 3
    assert [str(error) for error in world.line.errors] == told


def test_a_refused_credential_is_renewed_once() -> None:
    renewals: list[str] = []

    def script(world: World, step: Any) -> Any:
        if isinstance(step, Renew):
            renewals.append(step.stale)
            world.line.bearer = "new"
            return True
        if isinstance(step, Open) and step.opening.bearer == "old":
            raise SocketRefusedError(401, {})
        world.silence(step)

    world = World(script, 30)
    assert renewals == ["old"] and len(world.times(Open)) == 2 and not world.line.errors


def test_a_credential_that_stays_refused_ends_it() -> None:
    renewals: list[str] = []

    def script(world: World, step: Any) -> Any:
        if isinstance(step, Renew):
            renewals.append(step.stale)
            return True
        if isinstance(step, Open):
            raise SocketRefusedError(401, {})

    with pytest.raises(AuthenticationError):
        World(script, 30)
    assert renewals == ["old"]


def test_what_no_further_attempt_can_mend_ends_it() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open):
            raise SocketRefusedError(404, {})

    with pytest.raises(NotFoundError):
        World(script, 30)


def test_a_credential_that_expires_on_the_link_is_renewed() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Renew):
            return True
        world.silence(step)
        if isinstance(step, Receive) and len(world.times(Renew)) == 0 and world.time.now > 1010:
            raise SocketClosedError(4401, "expired")

    world = World(script, 30)
    assert len(world.times(Renew)) == 1 and len(world.times(Open)) == 2


def test_a_silent_link_is_asked_for_a_sign_of_life_and_a_dead_one_is_left() -> None:
    def script(world: World, step: Any) -> Any:
        world.silence(step)
        return len(world.times(Ping)) < 3 if isinstance(step, Alive) else None

    world = World(script, 90)
    assert [round(at) for at in world.times(Ping)[:3]] == [20, 40, 60]
    assert 79 <= world.times(HangUp)[0] <= 82 and "no sign of life for 80 s" in str(world.line.errors[0])


def test_what_is_heard_at_the_moment_of_a_ping_is_a_sign_of_life() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive) and len(world.times(Ping)) == 1 and not world.line.progress:
            return "event"
        world.silence(step)
        return False if isinstance(step, Alive) else None

    world = World(script, 70)
    assert [round(at) for at in world.times(Ping)[:2]] == [20, 40] and 59 <= world.times(HangUp)[0] <= 62


def test_a_reader_who_is_behind_does_not_make_a_link_look_dead() -> None:
    def script(world: World, step: Any) -> Any:
        world.line.full = world.time.now < 1300
        world.silence(step)
        return not world.line.full if isinstance(step, Alive) else None

    world = World(script, 400)
    assert len(world.times(Open)) == 1


def test_a_feed_that_moves_is_resumed_at_once_and_one_that_does_not_is_not() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            world.time.now += 0.01
            world.line.anew = True
            return "event" if len(world.times(Open)) <= 10 else None

    world = World(script, 10)
    opened = world.times(Open)
    assert opened[9] < 0.2 and len(opened) <= 10 + 8


def test_what_is_said_first_is_said_on_each_link() -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            raise SocketClosedError(1012, "restart")

    world = World(script, 3)
    said = [step.data for _, step in world.done if isinstance(step, Transmit)]
    assert said == ["hello"] * len(world.times(Open)) and len(said) > 2


def test_the_waits_double_from_a_tenth_of_a_second_to_30_and_to_one_after_a_link_that_had_events() -> None:
    class Longest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            assert (a, b) == (0.5, 1.0)
            return b

    backoff = Backoff(rng=Longest())
    assert [backoff.wait() for _ in range(11)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]
    assert backoff.wait(moved=True) == 1.0
    backoff.reset()
    assert [backoff.wait(moved=True) for _ in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert all(0.05 <= Backoff().wait() <= 0.1 for _ in range(9))


@pytest.mark.parametrize(
    ("seconds", "events", "is_stable"), [(4.9, 0, False), (5.0, 0, True), (0.1, 4, False), (0.1, 5, True)]
)
def test_a_link_is_stable_after_5_seconds_or_5_events(seconds: float, events: int, is_stable: bool) -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Receive):
            began = world.times(Open)[-1] + 1000.0
            if len(world.times(Open)) > 4:
                world.time.now = began + seconds
                world.line.progress += events
            raise SocketClosedError(None, "reset")

    pauses = [step.seconds for _, step in World(script, 40).done if isinstance(step, Pause)]
    assert (pauses[4] <= 0.1) is is_stable and pauses[3] > 0.1
    assert events in (0, 5) or pauses[6] <= 1.0, "who brings events is not waited for long"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_which_refusals_pass(status: int) -> None:
    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open) and len(world.times(Open)) == 1:
            raise SocketRefusedError(status, {})
        world.silence(step)

    world = World(script, 3)
    assert len(world.times(Open)) == 2 and len(world.line.errors) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_credential_renews_nothing(status: int) -> None:
    def script(world: World, step: Any) -> Any:
        assert not isinstance(step, Renew)
        if isinstance(step, Open):
            if step.opening.bearer is not None:
                world.line.bearer = None
                raise ConnectionFailedError("reset")
            raise SocketRefusedError(status, {})

    with pytest.raises(CrmError):
        World(script, 3)


def test_the_line_is_told_why_there_is_no_link_and_that_nothing_came() -> None:
    failures = [ConnectionFailedError("refused", sent=False), SocketRefusedError(503, {})]

    def script(world: World, step: Any) -> Any:
        if isinstance(step, Open) and failures:
            raise failures.pop(0)
        world.silence(step)
        return "event" if isinstance(step, Receive) and not world.line.progress else None

    world = World(script, 10)
    assert [str(error) for error in world.line.errors] == ["refused", "refused with 503"]
    assert world.line.progress == 1 and world.line.idles == len(world.times(Receive)) - 1 > 5
