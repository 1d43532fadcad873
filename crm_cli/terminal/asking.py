"""What is asked before a call that deletes something, and what is said after a call that has changed something."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from crm_sdk.wire import is_array

from ..discovery.live_words import forget_answers
from ..failures import MisuseError, complain, visible
from ..plurals import singular
from ..tree.parameters import Form
from .prompts import may_ask, production

_SHOWN = 3
_VERBS: Mapping[str, tuple[str, str]] = {"uninstall": ("uninstall", "uninstalled"), "merge": ("merge", "merged")}
"""What a call does to what its last argument names, and what it did; others delete it."""


def is_agreed(form: Form, arguments: Mapping[str, Any]) -> bool:
    """Ask on the terminal whether a call is meant. Raises: MisuseError where there is no terminal."""
    return is_confirmed(f"{verbs(form)[0]} {_target(form, arguments)}")


def is_confirmed(what: str) -> bool:
    """Ask on the terminal whether something is to be done, and say where that is production.

    Raises: MisuseError where there is no terminal.
    """
    if (server := production.get()) is not None:
        what = f"{what} on PRODUCTION ({server})"
    if not may_ask():
        raise MisuseError(f"this would {what}: confirm with --yes")
    import typer  # only where something is asked: it takes long

    try:
        if typer.confirm(visible(f"{what[:1].upper()}{what[1:]}?"), err=True):
            return True
    except typer.Abort:
        raise KeyboardInterrupt from None
    complain("nothing was done")
    return False


def say_done(form: Form, arguments: Mapping[str, Any], result: Any, server: str) -> None:
    """Say on stderr what was deleted, and on a terminal which server a write went to."""
    forget_answers()  # what TAB knows of the server is of before
    on = f" on {server}" if sys.stderr.isatty() else ""
    if form.destroys and not getattr(result, "failures", None):
        complain(f"{verbs(form)[1]} {_target(form, arguments)}{on}")
    elif on:
        complain(f"done{on}")


def verbs(form: Form) -> tuple[str, str]:
    """Return what a call does to what it names, and what it did."""
    return _VERBS.get(form.operation.name, ("delete", "deleted"))


def _target(form: Form, arguments: Mapping[str, Any]) -> str:
    """Return what a call is about, from its arguments: ``relationship rel_1 of contact contact_1``."""
    noun = form.operation.id.split(".")[-2].replace("_", " ")
    named = [name for name in form.operation.positional if name in arguments]
    if not named:
        return noun
    *owners, last = (_named_value(name, arguments[name], noun) for name in named)
    return (" into " if form.operation.name == "merge" else " of ").join([last, *reversed(owners)])


def _named_value(name: str, value: Any, noun: str) -> str:
    if not is_array(value):
        return f"{name.removesuffix('_id').replace('_', ' ')} {value}"
    shown = ", ".join(map(str, value[:_SHOWN])) + (" …" if len(value) > _SHOWN else "")
    return f"{len(value)} {singular(noun) if len(value) == 1 else noun} ({shown})"
