"""The language of templates: Jinja2's expressions, filters and conditions in a sandbox, without calls.

What could make a text or a calculation grow without bound (calls, loops, powers, products, most filters) is refused
when a template is written, not when it is filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...problems import FieldError, Problem, validation

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

_FILTERS = frozenset({
    "abs", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "last", "length", "lower",
    "reverse", "round", "string", "striptags", "title", "trim", "truncate", "upper", "urlencode", "wordcount",
})  # fmt: skip
_REFUSED = (
    "Call", "Pow", "Mul", "Mod", "Keyword", "For", "Macro", "CallBlock", "FilterBlock", "With", "Block", "Include",
    "Import", "FromImport", "Extends", "Assign", "AssignBlock", "ScopedEvalContextModifier", "EvalContextModifier",
    "Slice",
)  # fmt: skip
"""What the language of templates does not have."""


@lru_cache(maxsize=2)
def _environment(html: bool) -> Environment:
    from jinja2 import StrictUndefined  # imported here: only templates need it
    from jinja2.sandbox import SandboxedEnvironment

    made = SandboxedEnvironment(autoescape=html, undefined=StrictUndefined, keep_trailing_newline=True)
    made.filters = {name: made.filters[name] for name in sorted(_FILTERS)}
    made.globals = {}
    return made


@lru_cache(maxsize=1024)
def _read(text: str) -> nodes.Template | tuple[str, int]:
    """Return the parsed text, or what is wrong with it and in which line."""
    from jinja2 import TemplateSyntaxError, nodes

    refused = tuple(getattr(nodes, name) for name in _REFUSED)
    try:
        tree = _environment(False).parse(text)
        for node in tree.find_all(nodes.Node):
            if isinstance(node, refused):
                return f"a template has no {type(node).__name__.lower()}", node.lineno
            name = node.attr if isinstance(node, nodes.Getattr) else _key_of(node)
            if isinstance(name, str) and name.startswith("_"):
                return f"a template has no access to {name}", node.lineno
            if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
                return f"there is no filter {node.name!r}; there are {', '.join(sorted(_FILTERS))}", node.lineno
            if isinstance(node, nodes.Test) and node.name not in _environment(False).tests:
                return f"there is no test {node.name!r}", node.lineno
        _environment(False).compile(text)
    except TemplateSyntaxError as error:
        return error.message or "it cannot be read", error.lineno
    except (RecursionError, SyntaxError):  # of Python's own compiler: it indents by as many levels as there are
        return "it is nested too deeply", 1
    return tree


def _key_of(node: Any) -> object:
    from jinja2 import nodes

    return node.arg.value if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) else None


def read(text: str, field: str = "content") -> nodes.Template:
    """Return the parsed text of a template. Raises: 422 TEMPLATE_SYNTAX with the line."""
    found = _read(text)
    if isinstance(found, tuple):
        message, line = found
        raise Problem("TEMPLATE_SYNTAX", f"line {line}: {message}", field=field, rule="format", details={"line": line})
    return found


def variables_in(*texts: str | None) -> list[str]:
    """Return the names of the variables in texts that can be read, in the order in which they come."""
    found: dict[str, None] = {}
    for text in texts:
        tree = _read(text) if text and "{" in text else None
        if tree is not None and not isinstance(tree, tuple):
            found |= dict.fromkeys(name for name, _ in _names(tree))
    return list(found)


def _names(node: Any, optional: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the names in a part of a template, with dots, and whether the text does without a value."""
    from jinja2 import nodes

    if isinstance(node, (nodes.Name, nodes.Getattr)):
        name = _dotted_name(node)
        if name is not None:
            yield name, optional
            return
    tolerant = (isinstance(node, nodes.Filter) and node.name in ("default", "d")) or (
        isinstance(node, nodes.Test) and node.name in ("defined", "undefined")
    )
    for number, child in enumerate(node.iter_child_nodes()):
        yield from _names(child, optional or (tolerant and number == 0))


def _dotted_name(node: Any) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return str(node.name)
    whole = _dotted_name(node.node) if isinstance(node, nodes.Getattr) else None
    return f"{whole}.{node.attr}" if whole is not None else None


def fill(text: str, variables: Mapping[str, str], field: str = "content", *, html: bool = False) -> str:
    """Return a text with the values of its variables.

    Raises: 422 MISSING_VARIABLE that names each missing one; TEMPLATE_SYNTAX for a text that cannot be read or filled.
    """
    if "{" not in text:
        return text
    tree = read(text, field)
    lacking = dict.fromkeys(name for name, optional in _names(tree) if not optional and name not in variables)
    if lacking:
        raise validation(
            FieldError(f"variables.{name}", "required", f"the text needs a value for {name}", "MISSING_VARIABLE")
            for name in lacking
        )
    try:
        return _environment(html).from_string(text).render(_nested_variables(variables))
    except Exception as error:  # whatever an expression does with a value, such as dividing by it
        message = f"the text cannot be filled in: {error}"
        raise Problem("TEMPLATE_SYNTAX", message, field=field, rule="format", details={"line": None}) from None


def _nested_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return values by name, those of dotted names as members of objects."""
    found: dict[str, Any] = {}
    for name, value in sorted(variables.items()):
        *path, last = name.split(".")
        place = found
        for step in path:
            inner = place.get(step)
            place[step] = inner if isinstance(inner, dict) else {}
            place = place[step]
        place[last] = value
    return found
