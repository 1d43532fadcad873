"""Audit: the trail of what was done in the company, by whom, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.audit import (
        AuditCategory,
        AuditDialect,
        AuditLog,
        AuditLogCreate,
        AuditSeverity,
        AuditSort,
    )
    from ..models.values import EntityType, SearchQuery


class AuditLogs(Resource[Mode]):
    """The entries of the audit trail. None can be changed or deleted.

    Admins read all entries, managers those without the category ``auth``.
    """

    @operation(platform="POST /audit/logs", status=201, errors=("REFERENCE_NOT_FOUND",))
    def create(self, log: AuditLogCreate) -> AuditLog:
        """Write an entry about what was done in another system; its action begins with ``custom.``.

        Raises: ValidationError for another action, or an unknown record.
        """

    @operation(platform="GET /audit/logs/{log_id}")
    def get(self, log_id: str) -> AuditLog:
        """Fetch one entry.

        Raises: NotFoundError.
        """

    @paginated(
        platform="GET /audit/logs",
        texts={
            "action": "What was done, by the name of the event: `deal.won`.",
            "entity_id": "The id of the record that it was done to.",
            "actor_id": "The id of the user, API key or app that did it, or `system`.",
            "source": "The dialect of the request, or `system`.",
            "since": "The entries at this time or later.",
            "until": "The entries before this time.",
            "request_id": "The X-Request-ID of the answer to the request.",
            "verify": "Whether to check the whole trail: `meta` of the page then has `chainValid`.",
        },
    )
    def list(
        self,
        *,
        action: str | None = None,
        category: AuditCategory | None = None,
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        actor_id: str | None = None,
        severity: AuditSeverity | None = None,
        source: AuditDialect | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        request_id: str | None = None,
        verify: bool = False,
        sort: AuditSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[AuditLog]:
        """List entries in the order in which they were written.

        With `verify` the whole trail is checked, whatever the filters: ``page.meta["chainValid"]`` is False where an
        entry was changed, moved or taken away by other means than a purge.

        Raises: ValidationError.
        """

    @paginated(platform="POST /audit/logs/search", safe=True, errors=("UNKNOWN_FIELD",))
    def search(self, query: SearchQuery) -> Page[AuditLog]:
        """Search entries by words and conditions; conditions can be on ``changes.field`` or ``actor.ip_address``, too.

        Words are looked for in action, reason, and the names of record and actor.

        Raises: ValidationError for an unknown field, or an operator that its type does not have.
        """


class Audit(Resource[Mode]):
    """The audit trail of the company."""

    logs: AuditLogs[Mode] = part(AuditLogs)
