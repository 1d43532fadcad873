"""The demo marketplace: apps of three developers and of both companies, and what both have installed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm_sdk.models.marketplace import App, AppVersion
from crm_sdk.models.marketplace_installations import Installation

from ...data.blanks import blank
from ...data.collection import Collection
from ...data.document import Document
from ...data.store import EVERY_COMPANY, Store
from ...request.access.callers import APP_TOKEN
from ...request.access.identity import fingerprint
from .apps import OFFERS, Offer
from .company import ACME, GLOBEX, Plan

DEMO_TOKEN = "acme-ledgerline"
"""The token of Ledgerline Invoices in the first company."""
_ASKED = ("permissions", "optional_permissions", "config_schema")
_SECRET = "llk_live_5f0c2a77"
_PLANS = ("free", "pro", "pro", "enterprise")


def put_marketplace(store: Store, now: datetime, random: Random) -> None:
    """Put the apps, who else has had them, and the installations of the demo companies."""
    for offer in OFFERS:
        _put_app(store, offer, now)
        _put_uses(store, offer, now, random)
    _install(
        store, ACME, "ledgerline-invoices", "2.0.0", now - timedelta(days=170), DEMO_TOKEN,
        config={"api_key": f"••••{_SECRET[-4:]}", "language": "en", "prefix": "ACME-"},
        secrets={"api_key": _SECRET}, more=("contacts:read",),
    )  # fmt: skip
    _install(
        store, ACME, "angebotsmappe", "1.0.0", now - timedelta(days=63), "acme-angebotsmappe",
        config={"sender": "sales@acme.test"},
    )  # fmt: skip
    _install(store, GLOBEX, "territory-heatmap", "1.0.1", now - timedelta(days=48), "globex-heatmap")
    _install(store, GLOBEX, "ringbridge", "1.1.0", now - timedelta(days=30), "globex-ringbridge")
    apps, uses = _common(store, "app"), _common(store, "app_use")
    for app in apps:
        count = sum(use["uninstalled_at"] is None for use in uses.find("app_id", app["id"]))
        apps.put(app | {"install_count": count})


def _common(store: Store, kind: str) -> Collection:
    return store.collection(EVERY_COMPANY, kind)


def _record(id: str, at: datetime, by: str = "system") -> dict[str, Any]:
    return {"id": id, "created_at": at, "updated_at": at, "created_by": by, "version": 1}


def _app_id(slug: str) -> str:
    return f"app_{slug.replace('-', '_')}"


def _put_app(store: Store, offer: Offer, now: datetime) -> None:
    """Put an app with its published versions."""
    plan = next((plan for plan in (ACME, GLOBEX) if plan.slug == offer.developer), None)
    word = offer.developer.split()[0].lower()
    house = f"{word}.test" if plan is not None else f"{word}.example"
    app_id, begun = _app_id(offer.slug), now - timedelta(days=offer.versions[0][1])
    developer = {
        "id": f"dev_{word}",
        "name": plan.name if plan is not None else offer.developer,
        "website": f"https://{house}",
        "verified": True,
    }
    _common(store, "app").put(
        Document(
            {
                **blank(App),
                **_record(app_id, begun - timedelta(hours=1)),
                **{name: getattr(offer, name) for name in ("slug", "name", "tagline", "description", "category")},
                **{name: list(getattr(offer, name)) for name in (*_ASKED, "redirect_uris", "tags")},
                **{name: getattr(offer, name) for name in ("pricing", "rating", "rating_count", "featured")},
                "tenant_id": plan.id if plan is not None else developer["id"],
                "submitted_by": plan.users[0].id if plan is not None else "system",
                "oauth_client_id": f"client_{offer.slug.replace('-', '_')}",
                "developer": developer,
                "website": f"https://{house}",
                "support_email": f"help@{house}",
                "privacy_url": f"https://{house}/privacy",
                "app_version": offer.versions[-1][0],
                "status": "published",
                "published_at": begun,
            }
        )
    )
    for number, days, changelog, differing in offer.versions:
        at = now - timedelta(days=days)
        asked = {name: list(differing.get(name, getattr(offer, name))) for name in _ASKED}
        said = {"app_id": app_id, "app_version": number, "changelog": changelog}
        passed = {"status": "published", "published_at": at}
        made = _record(f"appver_{offer.slug.replace('-', '_')}_{number.replace('.', '_')}", at)
        _common(store, "app_version").put(Document({**blank(AppVersion), **made, **said, **asked, **passed}))


def _put_uses(store: Store, offer: Offer, now: datetime, random: Random) -> None:
    """Put which companies of the world have had an app: since when, until when, in which version."""
    longest = offer.versions[0][1]
    for number in range(offer.taken):
        begun = now - timedelta(days=longest * random.random() ** 1.3, minutes=random.randrange(600))
        last = begun + (now - begun) * random.uniform(0.1, 0.9)
        stayed = last if number < offer.left else now
        released = [version for version, days, _, _ in offer.versions if now - timedelta(days=days) <= stayed]
        use = {
            "app_id": _app_id(offer.slug),
            "plan": random.choice(_PLANS),
            "app_version": released[-1] if random.random() < 0.7 else released[max(len(released) - 2, 0)],
            "installed_at": begun,
            "uninstalled_at": last if number < offer.left else None,
        }
        _common(store, "app_use").put(Document({"id": f"use_{offer.slug}_{number}", **use}))


def _install(
    store: Store,
    plan: Plan,
    slug: str,
    version: str,
    at: datetime,
    token: str,
    *,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> None:
    """Put an app that a demo company has installed, with its token."""
    app_id, admin = _app_id(slug), plan.users[0].id
    releases = _common(store, "app_version").find("app_id", app_id)
    granted = [*next(doc["permissions"] for doc in releases if doc["app_version"] == version), *more]
    installation_id = f"install_{plan.slug}_{slug.replace('-', '_')}"
    name = next(offer.name for offer in OFFERS if offer.slug == slug)
    members = {
        "app_id": app_id,
        "app_name": name,
        "app_version": version,
        "status": "active",
        "granted_permissions": granted,
        "config": dict(config or {}),
        "secret_digests": {key: hashlib.sha256(value.encode()).hexdigest() for key, value in (secrets or {}).items()},
        "installed_by": admin,
        "installed_at": at,
    }
    record = _record(installation_id, at, admin)
    store.collection(plan.id, "installation").put(Document({**blank(Installation), **record, **members}))
    identity = {"id": installation_id, "tenant_id": plan.id, "app_id": app_id, "name": name, "permissions": granted}
    use: dict[str, Any] = {"created_at": at, "last_used_at": None, "calls": [], "revoked_at": None}
    store.collection(plan.id, APP_TOKEN).put(Document({**identity, "fingerprint": fingerprint(token), **use}))
    seen = {"plan": plan.plan, "app_version": version, "installed_at": at, "uninstalled_at": None}
    _common(store, "app_use").put(Document({"id": installation_id, "app_id": app_id, **seen}))
