"""Fixtures of each kind of store, and a clock to move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest
from webhook_receiving import Ticking

from crm_sdk.webhooks import (
    EventStore,
    MemoryEventStore,
    RedisEventStore,
    SqliteEventStore,
)


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path, ticking: Ticking) -> Iterator[EventStore]:
    if request.param == "memory":
        yield MemoryEventStore(clock=ticking)
    elif request.param == "sqlite":
        kept = SqliteEventStore(tmp_path / "deliveries.db", clock=ticking)
        yield kept
        kept.close()
    else:
        client = fakeredis.FakeRedis()
        yield RedisEventStore(client)
        client.close()
