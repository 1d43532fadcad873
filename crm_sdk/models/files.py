"""Files: their records, versions, permissions, previews, and what can be made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .record import Model, Record
from .reports import SharedWith
from .shares import Access, Share
from .values import EMAIL_PATTERN, EMPTY, EntityRef, LanguageTag, Tags

ScanStatus: TypeAlias = Literal["pending", "clean", "infected"] | str
NameConflict: TypeAlias = Literal["rename", "replace", "new_version", "reject"] | str
FileOperation: TypeAlias = Literal["resize", "convert", "rotate", "compress", "extract_text"] | str
SaveAs: TypeAlias = Literal["new", "version"] | str
PictureFit: TypeAlias = Literal["contain", "cover", "fill"] | str
MadeFormat: TypeAlias = Literal["png", "jpeg", "webp", "gif", "pdf", "txt", "csv"] | str
ThumbnailSize: TypeAlias = Literal["small", "medium", "large"] | str
ThumbnailFormat: TypeAlias = Literal["png", "jpeg"] | str
PreviewKind: TypeAlias = Literal["image", "text", "table", "pdf", "none"] | str
ShareDirection: TypeAlias = Literal["with_me", "by_me"] | str
PermissionSubject: TypeAlias = Literal["user", "team", "role"] | str
FileSort: TypeAlias = Literal["id", "name", "size", "created_at", "updated_at"] | str
FileVersionSort: TypeAlias = Literal["id", "revision", "created_at", "updated_at"] | str
SharedFileSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
FileName: TypeAlias = Annotated[str, Field(min_length=1, max_length=255)]
"""A name without a path: no ``/`` and ``\\``, no control characters, none that a system reserves."""
FolderPath: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
"""The path of a folder from the root: ``/contracts/2026``."""
Revision: TypeAlias = Annotated[int, Field(ge=1, le=10**9)]
FileText: TypeAlias = Annotated[str, Field(max_length=10_000)]
FileLabel: TypeAlias = Annotated[str, Field(max_length=255)]


def _with_unit(given: str) -> str:
    """Return a range with its unit, as it travels."""
    return given if "=" in given else f"bytes={given}"


ByteRange: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_with_unit)]
"""Bytes of a file (RFC 9110, 14.1.2): ``0-99`` the first hundred, ``100-`` all after, ``-100`` the last hundred."""
ShareAddress: TypeAlias = Annotated[str, Field(pattern=EMAIL_PATTERN, max_length=254)]
"""An e-mail address."""
SharePassword: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_Edge: TypeAlias = Annotated[int, Field(ge=1, le=8_192)]


class File(Record):
    """A file; its bytes are downloaded."""

    name: str
    content_type: str | None = None
    """What kind of file it is (MIME), by its content."""
    size: int | None = None
    """The size in bytes."""
    url: str | None = None
    """Where it is downloaded."""
    checksum: str | None = None
    """The SHA-256 of the content, in hexadecimal."""
    folder: Annotated[str | None, Default("/")] = None
    """The path of its folder."""
    description: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    owner_id: str | None = None
    related_to: EntityRef | None = None
    """The record that it belongs to."""
    visibility: Annotated[SharedWith | None, Default("tenant")] = None
    """Who sees it beside its owner."""
    revision: Annotated[int | None, Default(1)] = None
    """The number of its current version, from 1; `version` is that of the record."""
    width: int | None = None
    """The width of a picture in pixels."""
    height: int | None = None
    """The height of a picture in pixels."""
    page_count: int | None = None
    """The number of pages of a document."""
    duration_seconds: int | None = None
    """How long a recording lasts."""
    scan_status: Annotated[ScanStatus | None, Default("clean")] = None
    """What the search for viruses has found; an infected file is locked."""
    shared: Annotated[bool | None, Default(False)] = None
    """Whether somebody has a share of it, or a permission of their own."""
    expires_at: AwareDatetime | None = None
    """When it is deleted."""
    metadata: dict[str, Any] | None = None
    """Your own data about it."""


class FileTechnical(Model):
    """What a file's content tells about itself."""

    content_type: str | None = None
    """What kind of file it is (MIME)."""
    size: int | None = None
    """The size in bytes."""
    checksum: str | None = None
    """The SHA-256 of the content, in hexadecimal."""
    encoding: str | None = None
    """The character encoding of a text."""
    width: int | None = None
    """The width of a picture in pixels."""
    height: int | None = None
    """The height of a picture in pixels."""
    page_count: int | None = None
    """The number of pages of a document."""
    duration_seconds: int | None = None
    """How long a recording lasts."""
    has_thumbnail: bool | None = None
    """Whether there is a small picture of it."""
    has_preview: bool | None = None
    """Whether a preview shows something of it."""


class FileMetadata(Model):
    """What people and programs say about a file."""

    file_id: str
    title: str | None = None
    description: str | None = None
    author: str | None = None
    """Who made the content."""
    language: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    copyright: str | None = None
    """Who holds the rights."""
    taken_at: AwareDatetime | None = None
    """When a picture was taken."""
    technical: FileTechnical | None = None
    """What the content tells; it cannot be written."""
    metadata: dict[str, Any] | None = None
    """Your own data about the file."""


@with_config(INPUT)
class FileMetadataUpdate(TypedDict, total=False):
    """Changes of a file's metadata: absent members stay, null clears, `metadata` merges member by member."""

    title: FileLabel | None
    description: FileText | None
    author: FileLabel | None
    language: LanguageTag | None
    tags: Tags | None
    copyright: FileLabel | None
    taken_at: AwareDatetime | None
    metadata: dict[str, Any] | None


class FileVersion(Model):
    """One version of a file."""

    id: str
    file_id: str
    revision: int
    """The number of the version, from 1."""
    size: int | None = None
    """The size in bytes."""
    checksum: str | None = None
    """The SHA-256 of the content, in hexadecimal."""
    content_type: str | None = None
    """What kind of file it is (MIME)."""
    comment: str | None = None
    """What was changed."""
    is_current: bool | None = None
    """Whether it is the one that is downloaded."""
    created_at: AwareDatetime | None = None
    created_by: str | None = None


class FilePermission(Model):
    """What one user, team or role may do with a file."""

    subject_type: PermissionSubject
    """Whether a user, a team or a role has it."""
    subject_id: str
    """Id of the user, team or role."""
    access: Access
    """What they may do."""


@with_config(INPUT)
class FilePermissionInput(TypedDict, total=False):
    """What one user, team or role may do with a file."""

    subject_type: Required[PermissionSubject]
    """Whether a user, a team or a role has it."""
    subject_id: Required[Annotated[str, Field(min_length=1, max_length=100)]]
    """Id of the user, team or role."""
    access: Required[Access]
    """What they may do."""


class FilePermissions(Model):
    """Who may use a file, beside its owner."""

    file_id: str
    visibility: SharedWith | None = None
    """Who sees it beside its owner."""
    entries: list[FilePermission] = Field(default_factory=EMPTY)
    """What users, teams and roles may do with it."""
    inherited_from: EntityRef | None = None
    """The record that the file belongs to: whoever may read it may view the file."""


class SharedFile(Model):
    """A file with the share that gives access to it."""

    file: File
    """The file."""
    share: Share
    """What gives access to it."""

    @property
    def id(self) -> str:
        """The id of the share."""
        return self.share.id


class FileScan(Model):
    """What a search for viruses has found."""

    file_id: str | None = None
    """Id of the file; none where only bytes were scanned."""
    status: ScanStatus
    threats: list[str] = Field(default_factory=EMPTY)
    """The names of what was found."""
    engine: str | None = None
    """What has searched."""
    scanned_at: AwareDatetime | None = None
    """When the search ended."""
    size: int | None = None
    """The number of bytes that were scanned."""
    checksum: str | None = None
    """The SHA-256 of the content, in hexadecimal."""


class FilePreview(Model):
    """What can be shown of a file without downloading it."""

    file_id: str
    kind: PreviewKind
    text: str | None = None
    """The first 64 kB of a text, or the text of a page."""
    rows: list[list[str]] | None = None
    """The first hundred rows of a table."""
    image_url: str | None = None
    """Where a small picture of it is."""
    page: int | None = None
    """The number of the page."""
    page_count: int | None = None
    """The number of pages of a document."""
    truncated: bool | None = None
    """Whether there is more of it than is shown."""


@with_config(INPUT)
class ProcessOptions(TypedDict, total=False):
    """How a file is processed."""

    width: _Edge | None
    """The greatest width in pixels, or the exact one for `cover` and `fill`."""
    height: _Edge | None
    """The greatest height in pixels, or the exact one for `cover` and `fill`."""
    fit: PictureFit | None
    """`contain` keeps the whole picture, `cover` fills the size and cuts, `fill` distorts."""
    format: MadeFormat | None
    """The format that is made."""
    quality: Annotated[int, Field(ge=1, le=100)] | None
    """The quality of a picture that is compressed with loss."""
    rotate: Literal[0, 90, 180, 270] | None
    """By how many degrees it is turned, clockwise."""
    pages: Annotated[str, Field(max_length=200)] | None
    """The pages of a document to keep: `1-3,5`."""
