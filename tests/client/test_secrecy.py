"""What nobody may learn from an error: keys and passwords, in its text, its members, and the frames it came through."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import logging
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loopback import Connection, Loopback

import crm_cli
import crm_sdk
from crm_sdk import AsyncCrmClient, AsyncDownload, CrmClient, CrmError, Download

KEY, PASSWORD = "the-key-of-acme", "the-password-of-ada"
SECRETS = (KEY, PASSWORD)

CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda client: client.leads.get("x"),
    "create": lambda client: client.leads.create({"name": "Ada"}),
    "download": lambda client: client.contacts.export(),
    "raw": lambda client: client.request("GET", "/x"),
    "login": lambda client: client.auth.login("ada@acme.test", PASSWORD),
    "refresh": lambda client: client.auth.refresh(PASSWORD),
    "wrong value": lambda client: client.auth.login(5, PASSWORD),
    "wrong argument": lambda client: client.auth.login("ada@acme.test", password=PASSWORD, tenant="acme"),
    "job": lambda client: client.contacts.imports.create(("a.csv", b"name\nAda\n")),
}


def repeated(connection: Connection) -> dict[str, Any]:
    """Return what the server was sent."""
    return {"key": connection.headers.get("authorization"), "body": connection.server.seen[-1][2].decode()}


def refusing(connection: Connection) -> None:
    told = repeated(connection)
    error = {"code": "UNAUTHORIZED", "message": f"no: {told}", "details": {**told, "fields": [{"field": "a", **told}]}}
    connection.answer(json.dumps({"error": error}).encode(), 401)


def page(status: int) -> Callable[[Connection], None]:
    def answer(connection: Connection) -> None:
        connection.answer(f"<html>{repeated(connection)}</html>".encode(), status, Content_Type="text/html")

    return answer


def garbled(connection: Connection) -> None:
    connection.answer(json.dumps({"data": {"accessToken": 5, "id": None, **repeated(connection)}}).encode())


def silent(connection: Connection) -> None:
    threading.Event().wait(1)


SERVERS = {"refusing": refusing, "failing": page(502), "strange": page(200), "garbled": garbled, "silent": silent}


def text_of(value: object, depth: int = 0) -> str:
    """Return what a tool that reports errors sends of a value."""
    if depth > 4:
        return ""
    if isinstance(value, dict):
        return "".join(text_of(key, depth + 1) + text_of(inner, depth + 1) for key, inner in value.items())
    if isinstance(value, list | tuple | set):
        return "".join(text_of(inner, depth + 1) for inner in value)
    try:
        return repr(value)
    except Exception:  # whatever it is, it shows nothing
        return ""


def shown(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield what an error shows, by the place: its text, its members, the variables of its frames; so of its causes."""
    here: BaseException | None = error
    while here is not None:
        yield type(here).__name__, f"{here} {here.args!r} {text_of(vars(here))}"
        trace = here.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            if frame.f_code.co_filename != __file__:
                for name, value in frame.f_locals.items():
                    yield f"{frame.f_code.co_qualname}: {name}", text_of(value)
            trace = trace.tb_next
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)


def failing(kind: Any, url: str, does: Callable[[Any], Any], **options: Any) -> BaseException | None:
    """Return the error that a call ends in."""
    client = kind(url, KEY, max_retries=0, **options)

    async def finish() -> None:
        try:
            result = await does(client)
            if isinstance(result, AsyncDownload):
                await result.aclose()
        finally:
            await client.close()

    try:
        if kind is CrmClient:
            with client:
                result = does(client)
                if isinstance(result, Download):
                    result.close()
        else:
            asyncio.run(finish())
    except (CrmError, TypeError) as error:
        return error
    return None


def listening(name: str) -> Callable[[Any], Any]:
    """Return the attempt to open a live link."""

    def opening(client: Any) -> Any:
        return client.channels.join("user:ada:deals") if name == "channel" else client.events.listen(over=name)

    def attempt(client: Any) -> Any:
        async def enter() -> None:
            async with opening(client):
                pass

        if isinstance(client, AsyncCrmClient):
            return enter()
        with opening(client):
            return None

    return attempt


@pytest.mark.parametrize("server", ["refusing", "gone"])
@pytest.mark.parametrize("name", ["ws", "sse", "channel"])
@pytest.mark.parametrize("kind", [CrmClient, AsyncCrmClient])
def test_no_live_link_that_fails_shows_a_secret(net: Loopback, kind: Any, server: str, name: str) -> None:
    if server != "gone":
        net.rules[""] = SERVERS[server]
    error = failing(kind, net.url if server != "gone" else "http://127.0.0.1:9", listening(name), timeout=2)
    assert error is not None
    assert [place for place, text in shown(error) if any(each in text for each in SECRETS)] == []


@pytest.mark.parametrize("server", [*SERVERS, "gone"])
@pytest.mark.parametrize("dialects", [None, "platform"], ids=["finding out", "platform"])
@pytest.mark.parametrize("kind", [CrmClient, AsyncCrmClient])
def test_no_error_shows_a_secret(
    net: Loopback, kind: Any, server: str, dialects: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if server != "gone":
        net.rules[""] = SERVERS[server]
    url = "http://127.0.0.1:9" if server == "gone" else net.url
    found: list[str] = []
    errors = 0
    for name, does in CALLS.items():
        error = failing(kind, url, does, dialects=dialects, timeout=0.2 if server == "silent" else 20)
        if error is not None:
            errors += 1
            found += [f"{name}: {place}" for place, text in shown(error) if any(each in text for each in SECRETS)]
    assert found == [] and errors >= 4  # of an answer that is only garbled, some can be used
    assert not any(secret in record.getMessage() for record in caplog.records for secret in SECRETS)


_SECRETS = re.compile(r"(.*_)?(token|key|secret|password|verifier|bearer|stale)")
_NO_SECRETS = {"idempotency_key", "key"}
"""A key that may be told, and those of a mapping and of presence, which are names."""


def test_no_representation_of_what_holds_a_secret_shows_it() -> None:
    """A traceback that shows variables, or a log of them, has representations in it."""
    found: dict[str, bool] = {}
    for package in (crm_sdk, crm_cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            for name, kind in vars(importlib.import_module(module.name)).items():
                if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module.name:
                    for field in dataclasses.fields(kind):
                        if _SECRETS.fullmatch(field.name) and field.name not in _NO_SECRETS:
                            found[f"{module.name}.{name}.{field.name}"] = field.repr
    assert len(found) > 10 and not any(found.values()), found
