"""A file that was made of records shows what its maker saw: who may see less is refused its content, by every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import CrmClient, PermissionDeniedError
from server_stub import StubServer

from .conftest import New, Somebody, permission

SECRET = "canary@hidden.example"
BROKEN = f"name,email,phone\n,{SECRET},1\n".encode()


HIDDEN: Any = [{"entity": "contact", "field": "email", "access": "hidden"}]


@pytest.fixture
def somebody(new: New, admin: CrmClient) -> Somebody:
    """Somebody who may do all that administrators may, and does not see addresses."""
    whole = next(role for role in admin.security.roles.list() if role.key == "admin").permissions
    return new(*(permission(one.resource, one.action, one.scope) for one in whole), field_permissions=HIDDEN)


def _export(admin: CrmClient, **request: Any) -> str:
    body: Any = {"entity_types": ["contact"], "format": "csv", **request}
    return admin.exports.create(body).wait().file_id


def _report(admin: CrmClient) -> str:
    columns: Any = [{"field": "name"}, {"field": "email"}]
    report = admin.reports.create({"name": "People", "entity_type": "contact", "columns": columns})
    return admin.reports.exports.excel(report.id).wait().file_id


def _errors(admin: CrmClient) -> str:
    job = admin.imports.create("contact", ("people.csv", BROKEN), mode="create")
    return str(job.wait().error_file_id)


def _errors_of_contacts(admin: CrmClient) -> str:
    job = admin.contacts.imports.create(("people.jsonl", b'{"name": "Eva", "email": 5}\n'))
    return str(job.wait().error_file_id)


def _backup(admin: CrmClient) -> str:
    backup = admin.backups.create(name="all")
    backup.wait()
    return str(admin.backups.get(backup.id).file_id)


MAKERS: dict[str, Callable[[CrmClient], str]] = {
    "export": _export,
    "zip": lambda admin: _export(admin, entity_types=["contact", "lead"]),
    "cards": lambda admin: _export(admin, format="vcf"),
    "chosen": lambda admin: _export(admin, fields={"contact": ["name", "email"]}),
    "report": _report,
    "errors": _errors,
    "errors of contacts": _errors_of_contacts,
    "backup": _backup,
}
WAYS: dict[str, Callable[[CrmClient, str], Any]] = {
    "download": lambda crm, file_id: crm.files.download(file_id).read(),
    "preview": lambda crm, file_id: crm.files.preview(file_id),
    "copy": lambda crm, file_id: crm.files.copy(file_id, name="mine.csv"),
    "process": lambda crm, file_id: crm.files.process(file_id, "extract_text"),
    "import": lambda crm, file_id: crm.imports.preview("lead", file_id=file_id, format="csv"),
}


def _shared(admin: CrmClient, somebody: Somebody, id: str) -> None:
    admin.files.permissions.update(
        id, entries=[{"subject_type": "user", "subject_id": somebody.id, "access": "manage"}]
    )


@pytest.mark.parametrize("maker", MAKERS)
def test_a_file_with_what_is_hidden_is_refused_by_every_way(
    stub: StubServer, admin: CrmClient, somebody: Somebody, maker: str
) -> None:
    admin.contacts.create({"name": "Eva", "email": SECRET})
    id = MAKERS[maker](admin)
    _shared(admin, somebody, id)
    assert somebody.crm.files.get(id).id == id  # that it is there is no secret
    for way, look in WAYS.items():
        with pytest.raises(PermissionDeniedError, match="hidden from you"):
            pytest.fail(f"{way} answered {look(somebody.crm, id)}")
    assert admin.files.download(id).read()
    copy = admin.files.copy(id, name="copy.bin")  # what a file was made of stays with its copies
    _shared(admin, somebody, copy.id)
    with pytest.raises(PermissionDeniedError):
        somebody.crm.files.download(copy.id).read()


@pytest.mark.parametrize("request_", [{"fields": {"contact": ["name", "phone"]}}, {"entity_types": ["deal"]}], ids=str)
def test_a_file_without_what_is_hidden_is_handed_out(
    admin: CrmClient, somebody: Somebody, request_: dict[str, Any]
) -> None:
    id = _export(admin, **request_)
    _shared(admin, somebody, id)
    assert somebody.crm.files.download(id).read()


def test_a_file_of_somebody_who_sees_as_much_is_handed_out(admin: CrmClient, somebody: Somebody) -> None:
    id = _export(somebody.crm)
    assert "email" not in somebody.crm.files.download(id).read().decode().splitlines()[0].split(",")


def test_a_maker_who_may_see_less_since_needs_a_new_file(admin: CrmClient, new: New) -> None:
    maker = new(permission("contacts", "read"), permission("contacts", "export"), permission("files", "read"))
    id = _export(maker.crm)
    assert maker.crm.files.download(id).read()
    admin.security.roles.update(maker.role.id, {"field_permissions": HIDDEN})
    with pytest.raises(PermissionDeniedError):
        maker.crm.files.download(id).read()


def test_errors_of_an_import_have_nothing_of_hidden_members(admin: CrmClient, somebody: Somebody) -> None:
    content = b"name,email,website\nEva,canary.hidden,x y\n"
    job = admin.imports.create("contact", ("people.csv", content), mode="create")
    job.wait()
    assert {error.field for error in admin.jobs.get(job.id).errors} == {"email", "website"}
    errors = somebody.crm.jobs.get(job.id).errors
    assert {error.field for error in errors} == {None, "website"}
    assert "canary" not in str(errors)
    assert "canary" not in str(somebody.crm.contacts.imports.get(job.id).errors)
