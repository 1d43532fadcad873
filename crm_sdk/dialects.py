"""The three dialects: their paths, headers, envelopes, paging and error bodies. One small object each."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

from .errors import ApiError, ConfigurationError, FieldError, error_class
from .network.retry import retry_after
from .options import root
from .paging import Window, by_offset, by_page
from .wire import is_array, is_object, snake

DialectName: TypeAlias = Literal["mvp", "flow", "platform"]


class Dialect(ABC):
    """The HTTP conventions of the API that one document specifies."""

    name: ClassVar[DialectName]
    prefix: ClassVar[str] = ""
    camel_sort: ClassVar[bool] = True
    """Whether `sort` has the wire name of a member (``createdAt``)."""
    tells_more: ClassVar[bool] = True
    """Whether a page tells if there are more."""
    conflict: ClassVar[int] = 409
    """The HTTP status of a conflict with the state of the data."""

    def status_of(self, status: int) -> int:
        """Return the status of an error in this dialect, given the status of its code."""
        return self.conflict if status == 409 else status

    def url(self, base_url: str, path: str) -> str:
        """Return the absolute URL of a path as the document writes it; a base URL may end in ``/v1`` or not."""
        return root(base_url) + self.prefix + path

    def headers(self, tenant_id: str | None) -> dict[str, str]:
        """Return the headers every request of this dialect has."""
        return {"X-CRM-Dialect": self.name} | ({"X-Tenant-ID": tenant_id} if tenant_id else {})

    def page_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Translate ``limit``, ``offset`` and ``page`` to the two this dialect has."""
        return by_offset(given)

    @abstractmethod
    def envelope(self, result: Any, *, listed: bool, path: str) -> Any:
        """Return the type of a whole answer whose content is `result`."""

    @abstractmethod
    def open(self, answer: Any, *, listed: bool, path: str, given: Mapping[str, Any]) -> tuple[Any, Window]:
        """Return the content and the window of an answer that was read as `envelope`."""

    def error(self, status: int, headers: Mapping[str, str], content: bytes, operation: str | None) -> ApiError:
        """Return the error of an answer. The error bodies of all three dialects are understood."""
        error = read_error(status, headers, content, operation)
        error.dialects = (self.name,)
        return error

    def is_list(self, content: bytes, path: str) -> bool:
        """Tell whether a body is a list as this dialect's document has it."""
        return False

    def may_be_answer(self, content: bytes) -> bool:
        """Tell whether a successful body may be one of this dialect."""
        return True

    def wrote(self, content: bytes) -> bool:
        """Return whether an error body has the form of this dialect, which shows that a server of it wrote the body.

        mvp and flow have the same form: ``{"error": {"code", "message"}}``.
        """
        entry = _members(_decode_body(content)).get("error")
        return is_object(entry) and isinstance(entry.get("code"), str)


def _object(**members: Any) -> Any:
    # Made at run time: the type of an answer depends on the declaration.
    from typing_extensions import TypedDict

    return TypedDict("Answer", members)  # type: ignore[operator] # the functional form, with computed members


def _open_object(**members: Any) -> Any:
    """Return the type of an object that may have other members too, which are kept."""
    found = _object(**members)
    found.__pydantic_config__ = {"extra": "allow"}
    return found


class Mvp(Dialect):
    """Named bodies, ``{"leads": [...], "total", "pagination": {limit, offset, hasMore}}``; conflicts are 422."""

    name: ClassVar[DialectName] = "mvp"
    conflict: ClassVar[int] = 422

    def envelope(self, result: Any, *, listed: bool, path: str) -> Any:
        """Return the type of a whole answer whose content is `result`."""
        if not listed:
            return result
        from typing import NotRequired

        window = _object(limit=NotRequired[int], offset=NotRequired[int], hasMore=NotRequired[bool])
        return _object(**{_noun(path): result, "total": NotRequired[int], "pagination": NotRequired[window]})

    def open(self, answer: Any, *, listed: bool, path: str, given: Mapping[str, Any]) -> tuple[Any, Window]:
        """Return the content and the window of an answer that was read as `envelope`."""
        if not listed:
            return answer, Window()
        items = _require_list(answer[_noun(path)])
        window = _members(answer.get("pagination"))
        limit = _count(window.get("limit"), given.get("limit"))
        offset = _count(window.get("offset"), given.get("offset")) or 0
        total = _count(answer.get("total"))
        paged = bool(window) or "limit" in given
        return items, Window(
            limit, offset, total, paged and _has_more(items, window.get("hasMore"), limit, offset, total)
        )

    def is_list(self, content: bytes, path: str) -> bool:
        """Tell whether a body is a list as this dialect's document has it."""
        return content.lstrip()[:1] == b"{" and is_array(_members(_decode_body(content)).get(_noun(path)))


def _members(value: object) -> dict[str, Any]:
    return value if is_object(value) else {}


def _count(*candidates: object) -> int | None:
    """Return the first candidate that can be a number of records; a deviating answer may have any type there."""
    return next((n for n in candidates if isinstance(n, int) and not isinstance(n, bool) and n >= 0), None)


def _has_more(items: Sequence[object], said: object, limit: int | None, offset: int, total: int | None) -> bool:
    """Tell whether records follow a page: the server says so; else its total does; else a full page."""
    if isinstance(said, bool):
        return said
    if total is not None:
        return bool(items) and offset + len(items) < total
    return limit is not None and len(items) >= limit


def _require_list(items: Any) -> Any:
    if not is_array(items):
        raise TypeError(f"a list was expected, not {type(items).__name__}")
    return items


def _noun(path: str) -> str:
    """Return the last literal segment of a path: the name of the list in a body of the mvp document."""
    return [segment for segment in path.split("/") if segment and "{" not in segment][-1]


class Flow(Dialect):
    """Bare bodies: the object or the array itself."""

    name: ClassVar[DialectName] = "flow"
    tells_more = False

    def envelope(self, result: Any, *, listed: bool, path: str) -> Any:
        """Return the type of a whole answer whose content is `result`."""
        return result

    def open(self, answer: Any, *, listed: bool, path: str, given: Mapping[str, Any]) -> tuple[Any, Window]:
        """Return the content and the window of an answer that was read as `envelope`."""
        if not listed:
            return answer, Window()
        limit, offset = given.get("limit"), given.get("offset") or 0
        # The answer does not tell whether there are more: after a full page there may be another.
        return _require_list(answer), Window(limit, offset, None, limit is not None and len(answer) >= limit)

    def is_list(self, content: bytes, path: str) -> bool:
        """Tell whether a body is a list as this dialect's document has it."""
        return content.lstrip()[:1] == b"["


class Platform(Dialect):
    """The envelope ``{success, data, meta, errors}``; pages are counted from 1."""

    name: ClassVar[DialectName] = "platform"
    prefix: ClassVar[str] = "/v1"
    camel_sort: ClassVar[bool] = False
    _in_every_meta: ClassVar[frozenset[str]] = frozenset({"timestamp", "version", "requestId", "pagination"})

    def headers(self, tenant_id: str | None) -> dict[str, str]:
        """Return the headers every request of this dialect has."""
        return super().headers(tenant_id) | {"X-API-Version": "v1"}

    def may_be_answer(self, content: bytes) -> bool:
        """Tell whether a successful body may be one of this dialect; what is not a JSON object without `data` may."""
        body = _decode_body(content)
        return not is_object(body) or "data" in body or "success" in body

    def wrote(self, content: bytes) -> bool:
        """Tell whether an error body is this dialect's envelope: ``{"success": false, "errors": [...]}``."""
        body = _members(_decode_body(content))
        return body.get("success") is False and is_array(body.get("errors"))

    def page_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Translate ``limit``, ``offset`` and ``page`` to the two this dialect has."""
        return by_page(given)

    def envelope(self, result: Any, *, listed: bool, path: str) -> Any:
        """Return the type of a whole answer whose content is `result`."""
        if not listed:
            return _object(data=result)
        from typing import NotRequired

        window = _object(page=int, limit=int, total=NotRequired[int], hasNext=NotRequired[bool])
        return _object(data=result, meta=NotRequired[_open_object(pagination=NotRequired[window])])

    def open(self, answer: Any, *, listed: bool, path: str, given: Mapping[str, Any]) -> tuple[Any, Window]:
        """Return the content and the window of an answer that was read as `envelope`."""
        if not listed:
            return answer["data"], Window()
        items = _require_list(answer["data"])
        meta = _members(answer.get("meta"))
        window = _members(meta.get("pagination"))
        beside = {name: value for name, value in meta.items() if name not in self._in_every_meta}
        limit = _count(window.get("limit"), given.get("limit"))
        page = _count(window.get("page"), given.get("page")) or 1
        offset = (page - 1) * (limit or 0)
        total = _count(window.get("total"))
        more = bool(window) and _has_more(items, window.get("hasNext"), limit, offset, total)
        return items, Window(limit, offset, total, more, by_page=True, meta=beside)


DIALECTS: Mapping[str, Dialect] = {"mvp": Mvp(), "flow": Flow(), "platform": Platform()}
RICHEST_FIRST: tuple[DialectName, ...] = ("platform", "flow", "mvp")
"""The order in which a client without `dialects` tries them."""
DialectChoice: TypeAlias = DialectName | Sequence[DialectName] | str


def parse_choice(dialects: DialectChoice) -> tuple[DialectName, ...]:
    """Return the names of the dialects a user chose, in order: ``"flow"``, ``"mvp,flow"`` or a sequence of names."""
    names = tuple(name.strip() for name in (dialects.split(",") if isinstance(dialects, str) else dialects))
    unknown = [name for name in names if name not in DIALECTS]
    if unknown or not names:
        raise ConfigurationError(f"dialects={dialects!r}: use one or more of {', '.join(DIALECTS)}")
    return tuple(DIALECTS[name].name for name in names)


def read_error(status: int, headers: Mapping[str, str], content: bytes, operation: str | None) -> ApiError:
    """Return the error of an answer, whose body may be that of any dialect, or of none."""
    body = _members(_decode_body(content))
    entries = _entries(body)
    first = entries[0] if entries else {}
    code = str(first.get("code") or f"HTTP_{status}")
    message = str(first.get("message") or _unknown_body(status, headers, content))
    details, meta = first.get("details"), body.get("meta")
    request_id = headers.get("x-request-id") or (meta.get("requestId") if is_object(meta) else None)
    return error_class(status, code)(
        message,
        status=status,
        code=code,
        details=details if is_object(details) else {},
        fields=_fields(entries),
        request_id=None if request_id is None else str(request_id),
        retry_after=retry_after(headers),
        operation=operation,
    )


def _decode_body(content: bytes) -> object:
    """Return the JSON in a body; None where there is none."""
    try:
        found: object = json.loads(content) if content else None
    except (ValueError, RecursionError):
        found = None
    return found


def _entries(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the errors of a body: ``{"error": {...}}``, ``{"errors": [...]}``, or OAuth's ``{"error": "code"}``."""
    many, one = body.get("errors"), body.get("error")
    if is_array(many):
        listed = [item for item in many if is_object(item)]
        if listed:
            return listed
    if is_object(one):
        return [one]
    if isinstance(one, str):
        return [{"code": one.upper(), "message": body.get("error_description") or one}]
    if isinstance(body.get("message"), str):
        return [{"code": body.get("code"), "message": body["message"]}]
    return []


def _fields(entries: list[dict[str, Any]]) -> list[FieldError]:
    out: list[FieldError] = []
    for entry in entries:
        details = entry.get("details")
        members = details if is_object(details) else {}
        nested = members.get("fields")
        if is_array(nested):
            out.extend(_field(item) for item in nested if is_object(item))
        elif entry.get("field") or members.get("field"):
            out.append(_field(entry | {"details": members, **_flat_entry(entry, members)}))
    return out


def _flat_entry(entry: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    return {
        "field": entry.get("field") or members.get("field"),
        "message": members.get("reason") or entry.get("message"),
        "rule": entry.get("rule") or members.get("rule"),
    }


def _field(entry: dict[str, Any]) -> FieldError:
    return FieldError(
        field=snake(str(entry.get("field") or "")),
        message=str(entry.get("message") or entry.get("reason") or "is invalid"),
        rule=_text(entry.get("rule")),
        code=_text(entry.get("code")),
        details=_members(entry.get("details")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _unknown_body(status: int, headers: Mapping[str, str], content: bytes) -> str:
    if 300 <= status < 400:
        target = headers.get("location", "").partition("?")[0]
        return f"the server redirects to {target or 'somewhere else'}, which is not followed: check base_url"
    text = " ".join(content[:200].decode("utf-8", "replace").split())
    return text or f"the server answered {status} without a body"
