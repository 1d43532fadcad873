"""The rules of a company's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.models.tenants import TenantConfig
from crm_sdk.resources.tenants import TenantConfigs

from ...data import normalise
from ...data.blanks import lists_in_full
from ...data.document import Document
from ...data.merging import merge_values
from ...problems import Problem, invalid, missing
from ...request.access.networks import check_networks, is_within
from ...request.access.permissions import permits
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..pipelines.records import PIPELINES
from ..users.preferences import check_hours
from .finding import store, tell, within, writable
from .records import check_currency


@serves(TenantConfigs.get)
def get(call: Context, tenant_id: str) -> Document:
    """Return the configuration of a company: that of the caller's own to everybody."""
    there = within(call, tenant_id)
    if there is not call and not permits(call.caller, "tenants", "read"):
        raise missing("tenant", tenant_id)
    return _shown_config(call, there)


@serves(TenantConfigs.update)
def update(call: Context, tenant_id: str, changes: Members, version: int | None) -> Document:
    """Change the configuration of a company."""
    there = writable(call, tenant_id)
    tenant = there.tenant
    call.lock(Document(version=tenant.get("config_version", 1)), version)
    members = check_config(there, changes, tenant, call if there is call else None)
    before = _default_pipeline_id(there)
    wanted = changes.get("default_pipeline_id") or before
    _check_pipeline(there, wanted)
    made = store(there, members)
    if wanted != before:
        PIPELINES.change(there, there.record("pipeline", str(wanted)), {"is_default": True})
        made.append({"field": "default_pipeline_id", "before": before, "after": wanted})
        if len(made) == 1:  # nothing but what the pipelines have
            now = there.tenant
            there.collection("tenant").put(now | {"config_version": now.get("config_version", 1) + 1})
    if made:
        tell(call, there, "tenant.config_updated", changes=made)
    return _shown_config(call, there)


def _shown_config(call: Context, there: Context) -> Document:
    tenant = there.tenant
    shown = {name: tenant.get(name) for name in TenantConfig.model_fields}
    if not permits(call.caller, "tenants", "read"):
        shown["security"] = None
    default = _default_pipeline_id(there)
    return Document({**shown, "default_pipeline_id": default, "version": tenant.get("config_version", 1)})


def _default_pipeline_id(there: Context) -> str | None:
    found = there.collection("pipeline").find("is_default", True)
    return next((pipeline["id"] for pipeline in found if pipeline["entity_type"] == "deal"), None)


def _check_pipeline(there: Context, id: str | None) -> None:
    """Raise 422 for what is not a pipeline of deals, and 409 for one that is not active."""
    pipeline = there.reference("pipeline", id, "default_pipeline_id")
    if pipeline is None:
        return
    if pipeline["entity_type"] != "deal":
        raise invalid("default_pipeline_id", "choice", f"{pipeline['name']} is not a pipeline of deals")
    if not pipeline["active"]:
        message = f"{pipeline['name']} is not active: it cannot be the default"
        raise Problem("PIPELINE_INACTIVE", message, field="default_pipeline_id")


# -- the stored form ---------------------------------------------------------------------------------------------------


def check_config(there: Context, changes: Members, tenant: Document, own: Context | None) -> dict[str, Any]:
    """Return the changes in stored form. Raises: 422; 409 CURRENCY_IN_USE.

    `own` is the call where it is about the caller's own company, whose networks it has to stay within.
    """
    given = {name: value for name, value in changes.items() if name != "default_pipeline_id"}
    if "timezone" in given:
        normalise.timezone(given["timezone"])
    if "languages" in given:
        given["languages"] = list(dict.fromkeys(given["languages"]))
    if given.get("business_hours") is not None:
        normalise.timezone(given["business_hours"].get("timezone"), "business_hours.timezone")
        check_hours(given["business_hours"], "business_hours")
    if given.get("email") is not None:
        given["email"] = {
            name: normalise.email(value, f"email.{name}") if name in ("from_address", "reply_to") else value
            for name, value in given["email"].items()
        }
    if "allowed_email_domains" in given.get("security", {}):
        domains = [domain.lower() for domain in given["security"]["allowed_email_domains"]]
        given["security"] = {**given["security"], "allowed_email_domains": list(dict.fromkeys(domains))}
    if "currencies" in given:
        _check_currencies(there, given["currencies"], tenant)
    members = merge_values(given | lists_in_full(TenantConfig, given), tenant, {"config"})
    _check_networks(policy_of(members).get("ip_allowlist") or (), own)
    return members


def _check_currencies(there: Context, rates: Sequence[Members], tenant: Document) -> None:
    """Raise 422 for an unknown currency, one named twice and the base currency, and 409 where one in use is missing."""
    codes = [rate["currency"] for rate in rates]
    for number, code in enumerate(codes):
        at = f"currencies.{number}.currency"
        check_currency(code, at)
        if code in codes[:number] or code == tenant["base_currency"]:
            is_base = code == tenant["base_currency"]
            message = "is the base currency, whose rate is 1" if is_base else "is named twice"
            raise invalid(at, "unique", message)
    for code in {rate["currency"] for rate in tenant["currencies"]}.difference(codes):
        kinds = sorted(
            {
                noun.collection
                for noun in there.server.nouns.values()
                for member in noun.model.model_fields.keys() & {"currency", "quota_currency"}
                if not noun.shared and there.collection(noun.collection).find(member, code)
            }
        )
        if kinds:
            message = f"there are amounts in {code}: {', '.join(kinds)}"
            raise Problem("CURRENCY_IN_USE", message, field="currencies", details={"currency": code, "kinds": kinds})


def _check_networks(networks: Sequence[str], own: Context | None) -> None:
    """Raise 422 for what is not a network, and LOCKOUT for networks that the caller is not in."""
    check_networks(networks, "security.ip_allowlist")
    address = own.source.get("ip_address") if own is not None else None
    if not is_within(address, networks):
        message = f"your own address {address} is in none of the networks: you would be locked out"
        raise Problem("LOCKOUT", message, field="security.ip_allowlist", details={"ip_address": address})
