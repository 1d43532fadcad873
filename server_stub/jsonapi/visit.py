"""A request that names JSON:API: read into a plain request, served as such, its answer written as a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import camel, decode_json, encode_json, is_object

from ..problems import Problem
from ..request import reads
from ..request.access import hiding
from ..request.answering.faces import wire_path
from ..request.http import Reply, Request
from ..request.reading.bodies import read_body, read_reason
from ..request.router import Match
from ..request.visit import Visit
from ..serving import Context
from . import bodies, errors, negotiation, queries
from .documents import VERSION, Place, Writer
from .forms import Kinds, forms, is_custom

if TYPE_CHECKING:
    from ..core import StubServer

_OWN_CODES = frozenset({
    "NOT_ACCEPTABLE", "UNSUPPORTED_MEDIA_TYPE", "TYPE_CONFLICT", "CLIENT_ID_FORBIDDEN", "UNKNOWN_FIELD",
})  # fmt: skip
"""The codes that any call can answer in this form."""


_OF_SUCCESS = frozenset({"ETag", "Location", "Link"})
"""The headers of an answer that an error in its place does not have."""


def visit_of(server: StubServer, request: Request, now: datetime, request_id: str) -> Visit:
    """Return the visit that serves a request."""
    kind = DocumentVisit if negotiation.concerns(request.headers) else Visit
    return kind(server, request, now, request_id)


class DocumentVisit(Visit):
    """One request that asks for JSON:API, or sends it."""

    def __init__(self, server: StubServer, request: Request, now: datetime, request_id: str) -> None:
        super().__init__(server, request, now, request_id)
        self._sent = negotiation.is_sent(request.headers)
        self._wanted = negotiation.is_asked(request.headers)
        self._match: Match | None = None
        self._asked = queries.Asked()
        self._received: bodies.Received | None = None
        self._body: Any = None
        """The body where it is plain JSON."""

    @property
    def _applies(self) -> bool:
        return self.face.name == "platform"

    def reply(self) -> Reply:
        """Return the reply, as a document where one is wanted."""
        plain = super().reply()
        if not (self._applies and self._wanted) or plain.live is not None or plain.chunks is not None:
            return plain
        kind = plain.headers.get("Content-Type", "")
        envelope = _envelope(plain.body) if kind == "application/json" else None
        if envelope is None:
            return plain
        try:
            return self._as_document(envelope, plain)
        except Exception as error:  # a mistake in writing the document: what was done is done, only the answer is lost
            failed = self._failure(error)
            body = self._errors(_envelope(failed.body) or {}, failed.status, lambda _: None)
            headers = {**plain.headers, **failed.headers, "Content-Type": negotiation.MEDIA}
            headers = {name: value for name, value in headers.items() if name not in _OF_SUCCESS}
            return replace(failed, headers=headers, body=encode_json(body), fault=plain.fault)

    def _as_document(self, envelope: Mapping[str, Any], plain: Reply) -> Reply:
        """Return a reply as a document in place of an envelope."""
        body: dict[str, Any]
        if envelope["success"]:
            body, more = self._document(envelope, plain)
        else:
            body, more = self._errors(envelope, plain.status, self._source_of), {}
        headers = {**plain.headers, **more, "Content-Type": negotiation.MEDIA}
        return replace(plain, headers=headers, body=encode_json(body))

    def _errors(
        self, envelope: Mapping[str, Any], status: int, source_of: Callable[[str], Mapping[str, str] | None]
    ) -> dict[str, Any]:
        """Return the document of a refusal."""
        return errors.document(envelope["errors"], status, self.request_id, self.request.headers, source_of)

    # -- the request ---------------------------------------------------------------------------------------------------

    def _route(self) -> Match:
        """Return the route; PATCH finds that of PUT, which changes what it names as PATCH does."""
        try:
            match = super()._route()
        except Problem as problem:
            allowed = problem.headers.get("Allow", "").split(", ")
            if not (self._applies and self.request.method == "PATCH" and "PUT" in allowed):
                raise
            self.request = replace(self.request, method="PUT")
            match = super()._route()
        self._match = match
        return match

    def _examine(self, match: Match) -> None:
        super()._examine(match)
        if self._applies:
            negotiation.check(self.request.headers)
            if self._wanted:
                operation, route = match.endpoint.operation, match.endpoint.route
                plain = super()._query()
                self._asked = queries.read(forms(), operation, route, plain, self._own_type(match))

    def _query(self) -> dict[str, str]:
        return dict(self._asked.plain) if self._applies and self._wanted else super()._query()

    def _members(self, match: Match) -> dict[str, Any]:
        operation, route = match.endpoint.operation, match.endpoint.route
        if not (self._applies and self._sent):
            self._body = members = super()._members(match)
            return members
        if not self.request.body:
            return {}
        document = read_body("application/json", self.request.body, route)
        kinds = self._kinds(match)
        self._received = bodies.Received(document)
        self._received = bodies.read(
            operation, self.request.method, kinds, document, self._own_type(match), partial(self._is_meant, match)
        )
        return self._received.members

    def _is_meant(self, match: Match, id: str) -> bool:
        """Tell whether an id is that of the record that the path names last: by its id, its key, or as one's own."""
        named = next(reversed(list(match.identifiers.values())), id)
        own = {"me": self.caller.user_id, "current": self.caller.tenant_id}
        if named == id or named in own:
            return id == own.get(named, id)
        names = {form.name for form in self._kinds(match).forms}
        for noun in self.server.nouns.values():
            if noun.kind in names or noun.stored_as in names:
                doc = self.server.collection(self.caller.tenant_id, noun.collection).get(id)
                if doc is not None:
                    return named in (doc.get("key"), doc.get("api_name"), doc.get("slug"))
        return False

    def _kinds(self, match: Match) -> Kinds:
        return forms().answer_of(match.endpoint.operation)

    def _own_type(self, match: Match) -> str | None:
        """Return the type of the custom records that a path is about; None for all others, whose type is known."""
        kinds = self._kinds(match)
        if len(kinds.forms) != 1 or not is_custom(kinds.forms[0]) or not match.identifiers:
            return None
        entity = self.server.entities.find(self._context(match), next(iter(match.identifiers.values())))
        return entity.name if entity is not None and entity.object is not None else None

    # -- the answer ----------------------------------------------------------------------------------------------------

    def _document(self, envelope: Mapping[str, Any], plain: Reply) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the document of a success, and the headers that differ from those of the plain answer."""
        match = self._match
        if match is None:
            return {"jsonapi": VERSION, "data": None, "meta": {"result": envelope.get("data")}}, {}
        operation, route = match.endpoint.operation, match.endpoint.route
        data = envelope.get("data")
        if operation.arguments.returns is None and is_object(data) and data.get("deleted") is True:
            return {"jsonapi": VERSION, "meta": dict(data)}, {}
        place = Place(_mount(self.request.path), self.request.path, self.request.query, match.identifiers)
        call, kinds = self._context(match, plain.status), self._kinds(match)
        writer = Writer(forms(), call, kinds, self._asked, place, self._own_type(match))
        with hiding.hidden_from(self.caller, self.server.nouns):
            reduce = not (route.method == "GET" and operation.answers_records)
            document = writer.document(envelope, pages=route.method == "GET" and operation.is_paged, reduce=reduce)
            reads.note_included(call, writer.included)
        resource = document.get("data")
        link = resource.get("links", {}).get("self") if is_object(resource) else None
        return document, {"Location": link} if "Location" in plain.headers and link is not None else {}

    def _context(self, match: Match, status: int = 200) -> Context:
        """Return a call of the same caller, to read what the document has beside the answer."""
        source = {
            "dialect": self.face.name, "method": self.request.method, "path": self.request.path, "status": status,
            "ip_address": self.request.peer, "user_agent": self.request.headers.get("user-agent"),
        }  # fmt: skip
        return Context(
            self.server, self.caller, self.now, dialect=self.face.name, operation=match.endpoint.operation.id,
            request_id=self.request_id, source=source, reason=read_reason(self.request.headers),
            headers=self.request.headers,
        )  # fmt: skip

    def _source_of(self, field: str) -> Mapping[str, str] | None:
        """Return the place in the request of what an error is about; None where it is not in the request."""
        head = field.partition(".")[0]
        parameter = self._asked.sent.get(head) or self._parameters().get(field)
        if parameter is not None:
            return {"parameter": parameter}
        if self._received is not None and field.startswith("/"):
            return {"pointer": bodies.existing(self._received.document, field)}
        if self._match is None or head in ("id", *map(camel, self._match.identifiers)):
            return None
        if self._received is not None and self._received.document:
            return {"pointer": self._received.pointer_to(self._kinds(self._match), field)}
        if self._body:
            return {"pointer": bodies.plain_pointer(self._body, field)}
        return None

    def _parameters(self) -> dict[str, str]:
        """Return the names of the parameters as they came, by what an error calls them."""
        try:
            return {wire_path(name): name for name in super()._query()}
        except Problem:
            return {}

    def _refusal(self, problem: Problem) -> Reply:
        return self.problem(problem) if problem.code in _OWN_CODES else super()._refusal(problem)


def _envelope(body: bytes) -> dict[str, Any] | None:
    """Return an envelope; None for any other body."""
    try:
        found = decode_json(body)
    except ValueError:
        return None
    return dict(found) if is_object(found) and isinstance(found.get("success"), bool) else None


def _mount(path: str) -> str:
    """Return what stands before the version in a path: ``/platform``."""
    return path[: path.index("/v1")] if "/v1" in path else ""
