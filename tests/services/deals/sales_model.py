"""The plain model of pipelines and their deals: what is in them, and what their rules forbid."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal

FIXED = {"won": 100, "lost": 0}
RATES = {"USD": Decimal(1), "EUR": Decimal("1.08"), "GBP": Decimal("1.27")}
"""What the currencies of the demo company are worth in its own."""


@dataclass
class Step:
    """A stage."""

    id: str
    key: str
    name: str
    kind: str
    base: int


@dataclass
class Way:
    """A pipeline."""

    rules: dict[str, bool]
    steps: list[Step]
    active: bool = True

    def named(self, key: str) -> Step | None:
        return next((step for step in self.steps if step.key == key), None)

    def first(self, kind: str) -> Step:
        return next(step for step in self.steps if step.kind == kind)

    def like(self, step: Step, kind: str) -> Step:
        """Return the stage with the key of another, else the first of a kind."""
        return self.named(step.key) or self.first(kind)

    def has_other(self, step: Step) -> bool:
        """Tell whether another stage is of the kind of one."""
        return any(one.kind == step.kind for one in self.steps if one is not step)


def place_for(steps: Sequence[Step], kind: str) -> int:
    """Return where a new stage of a kind goes among others: last of its kind."""
    kinds = [step.kind for step in steps]
    if kind == "open":
        return kinds.count("open")
    return len(kinds) if kind == "lost" else max(at for at, one in enumerate(kinds) if one != "lost") + 1


def is_in_order(steps: Sequence[Step]) -> bool:
    """Tell whether no open stage comes after a closed one."""
    closed = [step.kind != "open" for step in steps]
    return closed == sorted(closed)


@dataclass
class Sale:
    """A deal."""

    pipe: str
    step: Step
    value: int
    currency: str = "USD"
    lost_reason: str | None = None
    status: str = ""
    version: int = 1
    stays: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The keys of the stages it was in, and how it came there."""
    been: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The pipelines and the ids of the stages it was in."""

    def __post_init__(self) -> None:
        if not self.stays:
            self.status = self.step.kind
            self._stay("initial")

    def _stay(self, direction: str) -> None:
        self.stays.append((self.step.key, direction))
        self.been.append((self.pipe, self.step.id))

    @property
    def worth(self) -> Decimal:
        """What it is worth in the company's currency."""
        return self.value * RATES[self.currency]

    @property
    def probability(self) -> int:
        """The probability of its stage; that of an open deal is never 0 or 100."""
        return self.step.base if self.status != "open" else min(max(self.step.base, 1), 99)

    def move(self, pipe: str, way: Way, step: Step, reason: str | None = None) -> None:
        """Move to a stage; `way` is its pipeline."""
        if step.id == self.step.id:
            return
        before, after = (next((at for at, one in enumerate(way.steps) if one is it), -1) for it in (self.step, step))
        back = pipe == self.pipe and step.kind == "open" and before > after
        reopened = self.status != "open" and step.kind == "open"
        self.pipe, self.step, self.status = pipe, step, step.kind
        self.lost_reason = (reason or self.lost_reason) if step.kind == "lost" else None
        self._stay("reopened" if reopened else "backward" if back else "forward")
        self.version += 1

    def copy(self) -> Sale:
        """Return another with the same past."""
        step, self.step = self.step, None  # type: ignore[assignment] # stages are not copied
        new = deepcopy(self)
        self.step = new.step = step
        return new


def refusal(ways: dict[str, Way], sale: Sale, pipe: str, step: Step | None, reason: str | None) -> str | None:
    """Return the code that forbids a move; None where it is allowed."""
    here, there = ways[sale.pipe], ways[pipe]
    if pipe != sale.pipe and not there.active:
        return "PIPELINE_INACTIVE"
    if step is None:
        return "STAGE_NOT_IN_PIPELINE"
    if step is sale.step:
        return None
    if here.rules["lock_closed"] and sale.status != "open":
        return "DEAL_CLOSED"
    if sale.status == "open" and pipe == sale.pipe:
        before, after = there.steps.index(sale.step), there.steps.index(step)
        if step.kind == "open" and after < before and not there.rules["allow_backward"]:
            return "STAGE_BACKWARD_FORBIDDEN"
        skipped = [one for one in there.steps[before + 1 : after] if one.kind == "open"]
        if skipped and step.kind != "lost" and not there.rules["allow_skip"]:
            return "STAGE_SKIP_FORBIDDEN"
    if step.kind == "lost" and there.rules["require_lost_reason"] and not (reason or sale.lost_reason):
        return "LOST_REASON_REQUIRED"
    return None
