"""Deals and their pipelines against a plain model: any order of calls leaves both with the same deals and sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import plain

KEYS = ("one", "two", "three", "won", "lost")
BASES = {"one": 10, "two": 50, "three": 80, "won": 100, "lost": 0}
KINDS = {"won": "won", "lost": "lost"}
STAGES: list[Any] = [
    {"name": key.title(), "key": key, "kind": KINDS.get(key, "open"), "probability": BASES[key]} for key in KEYS
]
VALUES, NUMBERS = st.integers(0, 9_999), st.integers(0, 50)
RULES = ("allow_backward", "allow_skip", "lock_closed", "require_lost_reason")


@dataclass
class Way:
    """A pipeline as the model sees it."""

    rules: dict[str, bool]
    active: bool = True


@dataclass
class Sale:
    """A deal as the model sees it."""

    pipe: str
    stage: str
    value: int
    stays: list[str] = field(default_factory=list)
    been: set[str] = field(default_factory=set)
    """The pipelines it was in."""
    version: int = 1
    lost_reason: str | None = None

    @property
    def kind(self) -> str:
        return KINDS.get(self.stage, "open")


class DealMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer(demo=True)
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.ways: dict[str, Way] = {}
        self.sales: dict[str, Sale] = {}
        self.names = count()
        for _ in range(2):
            self.add_pipeline()

    def add_pipeline(self) -> None:
        rules = dict.fromkeys(RULES, False) | {"allow_backward": True, "allow_skip": True}
        given: Any = {"name": f"Way {next(self.names)}", "stages": STAGES, **rules}
        self.ways[self.client.pipelines.create(given).id] = Way(rules)

    def way_of(self, number: int) -> str:
        return list(self.ways)[number % len(self.ways)]

    def sale_of(self, number: int) -> str:
        return list(self.sales)[number % len(self.sales)]

    def expect(self, code: str | None, call: Callable[[], Any]) -> Any:
        """Return what a call answers; where it is to be refused, None."""
        if code is None:
            return call()
        error = refused(call)
        assert error.code == code
        return None

    def refusal(self, sale: Sale, pipe: str, stage: str, reason: str | None) -> str | None:
        """Return the code that forbids a move; None where it is allowed."""
        here, there = self.ways[sale.pipe], self.ways[pipe]
        if pipe != sale.pipe and not there.active:
            return "PIPELINE_INACTIVE"
        if (pipe, stage) == (sale.pipe, sale.stage):
            return None
        if here.rules["lock_closed"] and sale.kind != "open":
            return "DEAL_CLOSED"
        if sale.kind == "open" and pipe == sale.pipe:
            before, after = KEYS.index(sale.stage), KEYS.index(stage)
            if stage not in KINDS and after < before and not there.rules["allow_backward"]:
                return "STAGE_BACKWARD_FORBIDDEN"
            skipped = [key for key in KEYS[before + 1 : after] if key not in KINDS]
            if skipped and stage != "lost" and not there.rules["allow_skip"]:
                return "STAGE_SKIP_FORBIDDEN"
        if stage == "lost" and there.rules["require_lost_reason"] and not (reason or sale.lost_reason):
            return "LOST_REASON_REQUIRED"
        return None

    def moved(self, sale: Sale, pipe: str, stage: str, reason: str | None) -> None:
        if (pipe, stage) != (sale.pipe, sale.stage):
            sale.been = {*sale.been, sale.pipe}
            sale.pipe, sale.stage = pipe, stage
            sale.lost_reason = (reason or sale.lost_reason) if stage == "lost" else None
            sale.stays.append(stage)
            sale.version += 1

    # -- calls -----------------------------------------------------------------------------------------------------

    @rule(
        number=NUMBERS,
        stage=st.sampled_from([None, *KEYS]),
        value=VALUES,
        reason=st.sampled_from([None, "price"]),
    )
    def create(self, number: int, stage: str | None, value: int, reason: str | None) -> None:
        pipe, given = self.way_of(number), {"lost_reason": reason} if stage == "lost" and reason else {}
        way = self.ways[pipe]
        lost = stage == "lost" and way.rules["require_lost_reason"] and not reason
        code = "PIPELINE_INACTIVE" if not way.active else "LOST_REASON_REQUIRED" if lost else None
        place = {"stage": stage} if stage else {}
        body: Any = {"title": "Deal", "value": value, "pipeline_id": pipe, **place, **given}
        made = self.expect(code, lambda: self.client.deals.create(body))
        if made is not None:
            self.sales[made.id] = Sale(
                pipe, stage or "one", value, [stage or "one"], lost_reason=given.get("lost_reason")
            )

    @precondition(lambda self: self.sales)
    @rule(number=NUMBERS, to=NUMBERS, stage=st.sampled_from(KEYS), reason=st.sampled_from([None, "price"]))
    def move(self, number: int, to: int, stage: str, reason: str | None) -> None:
        id, pipe = self.sale_of(number), self.way_of(to)
        sale, reason = self.sales[id], reason if stage == "lost" else None
        code = self.refusal(sale, pipe, stage, reason)
        call = self.client.deals.move_stage
        if self.expect(code, lambda: call(id, stage, pipeline_id=pipe, lost_reason=reason)) is not None:
            self.moved(sale, pipe, stage, reason)

    @precondition(lambda self: self.sales)
    @rule(updates=st.lists(st.tuples(NUMBERS, st.sampled_from(KEYS), VALUES), max_size=4), atomic=st.booleans())
    def update_many(self, updates: list[tuple[int, str, int]], atomic: bool) -> None:
        known = {id: Sale(**(vars(sale) | {"stays": list(sale.stays)})) for id, sale in self.sales.items()}
        codes: list[str | None] = []
        for number, stage, value in updates:
            id = self.sale_of(number)
            sale = known[id]
            codes.append(self.refusal(sale, sale.pipe, stage, None))
            if codes[-1] is None and (stage, value) != (sale.stage, sale.value):
                version = sale.version
                sale.value = value
                self.moved(sale, sale.pipe, stage, None)
                sale.version = version + 1
        body: Any = [{"id": self.sale_of(n), "stage": stage, "value": value} for n, stage, value in updates]
        rejected = "BULK_REJECTED" if atomic and any(codes) else None
        done = self.expect(rejected, lambda: self.client.deals.bulk_update(body, atomic=atomic))
        if done is not None:
            assert [item.error and item.error.code for item in done.items] == codes
            self.sales = known

    @precondition(lambda self: self.sales)
    @rule(number=NUMBERS)
    def clone(self, number: int) -> None:
        id = self.sale_of(number)
        sale = self.sales[id]
        code = None if self.ways[sale.pipe].active else "PIPELINE_INACTIVE"
        made = self.expect(code, lambda: self.client.deals.clone(id))
        if made is not None:
            self.sales[made.id] = Sale(sale.pipe, "one", sale.value, ["one"])

    @precondition(lambda self: self.sales)
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        id = self.sale_of(number)
        self.client.deals.delete(id)
        del self.sales[id]

    @rule(number=NUMBERS, name=st.sampled_from(RULES), value=st.booleans(), active=st.booleans())
    def change_pipeline(self, number: int, name: str, value: bool, active: bool) -> None:
        id = self.way_of(number)
        changes: Any = {name: value, "active": active}
        self.client.pipelines.update(id, changes)
        self.ways[id].rules[name], self.ways[id].active = value, active

    @precondition(lambda self: len(self.ways) > 1)
    @rule(number=NUMBERS)
    def delete_pipeline(self, number: int) -> None:
        id, target = self.way_of(number), self.way_of(number + 1)
        mine = [sale for sale in self.sales.values() if sale.pipe == id]
        code = "PIPELINE_INACTIVE" if mine and not self.ways[target].active else None
        self.expect(code, lambda: self.client.pipelines.delete(id, move_deals_to=target))
        if code is None:
            for sale in mine:
                sale.been = {*sale.been, sale.pipe}
                sale.pipe, sale.version = target, sale.version + 1
                sale.stays.append(sale.stage)
            del self.ways[id]
            self.add_pipeline()

    # -- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def both_have_the_same_deals(self) -> None:
        for id, sale in self.sales.items():
            deal = self.client.deals.get(id)
            assert plain(deal.pipeline_id, deal.stage, deal.status, deal.value) == (
                sale.pipe, sale.stage, sale.kind, sale.value,
            )  # fmt: skip
            assert (deal.probability, deal.version) == (BASES[sale.stage], sale.version)
            assert (deal.closed_at is None) == (sale.kind == "open")
            assert [stay.to_stage for stay in self.client.deals.history(id)] == sale.stays

    @invariant()
    def the_sums_are_those_of_the_deals(self) -> None:
        for id in self.ways:
            mine = [sale for sale in self.sales.values() if sale.pipe == id]
            opened = [sale for sale in mine if sale.kind == "open"]
            assert self.client.pipelines.get(id).deal_count == self.client.deals.list(pipeline_id=id).total == len(mine)
            board = self.client.deals.by_pipeline(id)
            assert plain(board.deal_count, board.total_value) == (len(opened), sum(sale.value for sale in opened))
            weighted = sum(Decimal(sale.value) * BASES[sale.stage] / 100 for sale in opened)
            assert abs(self.client.deals.forecast(pipeline_id=id).weighted_forecast - weighted) <= Decimal("0.01")
            ends = self.client.deals.analytics.win_loss(pipeline_id=id)
            assert (ends.won, ends.lost) == tuple(sum(sale.kind == kind for sale in mine) for kind in ("won", "lost"))
            came = self.client.deals.analytics.conversion(pipeline_id=id)
            been = [sale for sale in self.sales.values() if id in (sale.pipe, *sale.been)]
            assert (came.entered, came.open) == (len(been), len(been) - ends.won - ends.lost)
            for row in came.stages[:3]:
                assert row.entered == row.advanced + row.lost + row.open


TestDeals = DealMachine.TestCase
TestDeals.settings = settings(max_examples=portion(12), stateful_step_count=10)
