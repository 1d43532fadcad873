"""What tells of a person is marked so in the models, once: erasures, `anonymize` and descriptions follow the marks."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Conversation, Message
from server_stub import StubServer
from server_stub.collected import contributions
from server_stub.data.blanks import blank
from server_stub.data.personal import ERASED, emptied_members, personal_members

NOUNS = sorted(contributions().nouns)
TELLING = frozenset({
    "first_name", "last_name", "salutation", "email", "secondary_emails", "phone", "mobile", "birthday", "notes",
    "social_profiles", "contact_name", "lead_name", "related_contact_name", "sender_name", "body", "body_text",
    "body_html", "transcript", "from_number", "to_number", "from_address", "to", "cc", "bcc", "attendees", "recipient",
    "content", "author",
})  # fmt: skip
"""The names of members that tell of a person, whatever the record."""
OF_OTHERS: dict[str, set[str]] = {
    "account": {"email", "phone", "social_profiles"}, "user": {"email", "phone"}, "comment": {"author"},
    "template": {"content"}, "social_post": {"content"},
}  # fmt: skip
"""Those that tell of a company, of its users, or of what it says itself."""
DOCUMENTED = {
    "contact": "name first_name last_name salutation email secondary_emails phone mobile title address website"
    " social_profiles birthday avatar notes",
    "lead": "name first_name last_name email phone title address website social_profiles notes",
    "task": "title description",
    "event": "title description attendees",
    "call": "title description transcript from_number to_number",
    "email": "title description subject body_text body_html from_address to cc bcc",
    "note": "title description body",
    "comment": "body",
    "notification": "title message recipient",
}


@pytest.mark.parametrize("kind", NOUNS)
def test_every_member_that_tells_of_a_person_is_marked(kind: str) -> None:
    model = contributions().nouns[kind].model
    telling = TELLING & model.model_fields.keys() - OF_OTHERS.get(kind, set())
    assert telling - personal_members(model).keys() == set()
    assert set(DOCUMENTED.get(kind, "").split()) <= personal_members(model).keys()


def test_messages_and_conversations_are_marked_as_nouns_are() -> None:
    assert {"content", "sender_name"} <= personal_members(Message).keys()
    assert {"contact_name", "lead_name"} <= personal_members(Conversation).keys()


@pytest.mark.parametrize("kind", NOUNS)
def test_an_emptied_record_has_nothing_more_to_empty(kind: str) -> None:
    model = contributions().nouns[kind].model
    for value in ("somebody", ["somebody"], {"name": "somebody"}):
        doc: dict[str, Any] = {**blank(model), **dict.fromkeys(personal_members(model), value)}
        left = {**doc, **emptied_members(model, doc)}
        assert "somebody" not in repr(left)
        assert emptied_members(model, left) == {}
        assert all(
            left[name] == ERASED for name, stays in personal_members(model).items() if stays and value == "somebody"
        )


def test_a_description_says_which_fields_are_personal(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform")
    fields = {one.name: one.personal for one in crm.objects.describe("contact").fields}
    assert (fields["email"], fields["address.city"], fields["tags"], fields["health_score"]) == (
        True,
        True,
        False,
        False,
    )
    own: Any = {"api_name": "passport", "label": "Passport", "type": "text", "personal": True}
    crm.custom_objects.fields.create(crm.custom_objects.list().items[0].id, own)
    name = crm.custom_objects.list().items[0].api_name
    described = {one.name: one.personal for one in crm.objects.describe(name).fields}
    assert described["fields.passport"] is True
