"""Integrations: list and connect the external systems that a company uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.integrations import Integration, IntegrationCredentials


class Integrations(Resource[Mode]):
    """The external systems that a company uses."""

    @paginated(mvp="GET /api/integrations")
    def list(self) -> Page[Integration]:
        """List the integrations, by name."""

    @operation(
        mvp="POST /api/integrations/{integration_id}/connect",
        role="admin",
        errors=("CONNECTION_REFUSED",),
        texts={
            "credentials": "The credentials of the system: a key, a token, or a user name and a password.",
        },
    )
    def connect(
        self,
        integration_id: str,
        *,
        credentials: IntegrationCredentials,
        config: Mapping[str, Any] | None = None,
    ) -> Integration:
        """Connect a system with its credentials; `config` is merged into the present configuration.

        Raises: NotFoundError; ValidationError when a credential is missing, or the system refuses it.
        """
