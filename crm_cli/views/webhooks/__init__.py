"""``crm webhooks sign | verify``: sign and verify deliveries in scripts, without a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from crm_sdk.errors import WebhookError

from ...failures import MisuseError, complain
from ...settings import Options
from .development import listen as listen
from .development import replay as replay
from .development import trigger as trigger

_INVALID = 1

_Secret = Annotated[
    list[str] | None, typer.Option("--secret", metavar="TEXT", help="Better in the environment: CRM_WEBHOOK_SECRET.")
]
_SecretFile = Annotated[
    list[str] | None,
    typer.Option("--secret-file", metavar="FILE", help="What holds the secret; the end of its line is not."),
]


def sign(
    options: Options,
    id: Annotated[str | None, typer.Option("--id", help="The delivery's; a new one by default.")] = None,
    timestamp: Annotated[float | None, typer.Option("--timestamp", help="Seconds since 1970; now by default.")] = None,
    documented: Annotated[
        bool, typer.Option("--documented", help="Print nothing but the documented signature.")
    ] = False,
    embedded: Annotated[
        bool, typer.Option("--embed", help="Print the body, a JSON object, with the signature as its member.")
    ] = False,
    secret: _Secret = None,
    secret_file: _SecretFile = None,
) -> None:
    """Print the headers that sign the body on stdin."""
    from crm_sdk import webhooks

    key, *others = _secrets(secret, secret_file)
    if others:
        raise MisuseError("give one secret to sign with; `verify` takes several")
    if embedded:
        sys.stdout.flush()
        sys.stdout.buffer.write(webhooks.embed(sys.stdin.buffer.read(), key) + b"\n")
        sys.stdout.buffer.flush()
        return
    headers = webhooks.sign(sys.stdin.buffer.read(), key, id=id, timestamp=timestamp)
    if documented:
        typer.echo(headers["X-CRM-Signature"])
        return
    for name, value in headers.items():
        typer.echo(f"{name}: {value}")


def verify(
    options: Options,
    signature: Annotated[str | None, typer.Option("--signature", help="The documented one: sha256=…")] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="NAME: VALUE, as it came; repeat it for more.")
    ] = None,
    tolerance: Annotated[float, typer.Option("--tolerance", help="Seconds that webhook-timestamp may be off.")] = 300,
    secret: _Secret = None,
    secret_file: _SecretFile = None,
) -> int:
    """Verify the delivery on stdin: exit status 0 if its signatures are valid, else 1.

    With `--signature` only this signature is checked, for any body; otherwise all signatures in headers and body.
    """
    from crm_sdk import webhooks

    keys, body = _secrets(secret, secret_file), sys.stdin.buffer.read()
    if signature is not None and header:
        raise MisuseError("--signature is for a signature alone; with --header give it as X-CRM-Signature")
    try:
        if signature is None:
            webhooks.parse([_pair(line) for line in header or ()], body, keys, tolerance=tolerance)
        elif not any(webhooks.verify(body, signature, key) for key in keys):
            raise WebhookError("this is not the signature of this body with this secret")
    except WebhookError as error:
        complain(f"not genuine: {error}")
        return _INVALID
    typer.echo("genuine")
    return 0


def _secrets(typed: Sequence[str] | None, files: Sequence[str] | None) -> list[str]:
    found = list(typed or ())
    for path in files or ():
        try:
            found.append(Path(path).read_text(encoding="utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            raise MisuseError(f"{path} holds no secret: it is not text in UTF-8") from None
    found = found or [os.environ.get("CRM_WEBHOOK_SECRET", "")]
    if not all(found):
        raise MisuseError("no secret: set CRM_WEBHOOK_SECRET, or give --secret-file")
    return found


def _pair(line: str) -> tuple[str, str]:
    name, found, value = line.partition(":")
    if not found:
        raise MisuseError("--header must be NAME: VALUE")
    return name.strip(), value.strip()
