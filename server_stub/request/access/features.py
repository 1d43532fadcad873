"""Features: which services of the platform a company has switched off, or its plan does not include."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from crm_sdk.vocabulary.codes import REQUIRED, SWITCHABLE, features_of

from ...problems import Problem
from .plans import has_feature

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ...caller import Caller
    from ...core import StubServer


def switched_on(tenant: Mapping[str, Any]) -> list[str]:
    """Return the features that a company has: those that cannot be switched off, and those that are on."""
    return sorted(word for word in REQUIRED | SWITCHABLE if has_feature(tenant, word))


def require(server: StubServer, caller: Caller, operation: Operation[..., Any], dialect: str) -> None:
    """Raise 403 FEATURE_DISABLED where a service that a call needs is switched off for the caller's company."""
    for feature in _behind(operation, dialect):
        if caller.tenant_id:
            check(server.tenant(caller.tenant_id), feature)


@cache
def _behind(operation: Operation[..., Any], dialect: str) -> tuple[str, ...]:
    return tuple(features_of(operation, operation.routes[dialect]))


def is_on(server: StubServer, caller: Caller, feature: str) -> bool:
    """Return whether a service is switched on for the caller's company."""
    return has_feature(server.tenant(caller.tenant_id), feature.partition(".")[0])


def check(tenant: Mapping[str, Any], feature: str) -> None:
    """Raise 403 FEATURE_DISABLED where a company does not have a feature, or that of a part: ``custom_objects.…``."""
    feature = feature.partition(".")[0]
    if not has_feature(tenant, feature):
        message = f"{feature.replace('_', ' ')} is switched off for {tenant['name']}"
        raise Problem("FEATURE_DISABLED", message, details={"feature": feature})
