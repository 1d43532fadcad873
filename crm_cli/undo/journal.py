"""The journal of the writes that this machine made with one company: a file of JSON lines that only its owner reads.

It has ids, names of members and values before an update, and no secret: a member whose name is that of a secret is left
out. It keeps the last writes only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..folders import state_folder, write_whole
from ..settings import Settings

KEPT = 50
"""So many writes are kept."""
_LARGEST = 65_536
"""The greatest entry, in bytes: an image that is larger is left out."""
_SLACK = 2
"""The file is shortened when it has this many times the entries that are kept."""


@dataclass(slots=True)
class Entry:
    """One write."""

    number: int
    at: str
    """When it was done, by the clock of this machine."""
    call: str
    """The call by its dotted name: ``deals.update``."""
    ids: Sequence[str] = ()
    """The ids in its path; of a record that was created, its own id last."""
    members: Sequence[str] = ()
    """The members that an update gave."""
    version: int | None = None
    """The version of the record after the write."""
    before: Mapping[str, Any] | None = None
    """What these members were before; None where it was not read."""
    undone: bool = False
    stands: int | None = None
    """The version at which the record is again as this write left it, since the writes after it were undone."""
    withheld: Sequence[str] = field(default_factory=tuple[str, ...])
    """Members that may hold a secret, whose values are never kept."""

    @property
    def valid_version(self) -> int | None:
        """The version that the record has where nobody else has changed it since."""
        return self.stands if self.stands is not None else self.version

    @property
    def noun(self) -> str:
        """The noun of the call: ``deals``."""
        return self.call.rpartition(".")[0]

    @property
    def words(self) -> str:
        """The command that wrote: ``crm deals update deal_7``."""
        return " ".join(["crm", *self.call.replace("_", "-").split("."), *self.ids])


class Journal:
    """The writes of this machine with one company of one server."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, settings: Settings) -> Journal:
        """Return the journal of the server and the company that the settings name."""
        server = "offline" if settings.offline else str(settings.base_url or "").rstrip("/")
        # A key belongs to one company; where none is named, its digest tells the companies of a server apart.
        whose = settings.tenant or f"key {settings.typed.api_key or '' if settings.offline else settings.api_key or ''}"
        name = blake2b(f"{server}\n{whose}".encode(), digest_size=12).hexdigest()
        return cls(Path(state_folder()) / "undo" / f"{name}.jsonl")

    def entries(self) -> list[Entry]:
        """Return the writes, the oldest first."""
        return self._read()[-KEPT:]

    def add(self, entry: Entry) -> Entry:
        """Write an entry down, with the number after the last one."""
        known = self._read()
        entry.number = known[-1].number + 1 if known else 1
        entry.at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        line = _line(entry)
        if len(line) > _LARGEST and entry.before is not None:
            entry.before = None
            line = _line(entry)
        if len(known) >= KEPT * _SLACK:
            whole = [*known[-KEPT + 1 :], entry]
            write_whole(str(self._path), b"".join(map(_line, whole)), mode=0o600)
        else:
            self._append(line)
        return entry

    def mark_undone(self, entry: Entry, version: int | None) -> None:
        """Note that a write was taken back, and which version of the record that made."""
        self._append(json.dumps({"undone": entry.number, "version": version}).encode() + b"\n")

    def _read(self) -> list[Entry]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return []
        found: dict[int, Entry] = {}
        for line in lines:
            try:
                read: dict[str, Any] = json.loads(line)
                if "call" not in read:
                    _undo(found, found[read["undone"]], read["version"])
                else:
                    entry = Entry(**read)
                    found[entry.number] = entry
            except (ValueError, TypeError, KeyError):
                continue  # half a line, or one of another version of this program
        return [found[number] for number in sorted(found)]

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _undo(known: Mapping[int, Entry], entry: Entry, version: int | None) -> None:
    """Mark a write as undone; the one before it on the same record is that of the present version again."""
    entry.undone = True
    for other in known.values():
        if other.ids[-1:] == entry.ids[-1:] and entry.version is not None and other.version == entry.version - 1:
            other.stands = version


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
