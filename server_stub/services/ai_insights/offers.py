"""What to offer to an account: what similar accounts have bought, or have bought more of.

An offering is a tag of won deals. Accounts are similar in their industry; where fewer than two of these have bought an
offering, in their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median

from ...data.document import Document
from ...serving import Context
from .. import company
from ..deals.scope import cents
from .occasions import Occasion

ENOUGH = 2
"""So many similar accounts must have bought an offering."""
_SIZES = (1_000, 100, 10)
"""The least numbers of employees of the greater sizes."""
_LIKELY, _PERHAPS = 60, 30
"""The least confidences of the priorities high and medium."""
_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Market:
    """What the accounts of a company have bought."""

    accounts: Mapping[str, Document]
    groups: Mapping[str, Sequence[str]]
    """The ids of the accounts of each industry and size."""
    sold: Mapping[str, Mapping[str, Decimal]]
    """By offering, what each account that bought it paid."""
    names: Mapping[str, str]
    """How offerings are spelled."""

    def buyers(self, account: Document, offering: str) -> tuple[str, Sequence[str], list[str]] | None:
        """Return what makes accounts similar to one, those that are, and those of them that bought an offering."""
        for group in _groups_of(account):
            others = [id for id in self.groups[group] if id != account["id"]]
            bought = [id for id in others if id in self.sold[offering]]
            if len(bought) >= ENOUGH:
                return group, others, bought
        return None


def _groups_of(account: Document) -> Iterator[str]:
    if account["industry"]:
        yield f"of the industry {account['industry'].strip().casefold()}"
    if account["employees"] is not None:
        least = next((least for least in _SIZES if account["employees"] >= least), 0)
        yield f"with {least:,} employees or more" if least else f"with fewer than {_SIZES[-1]} employees"


def market(call: Context) -> Market:
    """Return what all accounts have bought."""
    accounts = {doc["id"]: doc for doc in call.collection("account") if doc["status"] != "churned"}
    groups: dict[str, list[str]] = {}
    for id, account in accounts.items():
        for group in _groups_of(account):
            groups.setdefault(group, []).append(id)
    worth, names = company.worth_in(call.tenant), dict[str, str]()
    sold: dict[str, dict[str, Decimal]] = {}
    for deal in call.collection("deal").find("status", "won"):
        for tag in deal["tags"] if deal["account_id"] in accounts else ():
            offering = tag.casefold()
            names.setdefault(offering, tag)
            paid = sold.setdefault(offering, {})
            paid[deal["account_id"]] = paid.get(deal["account_id"], Decimal()) + worth(deal)
    return Market(accounts, groups, sold, names)


def cross_sell(call: Context, account_id: str | None) -> Iterator[Occasion]:
    """Yield what similar accounts have bought and an account has not; the confidence is their share."""
    known = market(call)
    for account in _accounts_of(known, account_id):
        for offering, paid in known.sold.items():
            found = known.buyers(account, offering) if account["id"] not in paid else None
            if found is not None:
                group, others, bought = found
                yield _occasion(
                    "cross_sell",
                    account,
                    known.names[offering],
                    round(100 * len(bought) / len(others)),
                    median(paid[id] for id in bought),
                    f"{len(bought)} of {len(others)} accounts {group} have bought it",
                )


def upsell(call: Context, account_id: str | None) -> Iterator[Occasion]:
    """Yield what an account has bought less of than the median of similar ones; the gap is what is expected."""
    known = market(call)
    for account in _accounts_of(known, account_id):
        for offering, paid in known.sold.items():
            found = known.buyers(account, offering) if account["id"] in paid else None
            if found is None:
                continue
            group, _, bought = found
            own, middle = paid[account["id"]], median(paid[id] for id in bought)
            if own < middle:
                above = sum(paid[id] > own for id in bought)
                yield _occasion(
                    "upsell",
                    account,
                    known.names[offering],
                    round(100 * above / len(bought)),
                    middle - own,
                    f"{above} of {len(bought)} accounts {group} that have bought it paid more",
                )


def _accounts_of(known: Market, account_id: str | None) -> list[Document]:
    if account_id is None:
        return list(known.accounts.values())
    return [known.accounts[account_id]] if account_id in known.accounts else []


def _occasion(kind: str, account: Document, product: str, confidence: int, expected: Decimal, why: str) -> Occasion:
    more = "more of " if kind == "upsell" else ""
    return Occasion(
        name=kind,
        kind=kind,
        entity_type="account",
        entity=account,
        owner_id=account["owner_id"],
        action="offer",
        title=f"Offer {account['name']} {more}{product}",
        description=f"{why}.",
        confidence=confidence,
        priority="high" if confidence >= _LIKELY else "medium" if confidence >= _PERHAPS else "low",
        why=why,
        value=product,
        due=_WITHIN,
        expected=cents(expected),
        product=product,
    )
