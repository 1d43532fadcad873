"""The defaults of the options that commands written by hand have, and between which numbers they may be."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from typing import Any

from typer.models import ParameterInfo

import crm_cli

NUMBERS: dict[str, tuple[object, float | None, float | None]] = {
    "bulk.importing.import_file batch": (1000, 1, 1000),
    "bulk.importing.import_file jobs": (4, 1, 32),
    "commands.stub.serve port": (8410, None, None),
    "commands.sync.sync live": (None, 0.1, None),
    "discovery.searching.search limit": (15, None, None),
    "views.administration.changes.follow every": (2.0, 0.1, None),
    "views.channels.join count": (None, 1, None),
    "views.events.tail count": (None, 1, None),
    "views.reports.show limit": (50, 1, 200),
    "views.reports.show page": (1, 1, None),
    "views.sales.accounts.tree depth": (10, 1, 10),
    "views.sales.contacts.show limit": (10, None, None),
    "views.sales.deals.board limit": (6, None, None),
    "views.sales.deals.stale days": (14, 1, None),
    "views.search.search limit": (10, None, None),
    "views.webhooks.development.listen count": (None, 1, None),
    "views.webhooks.verify tolerance": (300, None, None),
    "views.workflows.runs limit": (10, None, None),
}
TEXTS = {
    "bulk.importing.import_file mode": "upsert",
    "bulk.importing.import_file on_match": "update",
    "commands.restore.restore mode": "drill",
    "commands.shells.script shell": "bash",
    "commands.stub.serve host": "127.0.0.1",
    "views.administration.configuration.set scope": "tenant",
    "views.administration.tenants.overview id": "current",
    "views.administration.users.access id": "me",
    "views.events.tail over": "ws",
    "views.files.tree folder": "/",
    "views.sales.analytics.overview compare_to": "previous_period",
    "views.webhooks.development.listen over": "ws",
}
ON = {"commands.stub.serve limits", "commands.stub.serve read_log"}
"""The switches that are on without being typed."""


def options() -> dict[str, tuple[Any, ParameterInfo]]:
    """Return the default of each option and argument of the functions of the command line, and how it is declared."""
    found: dict[str, tuple[Any, ParameterInfo]] = {}
    for each in pkgutil.walk_packages(crm_cli.__path__, "crm_cli."):
        if each.name.endswith("__main__"):
            continue
        module = importlib.import_module(each.name)
        for function in vars(module).values():
            if not inspect.isfunction(function) or function.__module__ != each.name:
                continue
            for parameter in inspect.signature(function).parameters.values():
                hint: Any = parameter.annotation
                if isinstance(hint, str):
                    if "typer." not in hint:
                        continue
                    hint = eval(hint, {**vars(typing), **vars(module)})  # noqa: S307 # it is in a source of ours
                for info in typing.get_args(hint):
                    if isinstance(info, ParameterInfo):
                        place = f"{each.name.removeprefix('crm_cli.')}.{function.__name__} {parameter.name}"
                        found[place] = (parameter.default, info)
    return found


def test_what_is_not_typed_has_its_default() -> None:
    found = options()
    assert len(found) > 100
    numbers = {
        place: (default, info.min, info.max)
        for place, (default, info) in found.items()
        if type(default) in (int, float) or info.min is not None or info.max is not None
    }
    assert numbers == NUMBERS
    assert {place: default for place, (default, _) in found.items() if isinstance(default, str)} == TEXTS
    assert {place for place, (default, _) in found.items() if default is True} == ON
