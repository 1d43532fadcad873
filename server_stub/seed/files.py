"""The demo files: what people have put beside their contacts and deals, with contents that open."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm_sdk.models.files import File
from crm_sdk.models.shares import Share

from ..data.blanks import blank
from ..data.document import Document
from ..files.storing import FILE, VERSION
from .records import Records
from .setup.company import ACME


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _picture(width: int, height: int) -> bytes:
    """Return a PNG that fades from dark to light."""
    row = b"\0" + bytes(40 + column * 200 // width for column in range(width))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(row * height, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _document(*pages: str) -> bytes:
    """Return a PDF with a line on each page."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        drawn = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET"
        about = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {about} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    out, places = io.BytesIO(b"%PDF-1.4\n"), list[int]()
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    out.write(f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n".encode())
    out.write(f"startxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """A demo file: its versions, the oldest first, and who put it where."""

    name: str
    versions: tuple[bytes, ...]
    content_type: str
    owner: int = 0
    folder: str = "/"
    about: str | None = None
    days: int = 30
    more: Mapping[str, Any] | None = None


_PRICES = "article,unit,price\nOnboarding,day,{}\nSupport,month,{}\nLicence,user and month,{}\n"
_ENGLISH = (
    _Plan(
        name="Price list.csv", content_type="text/csv", folder="/sales", days=120,
        versions=(_PRICES.format(1100, 240, 29).encode(), _PRICES.format(1250, 260, 32).encode()),
        more={"description": "Valid for all new offers", "tags": ["prices"]},
    ),
    _Plan(
        name="Offer.pdf", content_type="application/pdf", folder="/sales/offers", owner=1, about="deal", days=12,
        versions=(_document("Offer", "Terms and conditions"),), more={"page_count": 2, "tags": ["offer"]},
    ),
    _Plan(
        name="Kick-off notes.md", content_type="text/markdown", owner=1, about="contact", days=9,
        versions=(b"# Kick-off\n\n- wants to go live in March\n- two teams, forty people\n",),
    ),
    _Plan(
        name="Logo.png", content_type="image/png", folder="/brand", days=300,
        versions=(_picture(640, 320),), more={"width": 640, "height": 320},
    ),
    _Plan(
        name="Salary bands.csv", content_type="text/csv", folder="/people", days=60,
        versions=(b"band,from,to\nA,52000,64000\nB,64000,81000\n",), more={"visibility": "private"},
    ),
)  # fmt: skip
_GERMAN = (
    _Plan(
        name="Preisliste.csv", content_type="text/csv", folder="/vertrieb", days=90,
        versions=("Artikel;Einheit;Preis\nEinführung;Tag;1190\nWartung;Monat;250\n".encode(),),
    ),
    _Plan(
        name="Angebot.pdf", content_type="application/pdf", owner=1, about="deal", days=20,
        versions=(_document("Angebot"),), more={"page_count": 1},
    ),
)  # fmt: skip
CONTENTS: Mapping[str, bytes] = {
    hashlib.sha256(content).hexdigest(): content for plan in (*_ENGLISH, *_GERMAN) for content in plan.versions
}
"""The contents of the demo files, by their SHA-256."""


def files(records: Records) -> None:
    """Put the demo files of a company, one of which its owner shares with the head."""
    for plan in _ENGLISH if records.plan is ACME else _GERMAN:
        file = _put(records, plan)
        if plan.content_type == "application/pdf":
            _share(records, file)


def _share(records: Records, file: Document) -> None:
    head, at = records.plan.users[0], file["created_at"] + timedelta(days=1)
    share: dict[str, Any] = {
        **blank(Share),
        "id": records.store.new_id("share_"),
        "entity": {"type": FILE, "id": file["id"], "name": file["name"]},
        "entity_id": file["id"],
        "giver_id": file["owner_id"],
        "subject_type": "user",
        "subject_id": head.id,
        "subject_name": head.name,
        "access": "edit",
        "token": None,
        "password_hash": None,
        "created_at": at,
        "updated_at": at,
        "created_by": file["owner_id"],
    }
    records.collection("share").put(Document(share))


def _put(records: Records, plan: _Plan) -> Document:
    owner = records.plan.users[plan.owner].id
    born = records.now - timedelta(days=plan.days)
    about = records.collection(plan.about).last() if plan.about is not None else None
    content = plan.versions[-1]
    id, count = records.store.new_id("file_"), len(plan.versions)
    text = plan.content_type.startswith("text/")
    facts = {"content_type": plan.content_type, "encoding": "utf-8" if text else None, "name": plan.name}
    whole: dict[str, Any] = {
        **blank(File),
        **facts,
        "id": id,
        "size": len(content),
        "checksum": hashlib.sha256(content).hexdigest(),
        "url": f"/v1/files/{id}/download",
        "folder": plan.folder,
        "owner_id": owner,
        "related_to": _reference(plan.about or "", about) if about is not None else None,
        "entries": [],
        "created_at": born,
        "updated_at": born + timedelta(days=count - 1),
        "created_by": owner,
        "revision": count,
        "version": count,
        **(plan.more or {}),
    }
    file = records.collection(FILE).put(Document(whole))
    for number, each in enumerate(plan.versions):
        version = {
            **facts,
            "id": records.store.new_id("filever_"),
            "file_id": id,
            "revision": number + 1,
            "size": len(each),
            "checksum": hashlib.sha256(each).hexdigest(),
            "comment": "Prices of this year" if number else None,
            "created_at": born + timedelta(days=number),
            "created_by": owner,
        }
        records.collection(VERSION).put(Document(version))
    return file


def _reference(kind: str, doc: Document) -> dict[str, Any]:
    return {"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")}
