"""Serve stored pictures, such as avatars, to who has the URL: no sign-in is needed, as in an ``<img>``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ..http import Reply, Request

if TYPE_CHECKING:
    from ...core import StubServer

PICTURE = "picture"
"""The kind of the records with pictures; their ids cannot be guessed."""
_PATH = "/pictures/"


def address_of(server: StubServer, picture_id: str) -> str:
    """Return the URL of a picture, on the host that the latest request named."""
    return f"{server.origin}{_PATH}{picture_id}.png"


def picture(server: StubServer, request: Request) -> Reply | None:
    """Return the reply with a picture; None for any other request."""
    if request.method != "GET" or not request.path.startswith(_PATH):
        return None
    key = request.path.removeprefix(_PATH).removesuffix(".png")
    for pictures in server.store.across(PICTURE):
        found = pictures.get(key)
        if found is not None:
            headers = {
                "Content-Type": found["content_type"],
                "Cache-Control": "public, max-age=31536000, immutable",
                "X-Content-Type-Options": "nosniff",
            }
            return Reply(200, headers, base64.b64decode(found["content"]))
    return None
