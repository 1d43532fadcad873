"""Collaboration: share records, talk about them, and follow what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.collaboration import (
        CollaborationNotificationType,
        Comment,
        CommentCreate,
        CommentSort,
        CommentUpdate,
        FeedFilter,
        FeedItem,
        FeedSort,
        FeedVerb,
        MentionedIds,
        MentionMessage,
        NotificationSort,
        ShareCreate,
        ShareScope,
        ShareSort,
        ShareUpdate,
        UserMention,
    )
    from ..models.notifications import Notification
    from ..models.shares import Access, Share
    from ..models.values import EntityRefInput, EntityType

_FEED = {
    "verbs": "What was done: `commented`.",
    "entity_type": "The kind of the records.",
    "since": "From this time on.",
    "until": "Before this time.",
}
_ENTITY = {"entity_type": "The kind of the record.", "entity_id": "Id of the record."}


class Shares(Resource[Mode]):
    """Records that are shared: a share widens what its receiver may do with one record, in every service."""

    @operation(
        platform="POST /collaboration/share",
        errors=("ALREADY_SHARED", "SHARE_EXCEEDS_ACCESS", "REFERENCE_NOT_FOUND"),
    )
    def create(self, share: ShareCreate) -> Share:
        """Share a record with a user, a team or a role; a file also with an address or by a link.

        The receivers are notified unless `notify` is false. With `include_related` a deal is shared with its contact,
        its account and its files.

        Raises: ConflictError (ALREADY_SHARED) when the record is shared with the same one already, with the share's id
        in `details`; PermissionDeniedError (SHARE_EXCEEDS_ACCESS) for more access than the caller has; ValidationError
        for oneself, an inactive user, a time that has passed, and for a link to anything but a file.
        """

    @paginated(
        platform="GET /collaboration/shared",
        role="everybody",
        errors=("FORBIDDEN",),
        texts={
            **_ENTITY,
            "direction": "Shares with the caller, those that the caller has given, or all.",
            "access": "The access that they give.",
            "include_expired": "Whether those that give no access any more are listed as well.",
        },
    )
    def list(
        self,
        *,
        direction: ShareScope = "with_me",
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        access: Access | None = None,
        include_expired: bool = False,
        sort: ShareSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Share]:
        """List the shares with the caller, the caller's teams and roles; or those the caller has given; newest first.

        Shares of records that the caller cannot see are left out. ``direction="all"`` needs the permission
        ``collaboration:manage``.

        Raises: PermissionDeniedError; ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="PUT /collaboration/share/{share_id}", errors=("SHARE_EXCEEDS_ACCESS",))
    def update(self, share_id: str, changes: ShareUpdate | Share, *, version: int | None = None) -> Share:
        """Change the access, the end, the message or the number of downloads of a share.

        Who has given it may, and who manages the record. With `version`, only if nobody has changed it since.

        Raises: NotFoundError; PermissionDeniedError, also for more access than the caller has; ConflictError when
        `version` differs; ValidationError.
        """

    @operation(platform="DELETE /collaboration/share/{share_id}", role="everybody", errors=("FORBIDDEN",))
    def delete(self, share_id: str) -> None:
        """Stop sharing: the access ends at once. Receivers may give up what is shared with them alone.

        Raises: NotFoundError; PermissionDeniedError for who neither gave nor received it, nor manages the record.
        """


class Comments(Resource[Mode]):
    """Comments on records, with replies."""

    @operation(platform="POST /collaboration/comments", errors=("REFERENCE_NOT_FOUND",))
    def create(self, comment: CommentCreate) -> Comment:
        """Comment on a record, or reply to a comment on it.

        The users whom the text mentions and those who have commented before are notified, each once.

        Raises: PermissionDeniedError for who may view the record but not comment on it; ValidationError, also for a
        parent on another record.
        """

    @paginated(
        platform="GET /collaboration/comments",
        errors=("NOT_FOUND",),
        texts={
            **_ENTITY,
            "parent_id": "Id of a comment: only its replies.",
            "author_id": "Id of the user who wrote them.",
            "since": "Written at this time or later.",
        },
    )
    def list(
        self,
        entity_type: EntityType,
        entity_id: str,
        *,
        parent_id: str | None = None,
        author_id: str | None = None,
        since: AwareDatetime | None = None,
        sort: CommentSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Comment]:
        """List the comments on a record with their replies, oldest first.

        A deleted one that has replies keeps its place, without its text.

        Raises: NotFoundError for a record that the caller cannot see; ValidationError.
        """

    @operation(
        platform="PUT /collaboration/comments/{comment_id}",
        errors=("NOT_COMMENT_AUTHOR", "COMMENT_DELETED", "REFERENCE_NOT_FOUND"),
    )
    def update(self, comment_id: str, changes: CommentUpdate | Comment, *, version: int | None = None) -> Comment:
        """Change a comment of one's own; only users who are mentioned for the first time are notified.

        With `version`, only if it was not changed since.

        Raises: NotFoundError; PermissionDeniedError (NOT_COMMENT_AUTHOR) for another's comment; ConflictError for a
        deleted one (COMMENT_DELETED), or when `version` differs; ValidationError.
        """

    @operation(platform="DELETE /collaboration/comments/{comment_id}")
    def delete(self, comment_id: str) -> None:
        """Delete a comment: of one with replies the text goes and the place stays.

        Raises: NotFoundError; PermissionDeniedError for who neither wrote it nor manages the record.
        """


class UserMentions(Resource[Mode]):
    """Mentions of users."""

    @operation(
        platform="POST /collaboration/mentions",
        status=200,
        action="create",
        errors=("USER_HAS_NO_ACCESS", "REFERENCE_NOT_FOUND"),
        texts={
            "user_ids": "Ids of the users.",
            "entity": "The record to draw their attention to.",
            "comment_id": "Id of a comment on it.",
            "message": "What they are told.",
        },
    )
    def create(
        self,
        user_ids: MentionedIds,
        entity: EntityRefInput,
        *,
        comment_id: str | None = None,
        message: MentionMessage | None = None,
    ) -> List[UserMention]:
        """Mention users on a record, all of them or none; each is notified. Return the mentions in that order.

        A user whom the same comment mentions already keeps the first mention and is not notified again.

        Raises: ValidationError, also for a user who cannot see the record (USER_HAS_NO_ACCESS): share it first.
        """


class Feed(Resource[Mode]):
    """What happens to the records that the caller may see."""

    @paginated(
        platform="GET /collaboration/feed", texts={**_FEED, "team_id": "Id of a team: what its members have done."}
    )
    def list(
        self,
        *,
        verbs: Sequence[FeedVerb] | None = None,
        entity_type: EntityType | None = None,
        team_id: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: FeedSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[FeedItem]:
        """List what has happened, newest first, the caller's own actions included.

        Alike actions of a user on one record within ten minutes are one item.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @paginated(
        platform="GET /collaboration/feed/user/{user_id}", texts={**_FEED, "user_id": "Id of the user, or `me`."}
    )
    def user(
        self,
        user_id: str,
        *,
        verbs: Sequence[FeedVerb] | None = None,
        entity_type: EntityType | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: FeedSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[FeedItem]:
        """List what a user has done to records that the caller may see, newest first; ``me`` is the caller.

        Raises: NotFoundError; ValidationError.
        """

    @paginated(platform="POST /collaboration/feed/filter", safe=True)
    def filter(self, filter: FeedFilter) -> Page[FeedItem]:
        """List what has happened that meets every condition; of the values of one condition any.

        Raises: ValidationError.
        """


class CollaborationNotifications(Resource[Mode]):
    """What others have done that concerns the caller."""

    @paginated(
        platform="GET /collaboration/notifications",
        role="everybody",
        texts={"type": "Only this type.", "read": "Only those that were read, or were not."},
    )
    def list(
        self,
        *,
        type: CollaborationNotificationType | None = None,
        read: bool | None = None,
        sort: NotificationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Notification]:
        """List the caller's notifications of mentions, comments, shares and assignments, newest first.

        Raises: ValidationError for a member that cannot be sorted by.
        """


class Collaboration(Resource[Mode]):
    """Shares, comments, mentions, and feeds of what happens."""

    shares: Shares[Mode] = part(Shares)
    comments: Comments[Mode] = part(Comments)
    mentions: UserMentions[Mode] = part(UserMentions)
    feed: Feed[Mode] = part(Feed)
    notifications: CollaborationNotifications[Mode] = part(CollaborationNotifications)
