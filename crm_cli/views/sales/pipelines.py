"""``crm pipelines show``: the stages of a pipeline and the rules that act in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...lookups import id_of
from ...settings import Options, settle
from ...terminal.values import plain
from .. import drawing
from ..drawing import amount, bar, count_of, line, percent, title_of

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import AutomationRule, Pipeline

_BAR = 16
_COLOURS = {"won": "green", "lost": "red"}


def show(
    options: Options,
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of a pipeline, or its name; the default one without it.")
    ] = None,
) -> None:
    """Show the stages of a pipeline in order, with the deals in each and what they are worth, and its rules."""
    settings = settle(options)
    with open_client(settings) as client:
        if id is None:
            every = client.pipelines.list()
            id = next((one.id for one in every if one.is_default), every.items[0].id)
        else:
            id = id_of(client, "pipelines", id)
        found = client.pipelines.get(id)
        rules = list(client.pipelines.automation.list(found.id))
    whole = {**plain(found), "automation": rules}
    drawing.show(settings.output, whole, found.stages, lambda screen: _draw(screen, found, rules))


def _draw(screen: Console, pipeline: Pipeline, rules: Sequence[AutomationRule]) -> None:
    facts = [
        "default" if pipeline.is_default else None,
        None if pipeline.active else "inactive",
        None if pipeline.allow_backward else "no way back",
        None if pipeline.allow_skip else "no stage is skipped",
        "closed deals stay closed" if pipeline.lock_closed else None,
        "a loss needs a reason" if pipeline.require_lost_reason else None,
    ]
    screen.print(line((pipeline.name, "bold"), (", ".join(fact for fact in facts if fact), "dim"), between="  "))
    most = max((stage.deal_count or 0 for stage in pipeline.stages), default=0)
    width = max((len(stage.name) for stage in pipeline.stages), default=0)
    for stage in pipeline.stages:
        count, worth = stage.deal_count or 0, amount(stage.total_value)
        needed = f"needs {', '.join(stage.required_fields)}" if stage.required_fields else None
        screen.print(
            line(
                f"  {stage.name:{width}}  {percent(stage.probability):>5}  {count:>5}  {worth:>14}  ",
                (f"{bar(count / most if most else 0, _BAR):{_BAR}}", _COLOURS.get(str(stage.kind), "blue")),
                (f"  {needed}" if needed else "", "dim"),
            ),
            overflow="ellipsis",
            no_wrap=True,
        )
    whole = f"{amount(pipeline.total_value)} {pipeline.currency or ''}"
    screen.print(line(count_of(pipeline.deal_count or 0, "deal"), whole, count_of(len(rules), "rule"), between="  "))
    for rule in rules:
        actions = ", ".join(title_of(str(action.type)).lower() for action in rule.actions)
        event = title_of(str(rule.trigger.event))
        off = None if rule.enabled else ("off", "yellow")
        screen.print(line("  ", (rule.name, "bold"), "  ", (event, "dim"), f" → {actions}  ", off))
