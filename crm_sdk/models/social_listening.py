"""Social listening: keywords, what is said with them, how it sounds, and alerts."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .deal_analytics import Series
from .marks import INPUT, PERSONAL, PERSONAL_TEXT, Default
from .record import Model, Record
from .social import Network
from .values import EMPTY, NOT_BLANK, Amount, AmountInput, Channel, LanguageTag, Name, Sentiment, Trend

KeywordMatch: TypeAlias = Literal["any", "all", "phrase"] | str
"""Which of the words have to occur: any, all, or all of them one after the other."""
MentionStatus: TypeAlias = Literal["new", "responded", "ignored"] | str
AlertCondition: TypeAlias = Literal["mention_volume", "negative_share", "sentiment_drop", "influencer", "keyword"] | str
"""``mention_volume``: so many mentions; ``negative_share``: such a share of them is negative; ``sentiment_drop``: their
mean score is so many points below that of the window before; ``influencer``: so many of people with at least
`min_followers` followers; ``keyword``: one at all."""
MentionSort: TypeAlias = Literal["id", "posted_at", "reach", "sentiment_score", "created_at", "updated_at"] | str
SentimentGrouping: TypeAlias = Literal["network", "keyword", "language"] | str

KeywordText: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=2, max_length=100)]


class MonitoringKeyword(Record):
    """Words to listen for."""

    keyword: str
    """The words that are looked for."""
    match: Annotated[KeywordMatch | None, Default("phrase")] = None
    """How they are looked for."""
    networks: list[Network] = Field(default_factory=EMPTY)
    """The networks to listen on; none means all."""
    languages: list[str] = Field(default_factory=EMPTY)
    """The languages to listen for; none means all."""
    exclude: list[str] = Field(default_factory=EMPTY)
    """Words and phrases of which a mention has none."""
    active: Annotated[bool | None, Default(True)] = None
    """Whether it is listened for."""
    mention_count: Annotated[int | None, Default(0)] = None
    """The number of its mentions."""
    last_mention_at: AwareDatetime | None = None
    """When the latest of its mentions was posted."""


class SocialAuthor(Model):
    """Who wrote something on a social network."""

    handle: str
    """The user name on the network."""
    name: str | None = None
    url: str | None = None
    """URL of the profile."""
    avatar: str | None = None
    """URL of the picture."""
    followers: int | None = None
    """How many accounts follow the author."""


class SocialMention(Record):
    """What somebody said with a keyword."""

    network: Network
    external_id: str
    """Its id on the network."""
    author: Annotated[SocialAuthor, PERSONAL]
    """Who wrote it."""
    content: Annotated[str, PERSONAL_TEXT]
    url: Annotated[str | None, PERSONAL] = None
    """Its URL on the network."""
    language: str | None = None
    posted_at: AwareDatetime
    """When it appeared on the network."""
    keyword_ids: list[str] = Field(default_factory=EMPTY)
    """Ids of the keywords that it has."""
    account_id: str | None = None
    """Id of the company's account that it names."""
    sentiment: Sentiment
    sentiment_score: int
    """How friendly it is, -100 to 100."""
    reach: int
    """How many people have seen it."""
    engagements: int
    """How many people liked, shared or answered it."""
    status: Annotated[MentionStatus | None, Default("new")] = None
    contact_id: str | None = None
    """Id of the contact with the author's profile."""
    lead_id: str | None = None
    """Id of the lead with the author's profile."""


class SentimentGroup(Model):
    """How the mentions of one network, keyword or language sound."""

    key: str
    """The network, the id of the keyword, or the language."""
    name: str
    total: int
    positive: float
    """The share of positive ones."""
    neutral: float
    """The share of neutral ones."""
    negative: float
    """The share of negative ones."""
    score: float | None = None
    """The mean score, -100 to 100."""


class SentimentReport(Model):
    """How mentions sound."""

    total: int
    positive: float
    """The share of positive ones; the three shares add up to 1."""
    neutral: float
    """The share of neutral ones."""
    negative: float
    """The share of negative ones."""
    score: float | None = None
    """The mean score, -100 to 100; null without mentions."""
    trend: Trend
    """Improving or declining by more than 10 points since the days before."""
    previous_score: float | None = None
    """The mean score of as many days before."""
    series: list[Series]
    """The positive, neutral and negative mentions of each period."""
    groups: list[SentimentGroup]
    top_positive: list[SocialMention]
    """The most friendly ones, at most 5."""
    top_negative: list[SocialMention]
    """The least friendly ones, at most 5."""


class SocialAlert(Record):
    """What is told as soon as it happens on social networks."""

    name: str
    condition: AlertCondition
    """What has to happen."""
    threshold: Amount | None = None
    """How much it takes: mentions, a share from 0 to 1, or points."""
    window_minutes: Annotated[int | None, Default(60)] = None
    """The time that it looks at."""
    keyword_ids: list[str] = Field(default_factory=EMPTY)
    """Ids of the keywords that count; none means all."""
    networks: list[Network] = Field(default_factory=EMPTY)
    """The networks that count; none means all."""
    min_followers: int | None = None
    """The followers that make an influencer."""
    channels: list[Channel] = Field(default_factory=EMPTY)
    """How the recipients are told."""
    recipients: list[str] = Field(default_factory=EMPTY)
    """Ids of the users who are told."""
    cooldown_minutes: Annotated[int | None, Default(60)] = None
    """The time for which it is not told again."""
    active: Annotated[bool | None, Default(True)] = None
    last_triggered_at: AwareDatetime | None = None
    """When it was told last."""
    trigger_count: Annotated[int | None, Default(0)] = None
    """How many times it was told."""


_Networks: TypeAlias = Annotated[list[Annotated[str, Field(pattern=NOT_BLANK, max_length=50)]], Field(max_length=20)]


@with_config(INPUT)
class MonitoringKeywordCreate(TypedDict, total=False):
    """Words to listen for, as input."""

    keyword: Required[KeywordText]
    """The words to look for."""
    match: KeywordMatch
    """How to look for them."""
    networks: _Networks | None
    """The networks to listen on; none means all."""
    languages: Annotated[list[LanguageTag], Field(max_length=50)] | None
    """The languages to listen for; none means all."""
    exclude: Annotated[list[KeywordText], Field(max_length=50)] | None
    """Words and phrases of which a mention has none."""
    active: bool
    """Whether it is listened for."""


@with_config(INPUT)
class SocialAlertCreate(TypedDict, total=False):
    """What is to be told as soon as it happens, as input."""

    name: Required[Name]
    condition: Required[AlertCondition]
    """What has to happen."""
    threshold: Annotated[AmountInput, Field(gt=0)] | None
    """How much it takes: mentions, a share from 0 to 1, or points; every condition but `keyword` needs it."""
    window_minutes: Annotated[int, Field(ge=5, le=10_080)]
    """The time that it looks at."""
    keyword_ids: Annotated[list[str], Field(max_length=100)] | None
    """Ids of the keywords that count; none means all."""
    networks: _Networks | None
    """The networks that count; none means all."""
    min_followers: Annotated[int, Field(ge=0, le=10**12)] | None
    """The followers that make an influencer, by default 10,000."""
    channels: Annotated[list[Channel], Field(max_length=5)] | None
    """How the recipients are told, by default in the inbox."""
    recipients: Annotated[list[str], Field(max_length=100)] | None
    """Ids of the users who are told, by default the caller."""
    cooldown_minutes: Annotated[int, Field(ge=0, le=525_600)]
    """The time for which it is not told again."""
    active: bool
