"""Pictures and documents: their sizes, small pictures of them, and what can be made of them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, cast

from ..problems import Problem, invalid
from .kinds import PDF, PICTURES, is_text

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_PIXELS = 50_000_000
_DENSE, _PIXELS_A_BYTE = 4_000_000, 2_000
"""A picture with more pixels than the first, and more for each byte than the second, is a bomb."""
_MOST_TEXT = 10_000_000
EXTENSIONS: Mapping[str, str] = {
    "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "pdf": PDF,
    "txt": "text/plain", "csv": "text/csv",
}  # fmt: skip


class UnreadableError(Exception):
    """A content is not what its first bytes say."""


def measure(file: IO[bytes], content_type: str) -> dict[str, int | None]:
    """Return the size of a picture, or the number of pages of a document, as far as the content tells it."""
    try:
        if content_type in PICTURES:
            picture = _picture(file, content_type)
            return {"width": picture.width, "height": picture.height}
        if content_type == PDF:
            return {"page_count": len(_pages(file))}
    except UnreadableError:
        pass
    return {}


def has_picture(file: Mapping[str, Any]) -> bool:
    """Tell whether a small picture can be made of a file, as far as the head of its content tells it."""
    width, height = file.get("width"), file.get("height")
    return bool(width and height) and not _is_bomb(width or 0, height or 0, file["size"])


def _is_bomb(width: int, height: int, size: int) -> bool:
    pixels = width * height
    return pixels > _MOST_PIXELS or (pixels > _DENSE and pixels > size * _PIXELS_A_BYTE)


def thumbnail(file: IO[bytes], content_type: str, edge: int, format: str) -> bytes:
    """Return a picture that is at most so many pixels wide and high. Raises: UnreadableError; 422 IMAGE_TOO_LARGE."""
    if content_type not in PICTURES:
        raise UnreadableError(f"there is no picture of {content_type}")
    picture = _decoded_picture(file, content_type)
    picture.thumbnail((edge, edge))
    return _encoded_picture(picture, format, None)


def _picture(file: IO[bytes], content_type: str) -> Image:
    """Open a picture as what it is, which reads its first bytes only, and reads no other kind of file."""
    from PIL import Image as Images

    Images.init() if content_type == "image/tiff" else Images.preinit()
    if PICTURES[content_type] not in Images.OPEN:
        Images.init()
    file.seek(0)
    try:
        return Images.OPEN[PICTURES[content_type]][0](file, "")
    except Exception as error:  # whatever a broken file makes of it
        raise UnreadableError(str(error)) from None


def _decoded_picture(file: IO[bytes], content_type: str) -> Image:
    """Return a picture with its pixels, upright. Raises: UnreadableError; 422 IMAGE_TOO_LARGE."""
    from PIL import ImageOps

    picture = _picture(file, content_type)
    size = file.seek(0, io.SEEK_END)
    if _is_bomb(picture.width, picture.height, size):
        message = f"a picture of {picture.width} × {picture.height} pixels in {size} bytes is not decoded"
        raise Problem("IMAGE_TOO_LARGE", message, details={"width": picture.width, "height": picture.height})
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    except Exception as error:
        raise UnreadableError(str(error)) from None
    return (
        upright
        if upright.mode in ("RGB", "RGBA", "L", "LA")
        else upright.convert("RGBA" if _is_clear(upright) else "RGB")
    )


def _is_clear(picture: Image) -> bool:
    return "A" in picture.mode or "transparency" in picture.info


def _encoded_picture(picture: Image, format: str, quality: int | None) -> bytes:
    from PIL import Image as Images

    out = io.BytesIO()
    if format in ("jpeg", "pdf") and picture.mode in ("RGBA", "LA"):  # they know no transparency
        ground = Images.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    said: dict[str, Any] = {"quality": quality or 85} if format in ("jpeg", "webp") else {}
    picture.save(out, format.upper(), **said)
    return out.getvalue()


# -- operations --------------------------------------------------------------------------------------------------------


def processed_file(file: IO[bytes], content_type: str, operation: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return what an operation makes of a file, and its format. Raises: 422 UNSUPPORTED_OPERATION, IMAGE_TOO_LARGE."""
    kind = (
        "picture"
        if content_type in PICTURES
        else "pdf"
        if content_type == PDF
        else "text"
        if is_text(content_type)
        else ""
    )
    work = _WORK.get((kind, operation))
    if work is None:
        raise _unsupported_operation(operation, content_type)
    try:
        return work(file, content_type, options)
    except UnreadableError as error:
        raise Problem("UNSUPPORTED_OPERATION", f"the content cannot be read: {error}", field="operation") from None


def _unsupported_operation(operation: str, content_type: str) -> Problem:
    return Problem("UNSUPPORTED_OPERATION", f"{operation} is not done with {content_type}", field="operation")


def _resize(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    from PIL import ImageOps

    width, height, fit = options.get("width"), options.get("height"), options.get("fit") or "contain"
    if width is None and height is None:
        raise invalid("options.width", "required", "say how wide or how high the picture is to be")
    picture = _decoded_picture(file, content_type)
    if width is None or height is None or fit == "contain":  # what is not given follows from the picture
        share = min(
            width / picture.width if width is not None else float("inf"),
            height / picture.height if height is not None else float("inf"),
        )
        width, height = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    if width * height > _MOST_PIXELS:
        message = f"it would have {width} × {height} pixels"
        raise Problem("IMAGE_TOO_LARGE", message, details={"width": width, "height": height})
    if fit == "cover":
        return _as_asked(ImageOps.fit(picture, (width, height)), content_type, options)
    made: Image = cast("Any", picture).resize((width, height))  # its type names those of numpy, which is not here
    return _as_asked(made, content_type, options)


def _as_asked(picture: Image, content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    format = options.get("format") or PICTURES[content_type].lower().replace("tiff", "png")
    if format not in ("png", "jpeg", "webp", "gif", "pdf"):
        raise _unsupported_operation(f"a conversion to {format}", content_type)
    return _encoded_picture(picture, format, options.get("quality")), format


def _rotate(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    turned = _decoded_picture(file, content_type).rotate(-(_angle(options)), expand=True)
    return _as_asked(turned, content_type, options)


def _angle(options: Mapping[str, Any]) -> int:
    angle: int | None = options.get("rotate")
    if angle is None:
        raise invalid("options.rotate", "required", "say by how many degrees it is to be turned")
    return angle


def _convert(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    if options.get("format") is None:
        raise invalid("options.format", "required", "say which format it is to have")
    return _as_asked(_decoded_picture(file, content_type), content_type, options)


def _compress(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    return _as_asked(_decoded_picture(file, content_type), content_type, {"quality": 60, **options})


# -- documents ---------------------------------------------------------------------------------------------------------


def _pages(file: IO[bytes]) -> Any:
    """Return the pages of a document. Raises: UnreadableError."""
    from pypdf import PdfReader

    file.seek(0)
    try:
        pages = PdfReader(file).pages
        len(pages)
    except Exception as error:  # whatever a broken file makes of it
        raise UnreadableError(str(error)) from None
    return pages


def page_text(file: IO[bytes], page: int) -> str:
    """Return the text of a page, from 1. Raises: UnreadableError."""
    pages = _pages(file)
    try:
        return str(pages[page - 1].extract_text())[:_MOST_TEXT]
    except Exception as error:
        raise UnreadableError(str(error)) from None


def _numbers(said: str | None, count: int) -> list[int]:
    """Return the numbers of pages that a text such as ``1-3,5`` names. Raises: 422."""
    if said is None:
        return list(range(1, count + 1))
    found: list[int] = []
    for part in said.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (0, 0)
        if not 1 <= first <= last <= count:
            raise invalid("options.pages", "format", f"{part!r} names no pages of the {count} that there are")
        found += range(first, last + 1)
    return found


def _document(change: Callable[[Any, Mapping[str, Any]], None]) -> Callable[..., tuple[bytes, str]]:
    """Return the work that changes the pages of a document, and keeps those that are asked for."""

    def work(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
        from pypdf import PdfWriter

        if options.get("format") == "txt":
            return _extract(file, content_type, options)
        if options.get("format") not in (None, "pdf"):
            raise _unsupported_operation(f"a conversion to {options['format']}", content_type)
        pages = _pages(file)
        numbers = _numbers(options.get("pages"), len(pages))
        out = io.BytesIO()
        try:
            writer = PdfWriter()
            for number in numbers:
                change(writer.add_page(pages[number - 1]), options)
            writer.write(out)
        except Problem:
            raise
        except Exception as error:
            raise UnreadableError(str(error)) from None
        return out.getvalue(), "pdf"

    return work


def _extract(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    pages = _pages(file)
    texts: Iterator[str] = (page_text(file, number) for number in _numbers(options.get("pages"), len(pages)))
    return "\n\n".join(texts).encode(), "txt"


def _text(file: IO[bytes], content_type: str, options: Mapping[str, Any]) -> tuple[bytes, str]:
    format = options.get("format") or "txt"
    if format not in ("txt", "csv") or (format == "csv" and content_type != "text/csv"):
        raise _unsupported_operation(f"a conversion to {format}", content_type)
    file.seek(0)
    return file.read(_MOST_TEXT).decode(options.get("encoding") or "utf-8-sig", "replace").encode(), format


_WORK: Mapping[tuple[str, str], Callable[..., tuple[bytes, str]]] = {
    ("picture", "resize"): _resize,
    ("picture", "convert"): _convert,
    ("picture", "rotate"): _rotate,
    ("picture", "compress"): _compress,
    ("pdf", "convert"): _document(lambda page, options: None),
    ("pdf", "rotate"): _document(lambda page, options: page.rotate(_angle(options))),
    ("pdf", "compress"): _document(lambda page, options: page.compress_content_streams()),
    ("pdf", "extract_text"): _extract,
    ("text", "extract_text"): _text,
    ("text", "convert"): _text,
}
