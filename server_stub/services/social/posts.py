"""The rules of posts: they fit their networks, go out at once or at their time, and have figures that grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from crm_sdk.models.social import SocialPost
from crm_sdk.resources.social import SocialPosts

from ...bulk import error_of
from ...data.blanks import blank
from ...data.document import Document
from ...history import audit
from ...noun import Noun
from ...outside.networks import LIMITS, figures_of, profile_url
from ...problems import FieldError, Problem, invalid, validation
from ...serving import Collections, Context, Members, serves
from ...timetable import Appointment, apart, falls_due, plan
from .accounts import ACCOUNTS, disconnected_problem, require_connected

RAISES: Mapping[str, str] = {
    "like": "likes", "share": "shares", "comment": "comments", "reply": "comments", "click": "clicks",
}  # fmt: skip
"""The figure that an engagement of a kind counts in."""
_COUNTED = ("likes", "comments", "shares", "clicks")


def check_length(content: str, networks: Iterable[str]) -> None:
    """Raise 422 CONTENT_TOO_LONG where a text is longer than one of the networks carries."""
    short = {network: LIMITS[network] for network in networks if len(content) > LIMITS.get(network, len(content))}
    if short:
        network, limit = min(short.items(), key=lambda item: item[1])
        message = f"a text on {network} has at most {limit:,} characters, this one has {len(content):,}"
        details = {"length": len(content), "networks": short}
        raise Problem("CONTENT_TOO_LONG", message, field="content", rule="length", details=details)


def _is_medium(file: Document | None) -> bool:
    return file is not None and str(file.get("content_type")).startswith(("image/", "video/"))


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the targets of a post. Raises: 422 for what does not fit the networks; 409 for a disconnected account."""
    ids, media = members.get("account_ids"), members.get("media")
    at = members.get("scheduled_at")
    if at is not None and at < call.now:
        raise invalid("scheduled_at", "min", "this time has passed")
    wrong = [
        FieldError(f"media.{number}", "reference", f"{id} is no image and no video")
        for number, id in enumerate(media or ())
        if not _is_medium(call.find_one("file", id))
    ]
    if wrong:
        raise validation(wrong)
    if ids is None:
        return {}
    accounts = [Document(call.record("social_account", id)) for id in ids]
    check_length(members["content"], (account["network"] for account in accounts))
    if not media and any(account["network"] == "instagram" for account in accounts):
        raise Problem(
            "MEDIA_REQUIRED", "a post on instagram needs a picture or a video", field="media", rule="required"
        )
    for account in accounts:
        require_connected(account)
    blank = {"status": "pending", "external_id": None, "url": None, "published_at": None, "error": None}
    return {
        "targets": [{"account_id": account["id"], "network": account["network"], **blank} for account in accounts],
    }


def _shown_post(call: Context, doc: Document) -> Document:
    return doc | {"metrics": metrics_of(call, doc)}


POSTS = Noun(
    resource=SocialPosts,
    kind="social_post",
    prefix="post_",
    model=SocialPost,
    own=("create",),
    events="social.post_",
    refers={"account_ids": "social_account", "media": "file"},
    check=_check,
    shown=_shown_post,
)


@serves(SocialPosts.create)
def create(call: Context, post: Members) -> Document:
    """Publish a post, or keep it for its time."""
    members = {**blank(SocialPost), **POSTS.stored_form(call, post)}
    doc = call.create("social_post", "post_", members)
    if doc["scheduled_at"] is None:
        doc = publish(call, doc)
    else:
        audit.write(call, "social.post_scheduled", "social_post", doc, reason=call.reason, metadata={})
    plan(call.collection, DUE)
    return POSTS.answer(call, doc)


def _times(collections: Collections) -> Iterator[datetime]:
    return (doc["scheduled_at"] for doc in collections("social_post").find("status", "scheduled"))


DUE = Appointment("social posts", _times)


@falls_due(DUE)
def publish_due(call: Context) -> None:
    """Publish the posts whose time has come."""
    for doc in call.collection("social_post").find("status", "scheduled"):
        if doc["scheduled_at"] <= call.now:
            with apart(call, doc):
                publish(call, doc)


def publish(call: Context, doc: Document) -> Document:
    """Publish a post on those of its accounts that are connected, and tell of it."""
    targets = [
        _published_target(call, doc, target) if target["status"] == "pending" else target for target in doc["targets"]
    ]
    return _settle(call, doc, targets)


def _published_target(call: Context, doc: Document, target: Members) -> dict[str, Any]:
    account: Any = call.collection("social_account").get(target["account_id"])
    if account["status"] != "connected":
        return _failed_target(target, account)
    id = f"{target['network']}-{doc['id']}-{account['id']}"
    return {
        **target, "status": "published", "external_id": id, "published_at": call.now,
        "url": f"{profile_url(account['network'], account['handle'])}/status/{id}",
    }  # fmt: skip


def _failed_target(target: Members, account: Members) -> dict[str, Any]:
    return {**target, "status": "failed", "error": error_of(disconnected_problem(account))}


def _settle(call: Context, doc: Document, targets: list[Any]) -> Document:
    """Store what became of the targets of a post; tell of it once none of them waits."""
    states = {target["status"] for target in targets}
    if "pending" in states:
        return call.update("social_post", doc, {"targets": targets})
    status = "published" if states == {"published"} else "failed" if states == {"failed"} else "partially_published"
    changes = {"targets": targets, "status": status, "published_at": None if status == "failed" else call.now}
    new = call.update("social_post", doc, changes)
    failed = [target["account_id"] for target in targets if target["status"] == "failed"]
    POSTS.publish(call, "failed" if status == "failed" else "published", new, metadata={"failed_account_ids": failed})
    return new


def fail_scheduled(call: Context, account: Document) -> None:
    """Let what is scheduled for an account fail there."""
    for doc in call.collection("social_post").find("status", "scheduled"):
        if any(target["account_id"] == account["id"] for target in doc["targets"]):
            targets = [
                _failed_target(target, account) if target["account_id"] == account["id"] else target
                for target in doc["targets"]
            ]
            _settle(call, doc, targets)
    plan(call.collection, DUE)


def metrics_of(call: Context, doc: Document) -> dict[str, Any]:
    """Return the figures of a post now: those of the networks, and what was tracked."""
    tracked = call.collection("engagement").find("post_id", doc["id"])
    accounts = call.collection("social_account")
    targets = [
        figures_of(target, accounts.get(target["account_id"]) or {}, call.now)
        for target in doc["targets"]
        if target["status"] == "published"
    ]
    return summed_figures(targets, (one for one in tracked if one["direction"] == "inbound"))


def summed_figures(figures: Iterable[Mapping[str, int]], tracked: Iterable[Members]) -> dict[str, Any]:
    """Return figures added up; who was tracked has also seen the post."""
    total: dict[str, int] = dict.fromkeys(("impressions", "reach", *_COUNTED), 0)
    for one in figures:
        for name, value in one.items():
            total[name] += value
    for engagement in tracked:
        counted = RAISES.get(engagement["kind"])
        if counted is not None:
            for raised in (counted, "impressions", "reach"):
                total[raised] += 1
    engagements = sum(total[name] for name in _COUNTED)
    rate = engagements / total["impressions"] if total["impressions"] else 0.0
    return {**total, "engagements": engagements, "engagement_rate": rate}


def accounts_of(call: Context, account_id: str | None, network: str | None) -> dict[str, Document]:
    """Return the company's accounts by id: all, one, or those of a network."""
    return {
        doc["id"]: doc
        for doc in ACCOUNTS.records(call)
        if account_id in (None, doc["id"]) and network in (None, doc["network"])
    }
