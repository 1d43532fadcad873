"""The rule of the environment: what a client has to know of the server."""

from __future__ import annotations

from typing import Any

from crm_sdk import __version__
from crm_sdk.dialects import DIALECTS
from crm_sdk.resources.configuration import Configuration

from ...request.access.features import switched_on
from ...serving import Context, serves
from ..tenants.limits import limits_of
from .settings import settings_version


@serves(Configuration.environment)
def environment(call: Context) -> dict[str, Any]:
    """Return the versions, the addresses, the time, the plan, the features and the limits."""
    tenant = call.tenant
    host = call.headers.get("host") or "stub.test"
    return {
        "name": "test",
        "server_version": __version__,
        "api_versions": ["v1"],
        "dialects": list(DIALECTS),
        "base_url": f"http://{host}",
        "websocket_url": f"ws://{host}/ws",
        "region": tenant.get("region"),
        "time": call.now,
        "timezone": tenant.get("timezone") or "UTC",
        "plan": tenant["plan"],
        "languages": list(tenant.get("languages") or ["en"]),
        "features": switched_on(tenant),
        "limits": limits_of(call),
        "settings_version": settings_version(call),
        "epoch": f"e{call.server.epoch_of(call.caller.tenant_id)}",
    }
