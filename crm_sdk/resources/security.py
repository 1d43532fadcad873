"""Security: roles, decisions about access, and API keys.

The documents ask for access control and name no routes: these routes are our own.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Annotated,
    List,  # `list` is a method in these classes
)

from pydantic import Field
from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.security import (
        AccessCheck,
        AccessDecision,
        ApiKey,
        ApiKeyCreate,
        ApiKeySort,
        ApiKeyStatus,
        PermissionInfo,
        RoleCreate,
        RoleSort,
        RoleUpdate,
        SecurityPolicy,
        SecurityPolicyInput,
        SecurityPolicyResult,
    )
    from ..models.users import Role

_ROLE = "/security/roles/{role_id}"
_ID = {"role_id": "Id or key of the role."}
_WRITE = ("UNKNOWN_PERMISSION", "UNKNOWN_FIELD", "ROLE_ESCALATION")


class SecurityRoles(Resource[Mode]):
    """The roles of the company: those that every company has, and its own."""

    @operation(platform="POST /security/roles", ours=True, action="manage", errors=("ROLE_EXISTS", *_WRITE))
    def create(self, role: RoleCreate) -> Role:
        """Create a role.

        Raises: ConflictError when a role has the key; PermissionDeniedError when it permits more than the caller may
        do; ValidationError, including for an unknown permission or field.
        """

    @operation(platform=f"GET {_ROLE}", ours=True, action="manage", texts=_ID)
    def get(self, role_id: str) -> Role:
        """Fetch one role by its id or key.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_ROLE}", ours=True, action="manage", texts=_ID, errors=("ROLE_PROTECTED", *_WRITE))
    def update(self, role_id: str, changes: RoleUpdate | Role, *, version: int | None = None) -> Role:
        """Change a role; it is in force at once, for open sessions too.

        Raises: NotFoundError; ConflictError when `version` differs, and for a role that every company has;
        PermissionDeniedError when it would permit more than the caller may do; ValidationError.
        """

    @operation(
        platform=f"DELETE {_ROLE}",
        ours=True,
        action="manage",
        texts={**_ID, "move_to": "Id or key of the role that its users get instead."},
        errors=("ROLE_PROTECTED", "ROLE_IN_USE", "ROLE_ESCALATION", "REFERENCE_NOT_FOUND"),
    )
    def delete(self, role_id: str, *, move_to: str | None = None, version: int | None = None) -> None:
        """Delete a role; its users get the role `move_to` instead.

        Raises: NotFoundError; ConflictError when `version` differs, for a role that every company has, and for one
        that users have without `move_to` (`details` counts them); ValidationError for a `move_to` that cannot be.
        """

    @paginated(
        platform="GET /security/roles",
        ours=True,
        action="manage",
        texts={"is_system": "Whether every company has the role."},
    )
    def list(
        self,
        *,
        search: str | None = None,
        is_system: bool | None = None,
        sort: RoleSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Role]:
        """List the roles, those that every company has first; `search` looks in key, name and description.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class ApiKeys(Resource[Mode]):
    """Keys for programs. Everybody has their own; those of others need the permission to manage security."""

    @operation(
        platform="POST /security/api-keys",
        status=201,
        role="everybody",
        ours=True,
        errors=("FORBIDDEN", "LIMIT_EXCEEDED", "ROLE_ESCALATION", "UNKNOWN_PERMISSION"),
    )
    def create(self, api_key: ApiKeyCreate) -> ApiKey:
        """Create an API key. The answer has the key itself, which is not shown again.

        Raises: PermissionDeniedError when it would permit more than its user may do, for another's key, and when the
        plan allows no more keys; ValidationError, including for a time of expiry that has passed.
        """

    @operation(
        platform="POST /security/api-keys/{api_key_id}/rotate",
        role="everybody",
        ours=True,
        texts={"grace_seconds": "How long the key before works as well, in seconds."},
        errors=("FORBIDDEN", "ROLE_ESCALATION", "API_KEY_REVOKED"),
    )
    def rotate(self, api_key_id: str, *, grace_seconds: Annotated[int, Field(ge=0, le=604_800)] = 0) -> ApiKey:
        """Replace the key of an API key; the answer has the new one, which is not shown again.

        Raises: NotFoundError; ConflictError when it was revoked or has expired; ValidationError.
        """

    @operation(platform="DELETE /security/api-keys/{api_key_id}", role="everybody", ours=True)
    def revoke(self, api_key_id: str) -> ApiKey:
        """Revoke an API key: it stops working at once, and the streams that it opened end. Again changes nothing.

        Raises: NotFoundError.
        """

    @paginated(
        platform="GET /security/api-keys",
        role="everybody",
        ours=True,
        texts={"user_id": "Id of the user as whom the keys act."},
    )
    def list(
        self,
        *,
        user_id: str | None = None,
        status: ApiKeyStatus | None = None,
        sort: ApiKeySort | None = None,
        search: str | None = None,
        **common: Unpack[Sorting],
    ) -> Page[ApiKey]:
        """List the API keys without the keys themselves, newest first; `search` looks in name and description.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class SecurityPolicies(Resource[Mode]):
    """The security policy of the company: the member `security` of its configuration."""

    @operation(platform="GET /security/policies", ours=True, action="manage")
    def get(self) -> SecurityPolicy:
        """Fetch the security policy."""

    @operation(
        platform="PUT /security/policies",
        ours=True,
        action="manage",
        errors=("LOCKOUT", "TENANT_CANCELLED"),
        texts={"dry_run": "Only say whom the policy would affect."},
    )
    def update(
        self, changes: SecurityPolicyInput | SecurityPolicy, *, dry_run: bool = False, version: int | None = None
    ) -> SecurityPolicyResult:
        """Change the security policy, in force from the next call; with `dry_run` only see whom it would affect.

        Raises: ConflictError when `version` differs; ValidationError, also for networks without the caller's own
        address, and for a second factor that the caller does not have.
        """


class Security(Resource[Mode]):
    """Who may do what: roles, decisions about access, and API keys."""

    roles: SecurityRoles[Mode] = part(SecurityRoles)
    api_keys: ApiKeys[Mode] = part(ApiKeys)
    policies: SecurityPolicies[Mode] = part(SecurityPolicies)

    @operation(
        platform="GET /security/permissions",
        role="everybody",
        ours=True,
        texts={"resource": "The word of a service, such as `leads`.", "feature": "The feature that switches it off."},
    )
    def permissions(self, *, resource: str | None = None, feature: str | None = None) -> List[PermissionInfo]:
        """List every permission that a role can have, with the calls that it opens; custom objects have their own."""

    @operation(
        platform="POST /security/check",
        role="everybody",
        safe=True,
        ours=True,
        texts={
            "checks": "What somebody may do, or not: at most 100 questions.",
            "user_id": "Id of the user whom it is about; without it, the caller.",
        },
        errors=("FORBIDDEN",),
    )
    def check(
        self,
        checks: Annotated[List[AccessCheck], Field(min_length=1, max_length=100)],
        *,
        user_id: str | None = None,
    ) -> List[AccessDecision]:
        """Ask whether somebody may do something; the function that decides every call decides it, and nothing changes.

        Another's access needs the permission to read security. Raises: PermissionDeniedError; ValidationError for an
        unknown user, resource or action, and for none or more than 100 questions.
        """
