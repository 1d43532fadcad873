"""The example of a command: the one that the OpenAPI document has of its call, as it is typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from crm_sdk.openapi.samples import sample
from crm_sdk.wire import encode_json, is_array

from ..tree.parameters import Form, Parameter


def example(form: Form) -> list[list[str]]:
    """Return the words of an example: the command with its arguments, then each option with its value."""
    given = sample(form.operation)
    given |= given.pop(form.operation.arguments.body or "", {})
    arguments = [["crm", *form.path.split()]]
    options: list[list[str]] = []
    for parameter in form.parameters:
        if given.get(parameter.name) is not None:
            typed = list(_typed(parameter, given[parameter.name]))
            if parameter.place == "argument":
                arguments[0] += typed
            elif parameter.kind == "flag":
                options.append(typed)
            else:
                options += [[parameter.flag, text] for text in typed]
    if form.operation.kind == "page":
        options.append(["--all"])
    if form.destroys:
        options.append(["--yes"])
    return arguments + options


def _typed(parameter: Parameter, value: Any) -> Iterator[str]:
    if parameter.kind == "flag":
        yield parameter.flag if value else f"--no-{parameter.flag[2:]}"
    elif parameter.commas and parameter.place != "argument":
        yield ",".join(map(str, value))
    elif parameter.many:
        yield from (_text(each) for each in (value if is_array(value) else [value]))
    else:
        yield _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()


def in_lines(words: Iterable[list[str]], width: int) -> Iterator[str]:
    """Yield the lines of a command for a shell: where one is full, a backslash goes on to the next."""
    line = ""
    for word in map(shlex.join, words):
        if not line:
            line = f"  {word}"
        elif len(line) + len(word) + 3 <= width:
            line += f" {word}"
        else:
            yield f"{line} \\"
            line = f"    {word}"
    yield line
