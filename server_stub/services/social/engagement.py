"""The rules of engagement: answers to mentions, what others did, and the list of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.models.social_engagement import Engagement
from crm_sdk.resources.social import SocialEngagement

from ...answers import Answer
from ...data.document import Document
from ...data.queries.filters import by_time, filter_plans, sought_by
from ...data.queries.select import select
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..activities.records import add as add_activity
from ..contacts import health
from .accounts import require_connected
from .posts import check_length

_WITHOUT_TEXT = ("like", "share")
_VERBS = {"reply": "Replied", "direct_message": "Wrote", "like": "Liked a post", "share": "Shared a post"}

ENGAGEMENTS = Noun(
    resource=SocialEngagement,
    kind="engagement",
    model=Engagement,
    events="social.",
    verbs={"created": "engagement_tracked"},
    refers={
        "account_id": "social_account", "post_id": "social_post", "mention_id": "mention", "contact_id": "contact",
    },
)  # fmt: skip
_HISTORY = filter_plans(
    ("kind", "direction", "network", "account_id", "post_id", "mention_id", "contact_id", "user_id", "since", "until"),
    Engagement.model_fields,
    {"since": by_time("occurred_at", after=True), "until": by_time("occurred_at", after=False)},
    where="social.engagement.history",
)


@serves(SocialEngagement.history)
def history(call: Context, sort: str | None, order: str | None, **given: Any) -> Sequence[Document]:
    """Return what was done with posts and mentions, the latest first."""
    sought = sought_by(_HISTORY, call, given)
    if sort is None:
        sort, order = "occurred_at", order or "desc"
    return select(
        ENGAGEMENTS.records(call), equal=sought.equal, ranges=sought.ranges, tests=sought.tests,
        sort=sort, order=order, sorts=("occurred_at",),
    )  # fmt: skip


@serves(SocialEngagement.respond)
def respond(call: Context, mention_id: str, content: str | None, account_id: str | None, kind: str) -> Document:
    """Answer a mention, and note the answer with the contact who wrote it."""
    mention: Any = call.reference("mention", mention_id, "mention_id")
    text = (content or "").strip()
    if kind in _WITHOUT_TEXT:
        text = ""
    elif not text:
        raise invalid("content", "required", f"a {kind.replace('_', ' ')} needs a text")
    account = _answering(call, account_id, mention)
    check_length(text, [mention["network"]])
    require_connected(account)
    doc = ENGAGEMENTS.records(call)
    made = call.create("engagement", "engagement_", {
        **_blank(), "kind": kind, "direction": "outbound", "network": mention["network"], "account_id": account["id"],
        "mention_id": mention["id"], "contact_id": mention["contact_id"], "content": text or None,
        "url": mention["url"], "user_id": call.caller.user_id, "occurred_at": call.now, "status": "sent",
    })  # fmt: skip
    made = doc.put(made | {"external_id": f"{mention['network']}-{made['id']}"})
    if mention["status"] != "responded":
        call.update("mention", mention, {"status": "responded"})
    if mention["contact_id"] is not None and call.find_one("contact", mention["contact_id"]) is not None:
        title = f"{_VERBS[kind]}: {mention['author']['handle']} on {mention['network']}"
        add_activity(
            call, "note", {"title": title, "body": text or mention["content"], "contact_id": mention["contact_id"]}
        )
    call.emit("social.responded", "engagement", made, metadata={"mention_id": mention["id"]})
    return made


def _blank() -> dict[str, Any]:
    return dict.fromkeys(Engagement.model_fields)


def _answering(call: Context, account_id: str | None, mention: Members) -> Document:
    """Return the account that answers. Raises: 422 for one of another network, and where one has to be named."""
    if account_id is not None:
        account: Any = call.reference("social_account", account_id, "account_id")
        _require_network(account, mention["network"])
        return Document(account)
    network = mention["network"]
    found = [doc for doc in call.collection("social_account").find("network", network) if doc["status"] == "connected"]
    if len(found) != 1:
        said = f"{len(found)} accounts" if found else "no account"
        raise invalid("account_id", "required", f"{said} of {network} are connected: name the one that answers")
    return found[0]


def _require_network(account: Members, network: str) -> None:
    if account["network"] != network:
        message = f"{account['handle']} is an account of {account['network']}, not of {network}"
        raise Problem("NETWORK_MISMATCH", message, field="account_id", details={"network": network})


@serves(SocialEngagement.track)
def track(call: Context, engagement: Members) -> Document | Answer:
    """Record what somebody did, unless it is recorded already."""
    given = dict(engagement)
    external_id = given.pop("external_id", None) or None
    post_id, mention_id = given.get("post_id"), given.get("mention_id")
    if (post_id is None) == (mention_id is None):
        rule, message = ("required", "name a post or a mention") if post_id is None else ("choice", "name only one")
        raise invalid("post_id", rule, message)
    at: datetime = given.get("occurred_at") or call.now
    if at > call.soon:
        raise invalid("occurred_at", "max", "this time is still to come")
    members = ENGAGEMENTS.stored_form(call, given)
    place = _place(call, members)
    known = ENGAGEMENTS.records(call).find("external_id", external_id) if external_id is not None else []
    first = next((doc for doc in known if doc["network"] == place["network"]), None)
    if first is not None:
        return Answer(first, status=200)
    doc = ENGAGEMENTS.add(call, {
        **members, **place, "external_id": external_id, "direction": "inbound", "status": "recorded", "occurred_at": at,
        "contact_id": members.get("contact_id") or place["contact_id"], "user_id": None,
    })  # fmt: skip
    _raise_contact(call, doc)
    return doc


def _place(call: Context, members: Members) -> dict[str, Any]:
    """Return the network and the account of an engagement, and the contact of the mention that it is with.

    Raises: 422 NETWORK_MISMATCH for an account of another network, or one that the post did not go to.
    """
    chosen = members.get("account_id")
    account: Any = call.collection("social_account").get(chosen) if chosen is not None else None
    if members.get("mention_id") is not None:
        mention = call.record("mention", members["mention_id"])
        if account is not None:
            _require_network(account, mention["network"])
        return {
            "network": mention["network"], "account_id": chosen or mention["account_id"],
            "contact_id": mention["contact_id"],
        }  # fmt: skip
    post = call.record("social_post", members["post_id"])
    targets: Sequence[Mapping[str, Any]] = post["targets"]
    if account is not None and chosen not in post["account_ids"]:
        networks = sorted({target["network"] for target in targets})
        message = f"{post['id']} did not go to {account['handle']} of {account['network']}"
        raise Problem("NETWORK_MISMATCH", message, field="account_id", details={"networks": networks})
    target = next((one for one in targets if one["account_id"] == chosen), targets[0])
    return {"network": target["network"], "account_id": target["account_id"], "contact_id": None}


def _raise_contact(call: Context, doc: Document) -> None:
    """Note when a contact was heard of last."""
    contact = call.collection("contact").get(doc["contact_id"]) if doc["contact_id"] is not None else None
    if contact is not None:
        at = max(filter(None, (contact.get("engaged_at"), doc["occurred_at"])))
        call.collection("contact").put(contact | {"engaged_at": at})
        health.refresh(call, contact["id"])
