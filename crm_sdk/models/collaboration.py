"""Collaboration: comments on records, mentions of users, shares as they are given, and the feed of what happens."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, PERSONAL_TEXT, Default
from .record import Model, Record
from .shares import Access, ShareSubject
from .values import EMPTY, NOT_BLANK, EntityRef, EntityRefInput, FieldChange, Limit, Order, PageNumber, UserRef

ShareScope: TypeAlias = Literal["with_me", "by_me", "all"] | str
FeedVerb: TypeAlias = (
    Literal[
        "created",
        "updated",
        "deleted",
        "commented",
        "mentioned",
        "shared",
        "stage_changed",
        "won",
        "lost",
        "qualified",
        "converted",
        "assigned",
        "completed",
        "merged",
        "uploaded",
        "joined",
    ]
    | str
)
CollaborationNotificationType: TypeAlias = Literal["mention", "comment", "share", "assignment"] | str
CommentSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
ShareSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
NotificationSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
FeedSort: TypeAlias = Literal["id", "occurred_at"] | str
_Ids: TypeAlias = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=200)]
_Message: TypeAlias = Annotated[str, Field(max_length=1_000)]
_Body: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=10_000)]
_Attachments: TypeAlias = Annotated[list[str], Field(max_length=50)]
_Downloads: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
MentionedIds: TypeAlias = Annotated[list[str], Field(min_length=1, max_length=100)]
"""The ids of the users who are mentioned together."""
MentionMessage: TypeAlias = _Message


class Comment(Record):
    """A comment on a record, or a reply to one."""

    entity: EntityRef
    """The record it is about."""
    body: Annotated[str | None, PERSONAL_TEXT] = None
    """The text, in Markdown; null where it was deleted and its replies are still there."""
    parent_id: str | None = None
    """The comment that it replies to."""
    mentions: list[UserRef] = Field(default_factory=EMPTY)
    """The users whom the text names: ``@[Ada](user_ada)``, ``@user_ada``, or ``@ada`` where one address begins so."""
    attachments: list[str] = Field(default_factory=EMPTY)
    """Ids of files."""
    edited: Annotated[bool | None, Default(False)] = None
    """Whether its text was changed."""
    edited_at: AwareDatetime | None = None
    """When its text was last changed."""
    reply_count: Annotated[int | None, Default(0)] = None
    """The number of its replies."""
    deleted: Annotated[bool | None, Default(False)] = None
    """Whether it was deleted and only its place is left, for its replies."""
    author: UserRef | None = None
    """Who wrote it."""


class UserMention(Record):
    """A mention of a user, by a comment or on its own."""

    user_id: str
    """Who is mentioned."""
    entity: EntityRef
    """The record it is about."""
    comment_id: str | None = None
    """The comment that has the mention."""
    message: str | None = None
    """What the user is told."""
    mentioned_by: UserRef | None = None
    """Who mentions the user."""
    read: Annotated[bool | None, Default(False)] = None
    """Whether the user has read the notification."""
    notification_id: str | None = None
    """Id of the notification; null where one mentions oneself."""


class FeedItem(Model):
    """Something that happened to a record, as a feed shows it."""

    id: str
    type: str
    """The name of the event, such as ``deal.won``."""
    verb: FeedVerb
    """What was done, such as ``created``."""
    actor: UserRef | None = None
    """Who did it; null where it was not a user."""
    entity: EntityRef
    """The record it happened to; of comments, mentions and shares the one that they are on."""
    target: EntityRef | None = None
    """The other one it was about: who was mentioned, or whom it was shared with."""
    summary: str
    """What happened, in a line in the caller's language."""
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    comment: Comment | None = None
    """The comment, where one was written or changed."""
    occurred_at: AwareDatetime
    """When it happened."""
    count: int = 1
    """How many alike events it stands for: of one user on one record within ten minutes."""


@with_config(INPUT)
class ShareCreate(TypedDict, total=False):
    """A record to share, and with whom."""

    entity: Required[EntityRefInput]
    """The record to share."""
    subject_type: Required[ShareSubject]
    """Whether it is shared with a user, a team or a role; a file also with an e-mail address, or by a link."""
    subject_id: Annotated[str, Field(min_length=1, max_length=254)] | None
    """Id of the user, team or role, or the address; none for a link."""
    access: Access
    """What the receiver may do; by default view."""
    message: _Message | None
    """What the receiver is told."""
    expires_at: AwareDatetime | None
    """When the access ends."""
    notify: bool
    """Whether the receiver is notified."""
    include_related: bool
    """Whether a deal is shared with its contact, its account and its files."""
    max_downloads: _Downloads | None
    """How often a link can be used."""


@with_config(INPUT)
class ShareUpdate(TypedDict, total=False):
    """Changes to a share; null clears a member."""

    access: Access
    """What the receiver may do."""
    message: _Message | None
    """What the receiver is told."""
    expires_at: AwareDatetime | None
    """When the access ends."""
    max_downloads: _Downloads | None
    """How often a link can be used."""


@with_config(INPUT)
class CommentCreate(TypedDict, total=False):
    """A comment on a record."""

    entity: Required[EntityRefInput]
    """The record it is about."""
    body: Required[_Body]
    """The text, in Markdown."""
    parent_id: str | None
    """The comment that it replies to; a reply to a reply is one to its parent."""
    attachments: _Attachments | None
    """Ids of files."""


@with_config(INPUT)
class CommentUpdate(TypedDict, total=False):
    """Changes to a comment."""

    body: _Body
    """The text, in Markdown."""
    attachments: _Attachments | None
    """Ids of files."""


@with_config(INPUT)
class FeedFilter(TypedDict, total=False):
    """What a feed is limited to: every condition holds, of the values of one any."""

    user_ids: _Ids | None
    """Who did it."""
    team_ids: _Ids | None
    """The teams of those who did it."""
    verbs: _Ids | None
    """What was done: ``commented``."""
    entity_types: _Ids | None
    """The kinds of the records."""
    entities: Annotated[list[EntityRefInput], Field(max_length=200)] | None
    """The records."""
    mentions_me: bool | None
    """Whether the caller is mentioned."""
    followed: bool | None
    """Whether the caller owns the record, has commented on it or was given a share of it."""
    since: AwareDatetime | None
    """From this time on."""
    until: AwareDatetime | None
    """Before this time."""
    q: Annotated[str, Field(max_length=1_000)] | None
    """Words in the summary or in the comment."""
    page: PageNumber
    limit: Limit
    sort: FeedSort | None
    order: Order | None
