"""Servers that speak one dialect and nothing else, for a client that has to find out which: no stub in them.

What the mvp server answers are the literal examples of its document (``contract/mvp-examples.json``); those of the
other two are written here. A path that is not the server's gets what its `nowhere` makes of it: each of the answers
that frameworks and gateways have for a route they do not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

_EXAMPLES = Path(__file__).parents[2] / "contract" / "mvp-examples.json"
Answer = Callable[[httpx.Request], httpx.Response]


def _says(status: int, body: object = None, **headers: str) -> Answer:
    return lambda request: httpx.Response(status, json=body, headers=headers)


NOWHERE: Mapping[str, Answer] = {
    "text": lambda request: httpx.Response(404, text="404 page not found\n"),
    "html": lambda request: httpx.Response(404, html="<html><h1>Not Found</h1></html>"),
    "empty": lambda request: httpx.Response(404),
    "not allowed": lambda request: httpx.Response(405, headers={"Allow": "GET"}),
    "Phoenix": _says(404, {"errors": {"detail": "Not Found"}}),
    "FastAPI": _says(404, {"detail": "Not Found"}),
    "Rails": _says(404, {"status": 404, "error": "Not Found"}),
    "its own word": _says(404, {"error": {"code": "ROUTE_NOT_FOUND", "message": "no such route"}}),
    "gateway 401": _says(401, {"message": "Unauthorized"}),
    "gateway 403": _says(403, {"message": "Missing Authentication Token"}),
}

PLATFORM_LEAD = {
    "id": "lead_1", "name": "Ada", "status": "new", "tags": ["vip"], "ownerId": "user_1", "version": 3,
    "createdAt": "2026-01-15T09:00:00Z", "updatedAt": "2026-01-15T09:00:00Z",
}  # fmt: skip
PLATFORM_CONTACT = PLATFORM_LEAD | {"id": "contact_1", "notes": ["first", "second"], "title": "CTO", "status": "active"}
FLOW_CONTACT = {
    "id": "contact_1", "name": "Ada", "email": "ada@example.com", "phone": "+1555", "company": "Analytical",
    "title": "CTO", "relationshipHealth": "high", "healthScore": 80, "lastContact": "2026-01-15T09:00:00Z",
    "sentiment": "positive", "churnRisk": 5, "totalDeals": 1, "totalValue": 10, "tags": ["vip"],
    "notes": ["first", "second"], "communicationHistory": [], "aiInsights": [],
}  # fmt: skip
FLOW_DEAL = {
    "id": "deal_1", "title": "Engine", "value": 10, "stage": "proposal", "contactId": "contact_1",
    "createdDate": "2026-01-15T09:00:00Z", "tags": [], "activities": [], "aiInsights": [],
}  # fmt: skip
USER = {"id": "user_1", "email": "ada@example.com", "name": "Ada"}


class OneDialect:
    """A server of one document. `routes` has an answer's body, or what makes it of the request's, by route."""

    def __init__(self, dialect: str, routes: Mapping[str, Any], missing: Answer, nowhere: str) -> None:
        self.dialect = dialect
        self.requests: list[httpx.Request] = []
        self.nowhere = NOWHERE[nowhere]
        self.missing = missing
        """What it answers for a record that it does not have."""
        self._routes = [
            (method, re.compile(re.sub(r"{\w+}", "([^/]+)", path)), body)
            for method, _, path, body in ((*line.partition(" "), body) for line, body in routes.items())
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for method, path, body in self._routes:
            found = path.fullmatch(request.url.path)
            if method == request.method and found:
                if "none" in found.groups():
                    return self.missing(request)
                sent = json.loads(request.content) if request.content else {}
                return httpx.Response(201 if method == "POST" else 200, json=body(sent) if callable(body) else body)
        return self.nowhere(request)

    @property
    def asked(self) -> list[str]:
        """Method and path of each request, in order."""
        return [f"{request.method} {request.url.path}" for request in self.requests]


def _refused(status: int, code: str) -> Answer:
    return _says(status, {"error": {"code": code, "message": "there is none"}})


def mvp(nowhere: str = "text") -> OneDialect:
    """Return a server that has the MVP document only, and answers with the document's own words."""
    examples = [example for example in json.loads(_EXAMPLES.read_text()) if "path" in example]
    first: dict[str, Any] = {}
    for example in examples:
        for listed in example.get("response", {}).values():
            if example["method"] == "GET" and isinstance(listed, list):
                first.setdefault(example["path"].partition("/{")[0], listed[0])
    routes: dict[str, Any] = {f"GET {path}/{{id}}": record for path, record in first.items() if path == "/api/leads"}
    for example in examples:
        record = first.get(example["path"].partition("/{")[0], {})
        answer = example.get("response", lambda sent, record=record: {**record, **sent})
        if "pagination" in example.get("response", {}):  # the document's page is the first of many; this one is all
            answer["pagination"]["hasMore"] = False
        routes[f"{example['method']} {example['path']}"] = answer
    return OneDialect("mvp", routes, _refused(404, "NOT_FOUND"), nowhere)


def flow(nowhere: str = "text") -> OneDialect:
    """Return a server that has some of the flow document only."""
    tokens = {"token": "token_2", "refreshToken": "refresh_2"}
    routes = {
        "GET /api/contacts": [FLOW_CONTACT],
        "POST /api/contacts": lambda sent: FLOW_CONTACT | sent,
        "GET /api/contacts/stats": {"total": 1, "highValue": 0, "atRisk": 0, "needsFollowUp": 0},
        "GET /api/contacts/{id}": FLOW_CONTACT,
        "PUT /api/contacts/{id}": lambda sent: FLOW_CONTACT | sent,
        "GET /api/deals": [FLOW_DEAL],
        "GET /api/deals/{id}": FLOW_DEAL,
        "GET /api/conversations": [],
        "GET /api/calendar/events": [],
        "GET /api/calendar/events/{id}": {"id": "event_1"},
        "POST /api/auth/login": {"user": USER, "token": "token_1", "refreshToken": "refresh_1"},
        "POST /api/auth/refresh": tokens,
    }
    return OneDialect("flow", routes, _refused(404, "NOT_FOUND"), nowhere)


def platform(nowhere: str = "text") -> OneDialect:
    """Return a server that has some of the platform document only."""

    def wrapped(data: object, **meta: object) -> dict[str, Any]:
        return {"success": True, "data": data, "meta": {"version": "v1", **meta}, "errors": []}

    window = {"page": 1, "limit": 50, "total": 1, "hasNext": False, "hasPrev": False}
    tokens = {"accessToken": "token_1", "refreshToken": "refresh_1", "tokenType": "Bearer", "expiresIn": 3600}
    routes = {
        "GET /v1/leads": wrapped([PLATFORM_LEAD], pagination=window),
        "POST /v1/leads": lambda sent: wrapped(PLATFORM_LEAD | sent),
        "GET /v1/leads/{id}": wrapped(PLATFORM_LEAD),
        "PUT /v1/leads/{id}": lambda sent: wrapped(PLATFORM_LEAD | sent),
        "GET /v1/contacts": wrapped([PLATFORM_CONTACT], pagination=window),
        "GET /v1/contacts/{id}": wrapped(PLATFORM_CONTACT),
        "POST /v1/auth/login": wrapped({**tokens, "user": USER}),
        "POST /v1/auth/token/refresh": wrapped(tokens | {"accessToken": "token_2"}),
    }
    entry = {"code": "NOT_FOUND", "message": "there is none"}
    missing = _says(404, {"success": False, "data": None, "meta": {}, "errors": [entry]})
    return OneDialect("platform", routes, missing, nowhere)


SERVERS: Mapping[str, Callable[..., OneDialect]] = {"mvp": mvp, "flow": flow, "platform": platform}
