"""``crm openapi``: print the OpenAPI document."""

from __future__ import annotations

from ..failures import MisuseError
from ..settings import Options, settle


def describe(options: Options) -> None:
    """Print the OpenAPI 3.1 document of a dialect: of ``platform``, or of the one that --dialect names.

    The document is generated from the declarations of this program; no server is needed.
    """
    from crm_sdk.dialects import DIALECTS
    from crm_sdk.openapi import document

    from ..terminal.output import print_document

    settings = settle(options)
    dialect = options.dialect or "platform"
    if dialect not in DIALECTS:
        raise MisuseError(f"--dialect must be one of {', '.join(DIALECTS)}, not {dialect!r}")
    base = (settings.base_url or "").rstrip("/").removesuffix("/v1")
    server = f"{base}{DIALECTS[dialect].prefix}" if base else None
    print_document(document(dialect, server), options)
