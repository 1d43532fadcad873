"""What kind of file a content is: by its first bytes, and for texts by the extension of its name."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Mapping
from typing import IO

_HEAD = 1 << 16
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (257, b"ustar", "application/x-tar"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"{\\rtf", "application/rtf"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ARCHIVES: Mapping[str, str] = {
    "word/": f"{_OFFICE}.wordprocessingml.document",
    "xl/": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt/": f"{_OFFICE}.presentationml.presentation",
}
_TEXTS: Mapping[str, str] = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "md": "text/markdown",
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "xml": "text/xml",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "js": "text/javascript",
    "eml": "message/rfc822",
    "svg": "image/svg+xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
TABLES = frozenset({"text/csv", "text/tab-separated-values"})
_WORDED = frozenset({"application/json", "application/jsonl", "application/yaml", "image/svg+xml", "message/rfc822"})
PICTURES: Mapping[str, str] = {
    "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/tiff": "TIFF",
}  # fmt: skip
"""The pictures that can be worked on, with the names that Pillow has for them."""
PDF = "application/pdf"


def kind_of(file: IO[bytes], name: str) -> tuple[str, str | None]:
    """Return the content type of a file, and the encoding where it is a text."""
    file.seek(0)
    head = file.read(_HEAD)
    extension = name.rpartition(".")[2].lower()
    found = next((kind for at, magic, kind in _MAGIC if head[at : at + len(magic)] == magic), None)
    if found is not None:
        return found, None
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _archive(file), None
    encoding = _encoding(head)
    if encoding is None or (not head and extension not in (*_TEXTS, "txt")):
        return "application/octet-stream", None
    return _TEXTS.get(extension, "text/plain"), encoding


def _archive(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return "application/zip"
    if "[Content_Types].xml" not in names:
        return "application/zip"
    return next(
        (kind for begin, kind in _ARCHIVES.items() if any(n.startswith(begin) for n in names)), "application/zip"
    )


def _encoding(head: bytes) -> str | None:
    """Return the encoding of a text by its first bytes; None where they are none of a text."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # its end may be half a letter
        encoding = "utf-8"
    except UnicodeDecodeError:
        text, encoding = head.decode("latin-1"), "windows-1252"
        if any(0x80 <= byte < 0xA0 for byte in head):
            return None
    return encoding if not any(letter < " " and letter not in "\t\n\r\f\x1b" for letter in text) else None


def is_text(content_type: str) -> bool:
    """Tell whether files of a content type are read as texts."""
    return content_type.startswith("text/") or content_type in _WORDED


def family(content_type: str) -> str:
    """Return what versions of one file have in common: texts, pictures, sounds and films, else the very type."""
    if is_text(content_type):
        return "text"
    head = content_type.partition("/")[0]
    return head if head in ("image", "audio", "video") else content_type
