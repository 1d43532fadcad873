"""``crm can``: whether somebody may do something with a resource, or with one record."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from crm_sdk.vocabulary.codes import REQUIRED, SWITCHABLE

from ..connection import open_client
from ..failures import MisuseError
from ..settings import Options, settle
from ..tree.mistyped import refuse_slips
from ..views import drawing
from ..views.drawing import line

_REFUSED = 1
_ACTIONS = ("read", "create", "update", "delete", "export", "import", "manage")


def can(
    options: Options,
    action: Annotated[
        str, typer.Argument(help="read, create, update, delete, export, import or manage; or a whole permission.")
    ],
    what: Annotated[
        str | None, typer.Argument(metavar="RESOURCE|ID", help="A resource, such as deals, or a record's id.")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--fields", help="A member to be read or written; repeat it for more.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="The user it is about, by id or name; oneself without it.")
    ] = None,
) -> int:
    """Ask whether somebody may do something, such as `crm can update deal_7 --fields value`.

    `crm can deals:update` asks for a permission as roles have it.
    The exit status is 0 where it is allowed, and 1 where it is not.
    """
    if what is None:
        what, _, action = action.partition(":")
        if not action:
            raise MisuseError(f"{what} what? Name a resource or an id, as in `crm can {what} deals`")
    from ..lookups import id_of

    about = _about(what)
    refuse_slips("ACTION", action, _ACTIONS)
    refuse_slips("RESOURCE", about.get("resource"), sorted(REQUIRED | SWITCHABLE))
    settings = settle(options)
    check: Any = {"action": action, **about}
    if fields:
        check["fields"] = [name.replace("-", "_") for name in fields]
    with open_client(settings) as client:
        user = id_of(client, "users", user, flag="--user") if user is not None else None
        (decision,) = client.security.check([check], user_id=user)
    word, style = ("yes", "green") if decision.allowed else ("no", "red")
    why = str(decision.reason).replace("_", " ")
    more = [", ".join(decision.denied_fields)] if decision.denied_fields else [str(one.name) for one in decision.via]
    drawing.show(
        settings.output, decision, [decision],
        lambda screen: screen.print(line((word, style), (why, "dim"), *((each, "dim") for each in more), between="  ")),
    )  # fmt: skip
    return 0 if decision.allowed else _REFUSED


def _about(what: str) -> dict[str, Any]:
    """Return a question's resource, or its record, whose kind its id begins with."""
    word = what.replace("-", "_")
    kind = what.rpartition("_")[0]
    if word in REQUIRED | SWITCHABLE or not kind:
        return {"resource": word}
    return {"entity": {"type": kind, "id": what}}
