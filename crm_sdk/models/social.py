"""Social networks: the accounts that a company has connected, and what it posts there."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, OPEN, Default
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, ErrorDetail, Tags, Url

Network: TypeAlias = Annotated[Literal["twitter", "linkedin", "facebook", "instagram", "youtube"] | str, OPEN]
"""A social network; networks beside these are known by the name they are given."""
SocialAccountStatus: TypeAlias = Literal["connected", "expired", "disconnected", "error"] | str
"""``expired``: its token is too old; connecting the account again revives it."""
SocialPostStatus: TypeAlias = Literal["scheduled", "publishing", "published", "partially_published", "failed"] | str
"""``partially_published``: some of its accounts have it, the others failed."""
PostTargetStatus: TypeAlias = Literal["pending", "published", "failed"] | str
SocialAccountSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str

AccountId: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
PostText: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100_000)]
"""The text of a post: on twitter at most 280 characters, instagram 2,200, linkedin 3,000, facebook 63,206."""


class SocialAccount(Record):
    """An account of the company on a social network."""

    network: Network
    handle: str | None = None
    """The user name on the network."""
    display_name: str | None = None
    """The name that the network shows."""
    profile_url: str | None = None
    """URL of its profile."""
    avatar: str | None = None
    """URL of its picture."""
    followers: int | None = None
    """How many follow it now; of one that is disconnected, at that time."""
    status: Annotated[SocialAccountStatus | None, Default("connected")] = None
    scopes: list[str] = Field(default_factory=EMPTY)
    """What its token allows."""
    connected_by: str | None = None
    """Id of the user who connected it."""
    token_expires_at: AwareDatetime | None = None
    """When its token expires, 60 days after it was connected."""
    last_sync_at: AwareDatetime | None = None
    """When its network was read last."""


class PostTarget(Model):
    """A post on one of its accounts."""

    account_id: str
    network: Network
    status: PostTargetStatus
    external_id: str | None = None
    """The id of the post on the network."""
    url: str | None = None
    """URL of the post on the network."""
    published_at: AwareDatetime | None = None
    """When it appeared on the network."""
    error: ErrorDetail | None = None
    """Why it is not there."""


class PostMetrics(Model):
    """What became of a post, over all of its accounts."""

    impressions: int
    """How many times it was shown."""
    reach: int
    """How many people have seen it."""
    likes: int
    """The likes of the post."""
    comments: int
    """Comments and replies."""
    shares: int
    """How often it was shared."""
    clicks: int
    """The clicks on its links."""
    engagements: int
    """Likes, comments, shares and clicks."""
    engagement_rate: float
    """Engagements / impressions."""


class SocialPost(Record):
    """A post on social networks."""

    account_ids: list[str]
    """Ids of the accounts that it goes to."""
    content: str
    media: list[str] = Field(default_factory=EMPTY)
    """Ids of its pictures and videos."""
    link: str | None = None
    """The address that it leads to."""
    scheduled_at: AwareDatetime | None = None
    """When it is published; without it, at once."""
    campaign: str | None = None
    """The campaign that it belongs to."""
    tags: list[str] = Field(default_factory=EMPTY)
    status: Annotated[SocialPostStatus | None, Default("scheduled")] = None
    published_at: AwareDatetime | None = None
    """When the first of its accounts had it."""
    targets: list[PostTarget] = Field(default_factory=EMPTY)
    """What became of it on each account."""
    metrics: PostMetrics | None = None
    """Its figures now."""


@with_config(INPUT)
class SocialPostCreate(TypedDict, total=False):
    """A post that is published at once or at a time."""

    account_ids: Required[Annotated[list[AccountId], Field(min_length=1, max_length=10)]]
    """Ids of the accounts that it goes to."""
    content: Required[PostText]
    media: Annotated[list[str], Field(max_length=4)] | None
    """Ids of image and video files; instagram needs one."""
    link: Url | None
    """The address that it leads to."""
    scheduled_at: AwareDatetime | None
    """When it is published; without it, at once."""
    campaign: Annotated[str, Field(max_length=200)] | None
    """The campaign that it belongs to."""
    tags: Tags | None
