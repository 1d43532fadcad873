"""All live connections of a server: opening them, waking them, and their faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ..caller import Caller
from ..faults.links import LiveFault, LiveFaultKind, LiveFaults
from ..faults.requests import Fault
from ..problems import Problem
from ..request.access import identity
from ..request.access.callers import has_timed_out, is_in_force, present
from ..request.access.hiding import hidden_from
from ..request.access.plans import limit_of
from ..request.http import Reply, Request
from .connection import Close, Connection, Ended
from .presence import Presence
from .sight import is_shown

if TYPE_CHECKING:
    from ..clock import Clock
    from ..core import StubServer
    from ..request.visit import Visit
    from .feeds import Event
    from .phoenix import Channel
    from .reading import FeedLog

_REFUSED = Fault("refuse")
_WAIT = 10
"""The value of ``Retry-After`` for a connection beyond this number."""
_WS, _CHANNELS, _STREAM = "live.ws", "live.channels", "live.stream"
_MOUNTS = ("/mvp", "/flow", "/platform", "/v1")
_PATHS = {"/ws": _WS, "/ws/websocket": _CHANNELS, "/api/events/stream": _STREAM}


def _within_mount(path: str) -> str:
    """Return a path without its mount."""
    mount = next((mount for mount in _MOUNTS if path.startswith(f"{mount}/")), "")
    return path[len(mount) :]


class Live:
    """``stub.live``: the live connections and their faults."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self.connections: list[Connection] = []
        """The open connections, oldest first."""
        self.opened = 0
        """The number of connections that were opened so far."""
        self.faults = LiveFaults()
        self.presence = Presence()
        self.rooms: dict[tuple[str, str], list[Channel]] = {}
        """The channels by company and topic, which receive broadcasts."""
        self.test_mode = False
        """Whether clients may name their user, join ``room:*`` topics and cause faults by pushes; off by default."""
        self.seen: dict[tuple[str, str], datetime] = {}
        """When each user of each company made the last call."""
        self._logs: dict[tuple[str, str], FeedLog] = {}
        """The feeds of each company, in each of its epochs, which their texts name."""
        self._epoch = 0

    # -- faults for tests --------------------------------------------------------------------------------------

    def add(
        self,
        kind: LiveFaultKind,
        *,
        event: str | None = None,
        times: int | None = 1,
        after: int = 0,
        rate: float = 1.0,
        seconds: float = 1.0,
        code: int = Close.RESTART,
    ) -> LiveFault:
        """Set up a fault for the next events, or with a `rate` for some of them at random."""
        return self.faults.add(LiveFault(kind, event, seconds, code, times, after, rate))

    def chaos(
        self, seed: int, rates: Mapping[LiveFaultKind, float], *, times: int | None = None, seconds: float = 0.5
    ) -> None:
        """Set up random faults, each kind with its rate and at most `times`; the same seed gives the same faults."""
        self.faults.seed(seed)
        for kind, rate in rates.items():
            self.add(kind, rate=rate, times=times, seconds=seconds)

    def abort(self, n: int | None = None) -> int:
        """Lose the n oldest connections, or all; return their number."""
        with self._server.lock:
            return self._each(n, "abort", lambda connection: connection.end(Ended(None, "aborted")))

    def close(self, n: int | None = None, *, code: int = Close.RESTART) -> int:
        """Close the n oldest connections, or all; return their number."""
        with self._server.lock:
            return self._each(n, "close", lambda connection: connection.close(code, "the test closes it"))

    def half_open(self, n: int | None = None) -> int:
        """Drop the n oldest connections, or all, without notifying their clients; return their number."""
        with self._server.lock:
            return self._each(n, "half_open", Connection.half_open)

    def stall(self, seconds: float, n: int | None = None) -> int:
        """Stop sending over the n oldest connections, or all, for some seconds of the stub's clock."""
        with self._server.lock:
            until = self.clock.now() + timedelta(seconds=seconds)

            def stall(connection: Connection) -> None:
                connection.stalled_until = until
                self.wake(connection)

            return self._each(n, "stall", stall)

    def refuse(self, for_seconds: float | None = None, *, times: int | None = None) -> None:
        """Refuse connections for some seconds of the stub's clock, or a number of times."""
        until = self.clock.now() + timedelta(seconds=for_seconds) if for_seconds is not None else None
        self.faults.refusing = until, times if until is not None or times is not None else 1

    def accept_and_close(self, times: int = 1, *, code: int = Close.RESTART) -> None:
        """Accept the next connections and close each at once."""
        self.faults.closing = times, code

    @property
    def fault_counts(self) -> Counter[LiveFaultKind]:
        """The number of times that each kind of fault happened."""
        return self.faults.fault_counts

    def _each(self, n: int | None, kind: LiveFaultKind, act: Callable[[Connection], None]) -> int:
        chosen = self.connections[:n]
        for connection in chosen:
            self.faults.fault_counts[kind] += 1
            act(connection)
        return len(chosen)

    # -- opening -----------------------------------------------------------------------------------------------

    def serves(self, request: Request) -> str | None:
        """Return the kind of live connection that a request opens; None for a call."""
        path = request.path
        if "/ws" not in path and "/events/stream" not in path:
            return None
        kind = _PATHS.get(_within_mount(path)) if request.method == "GET" else None
        upgrades = request.headers.get("upgrade", "").lower() == "websocket"
        return kind if upgrades is (kind != _STREAM) else None

    def has(self, path: str) -> bool:
        """Tell whether a path is that of a live connection."""
        return _within_mount(path) in _PATHS

    def open(self, visit: Visit) -> Reply:
        """Open the connection of a request. Raises: Problem where it is refused."""
        kind, request = self.serves(visit.request), visit.request
        if kind == _CHANNELS:
            try:
                return self._open(visit, _CHANNELS, request)
            except Problem:
                return Reply(403, {})
        return self._open(visit, kind or _WS, request)

    def _open(self, visit: Visit, kind: str, request: Request) -> Reply:
        from .phoenix import PhoenixSocket, offered_token
        from .stream import ServerSentEvents, Stream, read_position

        if self._is_refusing():
            self.faults.fault_counts["refuse"] += 1
            return Reply(503, {}, fault=_REFUSED)
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        token = query.get("token") or offered_token(request.headers.get("sec-websocket-protocol", ""))
        if self.test_mode and kind == _CHANNELS:
            from .control import caller_of

            visit.caller, expires_at = caller_of(self._server, query, token), None
        else:
            given = request.headers.get("authorization") or (f"Bearer {token}" if token else "")
            visit.caller = visit.authenticate(given)
            if visit.caller.granted is not None:  # a feed has events of everything, whatever the permissions
                raise Problem("FORBIDDEN", "an app gets its events at its webhook address, not by a live connection")
            expires_at = self._expiry(given)
        self._begin()
        self._admit(visit.caller.tenant_id)
        connection: Connection
        if kind == _CHANNELS:
            if query.get("vsn", "").partition(".")[0] != "2":
                raise Problem("BAD_REQUEST", "only vsn=2.0.0 is spoken here")
            connection = PhoenixSocket(self, visit.caller, expires_at)
            headers = {"Sec-WebSocket-Protocol": "phoenix"} if "sec-websocket-protocol" in request.headers else {}
            reply = Reply(101, headers, live=connection)
        elif kind == _WS:
            since, epoch = read_position(query)
            told = query.get("resume") == "1" or since is not None
            connection = Stream(self, visit.caller, expires_at, since, epoch, told=told)
            reply = Reply(101, {}, live=connection)
        else:
            since, epoch = read_position(query, request.headers.get("last-event-id"))
            connection = ServerSentEvents(self, visit.caller, expires_at, since, epoch, told=True)
            headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
            reply = Reply(200, {**visit.headers, **headers}, live=connection)
        return self._keep_open(connection, reply)

    def stream(self, visit: Visit, make: Callable[[Live, Caller, datetime | None], Connection]) -> Reply:
        """Open the connection of a call that streams server-sent events. Raises: Problem where there are too many."""
        if self._is_refusing():
            self.faults.fault_counts["refuse"] += 1
            return Reply(503, {}, fault=_REFUSED)
        self._begin()
        self._admit(visit.caller.tenant_id)
        connection = make(self, visit.caller, self._expiry(visit.request.headers.get("authorization", "")))
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        return self._keep_open(connection, Reply(200, {**visit.headers, **headers}, live=connection))

    def _keep_open(self, connection: Connection, reply: Reply) -> Reply:
        self.connections.append(connection)
        if self.faults.closing is not None:
            times, code = self.faults.closing
            self.faults.closing = (times - 1, code) if times > 1 else None
            self.faults.fault_counts["close"] += 1
            connection.close(code, "the test closes it")
        return reply

    def _begin(self) -> None:
        """Begin to follow the log, at the first connection."""
        if self._follow not in self._server.followers:
            self._server.followers.append(self._follow)
        if self._epoch != self._server.epoch:
            self._epoch = self._server.epoch
            self._logs.clear()

    def _admit(self, tenant_id: str) -> None:
        most = limit_of(self._server.tenant(tenant_id), "websocket_connections")
        if most is not None and self.count(tenant_id) >= most:
            problem = Problem(
                "LIMIT_EXCEEDED",
                f"the company's plan has {most} connections, and all are in use",
                details={"limit": most},
                headers={"Retry-After": str(_WAIT)},
            )
            problem.status = 429  # elsewhere the code has the status 403; this limit is temporary
            raise problem

    def count(self, tenant_id: str) -> int:
        """Return how many connections of a company are open."""
        return sum(other.caller.tenant_id == tenant_id for other in self.connections)

    def _expiry(self, authorization: str) -> datetime | None:
        credential = authorization.partition(" ")[2].strip()
        if not identity.is_token(credential):
            return None
        return datetime.fromtimestamp(self._server.tokens.verify(credential).expires_at, self.clock.start.tzinfo)

    def _is_refusing(self) -> bool:
        if self.faults.refusing is None:
            return False
        until, times = self.faults.refusing
        if (until is not None and self.clock.now() >= until) or times == 0:
            self.faults.refusing = None
            return False
        self.faults.refusing = until, times - 1 if times is not None else None
        return True

    # -- interface for connections and carriers ------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The clock of the server."""
        return self._server.clock

    @property
    def server(self) -> StubServer:
        """The server."""
        return self._server

    def epoch_of(self, tenant_id: str) -> str:
        """Return the numbering that the numbers of a company's events belong to."""
        return f"e{self._server.epoch_of(tenant_id)}"

    @property
    def enforces(self) -> bool:
        """Whether a client that exceeds the message limit is closed."""
        return bool(self._server.enforce_limits)

    def log_of(self, tenant_id: str) -> FeedLog:
        """Return the feeds of a company, up to date with its log."""
        from .reading import FeedLog

        key = tenant_id, self.epoch_of(tenant_id)
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = FeedLog(self._server.store, self._server.feeds, tenant_id)
        if log.catch_up():
            self._tell({tenant_id})
        return log

    def wake(self, connection: Connection) -> None:
        """Wake the carrier of a connection, to look for messages to send."""
        connection.wake()

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self.connections:
            self.connections.remove(connection)
            connection.forget()

    def _follow(self) -> None:
        """Wake the connections with new events of their company, or whose `due` time has come."""
        for connection in tuple(self.connections):
            if connection.epoch != self.epoch_of(connection.caller.tenant_id):
                connection.end(Ended(Close.RESTART, "the state was set back"))
        if self._epoch != self._server.epoch:
            self._logs.clear()
            self._epoch = self._server.epoch
        if not self.connections:
            return
        self._tell({tenant_id for (tenant_id, _), log in self._logs.items() if log.catch_up()})

    def _tell(self, tenants: Collection[str]) -> None:
        now = self.clock.now()
        for connection in tuple(self.connections):
            if connection.caller.tenant_id not in tenants and (connection.due is None or connection.due > now):
                continue
            if self._has_signed_out(connection.caller):
                connection.close(Close.EXPIRED, "the session has ended")
            else:
                self.wake(connection)

    def present(self, caller: Caller) -> Caller:
        """Return a connection's caller with the rights of this moment."""
        return present(self._server.store, caller, self.clock.now())

    def hidden_from(self, caller: Caller) -> AbstractContextManager[None]:
        """Leave out of what is rendered what the roles of a caller hide."""
        return hidden_from(caller, self._server.nouns)

    def is_shown(self, caller: Caller, event: Event) -> bool:
        """Return whether a caller may see an event."""
        return is_shown(self._server, caller, event)

    def _has_signed_out(self, caller: Caller) -> bool:
        if caller.auth == "api_key":
            return not is_in_force(self._server.store, caller, self.clock.now())
        if caller.session_id is None:
            return False
        session = self._server.store.collection(caller.tenant_id, "session").get(caller.session_id)
        if session is None or session["revoked_at"] is not None:
            return True
        return has_timed_out(self._server.store, session, caller.tenant_id, self.clock.now())
