"""Notifications: list, mark as read, delete and count the notifications of the signed-in user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ..declare import operation, paginated
from ..listing import Paging
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.notifications import Notification, NotificationStatus, NotificationType, UnreadCount


class Notifications(Resource[Mode]):
    """The notifications of the signed-in user."""

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
        """List the signed-in user's notifications, newest first, without those that have expired.

        Without `status` and `read`, both read and unread ones are listed. A page has `limit` notifications, by default
        20.
        """

    @operation(
        mvp="PUT /api/notifications/{notification_id}/read -",
        flow="PATCH /api/notifications/{notification_id}/read read!",
        role="everybody",
    )
    def mark_read(self, notification_id: str, *, read: bool = True) -> Notification:
        """Mark a notification as read; ``read=False`` marks it as unread (flow dialect only).

        Raises: NotFoundError.
        """

    @operation(flow="DELETE /api/notifications/{notification_id}", role="everybody")
    def delete(self, notification_id: str) -> None:
        """Delete a notification.

        Raises: NotFoundError.
        """

    @operation(flow="GET /api/notifications/unread-count", role="everybody")
    def unread_count(self) -> UnreadCount:
        """Count the signed-in user's unread notifications."""
