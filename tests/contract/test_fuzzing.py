"""Schemathesis, which knows nothing of us but the OpenAPI documents, against every call of every dialect."""

from __future__ import annotations

from functools import cache

import pytest
from fuzzing import Fuzzer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sdk.catalogue import declared_operations

CALLS = sorted((dialect, operation.id) for operation in declared_operations() for dialect in operation.routes)


LOOSE = {
    ("mvp", "notifications.list"),  # a status that reads as something else in the answer
    ("mvp", "webhooks.create"),  # names of events
    ("flow", "ai.generate_insights"),  # kinds of records
    ("flow", "ai.message_analysis"),  # texts of blanks alone
    ("flow", "ai.sentiment"),
    ("flow", "contacts.communication.create"),
    ("flow", "conversations.tags.add"),
    ("platform", "activities.create"),  # members that another kind has
    ("platform", "activities.update"),
    ("platform", "activities.tasks.create"),  # recurrence rules
    ("platform", "activities.events.create"),
    ("platform", "contacts.export"),  # content types by format
}
"""Calls whose rules refuse, or whose answers hold, what their schemas do not say yet."""


@cache
def fuzzer(dialect: str) -> Fuzzer:
    return Fuzzer(dialect)


def fuzz(dialect: str, operation: str, *, valid: bool, examples: int) -> None:
    """Send so many requests that a call's document allows, or does not, and judge the answers."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(fuzzer(dialect).cases(operation, valid=valid))
        wrong = fuzzer(dialect).send(case, valid=valid)
        assert not wrong, "\n".join(wrong)

    run()


@pytest.mark.thorough
@pytest.mark.parametrize(("dialect", "operation"), [call for call in CALLS if call not in LOOSE])
def test_a_fuzzer_finds_no_answer_that_the_document_does_not_promise(dialect: str, operation: str) -> None:
    fuzz(dialect, operation, valid=True, examples=1)
