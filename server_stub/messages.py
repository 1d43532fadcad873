"""The former place of `Request` and `Reply`, kept for code that imports them from here."""

from __future__ import annotations

from warnings import warn

from .request.http import Reply as Reply
from .request.http import Request as Request

warn("server_stub.messages is deprecated: from server_stub import Request, Reply", DeprecationWarning, stacklevel=2)
