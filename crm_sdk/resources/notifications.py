"""Notifications: list, mark as read, delete and count what a user was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ..declare import operation, paginated
from ..listing import Paging
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.notifications import Notification, NotificationStatus, NotificationType, UnreadCount


class Notifications(Resource[Mode]):
    """What the signed-in user is told."""

    @paginated(
        mvp="GET /api/notifications status type limit",
        flow="GET /api/notifications read limit offset",
        role="everybody",
    )
    def list(
        self,
        *,
        status: NotificationStatus | None = None,
        type: NotificationType | None = None,
        read: bool | None = None,
        **common: Unpack[Paging],
    ) -> Page[Notification]:
        """List your notifications, newest first; those that have expired are left out.

        Without `status` or `read` these are all; a page has 20, or as many as `limit` says.
        """

    @operation(
        mvp="PUT /api/notifications/{notification_id}/read -",
        flow="PATCH /api/notifications/{notification_id}/read read!",
        role="everybody",
    )
    def mark_read(self, notification_id: str, *, read: bool = True) -> Notification:
        """Mark a notification as read, or as unread with ``read=False`` where the document has it.

        Raises: NotFoundError.
        """

    @operation(flow="DELETE /api/notifications/{notification_id}", role="everybody")
    def delete(self, notification_id: str) -> None:
        """Delete a notification.

        Raises: NotFoundError.
        """

    @operation(flow="GET /api/notifications/unread-count", role="everybody")
    def unread_count(self) -> UnreadCount:
        """Count your unread notifications."""
