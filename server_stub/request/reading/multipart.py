"""Bodies of multipart/form-data (RFC 7578), taken apart while they arrive: a file is never whole in memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

from ...files.received import Received

MOST_BYTES = 512 * 1024 * 1024
"""No form is larger."""
_LONGEST_TEXT = 1 << 20
_ESCAPED = re.compile("%(22|[01][0-9A-F])")
"""What browsers and HTTP clients write in place of quotes and control characters (WHATWG, multipart/form-data)."""


def is_form(content_type: str) -> bool:
    """Tell whether a body is a form with files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


@dataclass(slots=True)
class Form:
    """The parts of a form: its texts and its files, by their names."""

    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    files: dict[str, Received] = field(default_factory=dict[str, Received])
    digest: str = ""
    """The SHA-256 of the whole body."""
    wrong: str | None = None
    """Why the body cannot be read; None where it can."""

    @property
    def fingerprint(self) -> bytes:
        """What two forms have in common that say the same; the boundary may differ in each request."""
        texts = (f"{name}={hashlib.sha256(text).hexdigest()}" for name, text in self.texts.items())
        files = (f"{name}={file.name}:{file.checksum}" for name, file in self.files.items())
        return "\n".join((*texts, *files)).encode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Give back what the files take."""
        for file in self.files.values():
            file.close()


class FormReader:
    """Reads a form piece by piece."""

    def __init__(self, content_type: str) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header  # most requests have no form

        self._form, self._whole = Form(), hashlib.sha256()
        self._left, self._ended = _LONGEST_TEXT, False
        self._header, self._value = b"", b""
        self._headers: dict[str, str] = {}
        self._name, self._file = "", None
        self._text = bytearray()
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        self._parser = (
            MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._open,
                    "on_part_data": self._data,
                    "on_part_end": self._close,
                    "on_end": self._end,
                },
            )
            if boundary
            else None
        )
        if boundary is None:
            self._form.wrong = "its boundary is missing or wrong"

    _file: Received | None

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the body."""
        from python_multipart.exceptions import MultipartParseError

        self._whole.update(piece)
        if self._form.wrong is None and self._parser is not None:
            try:
                self._parser.write(piece)
            except MultipartParseError as error:
                self._form.wrong = str(error)

    def finish(self) -> Form:
        """Return the form; where it cannot be read, it says why."""
        if not self._ended:
            self._form.wrong = self._form.wrong or "it breaks off"
        self._form.digest = self._whole.hexdigest()
        return self._form

    def close(self) -> None:
        """Give back what the parts take that have arrived."""
        self._form.close()

    def _begin(self) -> None:
        self._headers, self._file, self._text = {}, None, bytearray()
        self._header, self._value = b"", b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._header, self._value = b"", b""

    def _open(self) -> None:
        said = Message()
        said["Content-Disposition"] = self._headers.get("content-disposition", "").replace("\r", "").replace("\n", "")
        name = said.get_param("name", header="content-disposition")
        file_name = said.get_param("filename", header="content-disposition")
        self._name = collapse_rfc2231_value(name) if name is not None else ""
        if not self._name:
            self._form.wrong = "one of its parts has no name"
        if file_name is None:
            return
        if self._name in self._form.files:
            self._form.wrong = f"it has two files of the name {self._name!r}"
        plain = collapse_rfc2231_value(file_name)
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), plain)
        self._file = Received(plain, self._headers.get("content-digest"))
        self._form.files.setdefault(self._name, self._file)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._left -= end - start
        if self._left < 0:
            self._form.wrong = f"its texts have more than {_LONGEST_TEXT} bytes"
        else:
            self._text += data[start:end]

    def _close(self) -> None:
        if self._file is None:
            texts = self._form.texts
            texts[self._name] = b",".join((*([texts[self._name]] if self._name in texts else ()), bytes(self._text)))

    def _end(self) -> None:
        self._ended = True


def read_whole(content_type: str, pieces: Iterable[bytes]) -> Form:
    """Return the form in the pieces of a body."""
    reader = FormReader(content_type)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()
