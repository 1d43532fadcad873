"""``crm help TOPIC``: what holds for every command; ``crm help COMMAND``: the help of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ..failures import EXIT_CODES
from ..settings import GLOBALS, Options, settle
from ..tree.near import refusal

if TYPE_CHECKING:
    from rich.console import Console

Topic: TypeAlias = tuple[list[dict[str, Any]], "Callable[[Console], None]"]

ENVIRONMENT: Mapping[str, str] = {
    "CRM_BASE_URL": "Address of the server, as --base-url.",
    "CRM_API_KEY": "The key to call with; it is never stored, and the keyring is not read.",
    "CRM_TENANT_ID": "Id of the company, as --tenant.",
    "CRM_DIALECTS": "How the server talks, as --dialect: mvp, flow, platform, or several in order.",
    "CRM_PROFILE": "The profile, as --profile.",
    "CRM_OUTPUT": "How to print, as --output.",
    "CRM_TIMEOUT": "Seconds a call may take, as --timeout.",
    "CRM_UNDO": "0 keeps no journal of writes, without which `crm undo` has nothing to take back.",
    "CRM_LANGUAGE": "Language of messages and labels, as --language.",
    "CRM_OFFLINE": "1 uses the embedded server, as --offline.",
    "CRM_DATA_DIR": "One folder for the offline data, the settings and the cache, in place of the system's.",
    "CRM_PROXY": "Address of a proxy for every request.",
    "CRM_ALLOW_HTTP": "1 allows addresses with http://, which show the key to the network.",
    "CRM_CLIENT_ID": "The client that signs in by the browser (OAuth 2.0).",
    "CRM_WEBHOOK_SECRET": "The secret with which `crm webhooks sign` and `verify` work.",
    "CRM_PAGER": "The program that shows long output on a terminal; PAGER and less without it.",
    "CRM_COMPLETION_WAIT": "Seconds for which TAB waits for what the server lists; 2 without it, 0 for not at all.",
    "CI": "Where it is set, nothing is asked, as with --no-input.",
    "NO_COLOR": "Takes the colours away.",
    "FORCE_COLOR": "1 gives colours to a pipe.",
    "COLUMNS": "The width of tables and help.",
}
"""The variables of the environment that the command line reads."""


def topic(
    options: Options,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC|COMMAND",
            help="options, commands, environment or exit-codes; or the words of a command, such as leads list.",
        ),
    ] = None,
) -> int | None:
    """Explain what holds for every command, or a command: `crm help exit-codes`, `crm help leads list`."""
    from ..views.drawing import show

    if not words:
        from ..app import run

        return run(["--help"])
    if len(words) > 1 or words[0] not in TOPICS:
        return _help_of(words)
    rows, draw = TOPICS[words[0]]()
    show(settle(options).output, rows, rows, draw)
    return None


def _help_of(words: list[str]) -> int:
    from .. import completion
    from ..app import run

    if words[0] not in completion.names(needed=())["commands"]:
        known = [*TOPICS, *completion.names(needed=())["commands"]]
        raise refusal(f"there is no topic or command {words[0]!r}", words[0], known, listed=list(TOPICS))
    return run([*words, "--help"])


def _options() -> Topic:
    rows: list[dict[str, Any]] = [
        {"option": ", ".join(filter(None, [option.short, option.flag, option.negative])), "means": option.help}
        for option in GLOBALS
    ]
    return rows, _table(rows, "option", "means")


def _environment() -> Topic:
    rows = [{"variable": name, "means": means} for name, means in ENVIRONMENT.items()]
    return rows, _table(rows, "variable", "means")


def _commands() -> Topic:
    from ..app import summaries
    from .overview import draw_commands

    found = list(summaries())
    rows = [{"group": group, "command": name, "about": about} for group, name, about in found]
    return rows, lambda screen: draw_commands(screen, found)


def _exit_codes() -> Topic:
    rows: list[dict[str, Any]] = [
        {"exit": status, "class": name, "means": means} for status, (name, means) in EXIT_CODES.items()
    ]
    return rows, _table(rows, "exit", "class", "means")


def _table(rows: list[dict[str, Any]], *columns: str) -> Callable[[Console], None]:
    """Return what draws rows, the last column of which is prose."""

    def draw(screen: Console) -> None:
        from rich.table import Table

        from . import prose

        table = Table(box=None, pad_edge=False, header_style="bold")
        *short, last = columns
        for name in short:
            table.add_column(
                name, justify="right" if name == "exit" else "left", no_wrap=screen.width >= 60, style="cyan"
            )
        table.add_column(last)
        for row in rows:
            table.add_row(*(str(row[name]) for name in short), prose(row[last]))
        screen.print(table)

    return draw


TOPICS: Mapping[str, Callable[[], Topic]] = {
    "options": _options,
    "commands": _commands,
    "environment": _environment,
    "exit-codes": _exit_codes,
}
"""The topics, each with its rows and what draws them."""
