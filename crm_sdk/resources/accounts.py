"""Accounts: the companies contacts work for and deals are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.accounts import Account, AccountCreate, AccountSort, AccountStatus, AccountType, AccountUpdate
    from ..models.values import Rating


class Accounts(Resource[Mode]):
    """The companies contacts work for and deals are made with."""

    @operation(platform="POST /accounts", errors=("ACCOUNT_EXISTS",))
    def create(self, account: AccountCreate) -> Account:
        """Create an account.

        Its domain is that of `website` where none is given, its owner the caller, its territory the first whose rules
        match.

        Raises: ConflictError when an account has the same domain (`details` names it); ValidationError.
        """

    @operation(platform="GET /accounts/{account_id}")
    def get(self, account_id: str) -> Account:
        """Fetch one account. The id of an account that was merged into another gives that other one.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /accounts/{account_id}",
        errors=("ACCOUNT_EXISTS", "HIERARCHY_CYCLE", "HIERARCHY_TOO_DEEP", "RECORD_MERGED"),
    )
    def update(self, account_id: str, changes: AccountUpdate, *, version: int | None = None) -> Account:
        """Change an account: members that are left out stay, null clears, lists are replaced.

        A new name is also the company of its contacts and deals. With `version`, only if nobody has changed it since
        that version.

        Raises: NotFoundError; ConflictError when the version differs, another account has the domain, or it was merged
        into another; ValidationError.
        """

    @operation(
        platform="DELETE /accounts/{account_id}",
        errors=("ACCOUNT_HAS_CHILDREN", "ACCOUNT_HAS_OPEN_DEALS", "RECORD_MERGED"),
    )
    def delete(self, account_id: str, *, version: int | None = None) -> None:
        """Delete an account. Its contacts stay, without it; they keep the company's name.

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
        **common: Unpack[Listing],
    ) -> Page[Account]:
        """List accounts, newest first.

        `search` looks in name, domain, industry and tags; `tags` must all be there; ``parent_id="none"`` asks for
        accounts without a parent.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """
