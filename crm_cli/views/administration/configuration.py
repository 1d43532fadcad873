"""``crm configuration set``: settings as ``KEY=VALUE``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ...connection import open_client
from ...failures import MisuseError
from ...settings import Options, settle
from .. import drawing
from ..drawing import line

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import Setting

_Scope = Literal["tenant", "role", "team", "user"]


def set(  # the function has the name of its command
    options: Options,
    values: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="A value is JSON, or else a text; null takes it away.")
    ],
    scope: Annotated[_Scope, typer.Option("--scope", help="The level that gets the values.")] = "tenant",
    scope_id: Annotated[
        str | None, typer.Option("--scope-id", metavar="TEXT", help="Id or key of the role, id of the team or user.")
    ] = None,
) -> None:
    """Set settings of the company, of a role, a team or a user: calendar.buffer_minutes=10."""
    settings = settle(options)
    given = dict(_read(text) for text in values)
    with open_client(settings) as client:
        found = client.configuration.settings.update(given, scope=scope, scope_id=scope_id)
    drawing.show(settings.output, found, found, lambda screen: _draw(screen, found))


def _read(text: str) -> tuple[str, Any]:
    """Return a setting and its value. Raises: MisuseError for what is not ``KEY=VALUE``."""
    key, sign, value = text.partition("=")
    if not key or not sign:
        raise MisuseError(f"{text!r} is not KEY=VALUE, like calendar.buffer_minutes=10")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _draw(screen: Console, found: list[Setting]) -> None:
    for one in found:
        shown = "–" if one.value is None else one.value if isinstance(one.value, str) else json.dumps(one.value)
        lock = (" locked", "yellow") if one.locked else ("", "")
        screen.print(line((one.key, "bold"), (shown, "cyan"), lock, between="  "))
