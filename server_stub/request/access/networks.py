"""Networks that a company names as CIDR, and whether an address is in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ...problems import FieldError, validation


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
    return is_in_any(at, networks)


def is_in_any(address: IPv4Address | IPv6Address, networks: Sequence[str]) -> bool:
    """Tell whether an address is in one of the networks."""
    return any((found := network(text)) is not None and address in found for text in networks)


def check_networks(texts: Sequence[str], at: str) -> None:
    """Raise 422 for what is not a network in a list that stands at a member."""
    wrong = [
        FieldError(f"{at}.{number}", "format", f"{text!r} is not a network, like 203.0.113.0/24")
        for number, text in enumerate(texts)
        if network(text) is None
    ]
    if wrong:
        raise validation(wrong)
