"""``crm alias``: commands of one's own for longer ones, as ``co`` for ``contacts list --status active``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..failures import MisuseError, complain
from ..folders import write_whole
from ..help import Command, Group
from ..settings import Options, settle
from ..tree.global_options import by_hand
from ..tree.near import refusal
from . import alias_words

if TYPE_CHECKING:
    from rich.console import Console

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""What an alias and an extension can be called."""
_PLACE = re.compile(r"\$([1-9])")


def commands() -> typer.Typer:
    """Return the commands of aliases."""
    app = typer.Typer(cls=Group, no_args_is_help=True, help="Commands of your own for longer ones.")
    app.command("set", cls=Command)(by_hand(set_alias))
    app.command("list", cls=Command)(by_hand(list_aliases))
    app.command("delete", cls=Command)(by_hand(delete_alias))
    return app


def set_alias(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you want to type: co.")],
    expansion: Annotated[
        str, typer.Argument(metavar="COMMAND", help="What it stands for, in quotes: 'contacts list --status active'.")
    ],
) -> None:
    """Make or replace an alias: `crm alias set co "contacts list --status active"`.

    `$1` to `$9` in the command stand for the words that are typed after the alias; the words that are left over are
    added to its end. The commands of crm itself cannot be replaced.
    """
    from .. import completion

    if not NAME.fullmatch(name):
        raise MisuseError(f"an alias has small letters, digits, - and _: {name!r} has others")
    built_in = completion.names(needed=())["commands"]
    if name in built_in:
        raise MisuseError(f"crm {name} is a command of crm itself, which an alias cannot replace")
    words = _split(expansion)
    first = next((word for word in words if not word.startswith("-")), "")
    known = {**built_in, **stored_aliases()}
    if (first not in known or first == name) and not _PLACE.match(first):
        raise refusal(f"{first!r} is no command of crm", first, known, listed=["those of `crm --help`"])
    there = stored_aliases()
    _write({**there, name: expansion})
    complain(f"{'replaced' if name in there else 'made'} the alias: crm {name} is crm {expansion}")


def list_aliases(options: Options) -> None:
    """List the aliases, and what they stand for."""
    from ..views.drawing import show

    rows = [{"alias": name, "command": expansion} for name, expansion in sorted(stored_aliases().items())]

    def draw(screen: Console) -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("alias", style="cyan")
        table.add_column("command")
        for row in rows:
            table.add_row(row["alias"], row["command"])
        screen.print(table if rows else 'there is none yet: crm alias set co "contacts list --status active"')

    show(settle(options).output, rows, rows, draw)


def delete_alias(
    options: Options, name: Annotated[str, typer.Argument(metavar="NAME", help="The alias to remove.")]
) -> None:
    """Remove an alias."""
    there = stored_aliases()
    if name not in there:
        raise refusal(f"there is no alias {name!r}", name, there, listed=sorted(there) or ["none"])
    _write({each: expansion for each, expansion in there.items() if each != name})
    complain(f"removed the alias {name}")


def stored_aliases() -> dict[str, str]:
    """Return what each alias stands for. Raises: MisuseError where the file of aliases is damaged."""
    try:
        return alias_words.read()
    except ValueError as error:
        raise MisuseError(f"{alias_words.path()} is damaged: mend or delete it ({error})") from error
    except OSError as error:
        raise MisuseError(f"{alias_words.path()} cannot be read: {error.strerror or error}") from error


def expanded_alias(words: Sequence[str]) -> list[str] | None:
    """Return what an alias with its words stands for; None where the first word is none.

    Raises: MisuseError where words are missing that it needs, or aliases stand for one another.
    """
    try:
        return alias_words.expand(words, stored_aliases())
    except ValueError as error:
        raise MisuseError(str(error)) from error


def _split(expansion: str) -> list[str]:
    try:
        return alias_words.split(expansion)
    except ValueError as error:
        raise MisuseError(str(error)) from error


def _write(aliases: Mapping[str, str]) -> None:
    write_whole(alias_words.path(), (json.dumps(aliases, indent=2, ensure_ascii=False) + "\n").encode())
