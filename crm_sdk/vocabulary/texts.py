"""What arguments, members and error codes are, in words: the same in the CLI's help, the reference and OpenAPI.

The description of a member is the docstring under it; else that of the member of the record (`LeadCreate` looks in
`Lead`); else what the `glossary` has for its name; else what follows from its name (``deal_id`` is the id of a deal).
Docstrings are read from the source files when a description is first needed: imports are not slowed down.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from typing_extensions import is_typeddict

from .error_glossary import MEANINGS
from .glossary import GLOSSARY, words_of

if TYPE_CHECKING:
    from ..operation import Operation


def of_member(kind: Any, name: str) -> str | None:
    """Return the description of a member of a model or an input; None where there is none."""
    return _documented_text(kind, name) or GLOSSARY.get(name) or _by_name(name)


def of_argument(operation: Operation[Any, Any], name: str) -> str | None:
    """Return the description of an argument of a call; None where there is none."""
    said = operation.flags.texts.get(name)
    if said is not None:
        return said
    arguments = operation.arguments
    if name == arguments.body:
        return summary(arguments.body_type)
    record = _record_of(operation)
    if operation.kind == "page" and name in getattr(record, "model_fields", {}) and name not in operation.positional:
        return _of_filter(arguments.types[name], name)
    return GLOSSARY.get(name) or (_documented_text(record, name) if record is not None else None) or _by_name(name)


def of_code(code: str) -> str:
    """Return what an error code means."""
    return MEANINGS[code]


def summary(kind: Any) -> str:
    """Return the first paragraph of the docstring of a model or an input, as one line."""
    return _one_line((inspect.getdoc(kind) or "").partition("\n\n")[0])


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _record_of(operation: Operation[Any, Any]) -> Any:
    """Return the model of the record that a call returns; of a page, the model of its records."""
    kind = operation.arguments.returns
    return get_args(kind)[0] if operation.kind == "page" else kind


def members_of_answer(operation: Operation[Any, Any]) -> Iterable[str]:
    """Return the names of the members of what a call answers, as Python has them."""
    found: Mapping[str, Any] = getattr(_record_of(operation), "model_fields", {})
    return found.keys()


def _of_filter(kind: Any, name: str) -> str:
    """Return the description of a list's argument that has the name of a member of the records: a filter."""
    kinds = get_args(kind) or (kind,)
    if bool in kinds:
        return f"Only those that are {words_of(name)}, or only those that are not."
    if any(get_origin(each) in (list, Sequence) for each in kinds):
        return f"Only those with all of these {words_of(name)}."
    return f"Only those with this {words_of(name)}."


def _by_name(name: str) -> str | None:
    """Return the description that follows from a name alone; None where none does."""
    for ending, text in (
        ("_ids", "Ids of {}s."), ("_id", "Id of the {}."), ("_count", "Number of {}s."), ("_url", "URL of the {}."),
        ("_after", "Only those whose {} is at this time or later."), ("_before", "Only those whose {} is earlier."),
    ):  # fmt: skip
        if name.endswith(ending):
            return text.format(words_of(name.removesuffix(ending)))
    for beginning, text in (
        ("min_", "Only those with at least this {}."),
        ("max_", "Only those with at most this {}."),
    ):
        if name.startswith(beginning):
            return text.format(words_of(name.removeprefix(beginning)))
    return None


def _documented_text(kind: Any, name: str) -> str | None:
    for each in _lineage(kind):
        found = _docstrings(each.__module__).get(each.__name__.partition("[")[0], {}).get(name)
        if found is not None:
            return found
    return None


def _lineage(kind: Any) -> Iterator[Any]:
    """Yield a class and its bases; of an input (`LeadCreate`) also its record (`Lead`) and the bases of that."""
    if not isinstance(kind, type):
        return
    yield from _bases(kind)
    for ending in ("Create", "Update", "Upsert", "Draft", "Input"):
        if kind.__name__.endswith(ending):
            record = getattr(sys.modules[kind.__module__], kind.__name__.removesuffix(ending), None)
            if isinstance(record, type) and record is not kind:
                yield from _bases(record)


def _bases(kind: type[Any]) -> Iterator[Any]:
    if is_typeddict(kind):  # a TypedDict has no `__mro__` of its bases, only `__orig_bases__`
        yield kind
        for base in getattr(kind, "__orig_bases__", ()):
            if is_typeddict(base):
                yield from _bases(base)
    else:
        yield from (each for each in kind.__mro__ if each.__module__.startswith("crm_sdk."))


@cache
def _docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the docstrings under the members of each class of a module."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.ClassDef):
            members = found[node.name] = {}
            for member, after in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(member, ast.AnnAssign)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                    and isinstance(after.value.value, str)
                ):
                    members[ast.unparse(member.target)] = _one_line(after.value.value)
    return found
