"""Tools that replace the clock and the file system."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer

FAR = datetime(2030, 1, 1, tzinfo=UTC)


def test_freezegun(stub: StubServer, over_network: CrmClient) -> None:
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time(FAR):
        assert [deal.created_at.year < 2030 for deal in stub.client().deals.list(limit=5).items if deal.created_at]
        made = over_network.leads.create({"name": "Ada"}).created_at
        assert made is not None and made.year < 2030  # the clock of the server goes on
    assert stub.client().deals.list().items, "and afterwards"


def test_time_machine(client: CrmClient, over_network: CrmClient) -> None:
    time_machine = pytest.importorskip("time_machine")
    with time_machine.travel(FAR, tick=False):
        assert client.deals.list().items
        assert over_network.leads.create({"name": "Ada"}).name == "Ada"


def test_pyfakefs(client: CrmClient, over_network: CrmClient) -> None:
    fake = pytest.importorskip("pyfakefs.fake_filesystem_unittest")
    with fake.Patcher() as patched:
        patched.fs.create_file("/people.csv", contents="name,email\nBob,bob@example.com\n")
        for each in (client, over_network):
            job = each.contacts.imports.create(Path("/people.csv"))
            assert len(job.wait(timeout=30).created_ids) == 1
            each.contacts.export().save("/export.csv")
        assert "bob@example.com" in Path("/export.csv").read_text()
