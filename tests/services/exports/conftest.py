"""What the tests of exports stand on: clients of a company, and a function that returns the file of an export."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from newcomers import New, admin, signed_in

from crm_sdk import CrmClient
from crm_sdk.models import ExportResult
from server_stub import StubServer

_numbers = count(1)
__all__ = ["Made", "New", "admin", "export", "new", "sales"]


@dataclass(frozen=True)
class Made:
    """An export that is done: its result, its job as it is listed, and its file."""

    result: ExportResult
    job_id: str
    content: bytes

    def rows(self, delimiter: str = ",") -> list[dict[str, str]]:
        """Return the rows of a CSV file."""
        return list(csv.DictReader(io.StringIO(self.content.decode("utf-8-sig")), delimiter=delimiter))

    def lines(self) -> list[Any]:
        """Return the objects of a file of JSON lines."""
        return [json.loads(line) for line in self.content.decode().splitlines()]

    def zip(self) -> dict[str, bytes]:
        """Return the files of a zip by their names."""
        archive = zipfile.ZipFile(io.BytesIO(self.content))
        return {name: archive.read(name) for name in archive.namelist()}


def export(crm: CrmClient, *entity_types: str, **more: Any) -> Made:
    """Export records, wait, and fetch the file."""
    request: Any = {"entity_types": list(entity_types), **more}
    job = crm.exports.create(request)
    result = job.wait()
    return Made(result, job.id, crm.files.download(result.file_id).read())


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def new(stub: StubServer, admin: CrmClient) -> New:
    """Make a user with a role of one's own, who has signed in; returns the user's id and client."""

    def make(*permissions: str, **more: Any) -> tuple[str, CrmClient]:
        number = next(_numbers)
        given: list[Any] = [
            dict(zip(("resource", "action", "scope"), text.replace("@", ":").split(":"), strict=True))
            for text in permissions
        ]
        body: Any = {"key": f"exporter_{number}", "name": f"Exporter {number}", "permissions": given, **more}
        role = admin.security.roles.create(body)
        user, crm = signed_in(stub, admin, role.key, strict=False)
        return user.id, crm

    return make
