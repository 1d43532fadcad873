"""A record that was read is written back: the call takes its members that can be written, and its version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import pytest

from crm_sdk import AsyncCrmClient, CrmClient, models
from crm_sdk.catalogue import declared_operations
from crm_sdk.errors import ApiError, ConflictError
from server_stub import StubServer

OPERATIONS = {operation.id: operation for operation in declared_operations()}
FIRST: dict[str, Any] = {"user_id": "me", "tenant_id": "current", "entity": "contact"}


def read(client: CrmClient, noun: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield some of the records of a noun, each with the ids that its calls need."""
    listed, fetched = OPERATIONS.get(f"{noun}.list"), OPERATIONS.get(f"{noun}.get")
    resource = attrgetter(noun)(client)
    if listed is not None and not listed.positional:
        for record in list(resource.list())[:20]:
            yield (getattr(record, "key", None) or record.id,), record
    elif listed is not None:
        for parent in list(attrgetter(noun.rpartition(".")[0])(client).list())[:8]:
            yield from (((parent.id, record.id), record) for record in resource.list(parent.id))
    else:
        ids = tuple(FIRST[name] for name in (fetched.positional if fetched else ()))
        yield ids[: len(OPERATIONS[f"{noun}.update"].positional) - 1], resource.get(*ids)


def nouns() -> Iterator[str]:
    """Yield the nouns with a call that changes a record, which `read` can read in the demo data."""
    for id, operation in OPERATIONS.items():
        noun, returns = id.removesuffix(".update"), operation.arguments.returns
        is_change = noun != id and "platform" in operation.routes and operation.arguments.body
        listed, fetched = OPERATIONS.get(f"{noun}.list"), OPERATIONS.get(f"{noun}.get")
        is_read = len(listed.positional) < 2 if listed else fetched and {*fetched.positional} <= FIRST.keys()
        if fetched and fetched.arguments.returns is not returns:
            continue  # it answers more than the record
        if is_change and is_read and isinstance(returns, type) and issubclass(returns, models.Model):
            yield noun


NOUNS = sorted({*nouns()} - {"pipelines.automation"})  # the demo has no rules


def test_most_nouns_are_asked() -> None:
    assert len(NOUNS) > 25, NOUNS


@pytest.mark.parametrize("noun", NOUNS)
def test_what_was_read_changes_nothing(noun: str, stub: StubServer) -> None:
    client = stub.client(dialects="platform")
    tried = 0
    for ids, record in [*read(client, noun)]:
        writes = len(stub.audit())
        try:
            new = attrgetter(f"{noun}.update")(client)(*ids, record)
        except ApiError as refused:
            if refused.code not in {"FORBIDDEN", "ROLE_PROTECTED"}:  # another company's, or a fixed one
                raise
            continue
        tried += 1
        assert len(stub.audit()) == writes, stub.audit()[-1]["changes"]
        assert getattr(new, "version", None) == getattr(record, "version", None)
    assert tried


@pytest.fixture
def client(mode: str, stub: StubServer) -> CrmClient | AsyncCrmClient:
    return stub.client() if mode == "sync" else stub.async_client()


def test_a_changed_copy_is_written_once(client: Any, call: Callable[..., Any]) -> None:
    address: Any = {"city": "Bonn"}
    lead = call(client.leads.create({"name": "Ann Lee", "tags": ["a"], "address": address}))
    changed = lead.model_copy(update={"name": "Bea Lee", "tags": [*lead.tags, "b"]})
    new = call(client.leads.update(lead.id, changed))
    assert (new.name, new.tags, new.address, new.version) == ("Bea Lee", ["a", "b"], lead.address, 2)
    with pytest.raises(ConflictError, match="VERSION_CONFLICT"):  # it would take back what was written since
        call(client.leads.update(lead.id, changed))
    assert call(client.leads.update(lead.id, changed, version=2)).version == 2
    moved = call(client.leads.update(lead.id, {"address": lead.address.model_copy(update={"city": "Ulm"})}))
    assert (moved.address.city, moved.name) == ("Ulm", "Bea Lee")


def test_each_kind_of_an_activity_is_written_back(client: Any, call: Callable[..., Any]) -> None:
    activities = {each.kind: each for each in call(client.activities.list())}
    assert len(activities) > 3
    for activity in activities.values():
        new = call(client.activities.update(activity.id, activity.model_copy(update={"tags": ["read"]})))
        assert (new.tags, new.version) == (["read"], activity.version + 1), activity


def test_records_within_a_record_that_its_list_left_out_stay(client: Any, call: Callable[..., Any]) -> None:
    (board, *_) = call(client.dashboards.list(limit=1))[:1]
    assert (board.widgets, board.widget_count > 0) == ([], True)
    call(client.dashboards.update(board.id, board.model_copy(update={"name": "Other"})))
    assert len(call(client.dashboards.get(board.id)).widgets) == board.widget_count
    assert call(client.dashboards.update(board.id, {"widgets": []})).widgets == []


@pytest.mark.parametrize("dialect", ["mvp", "flow"])
def test_a_record_of_a_document_with_less_is_written_back_in_it(dialect: str, stub: StubServer) -> None:
    client = stub.client(dialects=dialect)
    calls: Any = client.leads if dialect == "mvp" else client.contacts
    record = next(iter(calls.list()))
    assert calls.update(record.id, record.model_copy(update={"name": "Other Name"})).name == "Other Name"
