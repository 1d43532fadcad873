"""What belongs to a file: its versions, its metadata, and who may use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.files import (
        FileMetadata,
        FileMetadataUpdate,
        FileName,
        FilePermissionInput,
        FilePermissions,
        FileText,
        FileVersion,
        FileVersionSort,
    )
    from ..models.reports import SharedWith
    from ..models.values import Upload

FILE = "/files/{file_id}"
FILE_TEXTS = {"file_id": "Id of the file."}
CONTENT_ERRORS = ("FILE_INFECTED", "FILE_TOO_LARGE", "LIMIT_EXCEEDED", "CHECKSUM_MISMATCH", "INVALID_FILE_NAME")


class FileVersions(Resource[Mode]):
    """The versions of a file."""

    @paginated(platform=f"GET {FILE}/versions", texts=FILE_TEXTS)
    def list(
        self, file_id: str, *, sort: FileVersionSort | None = None, **common: Unpack[Sorting]
    ) -> Page[FileVersion]:
        """List the versions of a file, the newest first.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"POST {FILE}/versions",
        status=201,
        action="update",
        errors=(*CONTENT_ERRORS, "VERSION_UNCHANGED", "CONTENT_TYPE_CHANGED", "FILE_EXISTS", "FILE_LOCKED"),
        texts={
            **FILE_TEXTS,
            "file": "The content: a path, bytes, or an open file.",
            "comment": "What was changed.",
            "name": "A new name of the file.",
        },
    )
    def create(
        self, file_id: str, file: Upload, *, comment: FileText | None = None, name: FileName | None = None
    ) -> FileVersion:
        """Upload a new version of a file, which becomes the current one.

        Raises: NotFoundError; ConflictError for the bytes that it has already; ValidationError for another kind of
        file, an infected or a too large one; PermissionDeniedError.
        """


class FileMetadataPart(Resource[Mode]):
    """The metadata of a file."""

    @operation(platform=f"GET {FILE}/metadata", texts=FILE_TEXTS)
    def get(self, file_id: str) -> FileMetadata:
        """Fetch the metadata of a file: what people say about it, and what its content tells.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {FILE}/metadata", texts=FILE_TEXTS)
    def update(
        self, file_id: str, changes: FileMetadataUpdate | FileMetadata, *, version: int | None = None
    ) -> FileMetadata:
        """Change the metadata of a file; description and tags are those of the file itself.

        With `version`, only if nobody has changed the file since that version.

        Raises: NotFoundError; PermissionDeniedError; ConflictError when `version` differs; ValidationError.
        """


class FilePermissionsPart(Resource[Mode]):
    """Who may use a file."""

    @operation(platform=f"GET {FILE}/permissions", texts=FILE_TEXTS)
    def get(self, file_id: str) -> FilePermissions:
        """Fetch who may use a file, beside its owner.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {FILE}/permissions",
        errors=("REFERENCE_NOT_FOUND",),
        texts={
            **FILE_TEXTS,
            "visibility": "Who sees it beside its owner.",
            "entries": "What users, teams and roles may do with it, in place of the present entries.",
        },
    )
    def update(
        self,
        file_id: str,
        *,
        visibility: SharedWith | None = None,
        entries: Annotated[Sequence[FilePermissionInput], Field(max_length=200)] | None = None,
    ) -> FilePermissions:
        """Change who may use a file; `entries` replace those that there are. The owner may do everything, always.

        Raises: NotFoundError; PermissionDeniedError without the access to manage it; ValidationError for an unknown
        user, team or role.
        """
