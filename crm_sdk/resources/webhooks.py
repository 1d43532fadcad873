"""Webhooks: the endpoints that events are posted to, their secrets, and the log of deliveries.

The documents describe what is posted and how it is signed, but have no routes to configure it: these routes are our
own. A receiver verifies a webhook with the module `crm_sdk.webhooks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Unpack

from pydantic import Field

from ..declare import operation, paginated
from ..listing import Paging
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.webhooks import (
        WebhookCreate,
        WebhookDelivery,
        WebhookDeliveryState,
        WebhookEndpoint,
        WebhookEvent,
        WebhookUpdate,
    )


class Deliveries(Resource[Mode]):
    """The deliveries to the endpoints, with every attempt."""

    @paginated(mvp="GET /api/webhooks/{webhook_id}/deliveries status event limit offset", role="admin", ours=True)
    def list(
        self,
        webhook_id: str,
        *,
        status: WebhookDeliveryState | None = None,
        event: WebhookEvent | None = None,
        **common: Unpack[Paging],
    ) -> Page[WebhookDelivery]:
        """List the deliveries to an endpoint, newest first.

        Raises: NotFoundError.
        """

    @operation(mvp="GET /api/webhooks/deliveries/{delivery_id}", role="admin", ours=True)
    def get(self, delivery_id: str) -> WebhookDelivery:
        """Fetch one delivery.

        Raises: NotFoundError.
        """

    @operation(
        mvp="POST /api/webhooks/deliveries/{delivery_id}/redeliver",
        status=201,
        role="admin",
        ours=True,
        errors=("OBJECT_INACTIVE",),
    )
    def redeliver(self, delivery_id: str) -> WebhookDelivery:
        """Post the event of a delivery again, whatever the status of the delivery; the ``webhook-id`` is the same.

        Raises: NotFoundError; ConflictError when the endpoint is not active.
        """


class Webhooks(Resource[Mode]):
    """The endpoints that events are posted to."""

    deliveries: Deliveries[Mode] = part(Deliveries)

    @paginated(mvp="GET /api/webhooks active limit offset", role="admin", ours=True)
    def list(self, *, active: bool | None = None, **common: Unpack[Paging]) -> Page[WebhookEndpoint]:
        """List the endpoints, newest first."""

    @operation(mvp="POST /api/webhooks", role="admin", ours=True)
    def create(self, webhook: WebhookCreate) -> WebhookEndpoint:
        """Register an endpoint. Only this answer has its signing secret.

        Raises: ValidationError; PermissionDeniedError for callers who are not administrators, as in every webhook call.
        """

    @operation(mvp="GET /api/webhooks/{webhook_id}", role="admin", ours=True)
    def get(self, webhook_id: str) -> WebhookEndpoint:
        """Fetch one endpoint.

        Raises: NotFoundError.
        """

    @operation(mvp="PUT /api/webhooks/{webhook_id}", role="admin", ours=True)
    def update(
        self, webhook_id: str, changes: WebhookUpdate | WebhookEndpoint, *, version: int | None = None
    ) -> WebhookEndpoint:
        """Change an endpoint. ``active=True`` enables one that the server has disabled; waiting deliveries are posted.

        Raises: NotFoundError; ValidationError; ConflictError when `version` differs.
        """

    @operation(mvp="DELETE /api/webhooks/{webhook_id}", role="admin", ours=True)
    def delete(self, webhook_id: str) -> None:
        """Delete an endpoint, and cancel the deliveries that are still pending.

        Raises: NotFoundError.
        """

    @operation(mvp="POST /api/webhooks/{webhook_id}/rotate-secret", role="admin", ours=True)
    def rotate_secret(
        self, webhook_id: str, *, expires_in: Annotated[int, Field(ge=0, le=604800)] | None = None
    ) -> WebhookEndpoint:
        """Replace the signing secret of an endpoint; the answer has the new one.

        For `expires_in` seconds (by default a day) deliveries are signed with the previous secret as well.

        Raises: NotFoundError.
        """

    @operation(
        mvp="POST /api/webhooks/{webhook_id}/test", status=201, role="admin", ours=True, errors=("OBJECT_INACTIVE",)
    )
    def test(self, webhook_id: str) -> WebhookDelivery:
        """Post the event ``webhook.test`` to an endpoint, whatever events it has subscribed to.

        Raises: NotFoundError; ConflictError when the endpoint is not active.
        """
