"""The root of the command line. A noun's commands are built when that noun is called: ``crm --help`` loads none of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from .failures import complain
from .settings import Options, read_sign_in

_NOUNS, _HAND_MADE = "Nouns", "Around them"

_NOTHING_CONFIGURED = """\
No server is known yet. You can:
  crm --offline leads list            try it with the embedded server and its demo data
  crm login                           sign in to a server; the secret goes to the system's keyring
  CRM_BASE_URL=… CRM_API_KEY=… crm …  name a server and a key in the environment"""


class Commands(MutableMapping[str, Any]):
    """The commands of a group, each built when it is first asked for."""

    def __init__(self, names: Callable[[], Iterable[str]], make: Callable[[str], Any]) -> None:
        self._names = names
        self._make = make
        """Makes a command; raises KeyError where there is none of the name."""
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


class Lazy(TyperGroup):
    """A group that lists its commands by name alone."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of the commands, without building one."""
        return list(self.commands)


class Root(Lazy):
    """The root: the catalogue's nouns, and the commands made by hand."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        by_hand = self.commands
        self.commands = Commands(
            lambda: [*_summaries(), *by_hand], lambda name: by_hand[name] if name in by_hand else _noun(name)
        )


def _summaries() -> dict[str, str]:
    """Return what each noun is, from the names kept for completion: importing every noun would take long."""
    from .completion import names

    return {name: node["help"] for name, node in names()["commands"].items() if "noun" in node}


def _noun(name: str) -> Any:
    from crm_sdk.client import Catalogue

    attribute = name.replace("-", "_")
    if Catalogue.__annotations__.get(attribute, "ClassVar").startswith("ClassVar"):
        raise KeyError(name)
    return group_for(name, lambda: getattr(Catalogue, attribute).kind())


def group_for(name: str, load: Callable[[], Any]) -> Any:
    """Return the group of a resource, whose class is loaded when its commands or its help are asked for."""

    def make(child: str) -> Any:
        from .commands import command_for
        from .nouns import operations, resources

        kind = load()
        if child in resources(kind):
            return group_for(child, lambda: resources(kind)[child])
        return command_for(operations(kind)[child])

    def children() -> list[str]:
        from .nouns import operations, resources

        return [*operations(load()), *resources(load())]

    class Noun(Lazy):
        @property
        def help(self) -> str:
            return inspect.getdoc(load()) or ""

    app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="markdown")
    app.callback(cls=Lazy)(_nothing)
    group = cast(Lazy, get_command(app))
    group.name = name
    group.commands = Commands(children, make)
    return group


def _nothing() -> None:
    """A noun has no options of its own."""
