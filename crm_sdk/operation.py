"""The declaration of a call: it turns arguments into a request, and a reply into a value. No I/O.

A declaration names its route in each dialect (see `route`). An argument is sent in one of these places: a placeholder
of the path; a positional `TypedDict` as the JSON body; a number ``version`` as the header ``If-Match``; any other as a
query parameter of GET and DELETE, and as a member of the JSON body of the other methods.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .declaration import Declaration
from .dialects import DIALECTS
from .discovery import discover
from .errors import ApiError, InvalidInputError, InvalidResponseError, UnsupportedOperationError
from .exchange import Reply, Request, Steps, exchange, settle
from .methods import async_function
from .paging import DEFAULT_LIMIT
from .route import Plan, Route, query, segment
from .secrecy import Given, Hidden, redacted_content, secrets_of, without_frames
from .wire import encode_json

if TYPE_CHECKING:
    from .client import Client
    from .models.record import Mismatch
    from .reading import Reader

P = ParamSpec("P")
T = TypeVar("T")

_NOTHING: Mapping[str, str] = {}
_SUCCESS = b'"success":true'
"""How the envelope of an answer begins that is no refusal, whatever its status."""


class Operation(Declaration[P, T]):
    """A declared call: the attribute `operation` of a resource's function."""

    @cached_property
    def _readers(self) -> dict[tuple[str, type], Reader[Any]]:
        return {}

    @cached_property
    def async_function(self) -> Callable[..., Any]:
        """The function of the resource class for the async client."""
        return async_function(self)

    @cached_property
    def goes_on(self) -> bool:
        """Whether the answer is a part of a longer one, see `Continued`."""
        return hasattr(self.arguments.returns, "following")

    # -- from arguments to a request -----------------------------------------------------------------------------

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the given arguments by name, without optional ones that are None."""
        parameters = self.signature.parameters
        names = self.positional
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) or kwargs.keys() - parameters.keys() or given.keys() & kwargs.keys():
            self._refuse(args, kwargs)
        given.update(kwargs)
        for name, parameter in parameters.items():
            if name not in given:
                if parameter.default is inspect.Parameter.empty:
                    self._refuse(args, kwargs)
            elif given[name] is None and parameter.default is None:
                del given[name]
        return given

    def _refuse(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise the TypeError that Python raises for a call with wrong arguments."""
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.id}(): {error}") from None

    def choose(self, given: Mapping[str, Any], dialects: tuple[str, ...]) -> Route:
        """Return the route of the first dialect that documents this call with every argument given."""
        lacking: dict[str, list[str]] = {}
        for name in dialects:
            route = self.routes.get(name)
            if route is not None:
                unknown = [arg for arg in given if not route.has(arg) and not self._is_default(arg, given[arg])]
                lacking[name] = unknown + self.arguments.undocumented_members(given, route)
                if not lacking[name]:
                    return route
        raise self._unsupported_error(given, dialects, lacking)

    def _is_default(self, name: str, value: object) -> bool:
        """Return whether an argument has its default value: such an argument need not be documented."""
        parameter = self.signature.parameters.get(name)
        return parameter is not None and value is parameter.default

    def _unsupported_error(
        self, given: Mapping[str, Any], dialects: tuple[str, ...], lacking: Mapping[str, list[str]]
    ) -> UnsupportedOperationError:
        able = [
            name
            for name, route in self.routes.items()
            if not any(not route.has(arg) for arg in given) and not self.arguments.undocumented_members(given, route)
        ]
        have = "has" if len(able) == 1 else "have"
        way_out = f"; {' and '.join(able)} {have} it: dialects={able[0]!r}" if able else ""
        if not dialects:
            what = "no dialect is left for it"
        elif lacking:
            what = "; ".join(f"{name} does not document {', '.join(args)}" for name, args in lacking.items())
        else:
            what = f"{', '.join(dialects)} does not document it"
        return UnsupportedOperationError(
            f"{self.id}: {what}{way_out}", operation=self.id, dialects=able, lacking=lacking
        )

    def plan(self, given: dict[str, Any], dialects: tuple[str, ...]) -> Plan:
        """Choose the route of a call and validate its arguments.

        Raises: InvalidInputError; UnsupportedOperationError.
        """
        given = self.arguments.written_back(given)
        route = self.choose(given, dialects)
        path = route.path
        for name in route.placeholders:
            path = path.replace(f"{{{name}}}", segment(name, given[name]), 1)
        rest = {name: value for name, value in given.items() if name not in route.placeholders and route.has(name)}
        for name in route.always:
            rest.setdefault(name, self.signature.parameters[name].default)
        if not rest and self.kind != "page":
            # A keyword action without arguments still sends an object, so that a server finds the JSON it expects.
            empty = b"{}" if route.method in ("POST", "PUT", "PATCH") else None
            return Plan(route, given, path, "", _NOTHING, empty, None)
        rest, files = self.arguments.validate(rest)
        headers: dict[str, str] = {}
        if "version" in rest and self.arguments.locks:
            headers["If-Match"] = f'"{rest.pop("version")}"'
        for name, header in self.flags.headers.items():
            if name in rest:
                headers[header] = str(rest.pop(name))
        if self.kind == "page":
            rest = self._with_page_arguments(rest, route)
        if self._in_query(route, rest):
            return Plan(route, given | rest, path, query(route, self.arguments.in_query(rest)), headers, None, None)
        beside = self._beside(rest)
        members = self.arguments.dump({name: value for name, value in rest.items() if name not in beside}, route)
        try:
            content = encode_json(members)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"{self.id}: {error}") from error
        if files is not None:
            options = {"options": (None, content, "application/json")} if members else {}
            return Plan(route, given, path, "", headers, None, files | options)
        return Plan(route, given | rest, path, query(route, beside), headers, content, None)

    def _beside(self, rest: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keywords beside a body that is a record: they travel in the query (002, 0.2)."""
        has_body, by_position = self.arguments.body in rest, self.positional
        return {name: value for name, value in rest.items() if name not in by_position} if has_body else _NOTHING

    def _in_query(self, route: Route, rest: Mapping[str, Any]) -> bool:
        if route.method == "DELETE":
            return not any(name in rest for name in self.positional)
        return route.method == "GET"

    def _with_page_arguments(self, rest: dict[str, Any], route: Route) -> dict[str, Any]:
        body = self.arguments.body
        dialect = route.dialect
        if body is not None and body in rest:  # a search has `limit` and `page` in its body
            return rest | {body: dialect.page_arguments(rest[body])}
        if not dialect.tells_more and "limit" in self.signature.parameters and route.has("limit"):
            rest = {"limit": rest.get("limit", DEFAULT_LIMIT), **rest}  # only a full page may have a next one
        return dialect.page_arguments(rest)

    def plan_quietly(self, given: Given, dialects: tuple[str, ...]) -> Plan:
        """Return the plan of a call; its errors show no frame that has the arguments."""
        try:
            return self.plan(given.value, dialects)
        except (InvalidInputError, UnsupportedOperationError) as error:
            raise without_frames(error)  # noqa: B904 # it is the same one

    def request(self, plan: Plan, client: Client[Any]) -> Request:
        """Return the request of a plan, without the bearer token, which each attempt adds."""
        route = plan.route
        url = route.dialect.url(client.base_url, plan.path)
        headers = {
            "Accept": "*/*" if self.kind == "download" else "application/json",
            "User-Agent": client.user_agent,
            **client.headers,
            **route.dialect.headers(client.tenant_id),
            **plan.headers,
        }
        if plan.content is not None:
            headers["Content-Type"] = "application/json"
        if client.language is not None:
            headers["Accept-Language"] = client.language
        if client.reason is not None and route.method != "GET":
            headers["X-Audit-Reason"] = client.reason
        if route.method == "POST":
            headers["Idempotency-Key"] = client.new_key()
        if plan.files is not None:  # a boundary of our own: each attempt sends the same bytes
            headers["Content-Type"] = f"multipart/form-data; boundary={uuid.uuid4().hex}"
        return Request(
            route.method,
            f"{url}?{plan.query}" if plan.query else url,
            headers,
            plan.content,
            plan.files,
            self.kind == "download",
        )

    # -- from a reply to a value ---------------------------------------------------------------------------------

    def steps(self, client: Client[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps[Any]:
        """Return the steps of one call; the generator returns its result."""
        return self._steps(client, Hidden((args, kwargs)))

    def _steps(self, client: Client[Any], given: Hidden[tuple[tuple[Any, ...], dict[str, Any]]]) -> Steps[Any]:
        try:
            bound = Given(self.bind(*given.value))
        except TypeError as error:
            raise without_frames(error) from None
        return (yield from self.call(client, bound.value))

    def call(self, client: Client[Any], given: dict[str, Any], timeout: float | None = None) -> Steps[Any]:
        """Carry out a call whose arguments are bound, in the client's dialects."""
        upload = self.arguments.upload
        if upload is not None and upload in given:
            return self._call_with_upload(client, Given(given), upload, timeout)
        return self._call(client, given, timeout)

    def _call_with_upload(self, client: Client[Any], given: Given, upload: str, timeout: float | None) -> Steps[Any]:
        """Carry out a call that sends a file, which is open as long as the call lasts."""
        from .network.uploads import opened_upload

        with opened_upload(given.value[upload]) as content:
            return (yield from self._call(client, {**given.value, upload: content}, timeout))

    def _call(self, client: Client[Any], given: dict[str, Any], timeout: float | None) -> Steps[Any]:
        if client.finding is None:
            return self.call_in(client, given, client.dialects, timeout)
        return discover(self, client, client.finding, Given(given), timeout)

    def call_in(
        self, client: Client[Any], given: dict[str, Any], dialects: tuple[str, ...], timeout: float | None = None
    ) -> Steps[Any]:
        """Carry out a call in the first of the dialects that documents it, without trying another one."""
        return self._call_in(client, Given(given), dialects, timeout)

    def _call_in(
        self, client: Client[Any], given: Given, dialects: tuple[str, ...], timeout: float | None
    ) -> Steps[Any]:
        plan = self.plan_quietly(given, dialects)
        request, terms = self.request(plan, client), client.terms(self, timeout)
        deadline = terms.clock.monotonic() + terms.timeout
        reply = yield from exchange(request, terms, deadline)
        return (yield from settle(request, reply, terms, deadline, partial(self.outcome, client, plan)))

    def outcome(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the value of a reply. Raises: ApiError for a refusal, InvalidResponseError for what cannot be read."""
        if self.is_refused(reply):
            raise self.error(client, plan, reply)
        try:
            return self.value(client, plan, reply)
        except InvalidResponseError as error:
            raise without_frames(error) from None  # frames that have the answer

    def error(self, client: Client[Any], plan: Plan, reply: Reply) -> ApiError:
        """Return the error that a reply means."""
        content = redacted_content(reply.content, self._secrets(client, plan.given))
        return plan.route.dialect.error(reply.status, reply.headers, content, self.id)

    def shown_content(self, client: Client[Any], plan: Plan, reply: Reply) -> bytes:
        """Return the content of a reply as an error may show it: without credentials, and nothing of a sign-in."""
        return (
            b""
            if self.flags.session is not None
            else redacted_content(reply.content, self._secrets(client, plan.given))
        )

    def _secrets(self, client: Client[Any], given: Mapping[str, Any]) -> Iterable[str | None]:
        """Return what no error of this call may repeat, though the server does."""
        return [*client.secrets, *secrets_of(given, whole=self.flags.session is not None)]

    def is_refused(self, reply: Reply) -> bool:
        """Return whether a reply has an error status, or another one that is not documented for success."""
        if reply.status in self.flags.statuses and _SUCCESS in reply.content[:80].replace(b" ", b""):
            return False
        return reply.status >= 300 and (reply.status != self.status or DIALECTS["platform"].wrote(reply.content))

    def value(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the result of a successful call; the client uses the tokens of a sign-in from then on."""
        result = self.result(client, plan, reply)
        if self.flags.session is not None:
            client.session(self.flags.session, result)
        return result

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the documented value of a successful reply."""
        if self.arguments.returns is None:
            return None
        value: Any = self.read(client, plan, reply)[0]
        if hasattr(value, "following"):  # the answer goes on: a private attribute of its model fetches the rest
            value._fetch = self._fetcher(client, plan.given)
        is_run = getattr(value, "poll_url", None) is not None
        return client.own(value) if is_run else value

    def _fetcher(self, client: Client[Any], given: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
        """Return what fetches the next part of an answer: a function, as a copy of the answer keeps the client."""

        def fetch(rest: Mapping[str, Any]) -> Any:
            return client._run(self.call(client, _next_arguments(given, rest)))  # pyright: ignore[reportPrivateUsage] # the client's own machinery

        return fetch

    def read(self, client: Client[Any], plan: Plan, reply: Reply) -> tuple[Any, Any]:
        """Read the content of a reply, noting what deviates from its document."""
        from .reading import Reader, Unreadable, check, check_usable, report

        dialect, path, listed = plan.route.dialect, plan.route.path, self.kind == "page"
        reader = self._readers.get((dialect.name, client.mode))
        if reader is None:
            whole = dialect.envelope(self.arguments.content(client.mode), listed=listed, path=path)
            reader = self._readers[dialect.name, client.mode] = Reader(whole)
        try:
            in_part = "view" in plan.given  # of a record there is only what the layout shows
            answer, mismatches = reader.read(reply.content, strict=client.strict and not in_part)
            opened = dialect.open(answer, listed=listed, path=path, given=plan.given)
            check(self.arguments.content(client.mode), opened[0], mismatches)
            check_usable(opened[0], mismatches)
        except (Unreadable, KeyError, TypeError) as error:
            reason = f"it has no member {error}" if isinstance(error, KeyError) else str(error)
            # Raised without its cause, which would show the answer. Of a sign-in, the body is not kept either.
            body = self.shown_content(client, plan, reply)
            noted: Sequence[Mismatch] = getattr(error, "mismatches", ())
            raise InvalidResponseError(
                f"{self.id}: the answer ({reply.status}) does not match its document: {reason}",
                status=reply.status,
                mismatches=noted if body == reply.content else [replace(each, value=None) for each in noted],
                body=body[:2000],
                request_id=reply.headers.get("x-request-id"),
            ) from None
        if in_part:
            mismatches = tuple(each for each in mismatches if each.kind != "missing")
        if mismatches:
            report(self.id, mismatches, client.habits.reported)
        return opened

    def __repr__(self) -> str:
        return f"<operation {self.id}{self.signature}>"


def _next_arguments(given: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the call for the next part of an answer; where to begin was for the first."""
    return {name: value for name, value in given.items() if name != "start"} | dict(rest)
