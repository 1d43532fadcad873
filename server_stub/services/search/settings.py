"""How a company's records are searched: the configuration, and the state of the index that was built with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.search import SearchSettings

from ...data.document import Document
from ...problems import Problem, invalid
from ...request.answering.faces import wire_path
from ...serving import Context, Members, changes_between, serves
from .kinds import PLANS, Kind, kind_of, objects, types_of

KIND, ID = "search_config", "search"
"""The collection and the id of the configuration; `built` in it is what the index was built with."""
_DEFAULTS: Mapping[str, Any] = {
    "synonyms": [],
    "stop_words": [],
    "fuzzy": True,
    "fuzzy_distance": 1,
    "min_query_length": 2,
    "highlight": True,
    "recency_weight": 0.1,
}


class Settings:
    """The configuration of the caller's company, for one call."""

    def __init__(self, call: Context, stored: Document | None = None) -> None:
        self.call = call
        self.stored = stored or call.collection(KIND).get(ID) or _first(call)
        self.fuzzy_distance: int = self.stored["fuzzy_distance"]
        self.recency_weight: float = self.stored["recency_weight"]
        self._built: Mapping[str, Any] = self.stored["built"]

    @property
    def types(self) -> list[str]:
        """The types that are searched: those that are configured and enabled, and custom objects that are not named."""
        entities = self.entities
        off = {type for type, entity in entities.items() if not entity["enabled"]}
        return [type for type in types_of(self.call) if type in entities and type not in off]

    @property
    def entities(self) -> dict[str, Members]:
        """The configured types by their names; a custom object that is not named is as by default."""
        found: dict[str, Members] = {entity["type"]: entity for entity in self.stored["entities"]}
        for custom in objects(self.call):
            found.setdefault(custom["api_name"], {"type": custom["api_name"], "enabled": True, "boost": 1.0})
        return found

    def boost(self, type: str) -> float:
        """Return how much a type counts among others."""
        return float(self.entities.get(type, {}).get("boost", 1.0))

    def fields(self, kind: Kind) -> list[Members]:
        """Return how the members of a kind are searched."""
        entity = self.entities.get(kind.type, {})
        found: list[Members] | None = entity.get("fields")
        return default_fields(kind) if found is None else found

    def weights(self, kind: Kind) -> dict[str, float]:
        """Return the members that are in the index of a kind, with their present weights."""
        present = {field["field"]: float(field["weight"]) for field in self.fields(kind) if field["weight"]}
        built: Mapping[str, float] | None = self._built["fields"].get(kind.type)
        if built is None:
            return present
        return {path: present.get(path, weight) for path, weight in built.items()}

    def is_stale(self, kind: Kind) -> bool:
        """Return whether other members are searched, or other synonyms, than the index of a kind was built with."""
        present = {field["field"] for field in self.fields(kind) if field["weight"]}
        built: Mapping[str, float] | None = self._built["fields"].get(kind.type)
        same = self.synonyms(kind.type) == self.stored["synonyms"]
        return (built is not None and set(built) != present) or not same

    def synonyms(self, type: str) -> Sequence[Sequence[str]]:
        """Return the synonyms that the index of a type was built with."""
        found: Sequence[Sequence[str]] = self._built["of_type"].get(type, self._built["synonyms"])
        return found


def default_fields(kind: Kind) -> list[Members]:
    """Return how the members of a kind are searched by default."""
    plan = kind.plan
    weights: dict[str, float] = {**dict.fromkeys(plan.facets, 0.0), **plan.fields}
    order = [*plan.fields, *(name for name in plan.facets if name not in plan.fields)]
    return [
        {"field": name, "weight": float(weights[name]), "facetable": name in plan.facets}
        for name in order
        if name in kind.source.fields
    ]


def _first(call: Context) -> Document:
    at = call.tenant["created_at"]
    entities = [{"type": type, "enabled": True, "boost": 1.0, "fields": None} for type in PLANS]
    built: dict[str, Any] = {"synonyms": [], "fields": {}, "of_type": {}}
    return Document(
        id=ID,
        entities=entities,
        **_DEFAULTS,
        language=call.tenant.get("locale") or "en",
        version=1,
        updated_at=at,
        built=built,
        indexed={},
    )


def shown_settings(call: Context, settings: Settings) -> dict[str, Any]:
    """Return the configuration as it is answered, with the members of each type."""
    entities: list[dict[str, Any]] = []
    for type, entity in settings.entities.items():
        kind = kind_of(call, type)
        if kind is not None:
            fields = [{**field, "field": wire_path(field["field"])} for field in settings.fields(kind)]
            entities.append({**entity, "fields": fields})
    return {**settings.stored, "entities": entities}


@serves(SearchSettings.get)
def get(call: Context) -> dict[str, Any]:
    """Return how the records of the company are searched."""
    return shown_settings(call, Settings(call))


@serves(SearchSettings.update)
def update(call: Context, changes: Members, version: int | None) -> dict[str, Any]:
    """Change how the records of the company are searched; the index stays as it was built until it is built anew."""
    settings = Settings(call)
    call.lock(settings.stored, version)
    given: dict[str, Any] = {
        name: _DEFAULTS.get(name, value) if value is None else value for name, value in changes.items()
    }
    if "entities" in given:
        given["entities"] = _entities(call, given["entities"] or [])
    asked = settings.stored | given
    before, after = shown_settings(call, settings), shown_settings(call, Settings(call, asked))
    changed = changes_between(before, after)
    if not changed:
        return before
    stamp = {"built": _as_built(call, settings), "version": before["version"] + 1, "updated_at": call.now}
    call.collection(KIND).put(asked | stamp)
    call.emit("search.config_updated", "tenant", call.tenant, changes=changed)
    return shown_settings(call, Settings(call))


def _as_built(call: Context, settings: Settings) -> dict[str, Any]:
    """Return what the index was built with: before the first change, that is how it was configured until now."""
    stored = settings.stored["built"]
    built: dict[str, Any] = {**stored, "fields": dict(stored["fields"]), "of_type": dict(stored["of_type"])}
    for type in types_of(call):
        kind = kind_of(call, type)
        if kind is not None and type not in built["fields"]:
            built["fields"][type] = settings.weights(kind)
    return built


def rebuilt(call: Context, types: Sequence[str]) -> None:
    """Note that the index of some types was built as it is configured now."""
    settings = Settings(call)
    built = _as_built(call, settings)
    for type in types:
        kind = kind_of(call, type)
        if kind is not None:
            built["fields"][type] = {
                field["field"]: float(field["weight"]) for field in settings.fields(kind) if field["weight"]
            }
            built["of_type"][type] = settings.stored["synonyms"]
    indexed = {**settings.stored["indexed"], **dict.fromkeys(types, call.now)}
    call.collection(KIND).put(settings.stored | {"built": built, "indexed": indexed})


def _entities(call: Context, given: Sequence[Members]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, entity in enumerate(given):
        at = f"entities.{number}"
        kind = kind_of(call, entity["type"])
        if kind is None:
            allowed = types_of(call)
            message = f"{entity['type']!r} is not searched: {', '.join(allowed)}"
            raise invalid(f"{at}.type", "choice", message, allowed=allowed)
        if entity["type"] in (one["type"] for one in found):
            raise invalid(f"{at}.type", "unique", f"{entity['type']} is there twice")
        fields = entity.get("fields")
        found.append(
            {
                "type": entity["type"],
                "enabled": _or(entity.get("enabled"), True),
                "boost": float(_or(entity.get("boost"), 1.0)),
                "fields": None if fields is None else _fields(kind, fields, at),
            }
        )
    return found


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _fields(kind: Kind, given: Sequence[Members], at: str) -> list[Members]:
    found: dict[str, Members] = {}
    for number, field in enumerate(given):
        path = kind.path(field["field"], f"{at}.fields.{number}.field")
        if path in found:
            message = f"{field['field']} is there twice"
            raise Problem("VALIDATION_ERROR", message, field=f"{at}.fields.{number}.field", rule="unique")
        weight, facetable = float(_or(field.get("weight"), 1.0)), bool(_or(field.get("facetable"), False))
        found[path] = {"field": path, "weight": weight, "facetable": facetable}
    return list(found.values())
