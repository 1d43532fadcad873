"""Tools that answer in the server's place, and that replace the client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.resources.leads import Leads

WHERE = "https://crm.test"
LEAD = {"id": "lead_1", "name": "Ada", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
PLATFORM: dict[str, Any] = {"dialects": "platform", "max_retries": 0}


async def name_of(where: str, **options: Any) -> str:
    async with AsyncCrmClient(where, "key", **options) as client:
        return (await client.leads.get("lead_1")).name


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_respx(using: str) -> None:
    respx = pytest.importorskip("respx")
    with respx.mock(using=using) as router:
        route = router.get(f"{WHERE}/v1/leads/lead_1").mock(httpx.Response(200, json={"data": LEAD}))
        with CrmClient(WHERE, "key", **PLATFORM) as client:
            assert client.leads.get("lead_1").name == "Ada"
        assert asyncio.run(name_of(WHERE, **PLATFORM)) == "Ada"
        assert [call.request.headers["Authorization"] for call in route.calls] == ["Bearer key"] * 2


def test_pytest_httpx(request: pytest.FixtureRequest) -> None:
    pytest.importorskip("pytest_httpx")
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=f"{WHERE}/v1/leads/lead_1", json={"data": LEAD}, is_reusable=True)
    with CrmClient(WHERE, "key", **PLATFORM) as client:
        assert client.leads.get("lead_1").name == "Ada"
    assert asyncio.run(name_of(WHERE, **PLATFORM)) == "Ada"
    assert len(httpx_mock.get_requests()) == 2


@pytest.mark.parametrize("own", [False, True], ids=["default", "http_client"])
def test_vcrpy(own: bool, url: str, tmp_path: Path) -> None:
    vcr = pytest.importorskip("vcr")
    tape, cassette = vcr.VCR(filter_headers=["authorization"]), tmp_path / "lead.yaml"
    found = []
    for key in ("acme-admin", "any other"):
        with tape.use_cassette(cassette) as used, httpx.Client() as http:
            options: dict[str, Any] = {"http_client": http} if own else {}
            with CrmClient(url, key, **PLATFORM, **options) as client:
                found.append(client.leads.get("lead_123"))
    assert found[0] == found[1]
    assert used.play_count == 1
    assert "acme-admin" not in cassette.read_text()


def test_unittest_mock(client: CrmClient, async_client: AsyncCrmClient) -> None:
    made = mock.create_autospec(CrmClient, instance=True)
    made.leads.get.return_value = "Ada"
    assert made.leads.get("lead_1") == "Ada"
    with pytest.raises(AttributeError):
        made.leads.no_such_call()
    fake: Any = object()
    with mock.patch.object(Leads, "get", autospec=True, return_value=fake):
        assert client.leads.get("lead_1") is fake
    with mock.patch.object(async_client.leads, "get") as asked:
        assert isinstance(asked, mock.AsyncMock)
