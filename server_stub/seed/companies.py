"""Demo data: two companies with leads, contacts, accounts, deals and what was said; the same for the same start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from random import Random
from typing import TYPE_CHECKING

from .. import timetable
from ..clock import Clock
from ..data.store import Store, StoreSnapshot
from ..serving import Collections
from .agenda import agenda
from .around import put_surroundings
from .backups import backups, put_schedule
from .boards import boards
from .calendar import calendar
from .custom_objects import custom_objects
from .deal_past import deal_past, renewals, spread_wins
from .deals import deals, sum_up
from .documented import put_documented
from .exports import exports
from .files import CONTENTS, files
from .groups import groups
from .jobs import jobs
from .people import people
from .records import Records
from .setup.billing import put_billing
from .setup.company import ACME, GLOBEX, Plan, put_company
from .setup.configuration import configuration
from .setup.marketplace import put_marketplace
from .setup.remotes import put_remotes
from .talk.contacts import talk
from .talk.conversations import conversations
from .talk.deals import deal_talk
from .talk.discussion import discussion
from .talk.outgoing import outgoing
from .talk.social import social
from .talk.templates import templates
from .workflows import workflows

if TYPE_CHECKING:
    from ..collected import Contributions

COMPUTED = (
    "message",
    "activity",
    "lead",
    "deal",
    "contact",
    "account",
    "conversation",
    "activity",
    "record",
    "mention",
    "keyword",
)
"""The kinds with computed members, in the order in which one builds on another: meetings come last once more, since
they are prepared from what their contacts and deals have become."""


def seed(store: Store, clock: Clock, services: Contributions, *, random_seed: int = 2026) -> Iterable[bytes]:
    """Put the demo data in place of whatever the store holds, and return the contents of their files.

    The services complete the records. With the same start, services and `random_seed` they are made once only.
    """
    state, contents = _demo(clock.now(), services, random_seed)
    store.restore(state)
    return contents


@lru_cache(maxsize=4)
def _demo(now: datetime, services: Contributions, random_seed: int) -> tuple[StoreSnapshot, Sequence[bytes]]:
    store, contents = Store(), list(CONTENTS.values())
    for plan in (ACME, GLOBEX):
        _company(store, plan, now, Random(f"{random_seed}/{plan.slug}"))
        put_billing(store, plan, now)
        exports(store, plan, now)
        put_schedule(store, plan, now)
        _complete(partial(store.collection, plan.id), services, now)
        put_surroundings(store, plan, now)
        outgoing(store, plan, now)
        put_remotes(store, plan, now)
        configuration(store, plan, now)
        jobs(store, plan, now)
    for plan in (ACME, GLOBEX):
        contents += backups(store, plan, now, CONTENTS.__getitem__)
    put_marketplace(store, now, Random(f"{random_seed}/marketplace"))
    return store.snapshot(), contents


def _company(store: Store, plan: Plan, now: datetime, random: Random) -> None:
    put_company(store, plan, now)
    records = Records(store, plan, now, random)
    if plan is ACME:
        put_documented(records)
    people(records)
    talk(records)
    deals(records)
    renewals(records)
    spread_wins(records)
    deal_past(records)
    groups(records)
    sum_up(records)
    deal_talk(records)
    calendar(records)
    agenda(records)
    conversations(records)
    templates(records)
    custom_objects(records)
    boards(records)
    workflows(records)
    files(records)
    discussion(records)
    social(records)


def _complete(collections: Collections, services: Contributions, now: datetime) -> None:
    for kind in COMPUTED:
        for doc in collections(kind).all() if kind in services.completions else ():
            collections(kind).put(services.completions[kind](doc, collections, now))
    for appointment in services.timetable.appointments:
        timetable.plan(collections, appointment)
