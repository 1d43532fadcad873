"""The file of an import: sent with the call, or one of the company's; for contacts and for every entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ...files.reading import FORMATS
from ...files.received import Received
from ...files.storing import content_of, referenced_file
from ...problems import Problem, invalid
from ...request.access.made_files import require_seen
from ...serving import Context, Members
from ..files.uploads import check_content


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import."""

    name: str
    content: bytes
    format: str
    """Its format; empty where neither the call nor its name tells."""

    @property
    def checksum(self) -> str:
        """The SHA-256 of its content."""
        return sha256(self.content).hexdigest()


def source_of(call: Context, file: Received | None, file_id: str | None, format: str | None) -> Source:
    """Return the file that a call names. Raises: 422 unless there is exactly one, which the caller sees, and clean."""
    if (file is None) == (file_id is None):
        raise invalid("file", "required", "give exactly one of file and file_id")
    if file is not None:
        check_content(call, file)
        name, content = file.name, file.read()
    else:
        stored = referenced_file(call, file_id or "", "file_id")
        if stored.get("scan_status") == "infected":
            raise Problem("FILE_INFECTED", f"{stored['name']} is infected, and locked", field="file_id")
        require_seen(call, stored)
        name, content = stored["name"], content_of(call, stored)
    return Source(name, content, format or FORMATS.get(name.rpartition(".")[2].lower(), ""))


def no_format(name: str) -> Problem:
    """Return the 422 for a file whose format nothing tells."""
    old = "; save an old workbook as .xlsx" if name.lower().endswith(".xls") else ""
    message = f"the name {name!r} does not tell the format: give csv, xlsx, jsonl or vcf{old}"
    return invalid("format", "required", message)


def check_names_columns(mapping: Sequence[Members] | None) -> None:
    """Raise 422 for a mapping that names no column, as which nothing of a file would be read."""
    if mapping is not None and not mapping:
        raise invalid("mapping", "min", "a mapping names at least one column; without one the headers are read")


def check_encoding(encoding: str) -> None:
    """Raise 422 for an encoding that there is not."""
    try:
        "".encode(encoding)  # a codec that makes no bytes of a text is a LookupError, too
    except (LookupError, ValueError):
        raise invalid("encoding", "choice", f"there is no encoding {encoding!r}") from None
