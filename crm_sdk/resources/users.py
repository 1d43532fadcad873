"""Users: who works with the CRM, what they may do, how they are shown, and the teams they are in."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.users import (
        EffectivePermissions,
        Role,
        Team,
        TeamCreate,
        TeamRole,
        TeamSort,
        TeamUpdate,
        User,
        UserCreate,
        UserPreferences,
        UserPreferencesUpdate,
        UserProfile,
        UserProfileUpdate,
        UserSort,
        UserStatus,
        UserUpdate,
    )
    from ..models.values import Upload

_USER = "/users/{user_id}"
_TEAM = "/users/teams/{team_id}"
_ME = {"user_id": "Id of a user, or `me`."}


class UserRoles(Resource[Mode]):
    """The roles of a user."""

    @operation(
        platform=f"POST {_USER}/roles",
        texts={**_ME, "role_id": "Id or key of the role."},
        errors=("ROLE_ALREADY_ASSIGNED", "ROLE_ESCALATION"),
    )
    def assign(self, user_id: str, role_id: str) -> List[Role]:
        """Give a user one more role, by its id or key; it is in force at once, for open sessions too.

        Returns all roles of the user. Raises: NotFoundError; ValidationError for an unknown role; ConflictError when
        the user has it; PermissionDeniedError when it permits more than the caller may do.
        """

    @operation(
        platform=f"DELETE {_USER}/roles/{{role_id}}",
        texts={**_ME, "role_id": "Id or key of the role."},
        errors=("LAST_ROLE", "LAST_ADMIN"),
    )
    def remove(self, user_id: str, role_id: str) -> None:
        """Take a role from a user; it ends at once, for open sessions too.

        Raises: NotFoundError, also when the user does not have it; ConflictError for the user's last role, and for the
        role of the last administrator.
        """

    @operation(platform=f"GET {_USER}/roles", texts=_ME)
    def list(self, user_id: str) -> List[Role]:
        """List the roles of a user with their permissions, the first role first.

        Raises: NotFoundError.
        """


class UserProfiles(Resource[Mode]):
    """The profile of a user, which everybody in the company can read."""

    @operation(platform=f"GET {_USER}/profile", role="everybody", texts=_ME)
    def get(self, user_id: str) -> UserProfile:
        """Fetch the profile of a user. Phone numbers of others are shown to those who may read users.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_USER}/profile", role="everybody", texts=_ME, errors=("FORBIDDEN",))
    def update(self, user_id: str, changes: UserProfileUpdate | UserProfile) -> UserProfile:
        """Change one's own profile; another's needs the permission to manage users.

        Name, title, department, phone, locale and time zone are those of the user, too.

        Raises: NotFoundError; PermissionDeniedError; ValidationError, including for an unknown time zone.
        """


class UserAvatars(Resource[Mode]):
    """The picture of a user."""

    @operation(
        platform=f"POST {_USER}/avatar",
        role="everybody",
        texts={**_ME, "file": "A PNG, JPEG, WebP or GIF of at most 5 MB."},
        errors=("FORBIDDEN", "INVALID_IMAGE", "FILE_TOO_LARGE"),
    )
    def upload(self, user_id: str, file: Upload) -> User:
        """Upload a picture of oneself; another's needs the permission to manage users.

        The picture is cut to a square of 512 × 512 pixels and stored as a PNG without the metadata of the file.

        Raises: NotFoundError; PermissionDeniedError; ValidationError for a file that is no picture of these kinds, has
        more than 25 million pixels or more than 5 MB.
        """


class UserSettings(Resource[Mode]):
    """The preferences of a user."""

    @operation(platform=f"GET {_USER}/preferences", role="everybody", texts=_ME, errors=("FORBIDDEN",))
    def get(self, user_id: str) -> UserPreferences:
        """Fetch one's own preferences; another's need the permission to manage users.

        What the user has not chosen is as in the company's configuration. Raises: NotFoundError; PermissionDeniedError.
        """

    @operation(platform=f"PUT {_USER}/preferences", role="everybody", texts=_ME, errors=("FORBIDDEN",))
    def update(self, user_id: str, changes: UserPreferencesUpdate | UserPreferences) -> UserPreferences:
        """Change one's own preferences; another's need the permission to manage users. Null restores the default.

        Raises: NotFoundError; PermissionDeniedError; ValidationError, including for an unknown time zone, a language
        that is not supported, or working hours that overlap or end before they begin.
        """


class TeamMembers(Resource[Mode]):
    """The members of a team."""

    @operation(
        platform=f"POST {_TEAM}/members",
        texts={"role": "Whether the user leads the team."},
        errors=("ALREADY_MEMBER", "MEMBER_INACTIVE"),
    )
    def add(self, team_id: str, user_id: str, *, role: TeamRole = "member") -> Team:
        """Add a user to a team.

        Raises: NotFoundError; ValidationError for an unknown user; ConflictError when the user is a member already, or
        inactive.
        """

    @operation(platform=f"DELETE {_TEAM}/members/{{user_id}}", texts=_ME, errors=("TEAM_MANAGER",))
    def remove(self, team_id: str, user_id: str) -> None:
        """Take a user out of a team.

        Raises: NotFoundError, also for a user who is not a member; ConflictError for the manager of the team.
        """


class UserTeams(Resource[Mode]):
    """Teams: users who work together."""

    members: TeamMembers[Mode] = part(TeamMembers)

    @operation(platform="POST /users/teams", errors=("TEAM_EXISTS", "HIERARCHY_CYCLE", "MEMBER_INACTIVE"))
    def create(self, team: TeamCreate) -> Team:
        """Create a team; its manager becomes a member, as its lead.

        Raises: ConflictError when a team has the same name or a member is inactive; ValidationError.
        """

    @operation(platform=f"GET {_TEAM}")
    def get(self, team_id: str) -> Team:
        """Fetch one team with its members.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_TEAM}", errors=("TEAM_EXISTS", "HIERARCHY_CYCLE", "MEMBER_INACTIVE"))
    def update(self, team_id: str, changes: TeamUpdate | Team, *, version: int | None = None) -> Team:
        """Change a team; its members are changed by `members.add` and `members.remove`. A new manager becomes its lead.

        Raises: NotFoundError; ConflictError when `version` differs, a team has the same name, the new manager is
        inactive, or the team would be a part of itself; ValidationError.
        """

    @operation(platform=f"DELETE {_TEAM}")
    def delete(self, team_id: str) -> None:
        """Delete a team; the teams within it move up to the team it was in.

        Raises: NotFoundError.
        """

    @paginated(
        platform="GET /users/teams",
        ours=True,
        texts={
            "member_id": "Id of a user who is in the team.",
            "manager_id": "Id of the manager.",
            "parent_team_id": "Id of the team that they are in.",
        },
    )
    def list(
        self,
        *,
        search: str | None = None,
        manager_id: str | None = None,
        member_id: str | None = None,
        parent_team_id: str | None = None,
        sort: TeamSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Team]:
        """List the teams with their members, newest first; `search` looks in name and description.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class Users(Resource[Mode]):
    """Who works with the CRM, and what they may do."""

    roles: UserRoles[Mode] = part(UserRoles)
    profile: UserProfiles[Mode] = part(UserProfiles)
    avatar: UserAvatars[Mode] = part(UserAvatars)
    preferences: UserSettings[Mode] = part(UserSettings)
    teams: UserTeams[Mode] = part(UserTeams)

    @operation(
        platform="POST /users",
        errors=("USER_EXISTS", "LIMIT_EXCEEDED", "WEAK_PASSWORD", "ROLE_ESCALATION"),
    )
    def create(self, user: UserCreate) -> User:
        """Create a user: active with a password, otherwise invited by an e-mail that is good for seven days.

        Raises: ConflictError when a user has the address; PermissionDeniedError when the plan allows no more users or
        the role permits more than the caller may do; ValidationError, including for an unknown role or a password that
        the company's rules refuse.
        """

    @operation(platform=f"GET {_USER}", texts=_ME)
    def get(self, user_id: str) -> User:
        """Fetch one user; `me` is the caller.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_USER}",
        texts=_ME,
        errors=("USER_EXISTS", "CANNOT_CHANGE_OWN_ROLE", "LAST_ADMIN", "HIERARCHY_CYCLE", "ROLE_ESCALATION"),
    )
    def update(self, user_id: str, changes: UserUpdate | User, *, version: int | None = None) -> User:
        """Change a user. A new address has to be verified again; a new role replaces the first one.

        Raises: NotFoundError; ConflictError when `version` differs, another user has the address, the manager reports
        to this user, or nobody else is an administrator; PermissionDeniedError for one's own role, and for a role that
        permits more than the caller may do; ValidationError.
        """

    @operation(
        platform=f"DELETE {_USER}",
        texts={**_ME, "transfer_to": "Id of the user who gets the records that this one owns."},
        errors=("CANNOT_DELETE_SELF", "LAST_ADMIN", "USER_OWNS_RECORDS", "REFERENCE_NOT_FOUND", "RECORD_REFERENCED"),
    )
    def delete(self, user_id: str, *, transfer_to: str | None = None) -> None:
        """Delete a user: sessions and API keys end at once. `transfer_to` gets the records.

        Raises: NotFoundError; ConflictError for oneself, for the last administrator, and for the owner of records
        without `transfer_to` (`details` counts them by kind), and where a field with ``on_delete="restrict"`` refers to
        the user; ValidationError for a `transfer_to` that cannot be.
        """

    @paginated(
        platform="GET /users",
        texts={
            "role": "The key of one of the user's roles.",
            "team_id": "Id of a team that the user is in.",
            "manager_id": "Id of the user's manager.",
        },
    )
    def list(
        self,
        *,
        status: UserStatus | None = None,
        role: str | None = None,
        team_id: str | None = None,
        manager_id: str | None = None,
        sort: UserSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[User]:
        """List the users, newest first; `search` looks in name, address, title and department.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform=f"POST {_USER}/activate", texts=_ME, errors=("LIMIT_EXCEEDED",))
    def activate(self, user_id: str) -> User:
        """Let a user work who was deactivated, or accept an invitation in the user's place.

        Raises: NotFoundError; PermissionDeniedError when the plan allows no more users.
        """

    @operation(
        platform=f"POST {_USER}/deactivate",
        texts={**_ME, "transfer_to": "Id of the user who gets the records that this one owns."},
        errors=("CANNOT_DEACTIVATE_SELF", "LAST_ADMIN", "REFERENCE_NOT_FOUND"),
    )
    def deactivate(self, user_id: str, *, transfer_to: str | None = None) -> User:
        """Keep a user from working: sessions end at once, and no lead is assigned to the user any more.

        The records stay the user's unless `transfer_to` gets them.

        Raises: NotFoundError; ConflictError for oneself and for the last administrator; ValidationError for a
        `transfer_to` that cannot be.
        """

    @operation(platform=f"GET {_USER}/permissions", role="everybody", texts=_ME, errors=("FORBIDDEN",))
    def permissions(self, user_id: str) -> EffectivePermissions:
        """Fetch what a user may do; another's needs the permission to read users.

        It is computed by the function that decides every call. Raises: NotFoundError; PermissionDeniedError.
        """
