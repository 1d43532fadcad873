"""``crm webhooks listen``, ``replay`` and ``trigger``: develop a receiver of webhooks on this machine."""

from __future__ import annotations

import base64
import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from ...connection import open_client
from ...failures import RETRYABLE, MisuseError, complain, visible
from ...settings import Options, Settings, settle
from ...terminal.output import Printer
from ...tree.given import read_json
from ..tail import Ending, check_way, split, start_cursor

if TYPE_CHECKING:
    from .forwarding import Forwarder, Posted

_SECRET = "CRM_WEBHOOK_SECRET"

ForwardTo = Annotated[str | None, typer.Option("--forward-to", help="The URL to post to: http://localhost:3000/hook.")]
Secret = Annotated[str | None, typer.Option("--secret", help=f"Sign with this ({_SECRET}); else with a new one.")]


def listen(
    options: Options,
    forward_to: ForwardTo = None,
    events: Annotated[
        list[str] | None, typer.Option("--events", help="Only these; separated by commas, or repeat it.")
    ] = None,
    secret: Secret = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Begin after this cursor, or `now`; else where the last run ended.")
    ] = None,
    over: Annotated[
        str, typer.Option("--over", metavar="ws|sse", help="sse is for networks that block WebSockets.")
    ] = "ws",
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many events.")] = None,
) -> None:
    """Follow the company's events, print a line for each, and forward it to a URL as a webhook.

    It continues where the last run with this server and URL ended, so that no event is lost in between. An event that
    the URL refuses is posted three times; while the URL does not answer, events wait. `--timeout` limits the whole
    command: exit 8 where `--count` was not reached.
    """
    from .forwarding import Bookmark, follow

    settings = settle(options)
    check_way(over)
    if settings.offline:
        raise MisuseError(
            "nothing happens at the embedded server while this runs: use a server, such as `crm stub serve`"
        )
    bookmark = Bookmark(settings, forward_to)
    begin = bookmark.read() if since is None else start_cursor(since)
    with (
        _open_forwarder(forward_to, secret) as forwarder,
        open_client(settings) as client,
        client.events.listen(types=split(events), since=begin, over=over) as stream,  # type: ignore[arg-type] # the SDK checks it
    ):
        complain(f"listening to {settings.base_url}{f', after {begin}' if begin else ''} (stop with Ctrl-C)")
        ending = Ending.of(settings, None, count)
        number = 0
        for event, posted in follow(stream, bookmark, forwarder, _until(stream, ending.at)):
            number += 1
            _tell(settings, event.type, event.id, posted)
            if number == count:
                break
        ending.missed(number)


def _until(stream: Any, at: float | None) -> Callable[[], Any] | None:
    """Return what takes the next event, or None where `--timeout` has passed; None without a timeout."""
    if at is None:
        return None

    def take() -> Any:
        while (event := stream.wait(max(0.0, at - time.monotonic()))) is None and time.monotonic() < at:
            pass
        return event

    return take


def replay(
    options: Options,
    delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY_ID", help="See `crm webhooks deliveries list`.")],
    forward_to: ForwardTo = None,
    secret: Secret = None,
) -> int:
    """Let the server post a delivery again, or post it to a URL from this machine."""
    settings = settle(options)
    if forward_to is None:
        with open_client(settings) as client:
            Printer(settings.output).show(client.webhooks.deliveries.redeliver(delivery_id))
        return 0
    with open_client(settings) as client:
        delivery = client.webhooks.deliveries.get(delivery_id)
    with _open_forwarder(forward_to, secret) as forwarder:
        assert forwarder is not None, "there is a URL"
        posted = forwarder.post(delivery.payload, delivery.event_id)
    _tell(settings, delivery.event, delivery.event_id, posted)
    return 0 if posted.taken else RETRYABLE


def trigger(
    options: Options,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="lead.created, message.received, deal.won, …")],
    values: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of what is written; id= chooses a record.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also at a server that is not on this machine.")] = False,
) -> None:
    """Trigger an event by the change that causes it: `lead.created` creates a lead.

    The change is written: use this with `--offline` or a stub on this machine.
    """
    from .triggers import cause_of

    settings = settle(options)
    cause = cause_of(event)
    given = dict(map(_member, values or ()))
    if not (force or settings.offline or _is_here(settings.base_url)):
        raise MisuseError(
            f"{settings.base_url} is not on this machine, and this command writes to it: confirm with --force"
        )
    with open_client(settings) as client:
        Printer(settings.output).show(cause(client, given))


def _open_forwarder(url: str | None, secret: str | None) -> Any:
    """Return a context manager for the forwarder to a URL, or for None where there is no URL."""
    if url is None:
        return nullcontext()
    if not _can_be_posted_to(url):
        raise MisuseError(f"--forward-to must be a URL like http://localhost:3000/hook, not {url!r}")
    from .forwarding import Forwarder

    chosen = secret or os.environ.get(_SECRET)
    if chosen is None:
        chosen = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        complain(f"signing with {chosen} (keep one in {_SECRET} to have the same each time)")
    forwarder: Forwarder = Forwarder(url, chosen)
    return closing(forwarder)


def _can_be_posted_to(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:  # an unclosed bracket, a port that is no number
        return False


def _tell(settings: Settings, event: str, id: str | None, posted: Posted | None) -> None:
    """Print one line."""
    if settings.output == "table":
        print(visible(" ".join((event, id or "", *(("->", str(posted)) if posted is not None else ())))))
    else:
        came = {"status": posted.status, "error": posted.error} if posted is not None else {}
        Printer("jsonl").show({"event": event, "id": id, **came})
    sys.stdout.flush()


def _member(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name.strip():
        raise MisuseError(f"--set must be NAME=VALUE, not {text!r}")
    return name.strip(), read_json(value, "--set") if value[:1] in ("{", "[") else value


def _is_here(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
