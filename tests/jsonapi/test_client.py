"""A client of JSON:API that nobody here wrote reads, follows, makes, changes and deletes records on a port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonapi_requests  # type: ignore[import-untyped] # it has no types
import pytest
import requests
from jsonapi_requests import orm
from jsonapi_requests.data import JsonApiObject  # type: ignore[import-untyped] # it has no types
from jsonapi_requests.request_factory import ApiClientError  # type: ignore[import-untyped] # it has no types
from patience import HANG

from server_stub import StubServer


class Bearer(requests.auth.AuthBase):
    """Names the caller of a request."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = "Bearer acme-admin"
        return request


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with StubServer(enforce_limits=False).serve() as port:
        yield f"{port.url}/v1"


def settings(root: str) -> dict[str, Any]:
    return {
        "API_ROOT": root,
        "AUTH": Bearer(),
        "TIMEOUT": HANG,
        "VALIDATE_SSL": False,
        "RETRIES": 1,
        "APPEND_SLASH": False,
    }


@pytest.fixture
def api(root: str) -> Any:
    return jsonapi_requests.Api.config(settings(root))


def test_records_are_made_read_changed_and_deleted(api: Any) -> None:
    owner = {"owner": {"data": {"type": "user", "id": "user_sam"}}}
    born = JsonApiObject.from_data(
        {"type": "contact", "attributes": {"name": "Eva Roth", "title": "CTO"}, "relationships": owner}
    )
    made = api.endpoint("contacts").post(object=born)
    assert (made.status_code, made.data.type, made.data.attributes["title"]) == (201, "contact", "CTO")
    place = api.endpoint(f"contacts/{made.data.id}")
    found = place.get(params={"include": "owner", "fields[contact]": "name,owner"}).content
    assert dict(found.data.attributes.items()) == {"name": "Eva Roth"}
    (sam,) = found.included
    assert (sam.type, sam.id) == ("user", found.data.relationships["owner"].data.id)
    change = JsonApiObject(id=made.data.id, type="contact", attributes={"title": "CEO"})
    assert place.patch(object=change).data.attributes["title"] == "CEO"
    assert place.delete().content.meta == {"id": made.data.id, "deleted": True}
    with pytest.raises(ApiClientError) as gone:
        place.get()
    assert gone.value.status_code == 404
    assert json.loads(gone.value.content)["errors"][0]["code"] == "NOT_FOUND"


def test_lists_are_followed_by_their_links(api: Any, root: str) -> None:
    ids: list[str] = []
    page = api.endpoint("contacts").get(params={"page[size]": 9, "sort": "-name"})
    total = page.content.meta["total"]
    while True:
        ids += [one.id for one in page.data]
        link = page.payload["links"]["next"]
        if link is None:
            break
        page = api.endpoint(link.removeprefix("/v1/")).get()
    assert len(ids) == len(set(ids)) == total > 9


def test_models_of_the_client_work(root: str) -> None:
    api_ = orm.OrmApi.config(settings(root))

    class User(orm.ApiModel):  # type: ignore[misc] # the client has no types
        class Meta:
            type, path, api = "user", "users", api_

        name = orm.AttributeField("name")

    class Contact(orm.ApiModel):  # type: ignore[misc] # the client has no types
        class Meta:
            type, path, api = "contact", "contacts", api_

        name = orm.AttributeField("name")
        title = orm.AttributeField("title")
        owner = orm.RelationField("owner")

    contact = Contact()
    contact.name, contact.title = "Ines Duarte", "CTO"
    contact.owner = User.from_id("user_sam")
    contact.save()
    again = Contact.from_id(contact.id)
    assert (again.name, again.owner.name) == ("Ines Duarte", User.from_id("user_sam").name)
    again.title = "CEO"
    again.save()
    listed = Contact.get_list(params={"search": "Ines Duarte", "include": "owner"})
    assert [(one.title, one.owner.id) for one in listed] == [("CEO", "user_sam")]
    again.delete()
    assert not Contact.exists(contact.id)
