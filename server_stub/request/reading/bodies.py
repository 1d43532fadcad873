"""What a request says outside of its path: its query, its body, and why it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from crm_sdk.options import LONGEST_REASON
from crm_sdk.route import Route
from crm_sdk.wire import camel, decode_json, is_array, is_object

from ...files.received import Received
from ...problems import Problem, invalid
from .multipart import Form


def read_query(query: str) -> dict[str, str]:
    """Return the parameters of a query; a repeated parameter becomes a comma-separated list."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=200)
    except ValueError as error:
        raise Problem("BAD_REQUEST", f"the query cannot be read: {error}") from None
    out: dict[str, str] = {}
    for name, value in pairs:
        out[name] = f"{out[name]},{value}" if name in out else value
    return out


def read_reason(headers: Mapping[str, str]) -> str | None:
    """Return why the caller does this, by ``X-Audit-Reason``; None where it is not said.

    Raises 422 for one that is too long, or that has anything but printable ASCII in it and is not percent-encoded.
    """
    sent = headers.get("x-audit-reason", "")
    if not (sent.isascii() and sent.isprintable()):
        raise invalid("X-Audit-Reason", "format", "a reason that is not printable ASCII has to be percent-encoded")
    reason = unquote(sent).strip()
    if len(reason) > LONGEST_REASON:
        raise invalid("X-Audit-Reason", "length", f"a reason has at most {LONGEST_REASON} characters")
    return reason or None


def read_body(content_type: str, body: bytes, route: Route) -> dict[str, Any]:
    """Return the members of a body. Raises: 400 where it cannot be parsed."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/x-www-form-urlencoded" and route.path.startswith("/auth/"):
        return {camel(name): value for name, value in read_query(body.decode("utf-8", "replace")).items()}
    if kind == "application/x-www-form-urlencoded" and body.strip() == b"List-Unsubscribe=One-Click":
        return {}  # RFC 8058: the address to post to says everything else
    if kind not in ("application/json", ""):
        raise Problem("BAD_REQUEST", f"the content type {kind!r} is not understood: send application/json")
    try:
        members = _decode_checked(body)
    except ValueError as error:
        raise Problem("BAD_REQUEST", f"the body is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise Problem("BAD_REQUEST", f"the body must be a JSON object, not {_kind(members)}")
    return cast("dict[str, Any]", members)


_DEEPEST = 100
"""How many arrays and objects of a body may be within one another."""


def _decode_checked(content: bytes) -> Any:
    """Read JSON. Raises ValueError for half a surrogate pair, too: no answer could hold such a text.

    So it does for arrays and objects that are nested too deeply to be read by whatever goes through them.
    """
    value = decode_json(content)
    if content.count(b"[") + content.count(b"{") > _DEEPEST and _is_deeper(value, _DEEPEST):
        raise ValueError(f"arrays and objects are nested more than {_DEEPEST} deep")
    if b"\\u" in content or not content.isascii():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _is_deeper(value: object, most: int) -> bool:
    """Tell whether more arrays and objects than `most` are within one another."""
    level = [value]
    for _ in range(most):
        within = [one.values() if is_object(one) else one for one in level if is_object(one) or is_array(one)]
        level = [inner for each in within for inner in each]
    return any(is_object(one) or is_array(one) for one in level)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = ((bool, "a boolean"), (list, "an array"), (str, "a string"))
    return next((name for kind, name in names if isinstance(value, kind)), "a number")


def read_form(form: Form) -> tuple[dict[str, Any], dict[str, Received], dict[str, str]]:
    """Return the members in the part ``options`` of a form, its files, and its texts. Raises: 400 for a broken one."""
    if form.wrong is not None:
        raise Problem("BAD_REQUEST", f"the multipart body cannot be read: {form.wrong}")
    members: Any = {}
    texts: dict[str, str] = {}
    for name, content in form.texts.items():
        if name != "options":
            texts[name] = content.decode("utf-8", "replace")
            continue
        try:
            members = _decode_checked(content)
        except ValueError:
            members = None
        if not is_object(members):
            raise Problem("BAD_REQUEST", "the part 'options' is not a JSON object", field="options")
    for file in form.files.values():
        file.body_digest = form.digest
    return dict(members), form.files, texts
