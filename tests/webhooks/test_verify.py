"""Webhooks: what is genuine is read, what is not is refused, and nothing but our errors is raised."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webhook_corpus import BODY, NAMES, NOW, SECRET, Case, corpus, documented, headers_of

import crm_sdk.webhooks
from crm_sdk import ConfigurationError, CrmError, InvalidInputError, WebhookSignatureError, WebhookTimestampError
from crm_sdk.webhooks import LeadCreated, UnknownEvent, embed, parse, sign, verify
from crm_sdk.webhooks.unsigned import read_unsigned

EXAMPLES = json.loads((Path(__file__).parent.parent / "contract" / "mvp-examples.json").read_text())
DOCUMENTED = next(example["payload"] for example in EXAMPLES if example["section"] == "Webhooks")
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CORPUS = corpus()


def read(headers: Any, body: Any = BODY, secrets: Any = SECRET, **more: Any) -> Any:
    return parse(headers, body, secrets, received_at=NOW, **more)


def openssl(content: bytes, secret: str) -> str:
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret, "-r"], input=content, capture_output=True, check=True
    )
    return done.stdout.decode().split()[0]


def test_the_package_offers_what_it_says() -> None:
    assert sorted(crm_sdk.webhooks.__all__) == crm_sdk.webhooks.__all__
    for name in crm_sdk.webhooks.__all__:
        assert getattr(crm_sdk.webhooks, name) is not None
    with pytest.raises(AttributeError):
        crm_sdk.webhooks.nothing  # type: ignore[attr-defined] # noqa: B018 # that it is not there is what is tested


def test_the_documents_check_is_the_one_that_is_there() -> None:
    right = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert verify(BODY, right, SECRET) and verify(BODY.decode(), right.encode(), SECRET.encode())
    assert not verify(BODY, right, "another") and not verify(BODY + b" ", right, SECRET)


def test_the_documents_check_takes_any_signature() -> None:
    for signature in (None, 5, 0.5, [], {}, object(), "é", "\ud800", b"\xff", "", "sha256=", bytearray(b"x")):
        assert verify(BODY, signature, SECRET) is False
    for secret in ("", " ", b"", None):
        with pytest.raises(ConfigurationError):
            verify(BODY, "sha256=", secret)  # type: ignore[arg-type] # None is what an environment gives
    with pytest.raises(InvalidInputError):
        verify({"event": "x"}, "sha256=", SECRET)  # type: ignore[arg-type] # the body as JSON is the usual mistake


def test_the_documents_payload_is_read() -> None:
    body = embed(json.dumps(DOCUMENTED), SECRET)
    assert list(json.loads(body)) == list(DOCUMENTED)
    event = read({}, body)
    assert isinstance(event, LeadCreated) and not event.mismatches
    assert (event.type, event.data.name) == ("lead.created", "Jane Doe")
    assert event.timestamp == datetime(2024, 1, 15, 16, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lead.created", "LeadCreated"),
        ("lead.updated", "LeadUpdated"),
        ("message.received", "MessageReceived"),
        ("agent.completed", "AgentCompleted"),
        ("integration.error", "IntegrationError"),
        ("deal.won", "UnknownEvent"),
    ],
)
def test_each_event_has_its_class(name: str, kind: str) -> None:
    data = {"id": "x", "name": "n", "content": "c"}
    for member in ("event", "type"):
        body = json.dumps({member: name, "data": data, "timestamp": "2026-01-15T11:59:00Z"})
        event = read(sign(body, SECRET, timestamp=NOW), body)
        assert (type(event).__name__, event.type, event.mismatches) == (kind, name, ())


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_what_is_malformed_is_refused_with_our_errors(case: Case) -> None:
    with pytest.raises(case.error) as refused:
        read(case.headers, case.body, case.secrets)
    assert type(refused.value) is case.error
    assert SECRET not in str(refused.value)


def test_there_are_enough_malformed_ones() -> None:
    assert len(CORPUS) >= 200


def test_what_the_corpus_is_made_from_is_right() -> None:
    everything = headers_of()
    for headers in (everything, documented(BODY), {n: v for n, v in everything.items() if n != "X-CRM-Signature"}):
        assert read(headers) == read({}, embed(BODY, SECRET))


@pytest.mark.parametrize(
    "form",
    [
        lambda headers: {name.upper(): value for name, value in headers.items()},
        lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
        lambda headers: [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        lambda headers: iter(headers.items()),
        lambda headers: {name: [value] for name, value in headers.items()},
        lambda headers: [*headers.items(), *headers.items()],
        lambda headers: headers | {"X-Other": "é", "x-crm-other": None, 5: 5},
    ],
)
def test_headers_come_in_many_forms(form: Any) -> None:
    assert isinstance(read(form(headers_of())), LeadCreated)


@pytest.mark.parametrize("seconds", [300, -300, 0])
def test_a_time_within_the_tolerance_is_fine(seconds: int) -> None:
    headers = sign(BODY, SECRET, timestamp=NOW - timedelta(seconds=seconds))
    assert read(headers) and read(headers, tolerance=timedelta(minutes=5))
    if seconds:
        how = "ago" if seconds > 0 else "ahead"
        with pytest.raises(WebhookTimestampError, match=f"signed 300 s {how}; 299 s are tolerated"):
            read(headers, tolerance=299)
        assert read(headers, tolerance=float("inf"))


def test_without_a_time_of_its_own_now_counts() -> None:
    assert parse(sign(BODY, SECRET), BODY, SECRET)
    with pytest.raises(WebhookTimestampError):
        parse(headers_of(), BODY, SECRET)
    with pytest.raises(InvalidInputError):
        parse(headers_of(), BODY, SECRET, received_at=datetime(2026, 1, 15, 12))
    for odd in (-1, float("nan"), None, "x", 10**400):
        with pytest.raises(ConfigurationError):
            read(headers_of(), tolerance=odd)


def test_the_standard_headers_can_be_demanded() -> None:
    assert read(headers_of(), require_standard=True)
    with pytest.raises(WebhookSignatureError):
        read(documented(BODY), require_standard=True)


@pytest.mark.parametrize("headers", [headers_of(x_crm_signature=None), documented(BODY), headers_of()])
def test_no_flipped_bit_is_overlooked(headers: dict[str, str]) -> None:
    for n in range(len(BODY) * 8):
        flipped = bytearray(BODY)
        flipped[n // 8] ^= 1 << n % 8
        with pytest.raises(CrmError):
            read(headers, bytes(flipped))
    for name, value in headers.items():
        for n in range(len(value) * 8):
            changed = bytearray(value.encode())
            changed[n // 8] ^= 1 << n % 8
            with pytest.raises(WebhookSignatureError):
                read({**headers, name: bytes(changed)})


def test_no_flipped_bit_inside_is_overlooked() -> None:
    body = embed(BODY, SECRET)
    right = documented(BODY)["X-CRM-Signature"]
    for n in range(len(body) * 8):
        flipped = bytearray(body)
        flipped[n // 8] ^= 1 << n % 8
        with pytest.raises(CrmError):
            read({}, bytes(flipped))
    for n in range(len(right) * 8):
        changed = bytearray(right.encode())
        changed[n // 8] ^= 1 << n % 8
        assert not verify(BODY, bytes(changed), SECRET)


def test_a_rotation_refuses_nothing() -> None:
    steps = [(["old"], "old"), (["new", "old"], "old"), (["new", "old"], "new"), (["new"], "new")]
    for accepted, used in steps:
        for headers in (sign(BODY, used, timestamp=NOW), {}):
            assert read(headers, BODY if headers else embed(BODY, used), accepted)
    for known, used in (("new", "old"), ("old", "new")):
        with pytest.raises(WebhookSignatureError):
            read(sign(BODY, used, timestamp=NOW), BODY, known)
    both = " ".join(sign(BODY, key, id="m", timestamp=NOW)["webhook-signature"] for key in ("old", "new"))
    for known in ("old", "new"):
        headers = sign(BODY, known, id="m", timestamp=NOW) | {"webhook-signature": f"v1a,xyz {both}"}
        assert read(headers, BODY, known)


@pytest.mark.parametrize("body", [BODY, '{"event":"x","data":"é\u2028🙂"}'.encode()])
def test_the_standards_own_library_agrees(body: bytes) -> None:
    theirs = standardwebhooks.Webhook(WHSEC)
    now = datetime.now(UTC)
    assert theirs.verify(body, sign(body, WHSEC)) == json.loads(body)
    made = {
        "webhook-id": "msg_theirs",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": theirs.sign("msg_theirs", now, body.decode()),
    }
    assert parse(made, body, WHSEC) and parse(made, body, base64.b64decode(WHSEC.removeprefix("whsec_")))
    with pytest.raises(WebhookSignatureError):
        parse(made, body + b" ", WHSEC)


@pytest.mark.parametrize("secret", ["plain", WHSEC, "é à"])
def test_openssl_agrees(secret: str) -> None:
    assert sign(BODY, secret)["X-CRM-Signature"] == "sha256=" + openssl(BODY, secret)
    assert verify(BODY, "sha256=" + openssl(BODY, secret), secret)
    body = embed(BODY, secret)
    assert json.loads(body)["signature"] == "sha256=" + openssl(BODY, secret)


# What Node.js 20 gives: JSON.stringify of the parsed body without its signature, for numbers in JavaScript's own form.
STRINGIFIED = [
    (rb'{ "a" : "\u00e9\u2028\/\u001F\b\u007f" , "signature" : "x" }', '{"a":"é\u2028/\\u001f\\b\x7f"}'),
    (rb'{"signature":{"signature":[1,{}]},"b":{"signature":[ ]}}', '{"b":{"signature":[]}}'),
    (rb'{"a":"\ud83d\ude42 \ud83d \uDE42 \"\\\t"}', r'{"a":"🙂 \ud83d \ude42 \"\\\t"}'),
    (rb'{"b":1,"a":[true,false,null,-0.5,1e+21],"signature":null}', '{"b":1,"a":[true,false,null,-0.5,1e+21]}'),
    (rb'{"a":"signature","\u0073ignature":"x","b":"\"signature\":"}', '{"a":"signature","b":"\\"signature\\":"}'),
    (rb'{"signature":1}', "{}"),
]


@pytest.mark.parametrize(("body", "signed"), STRINGIFIED)
def test_what_is_signed_inside_is_what_javascript_writes(body: bytes, signed: str) -> None:
    assert read_unsigned(body).content == signed.encode()
    assert read_unsigned(embed(body, SECRET)).content == signed.encode()


def test_numbers_stay_as_they_are_written() -> None:
    numbers = b'{"event":"x","data":[1.0,1e3,1E-7,-0,-0.0,0.10,12345678901234567890123,1.00000000000000000001]}'
    assert read_unsigned(numbers).content == numbers
    assert isinstance(read({}, embed(numbers, SECRET)), UnknownEvent)


def test_spacing_and_escapes_around_it_do_not_matter() -> None:
    body = json.dumps(json.loads(embed(BODY, SECRET)), indent=3).replace("J", "\\u004a").encode()
    assert read({}, body) == read({}, embed(BODY, SECRET))


def test_only_what_can_be_sent_is_signed() -> None:
    assert sign(BODY, SECRET)["webhook-id"] != sign(BODY, SECRET)["webhook-id"]
    assert sign(BODY, SECRET, timestamp=1.9)["webhook-timestamp"] == "1"
    for odd in ("", "a b", "é", "x" * 256, "\n"):
        with pytest.raises(InvalidInputError):
            sign(BODY, SECRET, id=odd)
    for instant in (-1, 10**13, float("inf"), float("nan"), datetime(1, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidInputError):
            sign(BODY, SECRET, timestamp=instant)
    for odd in ("", "whsec_", "whsec_???"):
        with pytest.raises(ConfigurationError):
            sign(BODY, odd)


def test_every_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def compared(a: bytes, b: bytes) -> bool:
        seen.append((a, b))
        return hmac_compare(a, b)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compared)
    verify(BODY, "sha256=0", SECRET)
    read(headers_of(body := embed(BODY, SECRET)), body, ["other", SECRET, "another"])
    # One, and three for each of the three kinds: which of the secrets fits does not show either.
    assert len(seen) == 10 and all(isinstance(side, bytes) for pair in seen for side in pair)


@pytest.mark.parametrize("name", ["lead.created", "lead.updated", "message.received", "agent.completed", "deal.won"])
def test_odd_values_are_read_whatever_they_are(name: str) -> None:
    deep: object = 1.5
    for _ in range(97):
        deep = [deep]
    for odd in (
        10**400, 1e308, -0.0, "NaN", "Infinity", "-1e999999", "\ud800", "\0", "9" * 4000, None, True, [], {}, deep,
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-13-45", "2026-01-15T11:59:60Z", 253402300800, -1e18,
    ):  # fmt: skip
        data = dict.fromkeys(("id", "name", "value", "content", "leadId", "confidence", "agentId", "status"), odd)
        for members in ({"data": data, "timestamp": odd, "id": odd, "seq": odd, "epoch": odd}, {"data": odd}):
            body = json.dumps({"event": name, **members}).replace("1e+308", "1e999999").encode()
            assert repr(read(documented(body), body))


def test_an_event_that_deviates_is_still_one() -> None:
    body = b'{"event":"lead.created","data":"nothing like it","id":7,"timestamp":"yesterday"}'
    event = read(documented(body), body)
    assert isinstance(event, UnknownEvent) and event.data == "nothing like it" and event.mismatches


_names = st.sampled_from([*NAMES, *(name.upper() for name in NAMES)]) | st.text(max_size=20)
_texts = st.text(max_size=80) | st.binary(max_size=80)
_values = _texts | st.sampled_from([*headers_of().values(), "sha256=" + "0" * 64, "v1,", "1768478400"])
_headers = (
    st.dictionaries(_names | st.binary(max_size=20), _values | st.lists(_values, max_size=3) | st.none(), max_size=6)
    | st.lists(st.tuples(_names, _values), max_size=6)
    | st.fixed_dictionaries({name: _values | st.just(value) for name, value in headers_of().items()})
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("lead.created"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "name", "type", "data", "signature"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=6,
)
_members = st.sampled_from(["event", "type", "data", "timestamp", "id", "signature", "seq"])
_events = st.sampled_from(["lead.created", "lead.updated", "message.received", "agent.completed", "integration.error"])
_object = st.dictionaries(_members, _json | _events, max_size=7) | st.fixed_dictionaries(
    {"event": _events, "data": _json, "timestamp": _json}
)
_bodies = st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")) | (
    (_json | _object).map(lambda found: json.dumps(found).encode())
)  # fmt: skip


@given(_headers, _bodies, st.integers(0, 2))
@settings(suppress_health_check=list(HealthCheck))  # most deliveries are no deliveries, and large
def test_only_our_errors_are_raised(headers: Any, body: bytes, signed: int) -> None:
    """Refuse a delivery with an error of ours, or read it; a third of them is genuine, and must be read or no event."""
    if signed == 1:
        headers = headers_of(body)
    elif signed == 2:
        try:
            headers, body = {}, embed(body, SECRET)
        except CrmError:
            return
    try:
        event = read(headers, body)
    except WebhookSignatureError:
        # Only a member `signature` of its own can make a genuine one fail.
        if signed and read_unsigned(body).members.get("signature") is None:
            raise
    except CrmError:
        pass
    else:
        assert isinstance(event.type, str)
        repr(event)
