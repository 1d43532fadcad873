"""Deals and their pipelines against a plain model: any order of calls leaves both with the same deals and sums."""

from __future__ import annotations

from collections.abc import Callable
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
from .sales_model import FIXED, RATES, Sale, Step, Way, is_in_order, place_for, refusal

FIRST = (("One", "open", 10), ("Two", "open", 50), ("Three", "open", 80), ("Won", "won", 100), ("Lost", "lost", 0))
STAGES: list[Any] = [{"name": name, "kind": kind, "probability": base} for name, kind, base in FIRST]
RULES = ("allow_backward", "allow_skip", "lock_closed", "require_lost_reason")
VALUES, NUMBERS = st.integers(0, 9_999), st.integers(0, 50)
KINDS, BASES = st.sampled_from(["open", "won", "lost"]), st.integers(0, 100)
NAMES = st.sampled_from([*(name for name, _, _ in FIRST), "Four", "Five"])
REASONS = st.sampled_from([None, "price"])
some_deals = precondition(lambda self: self.sales)


class DealMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer(demo=True)
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.ways: dict[str, Way] = {}
        self.sales: dict[str, Sale] = {}
        self.gone: dict[str, Sale] = {}
        """The deals that were deleted."""
        self.names = count()
        self.default = self.add_pipeline(is_default=True)
        self.add_pipeline()

    def add_pipeline(self, **more: Any) -> str:
        rules = dict.fromkeys(RULES, False) | {"allow_backward": True, "allow_skip": True}
        given: Any = {"name": f"Way {next(self.names)}", "stages": STAGES, **rules, **more}
        made = self.client.pipelines.create(given)
        steps = [
            Step(stage.id, name.lower(), name, kind, base)
            for stage, (name, kind, base) in zip(made.stages, FIRST, strict=True)
        ]
        self.ways[made.id] = Way(rules, steps)
        return made.id

    def way_of(self, number: int) -> str:
        return list(self.ways)[number % len(self.ways)]

    def sale_of(self, number: int) -> str:
        return list(self.sales)[number % len(self.sales)]

    def step_of(self, pipe: str, number: int) -> Step:
        steps = self.ways[pipe].steps
        return steps[number % len(steps)]

    def in_step(self, step: Step) -> list[Sale]:
        return [sale for sale in self.sales.values() if sale.step is step]

    def expect(self, code: str | None, call: Callable[[], Any]) -> Any:
        """Return what a call answers; where it is to be refused, None."""
        if code is None:
            return call()
        error = refused(call)
        assert error.code == code
        return None

    # -- deals -----------------------------------------------------------------------------------------------------

    @rule(number=NUMBERS, name=st.none() | NAMES, value=VALUES, currency=st.sampled_from(sorted(RATES)), reason=REASONS)
    def create(self, number: int, name: str | None, value: int, currency: str, reason: str | None) -> None:
        pipe = self.way_of(number)
        way = self.ways[pipe]
        step = way.named(name.lower()) if name else way.first("open")
        is_lost = step is not None and step.kind == "lost"
        code = None if way.active else "PIPELINE_INACTIVE"
        code = code or (None if step is not None else "STAGE_NOT_IN_PIPELINE")
        code = code or ("LOST_REASON_REQUIRED" if is_lost and way.rules["require_lost_reason"] and not reason else None)
        given: dict[str, Any] = {"stage": name.lower()} if name else {}
        given |= {"lost_reason": reason} if is_lost and reason else {}
        body: Any = {"title": "Deal", "value": value, "currency": currency, "pipeline_id": pipe, **given}
        made = self.expect(code, lambda: self.client.deals.create(body))
        if made is not None and step is not None:
            self.sales[made.id] = Sale(pipe, step, value, currency, given.get("lost_reason"))

    @some_deals
    @rule(number=NUMBERS, to=NUMBERS, name=NAMES, reason=REASONS, by_id=st.booleans())
    def move(self, number: int, to: int, name: str, reason: str | None, by_id: bool) -> None:
        id, pipe = self.sale_of(number), self.way_of(to)
        sale, step = self.sales[id], self.ways[pipe].named(name.lower())
        reason = reason if step is not None and step.kind == "lost" else None
        code = refusal(self.ways, sale, pipe, step, reason)
        named = step.id if step is not None and by_id else name.lower()
        call = self.client.deals.move_stage
        if self.expect(code, lambda: call(id, named, pipeline_id=pipe, lost_reason=reason)) is not None:
            assert step is not None
            sale.move(pipe, self.ways[pipe], step, reason)

    @some_deals
    @rule(number=NUMBERS, to=NUMBERS)
    def change_way(self, number: int, to: int) -> None:
        id, pipe = self.sale_of(number), self.way_of(to)
        sale = self.sales[id]
        step = sale.step if pipe == sale.pipe else self.ways[pipe].like(sale.step, "open")
        code = refusal(self.ways, sale, pipe, step, None)
        if self.expect(code, lambda: self.client.deals.update(id, {"pipeline_id": pipe})) is not None:
            sale.move(pipe, self.ways[pipe], step)

    @some_deals
    @rule(number=NUMBERS, currency=st.sampled_from([*sorted(RATES), "SEK"]))
    def change_currency(self, number: int, currency: str) -> None:
        id = self.sale_of(number)
        sale, code = self.sales[id], None if currency in RATES else "VALIDATION_ERROR"
        if self.expect(code, lambda: self.client.deals.update(id, {"currency": currency})) is not None:
            sale.version += sale.currency != currency
            sale.currency = currency

    @some_deals
    @rule(updates=st.lists(st.tuples(NUMBERS, NAMES, VALUES), max_size=4), atomic=st.booleans())
    def update_many(self, updates: list[tuple[int, str, int]], atomic: bool) -> None:
        known = {id: sale.copy() for id, sale in self.sales.items()}
        codes: list[str | None] = []
        for number, name, value in updates:
            sale = known[self.sale_of(number)]
            way = self.ways[sale.pipe]
            step = way.named(name.lower())
            codes.append(refusal(self.ways, sale, sale.pipe, step, None))
            if codes[-1] is None and step is not None:
                version = sale.version + ((step, value) != (sale.step, sale.value))
                sale.value = value
                sale.move(sale.pipe, way, step)
                sale.version = version
        body: Any = [{"id": self.sale_of(n), "stage": name.lower(), "value": value} for n, name, value in updates]
        rejected = "BULK_REJECTED" if atomic and any(codes) else None
        done = self.expect(rejected, lambda: self.client.deals.bulk_update(body, atomic=atomic))
        if done is not None:
            assert [item.error and item.error.code for item in done.items] == codes
            self.sales = known

    @some_deals
    @rule(number=NUMBERS)
    def clone(self, number: int) -> None:
        id = self.sale_of(number)
        sale = self.sales[id]
        way = self.ways[sale.pipe]
        made = self.expect(None if way.active else "PIPELINE_INACTIVE", lambda: self.client.deals.clone(id))
        if made is not None:
            self.sales[made.id] = Sale(sale.pipe, way.first("open"), sale.value, sale.currency)

    @some_deals
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        id = self.sale_of(number)
        self.client.deals.delete(id)
        self.gone[id] = self.sales.pop(id)
        self.gone[id].version += 1

    @precondition(lambda self: self.gone)
    @rule(number=NUMBERS)
    def restore(self, number: int) -> None:
        """Let a deal come back: where its stage is gone, to the one with its key, else the first of its kind."""
        id = list(self.gone)[number % len(self.gone)]
        (item,) = self.client.objects.restore("deal", [id]).items
        assert item.error is None
        sale = self.sales[id] = self.gone.pop(id)
        pipe = sale.pipe if sale.pipe in self.ways else self.default
        steps = [step for step in self.ways[pipe].steps if step.kind == sale.status]
        same = [step for step in steps if step is sale.step] or [step for step in steps if step.key == sale.step.key]
        version = sale.version + 1
        sale.move(pipe, self.ways[pipe], (same or steps)[0], sale.lost_reason)
        sale.version = version

    # -- pipelines -------------------------------------------------------------------------------------------------

    @rule(number=NUMBERS, name=st.sampled_from(RULES), value=st.booleans(), active=st.booleans())
    def change_pipeline(self, number: int, name: str, value: bool, active: bool) -> None:
        id = self.way_of(number)
        changes: Any = {name: value, "active": active}
        code = "PIPELINE_IS_DEFAULT" if id == self.default and not active else None
        self.expect(code, lambda: self.client.pipelines.update(id, changes))
        if code is None:
            self.ways[id].rules[name], self.ways[id].active = value, active

    @rule(number=NUMBERS)
    def make_default(self, number: int) -> None:
        id = self.way_of(number)
        code = None if self.ways[id].active else "VALIDATION_ERROR"
        self.expect(code, lambda: self.client.pipelines.update(id, {"is_default": True}))
        self.default = self.default if code else id

    @rule(number=NUMBERS, moved=st.booleans())
    def delete_pipeline(self, number: int, moved: bool) -> None:
        id, target = self.way_of(number), self.way_of(number + 1)
        mine = [sale for sale in self.sales.values() if sale.pipe == id]
        code = "PIPELINE_IS_DEFAULT" if id == self.default else None
        code = code or ("PIPELINE_HAS_DEALS" if mine and not moved else None)
        code = code or ("PIPELINE_INACTIVE" if mine and not self.ways[target].active else None)
        self.expect(code, lambda: self.client.pipelines.delete(id, move_deals_to=target if moved else None))
        if code is None:
            for sale in mine:
                way = self.ways[target]
                sale.move(target, way, way.like(sale.step, sale.status), sale.lost_reason)
            del self.ways[id]
            self.add_pipeline()

    # -- stages ----------------------------------------------------------------------------------------------------

    @rule(number=NUMBERS, name=NAMES, kind=KINDS, base=BASES)
    def add_stage(self, number: int, name: str, kind: str, base: int) -> None:
        pipe = self.way_of(number)
        steps = self.ways[pipe].steps
        taken = any(name == step.name or name.lower() == step.key for step in steps)
        given: Any = {"name": name, "kind": kind} | ({} if kind in FIXED else {"probability": base})
        create = self.client.pipelines.stages.create
        made = self.expect("STAGE_EXISTS" if taken else None, lambda: create(pipe, given))
        if made is not None:
            steps.insert(place_for(steps, kind), Step(made.id, name.lower(), name, kind, FIXED.get(kind, base)))

    @rule(number=NUMBERS, at=NUMBERS, kind=KINDS, base=BASES)
    def turn_stage(self, number: int, at: int, kind: str, base: int) -> None:
        """Give a stage a kind and a probability."""
        pipe = self.way_of(number)
        way, step = self.ways[pipe], self.step_of(pipe, at)
        code = None
        if kind != step.kind:
            code = None if way.has_other(step) else "STAGE_REQUIRED"
            code = code or ("STAGE_HAS_DEALS" if self.in_step(step) else None)
        changes: Any = {"kind": kind} | ({} if kind in FIXED else {"probability": base})
        self.expect(code, lambda: self.client.pipelines.stages.update(pipe, step.id, changes))
        if code is None:
            if kind != step.kind:
                way.steps.remove(step)
                way.steps.insert(place_for(way.steps, kind), step)
            step.kind, step.base = kind, FIXED.get(kind, base)

    @rule(number=NUMBERS, at=NUMBERS, name=NAMES, position=st.none() | st.integers(0, 8))
    def name_stage(self, number: int, at: int, name: str, position: int | None) -> None:
        """Give a stage a name, perhaps another place; its key stays, and its deals have the key."""
        pipe = self.way_of(number)
        way, step = self.ways[pipe], self.step_of(pipe, at)
        steps = [one for one in way.steps if one is not step]
        steps.insert(way.steps.index(step) if position is None else position, step)
        code = "STAGE_EXISTS" if any(name == one.name for one in steps if one is not step) else None
        code = code if is_in_order(steps) else "STAGE_ORDER"
        changes: Any = {"name": name} | ({} if position is None else {"position": position})
        self.expect(code, lambda: self.client.pipelines.stages.update(pipe, step.id, changes))
        if code is None:
            step.name, way.steps = name, steps

    @rule(number=NUMBERS, at=NUMBERS, to=st.none() | NUMBERS, elsewhere=st.booleans())
    def delete_stage(self, number: int, at: int, to: int | None, elsewhere: bool) -> None:
        pipe = self.way_of(number)
        way, step = self.ways[pipe], self.step_of(pipe, at)
        other = self.way_of(number + elsewhere)
        target = self.step_of(other, to) if to is not None else None
        mine = self.in_step(step)
        code = "STAGE_NOT_IN_PIPELINE" if target is not None and (other != pipe or target is step) else None
        code = code or (None if way.has_other(step) else "STAGE_REQUIRED")
        code = code or ("STAGE_HAS_DEALS" if mine and target is None else None)
        id, call = target.id if target is not None else None, self.client.pipelines.stages.delete
        self.expect(code, lambda: call(pipe, step.id, move_deals_to=id))
        if code is None:
            for sale in mine:
                sale.move(pipe, way, target or step)
            way.steps.remove(step)

    @rule(number=NUMBERS, keys=st.lists(st.integers(0, 9), min_size=8, max_size=8), missing=st.booleans())
    def reorder(self, number: int, keys: list[int], missing: bool) -> None:
        pipe = self.way_of(number)
        steps = self.ways[pipe].steps
        wanted = [step for _, step in sorted(zip(keys, steps, strict=False), key=lambda pair: pair[0])]
        code = "INCOMPLETE_ORDER" if missing else None if is_in_order(wanted) else "STAGE_ORDER"
        ids = [step.id for step in wanted][missing:]
        if self.expect(code, lambda: self.client.pipelines.stages.reorder(pipe, ids)) is not None:
            self.ways[pipe].steps = wanted

    # -- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def both_have_the_same_deals_and_sums(self) -> None:
        for pipe, way in self.ways.items():
            mine = {id: sale for id, sale in self.sales.items() if sale.pipe == pipe}
            found = {deal.id: deal for deal in self.client.deals.list(pipeline_id=pipe, limit=200)}
            assert found.keys() == mine.keys()
            for id, sale in mine.items():
                deal, step = found[id], sale.step
                assert plain(deal.stage, deal.stage_id, deal.status, deal.value, deal.currency) == (
                    step.key, step.id, step.kind, sale.value, sale.currency,
                )  # fmt: skip
                assert (deal.probability, deal.version, deal.lost_reason) == (
                    sale.probability, sale.version, sale.lost_reason,
                )  # fmt: skip
                assert (deal.closed_at is None) == (step.kind == "open")
            shown = self.client.pipelines.get(pipe)
            assert (shown.active, shown.is_default) == (way.active, pipe == self.default)
            assert plain(shown.deal_count, shown.total_value) == (len(mine), sum(sale.worth for sale in mine.values()))
            assert [
                plain(
                    one.position, one.id, one.key, one.name, one.kind, one.probability, one.deal_count, one.total_value
                )
                for one in shown.stages
            ] == [
                (at, *vars(step).values(), len(self.in_step(step)), sum(sale.worth for sale in self.in_step(step)))
                for at, step in enumerate(way.steps)
            ]

    def teardown(self) -> None:
        """Compare what became of the deals."""
        for id, sale in self.sales.items():
            stays = [(stay.to_stage, stay.direction) for stay in self.client.deals.history(id)]
            assert stays == sale.stays
        for pipe, way in self.ways.items():
            mine = [sale for sale in self.sales.values() if sale.pipe == pipe]
            opened = [sale for sale in mine if sale.status == "open"]
            board = self.client.deals.by_pipeline(pipe)
            assert plain(board.deal_count, board.total_value) == (len(opened), sum(sale.worth for sale in opened))
            assert [stage.stage for stage in board.stages] == [step.key for step in way.steps if step.kind == "open"]
            weighted = sum(sale.worth * sale.probability / 100 for sale in opened)
            assert abs(self.client.deals.forecast(pipeline_id=pipe).weighted_forecast - weighted) <= Decimal("0.01")
            ends = self.client.deals.analytics.win_loss(pipeline_id=pipe)
            assert (ends.won, ends.lost) == tuple(sum(sale.status == kind for sale in mine) for kind in ("won", "lost"))
            came = self.client.deals.analytics.conversion(pipeline_id=pipe)
            been = [sale for sale in self.sales.values() if any(there == pipe for there, _ in sale.been)]
            assert (came.entered, came.open) == (len(been), len(been) - ends.won - ends.lost)
            entered = [sum((pipe, step.id) in sale.been for sale in been) for step in way.steps]
            assert [row.entered for row in came.stages] == entered


TestDeals = DealMachine.TestCase
TestDeals.settings = settings(max_examples=portion(14), stateful_step_count=20)
