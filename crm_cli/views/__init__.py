"""Views: the hand-made commands of nouns, most of which draw the results of several calls for people.

A view is a function in the file of its noun, imported when the view is called. The view with the name of its noun is
called by the noun alone: ``crm dashboard``, ``crm search acme``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .. import bulk

if TYPE_CHECKING:
    from crm_sdk import CrmClient

VIEWS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("tree",),
    "analytics": ("overview",),
    "calendar": ("week",),
    "changes": ("follow",),
    "channels": ("join",),
    "configuration": ("set",),
    "dashboard": ("dashboard",),
    "dashboards": ("show",),
    "contacts": ("show",),
    "deals": ("board", "stale"),
    "events": ("tail",),
    "files": ("tree",),
    "jobs": ("wait",),
    "messages": ("thread",),
    "pipelines": ("show",),
    "reports": ("show",),
    "search": ("search",),
    "tenants": ("overview",),
    "users": ("access",),
    "webhooks": ("listen", "replay", "sign", "trigger", "verify"),
    "workflows": ("runs",),
}
"""The views of each noun."""
_GO_ON = frozenset(
    {("changes", "follow"), ("channels", "join"), ("configuration", "set"), ("events", "tail"), ("jobs", "wait")}
    | {("webhooks", name) for name in VIEWS["webhooks"]}
    | {("dashboards", "show")}
)
"""The views that go on by themselves, have a `--watch` of their own, or show nothing to look at again."""
DRAWN: Mapping[str, str] = {
    "activities.timeline": "timeline",
    "ai_insights.recommendations.cross_sell": "recommendations",
    "ai_insights.recommendations.next_actions": "recommendations",
    "backups.create": "draw_backups",
    "ai_insights.recommendations.upsell": "recommendations",
    "audit.reports.compliance": "controls",
    "audit.reports.data_access": "accesses",
    "collaboration.comments.list": "thread",
    "collaboration.feed.filter": "feed",
    "collaboration.feed.list": "feed",
    "collaboration.feed.user": "feed",
    "monitoring.health": "checks",
    "deals.forecast": "forecast",
    "imports.preview": "look",
    "reports.run": "ran",
}
"""The declared calls whose results are drawn for people to look at: by their ids, the function in the file of the noun.
"""
TABLED: Mapping[str, str] = {
    **{f"custom_objects.records.{call}": "rows" for call in ("list", "search", "get", "create", "update")},
    "files.shared": "rows",
}
"""The calls whose records have other columns in tables and CSV: by their ids, the function in the file of the noun."""
JUDGED: Mapping[str, str] = {"backups.create": "status_of", "monitoring.health": "status_of"}
"""The declared calls whose answer decides the exit status: by their ids, the function in the file of the noun."""
WORDS: Mapping[str, str] = {"changes.list": "position"}
"""The declared calls that print one word of some answers where no format is asked for: the function that gives it."""
_SALES = "accounts activities ai_insights analytics calendar contacts dashboard deals messages pipelines"
_ADMINISTRATION = "audit backups changes configuration imports jobs monitoring tenants users"
_FOLDERS: Mapping[str, str] = {
    **dict.fromkeys(_SALES.split(), "sales"),
    **dict.fromkeys(_ADMINISTRATION.split(), "administration"),
}
"""The folders of the nouns whose views are not beside this module."""
_BULK = "Many records at once"
_PANELS = {"webhooks": "For who develops a receiver"}


def views(noun: str) -> list[str]:
    """Return the names of a noun's views, without the one that the noun alone calls, and of its bulk commands."""
    return [*(name for name in VIEWS.get(noun, ()) if name != noun), *bulk.names_of(noun)]


def view(noun: str, name: str) -> Any:
    """Return the command of a view."""
    import typer
    from typer.main import get_command

    from ..help import Command
    from ..tree.global_options import by_hand

    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    if name in bulk.names_of(noun):
        function, panel = import_module(f"{bulk.__name__}.commands").command_of(noun, name), _BULK
    else:
        function = by_hand(getattr(module_of(noun), name), watches=(noun, name) not in _GO_ON)
        panel = _PANELS.get(noun, "Views")
    app.command(name, cls=Command, rich_help_panel=panel)(function)
    return get_command(app)


def module_of(noun: str) -> ModuleType:
    """Return the module with the views of a noun."""
    folder = f".{_FOLDERS[noun]}" if noun in _FOLDERS else ""
    return import_module(f"{folder}.{noun}", __name__)


def own_view(noun: str) -> Any:
    """Return the command of the noun's own view; None where the noun alone shows its help."""
    return view(noun, noun) if noun in VIEWS.get(noun, ()) else None


def drawer_of(call: str) -> Callable[[CrmClient, Sequence[Any]], None] | None:
    """Return what draws the records of a declared list, or the one of another call; None where they are a table."""
    found: Callable[[CrmClient, Sequence[Any]], None] | None = _of_noun(call, DRAWN)
    return found


def rows_of(call: str) -> Callable[[CrmClient, Iterable[Any]], Iterable[Any]] | None:
    """Return what makes the rows of a table from the records of a declared call; None where they are the records."""
    found: Callable[[CrmClient, Iterable[Any]], Iterable[Any]] | None = _of_noun(call, TABLED)
    return found


def judge_of(call: str) -> Callable[[Any], int | None] | None:
    """Return what tells the exit status from the answer of a declared call; None where any answer is a success."""
    found: Callable[[Any], int | None] | None = _of_noun(call, JUDGED)
    return found


def word_of(call: str) -> Callable[[Mapping[str, Any], Any], str | None] | None:
    """Return what gives the one word that is printed of the answer to some arguments; None where all of it is."""
    found: Callable[[Mapping[str, Any], Any], str | None] | None = _of_noun(call, WORDS)
    return found


def _of_noun(call: str, names: Mapping[str, str]) -> Any:
    """Return the function that is named for a call, from the file of its noun."""
    return getattr(module_of(call.partition(".")[0]), names[call]) if call in names else None
