"""Configuration: settings by level, feature flags, the environment, and territories."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.accounts import Territory
    from ..models.configuration import (
        Environment,
        FeatureFlag,
        FeatureFlagCreate,
        FeatureFlagUpdate,
        FlagAttributes,
        FlagEvaluation,
        FlagSort,
        Setting,
        SettingScope,
        SettingValues,
        TerritoryCreate,
        TerritorySort,
        TerritoryUpdate,
    )

_LEVEL = {
    "scope": "The level: the company's, a role's, a team's or a user's.",
    "scope_id": "Id or key of the role, id of the team or user; the caller's own where a user's is left out.",
}
_PLACES = (
    "TERRITORY_EXISTS",
    "DUPLICATE_VALUE",
    "HIERARCHY_CYCLE",
    "MEMBER_INACTIVE",
    "UNKNOWN_FIELD",
    "INVALID_OPERATOR",
)


class Settings(Resource[Mode]):
    """The settings of the company, and those of its roles, teams and users."""

    @operation(
        platform="GET /configuration/settings",
        ours=True,
        role="everybody",
        errors=("FORBIDDEN", "NO_USER"),
        texts={
            **_LEVEL,
            "group": "The first word of the keys: calendar.",
            "keys": "Only these settings.",
            "changed": "Only settings with a value of some level, or only those without.",
        },
    )
    def list(
        self,
        *,
        group: str | None = None,
        keys: Sequence[str] | None = None,
        scope: SettingScope | None = None,
        scope_id: str | None = None,
        changed: bool | None = None,
    ) -> builtins.list[Setting]:
        """List settings by key, with the values in force for the caller; with `scope` those of that level alone.

        In force is the company's value if it is locked; else the user's, that of the first of the user's roles, of the
        team with the smallest id, the company's, the default. Of a secret value only the end is shown.

        Raises: PermissionDeniedError for another user's; ValidationError.
        """

    @operation(
        platform="PUT /configuration/settings",
        ours=True,
        role="everybody",
        errors=("UNKNOWN_SETTING", "SETTING_SCOPE", "SETTING_LOCKED", "FORBIDDEN", "NO_USER", "REFERENCE_NOT_FOUND"),
        texts={
            **_LEVEL,
            "values": "Values by the keys of the settings; null goes back to the next level.",
            "locked": "Whether the company's values are in force for everybody; without it that stays as it is.",
            "version": "The version of the settings, of `configuration.environment`.",
        },
    )
    def update(
        self,
        values: SettingValues,
        *,
        scope: SettingScope = "tenant",
        scope_id: str | None = None,
        locked: bool | None = None,
        version: int | None = None,
    ) -> builtins.list[Setting]:
        """Set settings of one level, all of them or none; they are in force at once. Returns them with their values.

        ``env.<NAME>`` is a value of one's own, at most 4 kB; ``{"value": …, "secret": true}`` shows only its end from
        then on, and the masked value may be sent back. With `version`, only if no setting has changed since.

        Raises: PermissionDeniedError for another level than one's own; ConflictError for a setting that the company
        has locked, or when `version` differs; ValidationError for an unknown setting, a value out of its bounds, or a
        level on which it cannot be set.
        """


class Flags(Resource[Mode]):
    """Feature flags: switches and values that depend on who asks."""

    @paginated(
        platform="GET /configuration/flags",
        ours=True,
        texts={"enabled": "Whether the rules count.", "expired": "Whether they have expired."},
    )
    def list(
        self,
        *,
        enabled: bool | None = None,
        expired: bool | None = None,
        sort: FlagSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[FeatureFlag]:
        """List the flags with their rules, newest first; `search` looks in key, name and description.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform="POST /configuration/flags",
        ours=True,
        action="manage",
        errors=("FLAG_EXISTS", "RESERVED_NAME", "LIMIT_EXCEEDED", "UNKNOWN_FIELD", "INVALID_OPERATOR"),
    )
    def create(self, flag: FeatureFlagCreate) -> FeatureFlag:
        """Create a flag. The first rule whose conditions hold decides; a rule may be for a share of the users only.

        A share is the same everywhere, and grows without taking the value from anybody: it goes by the key and the
        user's id alone.

        Raises: ConflictError when the key is taken; ValidationError for a value of another type, a condition on an
        unknown member, and the key of a service; PermissionDeniedError beyond the plan's number of flags.
        """

    @operation(
        platform="PUT /configuration/flags/{key}",
        ours=True,
        action="manage",
        errors=("UNKNOWN_FIELD", "INVALID_OPERATOR"),
        texts={"key": "The key of the flag."},
    )
    def update(self, key: str, changes: FeatureFlagUpdate | FeatureFlag, *, version: int | None = None) -> FeatureFlag:
        """Change a flag: members left out keep their values, the rules are replaced as a whole.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(
        platform="DELETE /configuration/flags/{key}",
        ours=True,
        action="manage",
        texts={"key": "The key of the flag."},
    )
    def delete(self, key: str, *, version: int | None = None) -> None:
        """Delete a flag: from then on it is unknown to evaluations, whose reason is ``error``.

        Raises: NotFoundError; ConflictError when `version` differs.
        """

    @operation(
        platform="POST /configuration/flags/evaluate",
        ours=True,
        safe=True,
        status=200,
        role="everybody",
        errors=("FORBIDDEN",),
        texts={
            "keys": "The keys of the flags; all flags without it.",
            "user_id": "For whom: without it, the caller.",
            "attributes": "What conditions on `attributes.<name>` compare with.",
            "defaults": "Values for unknown flags, by key.",
        },
    )
    def evaluate(
        self,
        keys: Sequence[str] | None = None,
        *,
        user_id: str | None = None,
        attributes: FlagAttributes | None = None,
        defaults: FlagAttributes | None = None,
    ) -> builtins.list[FlagEvaluation]:
        """Return the values of flags for a user, in the order of `keys`, each with its reason.

        A flag that is not enabled or has expired has its default. An unknown one is no error: its reason is ``error``
        and its value that of `defaults`, or null.

        Raises: PermissionDeniedError for another user; ValidationError for an unknown one.
        """


class Territories(Resource[Mode]):
    """Territories: parts of the market, into which rules put accounts and leads."""

    @paginated(
        platform="GET /configuration/territories",
        ours=True,
        texts={
            "parent_id": "Id of the territory that they are in.",
            "active": "Whether its rules count.",
            "member_id": "Id of a user who works on it.",
        },
    )
    def list(
        self,
        *,
        parent_id: str | None = None,
        active: bool | None = None,
        member_id: str | None = None,
        sort: TerritorySort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Territory]:
        """List territories with the numbers of their accounts and leads, newest first; `search`: name and code.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="POST /configuration/territories", ours=True, action="manage", errors=_PLACES)
    def create(self, territory: TerritoryCreate) -> Territory:
        """Create a territory; accounts that are not locked to another one are put where the rules say, at once.

        All rules of a territory must hold. Of several that match, the lowest priority wins, then the deeper one.

        Raises: ConflictError when the name or code is taken, or a member is inactive; ValidationError for a rule
        with an unknown member or operator, and for an unknown parent or user.
        """

    @operation(platform="GET /configuration/territories/{territory_id}", ours=True)
    def get(self, territory_id: str) -> Territory:
        """Fetch one territory with the numbers of its accounts and leads.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /configuration/territories/{territory_id}", ours=True, action="manage", errors=_PLACES)
    def update(
        self, territory_id: str, changes: TerritoryUpdate | Territory, *, version: int | None = None
    ) -> Territory:
        """Change a territory; accounts that are not locked are put where the rules then say, at once.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ConflictError when `version` differs, the name or code is taken, a new member is
        inactive, or it would be a part of itself; ValidationError.
        """

    @operation(
        platform="DELETE /configuration/territories/{territory_id}",
        ours=True,
        action="manage",
        errors=("TERRITORY_IN_USE", "TERRITORY_INACTIVE", "HIERARCHY_CYCLE", "REFERENCE_NOT_FOUND"),
        texts={"move_to": "Id of the territory that gets what is in this one."},
    )
    def delete(self, territory_id: str, *, move_to: str | None = None, version: int | None = None) -> None:
        """Delete a territory; accounts that rules had put into it go where the rules then say.

        Raises: NotFoundError; ConflictError while it has territories within it, locked accounts, teams or open leads,
        without `move_to`, and when `version` differs; ValidationError for an unknown `move_to`.
        """


class Configuration(Resource[Mode]):
    """Settings by level, feature flags, the environment, and territories."""

    settings: Settings[Mode] = part(Settings)
    flags: Flags[Mode] = part(Flags)
    territories: Territories[Mode] = part(Territories)

    @operation(platform="GET /configuration/environment", ours=True, role="everybody")
    def environment(self) -> Environment:
        """Return what a client has to know of the server: versions, addresses, time, plan, features and limits.

        It holds no secrets, and API keys may ask for it.
        """
