"""The rules of the catalogue: its categories, its search, and what it recommends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.marketplace import MarketplaceApps

from ...data.document import Document
from ...data.queries.query import fold, matches
from ...data.store import EVERY_COMPANY
from ...problems import Problem
from ...serving import Context, serves
from .apps import APPS, presented_app
from .installations import USE
from .words import CATEGORIES

_WEIGHTS = (("name", 8), ("tags", 4), ("tagline", 2), ("description", 1))
"""The searched members, and what a word in one of them counts."""
_RECENT = timedelta(days=30)


@serves(MarketplaceApps.categories)
def categories(call: Context) -> list[dict[str, Any]]:
    """Return the categories with the numbers of their published apps."""
    published = APPS.records(call).find("status", "published")
    return [
        {
            "key": key,
            "name": name,
            "description": description,
            "app_count": sum(app["category"] == key for app in published),
        }
        for key, (name, description) in CATEGORIES.items()
    ]


@serves(MarketplaceApps.search)
def search(
    call: Context, q: str, category: str | None, pricing: str | None, sort: str | None, order: str | None
) -> Sequence[Document]:
    """Return the apps in which every word occurs, the best match first."""
    if len(q.strip()) < 2:
        message = "search for at least two characters"
        raise Problem("QUERY_TOO_SHORT", message, field="q", rule="length", details={"minimum": 2})
    docs = APPS.select(call, {"category": category, "pricing": pricing, "search": q, "sort": sort, "order": order})
    return docs if sort is not None else sorted(docs, key=lambda app: _rank(app, q))


def _rank(app: Document, q: str) -> tuple[Any, ...]:
    """Return the place of an app in the answer: by where the words are, then by how many companies have it."""
    words, name = fold(q).split(), fold(app["name"])
    weight = sum(next((weight for member, weight in _WEIGHTS if matches(app, word, (member,))), 0) for word in words)
    whole = name == " ".join(words), name.startswith(" ".join(words))
    return *(not is_so for is_so in whole), -weight, -app["install_count"], name


@serves(MarketplaceApps.featured)
def featured(call: Context, category: str | None, limit: int) -> Sequence[Document]:
    """Return the recommended apps, then those with most installs × rating of the last 30 days."""
    docs = [app for app in APPS.records(call).find("status", "published") if category in (None, app["category"])]
    uses = call.server.store.collection(EVERY_COMPANY, USE)

    def place(app: Document) -> tuple[Any, ...]:
        recent = sum(use["installed_at"] > call.now - _RECENT for use in uses.find("app_id", app["id"]))
        return not app["featured"], -recent * app["rating"], fold(app["name"])

    best = sorted(docs, key=place)[:limit]
    return [presented_app(call, app) for app in best]
