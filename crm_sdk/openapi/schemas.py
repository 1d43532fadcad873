"""JSON Schemas of the declared types in one dialect, with the members and names of that dialect."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from ..arguments import is_required
from ..models.marks import DocumentedAs, Format, OpenVocabulary, ReadAs
from ..models.record import Model
from ..models.values import EMAIL_PATTERN, LARGEST_NUMBER, URL_PATTERN
from ..vocabulary import texts
from ..wire import Shape, camel, member_name, shape_of

Schema: TypeAlias = dict[str, Any]

_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    AwareDatetime: {"type": "string", "format": "date-time"},
    Any: {},
    object: {},
    None: {"type": "null"},
    type(None): {"type": "null"},
}
_QUALIFIERS = frozenset(
    f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("Required", "NotRequired")
)


class Schemas:
    """The schemas of one dialect; those of records and inputs are components that other schemas refer to."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.components: dict[str, Schema] = {}

    def of(self, annotation: Any, *, written: bool = False) -> Schema:
        """Return the schema of a type in answers or, with `written`, in requests, where each number has its bounds."""
        schema = self._mark(annotation, written)
        return _bounded_numbers(schema) if written else schema

    def _mark(self, annotation: Any, written: bool) -> Schema:
        marks: tuple[Any, ...] = ()
        while get_origin(annotation) is Annotated or str(get_origin(annotation)) in _QUALIFIERS:
            annotation, *more = get_args(annotation)
            marks = (*more, *marks)
        schema = self._of(annotation, marks, written)
        for mark in marks:
            schema = _with_constraints(schema, mark)
        return schema

    def resolve(self, kind: Any) -> Schema:
        """Return the schema of a record or an input itself, rather than a reference to it."""
        return self.components[self._reference(kind)["$ref"].rpartition("/")[2]]

    def _of(self, kind: Any, marks: tuple[Any, ...], written: bool) -> Schema:
        origin, args = get_origin(kind), get_args(kind)
        lineage: tuple[Any, ...] = getattr(kind, "__mro__", ())
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if Model in lineage or is_typeddict(kind):
            return self._reference(kind)
        if str in lineage:  # a credential
            return {"type": "string"}
        if origin is Literal:
            return {"type": "string", "enum": list(args)}
        if origin in (Union, types.UnionType):
            return self._union(args, marks, written)
        if origin in (list, Sequence):
            return {"type": "array", "items": self.of(args[0], written=written)}
        if origin in (dict, Mapping):
            inner = self.of(args[1], written=written)
            return {"type": "object", "additionalProperties": inner or True}
        raise TypeError(f"{kind!r} has no JSON Schema yet: add it to {__name__}")

    # -- unions ------------------------------------------------------------------------------------------------

    def _union(self, choices: tuple[Any, ...], marks: tuple[Any, ...], written: bool) -> Schema:
        words = [word for choice in choices for word in get_args(choice) if get_origin(choice) is Literal]
        if words and all(choice in (str, type(None)) or get_origin(choice) is Literal for choice in choices):
            is_open = not written or any(isinstance(mark, OpenVocabulary) for mark in marks)
            return _vocabulary(words, open=is_open and str in choices, nullable=type(None) in choices)
        schemas = _distinct(self._mark(choice, written) for choice in choices)
        known = [self._kinds(choice) for choice in choices]
        mapping = {word: ref for kinds in known for word, ref in kinds.items()}
        if len(mapping) > 1:
            # The last branch is for unknown kinds. It also matches known ones: hence `anyOf` rather than `oneOf`.
            return {"anyOf": schemas, "discriminator": {"propertyName": "kind", "mapping": mapping}}
        return _either(schemas)

    def _kinds(self, choice: Any) -> Mapping[str, str]:
        """Return the values of ``kind`` that select a model in its union, each with the reference to its schema."""
        while get_origin(choice) is Annotated:
            choice = get_args(choice)[0]
        info = getattr(choice, "model_fields", {}).get("kind")
        if info is None or get_origin(info.annotation) is not Literal:
            return {}
        return {word: self._reference(choice)["$ref"] for word in get_args(info.annotation)}

    # -- records and inputs ------------------------------------------------------------------------------------

    def _reference(self, kind: type[Any]) -> Schema:
        name = component_name(kind)
        if name not in self.components:
            self.components[name] = {}  # registered first: the model may contain itself
            self.components[name] = self._input(kind) if is_typeddict(kind) else self._model(kind)
        return {"$ref": f"#/components/schemas/{name}"}

    def _model(self, kind: type[Model]) -> Schema:
        shape = shape_of(kind, self.dialect)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for name, info in kind.model_fields.items():
            if shape is not None and name not in shape.names:
                continue
            wire_name = _wire_name(shape, name, info)
            schema = self._document(info)
            if shape is not None and name in shape.text:
                schema = {"type": ["string", "null"]}
            properties[wire_name] = _with_description(schema, texts.of_member(kind, name))
            if shape is None or name not in shape.optional:
                required.append(wire_name)
        return _object(properties, required, texts.summary(kind))

    def _document(self, info: FieldInfo) -> Schema:
        for mark in info.metadata:
            if isinstance(mark, DocumentedAs) and mark.dialect == self.dialect:
                return self.of(mark.kind)
        return self.of(Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation)

    def _input(self, kind: Any) -> Schema:
        shape = shape_of(kind, self.dialect)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for name, hint in get_type_hints(kind, include_extras=True).items():
            if shape is not None and name not in shape.names:
                continue
            wire_name = shape.names[name] if shape is not None else member_name(kind, name)
            schema = self.of(hint, written=True)
            if shape is not None and name in shape.text:
                schema = {"type": ["string", "null"]}
            properties[wire_name] = _with_description(schema, texts.of_member(kind, name))
            if is_required(kind, name, hint):
                required.append(wire_name)
        return _object(properties, required, texts.summary(kind)) | {"additionalProperties": False}


def component_name(kind: Any) -> str:
    """Return the name of the component of a record or an input: ``BulkResult[Lead]`` is BulkResult_Lead."""
    generic: Mapping[str, Any] = getattr(kind, "__pydantic_generic_metadata__", None) or {}
    if not generic.get("args"):
        return str(kind.__name__)
    inner = ("None" if arg in (None, type(None)) else component_name(arg) for arg in generic["args"])
    return "_".join((generic["origin"].__name__, *inner))


def _wire_name(shape: Shape | None, name: str, info: FieldInfo) -> str:
    return shape.names[name] if shape is not None else info.serialization_alias or camel(name)


def _object(properties: Mapping[str, Schema], required: Sequence[str], text: str) -> Schema:
    schema: Schema = {"type": "object", "description": text, "properties": dict(properties)}
    return schema | ({"required": list(required)} if required else {})


def _with_description(schema: Schema, text: str | None) -> Schema:
    return schema if text is None else {**schema, "description": text}


def _vocabulary(words: Sequence[str], *, open: bool, nullable: bool) -> Schema:
    words = tuple(dict.fromkeys(words))  # several vocabularies may share a word
    known: Schema = {"type": "string", "enum": list(words)}
    if open:
        return {"anyOf": [known, {"type": ["string", "null"] if nullable else "string"}]}
    return {"type": ["string", "null"], "enum": [*words, None]} if nullable else known


def types_of(schema: Schema) -> list[str]:
    """Return the types of a schema; none where it refers to another schema."""
    kinds: str | list[str] = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def one_or_many(kinds: list[str]) -> str | list[str]:
    """Return the value of the keyword ``type`` for one or several types."""
    return kinds[0] if len(kinds) == 1 else kinds


def _either(schemas: Sequence[Schema]) -> Schema:
    """Return the schema of a union. Plain types are combined in one list of types."""
    listed = [kind for schema in schemas if schema.keys() == {"type"} for kind in types_of(schema)]
    if "number" in listed:
        listed = [name for name in listed if name != "integer"]
    others = [schema for schema in schemas if schema.keys() != {"type"}]
    if len(others) == 1 and listed == ["null"] and isinstance(others[0].get("type"), str) and "enum" not in others[0]:
        return {**others[0], "type": [others[0]["type"], "null"]}
    if listed:
        others.append({"type": one_or_many(listed)})
    return others[0] if len(others) == 1 else {"anyOf": others}


def _distinct(schemas: Iterable[Schema]) -> list[Schema]:
    found: list[Schema] = []
    for schema in schemas:
        if schema not in found:
            found.append(schema)
    return found


def _bounded_numbers(schema: Schema) -> Schema:
    """Return a schema whose numbers have bounds: those of every number where their type names none."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_bounded_numbers(choice) for choice in schema["anyOf"]]}
    if set(_NUMBERS).isdisjoint(types_of(schema)):
        return schema
    low = {} if schema.keys() & {"minimum", "exclusiveMinimum"} else {"exclusiveMinimum": -float(LARGEST_NUMBER)}
    high = {} if schema.keys() & {"maximum", "exclusiveMaximum"} else {"exclusiveMaximum": float(LARGEST_NUMBER)}
    return {**schema, **low, **high}


def _with_constraints(schema: Schema, mark: Any) -> Schema:
    """Return a schema with the constraints of a mark of its annotation, in each branch to which they apply."""
    if isinstance(mark, Format):
        return {**schema, "format": mark.name}
    parts = mark.metadata if isinstance(mark, FieldInfo) else ()
    if isinstance(mark, ReadAs) and get_origin(mark.target) is Annotated:  # what is given is checked as its target
        parts = get_args(mark.target)[1:]
    if parts:
        for each in parts:
            schema = _with_constraints(schema, each)
        return schema
    bounds = dict(_bounds(mark))
    if not bounds:
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with_constraints(choice, mark) for choice in schema["anyOf"]]}
    fitting = {key: value for (key, kinds), value in bounds.items() if not set(kinds).isdisjoint(types_of(schema))}
    return schema | fitting


_FORMATS: Mapping[str, str] = {EMAIL_PATTERN: "email", URL_PATTERN: "uri"}
"""The formats of the texts that our patterns check; a server checks them more strictly."""

_NUMBERS = ("integer", "number")


def _bounds(mark: Any) -> Iterator[tuple[tuple[str, tuple[str, ...]], Any]]:
    """Yield the constraints of a mark: the keyword, the types to which it applies, and its value."""
    if isinstance(mark, Ge):
        yield ("minimum", _NUMBERS), mark.ge
    elif isinstance(mark, Gt):
        yield ("exclusiveMinimum", _NUMBERS), mark.gt
    elif isinstance(mark, Le):
        yield ("maximum", _NUMBERS), mark.le
    elif isinstance(mark, Lt):
        yield ("exclusiveMaximum", _NUMBERS), mark.lt
    elif isinstance(mark, MinLen):
        yield ("minLength", ("string",)), mark.min_length
        yield ("minItems", ("array",)), mark.min_length
        yield ("minProperties", ("object",)), mark.min_length
    elif isinstance(mark, MaxLen):
        yield ("maxLength", ("string",)), mark.max_length
        yield ("maxItems", ("array",)), mark.max_length
        yield ("maxProperties", ("object",)), mark.max_length
    pattern = getattr(mark, "pattern", None)
    if isinstance(pattern, str):
        keyword = "format" if pattern in _FORMATS else "pattern"
        yield (keyword, ("string",)), _FORMATS.get(pattern, pattern)
