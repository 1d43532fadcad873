"""The rules of message templates: their texts are read when they are written, and names are unique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_sdk.models.message_templates import MessageTemplate
from crm_sdk.resources.notification_settings import NotificationTemplates
from crm_sdk.wire import is_array, is_object

from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.query import fold
from ...noun import Noun
from ...problems import FieldError, Problem, invalid, validation
from ...request.access import permissions
from ...serving import Context, Members
from .language import read, variables_in

LONGEST_SMS = 1_600
_TEXTS = ("subject", "content", "content_html")
_TITLED = frozenset({"email", "push"})
"""The channels whose messages have a subject."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the variables of a template.

    Raises: 422 for a text that is not one; 409 TEMPLATE_EXISTS; 403 for a new one by who may write to its own people
    only.
    """
    if before is None and permissions.scope_for(call.caller, "notifications", "create") in ("own", "team"):
        raise Problem("FORBIDDEN", f"the role {call.caller.role} may send e-mail, but not create templates")
    whole: dict[str, Any] = {"channel": "email", "language": "en", **(before or {}), **members}
    channel = whole["channel"]
    translations: Sequence[Members] = whole.get("translations") or ()
    parts = [("", whole), *((f"translations.{number}.", one) for number, one in enumerate(translations))]
    wrong = list(_faults(channel, parts))
    languages = [fold(one["language"]) for one in translations]
    wrong += [
        FieldError(f"translations.{number}.language", "unique", f"there are two texts in {language}")
        for number, language in enumerate(languages)
        if language in (*languages[:number], fold(whole["language"]))
    ]
    if wrong:
        raise validation(wrong)
    for place, one in parts:
        for name in _TEXTS:
            if one.get(name):
                read(one[name], f"{place}{name}")
    _refuse_taken(call, whole, before)
    names = variables_in(*(one.get(name) for _, one in parts for name in _TEXTS))
    return {"variables": [name for name in names if not name.startswith("env.")]}  # those are settings


def _faults(channel: str, parts: Sequence[tuple[str, Members]]) -> Iterator[FieldError]:
    if channel in _TITLED and not parts[0][1].get("subject"):
        yield FieldError("subject", "required", f"a template for {channel} needs a subject")
    for place, one in parts:
        if channel == "sms" and len(one.get("content") or "") > LONGEST_SMS:
            yield FieldError(f"{place}content", "length", f"a text message has at most {LONGEST_SMS:,} characters")


def _refuse_taken(call: Context, whole: Members, before: Document | None) -> None:
    for other in TEMPLATES.records(call).find("name", whole["name"]):
        same = all(other[name] == whole[name] for name in ("channel", "language"))
        if same and (before is None or other["id"] != before["id"]):
            message = f"a template for {whole['channel']} in {whole['language']} has the name {whole['name']!r}"
            raise Problem("TEMPLATE_EXISTS", message, field="name", rule="unique", details={"existing_id": other["id"]})


def _may_delete(call: Context, doc: Document) -> None:
    """Refuse the deletion of a template that an active workflow or an active rule of a pipeline sends."""
    active = {flow["id"] for flow in call.collection("workflow").find("status", "active")}
    actions = [one for one in call.collection("action") if one["workflow_id"] in active and _names(one, doc["id"])]
    rules = [rule for rule in call.collection("rule").find("enabled", True) if _names(rule, doc["id"])]
    users = sorted({*(one["workflow_id"] for one in actions), *(rule["id"] for rule in rules)})
    if users:
        raise Problem("TEMPLATE_IN_USE", f"{', '.join(users)} send it", details={"used_by": users})


def _names(value: object, id: str) -> bool:
    """Tell whether an action names a template, at any depth."""
    if is_object(value):
        return value.get("template_id") == id or any(_names(inner, id) for inner in value.values())
    return is_array(value) and any(_names(inner, id) for inner in value)


def text_in(template: Members, *languages: str | None) -> Members:
    """Return a template with its text in the first of some languages that it has, or has the base of; else its own.

    A translation without a subject has the template's; one without HTML has none, which would be in another language.
    """
    own: str = template["language"]
    texts = {fold(one["language"]): one for one in template.get("translations") or ()}
    for language in filter(None, languages):
        for tag in (fold(language), fold(language.partition("-")[0])):
            if tag in texts:
                return {
                    **template,
                    "content_html": None,
                    **{name: value for name, value in texts[tag].items() if value},
                }
            if tag in (fold(own), fold(own.partition("-")[0])):
                return template
    return template


TEMPLATES = Noun(
    resource=NotificationTemplates,
    kind="template",
    model=MessageTemplate,
    searched=("name", "subject", "content"),
    sorts=("name", "usage_count"),
    forms={"name": required_text("name"), "category": required_text("category")},
    computed=("usage_count",),
    check=_check,
    may_delete=_may_delete,
)


def active_template(call: Context, id: str, channel: str) -> Document:
    """Return the template for a message. Raises: 422 for one that does not exist, is switched off or is for another
    channel.
    """
    doc: Any = call.reference("template", id, "template_id")
    if doc["channel"] != channel or not doc["active"]:
        why = "is not active" if doc["channel"] == channel else f"is for {doc['channel']}, not for {channel}"
        raise invalid("template_id", "reference", f"{doc['name']} {why}")
    return Document(doc)
