"""Schemathesis, which knows nothing of us but the OpenAPI documents, against every call of every dialect."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest
from fuzzing import Fuzzer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from crm_sdk.catalogue import declared_operations

CALLS = sorted((dialect, operation.id) for operation in declared_operations() for dialect in operation.routes)


@cache
def fuzzer(dialect: str) -> Fuzzer:
    return Fuzzer(dialect)


def fuzz(dialect: str, operation: str, *, valid: bool, examples: int, seed: int | None = None) -> None:
    """Send so many requests that a call's document allows, or does not, and judge the answers."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=seed is None,
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
@pytest.mark.parametrize(("dialect", "operation"), CALLS)
def test_a_fuzzer_finds_no_answer_that_the_document_does_not_promise(dialect: str, operation: str) -> None:
    fuzz(dialect, operation, valid=True, examples=1)


@pytest.mark.slow
@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize(("dialect", "operation"), CALLS)
def test_a_fuzzer_that_has_time_finds_none_either(dialect: str, operation: str, valid: bool) -> None:
    with suppress(Unsatisfiable):  # of some calls, nothing can be invalid
        fuzz(dialect, operation, valid=valid, examples=200, seed=1)
