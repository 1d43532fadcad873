"""Bytes as text: in the named encoding, or in the one that the bytes themselves show."""

from __future__ import annotations

import codecs

from .table import Remark, UnreadableFileError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OPTION = "give the option encoding, such as encoding='cp1252'"
_LOOKED_AT = 4_000


def decode(content: bytes, encoding: str, *, exact: bool = False) -> tuple[str, str, list[Remark]]:
    """Return the text of a file, the encoding it was read with, and what the caller should know of that.

    A byte order mark tells more than `encoding`, and so do the zeros of UTF-16. Bytes that are not UTF-8, which is the
    default, are read as cp1252, the code page of spreadsheets. Where most of the text is UTF-8, only wrong bytes are
    marked (as lone surrogates), so that only their rows fail. With `exact` nothing but a mark stands above `encoding`.

    Raises: `UnreadableFileError`, which names the option.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _decode(content, name), name, []
    plain = encoding.lower().replace("_", "-")
    if exact or plain not in ("utf-8", "utf8", "utf-8-sig"):
        return _decode(content, encoding), encoding, []
    if (wide := _wide(content)) is not None:
        return _decode(content, wide), wide, [Remark(f"the file was read as {wide}", code="ENCODING_GUESSED")]
    try:
        return content.decode(), "utf-8", []
    except UnicodeDecodeError:
        pass
    text = content.decode(errors="surrogateescape")
    wrong = sum("\udc80" <= character <= "\udcff" for character in text)
    if wrong <= sum(character > "\x7f" for character in text) - wrong:
        message = f"{wrong:,} bytes of the file are not UTF-8; the rows that have them are not read"
        return text, "utf-8", [Remark(message, code="ENCODING_GUESSED")]
    message = f"the file is not UTF-8 and was read as cp1252; if names look wrong, {_OPTION.replace('1252', '1250')}"
    return _decode(content, "cp1252"), "cp1252", [Remark(message, code="ENCODING_GUESSED")]


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise UnreadableFileError(f"the file is not encoded in {encoding} ({error}): {_OPTION}") from None


def _wide(content: bytes) -> str | None:
    """Return UTF-16 for a text without a mark of which every other byte is zero, as of a text in Latin letters."""
    sample = content[:_LOOKED_AT]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = sample[first::2]
        if len(half) > 1 and half.count(0) * 10 >= len(half) * 9 and not sample[1 - first :: 2].count(0):
            return name
    return None
