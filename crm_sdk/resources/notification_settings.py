"""Templates of messages, and what each user wants to be told (seed 002, Notification Service)."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Unpack,
)

from ..declare import operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.message_templates import (
        MessageCategory,
        MessageTemplate,
        MessageTemplateCreate,
        MessageTemplateUpdate,
        TemplateSort,
    )
    from ..models.notification_preferences import (
        NotificationPreferences,
        NotificationPreferencesUpdate,
        Subscription,
        SubscriptionSort,
    )
    from ..models.values import Channel

_TEMPLATES = "/notifications/templates"


class NotificationTemplates(Resource[Mode]):
    """The templates of messages."""

    @operation(platform=f"POST {_TEMPLATES}", errors=("TEMPLATE_EXISTS", "TEMPLATE_SYNTAX"))
    def create(self, template: MessageTemplateCreate) -> MessageTemplate:
        """Create a template; its `variables` are read from the text.

        Raises: ConflictError when another template has this name, channel and language; ValidationError for a text that
        cannot be read, with the line in the details.
        """

    @operation(platform=f"GET {_TEMPLATES}/{{template_id}}")
    def get(self, template_id: str) -> MessageTemplate:
        """Fetch one template.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_TEMPLATES}/{{template_id}}", errors=("TEMPLATE_EXISTS", "TEMPLATE_SYNTAX"))
    def update(
        self, template_id: str, changes: MessageTemplateUpdate | MessageTemplate, *, version: int | None = None
    ) -> MessageTemplate:
        """Change a template; its `variables` are read again, and its channel stays.

        Raises: NotFoundError; ConflictError when another template has this name, channel and language, or `version`
        differs; ValidationError.
        """

    @operation(platform=f"DELETE {_TEMPLATES}/{{template_id}}", errors=("TEMPLATE_IN_USE",))
    def delete(self, template_id: str) -> None:
        """Delete a template.

        Raises: NotFoundError; ConflictError when an active workflow or a schedule uses it.
        """

    @paginated(platform=f"GET {_TEMPLATES}")
    def list(
        self,
        *,
        channel: Channel | None = None,
        category: MessageCategory | None = None,
        language: str | None = None,
        active: bool | None = None,
        sort: TemplateSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[MessageTemplate]:
        """List the templates, newest first.

        Raises: ValidationError.
        """


class PreferencesOfUsers(Resource[Mode]):
    """What users want to be sent."""

    @operation(
        platform="GET /notifications/preferences", role="everybody", errors=("FORBIDDEN", "NOT_FOUND", "NO_USER")
    )
    def get(self, *, user_id: str | None = None) -> NotificationPreferences:
        """Fetch the preferences of a user, by default one's own.

        Raises: NotFoundError; PermissionDeniedError for those of others without `notifications:manage`.
        """

    @operation(
        platform="PUT /notifications/preferences", role="everybody", errors=("FORBIDDEN", "NOT_FOUND", "NO_USER")
    )
    def update(
        self, changes: NotificationPreferencesUpdate | NotificationPreferences, *, user_id: str | None = None
    ) -> NotificationPreferences:
        """Change the preferences of a user, by default one's own.

        Raises: NotFoundError; PermissionDeniedError for those of others without `notifications:manage`;
        ValidationError for an unknown channel, and for `system` notifications without the inbox.
        """


class Subscriptions(Resource[Mode]):
    """What addresses are subscribed to."""

    @paginated(platform="GET /notifications/subscriptions", role="everybody", errors=("FORBIDDEN",))
    def list(
        self,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        topic: str | None = None,
        subscribed: bool | None = None,
        sort: SubscriptionSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Subscription]:
        """List what addresses have decided about topics, newest first.

        Those of the caller's own addresses; with the permission `notifications:manage` those of all.

        Raises: PermissionDeniedError for another's address without that permission.
        """
