"""What the text of an object leaves out, since it is a secret or may have one."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import crm_sdk

HIDDEN = {
    "exchange.Refresh": "stale",
    "exchange.Reply": "headers content body",
    "exchange.Request": "headers content files",
    "options.Options": "proxy headers",
    "raw.RawReply": "headers content",
    "realtime.session.Opening": "headers subprotocols bearer",
    "realtime.session.Renew": "stale",
    "route.Plan": "given content files",
    "sign_in.browser.AuthorizationCode": "client_secret",
    "sign_in.browser._Request": "verifier state",
    "sign_in.stored.StoredTokens": "access_token refresh_token",
    "sign_in.ways.ClientCredentials": "client_secret",
    "sign_in.ways.Password": "password mfa_code",
    "sign_in.ways.RefreshToken": "refresh_token client_secret",
}


def test_secrets_show_in_the_text_of_no_object() -> None:
    found: dict[str, str] = {}
    for each in pkgutil.walk_packages(crm_sdk.__path__, "crm_sdk."):
        if each.name.startswith(("crm_sdk.models", "crm_sdk.vocabulary")):
            continue
        module = importlib.import_module(each.name)
        for name, kind in list(vars(module).items()):
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == each.name:
                hidden = [field.name for field in dataclasses.fields(kind) if not field.repr]
                if hidden:
                    found[f"{each.name.removeprefix('crm_sdk.')}.{name}"] = " ".join(hidden)
    assert found == HIDDEN
