"""What typer and pydantic refuse of hand-made commands, in the words of every other refusal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from typer.core import TyperArgument

from crm_sdk.wire import is_array

from ..failures import MisuseError
from .near import question_for, slip_of

_WANTED: Mapping[str, str] = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_parsing": "a number",
    "finite_number": "a number",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
"""What is wanted, by the type of pydantic's error."""
_ONE_OF = re.compile(r"Value error, '(?P<typed>.*)' is not one of (?P<known>'.+')\.?", re.DOTALL)


def reworded(error: Any) -> str | None:
    """Return a usage error about a value in words, with the option as it is typed; None for any other."""
    parameter, cause = getattr(error, "param", None), error.__cause__
    if parameter is None:
        return None
    name = flag_of(parameter)
    found = _ONE_OF.fullmatch(str(error.message))
    if found is not None:
        known = [word.strip("'") for word in found["known"].split(", ")]
        meant = question_for(found["typed"], known)
        return f"{name} must be one of {', '.join(known)}, not {found['typed']!r}{meant}"
    for detail in cause.errors() if hasattr(cause, "errors") else ():
        wanted = _WANTED.get(detail["type"])
        if wanted is not None:
            return f"{name} must be {wanted.format(**detail.get('ctx', {}))}, not {str(detail['input'])!r}"
    return None


def flag_of(parameter: Any) -> str:
    """Return how a parameter of typer is typed: its long option, or the name of the argument."""
    if isinstance(parameter, TyperArgument):
        return (parameter.metavar or str(parameter.name).upper()).strip("[]{}.")
    return str(max(parameter.opts, key=len))


def refuse_slips(flag: str, typed: Any, known: Iterable[str]) -> None:
    """Refuse a mistyped word of an option that lists its words, before anything is sent.

    Others go to the server: it may know more. Raises: MisuseError.
    """
    words = list(known)
    given: list[Any] = typed if is_array(typed) else [typed]
    for text in given:
        meant = slip_of(text, words) if isinstance(text, str) and words else None
        if meant is not None:
            raise MisuseError(f"{flag}: there is no {text!r}; did you mean {meant!r}?")
