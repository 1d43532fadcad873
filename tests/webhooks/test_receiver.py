"""What a receiver asks of its store: by which keys, for how long, and what it answers where the store fails."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from webhook_corpus import BODY, NOW, SECRET, documented, headers_of

from crm_sdk import ConfigurationError
from crm_sdk.webhooks import MemoryEventStore, Outcome, Webhooks, embed, sign
from crm_sdk.webhooks.receiver import TOO_LARGE, WRONG_METHOD


class Noting:
    """A store that notes what it is asked, and fails at what it is told to."""

    def __init__(self, *fails: str, standing: str = "claimed") -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.owners: set[str] = set()
        self.fails, self.standing = fails, standing

    def _note(self, what: str, key: str, owner: str, *seconds: float) -> None:
        self.asked.append((what, key, *seconds))
        self.owners.add(owner)
        if what in self.fails:
            raise OSError("the store is away")

    def claim(self, key: str, owner: str, lease: float) -> Any:
        self._note("claim", key, owner, lease)
        return self.standing

    def finish(self, key: str, owner: str, keep: float) -> None:
        self._note("finish", key, owner, keep)

    def release(self, key: str, owner: str) -> None:
        self._note("release", key, owner)


def received(store: Noting, headers: Any = None, body: bytes = BODY, *, fails: bool = False, **options: Any) -> Outcome:
    hooks = Webhooks(SECRET, store=store, **options)

    @hooks.on("*")
    def anything(event: object) -> None:
        if fails:
            raise ValueError

    return hooks.handle(headers_of(body) if headers is None else headers, body, received_at=NOW)


DAYS = 30 * 86_400.0
ALONE = "sha256:" + hashlib.sha256(BODY).hexdigest()


def test_a_claim_lasts_5_minutes_and_what_is_done_is_remembered_for_30_days() -> None:
    store = Noting()
    assert (received(store).status, received(store).result) == (200, "done")
    assert store.asked[:4] == [
        ("claim", "id:msg_1", 300.0), ("claim", ALONE, 300.0), ("finish", "id:msg_1", DAYS), ("finish", ALONE, DAYS),
    ]  # fmt: skip
    assert len(store.owners) == 2 and all(len(owner) == 16 for owner in store.owners), "each delivery is its own owner"
    store = Noting()
    received(store, documented(BODY), name="second", lease=5, keep=timedelta(minutes=1))
    assert store.asked == [("claim", f"second:{ALONE}", 5.0), ("finish", f"second:{ALONE}", 60.0)]


@pytest.mark.parametrize(
    ("id", "named"),
    [("e" * 255, True), ("e" * 256, False), ("", False), (5, False), ("a\u0007", False), ("\u00e9", True)],
)
def test_what_has_no_webhook_id_is_known_by_its_own_or_by_what_it_says(id: object, named: bool) -> None:
    body = json.dumps({"event": "deal.won", "data": {}, "id": id}, ensure_ascii=False, separators=(",", ":")).encode()
    key = f"id:{id}" if named else "sha256:" + hashlib.sha256(body).hexdigest()
    for headers, sent in ((documented(body), body), ({}, embed(body, SECRET))):
        store = Noting()
        received(store, headers, sent)
        assert store.asked[0][1] == key


@pytest.mark.parametrize(
    ("store", "status", "result", "later"),
    [
        (Noting(standing="done"), 200, "duplicate", False), (Noting(standing="running"), 503, "running", True),
        (Noting("claim"), 503, "unavailable", True), (Noting("finish"), 200, "done", False),
    ],
)  # fmt: skip
def test_what_is_answered(store: Noting, status: int, result: str, later: bool) -> None:
    outcome = received(store)
    assert (outcome.status, outcome.result, outcome.event is not None) == (status, result, True)
    wanted = {"Content-Type": "application/json", **({"Retry-After": "10"} if later else {})}
    assert dict(outcome.headers) == wanted and json.loads(outcome.body) == {"result": result}
    assert isinstance(outcome.error, OSError) is (result == "unavailable")
    if store.standing != "claimed" or "claim" in store.fails:
        assert [what for what, *_ in store.asked] == ["claim"]
    else:
        assert [what for what, *_ in store.asked] == ["claim"] * 2 + ["finish"] * 2, "each is tried"


@pytest.mark.parametrize("away", [False, True])
def test_what_failed_gives_all_its_claims_back(away: bool) -> None:
    store = Noting(*(["release"] if away else []))
    outcome = received(store, fails=True)
    assert (outcome.status, outcome.result) == (500, "failed") and isinstance(outcome.error, ValueError)
    assert [(what, key) for what, key, *_ in store.asked[2:]] == [("release", "id:msg_1"), ("release", ALONE)]
    assert len(store.owners) == 1


def test_the_time_is_the_receivers_unless_one_is_given() -> None:
    old = sign(BODY, SECRET, timestamp=NOW - timedelta(days=1))
    hooks = Webhooks(SECRET, now=lambda: NOW)
    assert hooks.handle(headers_of(), BODY).status == 200
    assert hooks.handle(old, BODY).status == 400
    assert hooks.handle(old, BODY, received_at=NOW - timedelta(days=1)).status == 200
    assert Webhooks(SECRET).handle(headers_of(), BODY).status == 400, "which is now"
    assert Webhooks(SECRET, require_standard=True, now=lambda: NOW).handle(documented(BODY), BODY).status == 401
    assert Webhooks(SECRET, now=lambda: NOW).handle(documented(BODY), BODY).status == 200


@pytest.mark.parametrize("wrong", [{"lease": 0}, {"lease": float("inf")}, {"keep": 0}, {"keep": -1}, {"tolerance": -1},
                                   {"lease": "x"}, {"keep": float("nan")}])  # fmt: skip
def test_times_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"a webhook's {next(iter(wrong))} is a timedelta"):
        Webhooks(SECRET, **wrong)
    assert Webhooks(SECRET, tolerance=0) and Webhooks(SECRET, tolerance=float("inf"), lease=0.001)


def test_two_answers_are_the_same_for_all() -> None:
    assert (TOO_LARGE.status, WRONG_METHOD.status, dict(WRONG_METHOD.headers)["Allow"]) == (413, 405, "POST")
    assert json.loads(TOO_LARGE.body) == json.loads(WRONG_METHOD.body) == {"result": "refused"}


def test_a_handler_is_given_back_and_there_is_one_of_each_event() -> None:
    hooks = Webhooks(SECRET)

    def handler(event: object) -> None: ...

    assert hooks.on("lead.created")(handler) is handler is hooks.on("lead.created")(handler)
    with pytest.raises(ConfigurationError, match=r"lead\.created has a handler already"):
        hooks.on("lead.created")(lambda event: None)


def test_what_is_kept_in_memory_is_forgotten_after_its_time() -> None:
    now = [1_000.0]
    store = MemoryEventStore(clock=lambda: now[0])
    assert [store.claim("a", "o1", 10), store.claim("a", "o2", 10)] == ["claimed", "running"]
    now[0] += 9.9
    assert store.claim("a", "o2", 10) == "running"
    now[0] += 0.1
    assert store.claim("a", "o2", 10) == "claimed", "the lease of the first has ended"
    store.release("a", "o1")
    store.release("nothing", "o1")
    assert store.claim("a", "o3", 10) == "running"
    store.release("a", "o2")
    assert store.claim("a", "o3", 10) == "claimed"
    store.finish("a", "o3", 30)
    assert store.claim("a", "o4", 10) == "done"
    store.release("a", "o3")
    assert store.claim("a", "o4", 10) == "done"
    now[0] += 59.9
    store.finish("b", "o", 1)
    assert store._entries.keys() == {"a", "b"}, "it is swept once a minute"
    now[0] += 0.1
    store.finish("c", "o", 1)
    assert store._entries.keys() == {"b", "c"}
    now[0] += 60
    store.finish("d", "o", 0)
    assert store._entries.keys() == set()
