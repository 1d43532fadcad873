"""Field mappings: what can be mapped to what, how values are converted, and what is made of a sample."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sync_cases import Crm

from crm_sdk import ConflictError, NotFoundError, ValidationError
from crm_sdk.models import MappingValidation

EMAIL: dict[str, Any] = {"entity_type": "contact", "source_field": "email", "target_field": "email"}


def test_they_come_change_and_go(crm: Crm) -> None:
    mappings = crm.client.integrations.mappings
    made = crm.map("email")
    assert made.id.startswith("map_") and made.integration_id == crm.id
    assert (made.direction, made.transform, made.required, made.active, made.conflict_resolution) == (
        "bidirectional", "none", False, True, None,
    )  # fmt: skip
    other = crm.map("phone", direction="inbound")
    changed = mappings.update(crm.id, made.id, {"active": False, "default": "x@y.example"}, version=1)
    assert (changed.active, changed.default, changed.version) == (False, "x@y.example", 2)
    assert [one.id for one in mappings.list(crm.id)] == [other.id, made.id]
    for query, ids in (
        ({"active": True}, [other.id]), ({"direction": "inbound"}, [other.id]), ({"entity_type": "deal"}, []),
    ):  # fmt: skip
        assert [one.id for one in mappings.list(crm.id, **query)] == ids
    words = mappings.update(crm.id, other.id, {"transform": "lookup", "lookup": {"a": "b", "c": "d"}}).lookup
    assert words == {"a": "b", "c": "d"}
    assert mappings.update(crm.id, other.id, {"lookup": {"a": None, "e": "f"}}).lookup == {"c": "d", "e": "f"}
    integration = crm.client.integrations.get(crm.id)
    assert (integration.mapping_count, integration.version) == (2, 1)
    mappings.delete(crm.id, made.id)
    assert crm.client.integrations.get(crm.id).mapping_count == 1
    assert [deed.partition("mapping_")[2] for deed in crm.deeds() if "mapping" in deed] == [
        "created", "created", "updated", "updated", "updated", "deleted",
    ]  # fmt: skip
    assert crm.entry("integration.mapping_deleted")["metadata"] == {"mapping_id": made.id}


def test_they_are_those_of_their_integration(crm: Crm) -> None:
    made, other = crm.map("email"), Crm(crm.stub, name="Another")
    for call in (
        other.client.integrations.mappings.update,
        lambda *a: other.client.integrations.mappings.delete(*a[:2]),
    ):
        with pytest.raises(NotFoundError):
            call(other.id, made.id, {"active": False})
    assert other.client.integrations.mappings.list(other.id).items == []


def test_a_member_is_mapped_once_in_a_direction(crm: Crm) -> None:
    first = crm.map("email")
    with pytest.raises(ConflictError) as caught:
        crm.map("name>email", active=False)
    assert (caught.value.code, caught.value.details) == ("MAPPING_EXISTS", {"existingId": first.id})
    inbound = crm.map("email", direction="inbound")
    crm.map("email", entity_type="lead")
    with pytest.raises(ConflictError):
        crm.client.integrations.mappings.update(crm.id, inbound.id, {"direction": "bidirectional"})
    assert crm.map("name>customFields.Tier One").target_field == "custom_fields.Tier One"
    with pytest.raises(ConflictError):
        crm.map("title>custom_fields.Tier One")


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"entity_type": "activity"}, "VALIDATION_ERROR", "entity_type"),
    ({"source_field": "colour"}, "UNKNOWN_FIELD", "source_field"),
    ({"target_field": "colour"}, "UNKNOWN_FIELD", "target_field"),
    ({"target_field": "address.planet"}, "UNKNOWN_FIELD", "target_field"),
    ({"target_field": "health_score"}, "FIELD_READ_ONLY", "target_field"),
    ({"target_field": "health_score", "direction": "inbound"}, "FIELD_READ_ONLY", "target_field"),
    ({"source_field": "id"}, "FIELD_READ_ONLY", "source_field"),
    ({"source_field": "updated_at", "direction": "outbound"}, "FIELD_READ_ONLY", "source_field"),
    ({"source_field": "amount"}, "TYPE_MISMATCH", "transform"),
    ({"target_field": "tags"}, "TYPE_MISMATCH", "transform"),
    ({"target_field": "address"}, "TYPE_MISMATCH", "transform"),
    ({"source_field": "amount", "transform": "lower"}, "TYPE_MISMATCH", "transform"),
    ({"target_field": "do_not_contact", "transform": "boolean"}, "TYPE_MISMATCH", "transform"),
    (
        {"target_field": "health_score", "transform": "date", "direction": "outbound", "source_field": "amount"},
        "TYPE_MISMATCH",
        "transform",
    ),
    ({"transform": "lookup"}, "VALIDATION_ERROR", "lookup"),
    ({"transform": "template"}, "VALIDATION_ERROR", "template"),
    ({"transform": "template", "template": "{{colour}}"}, "UNKNOWN_FIELD", "template"),
    ({"transform": "template", "template": "{{lifecycle_stage}}"}, "UNKNOWN_FIELD", "template"),
    ({"transform": "template", "template": "{{amount}}", "direction": "outbound"}, "UNKNOWN_FIELD", "template"),
]
SOUND: list[dict[str, Any]] = [
    {"target_field": "address.city"},
    {"target_field": "custom_fields.x", "source_field": "amount"},
    {"target_field": "health_score", "source_field": "amount", "direction": "outbound"},
    {"target_field": "tags", "transform": "split"},
    {"target_field": "birthday", "transform": "date"},
    {"target_field": "birthday", "transform": "date", "direction": "outbound"},
    {"target_field": "do_not_contact", "transform": "boolean", "direction": "inbound"},
    {"source_field": "amount", "transform": "lower", "direction": "inbound"},
    {"source_field": "id", "direction": "inbound"},
    {"source_field": "updated_at", "target_field": "birthday", "transform": "date", "direction": "inbound"},
    {"transform": "template", "template": "{{name}} of {{ company }}"},
    {"transform": "template", "template": "{{amount}}", "direction": "inbound"},
    {"transform": "template", "template": "{{lifecycle_stage}}", "direction": "outbound"},
    {"transform": "trim", "template": "{{colour}}"},
    {"transform": "lookup", "lookup": {"a": "b"}},
]


def test_what_cannot_be_mapped_is_refused_and_an_issue(crm: Crm) -> None:
    for members, code, field in FAULTS:
        body: Any = {**EMAIL, **members}
        with pytest.raises(ValidationError) as caught:
            crm.client.integrations.mappings.create(crm.id, body)
        assert (caught.value.code, [error.field for error in caught.value.fields]) == (code, [field]), members
        made = crm.map("email>phone" if members.get("target_field") != "phone" else "email")
        with pytest.raises(ValidationError) as caught:
            crm.client.integrations.mappings.update(crm.id, made.id, body)
        assert caught.value.code == code, members
        crm.client.integrations.mappings.delete(crm.id, made.id)
        said = crm.client.integrations.mappings.validate(crm.id, [EMAIL, body])
        assert not said.valid and [(i.index, i.severity, i.code) for i in said.issues] == [(1, "error", code)], members


def test_what_does_not_fit_says_what_would(crm: Crm) -> None:
    """Without a transform one is to be chosen; with one, what it makes is named."""
    said = [
        crm.client.integrations.mappings.validate(crm.id, [{**EMAIL, "source_field": "amount", **how}])
        .issues[0]
        .message
        for how in ({}, {"transform": "lower"})
    ]
    assert said == ["number does not fit text: choose a transform", "lower makes text, which does not fit number"]


def test_what_can_be_mapped_is_taken(crm: Crm) -> None:
    for members in SOUND:
        body: Any = {**EMAIL, **members}
        assert crm.client.integrations.mappings.validate(crm.id, [body]).valid, members
        made = crm.client.integrations.mappings.create(crm.id, body)
        assert crm.client.integrations.mappings.update(crm.id, made.id, body).version == 1, members
        crm.client.integrations.mappings.delete(crm.id, made.id)


def test_several_faults_are_told_at_once(crm: Crm) -> None:
    with pytest.raises(ValidationError) as caught:
        crm.map("colour>planet")
    assert [(e.field, e.rule) for e in caught.value.fields] == [("source_field", "choice"), ("target_field", "choice")]


def tried(crm: Crm, value: Any, **members: Any) -> MappingValidation:
    source = members.pop("source_field", "title")
    body: Any = {**EMAIL, "source_field": source, "target_field": "title", "direction": "inbound", **members}
    said = crm.client.integrations.mappings.validate(crm.id, [body], sample={source: value, "company": "Acme"})
    return said


def test_values_are_converted(crm: Crm) -> None:
    converted: list[tuple[Any, Any, Any]] = [
        ({}, "As it is", "As it is"),
        ({"transform": "trim"}, "  a ", "a"),
        ({"transform": "lower"}, "BIG", "big"),
        ({"transform": "upper"}, "small", "SMALL"),
        ({"transform": "title"}, "big co", "Big Co"),
        ({"transform": "join", "target_field": "title"}, "a", "a"),
        ({"transform": "lookup", "lookup": {"x": "Xenon"}}, "x", "Xenon"),
        ({"transform": "lookup", "lookup": {"x": "Xenon"}, "default": "Other"}, "y", "Other"),
        ({"transform": "template", "template": "{{title}} at {{company}}"}, "CTO", "CTO at Acme"),
        ({"default": "Fallback"}, None, "Fallback"),
        ({"default": "Fallback"}, "", "Fallback"),
        ({"default": "UP", "transform": "lower"}, None, "up"),
        ({"transform": "split", "target_field": "tags"}, "a, b;c", ["a", "b", "c"]),
        ({"transform": "date", "target_field": "birthday"}, "1990-02-03T10:00:00Z", "1990-02-03"),
        ({"transform": "boolean", "target_field": "do_not_contact"}, "Yes", True),
        ({"transform": "boolean", "target_field": "do_not_contact"}, "0", False),
        ({"transform": "number", "target_field": "custom_fields.n"}, "1.234,50", Decimal("1234.5")),
        ({"source_field": "amount", "target_field": "custom_fields.n"}, 12, 12),
        ({"source_field": "email", "target_field": "email"}, "Eva@X.Example", "eva@x.example"),
    ]
    for members, value, expected in converted:
        said = tried(crm, value, **members)
        assert said.valid, said.issues
        (change,) = said.preview
        assert (str(change.after) if isinstance(expected, Decimal) else change.after) == (
            str(expected) if isinstance(expected, Decimal) else expected
        ), members
        assert change.before == value, members


DEAL: Any = {"entity_type": "deal", "source_field": "amount", "target_field": "value"}


def test_what_is_missing_in_a_new_record_takes_its_default(crm: Crm) -> None:
    assert [change.after for change in tried(crm, None, **DEAL).preview] == [None]
    assert [change.after for change in tried(crm, None, **DEAL, default="100").preview] == [100]


@pytest.mark.parametrize("field", ["address.country", "email", "title"])
def test_a_value_of_another_type_is_an_issue_like_any_other(crm: Crm, field: str) -> None:
    said = tried(crm, 5, target_field=field)
    assert not said.valid and said.preview == []
    assert [(issue.code, issue.field) for issue in said.issues] == [("VALIDATION_ERROR", field)]


def test_a_value_that_cannot_be_converted_is_an_issue(crm: Crm) -> None:
    wrong: list[dict[str, Any]] = [
        {"target_field": "address.country"},
        {"transform": "lookup", "lookup": {"nonsense": "maybe"}, "target_field": "do_not_contact"},
        {**DEAL, "source_field": "title", "transform": "lookup", "lookup": {"nonsense": "much"}},
        {"transform": "number", "target_field": "custom_fields.n"},
        {"transform": "date", "target_field": "birthday"},
        {"transform": "boolean", "target_field": "do_not_contact"},
        {"transform": "lookup", "lookup": {"x": "Xenon"}},
        {"source_field": "email", "target_field": "email"},
    ]
    for members in wrong:
        said = tried(crm, "nonsense", **members)
        assert (
            not said.valid and [issue.code for issue in said.issues] == ["VALIDATION_ERROR"] and said.preview == []
        ), members


def test_validation_tells_what_is_missing_and_writes_nothing(crm: Crm) -> None:
    validate = crm.client.integrations.mappings.validate
    log = len(crm.stub.audit())
    deal: Any = {**EMAIL, "entity_type": "deal", "source_field": "amount", "target_field": "value"}
    assert validate(crm.id, [EMAIL, deal]).unmapped_required == ["contact.name", "deal.title"]
    first: Any = {**EMAIL, "source_field": "name", "target_field": "first_name"}
    assert validate(crm.id, [EMAIL, first]).unmapped_required == [], "a first name is enough"
    assert validate(crm.id, [{**EMAIL, "direction": "outbound"}]).unmapped_required == []
    twins = validate(crm.id, [EMAIL, EMAIL])
    assert not twins.valid and [(i.index, i.code) for i in twins.issues] == [(1, "MAPPING_EXISTS")]
    odd: Any = [{"entityType": "contact"}, {**EMAIL, "transform": "rot13"}]
    assert [(i.index, i.field) for i in validate(crm.id, odd).issues] == [
        (0, "source_field"), (0, "target_field"), (1, "transform"),
    ]  # fmt: skip
    one_way: Any = {**EMAIL, "transform": "template", "template": "{{email}}", "active": False}
    said = validate(crm.id, [one_way], sample={"email": "a@b.example"})
    assert said.valid and [(i.severity, i.code) for i in said.issues] == [
        ("warning", "ONE_WAY"), ("warning", "INACTIVE"),
    ]  # fmt: skip
    assert said.preview == [], "it is not active"
    assert len(crm.stub.audit()) == log and validate(crm.id).issues == []
    crm.map("email", direction="inbound")
    assert [c.field for c in validate(crm.id, sample={"email": "a@b.example", "colour": "red"}).preview] == ["email"]
    assert crm.stub.client(api_key="acme-sales").integrations.mappings.validate(crm.id).valid


def test_values_go_out_by_the_transform_read_backwards(crm: Crm) -> None:
    crm.map("name", "email")
    crm.map("title", transform="upper")
    crm.map("company>custom_fields.tier", transform="lookup", lookup={"1": "gold", "2": "silver"})
    crm.map("stage>tags", transform="split")
    made = crm.client.contacts.create(
        {"name": "Ada", "email": "a@x.example", "title": "cto", "tags": ["a", "b"], "custom_fields": {"tier": "silver"}}
    )
    crm.counts()
    record = crm.theirs()["a@x.example"]
    assert (record["title"], record["company"], record["stage"]) == ("CTO", "2", "a, b")
    crm.remote.put("contact", {"id": record["id"], "company": "1", "stage": "c"})
    crm.counts()
    after = crm.client.contacts.get(made.id)
    assert (after.custom_fields, after.tags, after.title) == ({"tier": "gold"}, ["c"], "cto")
    crm.client.contacts.update(made.id, {"custom_fields": {"tier": "bronze"}})
    assert [(e.code, e.field) for e in crm.sync().errors] == [("VALIDATION_ERROR", "company")]
