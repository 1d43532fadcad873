"""What a declaration says of its answers holds: a stub of our tests refuses to answer anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from crm_sdk import PermissionDeniedError
from crm_sdk.catalogue import declared_operations
from crm_sdk.dialects import DIALECTS
from crm_sdk.operation import Operation
from crm_sdk.resources.contacts import Contacts
from crm_sdk.resources.leads import Leads
from crm_sdk.resources.notifications import Notifications
from crm_sdk.vocabulary.codes import STATUSES, codes_of
from server_stub import StubServer
from server_stub.answers import Answer
from server_stub.problems import Problem, UndeclaredAnswerError

ROUTES = [(operation, route) for operation in declared_operations() for route in operation.routes.values()]
NAMES = [f"{operation.id} {route.dialect.name}" for operation, route in ROUTES]


def answering(stub: StubServer, operation: Operation[..., Any], answer: Any) -> StubServer:
    def rule(call: object, **arguments: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    stub.rules = {**stub.rules, operation: rule}
    return stub


def test_a_code_that_is_not_declared_is_a_fault_of_the_stub(stub: StubServer) -> None:
    leads = answering(stub, Leads.get.operation, Problem("CONTACT_EXISTS", "there is one")).client().leads
    with pytest.raises(UndeclaredAnswerError, match=r"^leads.get \(platform\) answered CONTACT_EXISTS, .* errors="):
        leads.get("lead_1")


def test_a_status_that_is_not_declared_is_a_fault_of_the_stub(stub: StubServer) -> None:
    leads = answering(stub, Leads.delete.operation, Answer(None, status=202)).client().leads
    with pytest.raises(UndeclaredAnswerError, match=r"^leads\.delete answered the status 202, .* statuses="):
        leads.delete("lead_1")


def test_only_our_own_tests_are_so_strict(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert StubServer.checks_answers is False
    client = answering(stub, Leads.delete.operation, Answer(None, status=202)).client()
    client.leads.delete("lead_1")


@pytest.mark.parametrize(("operation", "route"), ROUTES, ids=NAMES)
def test_every_code_has_the_status_of_its_dialect(operation: Any, route: Any) -> None:
    codes: Mapping[str, int] = codes_of(operation, route)
    assert list(codes.values()) == sorted(codes.values())
    assert codes.keys() >= {"RATE_LIMIT_EXCEEDED", "VALIDATION_ERROR", *operation.flags.errors}
    assert ("NOT_FOUND" in codes) is (bool(route.placeholders) or "NOT_FOUND" in operation.flags.errors)
    assert ("IDEMPOTENCY_KEY_REUSED" in codes) is (route.method == "POST")
    conflicts = {codes[code] for code in codes if STATUSES[code] == 409}
    assert conflicts <= {422 if route.dialect.name == "mvp" else 409}
    assert DIALECTS["mvp"].status_of(404) == 404


def test_a_code_is_one_of_the_register() -> None:
    declared = Leads.get.operation
    with pytest.raises((TypeError, RuntimeError)) as raised:  # Python 3.11 wraps it in a RuntimeError

        class Wrong:
            get: Any = Operation(declared.function, declared.routes, declared.flags.__class__(errors=("NO_SUCH_CODE",)))

    assert "NO_SUCH_CODE are no codes of crm_sdk.vocabulary.codes" in str(raised.value.__cause__ or raised.value)


@pytest.mark.parametrize(
    ("method", "reads", "destroys", "forbids"),
    [
        (Leads.list, True, False, True),
        (Leads.create, False, False, True),
        (Leads.delete, False, True, True),
        (Contacts.search, True, False, True),
        (Contacts.bulk_delete, False, True, True),
        (Notifications.delete, False, True, False),
    ],
)
def test_what_a_declaration_leaves_out_follows_from_its_kind(
    method: Any, reads: bool, destroys: bool, forbids: bool
) -> None:
    operation = method.operation
    assert (operation.reads, operation.destroys) == (reads, destroys)
    assert ("FORBIDDEN" in codes_of(operation, next(iter(operation.routes.values())))) is forbids


@pytest.mark.parametrize("key", ["acme-sales", "acme-admin"])
def test_the_declared_role_decides_who_may_call(stub: StubServer, key: str) -> None:
    client = stub.client(api_key=key)
    if key == "acme-admin":
        client.webhooks.list()
        client.integrations.connect("integration_hubspot", credentials={"api_key": "k" * 20})
        return
    with pytest.raises(PermissionDeniedError, match=r"webhooks\.list is for the role admin, not for sales"):
        client.webhooks.list()
    with pytest.raises(PermissionDeniedError, match=r"integrations\.connect is for the role admin"):
        client.integrations.connect("integration_hubspot", credentials={"api_key": "k" * 20})
