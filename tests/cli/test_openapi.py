"""``crm openapi`` prints the description of the API, without asking a server."""

from __future__ import annotations

import json

import pytest
from shell import Crm

from crm_sdk.dialects import DIALECTS
from crm_sdk.openapi import document

pytest_plugins = ["cli_fixtures"]


@pytest.mark.thorough
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_command_line_prints_it(crm: Crm, dialect: str) -> None:
    assert json.loads(crm("openapi", "--dialect", dialect).out) == document(dialect)
    elsewhere = json.loads(crm("openapi", "--dialect", dialect, "--base-url", "https://crm.test/v1").out)
    assert elsewhere["servers"] == [{"url": f"https://crm.test{DIALECTS[dialect].prefix}"}]


@pytest.mark.thorough
def test_the_command_line_prints_the_platform_unless_told(crm: Crm) -> None:
    assert json.loads(crm("openapi").out) == document("platform")
    wrong = crm("openapi", "--dialect", "mvp,flow")
    assert (wrong.status, wrong.out) == (2, "")
    assert "--dialect must be one of mvp, flow, platform" in wrong.err
