"""What the calls of OAuth 2.0 have beside those of the platform: forms, snake_case, and the RFCs' members and errors.

The members of the RFCs stand beside the envelope (RFC 6749, section 5.1: a client passes over what it does not know).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import camel, encode_json, is_object

from ...problems import Problem
from ..answering.writing import Written

if TYPE_CHECKING:
    from crm_sdk.operation import Operation
    from crm_sdk.route import Route

_SAME = frozenset({"INVALID_GRANT", "INVALID_CLIENT", "INVALID_SCOPE", "UNSUPPORTED_GRANT_TYPE"})
"""The codes that are the RFC's words but for the case."""
_ERRORS: Mapping[str, str] = {
    "TOKEN_REUSED": "invalid_grant",
    "USER_INACTIVE": "invalid_grant",
    "UNAUTHORIZED": "invalid_token",
    "NO_USER": "insufficient_scope",
    "FORBIDDEN": "insufficient_scope",
    "UNKNOWN_CLIENT": "unauthorized_client",
    "RATE_LIMIT_EXCEEDED": "temporarily_unavailable",
    "INTERNAL_ERROR": "server_error",
}
"""The errors of RFC 6749 and RFC 6750 for codes; that of all others is ``invalid_request``."""


class Redirected(Problem):
    """A problem that the application is told by a redirect (RFC 6749, section 4.1.2.1)."""

    def __init__(self, code: str, message: str, *, error: str, location: str) -> None:
        super().__init__(code, message, headers={"Location": location})
        self.status = 302
        self.error = error


def known_members(
    operation: Operation[..., Any],
    route: Route,
    members: dict[str, Any],
    query: dict[str, str],
    *,
    form: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the members of a body in either spelling, and those of a form and a query that the call knows.

    A server passes over parameters that it does not know (RFC 6749, sections 3.1 and 3.2).
    """
    known = {camel(name) for name in operation.arguments.types}
    named = {name: route.wire_name(name) for name in operation.arguments.types}
    taken = {camel(name): value for name, value in members.items() if not form or camel(name) in known}
    spelled = {camel(name): wire_name for name, wire_name in named.items()}
    return taken, {spelled.get(camel(name), name): value for name, value in query.items() if camel(name) in known}


def members_of(returns: Any, value: Any) -> dict[str, Any]:
    """Return the members of an answer under the RFCs' names, without those that it lacks."""
    if not is_object(value):
        return {}
    names: Mapping[str, Any] = getattr(returns, "model_fields", {})
    return {name: _plain(value[name]) for name in names if value.get(name) is not None}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, bool)) else Written(encode_json(value))


def error_of(problem: Problem) -> dict[str, str]:
    """Return a problem in the words of the RFCs."""
    code = problem.code
    error = code.lower() if code in _SAME else _ERRORS.get(code, "invalid_request")
    return {"error": getattr(problem, "error", error), "error_description": problem.message}
