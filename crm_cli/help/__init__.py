"""How help is drawn: usage, what it is, arguments and options with a sentence each, and what else a command tells.

The flags stand in one column, which leaves most of the line to the sentences: on 80 columns, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from ..front.pages import WIDEST
from ..front.shell_lines import in_lines
from ..tree.global_options import PANEL

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    Rows: TypeAlias = Sequence[tuple[Text, Text]]


class Command(TyperCommand):
    """A command whose help is drawn here."""

    def page(self, ctx: Any) -> Page:
        """Return what the help says."""
        return page_of(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        draw(self, ctx)

    def errors(self) -> Sequence[tuple[str, str]]:
        """Return the codes of the errors, each with what it means."""
        return ()

    def example(self, words: Sequence[str]) -> list[str]:
        """Return the lines of the example of the command with these words; none where it has none."""
        from .written import written_examples

        return list(written_examples().get(" ".join(words), ()))


class Group(TyperGroup):
    """A group whose help is drawn here, from the names and the summaries of its commands."""

    suggest_commands = False
    """Not by typer: `tree/near.py` says what was meant, of commands as of all else."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def page(self, ctx: Any) -> Page:
        """Return what the help says."""
        return page_of(self, ctx)

    def summaries(self) -> Iterator[tuple[str, str, str]]:
        """Yield the panel, the name and the summary of each command."""
        for name, command in self.commands.items():
            about = command.short_help or inspect.cleandoc(command.help or "").partition("\n\n")[0]
            yield getattr(command, "rich_help_panel", None) or "Commands", name, about

    def example(self, words: Sequence[str]) -> list[str]:
        """Return the lines of the example of the group's own view; none where it has none."""
        from .written import written_examples

        return list(written_examples().get(" ".join(words), ()))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        draw(self, ctx)


@dataclass(frozen=True, slots=True)
class Page:
    """What the help of a command says."""

    usage: str
    about: str
    panels: Mapping[str, Rows]
    errors: Rows
    examples: Sequence[str]
    more: str


def page_of(command: Command | Group, ctx: Any) -> Page:
    """Return what the help of a command or a group says."""
    from rich.text import Text

    rows = _parameter_rows(command, ctx)
    groups = list(command.summaries()) if isinstance(command, Group) else []
    for title, name, about in groups:
        rows.setdefault(title, []).append((Text(name, style="bold cyan"), prose(about)))
    errors = command.errors() if isinstance(command, Command) else ()
    more = f"`{ctx.command_path} COMMAND --help` shows the options of a command. " if groups else ""
    return Page(
        usage=" ".join(command.get_usage(ctx).split()),
        about=inspect.cleandoc(command.help or ""),
        panels={title: of_panel for title, of_panel in rows.items() if of_panel},
        errors=[(Text(code, "bold cyan"), prose(text)) for code, text in errors],
        examples=command.example(ctx.command_path.split()[1:]),
        more=f"{more}{PANEL}: `crm help options`.",
    )


def draw(command: Command | Group, ctx: Any) -> None:
    """Print the help of a command or a group."""
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.text import Text

    from ..console import stdout

    console = stdout()
    page = command.page(ctx)
    console.print(Padding(Text(page.usage, style="bold"), 1))
    if page.about:
        console.print(Padding(Markdown(page.about), (0, 1, 1, 1)))
    widest = min(_widest(row for rows in page.panels.values() for row in rows), WIDEST, console.width * 2 // 5)
    for title, rows in page.panels.items():
        console.print(_panel(title, rows, widest))
    if page.errors:
        console.print(_panel("Errors", page.errors, _widest(page.errors)))
    if page.examples:
        shown = "\n".join(in_lines(page.examples, console.width - 2))
        title = " Examples" if len(page.examples) > 1 else " Example"
        console.print(Text.assemble((title, "bold"), "\n", shown, "\n"))
    console.print(Padding(prose(page.more), (0, 1), style="dim"))


def _parameter_rows(command: TyperCommand | TyperGroup, ctx: Any) -> dict[str, list[tuple[Text, Text]]]:
    """Return what is typed, with what it means, by panel; without the options of every command."""
    rows: dict[str, list[tuple[Text, Text]]] = {}
    for parameter in command.get_params(ctx):
        if getattr(parameter, "hidden", False) or is_global(parameter):
            continue
        default = "Arguments" if isinstance(parameter, TyperArgument) else "Options"
        panel = getattr(parameter, "rich_help_panel", None) or default
        rows.setdefault(panel, []).append((typed_parameter(parameter, ctx), prose(sentence(parameter))))
    return rows


def is_global(parameter: Any) -> bool:
    """Return whether a parameter is one of every command."""
    return parameter.name == "help" or getattr(parameter, "rich_help_panel", None) == PANEL


def typed_parameter(parameter: Any, ctx: Any) -> Text:
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
    if isinstance(parameter, TyperOption) and default not in (None, "", False, ...):
        about += f" (default: {parameter.opts[-1] if default is True else default})"
    return about


def _widest(rows: Iterable[tuple[Text, Text]]) -> int:
    return max((line.cell_len for left, _ in rows for line in left.split("\n")), default=0)


def prose(text: str) -> Text:
    """Return a text in which words in backticks stand out."""
    from rich.text import Text

    parts = " ".join(text.replace("``", "`").split()).split("`")
    return Text.assemble(*((part, "cyan" if n % 2 else "") for n, part in enumerate(parts)))


def _panel(title: str, rows: Rows, width: int) -> RenderableType:
    """Return a panel with two columns in it, the first of which is so wide."""
    from rich.panel import Panel
    from rich.table import Table

    table = Table(box=None, show_header=False, expand=True, pad_edge=False)
    table.add_column(width=width, overflow="fold")
    table.add_column(ratio=1)
    for row in rows:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="dim")
