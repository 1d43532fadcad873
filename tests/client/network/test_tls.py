"""TLS: whose certificate is trusted, and what is said of one that is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from canned_answers import TOLD
from tls import SecureLoopback, certificate

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.errors import ConfigurationError, ConnectionFailedError
from crm_sdk.models import Lead


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(files: tuple[Path, Path]) -> Iterator[SecureLoopback]:
    with SecureLoopback(*files) as server:
        yield server


async def lead_of(mode: str, url: str) -> Lead:
    if mode == "async":
        async with AsyncCrmClient(url, "key", dialects=TOLD, max_retries=0) as client:
            return await client.leads.get("lead_1")
    with CrmClient(url, "key", dialects=TOLD, max_retries=0) as client:
        return client.leads.get("lead_1")


def test_a_server_with_tls_is_called_where_its_certificate_is_trusted(
    mode: str, secure: SecureLoopback, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConnectionFailedError, match="certificate verify failed") as refused:
        asyncio.run(lead_of(mode, secure.url))
    assert refused.value.sent is False and secure.seen == []
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    assert asyncio.run(lead_of(mode, secure.url)).id
    assert [path for _, path, _ in secure.seen] == ["/api/leads/lead_1"]
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0].with_name("none.pem")))
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE names '.*none\.pem', which is not there"):
        asyncio.run(lead_of(mode, secure.url))


def test_a_certificate_of_another_host_is_refused(
    mode: str, secure: SecureLoopback, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    other = secure.url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.2|failed"):
        asyncio.run(lead_of(mode, other))
    assert secure.seen == []
