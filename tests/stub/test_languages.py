"""The languages of answers: which one a request gets, what is translated, and that no translation is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import pytest
from messages import templates

from crm_sdk import CrmClient
from crm_sdk.arguments import _BOUNDS  # pyright: ignore[reportPrivateUsage] # its texts are messages
from crm_sdk.errors import ConfigurationError, NotFoundError
from crm_sdk.models.patterns import FORMS
from server_stub import StubServer
from server_stub.languages.catalogue import catalogue, template_of, translated_text
from server_stub.languages.negotiation import SHIPPED, accepted_languages
from server_stub.request.access.permissions import resources
from server_stub.request.settings import SETTINGS

OTHERS = [one for one in SHIPPED if one != "en"]
_HOLE = re.compile(r"\{\d\}")


@pytest.fixture
def client() -> CrmClient:
    return StubServer().client()


def header(client: CrmClient, language: str, method: str = "GET", path: str = "/v1/contacts", **more: Any) -> Any:
    return client.request(method, path, headers={"Accept-Language": language}, **more)


# -- the catalogues ----------------------------------------------------------------------------------------------------


def test_no_message_is_missing_from_the_catalogue() -> None:
    found = templates()
    assert len(found) > 500
    said = {
        one[:1].lower() + one[1:]
        for one in (*FORMS.values(), *(re.sub(r"\{\w+\}", "{0}", b) for b in _BOUNDS.values()))
    }
    missing = (found.keys() | said) - catalogue("en")["messages"].keys()
    assert not missing, f"add these to server_stub/languages/*.json: {sorted(missing)}"


def test_no_label_is_missing_from_the_catalogue(client: CrmClient) -> None:
    words = {text for one in SETTINGS.values() for text in (one.label, one.description)}
    for entity in client.objects.list(custom=False):
        described = client.objects.describe(entity.entity)
        words |= {described.label, described.plural_label, *(link.label for link in described.relationships)}
        for field in described.fields:
            words |= {part.replace("_", " ").capitalize() for part in field.name.split(".")}
            words |= {option.label for option in field.options}
    missing = {one for one in words if template_of("labels", one) is None}
    assert not missing, f"add these to server_stub/languages/*.json: {sorted(missing)}"


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("section", ["messages", "labels", "feed", "permissions"])
def test_every_text_is_translated_with_its_values(language: str, section: str) -> None:
    english, own = catalogue("en")[section], catalogue(language)[section]
    assert own.keys() == english.keys()
    broken = [text for text in own if sorted(_HOLE.findall(own[text])) != sorted(_HOLE.findall(english[text]))]
    assert not broken and all(own.values())


@pytest.mark.parametrize("language", OTHERS)
def test_every_permission_is_called_in_the_language(client: CrmClient, language: str) -> None:
    english, own = (client.with_options(language=one).security.permissions() for one in ("en", language))
    custom = {one.resource for one in english} - set(resources())
    assert custom and [(one.resource, one.action) for one in own] == [(one.resource, one.action) for one in english]
    for one, other in zip(english, own, strict=True):
        assert other.label != one.label and other.description != one.description
        assert one.resource not in custom or one.resource.replace("_", " ") in other.label, "a name of data stays"


@pytest.mark.parametrize("language", OTHERS)
def test_values_stay_letter_by_letter(language: str) -> None:
    name = "עברית\u200f اسم (A-1) \\1 {0} €"
    text = translated_text(language, f"no report has the id {name!r}")
    assert text is not None and repr(name) in text
    assert language != "ar" or f"\u2068{name!r}\u2069" in text, "isolated, so that it does not turn the words around it"


# -- negotiation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("de", ["de"]), ("en;q=0.2, de-AT, es;q=0.9", ["de-AT", "es", "en"]), ("de,, es", ["de", "es"]),
        ("*, de;q=0.1", []), ("de;q=0, es", ["es"]), (";;;q", []), ("de;q=abc", []), ("de;q=2", []), ("=", []),
        ("x" * 300, []), ("", []),
    ],
)  # fmt: skip
def test_a_header_is_read_by_its_weights_or_ignored(header: str, order: list[str]) -> None:
    assert accepted_languages(header)[0] == order


@pytest.mark.parametrize(
    ("asked", "got"), [("de-AT", "de"), ("fr, es;q=0.5", "es"), ("fr", "en"), ("*", "en"), ("", "en"), ("AR", "ar")]
)
def test_every_answer_names_its_language_and_varies_with_it(client: CrmClient, asked: str, got: str) -> None:
    for reply in (header(client, asked), header(client, asked, path="/v1/nowhere")):
        assert reply.headers["content-language"] == got
        assert "Accept-Language" in reply.headers["vary"]


def test_the_header_comes_before_the_user_and_the_user_before_the_company() -> None:
    stub = StubServer()
    client = stub.client()
    person = client.with_options(language="ar")
    client.users.preferences.update("me", {"language": "de"})
    assert client.request("GET", "/v1/contacts").headers["content-language"] == "de"
    assert header(client, "es").headers["content-language"] == "es"
    assert header(client, "*").headers["content-language"] == "de"
    assert header(client, "*, de;q=0").headers["content-language"] == "en"
    assert person.request("GET", "/v1/contacts").headers["content-language"] == "ar"
    client.tenants.config.update("current", {"languages": ["en", "es"]})
    assert client.request("GET", "/v1/contacts").headers["content-language"] == "en"
    assert header(client, "de, es;q=0.1").headers["content-language"] == "es"


# -- what is translated ------------------------------------------------------------------------------------------------


def test_messages_are_translated_and_codes_are_not(client: CrmClient) -> None:
    said: dict[str, str] = {}
    for language in SHIPPED:
        with pytest.raises(NotFoundError) as caught:
            client.with_options(language=language).contacts.get("contact_none")
        assert caught.value.code == "NOT_FOUND"
        assert "contact_none" in str(caught.value)
        said[language] = str(caught.value)
    assert len(set(said.values())) == len(SHIPPED)


def test_a_message_without_a_translation_is_english(monkeypatch: pytest.MonkeyPatch, client: CrmClient) -> None:
    own = cast("dict[str, str]", catalogue("de")["messages"])
    monkeypatch.delitem(own, "must not be blank")
    reply = header(client, "de", "POST", json={"name": ""})
    assert (reply.headers["content-language"], reply.json()["errors"][0]["message"]) == ("en", "must not be blank")


def test_failed_items_of_bulk_calls_are_translated(client: CrmClient) -> None:
    body = {"leads": [{"name": ""}]}
    said = [header(client, one, "POST", "/v1/leads/bulk", json=body).content for one in ("de", "en")]
    assert said[0] != said[1]


def test_labels_are_translated_and_names_are_not(client: CrmClient) -> None:
    english, german = (client.with_options(language=one).objects.describe("contact") for one in ("en", "de"))
    assert (german.language, german.label) == ("de", "Kontakt")
    assert [one.name for one in german.fields] == [one.name for one in english.fields]
    labels: Mapping[str, str] = {one.name: one.label for one in german.fields}
    assert (labels["first_name"], labels["address.city"]) == ("Vorname", "Adresse: Ort")


def test_stored_data_is_never_translated(client: CrmClient) -> None:
    made = client.contacts.create({"name": "Meeting محمد \u200f(A-1)"})
    assert client.with_options(language="ar").contacts.get(made.id) == client.contacts.get(made.id)


@pytest.mark.parametrize("language", ["", "de_DE", "de, en", "d", "dé"])
def test_a_client_takes_one_language_tag(client: CrmClient, language: str) -> None:
    with pytest.raises(ConfigurationError, match="language tag"):
        client.with_options(language=language)
