"""Read the command line of a declared call without Typer, which takes longer to import than the call takes.

What is read here is read as Typer reads it, which a test holds for thousands of command lines. Whatever is not plain
is left to the tree of commands: mistakes, `--watch`, `--jobs`, an option that is given twice, values that look like
options.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from crm_sdk.catalogue import Catalogue
from crm_sdk.operation import Operation

from ..settings import GLOBALS, GlobalOption, Options
from ..terminal.beginning import begin
from ..views import views
from .calling import Run
from .nouns import operations, resources
from .parameters import Form, Parameter, kebab

Key: TypeAlias = tuple[str, Any]
"""What an option sets: a member of the options of every command, an argument of `Run`, or a parameter of the form."""


class NotPlainError(Exception):
    """The command line is left to the tree of commands."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line that was read: the arguments of `Run`."""

    form: Form
    options: Options
    given: Mapping[Parameter, Any]
    own: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Options:
    """The options that may stand somewhere, and what was typed of them."""

    known: dict[str, tuple[Key, bool | None]] = field(default_factory=dict[str, "tuple[Key, bool | None]"])
    """By flag: what it sets, and the value that it stands for; None where the value is typed after it."""
    found: dict[Key, Any] = field(default_factory=dict[Key, Any])

    def allow(self, key: Key, flags: Sequence[str], value: bool | None = None) -> None:
        """Allow an option."""
        self.known.update(dict.fromkeys(flags, (key, value)))

    def allow_globals(self, options: Sequence[GlobalOption]) -> None:
        """Allow options of every command."""
        for option in options:
            flags = [option.flag, *([option.short] if option.short else [])]
            self.allow(("global", option.name), flags, True if option.kind is bool else None)
            if option.negative:
                self.allow(("global", option.name), [option.negative], False)

    def globals(self) -> Options:
        """Return the options of every command that were typed."""
        return Options(**{name: value for (place, name), value in self.found.items() if place == "global"})

    def read(self, words: Iterator[str]) -> Iterator[str]:
        """Yield the words that are no options, and note the options."""
        for word in words:
            if not word.startswith("-") or word == "-":
                yield word
                continue
            flag, equals, text = word.partition("=") if word.startswith("--") else (word, "", "")
            if flag not in self.known:
                raise NotPlainError
            key, value = self.known[flag]
            if value is None:
                value_typed = text if equals else next(words, "-")
                if not equals and value_typed.startswith("-"):
                    raise NotPlainError
                self._note(key, value_typed)
            elif equals:
                raise NotPlainError
            else:
                self._note(key, value)

    def _note(self, key: Key, value: Any) -> None:
        if isinstance(key[1], Parameter) and key[1].many:
            self.found.setdefault(key, []).append(value)
        elif key in self.found:
            raise NotPlainError
        else:
            self.found[key] = value


def run(arguments: list[str]) -> int | None:
    """Make the call of a command line and return the exit status; None where it is left to the tree of commands."""
    try:
        typed = read(arguments)
    except NotPlainError:
        return None
    begin(typed.options)
    return Run(typed.form, typed.options, typed.given, **typed.own).status()


def read(arguments: list[str]) -> Typed:
    """Return what a command line says. Raises: NotPlainError where it is left to the tree of commands."""
    outer = _Options()
    outer.allow_globals(GLOBALS)
    words = iter(arguments)
    noun = next(outer.read(words), None)
    if noun is None:
        raise NotPlainError
    form = Form(_operation(noun, words))
    inner = _Options()
    inner.allow_globals(form.globals)
    own = _allow_own(inner, form)
    for parameter in form.parameters:
        if parameter.kind == "flag" and parameter.place != "argument":
            inner.allow(("parameter", parameter), [parameter.flag], True)
            inner.allow(("parameter", parameter), [f"--no-{parameter.flag[2:]}"], False)
        elif parameter.place != "argument":
            inner.allow(("parameter", parameter), [parameter.flag, *parameter.aliases])
    given = _arguments(form, list(inner.read(words)))
    for parameter in form.parameters:
        if parameter.place != "argument":
            given[parameter] = inner.found.get(("parameter", parameter))
    own |= {name: value for (place, name), value in inner.found.items() if place == "own"}
    return Typed(form, inner.globals().over(outer.globals()), given, own)


def _operation(noun: str, words: Iterator[str]) -> Operation[..., Any]:
    """Return the call that the words name."""
    known = {kebab(name) for name, hint in Catalogue.__annotations__.items() if not str(hint).startswith("ClassVar")}
    if noun not in known:
        raise NotPlainError
    owner = getattr(Catalogue, noun.replace("-", "_"))
    for word in words:
        if word in views(owner.path()):
            break
        inner = resources(owner).get(word)
        if inner is None:
            found = operations(owner).get(word)
            if found is None:
                break
            return found
        owner = inner
    raise NotPlainError


def _allow_own(options: _Options, form: Form) -> dict[str, Any]:
    """Allow the options that follow from the kind of the call, and return their values without them.

    Those that it does not allow, such as `--watch`, are left to the tree of commands.
    """
    values: dict[str, Any] = {}
    for flag, name in (("--data", "data"), ("--columns", "columns"), ("--to", "to"), ("--limit", "limit")):
        if flag in form.own:
            options.allow(("own", name), [flag])
            values[name] = None
    for flags, name in ((["--all"], "every"), (["--yes", "-y"], "yes")):
        if flags[0] in form.own or (name == "every" and form.operation.goes_on):
            options.allow(("own", name), flags, True)
            values[name] = False
    if "--wait" in form.own:
        options.allow(("own", "wait"), ["--wait"], True)
        options.allow(("own", "wait"), ["--no-wait"], False)
        values["wait"] = form.waits or form.is_run
    return values


def _arguments(form: Form, words: list[str]) -> dict[Parameter, Any]:
    """Return the words that are typed for the arguments."""
    places = [parameter for parameter in form.parameters if parameter.place == "argument"]
    given: dict[Parameter, Any] = {}
    for number, parameter in enumerate(places):
        if parameter.many:
            if number < len(places) - 1:
                raise NotPlainError
            given[parameter], words = (words or None), []
        else:
            given[parameter] = words.pop(0) if words else None
        if parameter.required and given[parameter] is None:
            raise NotPlainError
    if words:
        raise NotPlainError
    return given
