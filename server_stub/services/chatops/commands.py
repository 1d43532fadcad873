"""The commands of a conversation, and which of them a caller may use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from crm_sdk.resources.chatops import Chatops
from crm_sdk.route import Action

from ...caller import Caller
from ...problems import Problem
from ...request.access import permissions
from ...serving import Context, serves
from . import replies
from .subjects import RECORDS

_ALL = tuple(one.word for one in RECORDS if one.entity != "user")


@dataclass(frozen=True, slots=True)
class Command:
    """A command."""

    name: str
    intent: str
    usage: str
    examples: Sequence[str]
    action: Action = "read"
    words: Sequence[str] = ()
    """Its permission is that for the action on one of these."""

    @property
    def writes(self) -> bool:
        """Whether it writes."""
        return self.action != "read"

    @property
    def permission(self) -> str | None:
        """The permission it needs; None where that depends on the records."""
        return f"{self.words[0]}:{self.action}" if len(self.words) == 1 else None

    def may(self, caller: Caller) -> bool:
        """Tell whether a caller may use it, for some of the records at least."""
        return not self.words or any(permissions.permits(caller, word, self.action) for word in self.words)


COMMANDS: Sequence[Command] = (
    Command("list", "list", "/list <entity> [words]",
            ["/list deal my over 10k closing this month", "/list lead hot unassigned"]),
    Command("show", "show", "/show <id or name>", ["/show deal_7", "/show Eva Roth"]),
    Command("count", "count", "/count <entity> [words]", ["/count lead new this week"]),
    Command("sum", "sum", "/sum <field> of <entity> [words]", ["/sum value of deal open in proposal"]),
    Command("create", "create", "/create <entity> field=value …",
            ['/create contact name="Eva Roth" email=eva@example.com'], "create", _ALL),
    Command("set", "update", "/set <id> field=value …", ["/set contact_7 title=Director", "/set it phone=+4930123456"],
            "update", _ALL),
    Command("move", "move", "/move <deal> <stage>", ["/move deal_3 proposal"], "update", ("deals",)),
    Command("done", "complete", "/done <task>", ["/done task_9"], "update", ("activities",)),
    Command("assign", "assign", "/assign <id> to <user>", ["/assign lead_4 to sam@acme.test", "/assign it to me"],
            "update", _ALL),
    Command("log", "log", "/log call|note on <record>: text", ["/log note on contact_7: likes tea"],
            "create", ("activities",)),
    Command("schedule", "schedule", "/schedule <minutes> with <contact> [when]",
            ["/schedule 30 with Eva Roth tomorrow 14:00"], "create", ("activities",)),
    Command("summarize", "summarize", "/summarize <record>", ["/summarize account_2"]),
    Command("help", "help", "/help", ["/help"]),
)  # fmt: skip


def command_named(name: str) -> Command | None:
    """Return the command of a name."""
    return next((command for command in COMMANDS if command.name == name), None)


def usable(call: Context) -> list[Command]:
    """Return the commands that a caller may use."""
    return [command for command in COMMANDS if command.may(call.caller)]


def check(call: Context, command: Command) -> None:
    """Raise 403 FORBIDDEN where a caller may not use a command on any record."""
    if not command.may(call.caller):
        message = f"the role {call.caller.role} may not use /{command.name}"
        raise Problem("FORBIDDEN", message, details={"command": command.name})


def nearest(call: Context, text: str) -> list[Command]:
    """Return the three commands that are nearest to a text."""
    first = text.casefold().split()[0].lstrip("/") if text.split() else ""

    def distance(command: Command) -> float:
        return -max(
            SequenceMatcher(None, first, command.name).ratio(),
            SequenceMatcher(None, text.casefold(), command.usage.casefold()).ratio(),
        )

    return sorted(usable(call), key=distance)[:3]


@serves(Chatops.commands)
def commands(call: Context) -> list[dict[str, Any]]:
    """Return the commands that the caller may use, in the answer's language."""
    return list(_shown_commands(call))


def _shown_commands(call: Context) -> Iterator[dict[str, Any]]:
    language = replies.language_of(call, None)
    for command in usable(call):
        yield {
            "name": f"/{command.name}",
            "usage": command.usage,
            "description": replies.description(language, command.name),
            "examples": list(command.examples),
            "writes": command.writes,
            "permission": command.permission,
        }
