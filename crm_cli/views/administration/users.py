"""``crm users access``: what a user may do, one line for each resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...lookups import id_of
from ...settings import Options, settle
from .. import drawing
from ..drawing import line, title_of

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import EffectivePermissions

_ACTIONS = ("read", "create", "update", "delete", "export", "import", "manage")
_SCOPES: Mapping[str, tuple[str, str]] = {"all": ("all", "green"), "team": ("team", "yellow"), "own": ("own", "cyan")}
_WIDTH = 6


def access(
    options: Options,
    id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Of a user, or its name; one's own user without it.")
    ] = "me",
) -> None:
    """Show what a user may do by all roles together: whose records of each resource may be read, created, changed."""
    settings = settle(options)
    with open_client(settings) as client:
        found = client.users.permissions(id if id == "me" else id_of(client, "users", id))
    drawing.show(settings.output, found, found.permissions, lambda screen: _draw(screen, found))


def _draw(screen: Console, found: EffectivePermissions) -> None:
    roles = ", ".join(str(role.name) for role in found.roles)
    screen.print(line((str(found.user_id), "bold"), (roles, "dim"), between="  "))
    scopes = {(str(one.resource), str(one.action)): str(one.scope) for one in found.permissions}
    resources = list(dict.fromkeys(resource for resource, _ in scopes))
    width = max((len(resource) for resource in resources), default=0)
    screen.print(line(" " * width, *(f"  {action:{_WIDTH}}" for action in _ACTIONS)), style="dim")
    for resource in resources:
        cells: list[tuple[str, str]] = []
        for action in _ACTIONS:
            scope = scopes.get((resource, action))
            word, style = _SCOPES.get(scope, (scope, "")) if scope is not None else ("–", "dim")
            cells.append((f"  {word:{_WIDTH}}", style))
        screen.print(line(f"{title_of(resource):{width}}", *cells), overflow="ellipsis", no_wrap=True)
    if not resources:
        screen.print("nothing is permitted", style="dim")
