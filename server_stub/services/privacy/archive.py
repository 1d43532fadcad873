"""The archive of a person's data: one JSON file for each kind of records, and the files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.models.audit import AuditLog
from crm_sdk.models.notification_preferences import Subscription
from crm_sdk.wire import encode_json

from ...data.document import Document
from ...files.storing import FILE, content_of, store_bytes
from ...history import audit
from ...request.answering.rendering import renderer
from ...serving import Context
from ..audit.logs import shown_entry
from .subjects import model_of

_KEPT = timedelta(days=7)
_MODELS: Mapping[str, Any] = {audit.KIND: AuditLog, "subscription": Subscription}


def store(call: Context, found: Mapping[str, Sequence[tuple[str, Document]]], *, with_files: bool) -> str:
    """Store the archive of records, by the names of their entities, and return the id of the file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entity, docs in found.items():
            rows = [_row(call, kind, doc) for kind, doc in docs]
            archive.writestr(f"{entity}.json", json.dumps(rows, ensure_ascii=False, indent=2))
        for _, file in found.get(FILE, ()) if with_files else ():
            archive.writestr(f"files/{file['id']}-{file['name']}", content_of(call, file))
    made = store_bytes(call, f"privacy-export-{call.now:%Y-%m-%d}.zip", out.getvalue(), expires_at=call.now + _KEPT)
    return str(made["id"])


def _row(call: Context, kind: str, doc: Document) -> Any:
    model = _MODELS.get(kind) or model_of(call, kind, doc)
    if kind == audit.KIND:
        doc = shown_entry(doc)
    return json.loads(encode_json(renderer(model, "platform")(doc)))
