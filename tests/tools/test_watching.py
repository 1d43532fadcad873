"""Tools that watch requests, and loggers."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from crm_sdk import AsyncCrmClient, CrmClient, NotFoundError


def make_calls(url: str) -> None:
    """Make a call that succeeds and one that does not, by each client."""
    with CrmClient(url, "acme-admin") as client:
        client.leads.list(limit=1)
        with pytest.raises(NotFoundError):
            client.leads.get("lead_nope")

    async def run() -> None:
        async with AsyncCrmClient(url, "acme-admin") as other:
            await other.leads.list(limit=1)
            with pytest.raises(NotFoundError):
                await other.leads.get("lead_nope")

    asyncio.run(run())


def test_sentry_sdk(url: str) -> None:
    sentry = pytest.importorskip("sentry_sdk")
    transport: Any = pytest.importorskip("sentry_sdk.transport")
    found: list[Any] = []

    class Kept(transport.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            found.extend(item.payload.json for item in envelope.items)

    sentry.init("http://k@127.0.0.1:9/1", transport=Kept, traces_sample_rate=1.0)
    try:
        with sentry.start_transaction(name="page"):
            make_calls(url)
        spans = [span for event in found if event for span in event.get("spans", ())]
        assert [span["data"]["http.response.status_code"] for span in spans if span["op"] == "http.client"] == [
            200,
            404,
        ] * 2
        assert "acme-admin" not in str(found)
    finally:
        sentry.init()


def test_opentelemetry_instrumentation_httpx(url: str) -> None:
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.httpx")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    instrumentation.HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        make_calls(url)
    finally:
        instrumentation.HTTPXClientInstrumentor().uninstrument()
    codes = [(span.attributes or {}).get("http.status_code") for span in kept.get_finished_spans()]
    assert codes == [200, 404] * 2


def test_structlog(client: CrmClient) -> None:
    structlog = pytest.importorskip("structlog")
    out = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[structlog.processors.JSONRenderer(default=str)])
    with pytest.raises(NotFoundError) as raised:
        client.leads.get("lead_nope")
    log.info("refused", lead=client.leads.get("lead_123"), error=raised.value)
    assert "lead_123" in out.getvalue() and "lead_nope" in out.getvalue()


def test_loguru(client: CrmClient, url: str) -> None:
    loguru = pytest.importorskip("loguru")
    out = io.StringIO()
    sink = loguru.logger.add(out, diagnose=True, backtrace=True)
    try:
        with loguru.logger.catch(NotFoundError), CrmClient(url, "acme-admin") as other:
            other.leads.get("lead_nope")
    finally:
        loguru.logger.remove(sink)
    assert "NotFoundError" in out.getvalue()
    assert "Bearer acme-admin" not in out.getvalue()
