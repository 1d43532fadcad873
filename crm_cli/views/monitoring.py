"""``crm monitoring health``: whether the server works, with an exit status for scripts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..connection import open_client
from ..settings import Options, settle
from . import drawing
from .drawing import line

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import Health

_FAILED = 1
_STYLES = {"pass": "green", "warn": "yellow", "fail": "red"}


def health(
    options: Options,
    service: Annotated[
        str | None, typer.Option("--service", help="The word of one service, such as contacts: it is checked, too.")
    ] = None,
    probe: Annotated[
        str, typer.Option("--probe", metavar="live|ready", help="Only the process, or all that it needs.")
    ] = "ready",
) -> int:
    """Ask whether the server works: one line for each check.

    The exit status is 0 where it works, with a line on standard error for a warning, and 1 where it does not.
    """
    settings = settle(options)
    with open_client(settings) as client:
        found = client.monitoring.health(service=service, probe=probe)
    drawing.show(settings.output, found, [found], lambda screen: _draw(screen, found))
    wrong = [
        f"{name}: {check.output or check.status}"
        for name, checks in found.checks.items()
        for check in checks
        if check.status != "pass"
    ]
    if wrong:
        print(f"{found.status}: {'; '.join(wrong)}", file=sys.stderr)
    return _FAILED if found.status == "fail" else 0


def _draw(screen: Console, found: Health) -> None:
    width = max(map(len, found.checks), default=0)
    for name, checks in found.checks.items():
        for check in checks:
            style = _STYLES.get(str(check.status), "")
            value = (f"{check.observed_value} {check.observed_unit}".strip(), "dim")
            screen.print(line(f"{name:{width}}", (f"{check.status:4}", style), value, between="  "))
