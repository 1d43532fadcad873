"""The deadline of a sync call: kept in every read, also of a head that drips, with TLS and without."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpcore
import pytest
from canned_answers import TOLD
from loopback import Connection, Loopback
from patience import HANG
from tls import SecureLoopback, certificate

from crm_sdk import CrmClient
from crm_sdk.errors import DeadlineExceededError
from crm_sdk.network.deadlines import _Stream


def dripping(connection: Connection) -> None:
    """Answer with a head that never ends."""
    connection.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(int(HANG * 20)):
        connection.wfile.write(b"X-More: 1\r\n")
        connection.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_head_that_drips_is_given_up_at_the_deadline(
    with_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with SecureLoopback(*files) if with_tls else Loopback() as server:
        server.rules["lead_slow"] = dripping
        begun = time.monotonic()
        with CrmClient(server.url, "key", dialects=TOLD, max_retries=0) as client:
            assert client.leads.get("lead_1").id == "lead_1"
            with pytest.raises(DeadlineExceededError):
                client.with_options(timeout=0.4).leads.get("lead_slow")
            assert client.leads.get("lead_2").id == "lead_2"
        assert time.monotonic() - begun < HANG / 2


@pytest.mark.parametrize("left", [0.0, -0.5])
def test_after_the_deadline_nothing_is_read_any_more(left: float) -> None:
    class Timeouts:
        def seconds_left(self) -> float:
            return left

    class Transport:
        timeouts = Timeouts()

    class Inner:
        write = close = get_extra_info = None

        def read(self, max_bytes: int, timeout: float | None) -> bytes:
            raise AssertionError(timeout)

    stream: Any = _Stream(Inner(), Transport())  # type: ignore[arg-type] # what it uses of the two
    with pytest.raises(httpcore.ReadTimeout, match="deadline"):
        stream.read(1, 5.0)
