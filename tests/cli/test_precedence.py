"""Which server a command goes to: what is typed is stronger than the environment."""

from __future__ import annotations

import pytest
from shell import Crm

from crm_cli import failures

pytest_plugins = ["cli_fixtures"]

UNKNOWN_SERVER = "no server is known"
NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("typed", "variables", "status", "said"),
    [
        ("", {"CRM_OFFLINE": "1"}, 0, ""),
        ("", {"CRM_OFFLINE": "Yes"}, 0, ""),
        ("", {"CRM_OFFLINE": "0"}, failures.USAGE, UNKNOWN_SERVER),
        ("", {"CRM_OFFLINE": "off"}, failures.USAGE, UNKNOWN_SERVER),
        ("", {"CRM_OFFLINE": "maybe"}, failures.USAGE, "CRM_OFFLINE must be 1 or 0, not 'maybe'"),
        ("--offline", {"CRM_OFFLINE": "0"}, 0, ""),
        ("--offline", {"CRM_BASE_URL": "http://127.0.0.1:9"}, 0, ""),
        ("--no-offline", {"CRM_OFFLINE": "1"}, failures.USAGE, UNKNOWN_SERVER),
        ("--no-offline", {"CRM_OFFLINE": "1", "CRM_BASE_URL": "http://127.0.0.1:9"}, failures.RETRYABLE, "127.0.0.1"),
        ("--base-url http://127.0.0.1:9", {"CRM_OFFLINE": "1"}, failures.RETRYABLE, "127.0.0.1"),
        (
            "--api-key another-key",
            {"CRM_OFFLINE": "1", "CRM_BASE_URL": "http://127.0.0.1:9"},
            failures.RETRYABLE,
            "127.0.0.1",
        ),
        ("--api-key another-key", {"CRM_OFFLINE": "1"}, failures.USAGE, UNKNOWN_SERVER),
        ("--offline --api-key acme-admin", {}, 0, ""),
        ("--offline --base-url http://127.0.0.1:9", {}, failures.USAGE, "--offline and --base-url name two servers"),
    ],
)
def test_what_is_typed_beats_the_environment(
    typed: str, variables: dict[str, str], status: int, said: str, offline: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRM_OFFLINE")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for words in ([*typed.split(), "leads", "list"], ["leads", "list", *typed.split()]):
        done = offline(*words)
        assert done.status == status, done.err
        assert said in done.err
