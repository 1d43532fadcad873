"""``crm stub serve``: the server stub on a real port."""

from __future__ import annotations

from typing import Annotated

import typer

from ..failures import MisuseError, complain
from ..help import Command, Group
from ..offline import embedded_server
from ..settings import Options
from ..tree.global_options import by_hand


def commands() -> typer.Typer:
    """Return the commands of the stub."""
    app = typer.Typer(cls=Group, no_args_is_help=True, help="A server to develop and test against.")
    app.callback()(_do_nothing)
    app.command("serve", cls=Command)(by_hand(serve))
    return app


def _do_nothing() -> None:
    """Do nothing: `serve` stays a command of its own."""


def serve(
    options: Options,
    port: Annotated[int, typer.Option("--port", help="Port on loopback; 0 takes a free one.")] = 8410,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    db: Annotated[str | None, typer.Option("--db", help="Keep the state in this SQLite file; else in memory.")] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", help="Let web pages of this origin call (CORS); else those of this machine."),
    ] = None,
    test_mode: Annotated[
        bool, typer.Option("--test-mode", help="Serve control routes: faults, clock, reset (docs/testing.md).")
    ] = False,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Refuse calls beyond a rate limit.")] = True,
    read_log: Annotated[
        bool, typer.Option("--read-log/--no-read-log", help="Write to the audit trail who reads personal data.")
    ] = True,
) -> None:
    """Serve the stub until Ctrl-C. The demo API keys are acme-admin and globex-admin."""
    with embedded_server(db, enforce_limits=limits, log_reads=read_log) as server:
        from server_stub.doors.asgi import run

        server.live.test_mode = test_mode
        try:
            run(server, host, port, _announce, origins=allow_origin)
        except RuntimeError as error:
            raise MisuseError(str(error)) from error


def _announce(url: str) -> None:
    complain(f"serving the CRM stub on {url} (stop with Ctrl-C); in another terminal:")
    complain(f"  crm --base-url {url} --api-key acme-admin leads list")
