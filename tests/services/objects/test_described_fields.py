"""What descriptions say of entities, of their fields, keys and relationships."""

from __future__ import annotations

from typing import Any

import pytest
from newcomers import signed_in

from crm_sdk import CrmClient
from crm_sdk.models import FieldDescription
from server_stub import StubServer

RELATIONSHIPS = """
contact account reference account account_id many_to_one set_null
contact owner reference user owner_id many_to_one keep
contact lead reference lead lead_id many_to_one keep
contact merged list contact merged_ids many_to_many keep
lead territory reference territory territory_id many_to_one restrict
lead converted_deal reference deal converted_deal_id many_to_one keep
account parent reference account parent_id many_to_one restrict
account territory reference territory territory_id many_to_one restrict
deal pipeline reference pipeline pipeline_id many_to_one restrict
deal contact reference contact contact_id many_to_one set_null
deal account reference account account_id many_to_one restrict
deal team reference team team_id many_to_one keep
activity contact reference contact contact_id many_to_one set_null
activity deal reference deal deal_id many_to_one set_null
activity attachments list file attachments many_to_many set_null
activity series reference activity series_id many_to_one keep
territory parent reference territory parent_id many_to_one restrict
territory member list user member_ids many_to_many keep
onboarding owner reference user owner_id many_to_one keep
onboarding coach reference user fields.coach many_to_one set_null
onboarding people list contact fields.people many_to_many set_null
user manager reference user manager_id many_to_one keep
user team list team team_ids many_to_many keep
"""
KEYS = """
contact external_id:unique:default email:unique phone
lead external_id:unique:default email phone
account external_id:unique:default domain:unique name
deal external_id:unique:default title
activity external_id:unique:default message_id:unique uid:unique
territory code:unique:default name:unique
user email:unique:default
onboarding
pipeline
"""
# entity, field, type; then what else is said: flags, bounds, default, the number of options, what is referred to
FIELDS = """
contact id text read_only sortable groupable
contact created_at datetime read_only sortable groupable
contact created_by text read_only nullable groupable
contact version integer read_only groupable
contact name text required sortable searchable groupable personal max_length=200
contact email email nullable unique searchable groupable personal max_length=254
contact external_id text nullable unique groupable
contact secondary_emails list:text nullable groupable personal max_length=10
contact phone phone nullable searchable groupable personal min_length=1 max_length=50
contact account_id reference:account nullable groupable
contact company text nullable sortable searchable groupable
contact avatar url nullable groupable personal max_length=2048
contact owner_id reference:user groupable
contact status select groupable default=active options=3
contact source select nullable open groupable options=11
contact address object nullable personal
contact address.city text nullable groupable personal
contact address.street text nullable groupable personal max_length=255
contact address.country text nullable groupable personal pattern=^[A-Z]{2}$
contact social_profiles list:object nullable personal
contact birthday date nullable groupable personal
contact do_not_contact boolean groupable default=False
contact relationship_health select read_only nullable groupable default=medium options=3
contact health_score integer read_only nullable sortable groupable default=50
contact total_deals integer read_only nullable groupable default=0
contact total_value currency read_only nullable sortable groupable default=0
contact merged_ids list:contact read_only nullable groupable
contact ai_insights list:object read_only nullable personal
deal title text required sortable searchable groupable max_length=200
alert threshold decimal nullable groupable min_value=0.01
user monthly_quota decimal nullable groupable min_value=0
deal value currency sortable groupable default=0 min_value=0 max_value=999999999999999.99
deal currency text groupable pattern=^[A-Z]{3}$
deal probability_override integer nullable groupable min_value=0 max_value=100
deal type select open groupable default=new_business options=3
deal description long_text nullable searchable groupable max_length=10000
deal contact_name text nullable searchable groupable personal max_length=200
deal is_rotten boolean read_only nullable groupable default=False
territory name text required unique sortable searchable groupable max_length=200
territory code text nullable unique searchable groupable min_length=1 max_length=50
territory member_ids list:user nullable groupable max_length=1000
territory priority integer sortable groupable default=100 min_value=0 max_value=1000000
territory active boolean groupable default=True
onboarding name text read_only nullable groupable
onboarding owner_id reference:user nullable groupable
onboarding fields.status select nullable sortable searchable groupable default=planned options=3
onboarding fields.coach reference:user nullable sortable searchable groupable
onboarding fields.go_live date nullable sortable searchable
onboarding fields.topics multi_select nullable searchable options=3
onboarding fields.notes long_text nullable sortable searchable
"""
FLAGS = ("required", "read_only", "nullable", "unique", "open", "sortable", "searchable", "groupable", "personal")
VALUES = ("default", "min_value", "max_value", "min_length", "max_length", "pattern")


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


def said(entity: str, one: FieldDescription) -> str:
    """Return what a description says of a field, in one line."""
    kind = f"{one.type}:{one.item_type}" if one.item_type is not None else one.type
    if one.reference_to:
        kind = f"{one.type}:{','.join(one.reference_to)}"
        assert (one.item_type == "reference") is (one.type == "list")
    values = [f"{name}={getattr(one, name)}" for name in VALUES if getattr(one, name) is not None]
    options = [f"options={len(one.options)}"] if one.options else []
    flags = [name for name in FLAGS if getattr(one, name)]
    values = [*values[:1], *options, *values[1:]] if one.default is not None else [*options, *values]
    assert one.access == ("read" if one.read_only else "write")
    assert one.custom is one.name.startswith(("fields.", "custom_fields.")) is (one.field_id is not None)
    assert not one.hidden and one.label
    return " ".join([entity, one.name, kind, *flags, *values])


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", strict=True)


def test_relationships(crm: CrmClient) -> None:
    entities = dict.fromkeys(line.split()[0] for line in lines(RELATIONSHIPS))
    found = {
        f"{entity} {one.name} {one.kind} {one.entity} {one.field} {one.cardinality} {one.on_delete}"
        for entity in entities for one in crm.objects.describe(entity).relationships
    }  # fmt: skip
    assert set(lines(RELATIONSHIPS)) <= found
    names = [one.name for one in crm.objects.describe("activity").relationships]
    assert len(names) == len(set(names))
    labels = {one.name: one.label for one in crm.objects.describe("lead").relationships}
    assert (labels["converted_deal"], labels["owner"]) == ("Converted deal", "Owner")
    german = crm.with_options(language="de").objects.describe("lead").relationships
    assert {one.name: one.label for one in german}["owner"] != "Owner"


def test_keys(crm: CrmClient) -> None:
    for line in lines(KEYS):
        entity, *expected = line.split()
        keys = crm.objects.describe(entity).keys
        marks = [f"{key.field}{':unique' * key.unique}{':default' * key.is_default}" for key in keys]
        assert marks == expected, entity


def test_fields(crm: CrmClient) -> None:
    for entity in dict.fromkeys(line.split()[0] for line in lines(FIELDS)):
        fields = crm.objects.describe(entity).fields
        found = {said(entity, one) for one in fields}
        wanted = {line for line in lines(FIELDS) if line.startswith(f"{entity} ")}
        assert wanted <= found, wanted - found
        assert len({one.name for one in fields}) == len(fields)
        assert not {"custom_fields", "fields"} & {one.name for one in fields}


OPERATORS: dict[str, dict[str, str]] = {
    "contact": {
        "name": "text", "health_score": "number", "do_not_contact": "bool", "tags": "list", "birthday": "number",
        "address.city": "text", "address": "", "ai_insights": "", "custom_fields.mood": "text",
        "custom_fields.size": "number",
    },
    "deal": {"title": "text", "value": "number", "is_rotten": "bool", "contact_roles": ""},
    "user": {"email": "text", "team_ids": "list", "created_at": "number"},
    "message": {"content": "text", "created_at": "number"},
    "onboarding": {
        "fields.notes": "text", "fields.go_live": "number", "fields.topics": "list", "name": "text", "related": "",
        "version": "number",
    },
    "territory": {"name": "", "priority": "", "active": ""},
    "role": {"name": ""},
}  # fmt: skip


def test_operators_are_those_of_the_search(crm: CrmClient) -> None:
    crm.customization.fields.create("contact", {"api_name": "mood", "label": "Mood", "type": "text"})
    crm.customization.fields.create("contact", {"api_name": "size", "label": "Size", "type": "integer"})
    kinds = {
        "": (set[str](), {"eq"}), "text": ({"eq", "contains"}, {"between"}), "number": ({"eq", "between"}, set()),
        "bool": ({"eq"}, {"contains", "between"}), "list": ({"contains"}, {"between"}),
    }  # fmt: skip
    for entity, expected in OPERATORS.items():
        fields = {one.name: set(one.operators) for one in crm.objects.describe(entity).fields}
        for name, kind in expected.items():
            has, lacks = kinds[kind]
            assert has <= fields[name] and not lacks & fields[name], (entity, name, fields[name])
            assert bool(fields[name]) is bool(kind)


def test_a_list_of_choices_is_one_to_choose_several_of(crm: CrmClient) -> None:
    for entity, member in (("alert", "networks"), ("alert", "channels"), ("keyword", "networks")):
        field = next(one for one in crm.objects.describe(entity).fields if one.name == member)
        assert (field.type, field.item_type, len(field.options), field.nullable) == ("multi_select", "select", 5, True)


def test_fields_of_ones_own(crm: CrmClient) -> None:
    options: Any = [{"value": word, "label": word.title()} for word in ("red", "green")]
    more: dict[str, Any] = {
        "code": {"type": "text", "unique": True, "min_length": 2, "max_length": 9, "pattern": "^[A-Z]+$",
                 "help_text": "Two to nine", "searchable": False, "required": True, "personal": True},
        "color": {"type": "select", "options": options, "default": "red"},
        "colors": {"type": "multi_select", "options": options},
        "size": {"type": "integer", "min_value": 1, "max_value": 5},
        "price": {"type": "decimal"},
        "ready": {"type": "boolean", "default": False},
        "number": {"type": "auto_number"},
        "friend": {"type": "reference", "reference_to": "contact"},
        "secret": {"type": "text", "hidden": True},
    }  # fmt: skip
    given: Any = [{"api_name": name, "label": name.title(), **one} for name, one in more.items()]
    crm.custom_objects.create({"api_name": "vehicle", "label": "Car", "plural_label": "Cars", "fields": given})
    described = crm.objects.describe("vehicle")
    found = [said("vehicle", one) for one in described.fields if one.name.startswith("fields.")]
    assert found == [
        "vehicle fields.name text nullable sortable searchable groupable",
        "vehicle fields.code text required unique sortable groupable personal"
        " min_length=2 max_length=9 pattern=^[A-Z]+$",
        "vehicle fields.color select nullable sortable searchable groupable default=red options=2",
        "vehicle fields.colors multi_select nullable searchable options=2",
        "vehicle fields.size integer nullable sortable searchable min_value=1 max_value=5",
        "vehicle fields.price decimal nullable sortable searchable",
        "vehicle fields.ready boolean nullable sortable searchable groupable default=False",
        "vehicle fields.number auto_number read_only nullable sortable searchable",
        "vehicle fields.friend reference:contact nullable sortable searchable groupable",
    ]
    code = next(one for one in described.fields if one.name == "fields.code")
    assert (code.help_text, code.label) == ("Two to nine", "Code")
    whole = crm.objects.describe("vehicle", include_hidden=True)
    assert [one.name for one in whole.fields if one.hidden] == ["fields.secret"]
    assert [one.position for one in whole.fields] == list(range(len(whole.fields)))
    assert [(key.field, key.unique, key.is_default) for key in described.keys] == [("code", True, True)]


def test_an_entity_as_a_whole(stub: StubServer, crm: CrmClient) -> None:
    found = crm.objects.describe("contact")
    assert (found.model, found.id_prefix, found.custom, found.object_id) == ("Contact", "contact_", False, None)
    assert (found.label, found.plural_label, found.language) == ("Contact", "Contacts", "en")
    assert found.permissions == ["read", "create", "update", "delete", "export", "import", "manage"]
    own = crm.objects.describe("onboarding")
    assert (own.model, own.id_prefix, own.custom) == ("CustomRecord", "record_", True)
    assert own.object_id == crm.custom_objects.get("onboarding").id
    german = crm.with_options(language="de").objects.describe("contact")
    assert (german.label, german.plural_label, german.language) == ("Kontakt", "Kontakte", "de")
    assert german.schema_version != found.schema_version
    assert {one.name: one.label for one in german.fields}["address.city"].startswith("Adresse: ")
    assert {one.name: one.label for one in found.fields}["address.city"] == "Address city"
    crm.configuration.settings.update({"ui.terminology": {"contact": {"one": "Person", "many": "People"}}})
    named = crm.with_options(language="de").objects.describe("contact")
    assert (named.label, named.plural_label) == ("Person", "People")
    assert [one.entity for one in crm.objects.list(capability="restore", custom=True)] == ["onboarding", "subscription"]
    assert "territory" not in {one.entity for one in crm.objects.list(capability="restore")}
    assert all(not one.custom for one in crm.objects.list(custom=False))
    may: Any = [{"resource": "contacts", "action": "read", "scope": "own"}]
    user, reader = signed_in(stub, crm, crm.security.roles.create({"key": "own", "name": "O", "permissions": may}).key)
    crm.contacts.create({"name": "C", "owner_id": user.id})
    seen = reader.objects.describe("contact")
    assert (seen.record_count, seen.permissions) == (1, ["read"])
    assert {one.access for one in seen.fields} == {"read"}
