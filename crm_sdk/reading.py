"""Read an answer as its documented type; where it deviates, keep the values and list the deviations.

pydantic validates the bytes, which is fast. An answer that does not match its document is then read again, member by
member: a member that is missing or of the wrong type becomes None, an item that is not a record is left out, and both
are listed in `mismatches` with what was received. So every attribute has its annotated type, or is None.
"""

from __future__ import annotations

import logging
import math
import re
import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import AliasChoices, AwareDatetime, Discriminator, TypeAdapter
from pydantic import ValidationError as _Invalid
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from .frozen import real_dates
from .models.record import Mismatch, Model
from .wire import ExactFloat, decode_json, has_long_numbers, is_array, is_object, read_instant

T = TypeVar("T")
M = TypeVar("M", bound=Model)

_log = logging.getLogger("crm_sdk")
_KINDS_LOGGED = 1000  # the keys of a free-form object may be as many as there are records


def report(place: str, mismatches: Sequence[Mismatch], reported: set[tuple[str, str, str]]) -> None:
    """Log each kind of deviation of a call's answers once; `reported` are those that were."""
    for mismatch in mismatches:
        kind = (place, re.sub(r"\b\d+\b", "*", mismatch.path), mismatch.kind)
        if kind not in reported and len(reported) < _KINDS_LOGGED:
            reported.add(kind)
            _log.warning(
                "%s: the answer deviates from its document at %s: %s (further ones of this kind are not logged)",
                *kind[:2],
                mismatch.message,
            )


class Unreadable(Exception):  # noqa: N818 # internal: it becomes an InvalidResponseError
    """The content is not JSON or cannot be read as the documented type; with `strict`, it deviates in any way."""

    def __init__(self, message: str, mismatches: tuple[Mismatch, ...] = ()) -> None:
        super().__init__(message)
        self.mismatches = mismatches


class Reader(Generic[T]):
    """Reads one documented type from JSON."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        with real_dates():
            self.adapter: TypeAdapter[T] = TypeAdapter(annotation)

    def read(self, content: bytes, *, strict: bool) -> tuple[T, tuple[Mismatch, ...]]:
        """Return the value and its deviations. Raises: Unreadable; with `strict` for any deviation."""
        try:
            if has_long_numbers(content):
                return _with_floats(self.adapter.validate_python(decode_json(content))), ()
            return self.adapter.validate_json(content), ()
        except _Invalid:
            pass
        except ValueError as error:
            raise Unreadable(f"not JSON: {error}") from error
        try:
            found = decode_json(content)
        except ValueError as error:
            raise Unreadable(f"not JSON: {error}") from error
        return self._settle(found, strict=strict)

    def fit(self, found: object) -> tuple[T, tuple[Mismatch, ...]]:
        """Return the value and the deviations of decoded JSON. Raises: Unreadable."""
        try:
            return self.adapter.validate_python(found), ()
        except _Invalid:
            return self._settle(found, strict=False)

    def _settle(self, found: Any, *, strict: bool) -> tuple[T, tuple[Mismatch, ...]]:
        noted: list[Mismatch] = []
        value = _plain(_read_leniently(self.annotation, found, "", noted))
        mismatches = tuple(noted)
        check(self.annotation, value, mismatches)
        if strict and mismatches:
            raise Unreadable(_summary(mismatches), mismatches)
        return cast(T, _with_floats(value)), mismatches


def _summary(mismatches: tuple[Mismatch, ...]) -> str:
    more = len(mismatches) - 5
    return "; ".join(map(str, mismatches[:5])) + (f"; and {more} more" if more > 0 else "")


def check(annotation: Any, value: Any, mismatches: tuple[Mismatch, ...]) -> None:
    """Raise `Unreadable` for a value of another kind than documented: not a model, not a list or not an object."""
    wanted = _container_of(_strip_annotations(annotation))
    if wanted is not None and not isinstance(value, wanted):
        raise Unreadable(f"{_words(wanted)} was expected, not {_words(type(cast(object, value)))}", mismatches)


def check_usable(value: object, mismatches: tuple[Mismatch, ...]) -> None:
    """Raise `Unreadable` for an object that is not what was asked for, whatever else it may be."""
    if isinstance(value, Model) and (lacking := _lacks(value)):
        raise Unreadable(f"a {type(value).__name__} was expected, which has {lacking}", mismatches)


@cache
def _required_fields(kind: type[Model]) -> tuple[str, ...]:
    return tuple(name for name, field in kind.model_fields.items() if field.is_required())


def _lacks(value: Model) -> str | None:
    """Return what a model lacks without which it is not what was asked for; None where it lacks nothing.

    A record has its id; anything else has at least one of the members that it must have.
    """
    kind = type(value)
    needed = _required_fields(kind)
    if "id" in needed:
        return None if getattr(value, "id", None) else "an id"
    if needed:
        return None if any(getattr(value, name, None) is not None for name in needed) else " or ".join(needed[:3])
    # A member with a default is there whatever was answered: it has to say something.
    return None if not kind.one_of or any(getattr(value, name) for name in kind.one_of) else " or ".join(kind.one_of)


def _container_of(kind: object) -> type[object] | None:
    if is_typeddict(kind):
        return dict
    if isinstance(kind, type) and issubclass(kind, Model):
        return kind
    return list if get_origin(kind) is list else None


def _words(kind: type[object]) -> str:
    return {"dict": "an object", "list": "an array", "NoneType": "null"}.get(kind.__name__, f"a {kind.__name__}")


def _with_floats(value: Any) -> Any:
    """Replace the `ExactFloat` values that are left after amounts were read by plain floats."""
    if isinstance(value, ExactFloat):
        return float(value)
    members: Any = vars(value) if isinstance(value, Model) else value
    if is_object(members):
        for name, member in members.items():
            members[name] = _with_floats(member)
    elif is_array(members):
        members[:] = [_with_floats(member) for member in members]
    if isinstance(value, Model) and value.__pydantic_extra__:
        _with_floats(value.__pydantic_extra__)
    return value


@lru_cache(maxsize=2048)
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    with real_dates():
        return TypeAdapter(annotation)


class _Misfit:
    """What does not fit at all: what holds it decides what becomes of it."""

    __slots__ = ("found",)

    def __init__(self, found: object) -> None:
        self.found = found


def _plain(value: Any) -> Any:
    return value.found if isinstance(value, _Misfit) else value


def _read_leniently(annotation: Any, found: Any, path: str, mismatches: list[Mismatch]) -> Any:
    """Read `found` as `annotation`, and add deviations to `mismatches` instead of failing."""
    kind = _strip_annotations(annotation)
    origin = get_origin(kind)
    if isinstance(kind, type) and issubclass(kind, Model):
        return _lenient_model(kind, found, path, mismatches)
    if is_object(found) and is_typeddict(cast(object, kind)):
        return _lenient_dict(kind, found, path, mismatches)
    if origin in (Union, types.UnionType):
        return _lenient_union(annotation, kind, found, path, mismatches)
    if origin is list and is_array(found):
        (inner,) = get_args(kind)
        items = (_read_leniently(inner, item, f"{path}.{n}".lstrip("."), mismatches) for n, item in enumerate(found))
        return [item for item in items if not isinstance(item, _Misfit)]
    if origin is dict and is_object(found):
        _, inner = get_args(kind)
        read = {n: _read_leniently(inner, item, f"{path}.{n}".lstrip("."), mismatches) for n, item in found.items()}
        return {name: None if isinstance(item, _Misfit) else item for name, item in read.items()}
    value: Any = found
    try:
        fit = _adapter(annotation).validate_python(value)
    except _Invalid as error:
        from .models.auth import Credential

        first = error.errors()[0]
        secret = kind is Credential
        mismatches.append(Mismatch(path or "the answer", first["type"], first["msg"], None if secret else value))
        if secret:
            return Credential(value) if isinstance(value, int) else None
        return _nearest(kind, value)
    return _finite(fit, path, mismatches)


def _finite(value: Any, path: str, mismatches: list[Mismatch]) -> Any:
    """Return a value, or note that it is NaN or Infinity, which pydantic takes for a float outside of a model."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    mismatches.append(Mismatch(path or "the answer", "finite_number", "a finite number was expected", value))
    return _Misfit(value)


def _lenient_union(annotation: Any, kind: Any, found: Any, path: str, mismatches: list[Mismatch]) -> Any:
    try:
        return _finite(_adapter(annotation).validate_python(found), path, mismatches)
    except _Invalid:
        choices = _matching_branches(annotation, [arg for arg in get_args(kind) if arg is not type(None)], found)
        best: tuple[Any, list[Mismatch]] | None = None
        for choice in choices:
            noted: list[Mismatch] = []
            value = _read_leniently(choice, found, path, noted)
            if best is None or len(noted) < len(best[1]):
                best = value, noted
        if best is None:
            raise
        mismatches.extend(best[1])
        return best[0]


def _matching_branches(annotation: Any, choices: list[Any], found: Any) -> list[Any]:
    """Return the branch of a union that its discriminator selects, or all branches of a union without one."""
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Discriminator) and callable(mark.discriminator):
            tag = mark.discriminator(found)
            return [choice for choice in choices if any(getattr(m, "tag", None) == tag for m in choice.__metadata__)]
    return choices


def _lenient_model(kind: type[Model], found: Any, path: str, mismatches: list[Mismatch]) -> Any:
    if not is_object(found):
        mismatches.append(Mismatch(path or "the answer", "model_type", "an object was expected", found))
        return _Misfit(found)
    rest = dict(found)
    noted: list[Mismatch] = []
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        wire_name = next((alias for alias in _aliases(name, field) if alias in rest), None)
        here = f"{path}.{wire_name or field.alias or name}".lstrip(".")
        if wire_name is not None:
            value = _read_leniently(_annotation(field), rest.pop(wire_name), here, noted)
            values[name] = None if isinstance(value, _Misfit) else value
        elif field.is_required():
            noted.append(Mismatch(here, "missing", "it is missing"))
            values[name] = None
    mismatches.extend(noted)
    return construct(kind, values, rest, tuple(noted))


def construct(kind: type[M], values: Mapping[str, Any], rest: Mapping[str, Any], noted: tuple[Mismatch, ...]) -> M:
    """Return a model with values that are not validated; `rest` are its unknown members."""
    model = kind.model_construct(set(values) | set(rest), **values)
    # Not by `model_construct`: it would assign an unknown member to a field that has its name as an alias.
    object.__setattr__(model, "__pydantic_extra__", dict(rest))
    if noted:
        private = dict(model.__pydantic_private__ or {})
        object.__setattr__(model, "__pydantic_private__", private | {"mismatches": noted})
    return model


def _lenient_dict(kind: Any, found: dict[str, Any], path: str, mismatches: list[Mismatch]) -> dict[str, Any]:
    values = dict(found)
    hints = get_type_hints(kind, include_extras=True)
    for name, hint in hints.items():
        annotation = _strip_qualifiers(hint)
        here = f"{path}.{name}".lstrip(".")
        if name in values:
            values[name] = _plain(_read_leniently(annotation, values[name], here, mismatches))
        elif name in kind.__required_keys__ and str(get_origin(hint)) not in _OPTIONAL:
            mismatches.append(Mismatch(here, "missing", "it is missing"))
    return values


def _annotation(field: FieldInfo) -> Any:
    kind: Any = field.annotation
    return Annotated[kind, *field.metadata] if field.metadata else kind


def _aliases(name: str, field: FieldInfo) -> list[str]:
    found = field.validation_alias
    choices = found.choices if isinstance(found, AliasChoices) else [found]
    return [*(choice for choice in choices if isinstance(choice, str)), name]


def _strip_qualifiers(hint: Any) -> Any:
    while str(get_origin(hint)) in _QUALIFIERS:
        hint = get_args(hint)[0]
    return hint


def _strip_annotations(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated or str(get_origin(annotation)) in _QUALIFIERS:
        annotation = get_args(annotation)[0]
    return annotation


_OPTIONAL = frozenset({"typing.NotRequired", "typing_extensions.NotRequired"})
_QUALIFIERS = _OPTIONAL | frozenset({"typing.Required", "typing_extensions.Required"})


def _nearest(kind: Any, found: Any) -> Any:
    """Return a usable value for one of the wrong type: a time without a zone is read as UTC."""
    if kind in (datetime, AwareDatetime) and (instant := read_instant(found)) is not None:
        return instant
    return _Misfit(found)


def choices_of(annotation: Any) -> tuple[str, ...]:
    """Return the documented values of an enumeration: the members of its Literal, at any depth."""
    kind = _strip_annotations(annotation)
    if get_origin(kind) is Literal:
        return tuple(str(word) for word in get_args(kind))
    return tuple(word for arg in get_args(kind) for word in choices_of(arg))


@lru_cache(maxsize=256)
def job_reader(kind: Any) -> Reader[Any]:
    """Return the reader of the platform's answer to a request for the state of a job."""
    from .dialects import DIALECTS

    return Reader(DIALECTS["platform"].envelope(kind, listed=False, path=""))
