"""How a document becomes the JSON of a dialect: by the declared type of the answer, member by member."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from crm_sdk.models.record import Model
from crm_sdk.wire import camel, is_array, is_object, shape_of

Render = Callable[[Any], Any]


def _as_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=4096)
def renderer(annotation: Any, dialect: str) -> Render:
    """Return what writes a value of a declared type the way a dialect does."""
    kind = annotation
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Model):
        return _model(kind, dialect)
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(tuple(arg for arg in args if arg is not type(None)), dialect)
    if origin in (list, tuple):
        each = renderer(args[0], dialect)
        return (
            _as_is if each is _as_is else lambda values: None if values is None else [each(value) for value in values]
        )
    if origin is dict:
        inner = renderer(args[1], dialect)
        if inner is not _as_is:
            return lambda members: members and {name: inner(value) for name, value in members.items()}
    return _as_is


def _model(kind: type[Model], dialect: str) -> Render:
    shape = shape_of(kind, dialect)
    plan: list[tuple[str, str, Render, FieldInfo, bool, bool]] = []
    for name, info in kind.model_fields.items():
        if shape is not None and name not in shape.names:
            continue
        wire_name = shape.names[name] if shape is not None else info.serialization_alias or camel(name)
        optional = shape is not None and name in shape.optional
        text = shape is not None and name in shape.text
        plan.append((name, wire_name, _later(info.annotation, dialect), info, optional, text))

    def render(doc: Any) -> Any:
        if not is_object(doc):
            return doc
        out: dict[str, Any] = {}
        for name, wire_name, write, info, optional, text in plan:
            value = doc.get(name)
            if value is None:
                if name not in doc and not info.is_required():
                    value = info.get_default(call_default_factory=True)
                if value is None:
                    if not optional:
                        out[wire_name] = None
                    continue
            out[wire_name] = "\n".join(value) if text and is_array(value) else write(value)
        return out

    return render


def _later(annotation: Any, dialect: str) -> Render:
    """Return what writes a member; found at the first use, since a model may hold models of its own kind."""
    if _is_plain(annotation):
        return _as_is

    def write(value: Any) -> Any:
        return renderer(annotation, dialect)(value)

    return write


def _is_plain(annotation: Any) -> bool:
    """Tell whether values of a type are written as they are: no model is within it."""
    kind = annotation
    if isinstance(kind, type) and issubclass(kind, Model):
        return False
    return all(_is_plain(arg) for arg in get_args(kind))


def _union(choices: tuple[Any, ...], dialect: str) -> Render:
    models = [
        choice for choice in map(_without_annotated, choices) if isinstance(choice, type) and issubclass(choice, Model)
    ]
    if not models:
        inner = [renderer(choice, dialect) for choice in choices]
        return next((render for render in inner if render is not _as_is), _as_is)
    if len(models) == 1:
        return renderer(models[0], dialect)
    by_kind = {word: model for model in models for word in _kinds(model)}
    return lambda doc: renderer(by_kind.get(doc.get("kind"), models[-1]), dialect)(doc)


def _without_annotated(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _kinds(model: type[Model]) -> tuple[str, ...]:
    """Return the values of ``kind`` that tell a model from the others of its union."""
    info = model.model_fields.get("kind")
    return get_args(info.annotation) if info is not None and get_origin(info.annotation) is Literal else ()
