"""Puts accounts of one industry under the largest of them: groups of companies that belong together."""

from __future__ import annotations

from .records import Records

_LEAST, _MOST = 3, 3
"""So many accounts of an industry make a group, and at most so many are below its head."""


def groups(records: Records) -> None:
    """Give the accounts of each industry with enough of them a head, and the smallest of a group one in between."""
    accounts = records.collection("account")
    industries: set[str] = {account["industry"] for account in accounts.all() if account["industry"]}
    for industry in sorted(industries):
        same = sorted(accounts.find("industry", industry), key=lambda one: (-one["employees"], one["id"]))
        if len(same) < _LEAST:
            continue
        head, *below = same[: _MOST + 1]
        for number, account in enumerate(below):
            above = below[0] if number == len(below) - 1 and number else head
            accounts.put(account | {"parent_id": above["id"]})
