"""Somebody else's fuzzer: Schemathesis makes requests from our OpenAPI documents, and judges what the stub answers.

Half of what it makes is valid, half is not. Identifiers are exchanged for those of records that are there, or else
nearly every answer would be a 404.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm_sdk.openapi import document
from crm_sdk.wire import is_object, snake
from server_stub import StubServer
from server_stub.request.http import Request

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
AnyCase: TypeAlias = Case[Any]
CONFIG = {"generation": {"with-security-parameters": False}}
_COMPANY = "tenant_acme"
_KINDS: Mapping[str, str] = {
    "owner": "user", "event": "activity", "related_contact": "contact", "survivor": "contact", "parent": "account",
    "delivery": "webhook_delivery",
}  # fmt: skip
"""What an identifier is the id of, where its name does not say so."""

_ENTITIES = ("contact", "lead", "deal", "account", "activity")
"""Types of records that every company has; others depend on its custom objects."""

# Of what the formats allow, what somebody may really send: no comments in addresses, no times in the year 5000.
_words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9)
_EMAILS = st.builds("{}.{}@{}.com".format, _words, _words, _words)
_URLS = st.builds("https://{}.com/{}".format, _words, _words)
_DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1)).map(date.isoformat)
_TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda time: time.isoformat() + "Z")
_ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"])
_NETWORKS = st.ip_addresses().map(str) | st.integers(8, 32).map("10.0.0.0/{}".format)
_FORMATS = {
    "time-zone": _ZONES, "ip-network": _NETWORKS, "email": _EMAILS, "uri": _URLS, "date": _DAYS, "date-time": _TIMES,
}  # fmt: skip
for name, strategy in _FORMATS.items():
    schemathesis.openapi.format(name, strategy)


class Fuzzer:
    """A stub, the document of one dialect, and what comes of a request to it."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._stub = StubServer()
        _furnish(self._stub)
        self._start = self._stub.snapshot()
        self._base_url = "http://stub.test" + ("/v1" if dialect == "platform" else f"/{dialect}")
        schema = schemathesis.openapi.from_dict(
            document(dialect, self._base_url), config=SchemathesisConfig.from_dict(CONFIG)
        )
        self._operations: dict[str, Any] = {}
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            self._operations[operation.definition.raw["operationId"]] = operation

    def cases(self, operation_id: str, *, valid: bool) -> st.SearchStrategy[AnyCase]:
        """Return requests to a call: such as its document allows, or such as it does not."""
        mode = GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE
        strategy: st.SearchStrategy[AnyCase] = self._operations[operation_id].as_strategy(generation_mode=mode)
        return strategy

    def send(self, case: AnyCase, *, valid: bool, may_refuse: bool = False) -> list[str]:
        """Send a request to the stub as it began; returns what is wrong with the answer.

        With `may_refuse` a refusal of a valid request is none of that: its rules say more than a schema can.
        """
        self._stub.restore(self._start)
        if valid:
            self._use_known_ids(case)
        headers = {"Authorization": "Bearer acme-admin"}
        sent = requests.Request(**case.as_transport_kwargs(self._base_url, headers)).prepare()
        response = self._answer(sent)
        wrong = list(_refusals(response)) if valid and not may_refuse else []
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            wrong += [
                f"{type(failure).__name__}: {failure}"
                for failure in group.exceptions
                if not (self._is_meant(failure) or _is_of_an_item(failure, response))
            ]
        request = f"{sent.method} {sent.path_url} {sent.body!r}"
        return [f"{each}\n{request[:2000]}\n{response.status_code} {response.content[:1000]!r}" for each in wrong]

    def _answer(self, sent: requests.PreparedRequest) -> Response:
        path, _, query = sent.path_url.partition("?")
        headers = {name.lower(): str(value) for name, value in sent.headers.items()}
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        assert isinstance(body, bytes)
        reply = self._stub.handle(Request(str(sent.method), path, query, headers, body))
        content = reply.body if reply.chunks is None else b"".join(reply.chunks)
        named = {name.lower(): [value] for name, value in reply.headers.items()}
        return Response(reply.status, named, content, sent, elapsed=0.0, verify=False)

    def _is_meant(self, failure: Exception) -> bool:
        """Tell whether a failure is what we decided: servers of mvp and flow pass over parameters they do not know, and
        take a list of notes where their document has one text.
        """
        if "/properties/notes (was null | string, became array)" in str(failure):
            return self.dialect != "platform"
        if isinstance(failure, AcceptedNegativeData) and "Invalid component: positive test case" in str(failure):
            return True  # what was made wrong was lost when the form was written
        unknown = isinstance(failure, AcceptedNegativeData) and "`additionalProperties`" in str(failure)
        return unknown and "query" in str(failure) and self.dialect != "platform"

    # -- identifiers -------------------------------------------------------------------------------------------

    def _use_known_ids(self, case: AnyCase) -> None:
        known: dict[str, str] = {}
        for name, value in (case.path_parameters or {}).items():
            case.path_parameters[name] = self._known_id(name, str(value), known) or value
        self._exchange(case.body)

    def _exchange(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                kind = snake(name)
                if isinstance(inner, str) and kind == "entity_type" and inner not in _ENTITIES:
                    value[name] = _ENTITIES[_sum(inner) % len(_ENTITIES)]
                elif isinstance(inner, str) and kind.endswith("_id") and kind != "external_id":
                    value[name] = self._known_id(kind, inner, {}) or inner
                elif isinstance(inner, list) and kind.endswith("_ids"):
                    value[name] = [self._known_id(kind.removesuffix("s"), str(each), {}) or each for each in inner]
                else:
                    self._exchange(inner)
        elif isinstance(value, list):
            for inner in value:
                self._exchange(inner)

    def _known_id(self, name: str, drawn: str, known: dict[str, str]) -> str | None:
        """Return the id of a record of the kind that a name says, the same one for the same text."""
        word = name.removesuffix("_id")
        records = self._stub.store.collection(_COMPANY, _KINDS.get(word, word)).all()
        within = [record for record in records if all(record.get(each, id) == id for each, id in known.items())]
        if not within:
            return None
        chosen = within[_sum(drawn) % min(len(within), 20)]
        known[name] = chosen["id"]
        return str(chosen["id"])


def _sum(drawn: str) -> int:
    return sum(drawn.encode("utf-8", "surrogatepass"))


def _is_of_an_item(failure: Exception, response: Response) -> bool:
    """Tell whether a bulk call was carried out but for the items that its document does not allow."""
    if not isinstance(failure, AcceptedNegativeData) or response.status_code != 200:
        return False
    answer = response.json()["data"]
    items = answer.get("items", []) if isinstance(answer, dict) else []
    return any(is_object(item) and (item.get("error") or {}).get("code") == "VALIDATION_ERROR" for item in items)


def _furnish(stub: StubServer) -> None:
    """Add what the demo data lack: an endpoint of webhooks with a delivery, a rule, a job."""
    client = stub.client()
    hook = client.webhooks.create({"url": "https://example.com/hook", "events": ["lead.created"]})
    client.webhooks.test(hook.id)
    client.contacts.imports.create(("people.csv", b"name,email\nAda,ada.import@example.com\n"))


_OF_THE_DATA = frozenset({"reference", "unique", "read_only", "required"})
"""Rules that depend on what is stored, or on another member (`required`): no schema says them."""

_MEANT = re.compile(
    r"(.+\.)?(currency|country)|quotaCurrency|baseCurrency|role|include\.\d+|stage|sort"  # the company's, the noun's
    r"|encoding"  # words that Python defines
    r"|(.+\.)?(end|endDate)|end_time|endTime"  # after the beginning
    r"|expiresAt|scheduledAt"  # after now
    r"|groups|filterGroups|deal|conversions\.\d+\.deal"  # not beside another argument
    r"|groups\.\d+\.contactIds"  # two that are not the same
    r"|date|closedAt|latest"  # not too far ahead of the clock
    r"|domains\.\d+"  # or URLs that have one
    r"|parameters\.(.|\n)*"  # that the report has
    r"|types?\.\d+|entityTypes\.\d+|(entities\.\d+|checks\.\d+\.entity)\.type|checks\.\d+\.resource"  # that there are
    r"|recipients\.\d+"  # users or addresses
    r"|locked"  # in the scope of the company
    r"|default|rules\.\d+\.value"  # of the type of the flag
    r"|maxDownloads"  # of a link or an address
    r"|contactRoles"  # with the deal's own contact
    r"|(.+\.)?forecastCategory"  # that goes with the status of the deal
    r"|refreshSeconds"  # 0, or 5 and more
    r"|period"  # not too short for the range
)
"""Members whose refusal depends on another one, or on what is stored."""

_UNSAYABLE = re.compile(
    r"amounts in this currency have at most"
    r"|decimal input should have no more than 20 decimal places"  # `multipleOf` is not exact for such numbers
    r"|must be a number between -10\^24"  # in a free-form object, which has no schema within
)
"""Refusals for which JSON Schema has no words, whatever the member."""


def _refusals(response: Response) -> Iterator[str]:
    """Yield why a valid request was refused, unless it is for what no schema says."""
    if response.status_code not in (400, 422):
        return
    body = json.loads(response.content)
    for entry in body["errors"] if "errors" in body else [body["error"]]:
        details = entry.get("details", {})
        rule, field = entry.get("rule") or details.get("rule"), entry.get("field") or details.get("field") or ""
        known = rule in _OF_THE_DATA or _MEANT.fullmatch(field) or _UNSAYABLE.search(entry["message"])
        if entry["code"] in ("VALIDATION_ERROR", "BAD_REQUEST") and not known:
            yield f"RefusedValidRequest: {entry['code']} {field} {rule} {entry['message']}"
