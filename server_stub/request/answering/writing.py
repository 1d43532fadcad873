"""The bytes of an answer: the JSON of a stored document is written once per type and dialect, and cached in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias, get_args, get_origin

from crm_sdk.models.record import Model
from crm_sdk.wire import encode_json, is_object

from ...data.document import Document
from .rendering import Render, choices_of, model_chooser, renderer, tagged_choices, without_annotated

Write: TypeAlias = Callable[[Any], bytes]


class Written(bytes):
    """JSON bytes, to be inserted into a body unchanged."""

    __slots__ = ()


@lru_cache(maxsize=4096)
def writer(annotation: Any, dialect: str) -> Write:
    """Return a function that writes a value of a declared type as the JSON of a dialect, see `renderer`."""
    kind = without_annotated(annotation)
    if isinstance(kind, type) and issubclass(kind, Model):
        return _keeping(renderer(kind, dialect))
    if get_origin(kind) in (list, tuple):
        return _list_of(writer(get_args(kind)[0], dialect))
    tagged = tagged_choices(annotation)
    if tagged is not None:
        tag_of, of_tag = tagged
        by_tag = {tag: writer(one, dialect) for tag, one in of_tag.items()}
        return lambda value: by_tag[tag_of(value)](value) if is_object(value) else encode_json(value)
    models = choices_of(kind)
    if len(models) == 1:
        return writer(models[0], dialect)
    if models:
        choose = model_chooser(models)
        return lambda value: writer(choose(value), dialect)(value) if is_object(value) else encode_json(value)
    render = renderer(annotation, dialect)
    return lambda value: encode_json(render(value))


def _keeping(render: Render) -> Write:
    def write(value: Any) -> bytes:
        return encode_json(render(value))

    return lambda value: value.write_once(render, write) if type(value) is Document else write(value)


def _list_of(write: Write) -> Write:
    def write_all(values: Iterable[Any] | None) -> bytes:
        return b"null" if values is None else b"[%b]" % b",".join([write(value) for value in values])

    return write_all


def write_body(body: Any) -> bytes:
    """Return the JSON of a body, of which a member or the whole may be `Written`."""
    if isinstance(body, Written):
        return body
    if not is_object(body) or not any(isinstance(value, Written) for value in body.values()):
        return encode_json(body)
    return b"{%b}" % b",".join([_name(name) + _member(value) for name, value in body.items()])


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return encode_json(name) + b":"


def _member(value: Any) -> bytes:
    if isinstance(value, Written):
        return value
    if value is True:
        return b"true"
    return encode_json(value) if value != [] else b"[]"
