"""The groups of nouns in ``crm --help``: by what the documents call their services, and ours at the end."""

from __future__ import annotations

from collections.abc import Mapping

CORE, ADVANCED, PLATFORM, SYSTEM, OURS = "Core", "Advanced", "Platform", "System", "Ours"
AROUND = "Around them"

GROUPS: Mapping[str, tuple[str, ...]] = {
    CORE: (
        "dashboard",
        "leads",
        "contacts",
        "accounts",
        "deals",
        "pipelines",
        "activities",
        "calendar",
        "conversations",
        "messages",
    ),
    ADVANCED: (
        "search",
        "analytics",
        "reports",
        "dashboards",
        "workflows",
        "custom-objects",
        "ai",
        "ai-insights",
        "agents",
        "achievements",
    ),
    PLATFORM: (
        "communication",
        "collaboration",
        "social",
        "files",
        "integrations",
        "marketplace",
        "webhooks",
        "events",
        "channels",
    ),
    SYSTEM: ("auth", "users", "tenants", "notifications", "audit"),
    OURS: (
        "objects",
        "changes",
        "jobs",
        "imports",
        "exports",
        "chatops",
        "presence",
        "privacy",
        "security",
        "configuration",
        "customization",
        "monitoring",
        "backups",
    ),
}
"""The nouns of each group, those that people use most first. `OURS` are those that no document has a route for."""

ABOUT: Mapping[str, str] = {
    CORE: "The people, the companies and the deals, and what is done and said.",
    ADVANCED: "Finding, counting, forecasting, and what runs by itself.",
    PLATFORM: "Ways in and out: messages, files, other systems, events.",
    SYSTEM: "The company, its users, and what they have done.",
    OURS: "What the CRM's documents ask for and have no route for.",
    AROUND: "Commands that are not calls of the API.",
}

_GROUP_OF = {noun: group for group, nouns in GROUPS.items() for noun in nouns}


def group_of(noun: str) -> str:
    """Return the group of a noun."""
    return _GROUP_OF.get(noun, OURS)


def in_order(nouns: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the group, the name and the summary of each noun, in the order of the groups."""
    ranks = {noun: rank for rank, noun in enumerate(_GROUP_OF)}
    ordered = sorted(nouns, key=lambda noun: (list(GROUPS).index(group_of(noun)), ranks.get(noun, len(ranks)), noun))
    return [(group_of(noun), noun, nouns[noun]) for noun in ordered]
