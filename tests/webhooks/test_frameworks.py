"""Webhooks in the frameworks themselves: the body as it came, an answer for each outcome, and the document's code."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import types
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import httpx
import pytest
from django.conf import settings
from django.test import Client as DjangoClient
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route
from webhook_corpus import BODY, documented

from crm_sdk.webhooks import LeadCreated, Webhooks, embed, sign
from crm_sdk.webhooks.asgi import Receiver
from crm_sdk.webhooks.django import receiver as django_receiver
from crm_sdk.webhooks.flask import receiver as flask_receiver
from server_stub import StubServer

DOC = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOC, flags=re.M | re.S)
SECRET = "s3cr3t"
PATH = "/webhooks/crm"
LIMIT = 2000

Post = Callable[..., tuple[int, dict[str, str], bytes]]
"""Sends a request (body, headers, method) to an application and returns its answer."""


def asgi(app: Any) -> Post:
    def send(body: Any = BODY, headers: Any = (), method: str = "POST") -> tuple[int, dict[str, str], bytes]:
        async def main() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
                return await client.request(method, PATH, content=body, headers=dict(headers))

        reply = asyncio.run(main())
        return reply.status_code, dict(reply.headers), reply.content

    return send


def wsgi(app: Flask) -> Post:
    def send(body: Any = BODY, headers: Any = (), method: str = "POST") -> tuple[int, dict[str, str], bytes]:
        reply = app.test_client().open(PATH, method=method, data=body, headers=dict(headers))
        return reply.status_code, {name.lower(): value for name, value in reply.headers}, reply.data

    return send


def through_django(urls: types.ModuleType) -> Post:
    def send(body: Any = BODY, headers: Any = (), method: str = "POST") -> tuple[int, dict[str, str], bytes]:
        client = DjangoClient(enforce_csrf_checks=True, raise_request_exception=False)
        given: Any = dict(headers)
        reply = client.generic(method, PATH, body, content_type="application/json", headers=given)
        return reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, reply.content

    sys.modules["webhook_urls"] = urls
    from django.urls import clear_url_caches

    clear_url_caches()
    return send


@pytest.fixture(autouse=True, scope="session")
def configured() -> Iterator[None]:
    """Configure Django: that is done once in a process, whatever other tests run between those of this module."""
    settings.configure(
        ROOT_URLCONF="webhook_urls",
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
        SECRET_KEY="for a test",
        DATA_UPLOAD_MAX_MEMORY_SIZE=10,
    )
    django.setup()
    yield
    sys.modules.pop("webhook_urls", None)


def hooked() -> tuple[Webhooks, list[str]]:
    hooks, ran = Webhooks(SECRET), list[str]()

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        ran.append(event.data.name)
        if event.data.name == "Fault":
            raise RuntimeError("the handler failed")

    @hooks.on("lead.updated")
    async def updated(event: Any) -> None:
        await asyncio.sleep(0)
        ran.append(event.type)

    return hooks, ran


def starlette_app(hooks: Webhooks) -> Post:
    return asgi(Starlette(routes=[Route(PATH, Receiver(hooks, limit=LIMIT))]))


def fastapi_app(hooks: Webhooks) -> Post:
    app = FastAPI()
    app.router.routes.append(Route(PATH, Receiver(hooks, limit=LIMIT)))
    return asgi(app)


def bare_asgi(hooks: Webhooks) -> Post:
    return asgi(Receiver(hooks, limit=LIMIT))


def flask_app(hooks: Webhooks) -> Post:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.register_blueprint(flask_receiver(hooks, PATH, limit=LIMIT))
    return wsgi(app)


def django_app(hooks: Webhooks) -> Post:
    from django.urls import path

    urls: Any = types.ModuleType("webhook_urls")
    urls.urlpatterns = [path(PATH[1:], django_receiver(hooks, limit=LIMIT))]
    return through_django(urls)


@pytest.fixture(params=[starlette_app, fastapi_app, bare_asgi, flask_app, django_app])
def app(request: pytest.FixtureRequest) -> Callable[[Webhooks], Post]:
    made: Callable[[Webhooks], Post] = request.param
    return made


def test_each_framework_acts_once(app: Callable[[Webhooks], Post]) -> None:
    hooks, ran = hooked()
    post = app(hooks)
    headers = sign(BODY, SECRET)
    assert post(BODY, headers)[::2] == (200, b'{"result": "done"}')
    assert post(BODY, headers)[::2] == (200, b'{"result": "duplicate"}')
    assert post(body := embed(BODY.replace(b"Jane", "Zoë".encode()), SECRET))[0] == 200, body
    assert ran == ["Jane Doe", "Zoë Doe"]


def test_each_framework_takes_coroutines(app: Callable[[Webhooks], Post]) -> None:
    hooks, ran = hooked()
    body = BODY.replace(b"lead.created", b"lead.updated")
    assert app(hooks)(body, sign(body, SECRET))[0] == 200 and ran == ["lead.updated"]


def test_each_framework_gives_the_body_as_it_came(app: Callable[[Webhooks], Post]) -> None:
    hooks, ran = hooked()
    body = BODY.replace(b'{"id"', b' {\r\n\t"n": 1.0, "e":"\\u00e9" , "id"')
    assert app(hooks)(body, documented(body, SECRET))[0] == 200 and ran == ["Jane Doe"]


def test_each_framework_refuses(app: Callable[[Webhooks], Post]) -> None:
    hooks, ran = hooked()
    post = app(hooks)
    for body, headers, status in (
        (BODY, {}, 401),
        (BODY, sign(BODY, "another"), 401),
        (BODY + b" ", sign(BODY, SECRET), 401),
        (BODY, sign(BODY, SECRET, timestamp=1), 400),
        (b"{}", sign(b"{}", SECRET), 400),
        (b"", sign(b"", SECRET), 400),
        (b"a=1", {**sign(b"a=1", SECRET), "Content-Type": "application/x-www-form-urlencoded"}, 400),
    ):
        answer = post(body, headers)
        assert answer[::2] == (status, b'{"result": "refused"}')
        assert answer[1]["content-type"] == "application/json"
    assert not ran


def test_each_framework_reads_no_more_than_the_limit(app: Callable[[Webhooks], Post]) -> None:
    hooks, _ = hooked()
    post = app(hooks)
    whole = BODY + b" " * (LIMIT - len(BODY))
    assert post(whole, sign(whole, SECRET))[0] == 200
    for longer in (whole + b" ", whole * 1000):
        assert post(longer, sign(longer, SECRET))[::2] == (413, b'{"result": "refused"}')


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_each_framework_takes_post_alone(app: Callable[[Webhooks], Post], method: str) -> None:
    hooks, ran = hooked()
    status, headers, _ = app(hooks)(BODY, sign(BODY, SECRET), method)
    assert (status, headers["allow"]) == (405, "POST") and not ran


def test_each_framework_asks_to_come_again(app: Callable[[Webhooks], Post]) -> None:
    hooks, ran = hooked()
    post = app(hooks)
    body = BODY.replace(b"Jane Doe", b"Fault")
    assert [post(body, sign(body, SECRET, id="m1"))[0] for _ in range(2)] == [500, 500]
    assert ran == ["Fault", "Fault"]
    hooks.store.claim("id:m2", "somebody", 60)
    status, headers, _ = post(BODY, sign(BODY, SECRET, id="m2"))
    assert status == 503 and int(headers["retry-after"]) > 0


def test_a_body_in_pieces_of_no_stated_length_is_bounded_too() -> None:
    hooks, _ = hooked()

    async def pieces(count: int) -> Any:
        for _ in range(count):
            yield b" " * 100

    async def post(count: int) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Receiver(hooks, limit=LIMIT))) as client:
            return (await client.post("http://app.test/", content=pieces(count))).status_code

    assert [asyncio.run(post(count)) for count in (20, 21)] == [400, 413]

    app = Flask(__name__)
    app.register_blueprint(flask_receiver(hooks, PATH, limit=LIMIT))
    for count, status in ((20, 400), (21, 413)):
        stream = io.BytesIO(b" " * 100 * count)
        reply = app.test_client().post(
            PATH, input_stream=stream, environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        )
        assert reply.status_code == status


def test_django_takes_coroutines_behind_asgi_too() -> None:
    from django.test import AsyncClient

    hooks, ran = hooked()
    django_app(hooks)
    body = BODY.replace(b"lead.created", b"lead.updated")

    async def main() -> int:
        reply = await AsyncClient().generic("POST", PATH, body, headers=dict(sign(body, SECRET)))
        return int(reply.status_code)

    assert asyncio.run(main()) == 200 and ran == ["lead.updated"]


def test_a_websocket_is_refused() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Receiver(hooked()[0])({"type": "websocket", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close"}]


def test_a_sender_that_goes_away_gets_no_answer() -> None:
    hooks, ran = hooked()
    messages = iter([{"type": "http.request", "body": BODY, "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Receiver(hooks)({"type": "http", "method": "POST", "headers": []}, receive, send))
    assert not sent and not ran


def block(mark: str) -> dict[str, Any]:
    """Run the documentation's block that has a text in it, and return its names."""
    (code,) = (text for text in BLOCKS if mark in text)
    module = types.ModuleType("documented")
    exec(compile(code, "docs/webhooks.md", "exec"), module.__dict__)  # noqa: S102 # our own documentation
    return vars(module)


@pytest.mark.parametrize("mark", ["FastAPI()", "Flask(", "urlpatterns"])
def test_the_documented_receivers_work(mark: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = block(mark)
    if mark == "urlpatterns":
        urls: Any = types.ModuleType("webhook_urls")
        urls.urlpatterns = names["urlpatterns"]
        post = through_django(urls)
    else:
        post = asgi(names["app"]) if mark == "FastAPI()" else wsgi(names["app"])
    assert post(BODY, sign(BODY, SECRET))[0] == 200
    assert post(BODY, {})[0] == 401
    assert capsys.readouterr().out == "welcome Jane Doe\n"


def test_the_documented_check_and_store_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    block("verify(body")
    webhooks: Webhooks = block("SqliteEventStore")["webhooks"]
    results = [webhooks.handle(sign(BODY, SECRET, id="m"), BODY).result for _ in range(2)]
    assert results == ["done", "duplicate"] and capsys.readouterr().out == "welcome Jane Doe\n"
    store: Any = webhooks.store
    store.close()


def test_a_receiver_that_lives_by_the_stubs_clock_takes_what_the_stub_posts() -> None:
    stub = StubServer()
    client = stub.client()
    endpoint = client.webhooks.create({"url": "https://app.test/webhooks/crm", "events": ["lead.created"]})
    webhooks = Webhooks(endpoint.secret or "", now=stub.clock.now)
    names: list[str | None] = []
    webhooks.on("lead.created")(lambda event: names.append(event.data.name))
    app = Flask("receiver")
    app.register_blueprint(flask_receiver(webhooks, PATH))
    post = wsgi(app)
    stub.webhooks.receive(endpoint.url, lambda headers, body: post(body, headers)[0])
    client.leads.create({"name": "Ada"})
    assert names == ["Ada"]
    late = Webhooks(endpoint.secret or "", now=lambda: stub.clock.now() + timedelta(hours=1))
    stub.webhooks.receive(endpoint.url, lambda headers, body: late.handle(headers, body).status)
    client.leads.create({"name": "Grace"})
    newest = next(iter(client.webhooks.deliveries.list(endpoint.id)))
    assert [attempt.status for attempt in newest.attempts] == [400]
