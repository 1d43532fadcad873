"""Render a document as the JSON of a dialect, member by member, by the declared type of the answer."""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Discriminator, Tag
from pydantic.fields import FieldInfo

from crm_sdk.models.record import Model
from crm_sdk.wire import camel, is_array, is_object, shape_of

from ..access.hiding import Hiding, active

Render = Callable[[Any], Any]
_UNIONS = (Union, types.UnionType)


def _as_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=4096)
def renderer(annotation: Any, dialect: str) -> Render:
    """Return a function that renders a value of a declared type in a dialect."""
    kind = without_annotated(annotation)
    if isinstance(kind, type) and issubclass(kind, Model):
        return _model(kind, dialect)
    origin, args = get_origin(kind), get_args(kind)
    if origin in _UNIONS:
        return _tagged_union(annotation, dialect) or _union(kind, dialect)
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

    tells_changes = {"entity", "changes"} <= kind.model_fields.keys()

    def render(doc: Any) -> Any:
        hiding = active()
        if hiding is not None:
            return render_without(doc, hiding)
        return render_whole(doc)

    def render_without(doc: Any, hiding: Hiding) -> Any:
        """Render a record without the members that are hidden from who reads it."""
        shown = hiding.without_changes(doc) if tells_changes and is_object(doc) else doc
        out = render_whole(shown)
        for name in hiding.members_of(kind, doc) if is_object(doc) else ():
            head, _, rest = name.partition(".")
            wire_name = shape.names.get(head, head) if shape is not None else camel(head)
            if not rest:
                out.pop(wire_name, None)
            elif is_object(out.get(wire_name)):
                out[wire_name] = {key: value for key, value in out[wire_name].items() if key != rest}
        return out

    def render_whole(doc: Any) -> Any:
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
    """Return a function that renders a member, made at its first use, since a model may contain itself."""
    if _is_plain(annotation):
        return _as_is

    def write(value: Any) -> Any:
        return renderer(annotation, dialect)(value)

    return write


def _is_plain(annotation: Any) -> bool:
    """Return whether values of a type need no rendering, since the type contains no model."""
    kind = annotation
    if isinstance(kind, type) and issubclass(kind, Model):
        return False
    return all(_is_plain(arg) for arg in get_args(kind))


def tagged_choices(annotation: Any) -> tuple[Callable[[Any], Hashable], Mapping[Hashable, Any]] | None:
    """Return what tells the tag of a value of a union of tagged models, and the models by tag; None for other types."""
    marks = getattr(annotation, "__metadata__", ())
    choose = next((mark.discriminator for mark in marks if isinstance(mark, Discriminator)), None)
    if not callable(choose):
        return None
    choices = get_args(without_annotated(annotation))
    return choose, {mark.tag: one for one in choices for mark in one.__metadata__ if isinstance(mark, Tag)}


def _tagged_union(annotation: Any, dialect: str) -> Render | None:
    """Return the function for a union of tagged models, chosen by its discriminator; None for any other union."""
    tagged = tagged_choices(annotation)
    if tagged is None:
        return None
    choose, models = tagged
    by_tag = {tag: renderer(one, dialect) for tag, one in models.items()}
    return lambda doc: by_tag[choose(doc)](doc) if is_object(doc) else doc


def _union(kind: Any, dialect: str) -> Render:
    models = choices_of(kind)
    if not models:
        inner = [renderer(choice, dialect) for choice in get_args(kind) if choice is not type(None)]
        return next((render for render in inner if render is not _as_is), _as_is)
    if len(models) == 1:
        return renderer(models[0], dialect)
    choose = model_chooser(models)
    return lambda doc: renderer(choose(doc), dialect)(doc) if is_object(doc) else doc


def choices_of(kind: Any) -> tuple[type[Model], ...]:
    """Return the models of a union, including an optional model; empty where there are none."""
    choices = map(without_annotated, get_args(kind)) if get_origin(kind) in _UNIONS else ()
    return tuple(choice for choice in choices if isinstance(choice, type) and issubclass(choice, Model))


def model_chooser(models: tuple[type[Model], ...]) -> Callable[[Mapping[str, Any]], type[Model]]:
    """Return a function that finds the model of a document among several, by its ``kind``."""
    by_kind = {word: model for model in models for word in _kinds(model)}
    return lambda doc: by_kind.get(doc.get("kind", ""), models[-1])


def without_annotated(annotation: Any) -> Any:
    """Return the type within ``Annotated``."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _kinds(model: type[Model]) -> tuple[str, ...]:
    """Return the values of ``kind`` that select a model in its union."""
    info = model.model_fields.get("kind")
    return get_args(info.annotation) if info is not None and get_origin(info.annotation) is Literal else ()
