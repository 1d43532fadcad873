"""The permissions that there are, with the calls that they open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from crm_sdk.catalogue import declared_operations
from crm_sdk.resources.security import Security
from crm_sdk.route import Action
from crm_sdk.vocabulary.codes import SWITCHABLE

from ...languages.catalogue import permission_words
from ...request.access import permissions
from ...serving import Context, serves

_SCOPES = ("own", "team", "all")
_RECORDS = "custom_objects"


def is_known(call: Context, resource: str, action: str, scope: str = "all") -> bool:
    """Return whether a permission is one of those that a role or a key of the company can have."""
    word = _RECORDS if _is_own_object(call, resource) else resource
    return permissions.is_known(word, action, scope) and action in permissions.every_action(word)


def _is_own_object(call: Context, resource: str) -> bool:
    return bool(call.collection("custom_object").find("api_name", resource))


@serves(Security.permissions)
def every_permission(call: Context, resource: str | None, feature: str | None) -> list[dict[str, Any]]:
    """Return every permission that a role can have."""
    own = [(str(object["api_name"]), _RECORDS) for object in call.collection("custom_object")]
    words = [(word, word) for word in permissions.resources()]
    return [
        entry
        for name, word in dict.fromkeys([*words, *own])
        if resource in (None, name)
        for entry in _entries(call.language, name, word)
        if feature in (None, entry["feature"])
    ]


def _entries(language: str, name: str, word: str) -> Iterator[dict[str, Any]]:
    opened = _opened_calls()
    for action in permissions.every_action(word):
        calls = opened.get((word, action), ())
        what = name.replace("_", " ")
        if name != word:
            calls = [call for call in calls if call.startswith(f"{_RECORDS}.records.")]
        yield {
            "resource": name,
            "action": action,
            "scopes": list(_SCOPES),
            "label": permission_words(language, f"{action.capitalize()} {{0}}", what),
            "description": permission_words(language, "Opens {0} calls of {1}.", str(len(calls)), what)
            if calls
            else permission_words(language, "Opens no call by itself."),
            "feature": word if word in SWITCHABLE else None,
            "operations": list(calls),
        }


@cache
def _opened_calls() -> dict[tuple[str, Action], list[str]]:
    """Return the calls that each permission opens."""
    found: dict[tuple[str, Action], list[str]] = {}
    for operation in declared_operations():
        route = operation.routes.get("platform")
        if route is not None and operation.flags.role is None and operation.flags.auth:
            key = (permissions.resource_of(operation.id), permissions.action_of(operation, route.method))
            found.setdefault(key, []).append(operation.id)
    return found
