"""The entities of the company's data, as the calls for every noun name them: `objects`, `changes`, `jobs`, exports.

An entity is a noun, or the records of a custom object. What may be done with it says the table below; whatever has no
noun yet is not there, and is there as soon as it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from crm_sdk.models.record import Model, record_types
from crm_sdk.route import Action

from ..data.document import Document
from ..problems import Problem, missing
from ..request.access import features, permissions
from ..serving import Context

if TYPE_CHECKING:
    from ..core import StubServer
    from ..noun import Noun

_WHOLE = ("scan", "upsert", "delete", "restore", "import", "export")


@dataclass(frozen=True, slots=True)
class _Row:
    """What the table says of an entity."""

    can: Sequence[str]
    keys: Sequence[str] = ()
    """The members by which a record is found, the first by default; one with ``~`` is not unique."""
    word: str = ""
    """The resource of its permissions; by default that of its noun."""
    plural: str = ""


_TABLE: Mapping[str, _Row] = {
    "contact": _Row(_WHOLE, ("external_id", "email", "phone~")),
    "lead": _Row(_WHOLE, ("external_id", "email~", "phone~")),
    "account": _Row(_WHOLE, ("external_id", "domain", "name~")),
    "deal": _Row(_WHOLE, ("external_id", "title~")),
    "activity": _Row(_WHOLE, ("external_id", "message_id", "uid"), plural="activities"),
    "territory": _Row(("scan", "upsert", "delete", "import", "export"), ("code", "name"), "accounts", "territories"),
    "user": _Row(("scan", "export"), ("email",), "users"),
    "conversation": _Row(("scan", "export"), (), "conversations"),
    "message": _Row(("scan", "export"), (), "conversations"),
    **dict.fromkeys(("pipeline", "template", "report", "dashboard", "workflow", "file", "comment"), _Row(
        ("scan", "restore"),
    )),
    **dict.fromkeys(("team", "role", "layout", "social_post", "keyword", "alert", "mention"), _Row(("scan",))),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Entity:
    """The records of one noun, or of one custom object."""

    name: str
    collection: str
    model: Any
    word: str
    """The resource of its permissions and of its feature."""
    capabilities: Sequence[str]
    keys: Sequence[str]
    label: str
    plural_label: str
    noun: Noun | None = None
    kinds: Mapping[str, Noun] | None = None
    """The nouns of its records by their `kind`, where they have several."""
    object: Document | None = None
    """The custom object whose records they are."""

    @cached_property
    def models(self) -> tuple[type[Model], ...]:
        """The models of its records."""
        found: tuple[type[Model], ...] = record_types(self.model)
        if found:
            return found
        return tuple(kind for kind in get_args(self.model) if isinstance(kind, type)) or (self.model,)

    @cached_property
    def members(self) -> frozenset[str]:
        """The names of all members of its records."""
        return frozenset(name for model in self.models for name in model.model_fields)

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """What the ids of its records begin with."""
        nouns = [*(self.kinds or {}).values(), *([self.noun] if self.noun is not None else [])]
        return tuple(noun.prefix or f"{noun.kind}_" for noun in nouns) or (f"{self.name}_",)

    def needed(self, action: Action) -> Action:
        """Return the action for which the permission is needed: that of the call of its own which does the same."""
        own = self.noun.declared(action) if self.noun is not None and self.object is None else None
        route = own.routes.get("platform") if own is not None else None
        return permissions.action_of(own, route.method) if own is not None and route is not None else action

    def noun_of(self, doc: Mapping[str, Any]) -> Noun:
        """Return the noun of a record. Raises: 422 where nothing can be written."""
        noun = (self.kinds or {}).get(doc.get("kind", "")) or self.noun
        if noun is None:
            raise unsupported_capability(self.name, "write")
        return noun

    def has(self, doc: Mapping[str, Any]) -> bool:
        """Return whether a document of the collection is a record of the entity."""
        return self.object is None or doc.get("object_id") == self.object["id"]

    def documents(self, call: Context) -> Sequence[Document]:
        """Return the documents of its records, whoever may see them."""
        docs = call.collection(self.collection)
        return docs.find("object_id", self.object["id"]) if self.object is not None else docs.all()

    def sees(self, call: Context, doc: Mapping[str, Any]) -> bool:
        """Return whether a caller who may read the entity sees a record, wherever that stands."""
        visible = self.noun.visible if self.noun is not None else None
        whole = Document(doc)
        return (visible is None or visible(call, whole)) and all(
            test(whole) for test in permissions.sight(call.caller, self.word)
        )

    def require(self, capability: str) -> None:
        """Raise 422 UNSUPPORTED_OPERATION where the entity does not have a capability, 409 where it is inactive."""
        if self.object is not None and not self.object["active"]:
            message = f"{self.object['label']} is not active"
            raise Problem("OBJECT_INACTIVE", message, details={"id": self.object["id"]})
        if capability not in self.capabilities:
            raise unsupported_capability(self.name, capability)


def unsupported_capability(entity: str, capability: str) -> Problem:
    """Return the 422 for what cannot be done with an entity."""
    message = f"records of the type {entity} have no {capability}"
    return Problem("UNSUPPORTED_OPERATION", message, details={"entity": entity, "capability": capability})


class Entities:
    """The entities of a server."""

    def __init__(self, server: StubServer, models: Mapping[str, Any]) -> None:
        self._fixed: dict[str, Entity] = {}
        nouns = server.nouns
        for name, row in _TABLE.items():
            noun = nouns.get(name)
            kinds = {one.kind: one for one in nouns.values() if one.stored_as == name and one is not noun}
            model = models.get(name) or (noun.model if noun is not None else None)
            if model is None:
                continue
            lacks = set[str]() if noun is not None else {"delete", "restore"}
            if noun is None or (noun.declared("create") is None and not kinds):
                lacks |= {"upsert", "import"}
            self._fixed[name] = Entity(
                name,
                noun.collection if noun is not None else name,
                model,
                row.word or (noun.word if noun is not None else name),
                [word for word in row.can if word not in lacks],
                row.keys,
                name.replace("_", " ").capitalize(),
                (row.plural or f"{name}s").replace("_", " ").capitalize(),
                noun,
                kinds or None,
            )
        self._by_collection = {one.collection: one for one in self._fixed.values()}
        record = nouns["record"]
        self._custom = Entity("record", "record", record.model, record.word, _WHOLE, (), "", "", record)

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """What the ids of the records of all entities begin with."""
        return tuple(prefix for one in (*self._fixed.values(), self._custom) for prefix in one.prefixes)

    def of_collection(self, collection: str) -> Entity | None:
        """Return the entity whose records a collection has; of records of custom objects, that of all of them."""
        return self._custom if collection == "record" else self._by_collection.get(collection)

    def collection_of(self, name: str) -> str | None:
        """Return the collection of the records of an entity of every company, by its name."""
        return self._fixed[name].collection if name in self._fixed else None

    def name_of(self, collection: str, doc: Mapping[str, Any]) -> str:
        """Return the name of a record's entity."""
        return str(doc["object"]) if collection == "record" else self._by_collection[collection].name

    def find(self, call: Context, name: str) -> Entity | None:
        """Return the entity of a name, or of the id of a custom object; None where there is none."""
        if name in self._fixed:
            return self._fixed[name]
        for object in call.collection("custom_object"):
            if name in (object["id"], object["api_name"]):
                return self._of_object(call, object)
        return None

    def _of_object(self, call: Context, object: Document) -> Entity:
        fields = call.collection("field").find("object_id", object["id"])
        return replace(
            self._custom,
            name=object["api_name"],
            word=f"{self._custom.word}.{object['id']}",
            label=object["label"],
            plural_label=object["plural_label"],
            keys=[field["api_name"] for field in fields if field["unique"]],
            capabilities=_WHOLE if object["active"] else (),
            object=object,
        )

    def named(self, call: Context, name: str, action: Action = "read", capability: str | None = None) -> Entity:
        """Return the entity that a path names, if the caller has the permission for an action on some of its records.

        What no caller can do with it, as it lacks the capability, is said before what this caller may not.

        Raises: 404, for a plural with the singular; 403 FORBIDDEN, FEATURE_DISABLED; 422 UNSUPPORTED_OPERATION; 409
        OBJECT_INACTIVE.
        """
        found = self.find(call, name)
        if found is None:
            near = self._near(call, name)
            problem = missing("entity", name)
            raise Problem(
                "NOT_FOUND", problem.message, details={"id": name, **({"did_you_mean": near} if near else {})}
            )
        if capability is not None and found.object is None:
            found.require(capability)
        features.check(call.tenant, found.word)
        permissions.check(call.caller, found.word, action)
        if capability is not None:
            found.require(capability)
        return found

    def _near(self, call: Context, name: str) -> str | None:
        """Return the name of the entity whose name in the plural, or in capital letters, is a word."""
        custom = (self._of_object(call, object) for object in call.collection("custom_object"))
        known = [*self._fixed.values(), *custom]
        return next((one.name for one in known if name.casefold() in _words_for(one)), None)

    def every(self, call: Context) -> list[Entity]:
        """Return the entities of a company: those of every company, then its own."""
        return [*self._fixed.values(), *(self._of_object(call, one) for one in call.collection("custom_object"))]

    def readable(self, call: Context) -> Iterator[Entity]:
        """Yield the entities that the caller may read: those of every company, then custom ones by their labels."""
        custom = sorted(call.collection("custom_object"), key=lambda one: (str(one["label"]).casefold(), one["id"]))
        fixed = sorted(self._fixed.values(), key=lambda one: one.label)
        for entity in (*fixed, *(self._of_object(call, one) for one in custom)):
            on = features.is_on(call.server, call.caller, entity.word)
            if on and permissions.scope_for(call.caller, entity.word, "read") is not None:
                yield entity


def _words_for(entity: Entity) -> set[str]:
    """Return other words for an entity: its name in capital letters, and its plural."""
    own = {f"{entity.name}s"} if entity.object is not None else set[str]()
    return {one.replace(" ", "_").casefold() for one in (entity.name, entity.label, entity.plural_label, *own)}
