"""Receive webhooks in an ASGI application, with or without a framework such as Starlette or FastAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from .receiver import LIMIT, TOO_LARGE, WRONG_METHOD, Outcome, Webhooks

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Receiver:
    """An ASGI application for one route: ``Route("/webhooks/crm", Receiver(webhooks))``. It reads the body itself."""

    def __init__(self, webhooks: Webhooks, *, limit: int = LIMIT) -> None:
        self._webhooks, self._limit = webhooks, limit

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; a WebSocket is refused."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
            return
        outcome = await self._outcome(scope, receive)
        if outcome is None:
            return  # the sender closed the connection
        headers = [(name.lower().encode(), value.encode()) for name, value in outcome.headers]
        await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
        await send({"type": "http.response.body", "body": outcome.body})

    async def _outcome(self, scope: Mapping[str, Any], receive: Receive) -> Outcome | None:
        if scope["method"] != "POST":
            return WRONG_METHOD
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                return TOO_LARGE
        return await self._webhooks.handle_async(scope["headers"], bytes(body))
