"""The rules of the pictures of users: read by Pillow within bounds, cut to a square, and written anew as a PNG."""

from __future__ import annotations

import base64
import io
import secrets
import warnings

from crm_sdk.resources.users import UserAvatars

from ...data.document import Document
from ...problems import Problem
from ...request.answering.pictures import PICTURE, address_of
from ...serving import Context, serves
from .records import USERS, own_or_managed

SIDE = 512
_MOST_BYTES, _MOST_PIXELS = 5_000_000, 25_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


@serves(UserAvatars.upload)
def upload(call: Context, user_id: str, file: tuple[str, bytes]) -> Document:
    """Store a picture in place of the one before."""
    user = own_or_managed(call, user_id)
    _, content = file
    if len(content) > _MOST_BYTES:
        message = f"a picture has at most {_MOST_BYTES // 1_000_000} MB, not {len(content) / 1_000_000:.1f} MB"
        raise Problem("FILE_TOO_LARGE", message, field="file", rule="max", details={"limit": _MOST_BYTES})
    picture = square(content)
    forget(call, user)
    key = f"avatar_{secrets.token_urlsafe(18)}"
    stored = Document(id=key, user_id=user["id"], content_type="image/png", content=base64.b64encode(picture).decode())
    call.collection(PICTURE).put(stored)
    changed = {"avatar": address_of(call.server, key)}
    return USERS.answer(call, USERS.change(call, user, changed, verb="avatar_changed"))


def forget(call: Context, user: Document) -> None:
    """Remove the stored pictures of a user."""
    pictures = call.collection(PICTURE)
    for picture in list(pictures.find("user_id", user["id"])):
        pictures.remove(picture["id"])


def square(content: bytes) -> bytes:
    """Return the middle of a picture as a PNG of 512 × 512 pixels. Raises: 422 INVALID_IMAGE.

    The size is read from the head of the file: a picture of too many pixels is refused before any is decoded. Of an
    animation the first frame is taken; the rotation that a camera noted is carried out.
    """
    from PIL import Image, ImageOps  # imported here: the server starts faster without it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the bound below is lower
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise _invalid(f"the picture has more than {_MOST_PIXELS:,} pixels")
                has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
                upright = ImageOps.exif_transpose(picture).convert("RGBA" if has_alpha else "RGB")
                out = io.BytesIO()
                ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise _invalid(f"the file is not a picture that can be read: {error}") from None
    return out.getvalue()


def _invalid(message: str) -> Problem:
    return Problem("INVALID_IMAGE", message, field="file", rule="format")
