"""``crm webhooks sign | verify``: what a script needs of a signature, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Crm, process

from crm_sdk.webhooks import embed, verify

pytest_plugins = ["cli_fixtures"]

SECRET = "s3cr3t-of-the-shell"
BODY = '{"event":"lead.created","data":{"id":"lead_123","name":"Zoë"}}'


@pytest.fixture
def known(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Crm:
    monkeypatch.setenv("CRM_WEBHOOK_SECRET", SECRET)
    return crm


def test_what_is_signed_is_genuine(known: Crm) -> None:
    signed = known("webhooks", "sign", stdin=BODY)
    headers = [word for line in signed.out.splitlines() for word in ("--header", line)]
    assert signed.status == 0 and len(headers) == 8
    genuine = known("webhooks", "verify", *headers, stdin=BODY)
    assert (genuine.status, genuine.out, genuine.err) == (0, "genuine\n", "")
    forged = known("webhooks", "verify", *headers, stdin=BODY.replace("Zoë", "Zoe"))
    assert (forged.status, forged.out) == (1, "") and forged.err.startswith("not genuine: ")


def test_the_documented_signature_alone(known: Crm) -> None:
    signature = known("webhooks", "sign", "--documented", stdin=BODY).out.strip()
    assert verify(BODY, signature, SECRET)
    assert known("webhooks", "verify", "--signature", signature, stdin=BODY).status == 0
    for wrong in (signature.upper(), "", "é", signature[:-1]):
        assert known("webhooks", "verify", "--signature", wrong, stdin=BODY).status == 1
    assert known("webhooks", "verify", "--signature", signature, stdin=BODY + "\n").status == 1


def test_the_signature_inside(known: Crm) -> None:
    body = known("webhooks", "sign", "--embed", stdin=BODY).out
    assert body.encode() == embed(BODY, SECRET) + b"\n"
    assert known("webhooks", "verify", stdin=body).status == 0
    assert known("webhooks", "verify", stdin=BODY).status == 1
    assert known("webhooks", "sign", "--embed", stdin="[]").status == 7


def test_an_old_one_is_not_genuine(known: Crm) -> None:
    lines = known("webhooks", "sign", "--id", "msg_1", "--timestamp", "1700000000", stdin=BODY).out.splitlines()
    assert lines[1:3] == ["webhook-id: msg_1", "webhook-timestamp: 1700000000"]
    headers = [word for line in lines for word in ("-H", line)]
    assert "signed" in known("webhooks", "verify", *headers, stdin=BODY).err
    assert known("webhooks", "verify", *headers, "--tolerance", "1e12", stdin=BODY).status == 0


def test_secrets_come_from_files_too_and_several_verify(crm: Crm, tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(f"{name}-secret\r\n")
    old, new = (["--secret-file", str(tmp_path / name)] for name in ("old", "new"))
    signature = crm("webhooks", "sign", "--documented", *old, stdin=BODY).out.strip()
    assert verify(BODY, signature, "old-secret")
    assert crm("webhooks", "verify", "--signature", signature, *new, *old, stdin=BODY).status == 0
    assert crm("webhooks", "verify", "--signature", signature, *new, stdin=BODY).status == 1
    assert crm("webhooks", "verify", "--signature", signature, "--secret", "old-secret", stdin=BODY).status == 0
    assert crm("webhooks", "sign", *new, *old, stdin=BODY).status == 2


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "--signature", "sha256=0"],
        ["verify", "-H", "X-CRM-Signature: sha256=0"],
        ["verify", "-H", "nothing"],
        ["verify", "--signature", "x", "-H", "a: b"],
        ["verify", "--tolerance", "-1"],
        ["sign", "--id", "a b"],
        ["sign", "--timestamp", "-1"],
        ["sign", "--embed"],
    ],
)
def test_the_secret_is_never_shown(known: Crm, words: list[str]) -> None:
    for debug in ([], ["--debug"]):
        result = known("webhooks", *words, *debug, stdin="no json")
        assert result.status and SECRET not in result.out + result.err


def test_without_a_secret_it_says_where_to_put_one(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        if value is not None:
            monkeypatch.setenv("CRM_WEBHOOK_SECRET", value)
        result = crm("webhooks", "verify", "--signature", "sha256=0", stdin=BODY)
        assert result.status == 2 and "CRM_WEBHOOK_SECRET" in result.err
    assert crm("webhooks", "sign", "--secret-file", "/missing", stdin=BODY).status == 2
    assert crm("webhooks", "sign", "--secret", " ", stdin=BODY).status == 2


def test_they_stand_beside_the_calls_of_the_noun(offline: Crm) -> None:
    shown = offline("webhooks", "--help").out
    assert all(name in shown for name in ("list", "create", "sign", "verify"))
    created = offline(
        "webhooks", "create", "--url", "https://example.com/hook", "--events", "lead.created", "-o", "json"
    )
    secret = json.loads(created.out)["secret"]
    signed = offline("webhooks", "sign", "--secret", secret, stdin=BODY)
    headers = [word for line in signed.out.splitlines() for word in ("-H", line)]
    assert offline("webhooks", "verify", "--secret", secret, *headers, stdin=BODY).status == 0


def test_bytes_stay_as_they_are() -> None:
    code = "import sys; from crm_cli.app import run; sys.exit(run(sys.argv[1:]))"
    body = b'\xff\x00\r\n{"a" : 1}\r\n'
    done = process(
        code, "webhooks", "sign", "--documented", "--secret", SECRET, input=body.decode("latin-1"), encoding="latin-1"
    )
    assert verify(body, done.stdout.strip(), SECRET), done.stderr


def test_a_file_that_holds_no_secret_is_told(crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    refused = crm("webhooks", "sign", "--secret-file", str(tmp_path / "secret"))
    assert refused.status == 2 and "holds no secret" in refused.err
