"""What cannot be exported, and who may not: refused before the job begins, and told."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, JobFailedError, ValidationError
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import New, export


def _filter(field: str, op: str = "eq", value: Any = "x") -> list[Any]:
    return [{"filters": [{"field": field, "op": op, "value": value}]}]


REFUSED: list[Any] = [
    ({"entity_types": ["unicorn"]}, "VALIDATION_ERROR", "entity_types.0"),
    ({"entity_types": ["contacts"]}, "VALIDATION_ERROR", "entity_types.0"),
    ({"entity_types": []}, "VALIDATION_ERROR", "entity_types"),
    ({"entity_types": ["contact"] * 21}, "VALIDATION_ERROR", "entity_types"),
    ({"entity_types": ["team"]}, "UNSUPPORTED_OPERATION", "entity_types.0"),
    ({"entity_types": ["deal"], "format": "vcf"}, "INVALID_FORMAT", "format"),
    ({"entity_types": ["contact", "deal"], "format": "vcf"}, "INVALID_FORMAT", "format"),
    ({"entity_types": ["contact"], "format": "ics"}, "INVALID_FORMAT", "format"),
    ({"entity_types": ["contact"], "format": "parquet"}, "VALIDATION_ERROR", "format"),
    ({"entity_types": ["contact"], "fields": {"contact": ["name", "nope"]}}, "UNKNOWN_FIELD", "fields.contact.1"),
    ({"entity_types": ["onboarding"], "fields": {"onboarding": ["nope"]}}, "UNKNOWN_FIELD", "fields.onboarding.0"),
    ({"entity_types": ["contact"], "fields": {"deal": ["title"]}}, "VALIDATION_ERROR", "fields.deal"),
    (
        {"entity_types": ["contact"], "filter_groups": {"contact": _filter("nope")}},
        "UNKNOWN_FIELD", "filter_groups.contact.0.filters.0.field",
    ),
    (
        {"entity_types": ["deal"], "filter_groups": {"deal": _filter("value", "contains")}},
        "INVALID_OPERATOR", "filter_groups.deal.0.filters.0.op",
    ),
    (
        {"entity_types": ["deal"], "filter_groups": {"deal": _filter("title") * 6}},
        "FILTER_TOO_LARGE", "filter_groups.deal",
    ),
    ({"entity_types": ["contact"], "filter_groups": {"deal": _filter("title")}}, "VALIDATION_ERROR",
     "filter_groups.deal"),
    ({"entity_types": ["contact"], "ids": ["deal_1"]}, "REFERENCE_NOT_FOUND", "ids.0"),
    ({"entity_types": ["contact"], "ids": ["contact_123", "lead_123"]}, "REFERENCE_NOT_FOUND", "ids.1"),
    ({"entity_types": ["contact"], "ids": ["contact_1"] * 10_001}, "VALIDATION_ERROR", "ids"),
    ({"entity_types": ["contact", "lead"], "ids": ["contact_123"]}, "VALIDATION_ERROR", "ids"),
    ({"entity_types": ["contact", "lead"], "view": "layout_1"}, "VALIDATION_ERROR", "view"),
    ({"entity_types": ["contact"], "view": "layout_1"}, "REFERENCE_NOT_FOUND", "view"),
    ({"entity_types": ["contact"], "file_name": "../x.csv"}, "INVALID_FILE_NAME", "file_name"),
    ({"entity_types": ["contact"], "timezone": "Mars/Olympus"}, "VALIDATION_ERROR", "timezone"),
    ({"entity_types": ["contact"], "encoding": "ebcdic"}, "VALIDATION_ERROR", "encoding"),
    ({"entity_types": ["contact"], "delimiter": "ab"}, "VALIDATION_ERROR", "delimiter"),
]  # fmt: skip


def test_each_request_that_cannot_be_is_refused(stub: StubServer) -> None:
    for request_, code, field in REFUSED:
        body = json.dumps({camel(name): value for name, value in request_.items()}).encode()
        headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
        reply = stub.handle(Request("POST", "/v1/exports", headers=headers, body=body))
        (error, *_) = json.loads(reply.body)["errors"]
        wire = ".".join(map(camel, field.split(".")))
        assert (reply.status, error["code"], error["field"]) == (422, code, wire)


def test_a_refusal_says_what_may_be_asked_for(admin: CrmClient) -> None:
    refusals: list[Any] = [
        ({"entity_types": ["lead", "unicorn"]}, "there is no entity 'unicorn'", "entity_types.1"),
        ({"entity_types": ["lead", "deal"], "format": "vcf"}, "vcf is for contact and lead, not for deal", "format"),
        ({"entity_types": ["deal"], "format": "ics"}, "ics is for activity, not for deal", "format"),
        ({"entity_types": ["lead"], "fields": {"deal": ["title"]}}, "'deal' is not exported", "fields.deal"),
        ({"entity_types": ["lead", "deal"], "ids": ["lead_123"]}, "ids are of one entity, and 2 are exported", "ids"),
        ({"entity_types": ["lead", "deal"], "view": "x"}, "view are of one entity, and 2 are exported", "view"),
        ({"entity_types": ["lead"], "ids": ["lead_123", "contact_123"]}, "no lead has the id 'contact_123'", "ids.1"),
        ({"entity_types": ["lead"], "fields": {"lead": ["name", "nope"]}},
         "records of the type lead have no field 'nope'", "fields.lead.1"),
    ]  # fmt: skip
    for request, message, field in refusals:
        error = refused(partial(admin.exports.create, request))
        assert [(one.field, one.message) for one in error.fields] == [(field, message)], request
    empty: list[Any] = [{"ids": []}, {"fields": {}}, {"filter_groups": {}}]
    whole = export(admin, "territory", format="jsonl").lines()
    for nothing in empty:
        assert export(admin, "territory", format="jsonl", **nothing).lines() == whole, nothing


def test_a_file_is_called_as_asked_with_its_ending(admin: CrmClient) -> None:
    asked = {"friends.csv": "friends.csv", "friends": "friends.csv", "friends.v2": "friends.v2.csv"}
    for name, known in asked.items():
        assert export(admin, "territory", file_name=name).result.file_name == known
    assert export(admin, "territory", "user", file_name="all").result.file_name == "all.zip"
    assert export(admin, "territory").result.file_name.startswith("territory-")
    longest = "x" * 255
    assert export(admin, "territory", file_name=longest).result.file_name == f"{longest[:251]}.csv"
    assert export(admin, "territory", file_name=longest[:251]).result.file_name == f"{longest[:251]}.csv"
    assert export(admin, "territory", file_name=f"{longest[:251]}.CSV").result.file_name == f"{longest[:251]}.CSV"


def test_an_entity_that_is_named_twice_is_in_it_once(admin: CrmClient) -> None:
    object = next(one for one in admin.objects.list(custom=True))
    assert export(admin, object.entity, str(object.object_id)).result.file_name.startswith(object.entity)


def test_every_entity_needs_the_right_to_export_it(sales: CrmClient, stub: StubServer) -> None:
    assert refused(lambda: sales.exports.create({"entity_types": ["contact", "user"]})).code == "FORBIDDEN"
    reader = stub.client(api_key="acme-readonly", dialects="platform", max_retries=0)
    assert refused(lambda: reader.exports.create({"entity_types": ["contact"]})).status in (401, 403)


def test_a_custom_object_that_is_not_active_or_switched_off(admin: CrmClient) -> None:
    object = next(one for one in admin.custom_objects.list() if one.api_name == "onboarding")
    admin.custom_objects.update(object.id, {"active": False})
    assert refused(lambda: admin.exports.create({"entity_types": ["onboarding"]})).code == "OBJECT_INACTIVE"
    admin.tenants.features.update("current", {"custom_objects": False})
    assert refused(lambda: admin.exports.create({"entity_types": ["subscription"]})).code == "FEATURE_DISABLED"


def test_a_file_is_the_callers_and_the_companys(stub: StubServer, admin: CrmClient, sales: CrmClient) -> None:
    found = export(admin, "territory")
    other = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    for crm in (other, sales):
        assert refused(lambda crm=crm: crm.files.download(found.result.file_id)).status == 404  # type: ignore[misc] # the value of this turn is bound
        assert refused(lambda crm=crm: crm.jobs.get(found.job_id)).status == 404  # type: ignore[misc] # the value of this turn is bound


def test_an_export_is_told_and_counts_in_the_bulk_class(stub: StubServer, admin: CrmClient) -> None:
    found = export(admin, "territory", format="jsonl")
    told = [entry for entry in stub.audit() if entry["action"] == "data.exported"]
    assert len(told) == 1 and told[0]["entity"]["id"] == found.job_id
    assert told[0]["metadata"] | {"count": 2, "format": "jsonl"} == told[0]["metadata"]
    assert [entry["entity"]["id"] for entry in stub.audit() if entry["action"] == "job.completed"] == [found.job_id]
    assert admin.exports.create.operation.flags.rate == "bulk"  # type: ignore[attr-defined] # a declared call


def test_a_job_that_waits_can_be_stopped(admin: CrmClient) -> None:
    job = admin.exports.create({"entity_types": ["contact"]})
    assert admin.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(JobFailedError):
        job.wait()


def test_a_further_field_of_a_contact_that_goes_is_left_out_and_told(admin: CrmClient) -> None:
    field = admin.customization.fields.create("contact", {"api_name": "shirt", "label": "Shirt", "type": "text"})
    job = admin.exports.create({"entity_types": ["contact"], "fields": {"contact": ["name", "custom_fields.shirt"]}})
    admin.customization.fields.delete("contact", field.api_name, force=True)
    result = job.wait()
    assert admin.files.download(result.file_id).read().splitlines()[0] == b"name"
    (error,) = admin.jobs.get(job.id).errors
    assert (error.field, error.code) == ("fields.contact.1", "UNKNOWN_FIELD")
    with pytest.raises(ValidationError):
        admin.exports.create({"entity_types": ["contact"], "fields": {"contact": ["custom_fields.shirt"]}})


def test_a_field_that_goes_before_the_job_begins_is_left_out_and_told(admin: CrmClient, new: New) -> None:
    object = next(one for one in admin.custom_objects.list() if one.api_name == "onboarding")
    job = admin.exports.create({"entity_types": ["onboarding"], "fields": {"onboarding": ["name", "fields.coach"]}})
    field = next(one for one in admin.custom_objects.fields.list(object.id) if one.api_name == "coach")
    admin.custom_objects.fields.delete(object.id, field.id, force=True)
    result = job.wait()
    header = admin.files.download(result.file_id).read().splitlines()[0]
    (error,) = admin.jobs.get(job.id).errors
    assert (header, error.field, error.code) == (b"name", "fields.onboarding.1", "UNKNOWN_FIELD")
