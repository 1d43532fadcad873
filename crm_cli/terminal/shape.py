"""``--jq`` and ``--template``: what is printed of the data of an answer. Their libraries are in the extra ``cli``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from crm_sdk.wire import encode_json, is_object

from ..failures import MisuseError, visible


@dataclass(frozen=True, slots=True)
class Shape:
    """What of an answer is printed, and in which form."""

    fields: str | None = None
    jq: str | None = None
    template: str | None = None

    @property
    def chosen(self) -> bool:
        """Whether somebody chose what is printed, so that nothing is drawn."""
        return bool(self.fields or self.jq or self.template)

    def check(self) -> None:
        """Raises: MisuseError where two of them are typed that exclude each other."""
        if self.jq is not None and self.template is not None:
            raise MisuseError("--jq and --template each print in a way of their own: type one of them")


shape: ContextVar[Shape] = ContextVar("shape", default=Shape())  # noqa: B039 # it is frozen
"""That of the command that runs: a view prints through a printer that it makes, and need not hand this on."""


def missing_extra(name: str, flag: str) -> MisuseError:
    """Return the error for a library that is not installed."""
    return MisuseError(f"{flag} needs {name}: pip install 'crm-sdk[cli]'")


def jq_program(expression: str) -> Callable[[Any], Iterator[str]]:
    """Return what yields the results of a jq expression as JSON texts, with the 17 digits of a number that jq knows.

    Raises: MisuseError where it is no expression, or, while it runs, where it does not fit the data.
    """
    try:
        jq: Any = import_module("jq")  # it has no types
    except ImportError:
        raise missing_extra("jq", "--jq") from None
    try:
        program = jq.compile(expression)
    except ValueError as error:
        raise MisuseError(f"--jq: {_first_line(error)}") from None

    def run(value: Any) -> Iterator[str]:
        try:
            text: str = program.input_text(encode_json(value).decode()).text()
        except ValueError as error:
            raise MisuseError(f"--jq: {_first_line(error)}") from None
        yield from text.split("\n") if text else ()

    return run


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].removeprefix("jq: ")


def template_of(text: str) -> Callable[[Any], str]:
    """Return what makes the line of a record. Raises: MisuseError where it is no template.

    A member that the record does not have is empty, and so is what is asked of it. What could steer a terminal is not
    printed.
    """
    try:
        from jinja2 import ChainableUndefined, TemplateError
        from jinja2.sandbox import SandboxedEnvironment
    except ImportError:
        raise missing_extra("jinja2", "--template") from None
    if not any(begin in text for begin in ("{{", "{%")):
        raise MisuseError("--template prints no member: its names stand in double braces, as in '{{name}} {{email}}'")
    environment = SandboxedEnvironment(undefined=ChainableUndefined, autoescape=False, finalize=_finalized_value)
    environment.policies["json.dumps_function"] = _as_json
    try:
        template = environment.from_string(text.replace("\\n", "\n").replace("\\t", "\t"))
    except TemplateError as error:
        raise MisuseError(f"--template: {error}") from None

    def made(record: Any) -> str:
        members = record if is_object(record) else {"value": record}
        try:
            return visible(template.render({**members, "record": record}))
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            raise MisuseError(f"--template: {error}") from None

    return made


def _as_json(value: Any, **options: Any) -> str:
    return encode_json(value).decode()


def _finalized_value(value: Any) -> Any:
    from .values import field_text

    return value if isinstance(value, str) or value.__class__.__name__.endswith("Undefined") else field_text(value)
