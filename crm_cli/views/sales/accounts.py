"""``crm accounts tree``: the accounts above and below one, with what each part of the tree is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...settings import Options, settle
from ..drawing import amount, count_of, line, show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import AccountHierarchy, AccountNode


def tree(
    options: Options,
    id: Annotated[str, typer.Argument(metavar="ID", help="Of any account of the tree.")],
    depth: Annotated[int, typer.Option("--depth", min=1, max=10, help="So many levels below the account.")] = 10,
) -> None:
    """Show the tree of accounts that an account is in, by name, and what its open and won deals are worth.

    The account itself is marked with ●. The last line adds up the account and everything below it.
    """
    settings = settle(options)
    with open_client(settings) as client:
        found = client.accounts.hierarchy(id, max_depth=depth)
    show(settings.output, found, list(_every(found.root)), lambda screen: _draw(screen, found))


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
