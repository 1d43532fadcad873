"""A new company with a plan that has backups, and what its archives have."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sdk import CrmClient
from crm_sdk.models import Backup, RestoreResult
from server_stub import StubServer

PASSWORD = "Correct-Horse-7!"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Founded:
    """A new company, and the client of its administrator."""

    id: str
    slug: str
    user_id: str
    email: str
    crm: CrmClient

    def sign_in(self) -> None:
        """Sign in again: a session that is not used ends."""
        self.crm.auth.login(self.email, PASSWORD)

    def backup(self, **given: Any) -> Backup:
        made = self.crm.backups.create(**given).wait()
        assert (made.status, made.error) == ("succeeded", None)
        return made

    def restore(self, backup: Backup, mode: str = "drill", **given: Any) -> RestoreResult:
        if mode == "replace":
            given = {"confirm": self.slug, **given}
        return self.crm.backups.restore(backup.id, mode=mode, **given).wait()

    def archive(self, backup: Backup) -> bytes:
        return self.crm.files.download(backup.file_id or "").read()

    def take_over(self, content: bytes, **given: Any) -> Backup:
        file = self.crm.files.upload(("archive.zip", content), on_conflict="rename")
        return self.crm.backups.create(file_id=file.id, **given)


def found(stub: StubServer, name: str, plan: str | None = "enterprise") -> Founded:
    crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
    email = f"founder@{name.lower()}.test"
    made = crm.auth.register(email=email, password=PASSWORD, name="Founder", company=name)
    crm.auth.login(email, PASSWORD)
    assert made.tenant is not None
    if plan is not None:
        crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
        crm.tenants.billing.upgrade("current", plan)
    return Founded(made.tenant.id, made.tenant.slug, made.user.id, email, crm)


def parts_of(content: bytes) -> dict[str, bytes]:
    """Return what an archive has, but for the manifest, which has times."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist() if name != MANIFEST}


def manifest_of(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        found: dict[str, Any] = json.loads(zipped.read(MANIFEST))
    return found


def lines_of(content: bytes, entity: str) -> list[dict[str, Any]]:
    text = next((text for name, text in parts_of(content).items() if name.endswith(f"/{entity}.jsonl")), b"")
    return [json.loads(line) for line in text.splitlines()]


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def changed(content: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> bytes:
    """Return an archive with other members; one of which `change` makes None is left out."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        pairs = (change(name, file.read(name)) for name in file.namelist())
        return zipped(dict(pair for pair in pairs if pair is not None))
