"""``crm wait``: wait until a record is as it should be, whoever changes it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..failures import NOT_FOUND, NOT_IN_TIME, CommandError, MisuseError, complain, visible
from ..settings import Options, settle

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.operation import Operation

    from ..live.pulse import Pulse
    from ..views.conditions import Term

_DOTS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def wait(
    options: Options,
    noun: Annotated[str, typer.Argument(metavar="NOUN", help="What it is: deals, jobs, calendar events.")],
    words: Annotated[list[str], typer.Argument(metavar="ID", help="Its id, or a unique name.")],
    until: Annotated[
        list[str] | None,
        typer.Option(
            "--until",
            metavar="CONDITION",
            help="What should hold: stage=closed-won, value>5000, ownerId!=user_1, closedAt exists; exists or deleted "
            "for the record itself. Several must hold at once. Work of the server, such as a job, needs none.",
        ),
    ] = None,
) -> None:
    """Wait until a record is as it should be, and print it: `crm wait deals deal_7 --until stage=closed-won`.

    It looks when the server tells of a change; where a server has no live events, by and by. `--timeout 10m` is how
    long it waits, and without it there is no limit. The exit status is 8 when the time is over, and 5 where the record
    does not exist or is deleted meanwhile. A job that fails is an error, exit 1.

    Example: `crm wait jobs job_7 --timeout 10m`
    """
    from ..connection import open_client
    from ..live.pulse import CALL, Pulse
    from ..lookups import identified_record
    from ..terminal.columns import columns_of
    from ..terminal.output import Printer

    settings = settle(options)
    call, ids = _meant_call([noun, *words])
    goal = _goal(call, until or ())
    columns = columns_of(call)
    printer = Printer(settings.output, None, columns)
    end = time.monotonic() + settings.timeout if options.timeout is not None else None
    with open_client(replace(settings, timeout=CALL)) as client:
        arguments = identified_record(client, call, ids)
        about = str(list(arguments.values())[-1])
        with Pulse(client, about=about, until=end) as pulse:
            found = _Waiting(client, call, arguments, goal, pulse, settings.offline and end is None).find_one()
    if found is not None:
        printer.show(found)


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is waited for: that the record exists, or not, its work has ended, or all terms hold."""

    terms: Sequence[Term] = ()
    exists: bool = False
    deleted: bool = False

    def is_reached(self, record: Any) -> bool:
        """Return whether a record is as it should be; None stands for one that is not there."""
        from ..terminal.values import plain

        if record is None:
            return self.deleted
        if self.deleted:
            return False
        if self.terms:
            values = plain(record)
            return all(term.holds(values) for term in self.terms)
        return self.exists or bool(record.done)

    def state(self, record: Any) -> str:
        """Return what of the record is waited for, as it is now."""
        from ..terminal.values import cell, plain

        if record is None:
            return "it does not exist"
        if not self.terms:
            return "it exists" if self.deleted else f"status is {record.status}"
        values = plain(record)
        open_terms = [term for term in self.terms if not term.holds(values)]
        return ", ".join(f"{'.'.join(term.path)} is {cell(term.find_one(values)) or 'empty'}" for term in open_terms)

    def __str__(self) -> str:
        if self.deleted or self.exists:
            return "deleted" if self.deleted else "exists"
        return " and ".join(map(str, self.terms)) or "its end"


class _Waiting:
    """One wait, from the first look to the last."""

    def __init__(
        self,
        client: CrmClient,
        call: Operation[..., Any],
        arguments: dict[str, str],
        goal: _Goal,
        pulse: Pulse,
        once: bool,
    ) -> None:
        self._client = client
        self._call = call
        self._arguments = arguments
        self._id = list(arguments.values())[-1]
        self._goal = goal
        self._pulse = pulse
        self._once = once
        self._begun = time.monotonic()
        self._drawn = -1

    def find_one(self) -> Any:
        """Return the record as it should be; None where it was to be deleted."""
        from crm_sdk.errors import CrmError, NotFoundError

        from ..failures import RETRYABLE, in_short, status_of

        record, before = self._look(), None
        try:
            while not self._goal.is_reached(record):
                self._give_up(record)
                if record != before:
                    self._pulse.found_news()
                state, before = self._goal.state(record), record
                if self._once or not self._pulse.wait(partial(self._say, state)):
                    self._erase()
                    raise CommandError(
                        "NOT_IN_TIME", f"{self._id}: {self._goal} did not come in time: {state}", NOT_IN_TIME,
                        hint="nothing happens at the embedded server while this waits" if self._once else None,
                    )  # fmt: skip
                try:
                    record = self._look()
                except NotFoundError:
                    raise CommandError("DELETED", f"{self._id} was deleted before: {self._goal}", NOT_FOUND) from None
                except CrmError as error:
                    if status_of(error) != RETRYABLE:
                        raise
                    self._say(f"{in_short(error)}, tries again")
        finally:
            self._erase()
        if getattr(record, "done", False) and not self._goal.terms and not self._goal.exists:
            record.wait(timeout=0.0)  # raises what went wrong
        return record

    def _look(self) -> Any:
        from ..lookups import record_of

        or_none = self._goal.exists or self._goal.deleted
        return record_of(self._client, self._call, self._arguments, or_none=or_none)

    def _give_up(self, record: Any) -> None:
        """Raise where the work has ended, and what is waited for will not come any more."""
        if getattr(record, "done", False) and not self._goal.deleted:
            state = self._goal.state(record)
            raise CommandError("ENDED", f"{self._id} has ended, and {state}: {self._goal} will not come")

    def _say(self, state: str) -> bool:
        """Say on a terminal how it stands, in one line that is drawn over."""
        passed = int(time.monotonic() - self._begun)
        if sys.stderr.isatty() and passed != self._drawn:
            self._drawn = passed
            dot = _DOTS[passed % len(_DOTS)]
            link = "live" if self._pulse.live else "looks by and by"
            line = f"{dot} {self._id}: waiting for {self._goal}; {state}  {passed} s  {link}"
            sys.stderr.write(f"\r\x1b[K{visible(line)[: _columns() - 1]}")
            sys.stderr.flush()
        return False

    def _erase(self) -> None:
        if self._drawn >= 0 and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = -1


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _meant_call(words: Sequence[str]) -> tuple[Operation[..., Any], list[str]]:
    """Return the call that fetches a record of the noun, which can be several words, and the ids after it."""
    from crm_sdk.catalogue import Catalogue

    from ..tree.near import question_for
    from ..tree.nouns import declared_call
    from ..tree.parameters import kebab

    path: list[str] = []
    rest = [*words[0].replace("-", "_").split("."), *words[1:]]
    owner: Any = Catalogue
    while rest and isinstance(inner := getattr(owner, rest[0].replace("-", "_"), None), type):
        path.append(rest.pop(0).replace("-", "_"))
        owner = inner
    if not path:
        raise MisuseError(
            f"there is no noun {words[0]!r}{question_for(words[0], map(kebab, Catalogue.__annotations__))}"
        )
    call = declared_call(".".join([*path, "get"]))
    if call is None or not call.positional:
        raise MisuseError(f"{' '.join(path)} cannot be waited for: there is no `crm {' '.join(path)} get ID`")
    if len(rest) != len(call.positional):
        needed = " ".join(name.upper() for name in call.positional)
        raise MisuseError(f"crm wait {' '.join(path)} needs {needed}")
    return call, rest


def _goal(call: Operation[..., Any], typed: Sequence[str]) -> _Goal:
    from ..views.conditions import condition

    if not typed:
        if getattr(call.arguments.returns, "done", None) is None:
            raise MisuseError("--until is missing: what should hold, such as --until status=active, or deleted")
        return _Goal()
    texts = [text.strip() for text in typed]
    for word in ("exists", "deleted"):
        if word in texts:
            if len(texts) > 1:
                raise MisuseError(f"--until {word} is about the record itself, and stands alone")
            return _Goal(exists=word == "exists", deleted=word == "deleted")
    return _Goal([_known_term(call, term) for text in texts for term in condition(text).terms])


def _known_term(call: Operation[..., Any], term: Term) -> Term:
    """Return a term about a member that there is. Raises: MisuseError for another.

    A part of a documented value is understood where only one ends in it: ``stage=won`` is ``closed-won`` as well.
    """
    from crm_sdk.reading import choices_of
    from crm_sdk.wire import camel, snake

    from ..terminal.columns import columns_of
    from ..tree.near import question_for, slip_of

    columns = columns_of(call)
    name = term.path[0]
    if columns is not None and camel(name) not in columns.every and name not in columns.every:
        noun = call.id.rpartition(".")[0].replace(".", " ").replace("_", "-")
        raise MisuseError(f"--until: {noun} have no member {name!r}{question_for(name, columns.every)}")
    fields = getattr(call.arguments.returns, "model_fields", {})
    field = fields.get(snake(name)) if len(term.path) == 1 else None
    choices = choices_of(field.annotation) if field is not None else ()
    ends = [choice for choice in choices if choice.endswith(f"-{term.value}")]
    meant = slip_of(term.value, choices) if term.sign in ("=", "!=") and term.value and not ends else None
    if meant is not None:
        raise MisuseError(f"--until {name}: there is no {term.value!r}; did you mean {meant!r}?")
    if term.sign in ("=", "!=") and term.value and term.value not in choices and len(ends) == 1:
        complain(f"note: {term} is read as {name}{term.sign}{ends[0]} as well")
        return replace(term, also=(ends[0],))
    return term
