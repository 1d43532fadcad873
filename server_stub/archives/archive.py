"""Archives: a zip of ``manifest.json``, a file of JSON lines for each entity, and the contents of files.

The manifest has the format, the company, the position in its changes, and the number of rows and the SHA-256 of every
part; a content is called by its own. The same records make the same archive but for the times in the manifest.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from crm_sdk.wire import is_array, is_object

from ..data.document import Document
from ..data.store import Store
from ..problems import Problem
from ..serving import Collections, Context, Members
from .lines import read_line, write_line
from .parts import (
    COMPANY,
    COMPANY_MEMBERS,
    DELETED,
    INCLUDES,
    KINDS,
    OBJECT_RECORDS,
    Scope,
    at_home,
    away,
    name_of,
    records_of,
)

FORMAT = 1
MANIFEST = "manifest.json"
_CONTENTS = "contents/"
_RATIO = 100
"""What takes more than this when it is unpacked is no archive of ours."""
_SAFE_RATIO = 50
"""What would shrink by more than this is stored as it is."""
_DATE = (1980, 1, 1, 0, 0, 0)
_NAMED = "$kind"
"""In a line of the part of deleted records, the collection that the record is from."""


@dataclass(frozen=True, slots=True)
class Part:
    """The records of one entity."""

    name: str
    kind: str
    path: str
    docs: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive has."""

    tenant: Mapping[str, Any]
    position: str
    scope: Scope
    parts: Sequence[Part]
    deleted: Mapping[str, Sequence[Document]] = field(default_factory=dict[str, Sequence[Document]])
    """The deleted records, by collection."""
    series: Mapping[str, int] = field(default_factory=dict[str, int])
    """The last numbers of the series of its ids, so that no new record gets one of them."""
    company: Document | None = None
    """The settings of the company itself."""
    contents: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of live records, by entity."""
        found: Counter[str] = Counter()
        for part in self.parts:
            found[part.name] += len(part.docs)
        return dict(found)

    def at_home(self, tenant_id: str) -> Archive:
        """Return the archive with its records as those of a company."""
        return replace(
            self,
            parts=[
                replace(part, docs=[at_home(part.kind, doc, tenant_id) for doc in part.docs]) for part in self.parts
            ],
            deleted={kind: [at_home(kind, doc, tenant_id) for doc in docs] for kind, docs in self.deleted.items()},
        )

    def of_kind(self, kind: str) -> Iterator[Document]:
        """Yield the live records of a collection, in their order."""
        for part in self.parts:
            if part.kind == kind:
                yield from part.docs

    def all_of_kind(self, kind: str) -> Iterator[Document]:
        """Yield the records of a collection, those that are deleted last."""
        yield from self.of_kind(kind)
        yield from self.deleted.get(kind, ())


# -- what a company has ------------------------------------------------------------------------------------------------


def parts_of(collections: Collections, scope: Scope) -> tuple[list[Part], dict[str, list[Document]]]:
    """Return the parts of a company's present records, and its deleted records by collection."""
    parts: list[Part] = []
    deleted: dict[str, list[Document]] = {}
    for kind in scope.kinds():
        live: dict[str, list[Document]] = {}
        for doc in records_of(collections, kind, scope):
            if doc.get("deleted_at") is not None:
                deleted.setdefault(kind.name, []).append(doc)
            else:
                live.setdefault(name_of(kind.name, doc), []).append(doc)
        folder = f"{kind.include}/records" if kind.name == OBJECT_RECORDS else kind.include
        parts += [Part(name, kind.name, f"{folder}/{name}.jsonl", docs) for name, docs in sorted(live.items())]
    return parts, deleted


def taken_archive(call: Context, scope: Scope, position: str) -> Archive:
    """Return what an archive of the company has now."""
    return archive_of(
        *parts_of(call.collection, scope), scope, position, call.tenant, call.server.store, call.server.contents.read
    )


def archive_of(
    parts: Sequence[Part],
    deleted: Mapping[str, Sequence[Document]],
    scope: Scope,
    position: str,
    tenant: Members,
    store: Store,
    read_content: Callable[[str], bytes],
) -> Archive:
    """Return an archive of records of a company; `read_content` gives the content of a file by its SHA-256."""
    everything = [doc for part in parts for doc in part.docs] + [doc for docs in deleted.values() for doc in docs]
    prefixes = {f"{doc['id'].rpartition('_')[0]}_" for doc in everything}
    sums = {doc["checksum"] for part in parts if part.kind == "file_version" for doc in part.docs}
    company = {"id": COMPANY, **{name: tenant.get(name) for name in COMPANY_MEMBERS}}
    return Archive(
        tenant={name: tenant[name] for name in ("id", "slug", "name")},
        position=position,
        scope=scope,
        parts=parts,
        deleted=deleted,
        series={prefix: last for prefix in sorted(prefixes) if (last := store.last_count(prefix))},
        company=Document(company) if scope.has_company else None,
        contents=dict(_contents(read_content, sorted(sums))),
    )


def facts(archive: Archive, content: bytes) -> dict[str, Any]:
    """Return the members of a backup that its archive tells."""
    return {
        "status": "succeeded",
        "counts": archive.counts,
        "size": len(content),
        "checksum": hashlib.sha256(content).hexdigest(),
        "format_version": FORMAT,
        "position": archive.position,
        "tenant_slug": archive.tenant["slug"],
    }


def _contents(read: Callable[[str], bytes], checksums: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the contents of files; one that is lost already is not there, and keeps no backup from being made."""
    for checksum in checksums:
        with suppress(FileNotFoundError):
            yield checksum, read(checksum)


# -- writing -----------------------------------------------------------------------------------------------------------


def write(archive: Archive, made: Mapping[str, Any]) -> bytes:
    """Return an archive as a file; `made` are further members of the manifest."""
    files = {part.path: [write_line(away(part.kind, doc)) for doc in part.docs] for part in archive.parts}
    if archive.company is not None:
        files[f"configuration/{COMPANY}.jsonl"] = [write_line(archive.company)]
    gone = [write_line(away(kind, doc) | {_NAMED: kind}) for kind, docs in archive.deleted.items() for doc in docs]
    if gone:
        files[f"data/{DELETED}.jsonl"] = gone
    texts = {path: b"".join(line + b"\n" for line in lines) for path, lines in files.items()}
    manifest: dict[str, Any] = {
        "format_version": FORMAT,
        "tenant": dict(archive.tenant),
        "position": archive.position,
        "include": list(archive.scope.include),
        "entity_types": list(archive.scope.entity_types) if archive.scope.entity_types is not None else None,
        "series": dict(archive.series),
        "parts": [
            {
                "path": path,
                "kind": next((part.kind for part in archive.parts if part.path == path), None),
                "name": path.rpartition("/")[2].removesuffix(".jsonl"),
                "rows": len(files[path]),
                "sha256": hashlib.sha256(text).hexdigest(),
            }
            for path, text in texts.items()
        ],
        "contents": list(archive.contents),
        **made,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        _put(zipped, MANIFEST, json.dumps(manifest).encode())
        for path, text in texts.items():
            _put(zipped, path, text)
        for checksum, content in archive.contents.items():
            _put(zipped, f"{_CONTENTS}{checksum}", content)
    return out.getvalue()


def _put(zipped: zipfile.ZipFile, path: str, content: bytes) -> None:
    small = len(zlib.compress(content, 6)) * _SAFE_RATIO >= len(content)
    info = zipfile.ZipInfo(path, _DATE)
    info.external_attr = 0o600 << 16
    info.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
    zipped.writestr(info, content)


# -- reading -----------------------------------------------------------------------------------------------------------


def invalid_archive(why: str) -> Problem:
    """Return the 422 for a file that is no archive."""
    return Problem("INVALID_ARCHIVE", f"this is no archive of a backup: {why}", field="file_id", rule="format")


def read(content: bytes) -> Archive:
    """Read an archive whole, and check every part of it. Raises: 422 INVALID_ARCHIVE."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            return _Reader(zipped, len(content)).archive()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise invalid_archive(f"it cannot be unpacked ({error})") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, ArithmeticError) as error:
        raise invalid_archive(f"it cannot be read ({type(error).__name__}: {error})") from None


class _Reader:
    """Reads one archive."""

    def __init__(self, zipped: zipfile.ZipFile, size: int) -> None:
        self._zipped = zipped
        infos = zipped.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            raise invalid_archive("a part is in it twice")
        for info in infos:
            self._check(info)
        if sum(info.file_size for info in infos) > _RATIO * max(size, 1):
            raise invalid_archive(f"it unpacks to more than {_RATIO} times its size")
        self._left = set(names)

    def _check(self, info: zipfile.ZipInfo) -> None:
        """Refuse what would lead out of a directory, or be far larger than it looks."""
        name = info.filename
        if name.startswith("/") or "\\" in name or ":" in name or any(p in ("", ".", "..") for p in name.split("/")):
            raise invalid_archive(f"{name!r} is no path of a part")
        if info.file_size > _RATIO * max(info.compress_size, 1):
            raise invalid_archive(f"{name} unpacks to more than {_RATIO} times its size")
        if info.flag_bits & 1:
            raise invalid_archive(f"{name} is encrypted")

    def _take(self, name: str) -> bytes:
        if name not in self._left:
            raise invalid_archive(f"{name} is missing")
        self._left.remove(name)
        return self._zipped.read(name)

    def archive(self) -> Archive:
        """Return what the archive has."""
        manifest: Any = json.loads(self._take(MANIFEST))
        version = manifest.get("format_version") if is_object(manifest) else None
        if type(version) is not int or version != FORMAT:
            raise invalid_archive(f"its format is {version!r}, and {FORMAT} is the one that is known")
        include, entities = manifest["include"], manifest["entity_types"]
        if not _texts(include) or not set(include) <= set(INCLUDES) or not (entities is None or _texts(entities)):
            raise invalid_archive("its manifest does not say what it has")
        tenant = {name: str(manifest["tenant"][name]) for name in ("id", "slug", "name")}
        series = {str(prefix): _whole(last) for prefix, last in manifest["series"].items()}
        parts: list[Part] = []
        deleted: dict[str, list[Document]] = {}
        company: Document | None = None
        for entry in manifest["parts"]:
            docs = self._docs(entry)
            if entry["kind"] is not None:
                parts.append(Part(str(entry["name"]), _kind(entry["kind"]), str(entry["path"]), docs))
            elif entry["name"] == COMPANY and len(docs) == 1:
                company = docs[0]
            elif entry["name"] == DELETED:
                for doc in docs:
                    kind = _kind(doc[_NAMED])
                    doc["deleted_at"].isoformat()
                    deleted.setdefault(kind, []).append(
                        Document({name: value for name, value in doc.items() if name != _NAMED})
                    )
            else:
                raise invalid_archive(f"{entry['path']} is no part that is known")
        contents = {str(checksum): self._content(str(checksum)) for checksum in manifest["contents"]}
        if self._left:
            raise invalid_archive(f"{min(self._left)} is not in its manifest")
        archive = Archive(
            tenant, str(manifest["position"]), Scope(include, entities), parts, deleted, series, company, contents
        )
        _check_whole(archive)
        return archive

    def _docs(self, entry: Mapping[str, Any]) -> list[Document]:
        """Return the records of a part. Raises: 422 where they are not those that were written."""
        path = str(entry["path"])
        text = self._take(path)
        if hashlib.sha256(text).hexdigest() != entry["sha256"]:
            raise invalid_archive(f"{path} is damaged: it has another checksum than when it was written")
        docs = [read_line(line) for line in text.split(b"\n") if line]
        if len(docs) != entry["rows"] or len({doc["id"] for doc in docs}) != len(docs):
            raise invalid_archive(f"{path} does not have its {entry['rows']} records")
        return docs

    def _content(self, checksum: str) -> bytes:
        content = self._take(f"{_CONTENTS}{checksum}")
        if hashlib.sha256(content).hexdigest() != checksum:
            raise invalid_archive(f"the content {checksum} is damaged")
        return content


def _check_whole(archive: Archive) -> None:
    """Raise 422 where parts do not fit together."""
    allowed = {kind.name for kind in archive.scope.kinds()}
    kinds = {part.kind for part in archive.parts} | archive.deleted.keys()
    if not kinds <= allowed:
        raise invalid_archive(f"{min(kinds - allowed)} is not in what it says it has")
    for kind in kinds:
        ids = [doc["id"] for doc in archive.all_of_kind(kind)]
        if len(set(ids)) != len(ids):
            raise invalid_archive(f"a record of the type {kind} is in it twice")
    if any(part.kind == OBJECT_RECORDS and doc["object"] != part.name for part in archive.parts for doc in part.docs):
        raise invalid_archive("a record is of another custom object than its part")


def _texts(value: object) -> bool:
    return is_array(value) and bool(value) and all(isinstance(item, str) for item in value)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"{value!r} is no number of a series")
    return value


def _kind(name: Any) -> str:
    if name not in KINDS:
        raise invalid_archive(f"{name!r} is no type of records that is known")
    return str(name)
