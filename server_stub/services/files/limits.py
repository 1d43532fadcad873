"""How large a file may be, and how much a company may store."""

from __future__ import annotations

from ...files.storing import FILE, VERSION
from ...problems import Problem
from ...request.access.plans import limit_of
from ...serving import Context


def stored_bytes(call: Context) -> int:
    """Return how many bytes the versions of the company's files have together."""
    files = call.collection(FILE)
    return sum(version["size"] for version in call.collection(VERSION) if version["file_id"] in files)


def require_room(call: Context, size: int, freed: int = 0) -> None:
    """Raise 422 FILE_TOO_LARGE for a file that is too large, 403 LIMIT_EXCEEDED where the storage is used up."""
    largest = limit_of(call.tenant, "file_size_bytes")
    if largest is not None and size > largest:
        message = f"a file has at most {largest} bytes, this one has {size}"
        raise Problem("FILE_TOO_LARGE", message, field="file", details={"limit": largest, "size": size})
    require_storage(call, size, freed)


def require_storage(call: Context, size: int, freed: int = 0) -> None:
    """Raise 403 LIMIT_EXCEEDED where so many bytes more are beyond the storage."""
    most, used = limit_of(call.tenant, "storage_bytes"), stored_bytes(call) - freed
    if most is not None and used + size > most:
        message = f"the plan allows {most} bytes of files, {used} are used, and this one has {size}"
        raise Problem("LIMIT_EXCEEDED", message, details={"key": "storage_bytes", "limit": most, "used": used})
