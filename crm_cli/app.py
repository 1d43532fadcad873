"""The root of the command line. The commands of a noun are built when the noun is used; ``crm --help`` builds none."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, cast

import typer
from typer.core import TyperArgument
from typer.main import get_command

from . import completion
from .account import config, doctor, signin, status
from .commands import api, can, chat, openapi, restore, shells, stub, sync, today, undo, wait
from .commands import offline as offline_commands
from .discovery import aliases, extensions, man, schema, searching
from .failures import INTERRUPTED, Failure, MisuseError, failure_of, say
from .help import Command, Group, Page, overview, topics
from .help.groups import AROUND, in_order
from .settings import Options, settle
from .tree.global_options import by_hand, global_options, global_parameters, keyword, with_signature
from .tree.mistyped import reworded
from .tree.near import explain

_HELP = ("-h", "--help")
_SHOWS_REQUESTS, _WATCHES = ("api", "undo"), ("today",)
"""The hand-made commands that have `--dry-run` and `--explain`, and those that have `--watch`."""

_NOTHING_CONFIGURED = """\
No server is known yet. You can:
  crm --offline leads list            try it with the embedded server and its demo data
  crm login                           sign in to a server; the secret is stored in the system's keyring
  CRM_BASE_URL=… CRM_API_KEY=… crm …  set a server and an API key in the environment"""


class Commands(MutableMapping[str, Any]):
    """The commands of a group, each built when it is first needed."""

    def __init__(self, names: Callable[[], Iterable[str]], make: Callable[[str], Any]) -> None:
        self._names = names
        self._make = make
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Root(Group):
    """The root: the catalogue's nouns, and the commands made by hand."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.by_hand = self.commands
        self.commands = Commands(
            lambda: [*_summaries(), *self.by_hand], lambda name: self.by_hand.get(name) or _noun(name)
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that is meant: a noun shows its own view where none of its commands is called."""
        if len(args) > 1 and args[1] in _HELP and args[0] in _summaries():
            self.commands[args[0]] = _group((args[0],), lambda: _kind(args[0]))
        if args[0] not in self.commands and not args[0].startswith("-"):
            _look_around(ctx, args)
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.resolve_words(rest) if isinstance(command, Noun) else command, rest

    def summaries(self) -> Iterator[tuple[str, str, str]]:
        """Yield the panel, the name and the summary of each command, without building one of a noun."""
        yield from in_order(_summaries())
        for name, command in self.by_hand.items():
            about = inspect.cleandoc(command.short_help or command.help or "").partition("\n\n")[0]
            yield AROUND, name, about

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the names of all commands by their groups, in a screen and a half."""
        overview.draw(ctx.command.get_usage(ctx), list(self.summaries()))


class ExpandedError(Exception):
    """The first word is an alias: these words stand for it and for those after it."""

    def __init__(self, words: list[str], replaced: int) -> None:
        super().__init__()
        self.words, self.replaced = words, replaced


class ExtendedError(Exception):
    """The first word is a program of one's own."""

    def __init__(self, path: str, words: list[str], options: Options) -> None:
        super().__init__()
        self.path, self.words, self.options = path, words, options


def _look_around(ctx: typer.Context, args: list[str]) -> None:
    """Raise what says that a word, which no command has, is an alias or a program on the PATH."""
    words = aliases.expanded_alias(args)
    if words is not None:
        raise ExpandedError(words, len(args))
    path = extensions.path_of(args[0])
    if path is not None:
        raise ExtendedError(path, args[1:], global_options(ctx, dict(ctx.params)))


class Noun(Group):
    """A noun, whose class is loaded when its commands or its help are asked for."""

    words: tuple[str, ...]
    """What is typed for it: ``calendar events``."""
    load: Callable[[], Any]
    own_view: Callable[[], Any]
    """Return the command of the noun's own view; None where it has none."""

    def resolve_words(self, words: Sequence[str]) -> Any:
        """Return the command that the words after the noun name: this group, or its own view."""
        first = words[0] if words else ""
        if first in _HELP or first in self.commands:
            return self
        own = self.own_view()
        if own is None:
            return self
        takes_words = any(isinstance(parameter, TyperArgument) for parameter in own.params)
        # A view without arguments is called by the noun alone or with options; another word is a mistake.
        return own if (bool(words) if takes_words else not first or first.startswith("-")) else self

    def page(self, ctx: Any) -> Page:
        """Return what the help says: the class's docstring, and the help of the noun's own view."""
        node = self.node()
        own = self.own_view() if "options" in node else None
        before = self.help, self.params, self.subcommand_metavar
        self.help = node["about"]
        if own is not None:
            self.help, self.params = f"{self.help}\n\n{own.help}", own.params
            self.subcommand_metavar = f"| {self.subcommand_metavar}"
        try:
            return super().page(ctx)
        finally:
            self.help, self.params, self.subcommand_metavar = before

    def node(self) -> dict[str, Any]:
        """Return what completion knows of the noun: importing it and building its commands would take long."""
        found = completion.names(needed=self.words)
        for name in self.words:
            found = found["commands"][name]
        return found

    def summaries(self) -> Iterator[tuple[str, str, str]]:
        """Yield the panel, the name and the summary of each command, without building one."""
        for name, node in self.node()["commands"].items():
            yield node.get("panel", "Commands"), name, node["help"]


def _summaries() -> dict[str, str]:
    """Return the summary of each noun, from the names stored for completion: importing every noun would take long."""
    return {name: node["help"] for name, node in completion.names(needed=())["commands"].items() if node.get("noun")}


def summaries() -> Iterator[tuple[str, str, str]]:
    """Yield the group, the name and the summary of every noun and of every command made by hand."""
    yield from cast(Root, get_command(application())).summaries()


def _noun(name: str) -> Noun:
    from crm_sdk.catalogue import Catalogue

    if Catalogue.__annotations__.get(name.replace("-", "_"), "ClassVar").startswith("ClassVar"):
        raise KeyError(name)
    return _group((name,), lambda: _kind(name))


def _kind(name: str) -> Any:
    """Return the resource of a noun."""
    from crm_sdk.catalogue import Catalogue

    return getattr(Catalogue, name.replace("-", "_"))


def _group(words: tuple[str, ...], load: Callable[[], Any]) -> Noun:
    """Return the group of a resource."""

    def make(child: str) -> Any:
        from .tree.declared import command_for
        from .tree.nouns import operations, resources
        from .views import view, views

        if child in views(load().path()):
            return view(load().path(), child)
        inner = resources(load()).get(child)
        if inner is None:
            return command_for(operations(load())[child])
        return _group((*words, child), lambda: inner)

    def names() -> list[str]:
        from .tree.nouns import operations, resources
        from .views import views

        return list(dict.fromkeys([*operations(load()), *resources(load()), *views(load().path())]))

    def own() -> Any:
        from .views import own_view

        return own_view(load().path())

    app = typer.Typer(cls=Noun, add_completion=False, no_args_is_help=True, rich_markup_mode="markdown")
    app.callback()(_do_nothing)
    group = cast(Noun, get_command(app))
    group.name = words[-1]
    group.words = words
    group.load = load
    group.own_view = own
    group.commands = Commands(names, make)
    return group


def _do_nothing() -> None:
    """Do nothing: a noun has no options of its own."""


def _start(context: typer.Context, *, version: bool, map: str | None, **typed: Any) -> int:
    """Work with the CRM from the command line.

    Options of every command may stand before or after it.
    """
    if version:
        from crm_sdk._version import __version__

        typer.echo(f"crm {__version__}")
        raise typer.Exit
    context.obj = global_options(context, typed)
    if map is not None:
        _print_map(map)
        raise typer.Exit
    if context.invoked_subcommand is None:
        _introduce(context, context.obj)
    return 0


def _print_map(format: str) -> None:
    from crm_sdk.wire import encode_json

    from .discovery.tree import whole
    from .terminal.writers import write_text

    if format != "json":
        raise MisuseError(f"--map must be json, not {format!r}")
    write_text(encode_json(whole(), indent=2).decode() + "\n")


def _introduce(context: typer.Context, options: Options) -> None:
    settings = settle(options)
    if settings.offline or settings.base_url is not None:
        typer.echo(context.get_help(), nl=False)
    else:
        typer.echo(_NOTHING_CONFIGURED)


def application() -> typer.Typer:
    """Return the whole command line."""
    app = typer.Typer(
        cls=Root,
        add_completion=False,
        invoke_without_command=True,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    version = keyword("version", bool, typer.Option(False, "--version", help="Print the version."))
    about = "Print all commands with their arguments, options and examples as JSON: --map json."
    map = keyword("map", str, typer.Option(None, "--map", metavar="json", help=about))
    app.callback()(with_signature(_start, [version, map, *global_parameters()]))
    for name, command in (
        ("login", signin.login),
        ("logout", signin.logout),
        ("status", status.status),
        ("whoami", status.whoami),
        ("doctor", doctor.doctor),
        ("chat", chat.chat),
        ("api", api.call),
        ("sync", sync.sync),
        ("can", can.can),
        ("restore", restore.restore),
        ("today", today.today),
        ("undo", undo.undo),
        ("wait", wait.wait),
        ("openapi", openapi.describe),
        ("completion", shells.script),
        ("help", topics.topic),
        ("search-commands", searching.search),
        ("schema", schema.schema),
        ("man", man.show_page),
    ):
        app.command(name, cls=Command, rich_help_panel=AROUND)(
            by_hand(command, shows_requests=name in _SHOWS_REQUESTS, watches=name in _WATCHES)
        )
    app.add_typer(config.commands(), name="config", rich_help_panel=AROUND)
    app.add_typer(aliases.commands(), name="alias", rich_help_panel=AROUND)
    app.add_typer(extensions.commands(), name="extensions", rich_help_panel=AROUND)
    app.add_typer(stub.commands(), name="stub", rich_help_panel=AROUND)
    app.add_typer(offline_commands.commands(), name="offline", rich_help_panel=AROUND)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    as_json = "--json-errors" in arguments
    try:
        status = get_command(application()).main(args=list(arguments), prog_name="crm", standalone_mode=False)
    except MisuseError as error:
        return say(failure_of(error, {}), as_json=as_json)
    except ExpandedError as error:
        return run([*arguments[: len(arguments) - error.replaced], *error.words])
    except ExtendedError as error:
        return extensions.run(error.path, error.words, error.options)
    except typer.TyperException as error:
        return _report_refusal(error, as_json=as_json)
    except typer.Abort:
        return say(
            Failure("INTERRUPTED", "interrupted", INTERRUPTED, shown="interrupted"),
            as_json=as_json,
        )
    except OSError:  # stdout that is gone or full is told where the process ends
        raise
    except Exception as error:  # a fault before a command began, which sees to its own
        return say(failure_of(error, {}), as_json=as_json)
    return status if isinstance(status, int) else 0


def _report_refusal(error: typer.TyperException, *, as_json: bool) -> int:
    """Print a usage error on stderr, in one line; return the exit status."""
    explain(error)
    message = reworded(error) or error.format_message().rstrip(".")
    context: typer.Context | None = getattr(error, "ctx", None)
    if message:
        hint = f"see `{context.command_path} --help`" if context is not None else None
        say(Failure("USAGE", message, error.exit_code, hint=hint), as_json=as_json)
    return error.exit_code
