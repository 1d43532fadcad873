"""``crm can``: the answer, and the exit status that a script reads."""

from __future__ import annotations

import pytest
from shell import Crm

from crm_cli import failures


@pytest.mark.parametrize("words", [["update", "deals"], ["deals:update"], ["update", "deals", "--fields", "value"]])
def test_a_permission_is_asked_for_in_either_form(words: list[str], offline: Crm) -> None:
    asked = offline("can", *words)
    assert (asked.status, asked.json["allowed"], asked.json["permission"]) == (0, True, "deals:update")


def test_what_is_refused_ends_with_one(offline: Crm) -> None:
    asked = offline("can", "deals:delete", "--user", "user_rita")
    assert (asked.status, asked.json["allowed"]) == (1, False)


@pytest.mark.parametrize("word", ["update", "deals:"])
def test_half_a_question_is_told_what_is_missing(word: str, offline: Crm) -> None:
    asked = offline("can", word)
    assert (asked.status, asked.out) == (failures.USAGE, "")
    assert "as in `crm can" in asked.err


def test_a_decision_about_some_fields_is_the_exit_status(offline: Crm) -> None:
    deal = offline("deals", "create", "--title", "Turbine").json["id"]
    told = offline("can", "update", deal, "--fields", "value", "--fields", "title")
    assert (told.status, told.json["allowed"]) == (0, True)
