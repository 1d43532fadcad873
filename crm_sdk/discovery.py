"""Find out which dialects a server speaks, from the answers to calls. No I/O.

A call is sent in the richest dialect that documents it and that the server is not known to lack. If the answer shows
that the server has no such route, nothing was changed there, and the call is sent again in the next dialect. All calls
of a noun use the dialect in which one of them was answered, so that its records always have the same members.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .dialects import DIALECTS, RICHEST_FIRST, DialectName
from .errors import ApiError, InvalidResponseError, UnsupportedOperationError
from .exchange import Discard, Reply, Steps, exchange, settle
from .resource import operation_of
from .secrecy import Given

if TYPE_CHECKING:
    from .client import Client
    from .operation import Operation
    from .route import Plan

_NO_ROUTE = "ROUTE_NOT_FOUND"
PAGES = frozenset({"text/html", "application/xhtml+xml"})
"""The types of web pages, which are what servers of another kind answer."""


class Finding:
    """The dialects that a server was found to speak and to lack. A client and all its views share one finding.

    Threads may write to it concurrently: each fact is one operation on a set. A dialect that the server has answered in
    counts as spoken, even if it was noted as lacking before or after.
    """

    def __init__(self, speaks: Iterable[str] = (), lacks: Iterable[str] = ()) -> None:
        self._speaks: set[str] = set()
        self._lacks: set[str] = set()
        self._answered: set[tuple[str, str]] = set()
        """Pairs of dialect and noun: a call of the noun was answered in the dialect."""
        self._missing: set[tuple[str, str]] = set()
        """Pairs of dialect and noun: the server speaks the dialect, but does not have the noun in it."""
        self.recall(speaks, lacks)

    def recall(self, speaks: Iterable[str], lacks: Iterable[str]) -> None:
        """Add the finding of another client about the same server: its `spoken` and `lacking`."""
        self._speaks.update(name for name in speaks if name in RICHEST_FIRST)
        self._lacks.update(name for name in lacks if name in RICHEST_FIRST)

    @property
    def dialects(self) -> tuple[DialectName, ...]:
        """The dialects the server may speak, richest first: all but those it is known to lack."""
        if not self._lacks:
            return RICHEST_FIRST
        return tuple(name for name in RICHEST_FIRST if name not in self._lacks or name in self._speaks)

    @property
    def spoken(self) -> tuple[DialectName, ...]:
        """The dialects the server has answered in."""
        return tuple(name for name in RICHEST_FIRST if name in self._speaks)

    @property
    def lacking(self) -> tuple[DialectName, ...]:
        """The dialects the server is known to lack."""
        return tuple(name for name in RICHEST_FIRST if name in self._lacks and name not in self._speaks)

    def speaks(self, name: str) -> bool:
        """Return whether the server has answered in a dialect."""
        return name in self._speaks

    def candidates(self, noun: str, passed: Collection[str]) -> tuple[str, ...]:
        """Return the dialects in which a call of a noun may be sent, without those that it has `passed` already."""
        if not passed and not self._missing:
            return self.dialects
        return tuple(name for name in self.dialects if name not in passed and (name, noun) not in self._missing)

    def lacks_route(self, name: str, noun: str, error: ApiError, *, own: bool) -> bool:
        """Return whether an answer shows that the server has no such route in a dialect.

        `own` tells whether the body has the form of the dialect's errors: a 404 then means a missing record, and a 401
        or 403 concerns the caller, rather than the route.
        """
        if (name, noun) in self._answered:
            return False
        if error.status == 405 or (error.status == 404 and error.code == _NO_ROUTE):
            return True
        return not own and (error.status == 404 or (error.status in (401, 403) and name not in self._speaks))

    def note_answered(self, name: str, noun: str) -> None:
        """Note that a call of a noun was answered in a dialect."""
        if (name, noun) not in self._answered:
            self._answered.add((name, noun))
            self._speaks.add(name)

    def note_passed(self, names: Iterable[str], noun: str) -> None:
        """Note the dialects in which a call of a noun found no route before it was answered in another."""
        for name in names:
            if name in self._speaks:
                self._missing.add((name, noun))
            else:
                self._lacks.add(name)

    def note_unanswered(self, errors: Mapping[str, ApiError]) -> None:
        """Note the errors of a call that found its route in no dialect.

        The code ``ROUTE_NOT_FOUND`` shows that the server lacks a dialect. A bare 404 or 405 shows it only where the
        server has answered in another dialect: else the address may be wrong, or the servers behind a gateway may be
        restarting. A gateway's 401 or 403 shows nothing: another credential may help.
        """
        for name, error in errors.items():
            if error.code == _NO_ROUTE or (self._speaks and error.status in (404, 405)):
                self._lacks.add(name)

    def note_excluded(self, name: str, by: str, noun: str) -> None:
        """Note that the server answered in dialect `by` where `name` has the same method and path."""
        self._answered.discard((name, noun))
        self.note_passed([name], noun)
        self.note_answered(by, noun)

    def __getstate__(self) -> dict[str, Any]:
        return {name: facts.copy() for name, facts in self.__dict__.items()}  # other threads may be adding


def discover(
    operation: Operation[..., Any], client: Client[Any], finding: Finding, given: Given, timeout: float | None
) -> Steps[Any]:
    """Carry out a call in the first dialect in which the server has its route, and note what the answers show.

    Raises: UnsupportedOperationError when no dialect that the server may speak documents the call.
    """
    terms = client.terms(operation, timeout)
    noun = operation.noun
    deadline: float | None = None
    errors: dict[str, ApiError] = {}
    """What the server said in the dialects in which it has no such route."""
    strange: dict[str, InvalidResponseError] = {}
    """The answers in no form of the dialect in which they were asked for, of calls that only read."""
    while True:
        try:
            plan = operation.plan_quietly(given, finding.candidates(noun, errors.keys() | strange))
        except UnsupportedOperationError as unsupported:
            if strange:
                raise next(iter(strange.values())) from None
            if not errors:
                raise _with_lacking_dialects(unsupported, finding, noun, client.base_url) from None
            finding.note_unanswered(errors)
            raise _most_telling(errors, unsupported) from None
        name = plan.route.dialect.name
        twin = operation.twins.get(name)
        request = operation.request(plan, client)
        if deadline is None:
            deadline = terms.clock.monotonic() + terms.timeout
        if twin is not None and (yield from _ask(operation, client, finding, given, plan, twin, deadline)):
            continue
        reply: Reply = yield from exchange(request, terms, deadline)
        if operation.is_refused(reply):
            error = operation.error(client, plan, reply)
            error.idempotency_key = request.headers.get("Idempotency-Key")
            own = plan.route.dialect.wrote(reply.content)
            if finding.lacks_route(name, noun, error, own=own):
                errors[name] = error
                continue
            if own:
                finding.note_passed(errors.keys() | strange, noun)
                if twin is None:
                    finding.note_answered(name, noun)
            error.dialects = (*errors, name)
            raise error
        if twin is not None and operation.kind == "page" and DIALECTS[twin].is_list(reply.content, plan.route.path):
            finding.note_passed(errors, noun)
            finding.note_excluded(name, twin, noun)
            errors.clear()
            if not _is_same(operation, given, plan, twin):
                continue  # a list changes nothing: it is sent again in the dialect that the server speaks
            plan = operation.plan_quietly(given, (twin,))
        sure = finding.speaks(plan.route.dialect.name)
        doubt = None if sure else plan.route.dialect.name
        try:
            read = settle(request, reply, terms, deadline, partial(operation.outcome, client, plan))
            whole = terms.repeats_by_key(request) or not _is_page_of_html(reply)
            page = None if whole else operation.shown_content(client, plan, reply)
            result = yield from _result(operation.id, reply, read, doubt, page)
        except InvalidResponseError as error:
            error.idempotency_key = request.headers.get("Idempotency-Key")
            if sure or plan.route.method != "GET" or plan.route.dialect.may_be_answer(reply.content):
                raise
            strange[name] = error
            continue
        finding.note_passed(errors.keys() | strange, noun)
        if twin is None or operation.kind == "page":
            finding.note_answered(plan.route.dialect.name, noun)
        return result


def _result(id: str, reply: Reply, read: Steps[Any], doubt: str | None, page: bytes | None) -> Steps[Any]:
    """Return the value of a successful reply. `doubt` is the dialect that the server has not shown to speak, if any.

    A reply that is a `page` of HTML is not worth reading.
    """
    if doubt is None:
        return (yield from read)
    remark = f"this server has not shown that it speaks {doubt}; dialects= says what it does speak"
    if page is not None:
        if reply.body is not None:
            yield Discard(reply.body)
        raise InvalidResponseError(
            f"{id}: the answer ({reply.status}) is a page of HTML; {remark}",
            status=reply.status,
            body=page[:2000],
            request_id=reply.headers.get("x-request-id"),
        )
    try:
        return (yield from read)
    except InvalidResponseError as error:
        error.message += f"; {remark}"
        raise


def _is_page_of_html(reply: Reply) -> bool:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in PAGES or reply.content[:100].lstrip()[:1] == b"<"


def _is_same(operation: Operation[..., Any], given: Given, plan: Plan, twin: str) -> bool:
    """Return whether a call sends the same request in `twin`, the dialect with the same method and path."""
    try:
        other = operation.plan_quietly(given, (twin,))
    except UnsupportedOperationError:
        return False
    return (plan.query, plan.content) == (other.query, other.content)


def _ask(
    operation: Operation[..., Any],
    client: Client[Any],
    finding: Finding,
    given: Given,
    plan: Plan,
    twin: str,
    deadline: float,
) -> Steps[bool]:
    """Fetch a list to find out which of two dialects the server speaks, before a write that differs between them.

    Return whether this call has found it out.
    """
    name, noun = plan.route.dialect.name, operation.noun
    listing = operation_of(operation.owner.__dict__.get("list"))
    if (
        operation.kind == "page"
        or finding.speaks(name)
        or twin not in finding.candidates(noun, ())
        or listing is None
        or listing.twins.get(name) != twin
        or _is_same(operation, given, plan, twin)
    ):
        return False
    asked = listing.plan({}, (name,))
    reply = yield from exchange(listing.request(asked, client), client.terms(listing), deadline)
    if listing.is_refused(reply):
        return False
    if DIALECTS[name].is_list(reply.content, asked.route.path):
        finding.note_answered(name, noun)
    elif DIALECTS[twin].is_list(reply.content, asked.route.path):
        finding.note_excluded(name, twin, noun)
    else:
        return False
    return True


def _most_telling(errors: Mapping[str, ApiError], unsupported: UnsupportedOperationError) -> ApiError:
    """Return the error of a call for which the server has no route, with why other dialects were not tried."""
    refused = [error for error in errors.values() if error.status in (401, 403)]
    error = refused[0] if refused else list(errors.values())[-1]
    error.dialects = tuple(errors)
    for name, arguments in unsupported.lacking.items():
        error.message += f"; {name} does not document {', '.join(arguments)}"
    return error


def _with_lacking_dialects(
    error: UnsupportedOperationError, finding: Finding, noun: str, base_url: str
) -> UnsupportedOperationError:
    """Return the error with the dialects that the server was found to lack."""
    lacking = [name for name in error.dialects if name not in finding.candidates(noun, ())]
    if not lacking:
        return error
    found = f"{error.message} ({base_url} has shown that it has no {noun} in {' and '.join(lacking)})"
    return UnsupportedOperationError(found, operation=error.operation, dialects=error.dialects, lacking=error.lacking)
