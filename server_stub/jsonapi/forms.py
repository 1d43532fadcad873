"""What the resources of JSON:API are made of: their types, relationships and names, read off the declarations."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from crm_sdk.catalogue import declared_operations
from crm_sdk.models.activities import ActivityRecord
from crm_sdk.models.ai_predictions import PredictionRecord
from crm_sdk.models.any_jobs import AnyJob
from crm_sdk.models.custom_records import CustomRecord
from crm_sdk.models.jobs import Job
from crm_sdk.models.record import Model
from crm_sdk.models.values import EntityRef
from crm_sdk.operation import Operation
from crm_sdk.resource import Sync
from crm_sdk.wire import camel, is_object, snake

from ..collected import contributions
from ..nouns.references import target_of
from ..request.answering.rendering import model_chooser, without_annotated

if TYPE_CHECKING:
    from ..noun import Noun

_FAMILIES: tuple[tuple[type[Model], str], ...] = (
    (ActivityRecord, "activity"), (PredictionRecord, "prediction"), (Job, "job"), (AnyJob, "job"),
)  # fmt: skip
"""The types of models that are one kind of several, or of a record that has no noun."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship of a resource."""

    name: str
    member: str
    """The member of the model: `owner_id`, or one that holds references of any type."""
    target: str | None
    """The type of what it refers to; None where each reference says it."""
    many: bool = False

    @property
    def wire(self) -> str:
        """The member's wire name."""
        return camel(self.member)


@dataclass(frozen=True)
class Form:
    """How the records of a model become resources."""

    name: str
    """The type of the resources."""
    model: type[Model]
    relations: Mapping[str, Relation]
    """By name."""
    renamed: Mapping[str, str]
    """The attributes that cannot have their own names, by wire name: a resource has a `type` of its own."""

    @cached_property
    def members(self) -> Mapping[str, str]:
        """The wire name of the member behind every attribute and relationship, by its name here."""
        own = {self.renamed.get(camel(name), camel(name)): camel(name) for name in self.model.model_fields}
        return {**own, **{name: one.wire for name, one in self.relations.items()}}

    @cached_property
    def by_wire(self) -> Mapping[str, Relation]:
        """The relationships by the wire name of their member."""
        return {one.wire: one for one in self.relations.values()}


@dataclass(frozen=True, eq=False)
class Kinds:
    """What an answer holds: one resource, several, or something else."""

    forms: tuple[Form, ...]
    """The forms of its resources; none where it holds something else."""
    many: bool

    def form_of(self, value: Mapping[str, Any]) -> Form:
        """Return the form of one of its resources."""
        if len(self.forms) == 1:
            return self.forms[0]
        model = model_chooser(tuple(form.model for form in self.forms))(value)
        return next(form for form in self.forms if form.model is model)

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """The relationships of all its resources, by name."""
        return {name: one for form in self.forms for name, one in form.relations.items()}

    @cached_property
    def members(self) -> Mapping[str, str]:
        """The wire names of the members of all its resources, by their names here."""
        return {name: wire for form in self.forms for name, wire in form.members.items()}

    def name_of(self, member: str) -> str:
        """Return the name of a member here, by its wire name."""
        for form in self.forms:
            if member in form.by_wire:
                return form.by_wire[member].name
            if member in form.renamed:
                return form.renamed[member]
        return member


class Forms:
    """The forms of all records, made when they are first needed; `records` are the models of those in events."""

    def __init__(self, nouns: Mapping[str, Noun], records: Mapping[str, Any]) -> None:
        self._nouns = nouns
        self._by_model: dict[type[Model], Noun] = {}
        for noun in nouns.values():
            self._by_model.setdefault(noun.model, noun)
        self._kinds = {model: kind for kind, model in records.items() if isinstance(model, type)}
        self._types = frozenset(records) | {noun.stored_as or noun.kind for noun in nouns.values()}
        self._forms: dict[type[Model], Form] = {}
        self._answers: dict[Operation[..., Any], Kinds] = {}

    def answer_of(self, operation: Operation[..., Any]) -> Kinds:
        """Return what the answer of a call holds."""
        found = self._answers.get(operation)
        if found is None:
            found = self._answers[operation] = self._answer_of(operation)
        return found

    def _answer_of(self, operation: Operation[..., Any]) -> Kinds:
        content = without_annotated(operation.arguments.content(Sync))
        many = get_origin(content) is list
        models = _identified_models(get_args(content)[0] if many else content)
        return Kinds(tuple(map(self.form_of, models)), many)

    def form_of(self, model: type[Model]) -> Form:
        """Return the form of the records of a model."""
        found = self._forms.get(model)
        if found is None:
            found = self._forms[model] = self._form_of(model)
        return found

    def models_of(self, type_: str) -> tuple[type[Model], ...]:
        """Return the models of the records of a type that have nouns."""
        nouns = (noun for noun in self._nouns.values() if type_ in (noun.kind, noun.stored_as))
        return tuple(dict.fromkeys(noun.model for noun in nouns))

    def is_type(self, word: str) -> bool:
        """Tell whether a word is the type of some records."""
        return word in self._types

    def _form_of(self, model: type[Model]) -> Form:
        type_ = self._type_of(model)
        relations: dict[str, Relation] = {}
        for name, info in model.model_fields.items():
            relation = self._relation_of(model, type_, name, info.annotation)
            if relation is not None:
                relations[relation.name] = relation
        renamed = {name: f"{name}Name" for name in map(camel, model.model_fields) if name in relations}
        renamed = {name: new for name, new in renamed.items() if relations[name].wire != name}
        if "type" in model.model_fields:
            renamed["type"] = f"{camel(type_)}Type"
        return Form(type_, model, relations, renamed)

    def _type_of(self, model: type[Model]) -> str:
        noun = self._by_model.get(model)
        if noun is not None:
            return noun.stored_as or noun.kind
        family = next((word for base, word in _FAMILIES if issubclass(model, base)), None)
        return self._kinds.get(model) or family or snake(model.__name__.partition("[")[0])

    def _relation_of(self, model: type[Model], type_: str, name: str, annotation: Any) -> Relation | None:
        kind, many = _reference(annotation)
        if kind:
            return Relation(camel(name), name, None, many)
        if not name.endswith("_id"):
            return None
        noun = self._by_model.get(model)
        target = target_of(name, type_, noun.refers if noun is not None else {}, self.is_type)
        return Relation(camel(name.removesuffix("_id")), name, target) if target is not None else None

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        """The path of one record of each type, by which it is fetched: that with the fewest placeholders."""
        found: dict[str, list[str]] = {}
        for operation in declared_operations():
            route = operation.routes.get("platform")
            if route is None or route.method != "GET" or not route.path.endswith("}"):
                continue
            if operation.name == "get":
                for form in self.answer_of(operation).forms:
                    found.setdefault(form.name, []).append(route.full_path)
        return {type_: min(paths, key=lambda path: (path.count("{"), len(path))) for type_, paths in found.items()}

    def path_of(self, form: Form, value: Mapping[str, Any], identifiers: Mapping[str, str]) -> str | None:
        """Return the path of a record, None where it has none; `identifiers` are those of the request's path."""
        path = self._paths.get(form.name)
        if path is None:
            return None
        *heads, last = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        for name in heads:
            id = value.get(camel(name)) or identifiers.get(name)
            if id is None:
                return None
            path = path.replace(f"{{{name}}}", str(id))
        return path.replace(f"{{{last}}}", str(value["id"]))


@cache
def forms() -> Forms:
    """Return the forms of the records of all services."""
    given = contributions()
    return Forms(given.nouns, given.feeds.models)


def is_custom(form: Form) -> bool:
    """Tell whether a form is that of custom records, whose type is the name of their object."""
    return form.model is CustomRecord


def _identified_models(annotation: Any) -> tuple[type[Model], ...]:
    """Return the models of a type of values that all have an id; none where it may be anything else."""
    annotation = without_annotated(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        found = [_identified_models(one) for one in get_args(annotation) if one is not type(None)]
        return tuple(model for models in found for model in models) if all(found) else ()
    if not (isinstance(annotation, type) and issubclass(annotation, Model)):
        return ()
    info = annotation.model_fields.get("id")
    return (annotation,) if info is not None and info.annotation is str else ()


def _reference(annotation: Any) -> tuple[bool, bool]:
    """Tell whether a member holds a reference of any type, and whether it holds several."""
    kind = without_annotated(annotation)
    if get_origin(kind) in (Union, types.UnionType):
        return next((found for one in get_args(kind) if (found := _reference(one))[0]), (False, False))
    if get_origin(kind) is list:
        return _reference(get_args(kind)[0])[0], True
    return kind is EntityRef, False


def is_reference(value: Any) -> bool:
    """Tell whether a rendered value is a reference to a record."""
    return is_object(value) and isinstance(value.get("type"), str) and isinstance(value.get("id"), str)
