"""Engagement on social networks: who answered whom, and the figures of posts and mentions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .analytics_metrics import MetricValue
from .deal_analytics import Series
from .marks import INPUT, PERSONAL, PERSONAL_TEXT
from .record import Model, Record
from .social import Network
from .social_listening import SocialAuthor
from .values import Text, Url

EngagementKind: TypeAlias = Literal["reply", "direct_message", "like", "share", "comment", "click", "follow"] | str
ResponseKind: TypeAlias = Literal["reply", "direct_message", "like", "share"] | str
EngagementDirection: TypeAlias = Literal["inbound", "outbound"] | str
"""``inbound``: by others; ``outbound``: by the company."""
EngagementStatus: TypeAlias = Literal["sent", "failed", "recorded"] | str
"""``sent`` and ``failed``: by the company; ``recorded``: by others."""
EngagementSort: TypeAlias = Literal["id", "occurred_at", "created_at", "updated_at"] | str
ResponseText: TypeAlias = Annotated[str, Field(max_length=100_000)]


class Engagement(Record):
    """What somebody did with a post or a mention."""

    kind: EngagementKind
    direction: EngagementDirection
    network: Network
    account_id: str | None = None
    """Id of the company's account."""
    post_id: str | None = None
    """Id of the company's post."""
    mention_id: str | None = None
    """Id of the mention."""
    contact_id: str | None = None
    """Id of the contact who did it, or who was answered."""
    content: Annotated[str | None, PERSONAL_TEXT] = None
    url: Annotated[str | None, PERSONAL] = None
    """Its URL on the network."""
    external_id: str | None = None
    """Its id on the network, which is recorded once."""
    author: Annotated[SocialAuthor | None, PERSONAL] = None
    """Who did it, unless it was the company."""
    user_id: str | None = None
    """Id of the user who answered."""
    occurred_at: AwareDatetime
    """When it happened on the network."""
    status: EngagementStatus


class NetworkMetrics(Model):
    """The figures of one network."""

    network: Network
    followers: int
    """The followers of the accounts of the network."""
    impressions: int
    """How often posts were shown."""
    engagements: int
    """Likes, comments, shares and clicks."""
    engagement_rate: float
    """Engagements / impressions."""


class EngagementMetrics(Model):
    """The figures of the company's accounts, compared with those of an earlier time."""

    start_date: date
    end_date: date
    followers: MetricValue
    """At the end of the days."""
    impressions: MetricValue
    """How many times posts were shown."""
    engagements: MetricValue
    """Likes, comments, shares and clicks."""
    clicks: MetricValue
    """The clicks on links of posts."""
    likes: MetricValue
    """The likes of posts."""
    comments: MetricValue
    """Comments and replies."""
    shares: MetricValue
    """How often posts were shared."""
    mentions: MetricValue
    """The mentions of the company."""
    responses: MetricValue
    """What the company answered."""
    engagement_rate: MetricValue
    """Engagements / impressions."""
    response_rate: MetricValue
    """The share of the mentions that were answered."""
    avg_response_minutes: MetricValue
    """The mean time from a mention to its first answer."""
    by_network: list[NetworkMetrics]
    """The figures of each network."""
    series: list[Series]
    """Impressions, engagements and mentions of each period."""


@with_config(INPUT)
class SocialAuthorInput(TypedDict, total=False):
    """Who did something on a social network, as input."""

    handle: Required[Text]
    """The user name on the network."""
    name: str | None
    url: Url | None
    """URL of the profile."""
    avatar: Url | None
    """URL of the picture."""
    followers: Annotated[int, Field(ge=0, le=10**12)] | None
    """How many accounts follow the author."""


@with_config(INPUT)
class EngagementCreate(TypedDict, total=False):
    """What somebody did with a post or a mention, as input."""

    kind: Required[EngagementKind]
    account_id: str | None
    """Id of the company's account, if the post went to several."""
    post_id: str | None
    """Id of the post; either this or `mention_id`."""
    mention_id: str | None
    """Id of the mention; either this or `post_id`."""
    contact_id: str | None
    """Id of the contact who did it."""
    content: ResponseText | None
    url: Url | None
    """Its URL on the network."""
    external_id: Annotated[str, Field(max_length=200)] | None
    """Its id on the network: what is recorded already is not recorded again."""
    author: SocialAuthorInput | None
    """Who did it."""
    occurred_at: AwareDatetime | None
    """When it happened, by default now."""
