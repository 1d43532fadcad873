"""Permissions of single custom objects: a role, or an API key, names one by its api_name.

What has no entry for an object has for it what it has for the records of all custom objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from crm_sdk.route import Action

from ...data.store import Store
from . import permissions
from .permissions import RECORDS, Scope

Entries = Sequence[tuple[str, str, str]]
"""Permissions: resource, action and scope."""


def own_objects(
    store: Store,
    tenant_id: str,
    built_in: Iterable[str],
    roles: Sequence[Mapping[str, Any]],
    granted: Iterable[str] | None,
) -> frozenset[str]:
    """Return the custom objects that roles or a credential name, and what is permitted on the records of each."""
    held = [[(one["resource"], one["action"], one["scope"]) for one in role["permissions"]] for role in roles]
    limit = [_parts(text) for text in granted] if granted is not None else None
    every = [entry for entries in (*held, limit or []) for entry in entries]
    names = {resource for resource, _, _ in every}.difference(permissions.resources())
    if not names:
        return frozenset()
    found = set[str]()
    for object in store.collection(tenant_id, "custom_object"):
        name = str(object["api_name"])
        if name not in names:
            continue
        found.add(str(object["id"]))
        for action in permissions.ACTIONS:
            scopes = {permissions.scope_of(key, RECORDS, action) for key in built_in}
            scopes |= {scope for entries in held for scope in _scopes(entries, name, action)}
            scope = permissions.widest(scopes)
            if limit is not None and scope is not None:
                scope = permissions.narrower(scope, permissions.widest(set(_scopes(limit, name, action))))
            if scope is not None:
                found.add(f"{object['id']}:{action}@{scope}")
    return frozenset(found)


def _parts(text: str) -> tuple[str, str, str]:
    word, _, scope = text.partition("@")
    resource, _, action = word.partition(":")
    return resource, action, scope or "all"


def _scopes(entries: Entries, name: str, action: Action) -> Iterator[Scope | None]:
    """Yield the scopes of an action on the records of an object: by its own entries, else by those of all objects."""
    own = [entry for entry in entries if entry[0] == name]
    for _, each, scope in own or [entry for entry in entries if entry[0] == RECORDS]:
        if each == action:
            yield permissions.widest({scope})
