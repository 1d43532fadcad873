"""``crm accounts tree``: the accounts above and below one, with what each part of the tree is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...lookups import id_of
from ...settings import Options, settle
from ..drawing import amount, count_of, line, show, sums, sums_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import Account, AccountHierarchy, AccountNode

_PAGE = 200


def tree(
    options: Options,
    id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Of any account of the tree, or its name; all trees without it."),
    ] = None,
    depth: Annotated[int, typer.Option("--depth", min=1, max=10, help="So many levels below the account.")] = 10,
) -> None:
    """Show the tree of accounts that an account is in, or all trees, and what their open and won deals are worth.

    The account itself is marked with ●. The last line adds up the account and everything below it.
    """
    settings = settle(options)
    with open_client(settings) as client:
        if id is None:
            accounts = list(client.accounts.list(limit=_PAGE, sort="name", order="asc"))
            forest = list(_forest(accounts, depth))
            show(settings.output, {"roots": forest}, accounts, lambda screen: _draw_forest(screen, forest, accounts))
            return
        id = id_of(client, "accounts", id)
        found = client.accounts.hierarchy(id, max_depth=depth)
    show(settings.output, found, list(_every(found.root)), lambda screen: _draw(screen, found))


def _forest(accounts: Sequence[Account], depth: int) -> Iterator[AccountNode]:
    """Yield the trees of accounts: those of which somebody sees no account above."""
    from crm_sdk.models import AccountNode

    known = {account.id for account in accounts}
    below: dict[str | None, list[Account]] = {}
    for account in accounts:
        below.setdefault(account.parent_id if account.parent_id in known else None, []).append(account)

    def node(account: Account, level: int) -> AccountNode:
        children = [node(child, level + 1) for child in below.get(account.id, ())] if level < depth else []
        return AccountNode(
            id=account.id, name=account.name, type=account.type, owner_id=account.owner_id, level=level,
            open_deal_value=account.open_deal_value or Decimal(), won_value=account.won_value or Decimal(),
            children=children,
        )  # fmt: skip

    yield from (node(account, 0) for account in below.get(None, ()))


def _draw_forest(screen: Console, forest: Sequence[AccountNode], accounts: Sequence[Account]) -> None:
    for root in forest:
        for text in _lines(root, "", "", ""):
            screen.print(text, overflow="ellipsis", no_wrap=True)
    if not forest:
        screen.print(line(("no accounts: `crm accounts create --name …` makes one", "dim")))
        return
    screen.print()
    won = sums((account.won_value, account.currency) for account in accounts)
    opened = sums((account.open_deal_value, account.currency) for account in accounts)
    screen.print(
        line(count_of(len(accounts), "account"), f"{sums_text(opened)} open", f"{sums_text(won)} won", between="  ")
    )


def _every(node: AccountNode) -> Iterator[AccountNode]:
    yield node
    for child in node.children:
        yield from _every(child)


def _draw(screen: Console, found: AccountHierarchy) -> None:
    own = found.path[-1].id if found.path else found.root.id
    for text in _lines(found.root, own, "", ""):
        screen.print(text, overflow="ellipsis", no_wrap=True)
    rollup = found.rollup
    screen.print()
    screen.print(
        line(
            count_of(rollup.accounts, "account"),
            count_of(rollup.contacts, "contact"),
            f"{amount(rollup.open_value)} {rollup.currency} open in {count_of(rollup.open_deals, 'deal')}",
            f"{amount(rollup.won_value)} won",
            ("there are more than are shown", "yellow") if found.truncated else None,
            between="  ",
        )
    )


def _lines(node: AccountNode, own: str, first: str, rest: str) -> Iterator[Text]:
    """Yield the line of an account and those of everything below it; `first` and `rest` are what is before them."""
    values = ((node.open_deal_value, "open"), (node.won_value, "won"))
    worth = [f"{amount(value)} {word}" for value, word in values if value]
    mark = ("● ", "bold") if node.id == own else None
    yield line((first, "dim"), mark, node.name, "  ", (", ".join(worth), "green"), "  ", (node.id, "dim"))
    for number, child in enumerate(node.children, 1):
        is_last = number == len(node.children)
        yield from _lines(child, own, f"{rest}{'└─ ' if is_last else '├─ '}", f"{rest}{'   ' if is_last else '│  '}")
