"""The example of a command, which runs with the demo data: written by hand, or that of the OpenAPI document."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from crm_sdk.openapi.samples import sample
from crm_sdk.wire import encode_json, is_array, is_object

from ..tree.parameters import Form, Parameter
from .demo import IDS, NAMES
from .written import written_examples

_STANDS_FOR = re.compile(r"([a-z]+)_123")


def example(form: Form) -> list[str]:
    """Return the example of a declared call: a command a line, the last of which is the call."""
    return list(written_examples().get(form.path) or [_generated_example(form)])


def _generated_example(form: Form) -> str:
    """Return the command of the example that the OpenAPI document has of the call."""
    given = _of_demo(sample(form.operation), form)
    given |= given.pop(form.operation.arguments.body or "", {})
    arguments = ["crm", *form.path.split()]
    options: list[str] = []
    for parameter in form.parameters:
        value = given.pop(parameter.name, None)  # once, of an option that is an argument as well
        if parameter.kind == "person" and is_object(value):
            value = value.get("email")
        if value is not None:
            typed = list(_typed_words(parameter, value))
            if parameter.place == "argument":
                arguments += typed
            elif parameter.kind == "flag":
                options += typed
            else:
                options += [word for text in typed for word in (parameter.flag, text)]
    if form.operation.kind == "page":
        options += ["--limit", "3"] if "limit" in form.flags or "--limit" in form.own else ["--all"]
    if form.destroys:
        options.append("--yes")
    return shlex.join(arguments + options)


def _of_demo(given: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Return arguments in which ids are those of the demo data, or names where the command takes one."""
    from ..lookups import lists_of

    named = lists_of(form)
    found: dict[str, Any] = {}
    for name, value in given.items():
        kind = _STANDS_FOR.fullmatch(value) if isinstance(value, str) else None
        found[name] = (
            NAMES[kind[1]] if kind is not None and kind[1] in NAMES and name in named else _with_demo_ids(value)
        )
    found.pop("limit", None)
    return found


def _with_demo_ids(value: Any) -> Any:
    """Return a value in which what stands for an id is that of a record of the demo data."""
    if is_object(value):
        return {name: _with_demo_ids(item) for name, item in value.items()}
    if is_array(value):
        return [_with_demo_ids(item) for item in value]
    kind = _STANDS_FOR.fullmatch(value) if isinstance(value, str) else None
    return IDS.get(kind[1], value) if kind is not None else value


def _typed_words(parameter: Parameter, value: Any) -> Iterator[str]:
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
