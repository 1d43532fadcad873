"""The rules of installed apps: consent, settings, updates, and what an app has in a company until it is uninstalled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from crm_sdk.models.marketplace_installations import Installation
from crm_sdk.resources.marketplace import MarketplaceApps, MarketplaceInstallations

from ...answers import Answer
from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.filters import Test
from ...data.queries.select import select
from ...data.store import EVERY_COMPANY
from ...noun import Noun
from ...problems import FieldError, Problem, validation
from ...request.access.callers import APP_TOKEN
from ...request.access.identity import fingerprint
from ...request.access.permissions import permits, read_permission
from ...serving import Context, serves
from ...webhooks.records import DELIVERY, ENDPOINT
from ..webhooks.records import pending_deliveries
from .apps import APPS, INSTALLATION, presented_app, signing_secret
from .health import last_error, state_of
from .settings import settle
from .versions import release_of
from .words import permission_for, permissions_form

USE = "app_use"
"""The kind of the records of who has used an app, from when to when; they are all companies' and name none."""
_KEPT = "app_data"
"""The kind of the records of settings that were kept of an uninstalled app; their ids are those of the apps."""
_NOTHING: Mapping[str, Any] = {"config": {}, "secret_digests": {}}


def consent(call: Context, release: Document, given: Sequence[str]) -> list[str]:
    """Return the permissions that an app is granted.

    Raises: 422 for one that it does not ask for, or where one that it needs is missing; 403 for one that the caller
    does not have.
    """
    granted: Any = permissions_form("granted_permissions")(call, given)
    asked = {*release["permissions"], *release["optional_permissions"]}
    strange = [
        FieldError(f"granted_permissions.{number}", "choice", f"the app does not ask for {word}")
        for number, word in enumerate(given)
        if word.removesuffix("@all") not in asked
    ]
    if strange:
        raise validation(strange)
    needed = [word for word in release["permissions"] if word not in granted]
    if needed:
        message = f"the app needs {', '.join(needed)} as well"
        raise Problem(
            "PERMISSION_NOT_GRANTED", message, field="granted_permissions", rule="required", details={"missing": needed}
        )
    lacking = [word for word in granted if (found := read_permission(word)) and not permits(call.caller, *found)]
    if lacking:
        message = f"you cannot grant what you may not do yourself: {', '.join(lacking)}"
        raise Problem("FORBIDDEN", message, field="granted_permissions", details={"permissions": lacking})
    return list(granted)


@serves(MarketplaceApps.install)
def install(
    call: Context,
    app_id: str,
    granted_permissions: Sequence[str],
    config: Mapping[str, Any] | None,
    version: str | None,
) -> Answer:
    """Install an app; only this answer has the token that it calls with."""
    app = APPS.find_one(call, app_id)
    release = release_of(call, app, version)
    granted = consent(call, release, granted_permissions)
    kept = call.collection(_KEPT).get(app["id"])
    settings = settle(release["config_schema"], kept or _NOTHING, config or {}, complete=False)
    for other in call.collection(INSTALLATION).find("app_id", app["id"]):
        message = f"{app['name']} is installed already"
        raise Problem("ALREADY_INSTALLED", message, details={"installation_id": other["id"]})
    if kept is not None:
        call.collection(_KEPT).remove(kept["id"])
    token = call.new_id("appkey_")
    made = INSTALLATIONS.add(
        call,
        {
            "app_id": app["id"],
            "app_version": release["app_version"],
            "granted_permissions": granted,
            "installed_by": call.caller.user_id or call.caller.actor_id,
            "installed_at": call.now,
            **settings,
        },
        parts=lambda doc: _begin(call, app, doc, token),
    )
    place = {"Location": f"/v1/marketplace/installations/{made['id']}/status"}
    return Answer(shown_installation(call, made) | {"access_token": token}, headers=place)


def _begin(call: Context, app: Document, doc: Document, token: str) -> None:
    """Give an app its token in a company, and count the company among those that have it."""
    identity = {"id": doc["id"], "tenant_id": call.caller.tenant_id, "app_id": app["id"], "name": app["name"]}
    use: dict[str, Any] = {
        "last_used_at": None,
        "calls": [],
        "revoked_at": None,
        "permissions": doc["granted_permissions"],
    }
    call.collection(APP_TOKEN).put({**identity, "fingerprint": fingerprint(token), "created_at": call.now, **use})
    call.server.store.collection(EVERY_COMPANY, USE).put(
        {
            "id": doc["id"],
            "app_id": app["id"],
            "plan": call.tenant["plan"],
            "app_version": doc["app_version"],
            "installed_at": call.now,
            "uninstalled_at": None,
        }
    )


@serves(MarketplaceApps.uninstall)
def uninstall(call: Context, app_id: str, keep_data: bool) -> Document:
    """Uninstall an app, and erase its settings unless they are to be kept."""
    app = APPS.find_one(call, app_id)
    found = call.collection(INSTALLATION).find("app_id", app["id"])
    if not found:
        raise Problem("NOT_INSTALLED", f"{app['name']} is not installed")
    doc = found[0]
    if keep_data:
        settings = {name: doc[name] for name in _NOTHING}
        call.collection(_KEPT).put({"id": app["id"], **settings})
    INSTALLATIONS.remove(call, doc | _NOTHING)
    return presented_app(call, APPS.find_one(call, app["id"]))


@serves(MarketplaceInstallations.configure)
def configure(
    call: Context,
    installation_id: str,
    config: Mapping[str, Any],
    granted_permissions: Sequence[str] | None,
    version: int | None,
) -> Document:
    """Change the settings and the permissions of an app, and update it where it has what the latest version needs."""
    doc = INSTALLATIONS.writable(call, installation_id, "manage")
    call.lock(doc, version)
    app = APPS.find_one(call, doc["app_id"])
    release = release_of(call, app)
    if granted_permissions is not None:
        granted = consent(call, release, granted_permissions)
    else:
        if not set(release["permissions"]) <= set(doc["granted_permissions"]):
            release = release_of(call, app, doc["app_version"])
        asked = {*release["permissions"], *release["optional_permissions"]}
        granted = [word for word in doc["granted_permissions"] if word in asked]
    settings = settle(release["config_schema"], doc, config, complete=True)
    changes = {"app_version": release["app_version"], "granted_permissions": granted, **settings}
    new = INSTALLATIONS.change(call, doc, changes)
    _subscribe(call, app, new)  # also where nothing changes: what was given up is tried again
    return shown_installation(call, new)


@serves(MarketplaceInstallations.list)
def list_(
    call: Context, status: str | None, category: str | None, sort: str | None, order: str | None
) -> Sequence[Document]:
    """Return the installed apps."""
    tests: list[Test] = [
        lambda doc: status is None or state_of(call, doc) == status,
        lambda doc: category is None or _app_of(call, doc)["category"] == category,
    ]
    return Mapped(
        select(call.collection(INSTALLATION), tests=tests, sort=sort, order=order), partial(shown_installation, call)
    )


def _app_of(call: Context, doc: Document) -> Document:
    return APPS.find_one(call, doc["app_id"])


def shown_installation(call: Context, doc: Document) -> Document:
    """Return an installation with what follows from its app and the deliveries to it."""
    name = _app_of(call, doc)["name"]
    return doc.with_members({"app_name": name, "status": state_of(call, doc), "last_error": last_error(call, doc)})


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Let what an app has in a company follow its installation: the token, the subscription, the counts."""
    doc = after or before
    if doc is None:
        return None
    tokens, uses = call.collection(APP_TOKEN), call.server.store.collection(EVERY_COMPANY, USE)
    token, use = tokens.get(doc["id"]), uses.get(doc["id"])
    app = APPS.records(call).get(doc["app_id"])
    if token is None or use is None or app is None:
        return None
    if after is None:
        tokens.remove(doc["id"])
        uses.put(use | {"uninstalled_at": call.now})
        _unsubscribe(call, doc)
    else:
        tokens.put(token | {"permissions": after["granted_permissions"]})
        uses.put(use | {"app_version": after["app_version"]})
        _subscribe(call, app, after)
    count = sum(use["uninstalled_at"] is None for use in uses.find("app_id", app["id"]))
    if count != app["install_count"]:
        APPS.records(call).put(app | {"install_count": count})  # nobody has edited it: its version stays
    return None


def _subscribe(call: Context, app: Document, doc: Document) -> None:
    """Post to an app the events that it subscribes to and was granted to read."""
    events = release_of(call, app, doc["app_version"])["events"]
    events = [event for event in events if permission_for(event) in doc["granted_permissions"]]
    known = call.collection(ENDPOINT).find("installation_id", doc["id"])
    well = {"consecutive_failures": 0, "failing_since": None, "disabled_at": None, "disabled_reason": None}
    place = {"url": app["webhook_url"] or "", "active": bool(events and app["webhook_url"]), "events": events}
    if known:
        call.collection(ENDPOINT).put(known[0] | (place if known[0]["active"] else {**place, **well}))
    elif events:
        secret = signing_secret(app["id"])
        secrets = [{"value": secret, "expires_at": None}]
        of = {"installation_id": doc["id"], "app_id": app["id"], "description": app["name"], "secrets": secrets}
        extra = {"secret_prefix": secret[:10], "previous_secret_expires_at": None}
        call.create(ENDPOINT, "webhook_", {**of, **place, **well, **extra})


def _unsubscribe(call: Context, doc: Document) -> None:
    """End the subscription of an app: what has not been posted yet never is."""
    for endpoint in call.collection(ENDPOINT).find("installation_id", doc["id"]):
        for delivery in pending_deliveries(call, endpoint):
            call.update(DELIVERY, delivery, {"status": "cancelled", "next_attempt_at": None})
        call.delete(ENDPOINT, endpoint)


INSTALLATIONS = Noun(
    resource=MarketplaceInstallations,
    kind=INSTALLATION,
    prefix="install_",
    model=Installation,
    own=("list",),
    within=("app_id", APPS),
    events="app.",
    verbs={"created": "installed", "updated": "configured", "deleted": "uninstalled"},
    computed=("secret_digests",),
    follow=_follow,
)
