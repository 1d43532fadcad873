"""The rules of layouts: what they may hold, for whom they are, and which one is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crm_sdk.models.customization import Layout
from crm_sdk.resources.customization import Layouts

from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.filter_groups import compile_filters
from ...languages.catalogue import label
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import features, permissions
from ...request.settings import levels_of
from ...serving import Context, Members, serves
from ..custom_objects.definitions import object_named
from ..users.roles import find_role
from .layout_fields import ENTITIES, Fields

_KINDS = ("detail", "create", "list", "board", "card")
_SYSTEM = "layout_system_"
_IN_LIST = 8
"""How many columns the system's list of an entity has."""


def _fields(call: Context, entity: str) -> Fields:
    """Return the fields of an entity. Raises: 422 for one that has no layouts; 403 for one that may not be read."""
    custom = object_named(call, entity)
    if entity not in ENTITIES and (custom is None or custom["api_name"] != entity or not custom["active"]):
        raise invalid("entity", "choice", f"there are no layouts of {entity!r}: {', '.join(ENTITIES)}")
    found = Fields(call, entity)
    permissions.check(call.caller, found.word, "read")
    return found


# -- the stored form ---------------------------------------------------------------------------------------------------


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return the members of a layout with their defaults. Raises: 422; 403; 409 LAYOUT_EXISTS."""
    whole: dict[str, Any] = {"audience": "user", **(before or {}), **members}
    fields = _fields(call, whole["entity"])
    moved = before is not None and "audience" in members and members["audience"] != before["audience"]
    given = members.get("audience_id") if moved or before is None or "audience_id" in members else whole["audience_id"]
    audience_id = _audience_id(call, whole["audience"], given)
    whole["audience_id"] = audience_id
    if not _is_own(call, whole):
        permissions.check(call.caller, "customization", "update")
    found = {"audience": whole["audience"], "audience_id": audience_id, **_parts(whole)}
    _check_parts(call, fields, {**whole, **found})
    others = [one for one in _siblings(call, whole) if before is None or one["id"] != before["id"]]
    if any(one["name"].casefold() == whole["name"].strip().casefold() for one in others):
        message = f"another {whole['kind']} of {whole['entity']} is called {whole['name']!r}"
        raise Problem("LAYOUT_EXISTS", message, field="name", rule="unique")
    if whole.get("position") is None:
        found["position"] = max((one["position"] + 1 for one in others), default=0)
    if before is None:
        found["owner_id"] = call.caller.user_id
    return found


def _siblings(call: Context, layout: Members) -> list[Document]:
    """Return the layouts of the same entity, kind and audience."""
    same = ("entity", "kind", "audience", "audience_id")
    docs = call.collection("layout").find("entity", layout["entity"])
    return [doc for doc in docs if all(doc[name] == layout[name] for name in same)]


def _audience_id(call: Context, audience: str, given: str | None) -> str | None:
    """Return the id of those for whom a layout is. Raises: 422 for unknown ones; 403 NO_USER."""
    if audience == "tenant":
        return None
    if audience == "user" and given in (None, "me", call.caller.user_id):
        if call.caller.user_id is None:
            raise Problem("NO_USER", "only a user has layouts of one's own: say for whom it is")
        return call.caller.user_id
    if given is None:
        raise invalid("audience_id", "required", f"name the {audience}")
    doc = find_role(call, given) if audience == "role" else call.reference(audience, given, "audience_id")
    if doc is None:
        message = f"no role has the id {given!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="audience_id", rule="reference")
    return str(doc["id"])


def _parts(whole: Members) -> dict[str, Any]:
    """Return the parts of a layout with their defaults."""
    section: dict[str, Any] = {"label": None, "labels": {}, "columns": 2, "collapsed": False, "visible_when": []}
    field: dict[str, Any] = {"read_only": False, "required": False, "width": 1}
    return {
        "sections": [
            {**section, **one, "fields": [{**field, **each} for each in one["fields"]]}
            for one in whole.get("sections") or ()
        ],
        "columns": [{"width": None, "label": None, **one} for one in whole.get("columns") or ()],
        "sort": [{"order": "asc", **one} for one in whole.get("sort") or ()],
        "filter_groups": list(whole.get("filter_groups") or ()),
    }


def _check_parts(call: Context, fields: Fields, whole: Members) -> None:
    kind, sections, columns = whole["kind"], whole["sections"], whole["columns"]
    if kind in ("detail", "create", "card") and not sections:
        raise invalid("sections", "required", f"a {kind} has at least one section")
    if kind == "list" and not columns:
        raise invalid("columns", "required", "a list has at least one column")
    if kind == "board" and whole.get("group_by") is None:
        raise invalid("group_by", "required", "a board is grouped by a field")
    places = [
        *((f"columns.{number}.field", one["field"], True) for number, one in enumerate(columns)),
        *(
            (f"sections.{number}.fields.{index}.field", one["field"], False)
            for number, section in enumerate(sections) for index, one in enumerate(section["fields"])
        ),
    ]  # fmt: skip
    seen: dict[tuple[bool, str], str] = {}
    for at, path, hop in places:
        name = fields.check(path, at, hop=hop)
        if (hop, name) in seen:
            message = f"{path!r} is at {seen[hop, name]} already"
            raise Problem("DUPLICATE_FIELD", message, field=at, rule="unique", details={"field": path})
        seen[hop, name] = at
    if kind == "create":
        lacking = [name for name in fields.required_fields() if (False, name) not in seen]
        if lacking:
            message = f"a new record needs {', '.join(lacking)}"
            raise Problem("REQUIRED_FIELD_MISSING", message, field="sections", details={"fields": lacking})
    if whole.get("group_by") is not None:
        fields.check(whole["group_by"], "group_by")
        if not fields.has_options(whole["group_by"]):
            message = f"{whole['group_by']!r} has no options: a board is grouped by one that has"
            raise Problem("INVALID_GROUPING", message, field="group_by", rule="choice")
    for number, one in enumerate(whole["sort"]):
        fields.check(one["key"], f"sort.{number}.key")
    for groups in (whole["filter_groups"], *(section["visible_when"] for section in sections)):
        compile_filters(groups, fields.types, now=call.now)


# -- for whom ----------------------------------------------------------------------------------------------------------


def _is_own(call: Context, layout: Members) -> bool:
    return bool(layout["audience"] == "user" and layout["audience_id"] == call.caller.user_id is not None)


def _visible(call: Context, layout: Document) -> bool:
    """Return whether the caller may use a layout: one's own, those of one's roles, teams and company."""
    if permissions.permits(call.caller, "customization", "update"):
        return True
    mine = {(level, id) for level, id in levels_of(call.collection, call.caller)}
    return layout["audience"] == "tenant" or (layout["audience"], layout["audience_id"]) in mine


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Take the mark of the default from the layout that had it."""
    if after is not None and after["is_default"]:
        for one in _siblings(call, after):
            if one["id"] != after["id"] and one["is_default"]:
                LAYOUTS.change(call, one, {"is_default": False})
    return None


def _shown_layout(call: Context, layout: Document) -> Document:
    """Return a layout without the fields that are gone."""
    custom = object_named(call, layout["entity"])
    if layout["entity"] not in ENTITIES and custom is None:
        return layout | {"columns": [], "sections": []}
    fields, language = Fields(call, layout["entity"]), call.language
    return layout | {
        "columns": [one for one in layout["columns"] if fields.has(one["field"])],
        "group_by": layout["group_by"] if layout["group_by"] and fields.has(layout["group_by"]) else None,
        "sections": [
            {
                **section,
                "label": section["labels"].get(language, section["label"]),
                "fields": [one for one in section["fields"] if fields.has(one["field"])],
            }
            for section in layout["sections"]
        ],
    }


LAYOUTS = Noun(
    resource=Layouts,
    kind="layout",
    model=Layout,
    own=("update", "delete"),
    searched=("name",),
    sorts=("name", "position"),
    forms={"name": required_text("name")},
    limit="layouts",
    filters={"effective": lambda call, wanted: lambda layout: True},
    visible=_visible,
    check=_check,
    follow=_follow,
    shown=_shown_layout,
    listed=_shown_layout,
)


def _writable(call: Context, layout_id: str, version: int | None) -> Document:
    """Return a layout that the caller may change. Raises: 404; 403; 409 for one of the system, another version."""
    if layout_id.startswith(_SYSTEM):
        raise Problem("LAYOUT_PROTECTED", "a layout of the system cannot be changed: make a copy of it")
    layout = LAYOUTS.find_one(call, layout_id)
    if not _is_own(call, layout):
        permissions.check(call.caller, "customization", "update")
    call.lock(layout, version)
    return layout


@serves(Layouts.update)
def update(call: Context, layout_id: str, changes: Members, version: int | None) -> Document:
    """Change a layout."""
    layout = _writable(call, layout_id, version)
    return LAYOUTS.answer(call, LAYOUTS.change(call, layout, LAYOUTS.stored_form(call, changes, layout)))


@serves(Layouts.delete)
def delete(call: Context, layout_id: str, version: int | None) -> str:
    """Delete a layout."""
    LAYOUTS.remove(call, _writable(call, layout_id, version))
    return layout_id


@serves(Layouts.list)
def list_(call: Context, effective: bool, **given: Any) -> Sequence[Document]:
    """Return the layouts that the caller may use, or those in force."""
    on = features.is_on(call.server, call.caller, "customization")
    if not effective:
        return LAYOUTS.select(call, given) if on else []
    marked: dict[tuple[str, str], list[Document]] = {}
    for doc in LAYOUTS.records(call) if on else ():
        if doc["is_default"]:
            marked.setdefault((doc["entity"], doc["kind"]), []).append(doc)
    levels = [(level, None if level == "tenant" else id) for level, id in levels_of(call.collection, call.caller)]
    found = [
        _in_force(call, entity, kind, marked.get((entity, kind), ()), levels)
        for entity in _readable(call) for kind in _KINDS
        if given.get("entity") in (None, entity) and given.get("kind") in (None, kind)
    ]  # fmt: skip
    words = str(given.get("search") or "").casefold()
    return [
        doc for doc in found
        if doc is not None and words in doc["name"].casefold() and given.get("audience") in (None, doc["audience"])
    ]  # fmt: skip


def _readable(call: Context) -> Iterator[str]:
    custom = {doc["api_name"]: doc["id"] for doc in call.collection("custom_object") if doc["active"]}
    for entity in (*ENTITIES, *sorted(custom)):
        word = f"{permissions.RECORDS}.{custom[entity]}" if entity in custom else call.server.nouns[entity].word
        if permissions.permits(call.caller, word, "read"):
            yield entity


def _in_force(
    call: Context, entity: str, kind: str, docs: Sequence[Document], levels: Sequence[tuple[str, str | None]]
) -> Document | None:
    """Return the layout in force: the default of the nearest level, else the system's; None for no board."""
    for level in levels:
        for doc in docs:
            if (doc["audience"], doc["audience_id"]) == level:
                return _shown_layout(call, doc)
    return _of_system(call, entity, kind)


def _of_system(call: Context, entity: str, kind: str) -> Document | None:
    """Return the layout that is made from the fields of the records."""
    fields = Fields(call, entity)
    group = next((name for name in ("stage", "status", "type") if kind == "board" and fields.has_options(name)), None)
    if kind == "board" and group is None:
        return None
    sections: Mapping[str, Callable[[], list[str]]] = {
        "detail": (shown := fields.shown_fields), "create": fields.writable_fields, "card": lambda: shown()[:_IN_LIST],
    }  # fmt: skip
    columns = shown()[:_IN_LIST] if kind in ("list", "board") else []
    heading = label(call.language, entity.replace("_", " ").capitalize())
    word = label(call.language, kind.capitalize()) if call.language != "en" else kind
    parts = {
        "sections": [{"label": heading, "fields": [{"field": path} for path in make()]}]
        if (make := sections.get(kind)) is not None
        else [],
        "columns": [{"field": path} for path in columns],
    }
    made = call.tenant["created_at"]
    return Document({
        "id": f"{_SYSTEM}{entity}_{kind}", "created_at": made, "updated_at": made, "created_by": "system", "version": 1,
        "entity": entity, "kind": kind, "name": f"{heading}: {word}",
        "audience": "tenant", "audience_id": None, "is_default": False, "group_by": group, "pinned": False,
        "icon": None, "position": 0, "is_system": True, "owner_id": None, **_parts(parts),
    })  # fmt: skip
