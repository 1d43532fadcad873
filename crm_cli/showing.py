"""``--dry-run`` and ``--explain``: the request of a call, what it would change, and the call as curl and as Python."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from crm_sdk.errors import CrmError
from crm_sdk.options import root
from crm_sdk.route import parameter
from crm_sdk.wire import decode_json, encode_json, is_array, is_object

from .failures import MisuseError, visible
from .settings import Settings
from .terminal.output import Printer
from .terminal.values import plain
from .terminal.writers import json_text, write_text
from .tree.parameters import Form

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.exchange import Request

_MASK = "***"
_SECRET = (
    "password",
    "secret",
    "token",
    "apikey",
    "api_key",
    "mfacode",
    "mfa_code",
    "credential",
    "authorization",
    "cookie",
)


def show_call(client: CrmClient, form: Form, arguments: dict[str, Any], printer: Printer, settings: Settings) -> None:
    """Print a call in place of sending it. Raises: MisuseError for a dry run of what writes nothing."""
    operation = form.operation
    if settings.typed.dry_run and not form.writes:
        raise MisuseError("--dry-run is for what writes; this command only reads, and --explain shows its call")
    # Files are read when they are sent.
    upload = operation.arguments.upload
    file = arguments.get(upload) if upload is not None else None
    given = arguments if upload is None or file is None else {**arguments, upload: ("file", b"")}
    plan = operation.plan(operation.bind((), given), client.dialects)
    request = operation.request(plan, client)
    if settings.typed.explain:
        write_text(visible("\n".join([*_curl(request, file), "", *_python(form, arguments, client, settings)])) + "\n")
        return
    body = masked_secrets(decode_json(request.content)) if request.content is not None else None
    changes = _changes(client, form, arguments, body)
    if printer.is_for_people:
        lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in _headers(request))]
        lines += ["", *json_text(body, 2).splitlines()] if body is not None else []
        lines += ["", *_in_lines(changes)] if changes is not None else []
        write_text(visible("\n".join(lines)) + "\n")
        return
    whole = {"method": request.method, "url": request.url, "headers": dict(_headers(request)), "body": body}
    printer.show(whole if changes is None else {**whole, "changes": changes})


@dataclass(frozen=True, slots=True)
class Raw:
    """A request of `crm api`."""

    method: str
    path: str
    query: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]


def show_raw(client: CrmClient, raw: Raw, printer: Printer, settings: Settings) -> None:
    """Print a request of `crm api` in place of sending it. Raises: MisuseError for a dry run of what writes nothing."""
    if settings.typed.dry_run and raw.method in ("GET", "HEAD", "OPTIONS"):
        raise MisuseError("--dry-run is for what writes; this request only reads, and --explain shows it")
    query = urlencode([(name, parameter(v)) for name, v in masked_secrets(raw.query).items() if v is not None])
    url = f"{root(client.base_url)}{raw.path}{('&' if '?' in raw.path else '?') + query if query else ''}"
    body = masked_secrets(raw.body)
    headers = {name: _MASK if is_secret(name) else value for name, value in raw.headers.items()}
    if settings.typed.explain:
        words = [f"curl -X {raw.method} {shlex.quote(url)}", '-H "Authorization: Bearer $CRM_API_KEY"']
        words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
        if body is not None:
            words += ["-H 'Content-Type: application/json'", f"--data {shlex.quote(encode_json(body).decode())}"]
        given = {"query": masked_secrets(raw.query) or None, "json": body, "headers": headers or None}
        named = "".join(f", {name}={_as_json(value)!r}" for name, value in given.items() if value is not None)
        lines = ["from crm_sdk import CrmClient", "", f"with CrmClient({client.base_url!r}) as client:"]
        lines.append(f"    print(client.request({raw.method!r}, {raw.path!r}{named}).json())")
        write_text(visible("\n".join([" \\\n  ".join(words), "", *lines])) + "\n")
        return
    shown = {"Authorization": f"Bearer {_MASK}", **headers}
    printer.show({"method": raw.method, "url": url, "headers": shown, "body": body})


def masked_secrets(value: Any) -> Any:
    """Return data in which the values of members that hold secrets are masked."""
    if is_object(value):
        return {name: _MASK if item and is_secret(name) else masked_secrets(item) for name, item in value.items()}
    return [masked_secrets(item) for item in value] if is_array(value) else value


def is_secret(name: str) -> bool:
    """Return whether a member or a header of this name may hold a secret."""
    return any(part in name.lower().replace("-", "_") for part in _SECRET)


def _headers(request: Request) -> Iterable[tuple[str, str]]:
    yield "Authorization", f"Bearer {_MASK}"
    for name, value in request.headers.items():
        yield name, _MASK if is_secret(name) else str(value)


def _changes(client: CrmClient, form: Form, arguments: Mapping[str, Any], body: Any) -> dict[str, Any] | None:
    """Return the members of a record that an update would change, each before and after; None for another call."""
    operation = form.operation
    if not operation.id.endswith(".update") or not is_object(body):
        return None
    try:
        get = attrgetter(f"{operation.id.rpartition('.')[0]}.get")(client)
        ids = [arguments[name] for name in operation.positional if name != operation.arguments.body]
        before: Any = plain(get(*ids))
    except (AttributeError, KeyError, TypeError, CrmError):
        return None
    same = decode_json(encode_json(before))
    return {
        name: {"before": masked_secrets({name: same.get(name)})[name], "after": value}
        for name, value in body.items()
        if same.get(name) != value
    }


def _in_lines(changes: Mapping[str, Any]) -> Iterable[str]:
    if not changes:
        yield "nothing would change"
    for name, change in changes.items():
        yield f"{name}: {json_text(change['before'])} -> {json_text(change['after'])}"


def _curl(request: Request, file: Any) -> Iterable[str]:
    """Yield the lines of a call of curl; the credential is that of the environment."""
    words = [f"curl -X {request.method} {shlex.quote(request.url)}", '-H "Authorization: Bearer $CRM_API_KEY"']
    for name, value in request.headers.items():
        if name.lower() not in ("user-agent", "authorization", "content-type") or (name == "Content-Type" and not file):
            words.append(f"-H {shlex.quote(f'{name}: {value}')}")
    if file is not None:
        words.append(f"-F {shlex.quote(f'file=@{file}')}")
    elif request.content is not None:
        words.append(f"--data {shlex.quote(encode_json(masked_secrets(decode_json(request.content))).decode())}")
    yield " \\\n  ".join(words)


def _python(form: Form, arguments: Mapping[str, Any], client: CrmClient, settings: Settings) -> Iterable[str]:
    """Yield a program that makes the call; the key is that of the environment, as CRM_API_KEY."""
    operation = form.operation
    shown = masked_secrets({name: _as_json(value) for name, value in arguments.items()})
    words = [repr(shown[name]) if name in operation.positional else f"{name}={shown[name]!r}" for name in shown]
    options = {"tenant_id": settings.tenant, "dialects": settings.dialect}
    given = [repr(client.base_url), *(f"{name}={value!r}" for name, value in options.items() if value is not None)]
    yield "from crm_sdk import CrmClient"
    yield ""
    yield f"with CrmClient({', '.join(given)}) as client:"
    call = f"client.{operation.id}({', '.join(words)})"
    if operation.kind == "page":
        yield f"    for record in {call}:"
        yield "        print(record)"
    else:
        yield f"    print({call})"


def _as_json(value: Any) -> Any:
    """Return a value of which a `repr` can be read again: times as texts, which the client reads as well."""
    return decode_json(encode_json(value))
