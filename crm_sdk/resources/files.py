"""Files: upload and download, versions, permissions, shares, pictures and previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AwareDatetime, Field
from typing_extensions import Unpack

from ..declare import download, operation, paginated
from ..listing import Listing, Sorting
from ..network.downloads import Download
from ..paging import Page
from ..resource import Mode, Resource, part
from .file_parts import CONTENT_ERRORS, FILE, FILE_TEXTS, FileMetadataPart, FilePermissionsPart, FileVersions

if TYPE_CHECKING:
    from ..models.files import (
        ByteRange,
        File,
        FileName,
        FileOperation,
        FilePreview,
        FileScan,
        FileSort,
        FileText,
        FolderPath,
        NameConflict,
        ProcessOptions,
        Revision,
        SaveAs,
        ScanStatus,
        ShareAddress,
        SharedFile,
        SharedFileSort,
        ShareDirection,
        SharePassword,
        ThumbnailFormat,
        ThumbnailSize,
    )
    from ..models.reports import SharedWith
    from ..models.shares import Access, Share
    from ..models.values import EntityRefInput, PageNumber, Tags, Upload

_PLACE = {
    "folder": "The path of the folder, from the root.",
    "name": "The name of the file, without a path.",
    "related_to": "The record that the file belongs to.",
}


class Files(Resource[Mode]):
    """Files, which belong to a folder and to a record."""

    versions: FileVersions[Mode] = part(FileVersions)
    metadata: FileMetadataPart[Mode] = part(FileMetadataPart)
    permissions: FilePermissionsPart[Mode] = part(FilePermissionsPart)

    @operation(
        platform="POST /files/upload",
        status=201,
        statuses=(200,),
        errors=(
            *CONTENT_ERRORS,
            "FILE_EXISTS",
            "REFERENCE_NOT_FOUND",
            "CONTENT_TYPE_CHANGED",
            "LEGAL_HOLD",
            "FILE_LOCKED",
        ),
        texts={
            **_PLACE,
            "file": "The content: a path, bytes, or an open file.",
            "visibility": "Who sees it beside its owner.",
            "metadata": "Your own data about it.",
            "on_conflict": "What is done where the folder has a file of this name.",
        },
    )
    def upload(
        self,
        file: Upload,
        *,
        name: FileName | None = None,
        folder: FolderPath = "/",
        related_to: EntityRefInput | None = None,
        visibility: SharedWith = "tenant",
        description: FileText | None = None,
        tags: Tags | None = None,
        metadata: dict[str, Any] | None = None,
        on_conflict: NameConflict = "rename",
    ) -> File:
        """Upload a file; the caller owns it. It is sent piece by piece, whatever its size.

        The name is that of the path or file, unless `name` is given. Where the folder has a file of this name,
        `on_conflict` gives this one a number, puts it in the other's place, makes it the other's new version, or
        refuses it.

        Raises: ValidationError for a name with a path, an infected or a too large file, or an unknown record;
        PermissionDeniedError where the storage of the plan is used up; ConflictError when the name is taken and
        `on_conflict` is ``reject``.
        """

    @paginated(
        platform="GET /files",
        ours=True,
        errors=("INVALID_FILE_NAME",),
        texts={
            "folder": "The path of the folder, from the root.",
            "recursive": "Whether the folders in it count as well.",
            "related_type": "The kind of the record that the file belongs to.",
            "related_id": "Id of the record that the file belongs to.",
        },
    )
    def list(
        self,
        *,
        folder: FolderPath | None = None,
        recursive: bool = False,
        content_type: str | None = None,
        related_type: str | None = None,
        related_id: str | None = None,
        owner_id: str | None = None,
        scan_status: ScanStatus | None = None,
        sort: FileSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[File]:
        """List the files that the caller may see, of all folders or of one.

        Raises: ValidationError for a folder that is no path from the root, or a member that cannot be sorted by.
        """

    @operation(platform=f"GET {FILE}", texts=FILE_TEXTS)
    def get(self, file_id: str) -> File:
        """Fetch the record of a file; `download` has its bytes.

        Raises: NotFoundError, also for a file that the caller may not see.
        """

    @operation(platform=f"DELETE {FILE}", errors=("LEGAL_HOLD",), texts=FILE_TEXTS)
    def delete(self, file_id: str) -> None:
        """Delete a file with all its versions; its shares end.

        Raises: NotFoundError; PermissionDeniedError; ConflictError for a file on legal hold.
        """

    @download(
        platform=f"GET {FILE}/thumbnail",
        media=("image/png", "image/jpeg"),
        errors=("NO_THUMBNAIL", "FILE_LOCKED"),
        texts={**FILE_TEXTS, "size": "64, 128 or 256 pixels.", "format": "The format of the picture."},
    )
    def thumbnail(self, file_id: str, *, size: ThumbnailSize = "medium", format: ThumbnailFormat = "png") -> Download:
        """Download a small picture of a file: at most 64, 128 or 256 pixels wide and high.

        Raises: NotFoundError; ConflictError for a file of which there is no picture.
        """

    @download(
        platform=f"GET {FILE}/download",
        statuses=(206, 304),
        media=("*/*",),
        headers={"byte_range": "Range"},
        ticket="share_token",
        errors=("FILE_LOCKED", "SHARE_EXPIRED", "RANGE_NOT_SATISFIABLE"),
        texts={
            **FILE_TEXTS,
            "revision": "The number of the version, by default the current one.",
            "byte_range": "The bytes to send: `0-99`, all after a hundred `100-`, or the last hundred `-100`.",
            "share_token": "The token of a link, which stands for a credential.",
            "password": "The password of the link.",
        },
    )
    def download(
        self,
        file_id: str,
        *,
        revision: Revision | None = None,
        byte_range: ByteRange | None = None,
        share_token: Annotated[str, Field(max_length=200)] | None = None,
        password: SharePassword | None = None,
    ) -> Download:
        """Download the bytes of a file, as a stream; `checksum` of the download is their SHA-256.

        With `byte_range` a broken-off download is resumed. `share_token` is that of a link: with it no credential is
        needed.

        Raises: NotFoundError; PermissionDeniedError for an infected file, a link that has expired or is used up, and
        for a wrong password.
        """

    @operation(
        platform=f"POST {FILE}/copy",
        status=201,
        errors=("INVALID_FILE_NAME", "FILE_TOO_LARGE", "LIMIT_EXCEEDED", "FILE_LOCKED", "REFERENCE_NOT_FOUND"),
        texts={**FILE_TEXTS, **_PLACE},
    )
    def copy(
        self,
        file_id: str,
        *,
        folder: FolderPath | None = None,
        name: FileName | None = None,
        related_to: EntityRefInput | None = None,
    ) -> File:
        """Copy the current version of a file; the caller owns the copy, and permissions are not copied.

        Where the name is taken it gets a number: ``offer (1).pdf``.

        Raises: NotFoundError; ValidationError for a name with a path; PermissionDeniedError.
        """

    @operation(
        platform=f"POST {FILE}/move",
        action="update",
        errors=("INVALID_FILE_NAME", "FILE_EXISTS"),
        texts={**FILE_TEXTS, "folder": _PLACE["folder"], "name": _PLACE["name"]},
    )
    def move(self, file_id: str, *, folder: FolderPath, name: FileName | None = None) -> File:
        """Move a file to a folder, and rename it where `name` is given.

        Raises: NotFoundError; ConflictError when the name is taken there; ValidationError for a name with a path;
        PermissionDeniedError.
        """

    @operation(
        platform=f"POST {FILE}/share",
        status=201,
        errors=("ALREADY_SHARED", "SHARE_EXCEEDS_ACCESS", "REFERENCE_NOT_FOUND"),
        texts={
            **FILE_TEXTS,
            "user_id": "Id of the user to share it with.",
            "team_id": "Id of the team to share it with.",
            "email": "The address to share it with, by a link.",
            "link": "Whether to share it with whoever has the link.",
            "access": "What the receiver may do with it.",
            "expires_at": "When the access ends.",
            "password": "The password that the link asks for.",
            "max_downloads": "How often the link can be used.",
            "message": "What to tell the receiver.",
        },
    )
    def share(
        self,
        file_id: str,
        *,
        user_id: str | None = None,
        team_id: str | None = None,
        email: ShareAddress | None = None,
        link: bool = False,
        access: Access = "view",
        expires_at: AwareDatetime | None = None,
        password: SharePassword | None = None,
        max_downloads: Annotated[int, Field(ge=1, le=1_000_000)] | None = None,
        message: Annotated[str, Field(max_length=1_000)] | None = None,
    ) -> Share:
        """Share a file with a user, a team, an address or whoever has the link: exactly one of them.

        Raises: NotFoundError; ValidationError, also for a link with more access than `view`; ConflictError when it is
        shared with them already; PermissionDeniedError for more access than the caller has.
        """

    @paginated(
        platform="GET /files/shared",
        texts={
            "direction": "Whether to list what others share with the caller, or what the caller shares.",
            "access": "What the share permits.",
            "related_to": "Id of the record that the file belongs to.",
        },
    )
    def shared(
        self,
        *,
        direction: ShareDirection = "with_me",
        access: Access | None = None,
        related_to: str | None = None,
        sort: SharedFileSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[SharedFile]:
        """List the files that are shared with the caller, or that the caller shares; expired shares are left out.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform=f"POST {FILE}/process",
        status=201,
        statuses=(200,),
        errors=(
            "UNSUPPORTED_OPERATION", "IMAGE_TOO_LARGE", "CONTENT_TYPE_CHANGED", "VERSION_UNCHANGED", "FILE_TOO_LARGE",
            "LIMIT_EXCEEDED", "FILE_LOCKED",
        ),
        texts={
            **FILE_TEXTS,
            "operation": "What is done with it.",
            "options": "How it is done.",
            "save_as": "Whether the result is a new file or a new version of this one.",
            "wait": "Whether to wait for the result; the stub always does.",
        },
    )  # fmt: skip
    def process(
        self,
        file_id: str,
        operation: FileOperation,
        *,
        options: ProcessOptions | None = None,
        save_as: SaveAs = "new",
        wait: bool = True,
    ) -> File:
        """Resize, convert, rotate or compress a picture or document, or extract its text.

        Raises: NotFoundError; ValidationError for an operation that this kind of file does not have, or a picture of
        more than 50 megapixels; PermissionDeniedError.
        """

    @operation(
        platform="POST /files/scan",
        action="read",
        errors=("FILE_TOO_LARGE", "REFERENCE_NOT_FOUND"),
        texts={"file": "The content to scan, which is not kept.", "file_id": "Id of a stored file to scan."},
    )
    def scan(self, file: Upload | None = None, *, file_id: str | None = None) -> FileScan:
        """Search bytes, or a stored file, for viruses; give one of them. A stored file that is infected is locked.

        Raises: ValidationError unless exactly one is given.
        """

    @operation(
        platform=f"GET {FILE}/preview",
        errors=("FILE_LOCKED",),
        texts={**FILE_TEXTS, "page": "The number of the page of a document."},
    )
    def preview(self, file_id: str, *, page: PageNumber = 1) -> FilePreview:
        """Show something of a file: a text, the rows of a table, a page, or where its picture is.

        Raises: NotFoundError; PermissionDeniedError for an infected file.
        """
