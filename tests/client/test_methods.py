"""Calls are functions of the resource classes, where `unittest.mock` and whatever wraps functions finds them."""

import asyncio
import inspect
import pickle
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Annotated, Any
from unittest import mock

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.testclient import TestClient

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.catalogue import Catalogue, declared_operations
from crm_sdk.operation import Operation
from crm_sdk.resource import Async, Resource, Sync, operation_of, parts
from crm_sdk.resources.leads import LeadCaptures, Leads
from server_stub import StubServer

URL = "http://127.0.0.1:1"


def classes(owner: type[Any] = Catalogue) -> Iterator[type[Resource[Any]]]:
    for kind in parts(owner).values():
        yield kind
        yield from classes(kind)


CLASSES = list(classes())


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.path())
@pytest.mark.parametrize("mode", [Sync, Async], ids=["sync", "async"])
def test_every_call_is_a_function_of_the_class(kind: Any, mode: type[Sync] | type[Async]) -> None:
    found = kind.in_mode(mode)
    assert type(kind(CrmClient(URL) if mode is Sync else AsyncCrmClient(URL))) is found
    assert issubclass(found, kind) and found.path() == kind.path() and found.mode is mode
    for name, function in vars(kind).items():
        operation = operation_of(function)
        if operation is None:
            continue
        method: Any = getattr(found, name)
        assert type(method) is FunctionType and vars(method)["operation"] is operation
        assert (method.__name__, method.__module__) == (operation.name, kind.__module__)
        assert inspect.iscoroutinefunction(method) is (mode is Async and operation.kind not in ("page", "stream"))
        assert list(inspect.signature(method).parameters) == ["self", *operation.signature.parameters]
        assert inspect.getsource(method) == inspect.getsource(operation.function)


def test_every_operation_is_in_a_class() -> None:
    assert {operation.owner for operation in declared_operations()} <= set(CLASSES)


def test_a_resource_has_the_methods_of_its_client() -> None:
    sync, other = CrmClient(URL), AsyncCrmClient(URL)
    assert type(sync.leads.get) is MethodType is type(other.leads.get)
    classes: Any = CrmClient, AsyncCrmClient
    assert classes[0].leads is Leads is type(sync.leads) and classes[1].leads is type(other.leads)
    assert isinstance(other.leads, Leads) and isinstance(other.leads.capture, LeadCaptures)
    assert type(other.leads.capture) is type(AsyncCrmClient(URL).leads.capture) is not LeadCaptures


def test_one_class_is_made_however_many_threads_ask() -> None:
    class Probes(Resource[Any]):
        pass

    found: list[Any] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        found.append(Probes.in_mode(Async))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


# -- unittest.mock -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("autospec", [False, True])
@pytest.mark.parametrize("place", ["Leads.create", "LeadCaptures.web_form"])
def test_a_patch_holds_for_clients_that_were_used_before(place: str, autospec: bool) -> None:
    client = StubServer().client()
    call: Callable[[], Any] = {
        "create": lambda: client.leads.create({"name": "Ada"}),
        "web_form": lambda: client.leads.capture.web_form({"name": "Ada", "email": "ada@example.com"}),
    }[place.rpartition(".")[2]]
    real = call()
    with mock.patch(f"crm_sdk.resources.leads.{place}", return_value="patched", autospec=autospec) as patched:
        assert call() == "patched"
    assert patched.call_count == 1
    assert isinstance(patched.call_args.args[0], Resource) is autospec  # as with any method: `self` comes first
    assert type(call()) is type(real)


def test_a_patch_holds_for_the_async_client_too() -> None:
    client: Any = StubServer().async_client()
    real = client.leads.get
    with mock.patch.object(Leads, "get", mock.AsyncMock(return_value="patched")):
        assert asyncio.run(client.leads.get("x")) == "patched"
        with mock.patch.object(Leads, "get", mock.AsyncMock(return_value="again")):
            assert asyncio.run(client.leads.get("x")) == "again"
        assert asyncio.run(client.leads.get("x")) == "patched"
    assert client.leads.get == real and inspect.iscoroutinefunction(client.leads.get)
    with mock.patch.object(type(client.leads), "get", return_value="patched") as patched:
        assert isinstance(patched, mock.AsyncMock) and asyncio.run(client.leads.get("x")) == "patched"
    assert client.leads.get == real


def test_what_is_patched_before_the_first_async_client_holds_until_it_is_put_back() -> None:
    class Probes(Resource[Any]):
        get = Leads.get

    with mock.patch.object(Probes, "get", "patched"):
        assert Probes.in_mode(Async).get == "patched"
    assert inspect.iscoroutinefunction(Probes.in_mode(Async).get)
    Probes.extra = 5  # type: ignore[attr-defined] # as a test may do
    del Probes.extra  # type: ignore[attr-defined] # as above
    assert not hasattr(Probes.in_mode(Async), "extra")


def test_a_noun_can_be_patched_on_class_and_client() -> None:
    client = StubServer().client()
    leads = client.leads
    with mock.patch.object(CrmClient, "leads") as patched:
        assert client.leads is patched
    with mock.patch.object(client, "leads") as patched:
        assert client.leads is patched
    assert client.leads is leads


@pytest.mark.parametrize("spec", [CrmClient, CrmClient(URL)], ids=["class", "client"])
def test_an_autospec_knows_resources_calls_and_signatures(spec: Any) -> None:
    client: Any = mock.create_autospec(spec, instance=True)
    client.leads.create.return_value = 7
    client.leads.capture.email.return_value = 8
    assert client.leads.create({"name": "Ada"}) == 7 and client.leads.capture.email({}) == 8
    for owner in (client, client.leads, client.leads.capture):
        assert not hasattr(owner, "nothing")
    with pytest.raises(TypeError):
        client.leads.get("a", "b")


@pytest.mark.parametrize("spec", [AsyncCrmClient, AsyncCrmClient(URL)], ids=["class", "client"])
def test_an_autospec_of_the_async_client_is_awaited(spec: Any) -> None:
    client = mock.create_autospec(spec, instance=True)
    client.leads.get.return_value = 7
    assert asyncio.run(client.leads.get("x")) == 7


def test_a_mock_with_a_spec_knows_resources_and_calls() -> None:
    with pytest.raises(AttributeError):
        mock.Mock(spec=CrmClient).nothing  # noqa: B018 # asking is the test
    assert mock.Mock(spec=CrmClient).leads and mock.Mock(spec=Leads).get("x")
    assert isinstance(mock.Mock(spec=type(AsyncCrmClient(URL).leads)).get, mock.AsyncMock)


# -- tools that ask whether a function is a coroutine function -------------------------------------------------------


def test_frameworks_await_a_call_they_are_handed() -> None:
    stub = StubServer()
    client = stub.async_client()
    app = FastAPI()

    @app.post("/leads")
    async def create(tasks: BackgroundTasks) -> str:
        tasks.add_task(client.leads.create, {"name": "Background"})
        return "accepted"

    @app.get("/me")
    async def me(user: Annotated[Any, Depends(client.auth.me)]) -> str:
        return type(user).__name__

    server = TestClient(app)
    assert server.post("/leads").json() == "accepted" and server.get("/me").json() == "User"
    assert [lead.name for lead in stub.client().leads.list(search="Background")] == ["Background"]


def test_a_call_is_made_when_it_is_awaited() -> None:
    stub = StubServer()
    coroutine: Any = stub.async_client().leads.create({"name": "Ada"})
    assert repr(coroutine).startswith("<coroutine object Leads.create") and stub.journal.find() == []
    coroutine.close()


@pytest.mark.parametrize("make", [CrmClient, AsyncCrmClient])
def test_a_method_can_be_pickled(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_API_KEY", "key")
    client = make(URL)
    for method in (client.leads.get, client.contacts.relationships.create):
        again = pickle.loads(pickle.dumps(partial(method, "x"))).func
        assert again.operation is method.operation and inspect.iscoroutinefunction(again) is (make is AsyncCrmClient)


def test_a_declaration_keeps_the_first_name_of_an_alias() -> None:
    assert Leads.get_all is Leads.list and isinstance(Leads.list.operation, Operation)
    leads: Any = type(AsyncCrmClient(URL).leads)
    assert leads.get_all is leads.list
