"""Territories: find that of a lead or an account by their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..data.document import Document
from ..data.queries.filter_groups import FieldType, compile_filter, compile_filters
from ..data.queries.query import member
from ..serving import Context, Members

_RULE_FIELDS: Mapping[str, FieldType] = {
    "country": "text",
    "state": "text",
    "postal_code": "text",
    "industry": "text",
    "employees": "number",
    "annual_revenue": "number",
    "type": "text",
}
_ADDRESSES = ("address", "billing_address")  # a lead's, an account's


def territory_of(call: Context, doc: Members) -> Document | None:
    """Return the territory whose rules match a lead or an account; of several, by priority, depth, then name.

    A territory without rules matches nothing: it is assigned by hand.
    """
    found = [
        territory
        for territory in call.collection("territory")
        if territory.get("active", True) and territory.get("rules") and _rules(call, territory)(Document(doc))
    ]
    return min(
        found, key=lambda one: (one.get("priority", 100), -_depth(call, one), one["name"].casefold()), default=None
    )


def _rules(call: Context, territory: Document) -> Callable[[Document], bool]:
    """Return a test for the rules of a territory, all of which must hold."""
    return compile_filters([{"filters": territory["rules"]}], _RULE_FIELDS, now=call.now, resolve=_place)


def check_rules(call: Context, rules: Sequence[Members]) -> None:
    """Raise 422 for rules with an unknown member or operator, or a value that cannot be compared with the member."""
    for number, rule in enumerate(rules):
        compile_filter(rule, _RULE_FIELDS, f"rules.{number}", now=call.now, resolve=_place)


def _place(doc: Document, field: str) -> object:
    if field not in ("country", "state", "postal_code"):
        return doc.get(field)
    return next((value for address in _ADDRESSES if (value := member(doc, f"{address}.{field}")) is not None), None)


def _depth(call: Context, territory: Document) -> int:
    seen = {territory["id"]}
    parent = territory.get("parent_id")
    while parent is not None and parent not in seen:
        seen.add(parent)
        above = call.collection("territory").get(parent)
        parent = above["parent_id"] if above is not None else None
    return len(seen)
