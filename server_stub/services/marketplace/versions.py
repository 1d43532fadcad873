"""The rules of an app's versions: what follows a version, and how the review of an app or a version ends."""

from __future__ import annotations

import re
from typing import Any

from crm_sdk.models.marketplace import AppVersion
from crm_sdk.resources.marketplace import AppVersions

from ...data.blanks import blank
from ...data.document import Document
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ...timetable import apart, falls_due
from ..notifications import notify
from .apps import APPS
from .reviews import KIND, REVIEW, shortcomings, submit
from .settings import schema_form
from .words import ASKED, FORMS

_NUMBER = re.compile(r"[0-9]+")

VERSIONS = Noun(
    resource=AppVersions,
    kind="app_version",
    model=AppVersion,
    prefix="appver_",
    shared=True,
    own=("create",),
    within=("app_id", APPS),
    events="app.version_",
    verbs={"created": "submitted"},
    forms={"config_schema": schema_form, **FORMS},
    refers={"package_file_id": "file"},
)


def precedence(version: str) -> tuple[Any, ...]:
    """Return the sort key of a version (semver.org, 11): one before a release comes before it, numbers before words."""
    core, _, before = version.partition("-")
    words = [
        (0, int(word), "") if _NUMBER.fullmatch(word) else (1, 0, word)
        for word in (before.split(".") if before else ())
    ]
    return *map(int, core.split(".")), not before, words


def release_of(call: Context, app: Document, version: str | None = None) -> Document:
    """Return a published version of an app, by default the latest. Raises: 409; 422 for a version that is not."""
    wanted = version or app["app_version"]
    published = [doc for doc in VERSIONS.records(call).find("app_id", app["id"]) if doc["status"] == "published"]
    if not published:
        raise Problem("APP_NOT_PUBLISHED", f"{app['name']} has passed no review yet", details={"status": app["status"]})
    for doc in published:
        if doc["app_version"] == wanted:
            return doc
    known = [doc["app_version"] for doc in published]
    raise invalid("version", "choice", f"{app['name']} has no published version {wanted}", choices=known)


@serves(AppVersions.create)
def create(call: Context, app_id: str, version: Members) -> Document:
    """Submit a version of an app."""
    app = APPS.writable(call, app_id)
    names = [name for name in ("app_version", "version") if name in version]
    if len(names) != 1:
        raise invalid("app_version", "choice" if names else "required", "give the version once, as `app_version`")
    number: str = version[names[0]]
    given = {name: value for name, value in version.items() if name not in ("version", "app_version")}
    members = VERSIONS.stored_form(call, {**{name: app[name] for name in ASKED}, **given})
    if precedence(number) <= precedence(app["app_version"]):
        message = f"{number} is not newer than {app['app_version']}"
        raise Problem("VERSION_NOT_NEWER", message, field=names[0], details={"app_version": app["app_version"]})
    if call.collection(KIND).get(app["id"]) is not None:
        raise Problem("REVIEW_PENDING", f"a version of {app['name']} is in review: wait until it is decided")
    made = VERSIONS.add(call, {**members, "app_id": app["id"], "app_version": number, "status": "in_review"})
    if app["status"] == "rejected":
        call.update(APPS.collection, app, {"status": "in_review"})
    submit(call, app, made["id"])
    return made


@falls_due(REVIEW)
def review(call: Context) -> None:
    """End the reviews that are over: what is complete is published, anything else rejected with the reasons."""
    for entry in call.collection(KIND).all():
        app = APPS.records(call).get(entry["id"])
        if entry["due_at"] <= call.now and app is not None:
            with apart(call, app):
                _decide(call, app, entry)


def _decide(call: Context, app: Document, entry: Members) -> None:
    call.collection(KIND).remove(app["id"])
    version = VERSIONS.records(call).get(entry["version_id"]) if entry["version_id"] is not None else None
    offered = {name: version[name] for name in ("app_version", *ASKED)} if version is not None else {}
    reasons = shortcomings(app | offered)
    if reasons:
        _reject(call, app, version, reasons)
    else:
        _publish(call, app, version, offered)


def _publish(call: Context, app: Document, version: Document | None, offered: dict[str, Any]) -> None:
    passed = {"status": "published", "published_at": call.now}
    if version is not None:
        call.update(VERSIONS.collection, version, passed)
    else:
        first = {name: app[name] for name in ("app_version", *ASKED)}
        words = {"app_id": app["id"], "changelog": "The first version.", **passed}
        call.create(VERSIONS.collection, "appver_", {**blank(AppVersion), **first, **words})
    passed |= {"published_at": app["published_at"] or call.now, "developer": app["developer"] | {"verified": True}}
    said = {"app_version": offered.get("app_version", app["app_version"])}
    new = APPS.change(call, app, {**offered, **passed}, verb="published", metadata=said)
    _tell(call, new, f"{new['name']} {said['app_version']} is published", "It can be installed now.")


def _reject(call: Context, app: Document, version: Document | None, reasons: list[str]) -> None:
    said = {"app_version": (version or app)["app_version"], "reasons": reasons}
    if version is not None:
        call.update(VERSIONS.collection, version, {"status": "rejected"})
    if app["published_at"] is None:
        app = APPS.change(call, app, {"status": "rejected"}, verb="rejected", metadata=said, reason="; ".join(reasons))
    else:
        APPS.publish(call, "rejected", app, metadata=said, reason="; ".join(reasons))
    _tell(call, app, f"{app['name']} {said['app_version']} was rejected", f"{'; '.join(reasons)}.".capitalize())


def _tell(call: Context, app: Document, title: str, message: str) -> None:
    """Notify the user who submitted an app, or stands behind the key that did."""
    who = app["submitted_by"]
    user_id = next((key["user_id"] for key in call.collection("api_key") if key["id"] == who), who)
    if user_id is not None and call.find_one("user", user_id) is not None:
        notify(call, user_id, "system", title, message, about=("app", app["id"]))
