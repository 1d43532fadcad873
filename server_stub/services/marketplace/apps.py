"""The rules of apps: what a listing needs, who sees it, and who may change it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from crm_sdk.models.marketplace import App
from crm_sdk.resources.marketplace import MarketplaceApps
from crm_sdk.route import Action

from ...data import normalise
from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.query import fold
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access.permissions import permits
from ...serving import Context, Members
from ...webhooks.records import ENDPOINT
from .reviews import submit
from .settings import schema_form
from .words import ASKED, FORMS

FIRST = "1.0.0"
"""The version that a submitted app has."""
INSTALLATION = "installation"
"""The kind of the records of installed apps."""
_RESERVED = frozenset({"categories", "featured", "search"})
"""What the paths of other calls have in the place of a slug."""


class _Apps(Noun):
    """The apps of all companies: each is named by its id or its slug, and written by the company that develops it."""

    def find_one(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        """Return an app that the caller may see. Raises: 404."""
        named = self.records(call).find("slug", id)
        return super().find_one(call, named[0]["id"] if named else id, whole_id)

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return an app if the caller may change it. Raises: 404; 403, also for the app of another company."""
        return require_own(call, super().writable(call, self.find_one(call, id)["id"], action, whole_id=whole_id))


def is_own(call: Context, app: Members) -> bool:
    """Return whether the caller's company develops an app."""
    return bool(app["tenant_id"] == call.caller.tenant_id)


def require_own(call: Context, app: Document) -> Document:
    """Return an app that the caller's company develops. Raises: 403 for any other."""
    if not is_own(call, app):
        raise Problem("FORBIDDEN", f"{app['name']} is the app of another company", details={"id": app["id"]})
    return app


def is_visible(call: Context, app: Document) -> bool:
    """Return whether the caller may see an app: a published one, or the company's own."""
    return app["status"] == "published" or is_own(call, app)


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the members that follow from those of an app. Raises: 422; 409 for a slug that another app has."""
    if before is not None and before["published_at"] is not None:
        asked = [name for name in ASKED if name in members and members[name] != before[name]]
        if asked:
            message = f"{', '.join(asked)} of a published app change by a new version"
            raise Problem("NEW_VERSION_REQUIRED", message, field=asked[0], details={"fields": asked})
    if "pricing" in members or before is None:
        members["pricing"] = members.get("pricing") or {"model": "free"}
    if members.get("slug") is None and before is None:
        members["slug"] = _slug_of(members["name"] or "")
    _refuse_taken(call, members.get("slug"), before)
    return members if before is not None else {**members, **_origin(call)}


def _slug_of(name: str) -> str:
    slug = "-".join(re.findall(r"[a-z0-9]+", fold(name))) or "app"
    return f"{slug}-app" if slug in _RESERVED else slug


def _refuse_taken(call: Context, slug: str | None, before: Document | None) -> None:
    if slug in _RESERVED:
        raise invalid("slug", "choice", f"{slug!r} is a word of the marketplace itself")
    for app in APPS.records(call).find("slug", slug) if slug is not None else ():
        if before is None or app["id"] != before["id"]:
            known = {"existing_id": app["id"]} if is_visible(call, app) else {}
            raise Problem("APP_EXISTS", f"an app has the slug {slug!r}", field="slug", rule="unique", details=known)


def _origin(call: Context) -> dict[str, Any]:
    """Return the members of a new app that say where it is from."""
    company, id = call.tenant, call.caller.tenant_id
    passed = any(app["published_at"] is not None for app in APPS.records(call).find("tenant_id", id))
    return {
        "tenant_id": id,
        "app_version": FIRST,
        "developer": {
            "id": f"dev_{id.removeprefix('tenant_')}",
            "name": company["name"],
            "website": f"https://{company['domain']}" if company.get("domain") else None,
            "verified": passed,
        },
    }


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Submit a new app to the review, and a rejected one that has changed; post events to a new address."""
    if after is None:
        return None
    if before is None:
        submit(call, after)
        # What only the company itself may know is not among the members that events and other companies are shown.
        own = {"submitted_by": after["created_by"], "oauth_client_id": call.new_id("client_")}
        return APPS.records(call).put(after | {"created_by": "system", **own})
    if before["webhook_url"] != after["webhook_url"]:
        url = after["webhook_url"]
        for endpoints in call.server.store.across(ENDPOINT):
            for endpoint in endpoints.find("app_id", after["id"]):
                endpoints.put(endpoint | {"url": url or endpoint["url"], "active": url is not None})
    if before["status"] == after["status"] == "rejected":
        submit(call, after)
        return APPS.records(call).put(after | {"status": "in_review"})
    return None


def presented_app(call: Context, app: Document) -> Document:
    """Return an app as the caller's company sees it."""
    mine = call.collection(INSTALLATION).find("app_id", app["id"])
    own = is_own(call, app)
    manages = own and permits(call.caller, APPS.word, "manage")
    return app.with_members(
        {
            "installed": bool(mine),
            "installation_id": mine[0]["id"] if mine else None,
            # Named for everybody: a document keeps what it was last completed to, whoever that was for.
            "created_by": app["submitted_by"] if own else "system",
            "client_id": app["oauth_client_id"] if own else None,
            "client_secret": signing_secret(app["id"]) if manages else None,
        }
    )


def signing_secret(app_id: str) -> str:
    """Return the secret that signs what is posted to an app. The same in every run: it protects nothing."""
    return f"whsec_{base64.b64encode(hashlib.sha256(app_id.encode()).digest()).decode()}"


APPS = _Apps(
    resource=MarketplaceApps,
    kind="app",
    model=App,
    shared=True,
    verbs={"created": "submitted"},
    searched=("name", "tagline", "tags", "description"),
    sorts=("name", "install_count", "rating", "published_at"),
    forms={
        "name": required_text("name"),
        "support_email": lambda call, value: normalise.email(value, "support_email"),
        "config_schema": schema_form,
        **FORMS,
    },
    filters={
        "installed": lambda call, value: (
            lambda app: bool(call.collection(INSTALLATION).find("app_id", app["id"])) == value
        ),
        "pricing": lambda call, value: lambda app: app["pricing"]["model"] == value,
        "developer_id": lambda call, value: lambda app: app["developer"]["id"] == value,
    },
    visible=is_visible,
    check=_check,
    follow=_follow,
    shown=presented_app,
    listed=presented_app,
)
