"""Accounts: the companies that contacts work for and deals are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting, Viewed
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.accounts import (
        Account,
        AccountCreate,
        AccountHierarchy,
        AccountMerge,
        AccountSort,
        AccountStatus,
        AccountType,
        AccountUpdate,
        Depth,
        MergeIds,
        TerritoryAssignment,
    )
    from ..models.contacts import Contact, ContactSort, ContactStatus
    from ..models.deals import Deal, DealSort, DealStatus
    from ..models.values import Rating


class AccountContacts(Resource[Mode]):
    """The contacts of an account."""

    @paginated(platform="GET /accounts/{account_id}/contacts")
    def list(
        self,
        account_id: str,
        *,
        include_children: bool = False,
        search: str | None = None,
        status: ContactStatus | None = None,
        sort: ContactSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Contact]:
        """List the contacts of an account, newest first; with `include_children` also those of the accounts below it.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """


class AccountDeals(Resource[Mode]):
    """The deals of an account."""

    @paginated(platform="GET /accounts/{account_id}/deals")
    def list(
        self,
        account_id: str,
        *,
        include_children: bool = False,
        status: DealStatus | None = None,
        pipeline_id: str | None = None,
        sort: DealSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Deal]:
        """List the deals of an account, newest first; with `include_children` also those of the accounts below it.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """


class AccountTerritory(Resource[Mode]):
    """The territory an account belongs to."""

    @operation(platform="GET /accounts/{account_id}/territory")
    def get(self, account_id: str) -> TerritoryAssignment:
        """Fetch the territory of an account, and whether a rule or a user put the account there.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /accounts/{account_id}/territory",
        action="manage",
        errors=("RECORD_MERGED", "TERRITORY_INACTIVE"),
    )
    def update(
        self,
        account_id: str,
        *,
        territory_id: str | None = None,
        method: Literal["manual", "rule"] = "manual",
        locked: bool = True,
    ) -> TerritoryAssignment:
        """Assign an account to a territory, by hand or by the territories' rules.

        The method ``manual`` assigns `territory_id`, or no territory where it is left out; while the assignment is
        `locked`, the rules do not change it. The method ``rule`` evaluates the rules now and unlocks the assignment.
        The owner of the account does not change.

        Raises: NotFoundError; ValidationError for an unknown territory; ConflictError for an inactive one and for
        the id of a merged account; PermissionDeniedError for roles that may not manage accounts.
        """


class Accounts(Resource[Mode]):
    """The companies that contacts work for and deals are made with."""

    contacts: AccountContacts[Mode] = part(AccountContacts)
    deals: AccountDeals[Mode] = part(AccountDeals)
    territory: AccountTerritory[Mode] = part(AccountTerritory)

    @operation(platform="POST /accounts", errors=("ACCOUNT_EXISTS", "HIERARCHY_TOO_DEEP"))
    def create(self, account: AccountCreate) -> Account:
        """Create an account.

        Without a `domain` it gets the domain of `website`; without an `owner_id` the caller owns it. Its territory is
        the first one whose rules match.

        Raises: ConflictError when an account has the same domain (`details` names it); ValidationError.
        """

    @operation(platform="GET /accounts/{account_id}")
    def get(self, account_id: str) -> Account:
        """Fetch one account; the id of an account that was merged into another returns the surviving account.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /accounts/{account_id}",
        errors=("ACCOUNT_EXISTS", "RECORD_MERGED"),
    )
    def update(self, account_id: str, changes: AccountUpdate | Account, *, version: int | None = None) -> Account:
        """Change an account: members left out keep their values, null clears a member, lists are replaced.

        A new name is also written to its contacts and deals, as their `company`. With `version`, the change is made
        only if that is still the account's version.

        Raises: NotFoundError; ConflictError when the version differs, another account has the domain, or this account
        was merged into another; ValidationError.
        """

    @operation(
        platform="DELETE /accounts/{account_id}",
        errors=("ACCOUNT_HAS_CHILDREN", "ACCOUNT_HAS_OPEN_DEALS", "RECORD_MERGED", "RECORD_REFERENCED"),
    )
    def delete(self, account_id: str, *, version: int | None = None) -> None:
        """Delete an account. Its contacts stay: they lose their `account_id` and keep the company's name.

        Raises: NotFoundError; ConflictError while it has open deals or child accounts, or when `version` differs.
        """

    @paginated(platform="GET /accounts")
    def list(
        self,
        *,
        type: AccountType | None = None,
        status: AccountStatus | None = None,
        industry: str | None = None,
        owner_id: str | None = None,
        territory_id: str | None = None,
        parent_id: str | None = None,
        rating: Rating | None = None,
        tags: Sequence[str] | None = None,
        min_employees: int | None = None,
        max_employees: int | None = None,
        sort: AccountSort | None = None,
        **common: Unpack[Viewed],
    ) -> Page[Account]:
        """List accounts, newest first.

        `search` looks in name, domain, industry and tags; an account must have all of `tags`; ``parent_id="none"``
        returns the accounts without a parent.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform="GET /accounts/{account_id}/hierarchy")
    def hierarchy(self, account_id: str, *, max_depth: Depth = 10) -> AccountHierarchy:
        """Fetch the whole tree of accounts that an account belongs to, with the figures of all accounts in it.

        Raises: NotFoundError.
        """

    @operation(
        platform="POST /accounts/{account_id}/children",
        errors=("ACCOUNT_HAS_PARENT", "HIERARCHY_CYCLE", "HIERARCHY_TOO_DEEP", "RECORD_MERGED", "REFERENCE_NOT_FOUND"),
    )
    def add_child(self, account_id: str, child_id: str) -> Account:
        """Make an account that has no parent a child of another, and return the child.

        Raises: NotFoundError; ValidationError for an unknown child; ConflictError when the child has another parent
        (use `set_parent`), is an ancestor of the account, or would be deeper than 10 levels.
        """

    @operation(
        platform="PUT /accounts/{account_id}/parent",
        errors=("HIERARCHY_CYCLE", "HIERARCHY_TOO_DEEP", "RECORD_MERGED", "REFERENCE_NOT_FOUND"),
    )
    def set_parent(self, account_id: str, parent_id: str | None, *, version: int | None = None) -> Account:
        """Move an account, with all accounts below it, to another parent; a `parent_id` of null makes it a root.

        Raises: NotFoundError; ValidationError for an unknown parent; ConflictError when the parent is a descendant of
        the account, an account would be deeper than 10 levels, or `version` differs.
        """

    @operation(
        platform="POST /accounts/merge",
        action="delete",
        destroys=True,
        errors=(
            "HIERARCHY_CYCLE",
            "HIERARCHY_TOO_DEEP",
            "ACCOUNT_EXISTS",
            "DUPLICATE_VALUE",
            "RECORD_MERGED",
            "REFERENCE_NOT_FOUND",
        ),
        texts={
            "values": "What the survivor is to have, whatever the accounts have.",
            "duplicate_ids": "Ids of the accounts that are merged into it.",
        },
    )
    def merge(self, survivor_id: str, duplicate_ids: MergeIds, *, values: AccountUpdate | None = None) -> AccountMerge:
        """Merge 1 to 10 duplicates into a surviving account; afterwards the duplicates' ids return the survivor.

        Members that `values` gives are set. Every other member keeps the survivor's value, or takes the first value
        that a duplicate has, in the order of `duplicate_ids`. Contacts, deals, activities, leads and child accounts of
        the duplicates become the survivor's. If one part fails, nothing is changed.

        Raises: ValidationError for unknown ids, or a survivor that is among the duplicates; ConflictError when the
        merge would make a cycle; PermissionDeniedError when the caller may not delete one of the duplicates.
        """
