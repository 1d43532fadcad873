"""The stub server: a request goes in, a reply comes out. Synchronous, without I/O; one lock, one state."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from crm_sdk.operation import Operation
from crm_sdk.wire import encode_json

from . import identity, services
from .clock import Clock
from .dialects import FACES, Face, Listing
from .durable import Durable
from .faults import USUAL_CODES, Fault, Faults
from .intake import arguments_of, read_body, read_query
from .jobs import Step, run_due
from .journal import Journal
from .problems import FieldError, Problem, invalid
from .ratelimit import Group, Quota, RateLimits, rate_class
from .rendering import renderer
from .router import Match, Router
from .serving import PAGING, Answer, Call, Caller, FileAnswer
from .store import Document, Store

if TYPE_CHECKING:
    from crm_sdk import AsyncCrmClient, CrmClient

    from .asgi import Port
    from .transports import AsyncStubTransport, StubTransport

T = TypeVar("T")

DEMO_START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
"""When a standing clock starts, so that the demo data is the same in every test."""

_DAY = timedelta(hours=24)
_NOBODY = Caller("", "anonymous", None, "anonymous", auth="none")
_MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it arrives. Header names are lower-case; `path` and `query` are not decoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. `fault` is what its transport has to do wrong; `chunks` is the body of a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    chunks: Iterable[bytes] | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state to go back to."""

    parts: Mapping[str, Any]


def _collected(mark: str) -> dict[Any, Any]:
    """Return the functions of all services that carry a mark, by what it says."""
    found: dict[Any, Any] = {}
    for module in pkgutil.iter_modules(services.__path__):
        for value in vars(importlib.import_module(f"{services.__name__}.{module.name}")).values():
            key = getattr(value, mark, None)
            if key is not None and value.__module__ == f"{services.__name__}.{module.name}":
                if key in found:
                    raise TypeError(f"{value.__module__}.{value.__name__}: {key} has two rules")
                found[key] = value
    return found


class StubServer:
    """A CRM server in memory, with demo data of two companies; every documented call can be made against it.

    `db` keeps the state in a SQLite file. `enforce_limits` makes it refuse calls beyond a rate limit: off by default
    here, where a test should not run into one unawares (the headers count all the same), on for a real port.
    `running` lets its clock run; by default it stands still, but for a millisecond per request and `clock.advance`.
    """

    def __init__(
        self,
        *,
        db: str | None = None,
        enforce_limits: bool = False,
        running: bool = False,
        start: datetime | None = None,
        demo: bool = True,
    ) -> None:
        self.lock = threading.RLock()
        self._durable = Durable(db) if db is not None else None
        self.store = Store()
        known = self._durable is not None and self._durable.load(self.store)
        meta = self._durable.meta if self._durable is not None and known else {}
        # A clock that runs shows the present; one that stands goes on where it stood. Demo data is laid out from its start.
        present = datetime.now(UTC).replace(microsecond=0)
        self.clock = Clock(start or (present if running else meta.get("start", DEMO_START)), running=running)
        self.clock.offset = timedelta(seconds=meta.get("offset", 0.0))
        self.tokens = identity.Tokens(self.clock)
        self.journal = Journal()
        self.faults = Faults()
        self.limits = RateLimits()
        self.enforce_limits = enforce_limits
        self._requests = meta.get("requests", 0)
        self._rules: Mapping[Operation[..., Any], Callable[..., Any]] = _collected("__operation__")
        self._steps: Mapping[str, Step] = _collected("__job_kind__")
        self._routers = {dialect: Router(dialect) for dialect in FACES}
        if not known and demo:
            from .seed import seed

            seed(self.store, self.clock)
        self._save()
        self._first = self.snapshot()

    # -- what users do with it ---------------------------------------------------------------------------------

    def client(self, **options: Any) -> CrmClient:
        """Return a client of this server, signed in with the demo key ``acme-admin``; options as of `CrmClient`.

        It takes the time from the stub's clock: where it would wait, the clock is moved instead.
        """
        from crm_sdk import CrmClient

        return CrmClient(**{**self._options(), "http_client": self.transport(), **options})

    def async_client(self, **options: Any) -> AsyncCrmClient:
        """Return an async client of this server, signed in with the demo key ``acme-admin``."""
        from crm_sdk import AsyncCrmClient

        return AsyncCrmClient(**{**self._options(), "http_client": self.async_transport(), **options})

    def _options(self) -> dict[str, Any]:
        return {"base_url": "http://stub.test", "api_key": "acme-admin", "clock": self.clock}

    def transport(self) -> StubTransport:
        """Return an httpx transport that answers from this server: ``httpx.Client(transport=stub.transport())``."""
        from .transports import StubTransport

        return StubTransport(self)

    def async_transport(self) -> AsyncStubTransport:
        """Return an async httpx transport that answers from this server."""
        from .transports import AsyncStubTransport

        return AsyncStubTransport(self)

    def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> Port:
        """Open a real port in a thread of its own: ``with stub.serve() as port: CrmClient(port.url)``. 0 takes a free one.

        The clock runs from now on. Needs the extra ``server``.
        """
        from .asgi import Port

        return Port(self, host, port)

    def intercept(self) -> Any:
        """Within ``with stub.intercept():`` every client that is made talks to this server, whatever its base URL is."""
        from .transports import intercepted

        return intercepted(self)

    def snapshot(self) -> Snapshot:
        """Return the whole state: data, time, limits, journal, faults."""
        with self.lock:
            return Snapshot({name: part.snapshot() for name, part in self._parts().items()} | {"requests": self._requests})

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state."""
        with self.lock:
            for name, part in self._parts().items():
                part.restore(snapshot.parts[name])
            self._requests = snapshot.parts["requests"]
            self._save()

    def reset(self) -> None:
        """Go back to the state it started in."""
        self.restore(self._first)

    def _parts(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "clock": self.clock,
            "limits": self.limits,
            "journal": self.journal,
            "faults": self.faults,
        }

    def audit(self, tenant: str = "tenant_acme") -> list[Document]:
        """Return a company's audit trail, oldest first."""
        return self.store.collection(tenant, "audit").all()

    def close(self) -> None:
        """Close the state file."""
        if self._durable is not None:
            self._durable.close()
            self._durable = None

    def __enter__(self) -> StubServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- what rules ask of it ----------------------------------------------------------------------------------

    def tenant(self, tenant_id: str) -> Document:
        """Return a company's record."""
        doc = self.store.collection(tenant_id, "tenant").get(tenant_id)
        if doc is None:
            raise Problem("UNAUTHORIZED", "the company of this credential does not exist any more")
        return doc

    def last_hash(self, tenant_id: str) -> str:
        """Return the hash of the newest entry of a company's audit trail."""
        newest = self.store.collection(tenant_id, "audit").last()
        return newest["hash"] if newest is not None else ""

    def has_rule(self, operation: Operation[..., Any]) -> bool:
        """Tell whether an operation is served; one that is not answers 501."""
        return operation in self._rules

    # -- one request -------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        with self.lock:
            began = time.perf_counter()
            self.clock.tick()
            self._requests += 1
            run_due(self, self._steps)
            visit = _Visit(self, request, self.clock.now(), f"req_{self._requests:08x}")
            reply = visit.reply()
            self._save()
            self.journal.record(
                visit.now,
                visit.face.name,
                request.method,
                request.path,
                request.query,
                visit.operation.id if visit.operation else None,
                visit.caller.tenant_id or None,
                reply.status,
                visit.request_id,
                request.headers.get("idempotency-key"),
                int((time.perf_counter() - began) * 1_000_000),
            )
            return reply

    def _save(self) -> None:
        if self._durable is not None:
            meta = {
                "counters": self.store.counters,
                "start": self.clock.start,
                "offset": self.clock.offset.total_seconds(),
                "requests": self._requests,
            }
            self._durable.save(self.store.changes(), meta)
        else:
            self.store.changes()


class _Visit:
    """One request on its way: route, authenticate, limit, validate, serve, render."""

    def __init__(self, server: StubServer, request: Request, now: datetime, request_id: str) -> None:
        self.server = server
        self.request = request
        self.now = now
        self.request_id = request_id
        self.face: Face = FACES["mvp"]
        self.caller = _NOBODY
        self.operation: Operation[..., Any] | None = None
        self.headers: dict[str, str] = {"X-Request-ID": request_id}
        self.acted = False
        """Whether the rule ran, so that the answer belongs to the idempotency key."""

    def reply(self) -> Reply:
        """Return the reply, a failure's as well."""
        fault: Fault | None = None
        try:
            match = self._route()
            self.operation = match.endpoint.operation
            fault = self.server.faults.take(self.operation.id, self.request.method, self.request.path)
            if fault is not None and fault.kind == "refuse":
                return Reply(503, {}, fault=fault)
            if fault is not None and fault.kind == "delay":
                self.server.clock.advance(fault.seconds)
            if fault is not None and fault.kind == "status":
                reply = self._provoked(fault)
            else:
                reply = self._serve(match)
        except Problem as problem:
            reply = self._problem(problem)
        key = self.request.headers.get("idempotency-key")
        if key is not None and self.request.method == "POST":
            reply = Reply(reply.status, {**reply.headers, "Idempotency-Key": key}, reply.body, reply.chunks)
        return Reply(reply.status, reply.headers, reply.body, reply.chunks, fault) if fault is not None else reply

    def _route(self) -> Match:
        """Return where the request goes; the dialect by mount, by path, or by ``X-CRM-Dialect`` where paths collide."""
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
        for dialect in order:
            match = self.server._routers[dialect].find(method, path)  # pyright: ignore[reportPrivateUsage] # one module, one machine
            if match is not None:
                self.face = FACES[dialect]
                return match
        methods = sorted({m for d in order for m in self.server._routers[d].methods(path)})  # pyright: ignore[reportPrivateUsage] # as above
        hint = f"it has {', '.join(methods)}" if methods else "see the documents for the routes there are"
        headers = {"Allow": ", ".join(methods)} if methods else {}
        raise Problem("ROUTE_NOT_FOUND", f"no document has {method} {path}; {hint}", headers=headers)

    def _serve(self, match: Match) -> Reply:
        operation, route = match.endpoint.operation, match.endpoint.route
        headers = self.request.headers
        if headers.get("x-api-version", "v1") != "v1":
            raise Problem("UNSUPPORTED_VERSION", f"X-API-Version {headers['x-api-version']!r} is not v1")
        if operation.flags.auth:
            self.caller = self._authenticate()
        self._limit(operation)
        rule = self.server._rules.get(operation)  # pyright: ignore[reportPrivateUsage] # one module, one machine
        if rule is None:
            raise Problem("NOT_IMPLEMENTED", f"the stub has no rule for {operation.id} yet")
        first = self._first_answer()
        if first is not None:
            return first
        self.acted = True
        call = Call(
            self.server,
            self.caller,
            self.now,
            dialect=self.face.name,
            operation=operation.id,
            request_id=self.request_id,
            source={"dialect": self.face.name, "method": self.request.method, "path": self.request.path},
        )
        try:
            reply = self._act(call, match, rule)
        except Problem as problem:
            reply = self._problem(problem)
        self._remember(reply)
        return reply

    def _act(self, call: Call, match: Match, rule: Callable[..., Any]) -> Reply:
        operation, route = match.endpoint.operation, match.endpoint.route
        members, files = read_body(self.request.headers.get("content-type", ""), self.request.body, route)
        query = read_query(self.request.query)
        if self.request.method == "DELETE" and members:
            query, members = {}, {**members, **query}
        elif self.request.method == "DELETE" and any(name in operation.positional for name in operation.arguments.types):
            members, query = {name: value.split(",") if name == "ids" else value for name, value in query.items()}, {}
        shown = members.get("updatedAt")
        values = arguments_of(operation, route, query, members, files)
        self._version(operation, values)
        window = {name: values.pop(name, None) for name in PAGING}
        arguments = {
            name: values.get(name, match.identifiers.get(name, None if p.default is p.empty else p.default))
            for name, p in operation.signature.parameters.items()
            if name not in PAGING
        }
        missing = [
            name
            for name, p in operation.signature.parameters.items()
            if p.default is p.empty and name not in values and name not in match.identifiers
        ]
        if missing:
            raise invalid(missing[0], "required", "field required")
        if isinstance(shown, str) and route.method == "PUT":
            self._unchanged(call, operation, match, shown)
        with self.server.store.transaction():
            result = rule(call, **arguments)
        return self._render(call, match, result, window, arguments)

    def _version(self, operation: Operation[..., Any], values: dict[str, Any]) -> None:
        lock = self.request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
        if lock and "version" in operation.signature.parameters and lock != "*":
            if not lock.isdigit():
                raise invalid("version", "type", f"If-Match must hold the record's version, not {lock!r}")
            values["version"] = int(lock)

    def _unchanged(self, call: Call, operation: Operation[..., Any], match: Match, shown: str) -> None:
        """Refuse a record that was fetched, changed and sent back when it has been written in between."""
        (identifier, *_), kind = match.identifiers.values(), operation.id.partition(".")[0].removesuffix("s")
        doc = call.collection(kind).get(identifier)
        try:
            seen = datetime.fromisoformat(shown)
        except ValueError:
            return
        if doc is not None and seen.tzinfo is not None and seen < doc["updated_at"].replace(microsecond=doc["updated_at"].microsecond // 1000 * 1000):
            raise Problem(
                "VERSION_CONFLICT",
                f"the record was changed at {doc['updated_at'].isoformat()}, after the copy you sent: fetch it again",
                details={"current_version": doc["version"]},
            )

    # -- who asks, and how often -------------------------------------------------------------------------------

    def _authenticate(self) -> Caller:
        scheme, _, credential = self.request.headers.get("authorization", "").partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise identity.unauthorized("send a token or an API key as 'Authorization: Bearer …'")
        caller = self._token(credential) if identity.is_token(credential) else self._key(credential)
        named = self.request.headers.get("x-tenant-id")
        if named and named not in (caller.tenant_id, self.server.tenant(caller.tenant_id)["slug"]):
            raise Problem("TENANT_MISMATCH", f"the credential is not one of the company {named!r}")
        return caller

    def _key(self, credential: str) -> Caller:
        key = identity.find_api_key(self.server.store, credential)
        if key is None:
            raise identity.unauthorized("the API key is not known")
        return Caller(key["tenant_id"], key["id"], key.get("user_id"), key["role"], key["name"], auth="api_key")

    def _token(self, credential: str) -> Caller:
        claims = self.server.tokens.verify(credential)
        session = self.server.store.collection(claims.tenant_id, "session").get(claims.session_id)
        user = self.server.store.collection(claims.tenant_id, "user").get(claims.user_id)
        if session is None or session.get("revoked_at") is not None or user is None:
            raise identity.unauthorized("the session of this token has ended; sign in again", error="invalid_token")
        if user.get("status") == "inactive":
            raise Problem("USER_INACTIVE", "this user has been deactivated")
        return Caller(
            claims.tenant_id, user["id"], user["id"], user["role"], user["name"], user["email"], "token", session["id"]
        )

    def _limit(self, operation: Operation[..., Any]) -> None:
        group: Group = "standard"
        if operation.flags.bulk:
            group = "bulk"
        elif operation.id.startswith("auth."):
            group = "auth"
        elif operation.id.startswith("ai."):
            group = "ai"
        caller = self.caller
        plan = self.server.tenant(caller.tenant_id)["plan"] if caller.tenant_id else "free"
        kind = rate_class(self.face.name, group, plan=plan, api_key=caller.auth == "api_key")  # type: ignore[arg-type] # a face's name is a dialect
        quota = self.server.limits.check((caller.actor_id, f"{self.face.name}:{kind.name}"), kind.limit, kind.window_seconds, self.now)
        self.headers |= _limit_headers(quota)
        if quota.retry_after is not None and self.server.enforce_limits:
            raise Problem(
                "RATE_LIMIT_EXCEEDED",
                f"more than {kind.limit} calls in {kind.window_seconds} s ({kind.name}); wait {quota.retry_after} s",
                headers={"Retry-After": str(quota.retry_after)},
                details={"limit": kind.limit, "retry_after": quota.retry_after},
            )

    # -- the same call again -----------------------------------------------------------------------------------

    def _first_answer(self) -> Reply | None:
        """Return the first answer to this idempotency key; None where this is the first time."""
        key = self.request.headers.get("idempotency-key")
        if key is None or self.request.method != "POST":
            return None
        doc = self._answers().get(self._answer_id(key))
        if doc is None or doc["at"] + _DAY <= self.now:
            return None
        if doc["fingerprint"] != self._fingerprint():
            raise Problem("IDEMPOTENCY_KEY_REUSED", f"the key {key!r} came with another request before")
        return Reply(doc["status"], {**doc["headers"], **self.headers, "Idempotency-Replayed": "true"}, doc["body"].encode())

    def _remember(self, reply: Reply) -> None:
        key = self.request.headers.get("idempotency-key")
        if key is None or self.request.method != "POST" or reply.status >= 500 or reply.chunks is not None:
            return
        self._answers().put(
            Document(
                id=self._answer_id(key),
                fingerprint=self._fingerprint(),
                status=reply.status,
                headers={name: value for name, value in reply.headers.items() if name in ("Content-Type", "Location")},
                body=reply.body.decode(),
                at=self.now,
            )
        )

    def _answers(self) -> Any:
        return self.server.store.collection(self.caller.tenant_id, "idempotency")

    def _answer_id(self, key: str) -> str:
        return f"{self.caller.actor_id}:{key}"

    def _fingerprint(self) -> str:
        request = self.request
        # A multipart body has another boundary each time: its length has to do.
        multipart = request.headers.get("content-type", "").startswith("multipart/")
        content = str(len(request.body)).encode() if multipart else request.body
        return hashlib.sha256(b"\0".join((request.path.encode(), request.query.encode(), content))).hexdigest()

    # -- the way out -------------------------------------------------------------------------------------------

    def _render(
        self, call: Call, match: Match, result: Any, window: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> Reply:
        operation, route = match.endpoint.operation, match.endpoint.route
        status, headers = operation.status, dict(self.headers)
        if isinstance(result, Answer):
            status, result, headers = result.status or status, result.value, {**headers, **result.headers}
        if isinstance(result, FileAnswer):
            disposition = f'attachment; filename="{result.name}"'
            headers |= {"Content-Type": result.content_type, "Content-Disposition": disposition, **result.headers}
            return Reply(status, headers, chunks=result.chunks)
        if operation.kind == "page":
            listing = self._cut(operation, route, list(result), window, arguments)
            render = renderer(operation.arguments.content(call.server.__class__), self.face.name)
            body = self.face.page(
                Listing(render(listing.items), listing.total, listing.limit, listing.offset), call, route
            )
        elif operation.arguments.returns is None:
            identifiers = list(match.identifiers.values())
            body = self.face.deleted(identifiers[-1] if identifiers else None, call)
        else:
            rendered = renderer(operation.arguments.returns, self.face.name)(result)
            body = self.face.value(rendered, call, route)
            if status == 201 and isinstance(result, Mapping) and "id" in result:
                headers["Location"] = f"{self.request.path.rstrip('/')}/{result['id']}"
        headers["Content-Type"] = "application/json"
        return Reply(status, headers, encode_json(body))

    def _cut(
        self, operation: Operation[..., Any], route: Any, items: list[Any], window: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> Listing:
        """Return the page that was asked for; a list that its dialect does not page is one page."""
        body = operation.arguments.body
        if body is not None and arguments.get(body):
            window = {**window, **{name: arguments[body].get(name) for name in PAGING if name in arguments[body]}}
        if not route.has("limit"):
            return Listing(items, len(items), None, 0)
        limit = window["limit"] if window["limit"] is not None else self.face.default_limit
        if limit is None:
            return Listing(items, len(items), None, 0)
        page = window["page"] if window["page"] is not None else 1
        offset = window["offset"] if window["offset"] is not None else (page - 1) * limit
        for name, value, least in (("limit", limit, 1), ("page", page, 1), ("offset", offset, 0)):
            if value < least:
                raise invalid(name, "min", f"must be at least {least}")
        if limit > _MAX_LIMIT:
            raise invalid("limit", "max", f"must be at most {_MAX_LIMIT}")
        return Listing(items[offset : offset + limit], len(items), limit, offset)

    def _problem(self, problem: Problem) -> Reply:
        status, body = self.face.problem(problem, self.request_id, self.now)
        headers = {**self.headers, **problem.headers, "Content-Type": "application/json"}
        return Reply(status, headers, encode_json(body))

    def _provoked(self, fault: Fault) -> Reply:
        code = fault.code or USUAL_CODES.get(fault.status, "INTERNAL_ERROR")
        message = fault.message or f"the test asked for a {fault.status}"
        headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
        reply = self._problem(Problem("INTERNAL_ERROR", message, headers=headers, errors=[FieldError(None, None, message, code)]))
        body = reply.body.replace(b'"INTERNAL_ERROR"', f'"{code}"'.encode())
        return Reply(fault.status, reply.headers, body)


def _limit_headers(quota: Quota) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset": str(quota.reset_at),
    }
