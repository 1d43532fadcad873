"""Integrations: the external systems that a company connects, and how records are synchronised with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.integration_mappings import (
        FieldMapping,
        FieldMappingCreate,
        FieldMappingUpdate,
        MappingDraft,
        MappingSample,
        MappingSort,
        MappingValidation,
    )
    from ..models.integrations import (
        ConnectionTest,
        Integration,
        IntegrationCreate,
        IntegrationCredentials,
        IntegrationSort,
        IntegrationStatus,
        IntegrationType,
        IntegrationUpdate,
        Provider,
        SyncStatus,
    )
    from ..models.sync_runs import SyncDirection, SyncMode, SyncRun, SyncRunSort, SyncState, SyncTrigger
    from ..models.values import EntityType

_ONE = "/integrations/connectors/{integration_id}"
_SYNC = "/integrations/{integration_id}/sync"
_MAPPINGS = "/integrations/{integration_id}/mappings"
_MAPPING_ERRORS = ("MAPPING_EXISTS", "UNKNOWN_FIELD", "FIELD_READ_ONLY", "TYPE_MISMATCH")


class IntegrationSync(Resource[Mode]):
    """The synchronisation of an integration: runs that can be paused, their state and their history."""

    @operation(
        platform=f"POST {_SYNC}",
        status=202,
        errors=("INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS", "NO_MAPPINGS"),
        texts={"mode": "Whether all records are compared, or only those that one side has changed since."},
    )
    def start(
        self,
        integration_id: str,
        *,
        mode: SyncMode = "incremental",
        entity_types: Sequence[EntityType] | None = None,
        direction: SyncDirection | None = None,
    ) -> SyncRun:
        """Start to synchronise records by the active mappings; the run goes on after the answer.

        Without `entity_types` and `direction` those of the integration apply. A record that cannot be taken is an error
        of the run and holds up no other.

        Raises: NotFoundError; ConflictError when the integration is not connected, has no active mapping for what is
        asked for, or a run is queued, running or paused.
        """

    @operation(platform="GET /integrations/{integration_id}/sync-status")
    def status(self, integration_id: str) -> SyncStatus:
        """Fetch the state: the run that is under way, the last one, and the conflicts that wait for a decision.

        Raises: NotFoundError.
        """

    @operation(platform=f"POST {_SYNC}/pause", errors=("SYNC_NOT_RUNNING",))
    def pause(self, integration_id: str) -> SyncRun:
        """Pause the run after the record it is at; it keeps its `cursor`.

        Raises: NotFoundError; ConflictError when nothing runs.
        """

    @operation(platform=f"POST {_SYNC}/resume", errors=("SYNC_NOT_PAUSED", "INTEGRATION_NOT_CONNECTED"))
    def resume(self, integration_id: str) -> SyncRun:
        """Resume a paused run at its `cursor`; no record is synchronised twice.

        Raises: NotFoundError; ConflictError when no run is paused, or the integration is not connected any more.
        """

    @paginated(platform="GET /integrations/{integration_id}/sync-history")
    def history(
        self,
        integration_id: str,
        *,
        status: SyncState | None = None,
        trigger: SyncTrigger | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: SyncRunSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[SyncRun]:
        """List the runs of an integration, newest first, by when they were started.

        Raises: NotFoundError; ValidationError.
        """


class IntegrationMappings(Resource[Mode]):
    """The field mappings of an integration."""

    @operation(platform=f"POST {_MAPPINGS}", errors=_MAPPING_ERRORS)
    def create(self, integration_id: str, mapping: FieldMappingCreate) -> FieldMapping:
        """Map a field of the external system to a member of our records.

        Raises: NotFoundError; ConflictError when the member is mapped in this direction already; ValidationError for a
        field that one side does not have, a member that cannot be written, or values of another type without a
        `transform`.
        """

    @operation(platform=f"PUT {_MAPPINGS}/{{mapping_id}}", errors=_MAPPING_ERRORS)
    def update(
        self,
        integration_id: str,
        mapping_id: str,
        changes: FieldMappingUpdate | FieldMapping,
        *,
        version: int | None = None,
    ) -> FieldMapping:
        """Change a mapping; a run that is under way keeps the mappings it began with.

        Raises: NotFoundError; ConflictError when the member is mapped in this direction already, or `version` differs;
        ValidationError as for a new mapping.
        """

    @operation(platform=f"DELETE {_MAPPINGS}/{{mapping_id}}")
    def delete(self, integration_id: str, mapping_id: str) -> None:
        """Delete a mapping; the values that it has brought stay.

        Raises: NotFoundError.
        """

    @paginated(platform=f"GET {_MAPPINGS}")
    def list(
        self,
        integration_id: str,
        *,
        entity_type: EntityType | None = None,
        direction: SyncDirection | None = None,
        active: bool | None = None,
        sort: MappingSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[FieldMapping]:
        """List the mappings of an integration, newest first.

        Raises: NotFoundError; ValidationError.
        """

    @operation(
        platform=f"POST {_MAPPINGS}/validate",
        safe=True,
        texts={
            "mappings": "The mappings to check; without them, the stored ones.",
            "sample": "A record of the external system, to see what the mappings make of it.",
        },
    )
    def validate(
        self,
        integration_id: str,
        mappings: Sequence[MappingDraft] | None = None,
        *,
        sample: MappingSample | None = None,
    ) -> MappingValidation:
        """Check mappings, and show what they make of a sample; nothing is stored.

        Raises: NotFoundError.
        """


class Integrations(Resource[Mode]):
    """The external systems that a company uses."""

    sync: IntegrationSync[Mode] = part(IntegrationSync)
    mappings: IntegrationMappings[Mode] = part(IntegrationMappings)

    @operation(platform="POST /integrations/connectors", errors=("INTEGRATION_EXISTS",))
    def create(self, integration: IntegrationCreate) -> Integration:
        """Create an integration; with credentials the connection is tested at once, and `status` has the result.

        Raises: ConflictError when the name is taken; ValidationError, also where credentials are missing that
        `auth_type` asks for.
        """

    @operation(platform=f"GET {_ONE}")
    def get(self, integration_id: str) -> Integration:
        """Fetch one integration, without its credentials.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_ONE}", errors=("INTEGRATION_EXISTS", "SYNC_IN_PROGRESS"))
    def update(
        self, integration_id: str, changes: IntegrationUpdate | Integration, *, version: int | None = None
    ) -> Integration:
        """Change an integration; new credentials are tested at once.

        Raises: NotFoundError; ConflictError when the name is taken, `direction` or `entity_types` change during a run,
        or `version` differs; ValidationError.
        """

    @operation(platform=f"DELETE {_ONE}")
    def delete(self, integration_id: str) -> None:
        """Delete an integration: a run is cancelled; records that were synchronised stay and lose their link.

        Raises: NotFoundError.
        """

    @paginated(mvp="GET /api/integrations -", platform="GET /integrations/connectors")
    def list(
        self,
        *,
        type: IntegrationType | None = None,
        provider: Provider | None = None,
        category: str | None = None,
        status: IntegrationStatus | None = None,
        sort: IntegrationSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Integration]:
        """List the integrations: newest first, in the mvp dialect by name.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform=f"POST {_ONE}/test", action="read")
    def test(self, integration_id: str) -> ConnectionTest:
        """Test the connection of an integration; its `status` becomes the result.

        A connection that fails is not an error of the call: `ok` is false, and the `checks` say at which step.

        Raises: NotFoundError.
        """

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
