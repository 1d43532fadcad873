"""What an export wrote, an import into an empty stub reads: the same contacts, member by member, in every format."""

from __future__ import annotations

import io
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped] # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types
from portions import portion

from crm_sdk.models.contacts import Contact
from server_stub import StubServer

FORMATS = ("csv", "xlsx", "jsonl", "vcf")
OF_THE_SERVER = """
id version created_at updated_at created_by updated_by raw account_id relationship_health health_score sentiment
churn_risk
last_contact total_deals total_value open_deals currency communication_history ai_insights lead_id merged_ids
"""
"""What an import does not write."""

ODD = (
    "=1+1", "+49", "-", "@x", "'quoted", "''", "'07730", "07730", "N/A", "null", "None", "true", "[a]", "[", '"a","b"',
    "a, b; c | d", "a:::b", "1E5", "-1.50", "\u2028x", "a\u2028b", "{}", "Müller\\;x", "x\\n", "http\\://x", '{"a": 1}',
    'say "hi"', "* star", "2026-01-01", "a\\", "ＡＢ", "İstanbul", "ß", "\U0001f600", "='x'", '"',
)  # fmt: skip
EXAMPLES = portion(25)
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")


def texts(most: int = 40) -> st.SearchStrategy[str]:
    """Return a strategy of texts that are not blank, without the spaces around them that a cell has not."""
    some = st.text(CHARACTERS, min_size=1, max_size=most) | st.sampled_from(ODD)
    return some.map(lambda text: text[:most].strip()).filter(lambda text: bool(text.strip("\x00\u200b")))


WORDS = st.text(string.ascii_lowercase, min_size=2, max_size=8)
ADDRESSES = st.builds("{}@{}.example.org".format, WORDS, WORDS)
SITES = st.builds("https://{}.example/{}".format, WORDS, WORDS)
VALUES: st.SearchStrategy[Any] = (
    texts()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(-1_000_000, 1_000_000, places=3, allow_nan=False)
    | st.lists(texts(), max_size=3)
)
CONTACTS = st.fixed_dictionaries(
    {"name": texts()},
    optional={
        "first_name": texts(),
        "last_name": texts(),
        "salutation": texts(),
        "secondary_emails": st.lists(ADDRESSES, max_size=3, unique=True),
        "phone": st.sampled_from(["+12125550199", "ext. 12", "030 / 12 34", "unknown"]),
        "mobile": st.sampled_from(["+491711234567", "0171-1234"]),
        "company": texts(),
        "title": texts(),
        "department": texts(),
        "status": st.sampled_from(["active", "inactive", "archived"]),
        "lifecycle_stage": st.sampled_from(["lead", "mql", "customer", "other"]),
        "source": st.sampled_from(["website", "Website", "Messe"]) | texts(),
        "tags": st.lists(texts(20), max_size=4, unique_by=str.casefold),
        "notes": st.lists(st.lists(texts(), min_size=1, max_size=3).map("\n".join), max_size=3),
        "address": st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(("street", "street2", "city", "state", "postal_code"), texts()),
                "country": st.sampled_from(["DE", "GB", "US"]),
            },
        ),
        "website": SITES,
        "avatar": SITES,
        "social_profiles": st.lists(
            st.fixed_dictionaries(
                {"network": st.sampled_from(["linkedin", "twitter", "my net"]), "url": SITES},
                optional={"handle": texts()},
            ),
            max_size=2,
        ),
        "birthday": st.dates(date(1900, 1, 1), date(2026, 1, 1)),
        "language": st.sampled_from(["de", "pt-BR"]),
        "timezone": st.sampled_from(["Europe/Berlin", "UTC"]),
        **dict.fromkeys(("do_not_contact", "email_opt_out", "sms_opt_out"), st.booleans()),
        "external_id": texts(),
        "next_follow_up": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
            lambda when: when.replace(microsecond=0)
        ),
        "custom_fields": st.dictionaries(texts(20), VALUES, max_size=4),
    },
)


def written(contact: Contact) -> dict[str, Any]:
    """Return the members of a contact that are written, without empty ones."""
    members = contact.model_dump(exclude=set(OF_THE_SERVER.split()))
    if members["address"] is not None:
        members["address"] = {part: text for part, text in members["address"].items() if text is not None}
    return {name: value for name, value in members.items() if value not in (None, [], {})}


@pytest.mark.thorough
@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=EXAMPLES)
@given(st.lists(CONTACTS, min_size=1, max_size=4, unique_by=lambda contact: contact.get("external_id", id(contact))))
def test_every_member_comes_back(format: Any, drafts: list[Any]) -> None:
    here, there = (StubServer().client(dialects="platform") for _ in range(2))
    for number, draft in enumerate(drafts):
        draft["email"] = f"p{number}@roundtrip.example"
        here.contacts.create(draft)
    content = here.contacts.export(format=format, search="roundtrip.example", sort="created_at", order="asc").read()
    job = there.contacts.imports.create((f"contacts.{format}", content), match_on="email")
    result = job.wait()
    done = there.contacts.imports.get(job.id)
    assert not done.errors
    assert len(result.created_ids) == len(drafts)
    for number, id in enumerate(result.created_ids):
        (before,) = here.contacts.list(search=f"p{number}@roundtrip.example")
        assert written(there.contacts.get(id)) == written(here.contacts.get(before.id))


# -- by hand -----------------------------------------------------------------------------------------------------------

TEXTS = {
    "plain": ("one, two; \\ three", "one, two; \\ three"),
    "line separator": ("a\u2028b", "a\u2028b"),
    "line breaks": ("a\r\nb", "a\nb"),
    "control character": ("a\x0bb", None),
}
"""A note, and how it comes back; None: as a format can hold it."""


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("format", FORMATS)
def test_an_export_is_imported(format: Any, text: str) -> None:
    given, expected = TEXTS[text]
    here, there = (StubServer().client(dialects="platform") for _ in range(2))
    when = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    contact: Any = {"name": "Odd", "email": "odd@example.com", "notes": [given], "next_follow_up": when}
    here.contacts.create(contact)
    content = here.contacts.export(format=format, search="odd@example.com").read()
    job = there.contacts.imports.create((f"contacts.{format}", content))
    job.wait()
    done = there.contacts.imports.get(job.id)
    assert done.counts is not None
    assert (done.counts.created, done.counts.failed) == (1, 0), done.errors
    (found,) = there.contacts.list(search="odd@example.com")
    if expected is not None:
        assert [note.replace("\r\n", "\n") for note in found.notes] == [expected]
    assert found.next_follow_up == when


CONTROLS = "".join(map(chr, (*range(32), 127, *range(128, 160)))) + "\ufffe\uffff"


@pytest.mark.parametrize("format", FORMATS)
def test_control_characters_break_no_export(format: Any) -> None:
    stub = StubServer()
    client = stub.client(dialects="platform")
    odd: Any = {"name": f"Odd {CONTROLS} end", "notes": [CONTROLS], "custom_fields": {f"k{CONTROLS}": CONTROLS}}
    client.contacts.create(odd | {"email": "odd@example.com"})
    content = client.contacts.export(format=format, search="odd@example.com").read()
    if format == "xlsx":
        assert load_workbook(io.BytesIO(content)).active["B2"].value.startswith("Odd ")
    if format == "vcf":
        (card,) = vobject.readComponents(content.decode())
        assert card.fn.value.startswith("Odd ")
        assert b"\r" not in content.replace(b"\r\n", b"")
    there = StubServer().client(dialects="platform")
    job = there.contacts.imports.create((f"contacts.{format}", content))
    assert len(job.wait().created_ids) == 1


def test_a_text_too_long_for_a_workbook_is_cut_where_it_can_be_seen() -> None:
    client = StubServer().client(dialects="platform")
    client.contacts.create({"name": "Long", "email": "long@example.com", "notes": ["x" * 40_000]})
    book = load_workbook(io.BytesIO(client.contacts.export(format="xlsx", search="long@example.com").read()))
    names, values = ([cell.value for cell in row] for row in book.active.iter_rows())
    note = dict(zip(names, values, strict=True))["notes"]
    assert (len(note), note.startswith("xxx"), "cut" in note[-80:]) == (32_767, True, True)


def test_amounts_keep_every_digit_in_a_workbook() -> None:
    here, there = (StubServer().client(dialects="platform") for _ in range(2))
    exact: Any = {"a": Decimal("12345678901234567.25"), "b": 0.1, "c": 10**20}
    here.contacts.create({"name": "Exact", "email": "exact@example.com", "custom_fields": exact})
    content = here.contacts.export(format="xlsx", search="exact@example.com").read()
    (id,) = there.contacts.imports.create(("x.xlsx", content)).wait().created_ids
    back = there.contacts.get(id).custom_fields
    assert {name: Decimal(str(value)) for name, value in back.items()} == {
        name: Decimal(str(value)) for name, value in exact.items()
    }
