"""The demo company on social networks: its accounts, a campaign, what is said about it, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.social import SocialAccount, SocialPost
from crm_sdk.models.social_engagement import Engagement
from crm_sdk.models.social_listening import MonitoringKeyword, SocialAlert, SocialMention

from ...data.blanks import blank
from ...data.document import Document
from ...outside.networks import LASTS, REACH_BACK, account_of, feed, fits, followers_of, profile_url
from ..records import Records

_ACCOUNTS: Sequence[tuple[str, int, str]] = (
    ("twitter", 50, "connected"), ("linkedin", 45, "connected"), ("instagram", 20, "connected"),
    ("facebook", 70, "expired"),
)  # fmt: skip
"""The network, for how many days it has been connected, and its status."""
_POSTS: Sequence[tuple[int, tuple[str, ...], str, str]] = (
    (26, ("twitter", "linkedin"), "Our new dashboard is here: see your whole pipeline at a glance.", "dashboard"),
    (19, ("linkedin",), "How three of our customers halved the time of their sales reviews.", "customers"),
    (12, ("twitter",), "Ask us anything about imports, Thursday at 3 pm.", ""),
    (9, ("twitter", "linkedin", "facebook"), "We are at the CRM Days: come and see the demo.", "crm-days"),
    (3, ("twitter",), "Thank you for 1,000 reviews!", "customers"),
)
"""How many days ago, on which networks, the text, the campaign."""
_TRACKED: Sequence[tuple[str, str | None]] = (
    ("like", None), ("like", None), ("comment", "Finally! We have waited for this."), ("share", None),
    ("reply", "Will there be a recording?"), ("click", None), ("follow", None),
)  # fmt: skip
_ANSWER = "Happy to help: we have sent you a message."
_APOLOGY = "We are sorry. Please send us the number of your ticket, we look into it right away."


def social(records: Records) -> None:
    """Put what a company has on social networks."""
    _Story(records).put()


class _Story:
    def __init__(self, records: Records) -> None:
        self.store, self.plan, self.now = records.store, records.plan, records.now
        self.tenant: Any = self.store.collection(self.plan.id, "tenant").get(self.plan.id)

    def put(self) -> None:
        """Put the accounts, the posts, the keywords with their mentions, the answers and an alert."""
        accounts = [self._account(*one) for one in _ACCOUNTS]
        by_network = {account["network"]: account for account in accounts}
        posts = [self._post(by_network, *one) for one in _POSTS]
        keywords = [
            self._record("keyword", "keyword_", self.now - timedelta(days=40), MonitoringKeyword, **members)
            for members in (
                {"keyword": self.plan.name, "match": "phrase"},
                {"keyword": "CRM demo dashboard", "match": "any", "exclude": ["outage"]},
            )
        ]
        self._mentions(keywords, by_network)
        for number, (kind, text) in enumerate(_TRACKED):
            self._track(posts[number % len(posts)], kind, text, number)
        self._record(
            "alert", "alert_", self.now - timedelta(days=40), SocialAlert, name="Many mentions in an hour",
            condition="mention_volume", threshold=Decimal(25), channels=["in_app"], check_at=None,
            recipients=[self.plan.users[0].id],
        )  # fmt: skip
        self.store.collection(self.plan.id, "social_feed").put(Document(id="feed", read_until=self.now))

    def _record(self, kind: str, prefix: str, at: datetime, model: Any, /, **members: Any) -> Document:
        stamp = {
            "id": self.store.new_id(prefix), "created_at": at, "updated_at": at, "version": 1, "deleted_at": None,
            "created_by": self.plan.users[0].id,
        }  # fmt: skip
        return self.store.collection(self.plan.id, kind).put(Document({**blank(model), **members, **stamp}))

    def _account(self, network: str, days: int, status: str) -> Document:
        at = self.now - timedelta(days=days)
        members = account_of(self.tenant, network, f"{self.plan.slug}:demo")
        ended = at + LASTS if status == "expired" else None
        return self._record(
            "social_account", "social_", at, SocialAccount, **members, status=status, ended_at=ended,
            connected_by=self.plan.users[0].id, token_expires_at=at + LASTS, last_sync_at=ended or self.now,
            followers=followers_of(members, ended or self.now),
        )  # fmt: skip

    def _post(
        self, accounts: Mapping[str, Document], days: int, networks: Sequence[str], text: str, campaign: str
    ) -> Document:
        at = self.now - timedelta(days=days)
        targets = [self._target(accounts[network], at, days) for network in networks]
        states = {target["status"] for target in targets}
        return self._record(
            "social_post", "post_", at, SocialPost, account_ids=[accounts[network]["id"] for network in networks],
            content=text, campaign=campaign or None, tags=["demo"] if campaign == "crm-days" else [], targets=targets,
            status="published" if states == {"published"} else "partially_published", published_at=at,
        )  # fmt: skip

    def _target(self, account: Document, at: datetime, days: int) -> dict[str, Any]:
        blank = {"account_id": account["id"], "network": account["network"], "url": None, "external_id": None}
        if account["status"] != "connected" and account["ended_at"] <= at:
            message = f"{account['handle']} of {account['network']} is expired: connect it again"
            error: dict[str, Any] = {
                "code": "ACCOUNT_DISCONNECTED", "message": message, "field": None, "rule": None, "details": {},
            }  # fmt: skip
            return {**blank, "status": "failed", "published_at": None, "error": error}
        id = f"{account['network']}-{self.plan.slug}-post-{days}"
        url = f"{profile_url(account['network'], account['handle'])}/status/{id}"
        return {
            **blank, "status": "published", "external_id": id, "url": url, "published_at": at, "error": None,
        }  # fmt: skip

    def _mentions(self, keywords: Sequence[Document], accounts: Mapping[str, Document]) -> None:
        """Put what was written in the last 30 days with a keyword; every fourth mention was answered."""
        for number, post in enumerate(feed(self.tenant, self.now - REACH_BACK, self.now)):
            hits = [doc["id"] for doc in keywords if fits(doc, post)]
            if not hits:
                continue
            at: datetime = post["posted_at"]
            account = accounts.get(post["network"])
            answered = number % 4 == 0 and account is not None and at < self.now - timedelta(days=1)
            status = "responded" if answered else "new"
            mention = self._record("mention", "mention_", at, SocialMention, **post, keyword_ids=hits, status=status)
            if answered and account is not None:
                self._answer(mention, account, at + timedelta(minutes=20 + 7 * (number % 11)))

    def _answer(self, mention: Document, account: Document, at: datetime) -> None:
        text = _APOLOGY if "disappoint" in mention["content"] else _ANSWER
        self._record(
            "engagement", "engagement_", at, Engagement, kind="reply", direction="outbound", network=mention["network"],
            account_id=account["id"], mention_id=mention["id"], content=text, url=mention["url"],
            external_id=f"{mention['network']}-answer-{mention['external_id']}", user_id=self.plan.users[0].id,
            occurred_at=at, status="sent",
        )  # fmt: skip

    def _track(self, post: Document, kind: str, text: str | None, number: int) -> None:
        target = post["targets"][0]
        at = post["published_at"] + timedelta(hours=1 + number)
        self._record(
            "engagement", "engagement_", at, Engagement, kind=kind, direction="inbound", network=target["network"],
            account_id=target["account_id"], post_id=post["id"], content=text, url=target["url"],
            external_id=f"{target['network']}-{kind}-{number}", occurred_at=at, status="recorded",
        )  # fmt: skip
