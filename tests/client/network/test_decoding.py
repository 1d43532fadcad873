"""Compressed bodies: decoded to their end, in both clients, and no further than an answer may go."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, Canned
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk import InvalidResponseError
from crm_sdk.network.decoding import PIECE, DecodeError, decoder_for
from crm_sdk.wire import encode_json

Make = Callable[..., Any]
Call = Callable[[Any], Any]
BODY = encode_json(LEAD)


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def answer(server: Canned, packed: bytes, encoding: str) -> None:
    """Let the server send bytes as they are, for the client to unpack."""
    headers = {"content-type": "application/json", "content-encoding": encoding}
    server.does(lambda request: httpx.Response(200, stream=httpx.ByteStream(packed), headers=headers))


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "two members": ("x-gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("Deflate", raw),
    "twice": ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    "identity": ("identity", bytes),
}


@pytest.mark.parametrize("kind", PACKED)
def test_each_encoding_is_read(make: Make, call: Call, server: Canned, kind: str) -> None:
    encoding, pack = PACKED[kind]
    answer(server, pack(BODY), encoding)
    assert call(make(dialects="mvp").leads.get("lead_1")).id == LEAD["id"]


@pytest.mark.parametrize("kind", PACKED)
def test_what_is_left_after_a_whole_piece_is_read(kind: str) -> None:
    """With no more bytes to come there may be some of the last one to be unpacked."""
    encoding, pack = PACKED[kind]
    for more in (-1, 0, 1, 2, 5, 258):
        data, decoder = b"0" * (PIECE + more), decoder_for(encoding)
        assert decoder is not None or encoding == "identity"
        if decoder is not None:
            assert b"".join(decoder.feed(pack(data))) == data
            decoder.finish()


@pytest.mark.parametrize("kind", [kind for kind in PACKED if kind != "identity"])
def test_what_ends_too_early_is_an_error(make: Make, call: Call, server: Canned, kind: str) -> None:
    encoding, pack = PACKED[kind]
    answer(server, pack(BODY)[:-9], encoding)
    with pytest.raises(InvalidResponseError, match="cannot be decoded"):
        call(make(dialects="mvp").leads.get("lead_1"))


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_an_answer_does_not_unpack_to_more_than_it_may(make: Make, call: Call, server: Canned, encoding: str) -> None:
    bomb = gzip.compress(bytes(20 * PIECE))
    answer(server, bomb if encoding == "gzip" else gzip.compress(bomb), encoding)
    with pytest.raises(InvalidResponseError, match="more than 3,000,000 bytes; max_response_bytes="):
        call(make(dialects="mvp", max_response_bytes=3_000_000).leads.get("lead_1"))


def test_an_answer_that_is_packed_over_and_over_is_refused(make: Make, call: Call, server: Canned) -> None:
    answer(server, gzip.compress(BODY), ", ".join(["gzip"] * 200))
    with pytest.raises(InvalidResponseError, match="200 times"):
        call(make(dialects="mvp").leads.get("lead_1"))
    assert decoder_for(", ".join(["gzip"] * 4 + ["identity"])) is not None
    with pytest.raises(DecodeError, match="5 times"):
        decoder_for(", ".join(["gzip"] * 5))


@given(
    data=st.binary(max_size=2_000), cuts=st.lists(st.integers(0, 2_500), max_size=8), kind=st.sampled_from([*PACKED])
)
def test_the_pieces_may_be_cut_anywhere(data: bytes, cuts: list[int], kind: str) -> None:
    encoding, pack = PACKED[kind]
    packed, decoder = pack(data), decoder_for(encoding)
    assert decoder is not None
    ends = [*sorted(cuts), len(packed)]
    found = b"".join(
        piece for start, end in zip([0, *ends], ends, strict=False) for piece in decoder.feed(packed[start:end])
    )
    decoder.finish()
    assert found == data


def test_what_is_not_ours_to_decode_is_left_to_others() -> None:
    assert decoder_for("br") is None
    decoder = decoder_for("gzip")
    assert decoder is not None
    with pytest.raises(DecodeError):
        list(decoder.feed(b"no gzip at all"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate"])
def test_a_body_of_nothing_is_whole(encoding: str) -> None:
    decoder = decoder_for(encoding)
    assert decoder is not None and list(decoder.feed(b"")) == []
    decoder.finish()
