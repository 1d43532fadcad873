"""Who makes a request, and what that caller may do, see and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request."""

    tenant_id: str
    actor_id: str
    """``user_…``, ``apikey_…``, ``app_…`` or ``system``; the value of `created_by` of records."""
    user_id: str | None
    """The id of the user; None where the caller is not a user."""
    role: str
    """The key of the user's first role; ``system``, ``app`` or ``anonymous`` for a caller that is not a user."""
    name: str = ""
    email: str | None = None
    auth: Literal["token", "api_key", "app", "none"] = "token"
    session_id: str | None = None
    granted: frozenset[str] | None = None
    """The permissions that the credential is limited to, such as ``contacts:read``; None where the roles decide."""
    more_roles: frozenset[str] = frozenset()
    """The keys of the user's other roles."""
    permissions: frozenset[str] = frozenset()
    """What those of the roles permit that the company made itself: ``leads:update@team``."""
    objects: frozenset[str] = frozenset()
    """The ids of the custom objects with permissions of their own, each with these: ``object_1:read@own``."""
    team: frozenset[str] = frozenset()
    """The ids of the users in one of the user's teams, where a permission has the scope `team`."""
    shared: frozenset[str] = frozenset()
    """The access to single records that others share with the user, as `shares.shared_with` writes it."""
    hidden: frozenset[str] = frozenset()
    """The members that all roles of the user hide: ``contact.email``."""
    fixed: frozenset[str] = frozenset()
    """The members that the user may read and not write."""
    sales_reads: Literal["own", "team", "all"] = "all"
    """Which contacts, leads, accounts, deals and activities the built-in sales role reads, by the company's policy."""

    @property
    def roles(self) -> frozenset[str]:
        """The keys of all roles of the caller."""
        return self.more_roles | {self.role}

    @property
    def stored_grant(self) -> list[str] | None:
        """What the credential is limited to, as a member of a record; `user_caller` takes it back as `granted`."""
        return sorted(self.granted) if self.granted is not None else None

    def as_stored(self) -> dict[str, Any]:
        """Return the caller as a member of a record, which `of` reads back."""
        return {
            name: sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else value
            for name, value in asdict(self).items()
        }

    @staticmethod
    def of(stored: Mapping[str, Any]) -> Caller:
        """Return the caller that a record keeps."""
        members: dict[str, Any] = {
            name: frozenset[str](cast("list[str]", value)) if isinstance(value, (list, tuple)) else value
            for name, value in stored.items()
        }
        return Caller(**members)
