"""``crm alias``: commands of one's own for longer ones, as ``co`` for ``contacts list --status active``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..failures import MisuseError, complain
from ..folders import config_folder, write_whole
from ..help import Command, Group
from ..settings import Options, settle
from ..tree.global_options import by_hand
from ..tree.near import refusal

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
        found: Any = json.loads(_file().read_text(encoding="utf-8"))
        return {str(name): str(expansion) for name, expansion in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise MisuseError(f"{_file()} is damaged: mend or delete it ({error})") from error


def expanded_alias(words: Sequence[str]) -> list[str] | None:
    """Return what an alias with its words stands for; None where the first word is none.

    Raises: MisuseError where words are missing that it needs, or aliases stand for one another.
    """
    known = stored_aliases()
    if not words or words[0] not in known:
        return None
    found, passed = list(words), dict[str, None]()
    while found and found[0] in known:
        name = found[0]
        if name in passed:
            raise MisuseError(f"these aliases stand for one another: {' -> '.join((*passed, name))}")
        passed[name] = None
        found = _filled_alias(name, known, found[1:])
    return found


def _filled_alias(name: str, known: Mapping[str, str], typed: Sequence[str]) -> list[str]:
    words = _split(known[name])
    used = {int(number) for word in words for number in _PLACE.findall(word)}
    missing = [f"${number}" for number in sorted(used) if number > len(typed)]
    if missing:
        raise MisuseError(f"crm {name} is `crm {known[name]}`: type what {', '.join(missing)} stands for after it")
    filled = [_PLACE.sub(lambda found: typed[int(found[1]) - 1], word) for word in words]
    return filled + [word for number, word in enumerate(typed, 1) if number not in used]


def _split(expansion: str) -> list[str]:
    try:
        words = shlex.split(expansion)
    except ValueError as error:
        raise MisuseError(f"{expansion!r} cannot be split into words: {error}") from error
    return words[1:] if words[:1] == ["crm"] else words


def _file() -> Path:
    return Path(config_folder()) / "aliases.json"


def _write(aliases: Mapping[str, str]) -> None:
    write_whole(str(_file()), (json.dumps(aliases, indent=2, ensure_ascii=False) + "\n").encode())
