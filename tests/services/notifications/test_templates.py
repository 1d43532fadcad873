"""Templates: their language, which is checked when they are written, names, translations and use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import MessageTemplate
from server_stub import StubServer
from server_stub.services.notifications.templates import text_in

NEW: Any = {"name": "T", "category": "support", "subject": "S", "content": "Hi {{ name }}"}
ANY: Any = {}
VALUES = {"name": "Eva", "offer": "tea"}


def test_variables_are_read_from_all_texts_and_again_after_a_change(acme: CrmClient) -> None:
    given: Any = {
        **NEW,
        "content": "{{ contact.first_name }} {{ city | default('here') }} {% if vip %}!{% endif %}",
        "translations": [{"language": "de", "content": "{{ ort }}"}],
    }
    made = acme.notifications.templates.create(given)
    assert made.variables == ["contact.first_name", "city", "vip", "ort"]
    assert acme.notifications.templates.update(made.id, {"content": "x", "translations": None}).variables == []


def test_names_are_unique_per_channel_and_language(acme: CrmClient, template: MessageTemplate) -> None:
    same: Any = {**NEW, "name": template.name}
    error = refused(lambda: acme.notifications.templates.create(same))
    assert (error.code, error.fields[0].details["existingId"]) == ("TEMPLATE_EXISTS", template.id)
    other = acme.notifications.templates.create(ANY | {**same, "language": "de"})
    acme.notifications.templates.create(ANY | {**same, "channel": "sms"})
    assert refused(lambda: acme.notifications.templates.update(other.id, {"language": "en"})).code == "TEMPLATE_EXISTS"


@pytest.mark.parametrize(
    ("asked", "used", "title"),
    [
        ("de", "de", "Guten Tag Eva"),
        ("de-AT", "de", "Guten Tag Eva"),
        ("ar", "ar", "Hello Eva"),
        ("es", "en", "Hello Eva"),
    ],
)
def test_the_language_is_the_recipients_then_its_base_then_the_templates(
    acme: CrmClient, template: MessageTemplate, asked: str, used: str, title: str
) -> None:
    sent = acme.notifications.send_email(
        "eva@example.com", template_id=template.id, variables=VALUES, language=asked
    )  # fmt: skip
    assert (sent.language, sent.title) == (used, title)
    person = acme.contacts.create({"name": "Eva", "email": "eva2@example.com", "language": asked})
    sent = acme.notifications.send_email(person.id, template_id=template.id, variables=VALUES)
    assert (sent.language, sent.title) == (used, title)


def test_a_missing_variable_is_named_and_nothing_is_sent(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    error = refused(lambda: acme.notifications.send_email("a@example.com", template_id=template.id))
    assert error.code == "MISSING_VARIABLE"
    assert [one.field for one in error.fields] == ["variables.name", "variables.offer"]
    assert acme.notifications.templates.get(template.id).usage_count == 0
    assert not stub.outbox.messages
    acme.notifications.send_email("a@example.com", template_id=template.id, variables=VALUES)
    assert acme.notifications.templates.get(template.id).usage_count == 1


def test_values_are_escaped_in_html_and_nowhere_else(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    values = {"name": "<b>&", "offer": "x"}
    sent = acme.notifications.send_email("a@example.com", template_id=template.id, variables=values)
    assert sent.message == "Dear <b>&, X awaits."
    assert "<p>&lt;b&gt;&amp;</p>" in (stub.outbox.messages[-1].html or "")


def test_a_template_that_is_off_or_for_another_channel_is_not_sent(acme: CrmClient, template: MessageTemplate) -> None:
    error = refused(lambda: acme.notifications.send_sms("+4930123456", template_id=template.id, variables=VALUES))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "template_id")
    acme.notifications.templates.update(template.id, {"active": False})
    error = refused(lambda: acme.notifications.send_email("a@b.example", template_id=template.id, variables=VALUES))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "template_id")


def test_a_template_of_an_active_workflow_stays(acme: CrmClient, template: MessageTemplate) -> None:
    made = acme.workflows.create(
        {
            "name": "Welcome",
            "entity_type": "lead",
            "triggers": [{"type": "manual"}],
            "actions": [{"spec": {"type": "send_email", "template_id": template.id, "to": "record"}}],
        }
    )
    acme.workflows.activate(made.id)
    used = refused(lambda: acme.notifications.templates.delete(template.id))
    assert (used.code, used.details) == ("TEMPLATE_IN_USE", {"usedBy": [made.id]})
    acme.workflows.deactivate(made.id)
    acme.notifications.templates.delete(template.id)
    assert refused(lambda: acme.notifications.templates.get(template.id)).status == 404


def test_a_template_of_an_enabled_rule_stays(acme: CrmClient, template: MessageTemplate) -> None:
    pipeline = next(iter(acme.pipelines.list())).id
    mail: Any = {"type": "send_email", "template_id": template.id, "to": "record"}
    found = [{"filters": [{"field": "title", "op": "is_set"}]}]
    branch: Any = {"type": "branch", "conditions": found, "then": [mail]}
    for action in (mail, branch):
        body: Any = {"name": "R", "trigger": {"event": "deal_won"}, "actions": [action]}
        rule = acme.pipelines.automation.create(pipeline, body)
        error = refused(lambda: acme.notifications.templates.delete(template.id))
        assert (error.status, error.code, error.details) == (409, "TEMPLATE_IN_USE", {"usedBy": [rule.id]})
        acme.pipelines.automation.update(pipeline, rule.id, {"enabled": False})
    acme.notifications.templates.delete(template.id)


def test_what_is_wrong_with_a_text_is_said_with_its_line(acme: CrmClient) -> None:
    filters, deep = "there is no filter 'replace'; there are abs, capitalize, count, ", "{% if name %}" * 120
    for content, said in (
        ("a\n{{ name() }}", "line 2: a template has no call"), ("{{ 9 ** 9 ** 9 }}", "line 1: a template has no pow"),
        ("{{ name.__class__ }}", "line 1: a template has no access to __class__"),
        ("{{ name['__class__'] }}", "line 1: a template has no access to __class__"),
        ("{{ 'x' * 999999999 }}", "line 1: a template has no mul"),
        ("{{ '%999999999d' % 1 }}", "line 1: a template has no mod"),
        ("{% for a in b %}{% endfor %}", "line 1: a template has no for"),
        ("{% include 'x' %}", "line 1: a template has no include"),
        ("{{ name | replace('a', 'b') }}", f"line 1: {filters}"), ("Hi\n{{ name | nothing }}", "line 2: "),
        ("{{ name is mountain }}", "line 1: there is no test 'mountain'"),
        ("Hi\n{% if name is mountain %}x{% endif %}", "line 2: there is no test 'mountain'"),
        ("{{ 'a' if name is mountain else 'b' }}", "line 1: there is no test 'mountain'"),
        ("a\n\n{% if %}", "line 3: Expected an expression, got 'end of statement block'"), ("Hi {{ name", "line 1: "),
        (deep + "x" + "{% endif %}" * 120, "line 1: it is nested too deeply"),
    ):  # fmt: skip
        for place in ("content", "content_html", "subject", "translations.0.content"):
            given: Any = {**NEW, place: content} if "." not in place else {
                **NEW, "translations": [{"language": "de", "content": content}],
            }  # fmt: skip
            if place == "subject" and content.startswith(deep):  # a subject is not as long
                continue
            error = refused(lambda given=given: acme.notifications.templates.create(given))  # type: ignore[misc] # the value of this turn is bound
            assert (error.status, error.code, error.fields[0].field) == (422, "TEMPLATE_SYNTAX", place), content
            assert error.message.startswith(said) and error.fields[0].rule == "format", content
            assert error.fields[0].details["line"] == int(said[5])
    given = {
        **NEW, "subject": "{{ env.brand }} {{ user['first'].name }}", "content": "{{ list[place] }} {{ (a ~ b) | e }}",
        "content_html": "{{ a.b.c }} {{ city | d(other) }} {{ 'x' }}",
    }  # fmt: skip
    names = ["user", "list", "place", "a", "b", "a.b.c", "city", "other"]
    assert acme.notifications.templates.create(given).variables == names


def test_what_a_channel_asks_of_a_template(acme: CrmClient) -> None:
    create = acme.notifications.templates.create
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"subject": None}, ["subject"]), ({"channel": "push", "subject": None}, ["subject"]),
        ({"translations": [{"language": "en", "content": "x"}]}, ["translations.0.language"]),
        ({"translations": [{"language": tag, "content": "x"} for tag in ("de", "DE", "de")]},
         ["translations.1.language", "translations.2.language"]),
        ({"channel": "sms", "subject": None, "content": "x" * 1_600}, []),
        ({"channel": "chat", "subject": None, "content": "x" * 1_601}, []), ({"content": "x" * 1_601}, []),
        ({"channel": "sms", "content": "x" * 1_601, "translations": [
            {"language": "de", "content": "x" * 1_600}, {"language": "es", "content": "x" * 1_601},
        ]}, ["content", "translations.1.content"]),
    ]  # fmt: skip
    for number, (members, wrong) in enumerate(cases):
        given: Any = {**NEW, "name": f"N{number}", **members}
        if not wrong:
            assert create(given).name == f"N{number}"
            continue
        error = refused(lambda given=given: create(given))  # type: ignore[misc] # the value of this turn is bound
        assert [one.field for one in error.fields] == wrong, members
    made = create(ANY | {**NEW, "name": "Own"})
    assert acme.notifications.templates.update(made.id, {"name": "Own", "content": "New"}).content == "New"


def test_what_a_call_says_is_before_what_the_template_says(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    def sent(**given: Any) -> tuple[str | None, str | None, str | None]:
        usual: Any = {"template_id": template.id, "variables": VALUES, **given}
        mail = acme.notifications.send_email("a@example.com", **usual)
        return mail.title, mail.message, re.sub("<img.*", "", stub.outbox.messages[-1].html or "-")

    own, text = '<p>Eva</p><a href="', "Dear Eva, TEA awaits."
    title, message, html = sent()
    assert (title, message) == ("Hello Eva", text) and str(html).startswith(own)
    assert sent(subject="To {{ offer }}")[:2] == ("To tea", text)
    assert sent(content_html="<b>{{ offer }}</b>") == ("Hello Eva", text, "<b>tea</b>")
    assert sent(language="de") == ("Guten Tag Eva", "Eva: tea", "-"), "its HTML would be in another language"
    assert sent(language="en-GB")[0] == "Hello Eva"
    kept = acme.notifications.templates.get(template.id)
    assert (kept.usage_count, kept.version) == (5, template.version)
    for channel, changes, said in (
        ("sms", {}, "Offer is for email, not for sms"), ("email", {"active": False}, "Offer is not active"),
    ):  # fmt: skip
        given: Any = changes
        acme.notifications.templates.update(template.id, given)
        to = "+4930123456" if channel == "sms" else "a@example.com"
        send: Any = getattr(acme.notifications, f"send_{channel}")
        error = refused(lambda send=send, to=to: send(to, template_id=template.id, variables=VALUES))  # type: ignore[misc] # the values of this turn are bound
        assert (error.message, error.fields[0].rule) == (said, "reference")


def test_the_first_language_decides_that_a_template_has(acme: CrmClient) -> None:
    template: Any = {"language": "pt-BR", "content": "pt", "content_html": "<p>", "subject": "S", "translations": [
        {"language": "de", "content": "de", "content_html": None, "subject": None},
        {"language": "en-GB", "content": "gb", "subject": "G"},
    ]}  # fmt: skip
    for languages, used in (
        ((), "pt"), ((None, "fr"), "pt"), (("de-AT", "pt"), "de"), (("PT-br", "de"), "pt"), (("pt", "de"), "pt"),
        (("pt-PT", "de"), "pt"), (("fr", None, "EN-gb"), "gb"), (("en", "de"), "de"),
    ):  # fmt: skip
        assert text_in(template, *languages)["content"] == used, languages
    german = text_in(template, "de")
    assert (german["subject"], german["content_html"], german["language"]) == ("S", None, "de")
    assert text_in({**template, "translations": None}, "de") == {**template, "translations": None}
