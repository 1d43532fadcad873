"""The steps of one request: route, authenticate, limit, validate, serve, render."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sdk.models.record import record_types
from crm_sdk.operation import Operation
from crm_sdk.resource import Sync
from crm_sdk.vocabulary.codes import VIEWED, codes_of
from crm_sdk.wire import camel, encode_json, is_object

from ..answers import Answer, FileAnswer, LiveAnswer, TextAnswer
from ..caller import Caller
from ..faults.requests import USUAL_CODES, Fault
from ..history import audit
from ..languages.catalogue import said_in
from ..languages.negotiation import language_for, with_language
from ..problems import LOG, FieldError, Problem, UndeclaredAnswerError, invalid
from ..serving import Context, paging_of
from . import reads, repeats
from .access import features, hiding, oauth, permissions
from .access.admission import authenticated_caller, count_call, require_factor
from .access.sign_in_page import sign_in_page
from .answering import chunks, links
from .answering.description import description, is_described
from .answering.faces import FACES, Face
from .answering.locating import location_of
from .answering.members import fields_of, picking, take_fields
from .answering.pictures import picture
from .answering.rendering import renderer
from .answering.writing import Written, write_body, writer
from .http import Reply, Request, disposition
from .reading import pages
from .reading.bodies import read_body, read_form, read_query, read_reason
from .reading.days import with_midnights
from .reading.intake import arguments_of
from .reading.lagging import searched_data
from .reading.preconditions import is_known, known_version
from .reading.views import take_view
from .router import Match, longer_path

if TYPE_CHECKING:
    from ..core import StubServer

_NOBODY = Caller("", "anonymous", None, "anonymous", auth="none")


class Visit:
    """One request and its steps: route, authenticate, limit, validate, serve, render."""

    def __init__(self, server: StubServer, request: Request, now: datetime, request_id: str) -> None:
        self.server = server
        self.request = request
        self.now = now
        self.request_id = request_id
        self.face: Face = FACES["mvp"]
        self.caller = _NOBODY
        self.operation: Operation[..., Any] | None = None
        self.headers: dict[str, str] = {"X-Request-ID": request_id}
        self._once: tuple[str, ...] = ()

    def reply(self) -> Reply:
        """Return the reply, whether success or error."""
        fault: Fault | None = None
        try:
            kind = self.server.live.serves(self.request)
            found = self._page() if kind is None else None
            match = self._route() if kind is None and found is None else None
            self.operation = match.endpoint.operation if match is not None else None
            fault = self.server.faults.take(
                self.operation.id if self.operation is not None else kind, self.request.method, self.request.path
            )
            if fault is not None and fault.kind == "refuse":
                return Reply(503, {}, fault=fault)
            if fault is not None and fault.kind == "delay":
                self.server.clock.advance(fault.seconds)
            provoked = fault is not None and fault.kind == "status"
            if provoked:
                self._name_caller()
            if fault is not None and provoked:
                reply = self._fault_reply(fault)
            elif found is not None:
                reply = replace(found, headers={**self.headers, **found.headers})
            else:
                reply = self._serve(match) if match is not None else self.server.live.open(self)
        except Problem as problem:
            reply = self._refusal(problem)
        except UndeclaredAnswerError:
            raise
        except Exception as error:  # a mistake in a rule: what it has written is undone, and the next request is served
            reply = self._failure(error)
        key = repeats.key_of(self.request)
        own = {"Idempotency-Key": key} if key is not None else {}
        language = reply.headers.get("Content-Language") or self._language()
        reply = replace(reply, headers={**with_language(reply.headers, language), **own})
        return replace(reply, fault=fault) if fault is not None else reply

    def _failure(self, error: Exception) -> Reply:
        """Log a mistake of the stub with the call and the id of the request, and return the 500 that tells of it."""
        what = self.operation.id if self.operation is not None else self.request.path
        LOG.exception("%s failed (%s)", what, self.request_id)
        message = f"the stub has made a mistake ({type(error).__name__}); its log has the traceback"
        return self.problem(Problem("INTERNAL_ERROR", message))

    def _language(self) -> str:
        """Return the language of the answer, by what is known of the caller so far."""
        return language_for(self.server, self.caller, self.request.headers.get("accept-language", ""))

    def count(self, reply: Reply) -> None:
        """Count the call for its company's figures of use."""
        caller, operation = self.caller, self.operation
        if caller.tenant_id and operation is not None:
            who, bulk, limited = caller.user_id or caller.actor_id, operation.flags.rate == "bulk", reply.status == 429
            self.server.meter.record(
                self.server.store, caller.tenant_id, self.now, who, operation.id, bulk=bulk, limited=limited
            )

    def not_saved(self, error: Exception) -> Reply:
        """Return the reply of a request whose writes could not be saved, and were undone."""
        what = self.operation.id if self.operation is not None else f"{self.request.method} {self.request.path}"
        LOG.error("%s was not saved (%s): %s", what, self.request_id, error)
        return self.problem(Problem("INTERNAL_ERROR", f"nothing was written: the state file cannot be ({error})"))

    def _page(self) -> Reply | None:
        """Return the answer to a request that is none of a declared call's: a description, a picture, a link."""
        return (
            description(self.request)
            or picture(self.server, self.request)
            or sign_in_page(self.request, lambda asked: Visit(self.server, asked, self.now, self.request_id).reply())
            or links.opened_link(self.server, self.request, self.now, self.request_id)
        )

    def _route(self) -> Match:
        """Return the route; the mount, the path or, for colliding paths, ``X-CRM-Dialect`` decides the dialect."""
        method, path = self.request.method, self.request.path
        head, _, rest = path.lstrip("/").partition("/")
        asked = self.request.headers.get("x-crm-dialect", "")
        if head in FACES:
            self.face, path, order = FACES[head], f"/{rest}", [head]
        elif head == "v1":
            self.face, order = FACES["platform"], ["platform"]
        else:
            order = ["flow", "mvp"] if asked == "flow" else ["mvp", "flow"]
            self.face = FACES[order[0]]
        if self.face.name == "platform":
            self.headers["Vary"] = "Accept"  # the same address has an envelope, and a document of JSON:API
        for dialect in order:
            match = self.server.routers[dialect].find(method, path)
            if match is not None:
                self.face = FACES[dialect]
                return match
        methods = {m for d in order for m in self.server.routers[d].methods(path)}
        if method != "GET" and (self.server.live.has(self.request.path) or is_described(self.request.path)):
            methods.add("GET")
        if methods:
            allowed = ", ".join(sorted(methods))
            message = f"no document has {method} {path}; it has {allowed}"
            raise Problem("METHOD_NOT_ALLOWED", message, headers={"Allow": allowed})
        if (known := longer_path(self.server.routers, asked := self.request.path)) is not None:
            raise Problem("ROUTE_NOT_FOUND", f"no document has {asked}; did you mean {known}?")
        raise Problem("ROUTE_NOT_FOUND", f"no document has {path}; see the documents for the routes there are")

    def _serve(self, match: Match) -> Reply:
        operation = match.endpoint.operation
        headers = self.request.headers
        if headers.get("x-api-version", "v1") != "v1":
            raise Problem("UNSUPPORTED_VERSION", f"X-API-Version {headers['x-api-version']!r} is not v1")
        if operation.flags.oauth or operation.flags.session is not None:
            self.headers["Cache-Control"] = "no-store"
        if operation.flags.auth and not self._has_ticket(operation):
            self.caller = self._caller(operation, headers.get("authorization", ""))
        self.headers |= count_call(self.server, self.face.name, self.caller, operation, self.now)
        self._examine(match)
        rule = self.server.rules.get(operation)
        if rule is None:
            raise Problem("NOT_IMPLEMENTED", f"the stub has no rule for {operation.id} yet")
        require_factor(self.server, self.caller, operation)
        permissions.permit(self.caller, operation, self.request.method)
        features.require(self.server, self.caller, operation, self.face.name)
        if (first := repeats.first_answer(self.server, self.caller, self.request, self.now)) is not None:
            return replace(first, headers={**first.headers, **self.headers})
        call = Context(
            self.server,
            self.caller,
            self.now,
            dialect=self.face.name,
            operation=operation.id,
            request_id=self.request_id,
            source={
                "dialect": self.face.name,
                "method": self.request.method,
                "path": self.request.path,
                "status": operation.status,
                "ip_address": self.request.peer,
                "user_agent": headers.get("user-agent"),
            },
            reason=read_reason(headers),
            headers=headers,
        )
        try:
            reply = self._act(call, match, rule)
        except Problem as problem:
            reply = self._refusal(problem)
        repeats.remember(self.server, self.caller, self.request, reply, self._once, self.now)
        return reply

    def _act(self, call: Context, match: Match, rule: Callable[..., Any]) -> Reply:
        operation, route = match.endpoint.operation, match.endpoint.route
        known = known_version(self.request.headers) if operation.arguments.locks else {}
        kind, parts = self.request.headers.get("content-type", ""), self.request.form
        members, files, texts = read_form(parts) if parts is not None else (self._members(match), {}, {})
        query = with_midnights(call, operation, route, self._query())
        form = kind.startswith("application/x-www-form-urlencoded")
        if operation.flags.oauth:
            members, query = oauth.known_members(operation, route, members, query, form=form)
        takes = any(route.has(name) for name in operation.arguments.types if name != "version")
        if takes and self.request.method in ("PUT", "PATCH") and not self.request.body:
            raise Problem("BAD_REQUEST", "the body is missing: send a JSON object with what is to change")
        typed = not form and (self.request.method != "DELETE" or bool(members))  # a query and a form have texts
        if self.request.method == "DELETE" and members:
            query, members = {}, {**members, **query}
        elif self.request.method == "DELETE" and any(
            name in operation.positional for name in operation.arguments.types
        ):
            members, query = {name: value.split(",") if name == "ids" else value for name, value in query.items()}, {}
        fields = take_fields(operation, route, query)
        view = take_view(call, operation, route, match.identifiers, query)
        values, call.ignored = arguments_of(operation, route, query, members, files, texts, typed=typed)
        values |= known
        if operation.kind == "stream" and "last-event-id" in self.request.headers:
            values["last_event_id"] = self.request.headers["last-event-id"]
        values |= {
            name: self.request.headers[header.lower()]
            for name, header in operation.flags.headers.items()
            if header.lower() in self.request.headers
        }
        paging = paging_of(operation)
        window = {name: values.pop(name, None) for name in paging}
        arguments = {
            name: values.get(name, match.identifiers.get(name, None if p.default is p.empty else p.default))
            for name, p in operation.signature.parameters.items()
            if name not in paging and (name != "view" or operation.id not in VIEWED)
        }
        missing = [
            name
            for name, p in operation.signature.parameters.items()
            if (p.default is p.empty or name in route.always) and name not in {**values, **match.identifiers}
        ]
        if missing:
            raise invalid(missing[0], "required", "field required")
        hiding.refuse_named(self.caller, operation, {**arguments, "fields": fields}, self.server.nouns)
        with searched_data(self.server, self.request, operation, arguments):
            with self.server.store.transaction():
                result = rule(call, **arguments)
                if view is not None:
                    result, fields = view.select(call, result), fields or view.fields
                if isinstance(result, Answer) and result.status is not None:
                    audit.set_status(call, result.status)
            with hiding.hidden_from(self.caller, self.server.nouns):
                return self._render(call, match, result, window, arguments, fields)

    def _has_ticket(self, operation: Operation[..., Any]) -> bool:
        """Tell whether a request without a credential has what stands for one."""
        ticket = operation.flags.ticket
        return (
            ticket is not None
            and "authorization" not in self.request.headers
            and camel(ticket) in read_query(self.request.query)
        )

    # -- what the request says; another form of it has its own ------------------------------------------------------

    def _examine(self, match: Match) -> None:
        """Refuse a request whose headers cannot be used, before its rule is looked for."""
        repeats.check_key(self.request)

    def _members(self, match: Match) -> dict[str, Any]:
        """Return the members of the body."""
        kind = self.request.headers.get("content-type", "")
        return read_body(kind, self.request.body, match.endpoint.route)

    def _query(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return read_query(self.request.query)

    # -- who asks, and how often -------------------------------------------------------------------------------

    def _caller(self, operation: Operation[..., Any], authorization: str) -> Caller:
        """Return the caller; nobody where the call does without, and its credential does not work."""
        try:
            return self.authenticate(authorization)
        except Problem as problem:
            if operation.flags.auth is True or problem.status != 401:
                raise
            return _NOBODY

    def _name_caller(self) -> None:
        """Find out whose request a fault meets: it counts among the company's failures."""
        try:
            self.caller = self.authenticate(self.request.headers.get("authorization", ""))
        except Problem:
            self.caller = _NOBODY

    def authenticate(self, authorization: str) -> Caller:
        """Return the caller for the value of an Authorization header."""
        return authenticated_caller(self.server, self.request, authorization, self.now)

    # -- the reply ---------------------------------------------------------------------------------------------

    def _render(
        self,
        call: Context,
        match: Match,
        result: Any,
        window: Mapping[str, Any],
        arguments: Mapping[str, Any],
        fields: Sequence[str] | None,
    ) -> Reply:
        operation, route = match.endpoint.operation, match.endpoint.route
        status, headers, meta = operation.status, dict(self.headers), dict[str, Any]()
        if isinstance(result, Answer):
            status, headers, meta = result.status or status, {**headers, **result.headers}, dict(result.meta)
            self._once, fields, result = result.once, fields or result.fields, result.value
        if self.server.checks_answers and status not in (operation.status, *operation.flags.statuses):
            raise UndeclaredAnswerError(operation.id, f"the status {status}", "statuses=")
        if isinstance(result, LiveAnswer):
            return self.server.live.stream(self, result.open)
        if isinstance(result, TextAnswer):
            headers |= {"Content-Type": result.content_type, **result.headers}
            return Reply(result.status or status, headers, result.body)
        if isinstance(result, FileAnswer):
            attached = disposition(result.name)
            headers |= {"Content-Type": result.content_type, "Content-Disposition": attached, **result.headers}
            if status == 304:
                return Reply(status, {name: value for name, value in headers.items() if name != "Content-Type"})
            return Reply(status, headers, chunks=chunks.begin(result.chunks, operation.id, self.request_id))
        fields = fields or fields_of(operation, arguments)
        pick = picking(operation, fields) if fields else None
        if operation.kind == "page":
            items: Sequence[Any] = result if isinstance(result, Sequence) else list(result)  # pyright: ignore[reportUnknownVariableType] # isinstance leaves the kind of items open
            asked = {**window, **pages.of_body(operation, arguments)}
            listing = pages.cut(self.server, self.caller, operation, route, items, asked)
            reads.note(call, operation, listing.items, arguments)
            shown = self._shape(operation.arguments.content(Sync), listing.items, pick)
            body = self.face.page(replace(listing, items=shown, meta=meta), call, route)
        elif operation.arguments.returns is None:
            identifiers = [*match.identifiers.values(), *([result] if isinstance(result, str) else ())]
            body = self.face.without_value(identifiers[-1] if identifiers else None, call)
        else:
            shown = self._shape(operation.arguments.returns, result, pick)
            body = self.face.value(shown, call, route)
            if operation.flags.oauth and self.face.name == "platform":
                body = body | oauth.members_of(operation.arguments.returns, result)
            if is_object(result) and record_types(operation.arguments.returns) and result.get("version"):
                headers["ETag"] = f'"{result["version"]}"'
            if self.request.method == "GET" and "ETag" in headers and is_known(headers["ETag"], self.request.headers):
                return Reply(304, headers)
            reads.note(call, operation, result, arguments)
            if status == 201 and is_object(result) and "id" in result:
                headers.setdefault("Location", location_of(operation, route, self.request.path, result))
        headers |= {"Content-Type": "application/json", "Content-Language": call.language}
        return Reply(status, headers, write_body(body))

    def _shape(self, kind: Any, value: Any, pick: Callable[[Any], Any] | None) -> Any:
        """Return a value for a body: its JSON, or the selected members."""
        if pick is None and hiding.active() is not None:
            return renderer(kind, self.face.name)(value)
        if pick is None:
            return Written(writer(kind, self.face.name)(value))
        return pick(renderer(kind, self.face.name)(value))

    def _refusal(self, problem: Problem) -> Reply:
        """Return the reply for a problem; with `checks_answers`, its code must be declared."""
        if self.server.checks_answers and self.operation is not None and problem.code != "NOT_IMPLEMENTED":
            route = self.operation.routes[self.face.name]
            if problem.code not in codes_of(self.operation, route):
                raise UndeclaredAnswerError(f"{self.operation.id} ({self.face.name})", problem.code, "errors=")
        return self.problem(problem)

    def problem(self, problem: Problem) -> Reply:
        """Return the reply for a problem."""
        problem, language = said_in(self._language(), problem)
        status, body = self.face.problem(problem, self.request_id, self.now)
        if self.operation is not None and self.operation.flags.oauth and self.face.name == "platform":
            body = body | oauth.error_of(problem)
        headers = with_language({**self.headers, **problem.headers, "Content-Type": "application/json"}, language)
        return Reply(status, headers, encode_json(body))

    def _fault_reply(self, fault: Fault) -> Reply:
        code = fault.code or USUAL_CODES.get(fault.status, "INTERNAL_ERROR")
        message = fault.message or f"the test asked for a {fault.status}"
        headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
        reply = self.problem(
            Problem("INTERNAL_ERROR", message, headers=headers, errors=[FieldError(None, None, message, code)])
        )
        return Reply(fault.status, reply.headers, reply.body.replace(b'"INTERNAL_ERROR"', f'"{code}"'.encode()))
