"""The message templates of a demo company: each category in English, some in German and Spanish."""

from __future__ import annotations

import re

from ...data.document import Document
from ..records import Records

_VARIABLE = re.compile(r"{{(\w+)}}")
_TEMPLATES = (
    (
        "Checking in", "follow-up", "en",
        "Hi {{first_name}}, I wanted to follow up on {{topic}}. Do you have any news for {{sender_name}}?",
    ),
    (
        "After the demo", "follow-up", "en",
        "Hi {{first_name}}, thank you for your time. Which questions about {{topic}} did {{company}} have left?",
    ),
    (
        "Nachfassen", "follow-up", "de",
        "Guten Tag {{contact_name}}, gibt es bei {{company}} schon Neuigkeiten zum Thema {{topic}}?",
    ),
    ("Seguimiento", "follow-up", "es", "Hola, {{first_name}}: ¿hay novedades en {{company}} sobre {{topic}}?"),
    (
        "Propose a meeting", "meeting", "en",
        "Hi {{first_name}}, would {{date}} at {{time}} suit you for a call about {{topic}}?",
    ),
    (
        "Terminvorschlag", "meeting", "de",
        "Guten Tag {{contact_name}}, passt Ihnen der {{date}} um {{time}} Uhr für ein Gespräch über {{topic}}?",
    ),
    ("Propuesta de reunión", "meeting", "es", "Hola, {{first_name}}: ¿le viene bien el {{date}} a las {{time}}?"),
    (
        "Send a proposal", "proposal", "en",
        "Dear {{contact_name}}, attached is our proposal for {{company}}. It comes to {{price}} and is valid until "
        "{{date}}. Kind regards, {{sender_name}}",
    ),
    (
        "Angebot", "proposal", "de",
        "Guten Tag {{contact_name}}, anbei unser Angebot für {{company}} über {{price}}. Es gilt bis zum {{date}}.",
    ),
    ("Oferta", "proposal", "es", "Estimada/o {{contact_name}}: adjunto nuestra oferta para {{company}} por {{price}}."),
    (
        "Problem received", "support", "en",
        "Hi {{first_name}}, we have received your report about {{topic}} and are looking into it. Your ticket is "
        "{{ticket}}.",
    ),
    (
        "Störung aufgenommen", "support", "de",
        "Guten Tag {{contact_name}}, wir haben Ihre Meldung zum Thema {{topic}} aufgenommen: Vorgang {{ticket}}.",
    ),
    ("Incidencia recibida", "support", "es", "Hola, {{first_name}}: hemos recibido su aviso sobre {{topic}}."),
    (
        "Introduction", "introduction", "en",
        "Hello {{contact_name}}, I am {{sender_name}} of {{our_company}}. I would like to show {{company}} what we do "
        "about {{topic}}.",
    ),
    (
        "Vorstellung", "introduction", "de",
        "Guten Tag {{contact_name}}, ich bin {{sender_name}} von {{our_company}} und betreue {{company}}.",
    ),
)  # fmt: skip
"""Name, category, language and text of each."""


def templates(records: Records) -> None:
    """Put the templates."""
    at = records.now.replace(month=1, day=1)
    for name, category, language, content in _TEMPLATES:
        doc = Document(
            id=records.store.new_id("template_"),
            name=name,
            category=category,
            language=language,
            content=content,
            channel="email",
            subject=name,
            content_html=None,
            variables=list(dict.fromkeys(_VARIABLE.findall(content))),
            translations=[],
            active=True,
            usage_count=0,
            created_at=at,
            updated_at=at,
            created_by="system",
            version=1,
        )
        records.collection("template").put(doc)
