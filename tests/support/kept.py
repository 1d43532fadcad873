"""What is kept with the stub's documents is what would be worked out anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from crm_sdk.wire import encode_json
from server_stub import StubServer
from server_stub.data.queries.query import fold, member

_CHECKED: dict[int, tuple[object, set[object]]] = {}
"""The documents that were looked at, by their identity, each with the forms of it: a document never changes."""


def check_what_is_kept(server: StubServer) -> int:
    """Assert that every text and JSON kept with a document follows from its members; return how many there are."""
    count = 0
    for table in server.store.snapshot().collections.values():
        for doc in table.docs.values():
            _, checked = _CHECKED.setdefault(id(doc), (doc, set()))
            for form, content in getattr(doc, "written", {}).items():
                count += 1
                if form in checked:
                    continue
                checked.add(form)
                made = cast("Callable[[Any], Any]", form)(dict(doc))  # of another object: nothing is kept of that
                assert (made if isinstance(made, bytes) else encode_json(made)) == content, doc
            for fields, text in getattr(doc, "folded", {}).items():
                count += 1
                if fields in checked:
                    continue
                checked.add(fields)
                texts = [text for field in fields for text in _texts(member(doc, field))]
                assert fold("\n".join(texts)) == text, doc
    return count


def _texts(value: object) -> list[str]:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
