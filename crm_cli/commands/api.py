"""``crm api``: send any request, to the server and with the credential of the other commands."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sdk.wire import is_object

from ..discovery.live_words import forget_answers
from ..failures import MisuseError, complain, visible
from ..settings import Options, settle

if TYPE_CHECKING:
    from crm_sdk.raw import RawReply


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def call(
    options: Options,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT, PATCH or DELETE.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="With its leading slash: /api/leads.")],
    members: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Members of the body, or of the query of a GET: name=Ada is a text, value:=12.5 is JSON.",
        ),
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option("--query", "-q", help="NAME=VALUE of the query; repeat it for more.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", "-d", help="The body: JSON, @file, or - for stdin.")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="NAME: VALUE; repeat it for more.")] = None,
    include: Annotated[bool, typer.Option("--include", "-i", help="Print the status and the headers first.")] = False,
    paginate: Annotated[
        bool, typer.Option("--paginate", help="Of a GET of a list: fetch all pages, and print one array.")
    ] = False,
) -> None:
    """Send any request and print the answer.

    For a documented call, use its own command: it validates the input and handles pages and jobs.
    """
    from crm_sdk.dialects import read_error

    from ..connection import open_client
    from ..showing import Raw, show_raw
    from ..terminal.output import Printer
    from ..terminal.writers import write_text
    from ..tree.given import read_json
    from ..tree.near import slip_of
    from ..undo.recording import note_request

    settings = settle(options)
    headers = dict(_pair(text, ":", "--header") for text in header or ())
    if settings.dialect is not None:
        headers.setdefault("X-CRM-Dialect", settings.dialect.partition(",")[0])
    body = read_json(data, "--data") if data is not None else None
    asked: dict[str, Any] = dict(_pair(text, "=", "--query") for text in query or ())
    if members:
        typed = dict(_member(text) for text in members)
        if method.upper() in ("GET", "HEAD", "DELETE"):
            asked |= typed
        elif body is not None and not is_object(body):
            raise MisuseError("--data must be a JSON object where members are typed as well")
        else:
            body = {**(body or {}), **typed}
    meant = slip_of(method.upper(), _METHODS)
    if meant is not None:
        raise MisuseError(f"METHOD: there is no {method!r}; did you mean {meant!r}?")
    if "://" in path or path.startswith("//"):
        raise MisuseError(f"PATH is without the server, such as /v1/leads, not {path!r}; --base-url names the server")
    if paginate and method.upper() != "GET":
        raise MisuseError("--paginate is for GET")
    if not path.startswith("/"):
        path = f"/{path}"
    if paginate and "?" in path:
        from urllib.parse import parse_qs

        path, _, typed_query = path.partition("?")
        asked = {name: v[0] if len(v) == 1 else v for name, v in parse_qs(typed_query).items()} | asked
    rows: list[Any] | None = None
    with open_client(settings) as client:
        if options.sends_nothing:
            show_raw(client, Raw(method.upper(), path, asked, body, headers), Printer(settings.output), settings)
            return

        def send(query: Mapping[str, Any]) -> RawReply:
            return client.request(method, path, query=query, json=body, headers=headers)

        reply = send(asked)
        if method.upper() not in ("GET", "HEAD", "OPTIONS") and reply.status < 300:
            note_request(settings, method.upper(), path)
            forget_answers()
        if paginate and reply.status < 300:
            from .api_pages import merged_pages

            rows = merged_pages(path, asked, _read(reply), lambda query: _read(send(query)))
    if include:
        lines = [f"HTTP {reply.status}", *(f"{name}: {value}" for name, value in reply.headers.items()), "", ""]
        write_text(visible("\n".join(_hide(line) for line in lines)))
    value = _json_of(reply) if rows is None else rows
    if value is not None:
        # The answer as received: its columns are not known.
        Printer("json" if settings.output == "table" else settings.output).show(value)
    elif reply.content:
        text = reply.content
        if sys.stdout.isatty():
            text = visible(text.decode("utf-8", "replace")).encode()
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    if reply.status < 400:
        complain(f"status {reply.status}")
    if 300 <= reply.status < 400:
        raise MisuseError(f"the server redirects ({reply.status}) to {reply.headers.get('location', 'nowhere')}")
    if reply.status >= 400:
        raise read_error(reply.status, reply.headers, reply.content, None)


def _json_of(reply: RawReply) -> Any:
    """Return the JSON of an answer; None where it has none, or says that it is JSON and is not."""
    from crm_sdk.errors import CrmError

    is_json = "json" in reply.headers.get("content-type", "").partition(";")[0]
    try:
        return reply.json() if is_json and reply.content else None
    except (ValueError, CrmError):
        return None


def _read(reply: RawReply) -> Any:
    """Return the JSON of a page. Raises: ApiError for a refusal, so that no part of a list passes for all of it."""
    from crm_sdk.dialects import read_error

    if reply.status >= 300:
        raise read_error(reply.status, reply.headers, reply.content, None)
    return _json_of(reply)


def _pair(text: str, mark: str, flag: str) -> tuple[str, str]:
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise MisuseError(f"{flag} must be NAME{mark}VALUE, not {text!r}")
    return name.strip(), value.strip() if mark == ":" else value


def _member(text: str) -> tuple[str, Any]:
    """Return a member of a body: ``name=Ada`` is a text, ``value:=12.5`` is JSON."""
    from ..tree.given import read_json

    found = re.fullmatch(r"([^=:]+)(:=|=)(.*)", text, re.DOTALL)
    if found is None:
        raise MisuseError(f"KEY=VALUE or KEY:=JSON is expected, not {text!r}")
    name, sign, value = found.groups()
    return name, read_json(value, name) if sign == ":=" else value


def _hide(line: str) -> str:
    """Return the line of a header without the secret that it may have."""
    name, colon, _ = line.partition(":")
    return f"{name}: ***" if colon and name.lower() in ("set-cookie", "authorization") else line
