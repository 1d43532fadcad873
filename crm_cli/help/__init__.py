"""How help is drawn: usage, what it is, arguments and options with a sentence each, and what else a command tells.

The flags stand in one column, which leaves most of the line to the sentences: on 80 columns, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from ..tree.global_options import PANEL

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    Rows: TypeAlias = Sequence[tuple[Text, Text]]

_WIDEST = 34
"""How wide the column of the flags may be; on a narrow terminal two fifths of it."""


class Command(TyperCommand):
    """A command whose help is drawn here."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        draw(self, ctx)

    def sections(self, width: int) -> Iterator[RenderableType]:
        """Yield what comes after the options."""
        return iter(())

    def example(self, words: Sequence[str]) -> list[str]:
        """Return the lines of the example of the command with these words; none where it has none."""
        from .written import written

        return list(written().get(" ".join(words), ()))


class Group(TyperGroup):
    """A group whose help is drawn here, from the names and the summaries of its commands."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def summaries(self) -> Iterator[tuple[str, str, str]]:
        """Yield the panel, the name and the summary of each command."""
        for name, command in self.commands.items():
            about = command.short_help or inspect.cleandoc(command.help or "").partition("\n\n")[0]
            yield getattr(command, "rich_help_panel", None) or "Commands", name, about

    def example(self, words: Sequence[str]) -> list[str]:
        """Return the lines of the example of the group's own view; none where it has none."""
        from .written import written

        return list(written().get(" ".join(words), ()))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        draw(self, ctx)


def draw(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Print the help of a command or a group."""
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.text import Text

    from ..console import stdout

    console = stdout()
    words = ctx.command_path.split()[1:]
    console.print(Padding(Text(" ".join(command.get_usage(ctx).split()), style="bold"), 1))
    if command.help:
        console.print(Padding(Markdown(inspect.cleandoc(command.help)), (0, 1, 1, 1)))
    rows = _parameter_rows(command, ctx)
    groups = list(command.summaries()) if isinstance(command, Group) else []
    for panel, name, about in groups:
        rows.setdefault(panel, []).append((Text(name, style="bold cyan"), prose(about)))
    _print_panels(console, rows)
    for section in command.sections(console.width) if isinstance(command, Command) else ():
        console.print(section)
    lines = command.example(words) if isinstance(command, (Command, Group)) else []
    if lines:
        from .examples import in_lines

        shown = "\n".join(in_lines(lines, console.width - 2))
        console.print(Text.assemble((" Examples" if len(lines) > 1 else " Example", "bold"), "\n", shown, "\n"))
    more = f"`{ctx.command_path} COMMAND --help` shows the options of a command. " if groups else ""
    console.print(Padding(prose(f"{more}{PANEL}: `crm help options`."), (0, 1), style="dim"))


def _parameter_rows(command: TyperCommand | TyperGroup, ctx: Any) -> dict[str, list[tuple[Text, Text]]]:
    """Return what is typed, with what it means, by panel; without the options of every command."""
    rows: dict[str, list[tuple[Text, Text]]] = {}
    for parameter in command.get_params(ctx):
        if getattr(parameter, "hidden", False) or is_global(parameter):
            continue
        default = "Arguments" if isinstance(parameter, TyperArgument) else "Options"
        panel = getattr(parameter, "rich_help_panel", None) or default
        rows.setdefault(panel, []).append((typed(parameter, ctx), prose(sentence(parameter))))
    return rows


def is_global(parameter: Any) -> bool:
    """Return whether a parameter is one of every command."""
    return parameter.name == "help" or getattr(parameter, "rich_help_panel", None) == PANEL


def typed(parameter: Any, ctx: Any) -> Text:
    """Return an argument or an option as it is typed."""
    from rich.text import Text

    if isinstance(parameter, TyperArgument):
        return Text(
            (parameter.metavar or str(parameter.name).upper()) + (" …" if parameter.nargs != 1 else ""), "bold cyan"
        )
    flags = Text(", ".join(sorted(parameter.opts, key=len)), "bold cyan")
    for other in parameter.secondary_opts:
        flags.append(f"\n{other}", "cyan")
    if isinstance(parameter, TyperOption) and not parameter.is_flag:
        kind = str(parameter.display_type_rich(ctx)).strip("<>")
        flags.append(f" {parameter.metavar or kind.upper()}", "yellow")
    return flags


def sentence(parameter: Any) -> str:
    """Return what an argument or an option is, with its default."""
    about = parameter.help or ""
    default = parameter.default
    if isinstance(parameter, TyperOption) and parameter.show_default and default not in (None, "", False, ...):
        about += f" (default: {parameter.opts[-1] if default is True else default})"
    return about


def _print_panels(console: Console, panels: Mapping[str, Rows]) -> None:
    widths = [line.cell_len for rows in panels.values() for left, _ in rows for line in left.split("\n")]
    widest = min(max(widths, default=0), _WIDEST, console.width * 2 // 5)
    for title, rows in panels.items():
        if rows:
            console.print(panel(title, rows, widest))


def prose(text: str) -> Text:
    """Return a text in which words in backticks stand out."""
    from rich.text import Text

    parts = " ".join(text.replace("``", "`").split()).split("`")
    return Text.assemble(*((part, "cyan" if n % 2 else "") for n, part in enumerate(parts)))


def panel(title: str, rows: Rows, width: int) -> RenderableType:
    """Return a panel with two columns in it, the first of which is so wide."""
    from rich.panel import Panel
    from rich.table import Table

    table = Table(box=None, show_header=False, expand=True, pad_edge=False)
    table.add_column(width=width, overflow="fold")
    table.add_column(ratio=1)
    for row in rows:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="dim")
