"""The answers of each dialect: the bodies of success and of errors, and default limits of lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from crm_sdk.dialects import DIALECTS
from crm_sdk.route import Route
from crm_sdk.wire import camel, instant, is_array, is_object

from ...problems import AsGiven, FieldError, Problem
from ...serving import Context


@dataclass(frozen=True, slots=True)
class Listing:
    """The requested page of a list."""

    items: Any
    """The items; a face gets them rendered."""
    total: int
    limit: int | None
    offset: int
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What ``meta`` has beside the page, for faces with a ``meta``."""


class Face(ABC):
    """The form of answers in one dialect."""

    name: ClassVar[str]
    default_limit: ClassVar[int | None] = 50
    limits: ClassVar[Mapping[str, int]] = {}
    """Default limits of single lists, by path."""

    def value(self, value: Any, call: Context, route: Route) -> Any:
        """Return the body for a record or another value."""
        return value

    @abstractmethod
    def page(self, listing: Listing, call: Context, route: Route) -> Any:
        """Return the body for a page of rendered items."""

    def without_value(self, identifier: str | None, call: Context) -> Any:
        """Return the body for a success without a value."""
        return {"success": True}

    def problem(self, problem: Problem, request_id: str, now: Any) -> tuple[int, Any]:
        """Return status and body for a failure."""
        first = problem.entries[0]
        details = wire_details({**problem.details, **first.details})
        if first.field is not None:
            details = {"field": wire_path(first.field), "reason": first.message, **details}
            if first.rule is not None:
                details["rule"] = first.rule
        if len(problem.entries) > 1:
            details["fields"] = [_entry(entry) for entry in problem.entries]
        return problem.status, {"error": {"code": problem.code, "message": problem.message, "details": details}}


class MvpFace(Face):
    """Named bodies; 003 lists no status 409, so that conflicts have the status 422."""

    name = "mvp"
    limits: ClassVar[Mapping[str, int]] = {"/api/notifications": 20}

    def page(self, listing: Listing, call: Context, route: Route) -> Any:
        """Return the named list with its total, and its window where 003 pages the list."""
        noun = [segment for segment in route.path.split("/") if segment and "{" not in segment][-1]
        body: dict[str, Any] = {noun: listing.items}
        if listing.limit is not None:
            more = listing.offset + listing.limit < listing.total
            window = {"limit": listing.limit, "offset": listing.offset, "hasMore": more}
            return body | {"total": listing.total, "pagination": window}
        return body | {"total": listing.total}

    def problem(self, problem: Problem, request_id: str, now: Any) -> tuple[int, Any]:
        """Return status and body for a failure."""
        status, body = super().problem(problem, request_id, now)
        return DIALECTS["mvp"].status_of(status), body


class FlowFace(Face):
    """Bare bodies."""

    name = "flow"

    def page(self, listing: Listing, call: Context, route: Route) -> Any:
        """Return the array itself."""
        return listing.items


class PlatformFace(Face):
    """The envelope."""

    name = "platform"

    def value(self, value: Any, call: Context, route: Route) -> Any:
        """Return the envelope around a value."""
        return {"success": True, "data": value, "meta": _meta(call.request_id, call.now), "errors": []}

    def page(self, listing: Listing, call: Context, route: Route) -> Any:
        """Return the envelope around a page."""
        limit = listing.limit or max(listing.total, 1)
        page = listing.offset // limit + 1
        window = {
            "page": page,
            "limit": limit,
            "total": listing.total,
            "hasNext": listing.offset + limit < listing.total,
            "hasPrev": page > 1,
        }
        meta = _meta(call.request_id, call.now) | {"pagination": window} | wire_details(listing.meta)
        return {"success": True, "data": listing.items, "meta": meta, "errors": []}

    def without_value(self, identifier: str | None, call: Context) -> Any:
        """Return the envelope for a success without a value."""
        gone = (
            {"id": identifier, "deleted": True}
            if identifier is not None and call.source["method"] == "DELETE"
            else None
        )
        return self.value(gone, call, None)  # type: ignore[arg-type] # the route plays no part in an envelope

    def problem(self, problem: Problem, request_id: str, now: Any) -> tuple[int, Any]:
        """Return the envelope for a failure, with one entry per field."""
        entries = [_entry(entry) for entry in problem.entries]
        if problem.details:
            entries[0]["details"] = {
                **wire_details(problem.details),
                **entries[0].get("details", {}),
            }
        return problem.status, {"success": False, "data": None, "meta": _meta(request_id, now), "errors": entries}


FACES: Mapping[str, Face] = {"mvp": MvpFace(), "flow": FlowFace(), "platform": PlatformFace()}


def _meta(request_id: str, now: Any) -> dict[str, Any]:
    return {"timestamp": instant(now), "version": "v1", "requestId": request_id}


def _entry(entry: FieldError) -> dict[str, Any]:
    out: dict[str, Any] = {"code": entry.code, "message": entry.message}
    if entry.field is not None:
        out["field"] = wire_path(entry.field)
    if entry.rule is not None:
        out["rule"] = entry.rule
    if entry.details:
        out["details"] = wire_details(entry.details)
    return out


_FREE = ("fields", "custom_fields")
"""The members whose keys are names that a company has given; in a list called so there are numbers."""


def wire_path(path: str) -> str:
    """Return the path of a member with wire names: ``groups.0.high_value`` -> ``groups.0.highValue``.

    A key of a custom field is kept: ``fields.go_live``; so is a JSON Pointer, which has wire names.
    """
    if path.startswith("/") or isinstance(path, AsGiven):
        return str(path)
    parts = path.split(".")
    return ".".join(
        part if n and parts[n - 1] in _FREE and not part.isdigit() else camel(part) for n, part in enumerate(parts)
    )


def wire_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details under their wire names, those of objects in a list as well; the keys of an object may be ids."""
    return {
        camel(name): [_camel_names(item) for item in value] if is_array(value) else value
        for name, value in details.items()
    }


def _camel_names(item: Any) -> Any:
    return {camel(name): value for name, value in item.items()} if is_object(item) else item
