"""Notifications: the inbox of the signed-in user, messages by five channels, their templates and what people want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
    Unpack,
)

from ..declare import operation, paginated
from ..listing import Paging, Range, Sorting
from ..models.notification_delivery import Sending
from ..paging import Page
from ..resource import Mode, Resource, part
from .notification_settings import NotificationTemplates, PreferencesOfUsers, Subscriptions

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.message_templates import (
        Content,
        SubjectLine,
    )
    from ..models.notification_delivery import (
        BulkRecipient,
        DeliveryStatus,
        Destination,
        MailAddress,
        NotificationAnalytics,
        Variables,
    )
    from ..models.notification_preferences import (
        Subscription,
    )
    from ..models.notifications import (
        DeliveryState,
        HistorySort,
        Notification,
        NotificationStatus,
        NotificationType,
        UnreadCount,
    )
    from ..models.values import BulkResult, Channel

_TEXTS = ("TEMPLATE_SYNTAX", "MISSING_VARIABLE")
_SENDING = {
    "to": "The recipient: the id of a user, a contact or a lead, or an address that fits the channel.",
    "subject": "The subject of an e-mail; in the other channels, the title.",
    "variables": "The values of the variables in the text, by name.",
    "category": "What the message is about; `transactional` is sent whatever the recipient has opted out of.",
    "action_url": "The page that the message leads to.",
    "scheduled_at": "When to send it; without it, at once.",
    "language": "The language of the template's text; without it, that of the recipient.",
    "entity": "The record that the message is about.",
}


class Notifications(Resource[Mode]):
    """The inbox of the signed-in user, and the messages that a company sends."""

    templates: NotificationTemplates[Mode] = part(NotificationTemplates)
    preferences: PreferencesOfUsers[Mode] = part(PreferencesOfUsers)
    subscriptions: Subscriptions[Mode] = part(Subscriptions)

    @paginated(
        mvp="GET /api/notifications status type limit",
        flow="GET /api/notifications read limit offset",
        platform="GET /notifications",
        ours="platform",
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
        platform="PUT /notifications/{notification_id}/read",
        ours="platform",
        role="everybody",
    )
    def mark_read(self, notification_id: str, *, read: bool = True) -> Notification:
        """Mark a notification as read; ``read=False`` marks it as unread (not in mvp).

        Raises: NotFoundError.
        """

    @operation(
        flow="DELETE /api/notifications/{notification_id}",
        platform="DELETE /notifications/{notification_id}",
        ours="platform",
        role="everybody",
    )
    def delete(self, notification_id: str) -> None:
        """Delete a notification.

        Raises: NotFoundError.
        """

    @operation(
        flow="GET /api/notifications/unread-count",
        platform="GET /notifications/unread-count",
        ours="platform",
        role="everybody",
    )
    def unread_count(self) -> UnreadCount:
        """Count the signed-in user's unread notifications."""

    @operation(
        platform="POST /notifications/email",
        status=202,
        action="create",
        errors=(*_TEXTS, "NO_ADDRESS", "LIMIT_EXCEEDED"),
        texts={
            **_SENDING,
            "content_html": "The text as HTML.",
            "cc": "The addresses that get a copy.",
            "bcc": "The addresses that get a copy without being named in it.",
            "attachments": "The ids of files.",
        },
    )
    def send_email(
        self,
        to: Destination,
        *,
        template_id: str | None = None,
        content: Content | None = None,
        content_html: Content | None = None,
        variables: Variables | None = None,
        cc: Sequence[MailAddress] | None = None,
        bcc: Sequence[MailAddress] | None = None,
        attachments: Sequence[str] | None = None,
        **common: Unpack[Sending],
    ) -> Notification:
        """Send an e-mail: a template's text, or `content`.

        A message that the recipient does not want is not sent: its `delivery_status` is ``suppressed``.

        Raises: ValidationError for an unknown recipient, one without an address, or a variable without a value.
        """

    @operation(
        platform="POST /notifications/sms",
        status=202,
        action="create",
        errors=(*_TEXTS, "NO_ADDRESS", "INVALID_PHONE"),
        texts=_SENDING,
    )
    def send_sms(
        self,
        to: Destination,
        *,
        content: Content | None = None,
        template_id: str | None = None,
        variables: Variables | None = None,
        **common: Unpack[Sending],
    ) -> Notification:
        """Send a text message; `metadata` has the number of its segments.

        Raises: ValidationError for what is not a telephone number, an unknown recipient, one without a number, or a
        variable without a value.
        """

    @operation(
        platform="POST /notifications/push",
        status=202,
        action="create",
        errors=(*_TEXTS, "NO_DEVICE"),
        texts={**_SENDING, "title": "The title of the message."},
    )
    def send_push(
        self,
        to: Destination,
        *,
        title: SubjectLine | None = None,
        content: Content | None = None,
        template_id: str | None = None,
        variables: Variables | None = None,
        **common: Unpack[Sending],
    ) -> Notification:
        """Send a push message to the devices of a user.

        Raises: ValidationError for anybody but a user; ConflictError when the user has no device.
        """

    @operation(
        platform="POST /notifications/in-app",
        status=201,
        errors=_TEXTS,
        texts={**_SENDING, "title": "The title of the message."},
    )
    def send_in_app(
        self,
        to: Destination,
        *,
        title: SubjectLine,
        content: Content,
        variables: Variables | None = None,
        **common: Unpack[Sending],
    ) -> Notification:
        """Put a notification into the inbox of a user.

        Raises: ValidationError for anybody but a user.
        """

    @operation(
        platform="POST /notifications/bulk",
        rate="bulk",
        errors=("TEMPLATE_SYNTAX",),
        action="create",
        texts={
            **{name: text for name, text in _SENDING.items() if name != "to"},
            "channel": "The channel for all recipients.",
            "recipients": "The recipients, each with the values of the variables.",
        },
    )
    def send_bulk(
        self,
        channel: Channel,
        recipients: Sequence[BulkRecipient],
        *,
        template_id: str | None = None,
        content: Content | None = None,
        variables: Variables | None = None,
        **common: Unpack[Sending],
    ) -> BulkResult[Notification]:
        """Send up to 1,000 messages by one channel; they have one `batch_id`.

        A recipient that cannot be sent to does not affect the others. The recipient's variables go before those of the
        call.
        """

    @operation(platform="GET /notifications/{notification_id}/status")
    def status(self, notification_id: str) -> DeliveryStatus:
        """Fetch how far a message has come, with every attempt to send it.

        Raises: NotFoundError.
        """

    @paginated(platform="GET /notifications/history")
    def history(
        self,
        *,
        channel: Channel | None = None,
        type: NotificationType | None = None,
        delivery_status: DeliveryState | None = None,
        user_id: str | None = None,
        contact_id: str | None = None,
        template_id: str | None = None,
        batch_id: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: HistorySort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Notification]:
        """List the messages of all channels, newest first.

        Without the permission `notifications:read` for all, those that the caller has sent or received.

        Raises: ValidationError.
        """

    @operation(
        platform="POST /notifications/{notification_id}/retry",
        status=202,
        errors=("NOT_RETRYABLE", "RETRY_LIMIT", "NOTIFICATION_EXPIRED"),
    )
    def retry(self, notification_id: str) -> Notification:
        """Send a message again that failed or bounced.

        One that failed is held back where its recipient does not want it any more, and waits for quiet hours to end.

        Raises: NotFoundError; ConflictError when it has not failed, was tried five times, or has expired.
        """

    @operation(platform="GET /notifications/analytics")
    def analytics(
        self,
        *,
        channel: Channel | None = None,
        template_id: str | None = None,
        type: NotificationType | None = None,
        **common: Unpack[Range],
    ) -> NotificationAnalytics:
        """Count the messages of a range of days by how far they have come, by default of twelve months.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(
        platform="POST /notifications/unsubscribe",
        status=200,
        role="everybody",
        auth="optional",
        errors=("INVALID_TOKEN", "FORBIDDEN"),
        texts={
            "token": "The token of the link in a message; with it, no sign-in is needed (RFC 8058).",
            "address": "The address, where there is no token.",
            "topic": "The category or type of messages; without it, all but transactional ones.",
        },
    )
    def unsubscribe(
        self,
        *,
        token: str | None = None,
        address: Destination | None = None,
        channel: Channel = "email",
        topic: str | None = None,
    ) -> List[Subscription]:
        """End the subscription of an address to a topic, or to all but transactional messages.

        It may be repeated. Without a topic, contacts and leads of this address are opted out.

        Raises: BadRequestError for a token that is none; ValidationError without token and address;
        PermissionDeniedError for another's address without `notifications:update`.
        """
