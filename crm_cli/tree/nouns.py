"""The sub-resources and calls of a resource class, by their names on the command line."""

from __future__ import annotations

from typing import Any

from crm_sdk.catalogue import Catalogue
from crm_sdk.operation import Operation
from crm_sdk.resource import Resource, operation_of, parts

from .parameters import kebab


def nouns() -> dict[str, type[Resource[Any]]]:
    """Return every noun of the catalogue, which imports all of them."""
    return resources(Catalogue)


def resources(owner: type[Any]) -> dict[str, type[Resource[Any]]]:
    """Return the resources attached to a class."""
    return {kebab(name): kind for name, kind in parts(owner).items()}


def operations(kind: type[Resource[Any]]) -> dict[str, Operation[..., Any]]:
    """Return the declared calls of a resource, without aliases (`get_all = list`)."""
    declared = {name: operation_of(value) for name, value in vars(kind).items()}
    return {kebab(name): found for name, found in declared.items() if found is not None and found.name == name}


def declared_call(call: str) -> Operation[..., Any] | None:
    """Return the declared call of a dotted name, of which only the noun is imported; None where there is none."""
    *owners, name = call.split(".")
    owner: Any = Catalogue
    for part in owners:
        owner = parts(owner).get(part) if owner is not Catalogue else getattr(Catalogue, part, None)
        if not isinstance(owner, type):
            return None
    found = operation_of(vars(owner).get(name)) if owner is not Catalogue else None
    return found if found is not None and found.name == name else None
