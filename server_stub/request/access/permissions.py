"""Permissions: the built-in roles, and the one place where a caller's permission for an action is decided.

`scope_for` decides; every other function asks it. A caller has the widest scope that one of its roles gives: what the
table says of a built-in role, what the record says of a role that a company made itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from crm_sdk.route import Action
from crm_sdk.vocabulary.codes import DOORS

from ...problems import Problem
from .shares import reaches

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ...caller import Caller
    from ...data.document import Document
    from ...serving import Context

Scope: TypeAlias = Literal["all", "team", "own"]
_WIDEST: tuple[Scope, ...] = ("all", "team", "own")

_LETTERS: Mapping[str, Action] = {
    "r": "read", "c": "create", "u": "update", "d": "delete", "x": "export", "i": "import", "m": "manage",
}  # fmt: skip
ACTIONS: tuple[Action, ...] = tuple(_LETTERS.values())
"""The actions that there are permissions for."""
RECORDS = "custom_objects"
"""The resource of the records of custom objects; of those of one object with its id: ``custom_objects.object_1``."""
_ROLES = ("admin", "manager", "sales", "read_only")


def built_in() -> tuple[str, ...]:
    """Return the keys of the roles that every company has, the widest one first."""
    return _ROLES


BUILT_IN = frozenset(_ROLES)
"""The keys of the roles that every company has."""
_UNLIMITED = frozenset({"system", "anonymous", "app"})
"""The server itself, a caller of a call without sign-in, and an app, which has what it was granted."""
# 002, roles of the platform: one row per resource, the letters of each role in the order of _ROLES. `ud@own` limits
# the letters before the sign to records that the caller owns, or that nobody owns.
_TABLE = """
contacts leads deals accounts activities | rcudxim | rcudxim | r c ud@own x@own i | r
conversations                            | rcudxm  | rcudx   | r c ud@own x@own   | r
pipelines workflows                      | rcudxm  | rcudx   | r                  | r
users                                    | rcudxm  | r       | r                  | r
analytics                                | r       | r       | r                  | r
ai_insights                              | rcudm   | rcud    | r c ud@own         | r
custom_objects                           | rcudxim | rcudxi  | r c ud@own x@own i | r
marketplace integrations                 | rcudm   | r       | r                  | r
agents webhooks                          | rcudm   | rcud    | rcud               | r
notifications                            | rcudxm  | rcudx   | rc@own             | r@own
files                                    | rcudxm  | rcudx   | r c ud@own x@own   | r
reports dashboards                       | rcudxm  | rcudxm  | r c ud@own x@own   | r
communication                            | rcudxm  | rcudx   | r c ud@own         | r
social                                   | rcudxm  | rcudxm  | r c                | r
collaboration                            | rcudxm  | rcudxm  | r c ud@own         | r
search                                   | rm      | r       | r                  | r
tenants                                  | rcudm   |         |                    |
audit                                    | rcuxm   | r       |                    |
jobs                                     | rum     | r u@own | ru@own             | ru@own
privacy                                  | m       |         |                    |
configuration                            | rcudm   | r       |                    |
customization                            | rcudm   | ru      | r                  | r
security                                 | rcudm   |         |                    |
monitoring                               | r       | r       |                    |
backups                                  | m       |         |                    |
chatops                                  | cm      | c       | c                  | c
presence                                 | r       | r       | r                  | r
"""
_DOORS: Mapping[str, str] = {
    "calendar": "activities",
    "messages": "conversations",
    **DOORS,
}
"""Resources, each with the resource of 002 whose permissions apply to it; of a part with its dotted name."""


@cache
def _read_table() -> Mapping[tuple[str, str], Mapping[Action, Scope]]:
    granted: dict[tuple[str, str], dict[Action, Scope]] = {}
    for line in _TABLE.strip().splitlines():
        resources, *columns = line.split("|")
        for role, column in zip(_ROLES, columns, strict=True):
            actions: dict[Action, Scope] = {}
            for word in column.split():
                letters, _, scope = word.partition("@")
                actions |= {_LETTERS[letter]: "own" if scope else "all" for letter in letters}
            for resource in resources.split():
                granted[resource, role] = actions
    return granted


def resource_of(name: str) -> str:
    """Return the resource of the table whose permissions apply to a call or a resource with a dotted name."""
    door = next((_DOORS[door] for door in _DOORS if name == door or name.startswith(f"{door}.")), None)
    return door or name.partition(".")[0]


@cache
def scope_of(role: str, resource: str, action: Action) -> Scope | None:
    """Return for which records of a resource a built-in role has the permission for an action; None for none.

    `resource` is the first word of a call's dotted name. A resource that the table does not list can be read by
    everybody and created by all roles except read_only; of these only admin and manager change others' records.
    """
    if role in _UNLIMITED:
        return "all"
    actions = _read_table().get((resource_of(resource), role))
    if actions is not None:
        return actions.get(action)
    if resource_of(resource) in resources() or (role == "read_only" and action != "read"):
        return None
    return "own" if role not in ("admin", "manager") and action in ("update", "delete") else "all"


_OWNED = frozenset({"contacts", "leads", "accounts", "deals", "activities"})
"""The records with an owner, of which a company's policy may show the sales role its own or its teams' only."""


def scope_for(caller: Caller, resource: str, action: Action) -> Scope | None:
    """Return for which records of a resource a caller has the permission for an action: the widest of all its roles.

    An app has what it was granted; the credential of a user may be limited as well. Of the records of custom objects
    in general it is the widest scope of any object.
    """
    word = resource_of(resource)
    if caller.objects and word == RECORDS:
        object_id = resource.partition(".")[2]
        own = _own_scopes(caller, object_id, action)
        if object_id in caller.objects:
            return own[0]
        return widest([*(() if object_id else own), usual_scope(caller, word, action)])
    return usual_scope(caller, resource, action)


def _own_scopes(caller: Caller, object_id: str, action: Action) -> list[Scope | None]:
    """Return the scope of an action on the records of an object with permissions of its own; without one of each."""
    ids = [object_id] if object_id in caller.objects else [text for text in caller.objects if ":" not in text]
    return [next((one for one in _WIDEST if f"{id}:{action}@{one}" in caller.objects), None) for id in ids]


def widest(scopes: Collection[str | None]) -> Scope | None:
    """Return the widest of some scopes; None where there is none."""
    return next((scope for scope in _WIDEST if scope in scopes), None)


def narrower(one: Scope, other: Scope | None) -> Scope | None:
    """Return the narrower of two scopes; None where one is none."""
    return one if other is not None and _WIDEST.index(one) > _WIDEST.index(other) else other


def of_record(caller: Caller, resource: str, record: Mapping[str, Any]) -> str:
    """Return the resource of a record: of one of a custom object with permissions of its own that of the object."""
    if not caller.objects or resource_of(resource) != RECORDS:
        return resource
    return f"{RECORDS}.{record.get('object_id') or record.get('id')}"


def usual_scope(caller: Caller, resource: str, action: Action) -> Scope | None:
    """Return the scope of a permission for a resource; of custom objects, for those without one of their own."""
    word = resource_of(resource)
    scopes = {scope_of(role, resource, action) for role in caller.roles}
    if caller.sales_reads != "all" and action == "read" and "sales" in caller.roles and word in _OWNED:
        scopes = {scope_of(role, resource, action) for role in caller.roles - {"sales"}} | {caller.sales_reads}
    if caller.permissions:
        scopes |= {scope for scope in _WIDEST if f"{word}:{action}@{scope}" in caller.permissions}
    found = widest(scopes)
    if caller.granted is None or found is None or f"{word}:{action}" in caller.granted:
        return found
    return narrower(found, next((one for one in _WIDEST if f"{word}:{action}@{one}" in caller.granted), None))


@cache
def resources() -> tuple[str, ...]:
    """Return the resources of the table, in its order."""
    return tuple(dict.fromkeys(resource for resource, _ in _read_table()))


def permissions_of(scope: Callable[[str, Action], Scope | None]) -> Iterator[dict[str, str]]:
    """Yield the permissions for every resource and action for which a function returns a scope."""
    for resource in resources():
        for action in _LETTERS.values():
            if (found := scope(resource, action)) is not None:
                yield {"resource": resource, "action": action, "scope": found}


def is_known(resource: str, action: str, scope: str) -> bool:
    """Return whether a permission is one of those that a role can have."""
    return resource in resources() and action in _LETTERS.values() and scope in _WIDEST


def every_action(resource: str) -> list[Action]:
    """Return the actions on a resource for which there is a permission: those that administrators have."""
    return [action for action in _LETTERS.values() if scope_of("admin", resource, action) is not None]


def permission_text(permission: Mapping[str, str]) -> str:
    """Return a permission as a text: ``leads:update@team``."""
    return f"{permission['resource']}:{permission['action']}@{permission['scope']}"


def beyond(
    caller: Caller, wanted: Iterable[Mapping[str, str]], word: Callable[[str], str] = lambda name: name
) -> list[str]:
    """Return those of some permissions that are more than a caller has, as texts.

    `word` returns the resource for the api_name of a custom object, and any other as it is.
    """
    return [
        permission_text(entry)
        for entry in wanted
        if (scope := scope_for(caller, word(entry["resource"]), cast("Action", entry["action"]))) is None
        or _WIDEST.index(scope) > _WIDEST.index(cast("Scope", entry["scope"]))
    ]


def read_permission(text: str) -> tuple[str, Action] | None:
    """Return the resource and the action of a permission for all records, ``deals:update``; None for any other text."""
    resource, _, action = text.removesuffix("@all").partition(":")
    known = any(resource == name for name, _ in _read_table())
    return (resource, cast("Action", action)) if known and action in _LETTERS.values() else None


def action_of(operation: Operation[..., Any], method: str) -> Action:
    """Return the action of a call: from its declaration, else from its method and status."""
    if operation.flags.action is not None:
        return operation.flags.action
    if method == "GET" or operation.flags.safe:
        return "read"
    if method == "DELETE":
        return "delete"
    return "create" if operation.status == 201 else "update"


def permit(caller: Caller, operation: Operation[..., Any], method: str) -> None:
    """Raise 403 FORBIDDEN where the declaration of a call or the caller's role does not permit the call."""
    role = operation.flags.role
    if role == "everybody":
        return
    if role is not None and role not in caller.roles:
        raise Problem("FORBIDDEN", f"{operation.id} is for the role {role}, not for {caller.role}")
    check(caller, resource_of(operation.id), action_of(operation, method))


def permits(caller: Caller, resource: str, action: Action, record: Mapping[str, Any] | None = None) -> bool:
    """Return whether a caller has the permission for an action on a resource, or on one record of it.

    The scope `own` holds the records that the caller owns or that nobody owns; `team` those of the users in one of the
    caller's teams as well. A share widens either by its record, for the actions of its access.
    """
    scope = scope_for(caller, resource if record is None else of_record(caller, resource, record), action)
    if scope in (None, "all") or record is None:
        return scope is not None
    owner = record.get("owner_id")
    is_in = owner in (None, caller.user_id) or (scope == "team" and owner in caller.team)
    return is_in or reaches(caller.shared, record, action)


def sight(caller: Caller, resource: str) -> list[Callable[[Mapping[str, Any]], bool]]:
    """Return the tests that a record must pass for a caller to see it: none where the scope of reading is all."""
    of_objects = caller.objects and resource_of(resource) == RECORDS
    if not of_objects and scope_for(caller, resource, "read") in (None, "all"):
        return []
    return [lambda record: permits(caller, resource, "read", record)]


def readable(call: Context, kind: str, docs: Iterable[Document] | None = None) -> list[Document]:
    """Return those of some records that the caller may read, by default of all live ones: for figures made of many."""
    found = list(docs) if docs is not None else call.collection(kind).all()
    return [doc for doc in found if call.sees(kind, doc)] if limits(call, kind) else found


def limits(call: Context, *kinds: str) -> bool:
    """Return whether the caller may read only some of the records of one of some kinds, by their owners."""
    nouns, entities = call.server.nouns, call.server.entities
    of = (nouns[kind] if kind in nouns else entities.of_collection(kind) for kind in kinds)
    return any(one is not None and sight(call.caller, one.word) for one in of)


def key_seen(
    name: str, with_figures: Callable[[Context, Document], Document], *kinds: str
) -> Callable[[Context], Callable[[Document], Any] | None]:
    """Return what gives the key for sorting by a figure made of records of some kinds; None where the stored one is it.

    For a caller who reads only some of them it is the figure that `with_figures` gives to a record.
    """
    return lambda call: (lambda doc: with_figures(call, doc)[name]) if limits(call, *kinds) else None


def check(
    caller: Caller,
    resource: str,
    action: Action,
    record: Mapping[str, Any] | None = None,
    permitted: bool | None = None,
) -> None:
    """Raise 403 FORBIDDEN where a caller has no permission for an action on a resource, or on one record of it.

    `permitted` is what the record's own permissions say, where it has some; else its owner decides.
    """
    if permitted:
        return
    if not permits(caller, resource, action):
        roles = f"the role {caller.role}" if not caller.more_roles else f"the roles {', '.join(sorted(caller.roles))}"
        who = roles if caller.granted is None else f"{caller.name}, which was not granted this,"
        raise Problem("FORBIDDEN", f"{who} may not {action} {resource_of(resource).replace('_', ' ')}")
    if record is not None and permitted is False:
        message = f"what {record['id']} permits {caller.name or caller.actor_id} is not to {action} it"
        raise Problem("FORBIDDEN", message, details={"id": record["id"]})
    if record is not None and permitted is None and not permits(caller, resource, action, record):
        scope = scope_for(caller, of_record(caller, resource, record), action)
        if scope is None:  # of a custom object with permissions of its own
            check(caller, of_record(caller, resource, record), action)
        whose = "only its own records" if scope == "own" else "only records of its team"
        raise Problem(
            "FORBIDDEN",
            f"{record['id']} belongs to another user; the role {caller.role} may {action} {whose}",
            details={"id": record["id"]},
        )
