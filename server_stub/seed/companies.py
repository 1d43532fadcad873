"""Demo data: two companies with leads, contacts, accounts, deals and what was said; the same for the same start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import TypeAlias

from ..clock import Clock
from ..data.collection import Collection
from ..data.document import Document
from ..data.store import Store, StoreSnapshot
from .around import put_surroundings
from .calendar import calendar
from .company import ACME, GLOBEX, Plan, put_company
from .conversations import conversations
from .deal_talk import deal_talk
from .deals import deals, sum_up
from .documented import put_documented
from .people import people
from .records import Records
from .talk import talk
from .templates import templates

Recompute: TypeAlias = Callable[[str, Document, Callable[[str], Collection], datetime], Document]
"""Gets a kind, a document, a way to the collections and the time; returns the document with its computed members."""

COMPUTED = ("activity", "lead", "deal", "contact", "account", "conversation", "activity")
"""The kinds with computed members, in the order in which one builds on another: meetings come last once more, since
they are prepared from what their contacts and deals have become."""


def seed(store: Store, clock: Clock, *, recompute: Recompute | None = None, random_seed: int = 2026) -> None:
    """Put the demo data in place of whatever the store holds.

    With the same start, `recompute` (a module's function, not a bound method) and `random_seed` it is made once only.
    """
    store.restore(_demo(clock.now(), recompute, random_seed))


@lru_cache(maxsize=4)
def _demo(now: datetime, recompute: Recompute | None, random_seed: int) -> StoreSnapshot:
    store = Store()
    for plan in (ACME, GLOBEX):
        _company(store, plan, now, Random(f"{random_seed}/{plan.slug}"))
        if recompute is not None:
            _compute(store, plan, recompute, now)
        put_surroundings(store, plan, now)
    return store.snapshot()


def _company(store: Store, plan: Plan, now: datetime, random: Random) -> None:
    put_company(store, plan, now)
    records = Records(store, plan, now, random)
    if plan is ACME:
        put_documented(records)
    people(records)
    talk(records)
    deals(records)
    sum_up(records)
    deal_talk(records)
    calendar(records)
    conversations(records)
    templates(records)


def _compute(store: Store, plan: Plan, recompute: Recompute, now: datetime) -> None:
    def collections(kind: str) -> Collection:
        return store.collection(plan.id, kind)

    for kind in COMPUTED:
        for doc in collections(kind).all():
            collections(kind).put(recompute(kind, doc, collections, now))
