"""Features: which services of the platform a company has switched off, or its plan does not include."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_sdk.vocabulary.codes import REQUIRED, SWITCHABLE, features_of

from ..problems import Problem

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ..core import StubServer
    from ..serving import Caller

_LACKING: Mapping[str, frozenset[str]] = {
    "free": frozenset(["custom_objects", "workflows", "marketplace", "social", "audit", "customization", "backups"])
}
"""The features that a plan does not include."""


def switched_on(tenant: Mapping[str, Any]) -> list[str]:
    """Return the features that a company has: those that cannot be switched off, and those that are on."""
    switches: Mapping[str, bool] = tenant.get("features") or {}
    lacking = _LACKING.get(tenant["plan"], frozenset())
    return sorted({*REQUIRED, *(word for word in SWITCHABLE if switches.get(word, word not in lacking))})


def require(server: StubServer, caller: Caller, operation: Operation[..., Any], dialect: str) -> None:
    """Raise 403 FEATURE_DISABLED where a service that a call needs is switched off for the caller's company."""
    for feature in features_of(operation, operation.routes[dialect]):
        if caller.tenant_id and not is_on(server, caller, feature):
            name = server.tenant(caller.tenant_id)["name"]
            message = f"{feature.replace('_', ' ')} is switched off for {name}"
            raise Problem("FEATURE_DISABLED", message, details={"feature": feature})


def is_on(server: StubServer, caller: Caller, feature: str) -> bool:
    """Return whether a service is switched on for the caller's company."""
    tenant = server.tenant(caller.tenant_id)
    switches: Mapping[str, bool] = tenant.get("features") or {}
    return switches.get(feature, feature not in _LACKING.get(tenant["plan"], ()))
