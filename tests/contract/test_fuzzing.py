"""Schemathesis, which knows nothing of us but the OpenAPI documents, against every call of every dialect."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest
from fuzzing import Fuzzer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from sampling import sampled

from crm_sdk.catalogue import declared_operations

CALLS = sorted((dialect, operation.id) for operation in declared_operations() for dialect in operation.routes)


LOOSE = {
    ("platform", "accounts.create"),  # a domain, or the address of a page in it
    ("platform", "accounts.update"),
    ("platform", "activities.create"),  # members that another kind has
    ("platform", "activities.update"),
    ("platform", "activities.tasks.create"),  # recurrence rules (RFC 5545)
    ("platform", "communication.meetings.create"),  # types, times and rules that go together
    ("platform", "customization.layouts.create"),  # entities that have layouts, and what a kind of layout consists of
    ("platform", "custom_objects.create"),  # fields whose members do not go together
    ("platform", "custom_objects.fields.create"),
    ("platform", "custom_objects.fields.update"),
    ("platform", "custom_objects.records.create"),  # keys and values that the definition decides about
    ("platform", "custom_objects.records.update"),
    ("platform", "files.share"),  # exactly one receiver, and links that permit to view
    ("platform", "exports.create"),  # entities, fields and records that there are
    ("platform", "exports.schedules.create"),
    ("platform", "objects.upsert"),  # at least one record, and members that the entity has
    ("platform", "objects.transaction"),  # at least one write, and members that go with its action
    ("platform", "marketplace.installations.configure"),  # settings that the app has
    ("platform", "pipelines.automation.create"),  # parameters that go with an action
    ("platform", "pipelines.update"),  # no inactive default
    ("platform", "workflows.actions.create"),
    ("platform", "workflows.actions.update"),
    ("platform", "workflows.triggers.create"),
    ("platform", "workflows.triggers.update"),
    ("platform", "workflows.update"),
    ("platform", "marketplace.apps.create"),  # permissions and events that there are not
    ("platform", "notifications.send_email"),  # a recipient, and a text or a template
    ("platform", "notifications.send_sms"),  # a recipient, and a text or a template
    ("platform", "notifications.send_push"),  # users only
    ("platform", "notifications.send_in_app"),  # users only
    ("platform", "notifications.preferences.update"),  # the inbox for system, each type once
    ("platform", "notifications.unsubscribe"),  # a token or an address
    ("platform", "social.accounts.connect"),  # a token, or a code with its address
    ("platform", "social.monitoring.alerts.create"),  # thresholds that go with the condition
    ("platform", "social.engagement.track"),  # a post or a mention
    ("platform", "workflows.create"),  # kinds of records that there are, and what goes with a trigger or an action
}
"""Calls whose rules refuse what no schema says: of a valid request they may say that it is not."""


def test_every_call_that_may_refuse_what_its_schema_allows_is_there() -> None:
    assert set(CALLS) >= LOOSE


@cache
def fuzzer(dialect: str) -> Fuzzer:
    return Fuzzer(dialect)


def fuzz(dialect: str, operation: str, *, valid: bool, examples: int, anew: bool = False) -> None:
    """Send so many requests that a call's document allows, or does not, and judge the answers; `anew` seeks others."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=not anew,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(fuzzer(dialect).cases(operation, valid=valid))
        loose = (dialect, operation) in LOOSE
        wrong = fuzzer(dialect).send(case, valid=valid, may_refuse=loose)
        assert not wrong, "\n".join(wrong)

    run()


def fuzz_wrongly(dialect: str, operation: str, *, examples: int, anew: bool = False) -> None:
    """Send requests that a call's document does not allow; to a call that takes nothing but an id none is wrong."""
    with suppress(Unsatisfiable):
        fuzz(dialect, operation, valid=False, examples=examples, anew=anew)


@pytest.mark.thorough
@pytest.mark.parametrize(("dialect", "operation"), CALLS)
def test_a_fuzzer_finds_no_answer_that_the_document_does_not_promise(dialect: str, operation: str) -> None:
    fuzz(dialect, operation, valid=True, examples=1)


@pytest.mark.thorough
@pytest.mark.parametrize(("dialect", "operation"), sampled(CALLS, every=4))
def test_what_the_document_does_not_allow_is_refused(dialect: str, operation: str) -> None:
    fuzz_wrongly(dialect, operation, examples=1)


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "operation"), CALLS)
def test_a_long_run_of_the_fuzzer_finds_nothing_either(dialect: str, operation: str) -> None:
    fuzz(dialect, operation, valid=True, examples=100, anew=True)
    fuzz_wrongly(dialect, operation, examples=25, anew=True)
