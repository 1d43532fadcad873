"""Streams and channels over TLS: whose certificate is trusted, and what is said of one that is not."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from blocking import MODES, client_of, opened
from patience import HANG
from tls import behind_tls, certificate

from crm_sdk.errors import ConfigurationError, ConnectionFailedError
from crm_sdk.models import LeadCreated
from server_stub import StubServer

WAYS: dict[str, Callable[[Any], Any]] = {
    "ws": lambda client: client.events.listen(types=["lead.created"]),
    "sse": lambda client: client.events.listen(over="sse", types=["lead.created"]),
    "channel": lambda client: client.channels.join("user:user_ada:deals"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def stub() -> StubServer:
    return StubServer()


@pytest.fixture
def url(stub: StubServer, files: tuple[Path, Path]) -> Generator[str]:
    with stub.serve() as port, behind_tls(port.number, *files) as secured:
        yield secured


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_events_come_over_tls_where_the_certificate_is_trusted(
    url: str, stub: StubServer, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, mode: str, way: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with opened(client_of(stub, mode, url), WAYS[way], mode) as stream:
        if way == "channel":
            stub.client().deals.create({"title": "Over TLS"})
            assert stream.wait(HANG) is not None
        else:
            stub.client().leads.create({"name": "over TLS"})
            heard = stream.wait(HANG)
            assert isinstance(heard, LeadCreated) and heard.data.name == "over TLS"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said_to_a_server_whose_certificate_nobody_vouches_for(
    url: str, stub: StubServer, mode: str, way: str
) -> None:
    client = client_of(stub, mode, url, timeout=0.5)
    with (
        pytest.raises(ConnectionFailedError, match="certificate verify failed") as refused,
        opened(client, WAYS[way], mode),
    ):
        raise AssertionError("it was opened")
    assert "acme-admin" not in str(refused.value) and stub.live.opened == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_a_file_of_authorities_that_is_not_there_is_said(
    url: str, stub: StubServer, monkeypatch: pytest.MonkeyPatch, mode: str, way: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/none.pem")
    with (
        pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE names '/none\.pem', which is not there"),
        opened(client_of(stub, mode, url), WAYS[way], mode),
    ):
        raise AssertionError("it was opened")
