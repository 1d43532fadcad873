"""Deliveries that are malformed or forged, each with the error it must be refused with."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sdk import ConfigurationError, CrmError, InvalidInputError
from crm_sdk import WebhookPayloadError as Payload
from crm_sdk import WebhookSignatureError as Signature
from crm_sdk import WebhookTimestampError as Timestamp
from crm_sdk.webhooks import embed, sign

SECRET = "s3cr3t of the corpus"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
BODY = b'{"event":"lead.created","data":{"id":"lead_123","name":"Jane Doe"},"timestamp":"2026-01-15T11:59:00Z"}'
NAMES = ("X-CRM-Signature", "webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True)
class Case:
    name: str
    headers: Any
    body: Any
    error: type[CrmError]
    secrets: Any = SECRET


def headers_of(body: bytes = BODY, /, **changed: Any) -> dict[str, Any]:
    """Return the headers that sign a body, some of them changed by their name with underscores; None leaves one out."""
    headers: dict[str, Any] = {**sign(body, SECRET, id="msg_1", timestamp=NOW)}
    for name, value in changed.items():
        headers[next(known for known in NAMES if known.lower().replace("-", "_") == name)] = value
    return {name: value for name, value in headers.items() if value is not None}


def documented(body: bytes, secret: str = SECRET) -> dict[str, Any]:
    return {"X-CRM-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def corpus() -> list[Case]:
    cases = [*_signatures(), *_standard(), *_headers(), *_times(), *_bodies(), *_inside(), *_secrets()]
    assert len({case.name for case in cases}) == len(cases)
    return cases


def _signed(id: Any, timestamp: Any) -> dict[str, Any]:
    """Return headers that nobody should send, signed as if they were right."""
    content = f"{id}.{timestamp}.".encode() + BODY
    signature = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def _signatures() -> Iterator[Case]:
    right = headers_of()["X-CRM-Signature"]
    hexadecimal = right.removeprefix("sha256=")
    digest = bytes.fromhex(hexadecimal)
    values: dict[str, Any] = {
        "empty": "",
        "prefix only": "sha256=",
        "no prefix": hexadecimal,
        "uppercase": "sha256=" + hexadecimal.upper(),
        "uppercase prefix": right.upper(),
        "mixed prefix": "Sha256=" + hexadecimal,
        "another algorithm": "sha1=" + hexadecimal,
        "sha512": "sha512=" + hmac.new(SECRET.encode(), BODY, hashlib.sha512).hexdigest(),
        "sha1": "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(),
        "md5 named sha256": "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.md5).hexdigest(),
        "the hash without a key": "sha256=" + hashlib.sha256(BODY).hexdigest(),
        "the hash of secret and body": "sha256=" + hashlib.sha256(SECRET.encode() + BODY).hexdigest(),
        "an empty key": "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest(),
        "another key": documented(BODY, "another")["X-CRM-Signature"],
        "the secret in uppercase": documented(BODY, SECRET.upper())["X-CRM-Signature"],
        "a secret with a newline": documented(BODY, SECRET + "\n")["X-CRM-Signature"],
        "of an empty body": documented(b"")["X-CRM-Signature"],
        "of the body and a newline": documented(BODY + b"\n")["X-CRM-Signature"],
        "of a body without spaces at the end": documented(BODY[:-1])["X-CRM-Signature"],
        "base64": "sha256=" + base64.b64encode(digest).decode(),
        "base64 of hex": "sha256=" + base64.b64encode(hexadecimal.encode()).decode(),
        "a colon": "sha256:" + hexadecimal,
        "a space after it": right + " ",
        "a space before it": " " + right,
        "a newline after it": right + "\n",
        "a NUL after it": right + "\0",
        "a NUL before it": "\0" + right,
        "quoted": f'"{right}"',
        "twice with a comma": f"{right}, {right}",
        "twice with a space": f"{right} {right}",
        "another first, with a comma": f"sha256={'0' * 64},{right}",
        "as v1": "v1=" + hexadecimal,
        "as t and v1": f"t=1,v1={hexadecimal}",
        "0x": "sha256=0x" + hexadecimal,
        "a sign": "sha256=+" + hexadecimal,
        "spaced hex": "sha256=" + " ".join(hexadecimal),
        "underscored hex": "sha256=" + "_".join(hexadecimal),
        "a byte short": right[:-2],
        "a digit short": right[:-1],
        "a digit long": right + "0",
        "without its first digit": "sha256=" + hexadecimal[1:],
        "the first half": right[:39],
        "the halves swapped": "sha256=" + hexadecimal[32:] + hexadecimal[:32],
        "reversed": "sha256=" + hexadecimal[::-1],
        "zeros": "sha256=" + "0" * 64,
        "fs": "sha256=" + "f" * 64,
        "fullwidth digits": "sha256=" + hexadecimal.translate({c: c + 0xFEE0 for c in range(0x30, 0x3A)}),
        "Arabic digits": "sha256=" + hexadecimal.translate({0x30 + n: 0x660 + n for n in range(10)}),
        "Cyrillic letters": right.replace("a", "а").replace("c", "с").replace("e", "е"),
        "not ASCII": "sha256=é" + hexadecimal[1:],
        "not UTF-8": b"sha256=\xff\xfe" + hexadecimal.encode()[2:],
        "an emoji": "🔑",
        "a lone surrogate": "\ud800" + right,
        "UTF-16": right.encode("utf-16"),
        "a byte order mark": "\ufeff" + right,
        "null, as text": "null",
        "true, as text": "true",
        "undefined": "undefined",
        "[object Object]": "[object Object]",
        "JSON": '{"alg":"none"}',
        "none": "none",
        "sha256=none": "sha256=none",
        "SQL": "' OR 1=1 --",
        "long": "sha256=" + "a" * 100_000,
        "many": " ".join(["sha256=" + "a" * 64] * 1000),
        "a Standard Webhooks signature": sign(BODY, SECRET, id="msg_1", timestamp=NOW)["webhook-signature"],
        "a number": 5,
        "a float": 0.5,
        "true": True,
        "an object": {},
        "a list of none that fits": ["sha256=", right],
        "a tuple of both": (right, "sha256=" + "0" * 64),
        "bytes that are another": b"sha256=" + b"0" * 64,
    }
    for name, value in values.items():
        yield Case(f"documented: {name}", {"X-CRM-Signature": value}, BODY, Signature)
        if isinstance(value, str):
            yield Case(f"documented, beside a right one: {name}", headers_of(x_crm_signature=value), BODY, Signature)


def _standard() -> Iterator[Case]:
    right = headers_of()["webhook-signature"]
    encoded = right.removeprefix("v1,")
    values: dict[str, Any] = {
        "empty": "",
        "a space": " ",
        "spaces": "     ",
        "version only": "v1,",
        "no version": encoded,
        "no comma": "v1" + encoded,
        "another version": "v2," + encoded,
        "an asymmetric version": "v1a," + encoded,
        "version in capitals": "V1," + encoded,
        "equals": "v1=" + encoded,
        "comma after it": right + ",",
        "commas between": f"v1,{'A' * 43}=,{right}",
        "without padding": right.rstrip("="),
        "more padding": right + "=",
        "spare bits set": right[:-2] + chr(ord(right[-2]) + 1) + "=",
        "URL-safe, of other bits": "v1," + "-_" * 21 + "A=",
        "hex": "v1," + base64.b64decode(encoded).hex(),
        "zeros": "v1," + base64.b64encode(bytes(32)).decode(),
        "short": "v1," + base64.b64encode(bytes(31)).decode(),
        "long": "v1," + "A" * 100_000,
        "many": " ".join(["v1," + "A" * 43 + "="] * 1000),
        "tabs between": f"v1,x\t{right}",
        "a newline between": f"v1,x\n{right}",
        "not ASCII": "v1,é" + encoded[1:],
        "a lone surrogate": "v1,\udcff" + encoded[1:],
        "not UTF-8": b"v1,\xff" + encoded.encode()[1:],
        "the documented one": headers_of()["X-CRM-Signature"],
        "of another id": sign(BODY, SECRET, id="msg_2", timestamp=NOW)["webhook-signature"],
        "of another time": sign(BODY, SECRET, id="msg_1", timestamp=NOW + timedelta(seconds=1))["webhook-signature"],
        "of another secret": sign(BODY, "another", id="msg_1", timestamp=NOW)["webhook-signature"],
        "of another body": sign(BODY + b" ", SECRET, id="msg_1", timestamp=NOW)["webhook-signature"],
        "a number": 5,
    }
    for name, value in values.items():
        yield Case(f"standard: {name}", headers_of(webhook_signature=value), BODY, Signature)
        yield Case(
            f"standard alone: {name}", headers_of(webhook_signature=value, x_crm_signature=None), BODY, Signature
        )
    for missing in NAMES[1:]:
        name = missing.replace("-", "_")
        yield Case(f"standard without {missing}", headers_of(**{name: None}), BODY, Signature)
        yield Case(f"standard, {missing} empty", headers_of(**{name: ""}), BODY, Signature)
        only = {missing: headers_of()[missing]}
        yield Case(f"{missing} alone", only, BODY, Signature)
        yield Case(f"{missing} beside the documented one", only | documented(BODY), BODY, Signature)
    for name, id in {
        "other": "msg_2", "moved dot": "msg_1.1", "newline": "msg_1\n", "space": "msg 1", "long": "m" * 256,
        "not ASCII": "msg_é", "NUL": "msg_1\0", "a number": 1,
    }.items():  # fmt: skip
        yield Case(f"standard id: {name}", headers_of(webhook_id=id), BODY, Signature)
        if name not in ("other", "moved dot"):
            yield Case(f"standard id, signed: {name}", _signed(id, "1768478400"), BODY, Signature)
    seconds = int(NOW.timestamp())
    for name, timestamp in {
        "later": str(seconds + 1), "fraction": f"{seconds}.0", "milliseconds": f"{seconds}000", "ISO": NOW.isoformat(),
        "zero before it": f"0{seconds}", "plus": f"+{seconds}", "minus": f"-{seconds}", "space": f" {seconds}",
        "newline": f"{seconds}\n", "hex": hex(seconds), "underscore": f"{seconds:_}", "exponent": f"{seconds}e0",
        "Arabic digits": str(seconds).translate({0x30 + n: 0x660 + n for n in range(10)}), "huge": "9" * 5000,
        "NaN": "NaN", "infinity": "inf", "a number": seconds,
    }.items():  # fmt: skip
        yield Case(f"standard timestamp: {name}", headers_of(webhook_timestamp=timestamp), BODY, Signature)
        if name not in ("later", "zero before it", "a number"):
            yield Case(f"standard timestamp, signed: {name}", _signed("msg_1", timestamp), BODY, Signature)


def _headers() -> Iterator[Case]:
    right = headers_of()
    for name, headers in {
        "none": {},
        "an empty list": [],
        "another one": {"Authorization": "Bearer x"},
        "None's value": dict.fromkeys(NAMES),
        "like ours": {"X_CRM_Signature": right["X-CRM-Signature"]},
        "GitHub's": {"X-Hub-Signature-256": right["X-CRM-Signature"]},
        "a space in the name": {"X-CRM-Signature ": right["X-CRM-Signature"]},
        "names that are no text": {1: "x", None: "y"},
        "a name with é": {"X-CRM-Signatüre": right["X-CRM-Signature"]},
        "an empty list of values": {"X-CRM-Signature": []},
    }.items():
        yield Case(f"headers: {name}", headers, BODY, Signature)
    for name in NAMES:
        pairs: list[tuple[Any, Any]] = list(right.items())
        yield Case(f"{name} twice", [*pairs, (name, right[name] + "0")], BODY, Signature)
        yield Case(f"{name} twice, in another case", [(name.upper().encode(), b"other"), *pairs], BODY, Signature)
        yield Case(f"{name} twice, the other empty", {**right, name: [right[name], ""]}, BODY, Signature)
    for name, odd in {
        "None": None, "a number": 5, "pairs of three": [("a", "b", "c")], "pairs of one": [("a",)], "numbers": [1, 2],
        "one pair": ("X-CRM-Signature", "x"), "text": "X-CRM-Signature: x", "bytes": b"X-CRM-Signature: x",
    }.items():  # fmt: skip
        yield Case(f"headers are {name}", odd, BODY, InvalidInputError)


def _times() -> Iterator[Case]:
    for name, delta in {
        "301 s ago": -301, "301 s ahead": 301, "an hour ago": -3600, "an hour ahead": 3600, "a day ago": -86400,
        "a year ahead": 31_536_000, "1970": -int(NOW.timestamp()), "33658": 999_999_999_999 - int(NOW.timestamp()),
    }.items():  # fmt: skip
        signed = sign(BODY, SECRET, id="msg_1", timestamp=NOW.timestamp() + delta)
        yield Case(f"time: {name}", signed, BODY, Timestamp)
        del signed["X-CRM-Signature"]
        yield Case(f"time, standard alone: {name}", signed, BODY, Timestamp)


BODIES: dict[str, bytes] = {
    "empty": b"",
    "spaces": b"  ",
    "no JSON": b"lead.created",
    "a form": b"event=lead.created",
    "XML": b"<event>lead.created</event>",
    "cut off": BODY[:-1],
    "cut in a text": BODY[:12],
    "two objects": BODY + BODY,
    "something after it": BODY + b"x",
    "a comma at the end": BODY[:-1] + b",}",
    "single quotes": BODY.replace(b'"', b"'"),
    "a comment": b"/* */" + BODY,
    "null": b"null",
    "true": b"true",
    "a number": b"5",
    "a text": b'"lead.created"',
    "a list": b"[" + BODY + b"]",
    "an empty object": b"{}",
    "no event": b'{"data":{},"timestamp":"2026-01-15T11:59:00Z"}',
    "event null": b'{"event":null,"data":{}}',
    "event a number": b'{"event":5,"data":{}}',
    "event a list": b'{"event":["lead.created"],"data":{}}',
    "event an object": b'{"event":{"type":"lead.created"},"data":{}}',
    "event empty": b'{"event":"","data":{}}',
    "two answers": b'{"event":"lead.created","type":"lead.updated","data":{}}',
    "type a list beside event": b'{"event":"lead.created","type":[],"data":{}}',
    "a member twice": b'{"event":"lead.created","event":"lead.updated","data":{}}',
    "a member twice, escaped": b'{"event":"lead.created","\\u0065vent":"lead.updated","data":{}}',
    "a member twice, deep": b'{"event":"lead.created","data":{"id":"1","id":"2"}}',
    "NaN": b'{"event":"lead.created","data":{"value":NaN}}',
    "Infinity": b'{"event":"lead.created","data":{"value":-Infinity}}',
    "a leading zero": b'{"event":"lead.created","data":{"value":01}}',
    "a plus": b'{"event":"lead.created","data":{"value":+1}}',
    "a point at the end": b'{"event":"lead.created","data":{"value":1.}}',
    "hex": b'{"event":"lead.created","data":{"value":0x1}}',
    "ten thousand digits": b'{"event":"lead.created","data":{"value":' + b"9" * 10_000 + b"}}",
    "deep": b'{"event":"lead.created","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    **{
        f"{depth} deep": b'{"event":"lead.created","data":' + b"[" * (depth - 1) + b"1.5" + b"]" * (depth - 1) + b"}"
        for depth in (101, 200, 500, 900, 990)
    },
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep and open": b"[" * 100_000,
    "not UTF-8": b'{"event":"lead.\xff"}',
    "Latin-1": '{"event":"lead.created","data":{"name":"é"}}'.encode("latin-1"),
    "UTF-16": BODY.decode().encode("utf-16"),
    "UTF-32": BODY.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "a surrogate in UTF-8": b'{"event":"\xed\xa0\x80"}',
    "overlong": b'{"event":"\xc0\xaf"}',
    "a control character": b'{"event":"lead\ncreated"}',
    "a NUL": b'{"event":"lead\x00created"}',
    "NULs": bytes(100),
    "a bad escape": b'{"event":"\\x41"}',
    "half an escape": b'{"event":"\\u00"}',
    "gzip": b"\x1f\x8b\x08\x00" + BODY,
    "noise": hashlib.sha512(b"noise").digest() * 4,
}


def _bodies() -> Iterator[Case]:
    for name, body in BODIES.items():
        yield Case(f"body, signed: {name}", headers_of(body), body, Payload)
        yield Case(f"body, not signed: {name}", headers_of(), body, Signature)
        yield Case(f"body, documented: {name}", documented(body), body, Payload)
    yield Case("body, as text with a surrogate", {}, "\ud800", Payload)
    for name, odd in {"None": None, "read already": {"event": "x"}, "a list": [1], "a number": 5}.items():
        yield Case(f"body is {name}", headers_of(), odd, InvalidInputError)


def _inside() -> Iterator[Case]:
    right = embed(BODY, SECRET)
    for name, body in {
        "missing": BODY,
        "null": BODY[:-1] + b',"signature":null}',
        "empty": BODY[:-1] + b',"signature":""}',
        "the document's own": BODY[:-1] + b',"signature":"sha256=abc123..."}',
        "a number": BODY[:-1] + b',"signature":5}',
        "true": BODY[:-1] + b',"signature":true}',
        "a list": right[: len(BODY)] + right[len(BODY) :].replace(b'"sha256', b'["sha256').replace(b'"}', b'"]}'),
        "an object": BODY[:-1] + b',"signature":{"sha256":"x"}}',
        "uppercase": right[: len(BODY)] + right[len(BODY) :].upper(),
        "in data": BODY.replace(b'"name"', right[len(BODY) :][:-1] + b',"name"'),
        "another secret": embed(BODY, "another"),
        "a member changed": right.replace(b"Jane", b"June"),
        "a member added": right.replace(b'"data":{', b'"data":{"value":1,'),
        "a member left out": right.replace(b',"name":"Jane Doe"', b""),
        "members in another order": right.replace(
            b'"id":"lead_123","name":"Jane Doe"', b'"name":"Jane Doe","id":"lead_123"'
        ),
        "a surrogate": BODY[:-1] + b',"signature":"sha256=\\ud800"}',
    }.items():
        yield Case(f"inside: {name}", {}, body, Signature)
        if b"signature" in body and name not in ("null", "in data"):
            yield Case(f"inside, beside right headers: {name}", headers_of(body), body, Signature)
    yield Case("inside: twice", {}, right[:-1] + b',"signature":"sha256=0"}', Payload)
    yield Case("inside: twice, escaped", {}, right[:-1] + b',"\\u0073ignature":"sha256=0"}', Payload)


def _secrets() -> Iterator[Case]:
    for name, odd in {
        "empty": "", "a space": " ", "a newline": "\n", "no bytes": b"", "none": [], "one empty": [SECRET, ""],
        "None": [None], "a number": [5], "None, one": None, "a number, one": 5,
        "whsec_ alone": "whsec_", "not base64": "whsec_!!!!", "cut base64": "whsec_abc",
    }.items():  # fmt: skip
        yield Case(f"secrets: {name}", headers_of(), BODY, ConfigurationError, odd)
