"""``python -m server_stub``: serve the stub on a port, or run a script whose clients are connected to it."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from crm_sdk.errors import ConfigurationError

from .core import StubServer
from .data.durable import StateFileError
from .doors.asgi import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, or run a script; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m server_stub", description="A stateful stub of the CRM platform.")
    parser.add_argument("--port", type=int, default=8410, help="port to listen on; 0 for a free one (default: 8410)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--db", metavar="FILE", help="keep the state in this SQLite file (default: in memory)")
    parser.add_argument("--no-limits", action="store_true", help="count calls against the rate limits, but refuse none")
    parser.add_argument("--no-read-log", action="store_true", help="do not write to the audit trail who reads what")
    parser.add_argument(
        "--test-mode",
        action="store_true",
        help="serve control routes (/_test/faults, clock, reset, snapshot), and let live clients say who they are "
        "(user_id) and ask for faults by pushes named test:…",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        metavar="ORIGIN",
        help="let web pages of this origin call the port (CORS); * for all (default: pages of this machine)",
    )
    parser.add_argument(
        "--run", nargs=argparse.REMAINDER, metavar="SCRIPT", help="run a script against the stub instead of serving"
    )
    options = parser.parse_args(arguments)
    if options.run and not Path(options.run[0]).is_file():
        parser.error(f"there is no script {options.run[0]}")
    try:
        if options.run:
            server = StubServer(db=options.db, log_reads=not options.no_read_log)
        else:
            server = StubServer(
                db=options.db,
                running=True,
                enforce_limits=not options.no_limits,
                log_reads=not options.no_read_log,
            )
            server.live.test_mode = options.test_mode
            run(server, options.host, options.port, _announce, origins=options.allow_origin)
    except (ConfigurationError, OSError, RuntimeError, StateFileError) as error:
        why = error.strerror if isinstance(error, OSError) and error.filename is None else error
        print(f"error: {why}", file=sys.stderr)
        return 1
    return _run(options.run, server) if options.run else 0


def _run(script: Sequence[str], server: StubServer) -> int:
    """Run a script with its clients connected to the stub, whatever their base URL; then list the requests."""
    sys.argv = list(script)
    with server, server.intercept():
        runpy.run_path(script[0], run_name="__main__")
        for entry in server.journal:
            print(f"{entry.status} {entry.method} {entry.path} ({entry.operation})", file=sys.stderr)
    return 0


def _announce(url: str) -> None:
    print(f"serving the CRM stub on {url} (API key acme-admin; stop with Ctrl-C)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
