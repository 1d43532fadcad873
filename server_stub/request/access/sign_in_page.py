"""The page at which a user signs in with the browser, where an application asks for a code (RFC 6749, section 3.1).

It is at the address of `auth.authorize`, for browsers that have no session: GET shows the form, and POST of the form
does what the calls of signing in do.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from crm_sdk.wire import encode_json

from ..http import Reply, Request

Ask = Callable[[Request], Reply]
"""Answer a request as if it had come by itself."""
_PLACES = ("/v1", "/platform/v1")
_FORM = "application/x-www-form-urlencoded"
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>
<meta name="viewport" content="width=device-width"><style>
body{{font:16px system-ui;margin:4rem auto;max-width:22rem;padding:0 1rem}}
label,input,button{{display:block;width:100%;box-sizing:border-box;font:inherit}}
input,button{{padding:.5rem;margin:.25rem 0 1rem}} [role=alert]{{color:#b00020}}
</style></head><body><h1>Sign in</h1><p><b>{client}</b> asks for access to the CRM{scope}.</p>{message}
<form method="post">{fields}<button>Sign in</button></form></body></html>"""
_PASSWORD = """<label>E-mail <input name="email" type="email" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>Company, where the address is known in several <input name="tenant"></label>"""
_CODE = """<input type="hidden" name="mfa_token" value="{token}">
<label>Code of the second factor <input name="code" autocomplete="one-time-code" required autofocus></label>"""


def sign_in_page(request: Request, ask: Ask) -> Reply | None:
    """Return the reply to a browser that is to sign in; None for any other request."""
    mount = request.path.removesuffix("/auth/authorize")
    if mount == request.path or mount not in _PLACES:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method == "POST" and kind == _FORM:
        given = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        return _sign_in(request, mount, given, ask)
    shown = "text/html" in request.headers.get("accept", "") and "authorization" not in request.headers
    return _page(request, 401, _PASSWORD) if request.method == "GET" and shown else None


def _sign_in(request: Request, mount: str, given: Mapping[str, str], ask: Ask) -> Reply:
    """Sign in with what the form has, and let the application have its code; the page's own session then ends."""

    def call(path: str, **members: str) -> tuple[int, dict[str, Any]]:
        headers = {**_without_form(request.headers), "content-type": "application/json"}
        reply = ask(Request("POST", f"{mount}{path}", "", headers, encode_json(members), request.peer))
        return reply.status, json.loads(reply.body)

    if "mfa_token" in given:
        status, body = call("/auth/mfa/verify", code=given.get("code", ""), mfaToken=given["mfa_token"])
        fields = _CODE.format(token=html.escape(given["mfa_token"]))
    else:
        names = [name for name in ("email", "password", "tenant") if name in given]
        status, body = call("/auth/login", **{name: given[name] for name in names})
        fields = _PASSWORD
    if status != 200:
        lost = body["errors"][0]["code"] in ("INVALID_TOKEN", "TOKEN_EXPIRED")
        return _page(request, status, _PASSWORD if lost else fields, body["errors"][0]["message"])
    login: dict[str, Any] = body["data"].get("login") or body["data"]
    if login["mfaRequired"]:
        return _page(request, 401, _CODE.format(token=html.escape(login["mfaToken"])))
    bearer = {**_without_form(request.headers), "authorization": f"Bearer {login['accessToken']}"}
    reply = ask(Request("GET", request.path, request.query, bearer, b"", request.peer))
    ask(Request("POST", f"{mount}/auth/logout", "", bearer, b"", request.peer))
    if "Location" not in reply.headers:
        return _page(request, reply.status, "", json.loads(reply.body)["errors"][0]["message"])
    return Reply(302, {"Location": reply.headers["Location"], **_SAFE})


def _without_form(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in ("user-agent", "host")}


_SAFE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _page(request: Request, status: int, fields: str, message: str = "") -> Reply:
    query = dict(parse_qsl(request.query))
    scope = f" ({html.escape(query['scope'])})" if query.get("scope") else ""
    content = _PAGE.format(
        client=html.escape(query.get("client_id", "An application")),
        scope=scope,
        message=f'<p role="alert">{html.escape(message)}</p>' if message else "",
        fields=fields,
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, **_SAFE}
    return Reply(status, headers, content.encode())
