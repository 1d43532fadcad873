"""The commands for many records at once, for each noun that has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..settings import Options
from ..tree.global_options import by_hand
from . import ENTITIES


def command_of(noun: str, name: str) -> Callable[..., Any]:
    """Return the function of a command, in the form of typer."""
    from .exporting import export_file
    from .importing import import_file

    function: Callable[..., Any] = import_file if name == "import" else export_file
    entity = ENTITIES[noun]
    made = function if entity is None else _of_entity(function, entity)
    return by_hand(made, shows_requests=name == "import")


def _of_entity(function: Callable[..., Any], entity: str) -> Callable[..., Any]:
    """Return a function for the records of one entity, which need not be typed."""

    def call(options: Options, **typed: Any) -> Any:
        return function(options, entity=entity, **typed)

    signature = inspect.signature(function, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "entity"]
    call.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined] # `inspect.signature` shows it
    call.__doc__ = function.__doc__
    return call
