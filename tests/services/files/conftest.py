"""What the tests of files stand on: clients of several people, and contents of several kinds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from itertools import count

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import File
from server_stub import StubServer
from server_stub.files.scanning import EICAR
from server_stub.request.access.identity import fingerprint

ACME = "tenant_acme"
_numbers = count(1)


def encoded(width: int, height: int, depth: int, rows: bytes) -> bytes:
    """Return a PNG of grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def picture(width: int = 40, height: int = 20, grey: int = 200) -> bytes:
    return encoded(width, height, 8, (b"\0" + bytes([grey]) * width) * height)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


VIRUS = EICAR


def put(crm: CrmClient, name: str | None = None, content: bytes | None = None, **said: object) -> File:
    """Upload a file; without a name or content each has its own."""
    number = next(_numbers)
    pair = (name or f"file-{number}.txt", f"text {number}".encode() if content is None else content)
    return crm.files.upload(pair, **said)  # type: ignore[arg-type] # each test says what it gives


def client(stub: StubServer, key: str) -> CrmClient:
    return stub.client(api_key=key, dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return client(stub, "acme-admin")


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    """user_sam."""
    return client(stub, "acme-sales")


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return client(stub, "globex-admin")


@pytest.fixture
def reader(stub: StubServer) -> CrmClient:
    return _as_user(stub, "user_rita", "read_only")


@pytest.fixture
def manager(stub: StubServer) -> CrmClient:
    return _as_user(stub, "user_mia", "manager")


@pytest.fixture
def mate(stub: StubServer) -> CrmClient:
    """Another salesperson than `sales`: user_123."""
    return _as_user(stub, "user_123", "sales")


def _as_user(stub: StubServer, user_id: str, role: str) -> CrmClient:
    key = {"id": f"apikey_{user_id}", "name": user_id, "role": role, "user_id": user_id, "tenant_id": ACME}
    keys = stub.store.collection(ACME, "api_key")
    keys.put({**key, "fingerprint": fingerprint(user_id), "last_used_at": None, "revoked_at": None})
    return client(stub, user_id)
