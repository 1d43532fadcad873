"""Web frameworks: a call as a dependency, as a background task, in a view."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.models.users import User


def test_fastapi(client: CrmClient, async_client: AsyncCrmClient) -> None:
    fastapi = pytest.importorskip("fastapi")
    testing = pytest.importorskip("fastapi.testclient")
    app = fastapi.FastAPI()

    async def page(me: Any, tasks: Any) -> dict[str, str]:
        tasks.add_task(async_client.leads.create, {"name": "Grace Hopper"})
        return {"user": me.name}

    page.__annotations__ |= {"me": User, "tasks": fastapi.BackgroundTasks}
    page.__defaults__ = (fastapi.Depends(async_client.auth.me), None)
    app.get("/")(page)
    assert testing.TestClient(app).get("/").json() == {"user": client.auth.me().name}
    assert client.leads.list(search="Grace Hopper").total == 1


def test_starlette(client: CrmClient, async_client: AsyncCrmClient) -> None:
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def page(request: Request) -> Response:
        later = BackgroundTask(async_client.leads.create, {"name": "Grace Hopper"})
        return JSONResponse((await async_client.leads.get("lead_123")).model_dump(mode="json"), background=later)

    assert TestClient(Starlette(routes=[Route("/", page)])).get("/").json()["id"] == "lead_123"
    assert client.leads.list(search="Grace Hopper").total == 1


def test_flask(client: CrmClient, async_client: AsyncCrmClient) -> None:
    flask = pytest.importorskip("flask")
    app = flask.Flask("shop")

    @app.get("/<lead_id>")
    def page(lead_id: str) -> dict[str, Any]:
        return client.leads.get(lead_id).model_dump(mode="json")

    @app.get("/async/<lead_id>")
    async def other(lead_id: str) -> dict[str, Any]:
        return (await async_client.leads.get(lead_id)).model_dump(mode="json")

    assert app.test_client().get("/lead_123").json == app.test_client().get("/async/lead_123").json


def test_django(client: CrmClient, async_client: AsyncCrmClient) -> None:
    pytest.importorskip("django")
    from asgiref.sync import async_to_sync
    from django.conf import settings
    from django.http import HttpRequest, JsonResponse
    from django.test import AsyncRequestFactory

    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8")

    async def view(request: HttpRequest, id: str) -> JsonResponse:
        return JsonResponse((await async_client.leads.get(id)).model_dump(mode="json"))

    assert b"lead_123" in asyncio.run(view(AsyncRequestFactory().get("/"), "lead_123")).content
    assert async_to_sync(async_client.leads.get)("lead_123").id == "lead_123"
