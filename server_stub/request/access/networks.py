"""Networks that a company names as CIDR, and whether an address is in one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from ...problems import FieldError


@lru_cache(maxsize=256)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """Return the network of a text; None where it is none. A single address is a network, and stands for its own."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def is_within(address: str | None, networks: Sequence[str]) -> bool:
    """Tell whether an address is in one of the networks. Every one is where there are none, or it is not known."""
    if address is None or not networks:
        return True
    try:
        at = ip_address(address)
    except ValueError:
        return True  # the name of a socket
    return any((found := network(text)) is not None and at in found for text in networks)


def wrong_networks(texts: Sequence[str], at: str) -> Iterator[FieldError]:
    """Yield the errors of a list of networks, which stands at a member."""
    for number, text in enumerate(texts):
        if network(text) is None:
            yield FieldError(f"{at}.{number}", "format", f"{text!r} is not a network, like 203.0.113.0/24")
