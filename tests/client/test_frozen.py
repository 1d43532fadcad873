"""First use while a test has replaced the classes of `datetime`, as freezegun does: it works then, and afterwards."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest
import sources

from crm_sdk import wire
from crm_sdk.frozen import real_dates

CODE = """
import datetime, sys
import httpx
import crm_sdk
from crm_sdk import CrmClient

class FakeDate(datetime.date): pass
class FakeDatetime(datetime.datetime): pass
REAL = {datetime.date: FakeDate, datetime.datetime: FakeDatetime}

def replace(kinds):
    for module in list(sys.modules.values()):
        for name in dir(module):
            try:
                value = getattr(module, name)
            except Exception:
                continue
            if isinstance(value, type) and value in kinds and module.__name__ != "__main__":
                setattr(module, name, kinds[value])

def answer(request):
    deal = {"id": "d", "title": "x", "closeDate": "2026-01-01", "createdAt": "2026-01-01T00:00:00Z"}
    return httpx.Response(200, json={"data": [deal], "meta": {}})

def use(now):
    (deal,) = client.deals.list(limit=1, created_after=now).items
    assert not any(each.path.endswith(("closeDate", "createdAt")) for each in deal.mismatches), deal.mismatches
    assert type(deal.created_at).__name__ == "datetime", type(deal.created_at)
    client.activities.list(limit=1, created_after=now)

client = CrmClient("http://crm.test", "key", dialects="platform", http_client=httpx.MockTransport(answer))
now = datetime.datetime.now(datetime.timezone.utc)
replace(REAL)
assert datetime.date is FakeDate
use(FakeDatetime.fromisoformat(now.isoformat()))
assert datetime.date is FakeDate
replace({fake: real for real, fake in REAL.items()})
use(now)
from crm_sdk.catalogue import declared_operations
for operation in declared_operations():
    operation.arguments._adapter
"""


def test_what_names_a_replaced_class_names_the_real_one_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake(datetime.date):
        pass

    real = datetime.date
    with real_dates():
        assert datetime.date is real
    monkeypatch.setattr(datetime, "date", Fake)
    monkeypatch.setattr(wire, "date", Fake)
    monkeypatch.setattr(sources, "date", Fake, raising=False)
    with real_dates():
        assert datetime.date is real and vars(wire)["date"] is real and vars(sources)["date"] is Fake
    assert datetime.date is Fake and vars(wire)["date"] is Fake


def test_the_first_use_in_a_frozen_time_spoils_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
