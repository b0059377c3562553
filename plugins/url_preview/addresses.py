"""Which addresses this server may connect to on behalf of a user: public ones, and those its operator names.

What is not public (IANA's registries of special-purpose addresses) is refused, in whatever dress it comes: an IPv6
address that holds an IPv4 one is judged by that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    )
)  # fmt: skip
"""168.63.129.16 serves the metadata of a cloud from a public number."""

PUBLIC_6 = IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
HOLDING_4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""IPv4 mapped into IPv6, and translated by NAT64."""


def plain(address: Address) -> Address:
    """Return the IPv4 address inside a mapped or translated one; any other as it is."""
    if isinstance(address, IPv6Address) and any(address in network for network in HOLDING_4):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the open internet."""
    address = plain(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


@dataclass(frozen=True)
class Policy:
    """What may be fetched: public addresses and those of `networks`, on `ports`."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})

    def allows(self, address: str) -> bool:
        """Tell whether a numeric address may be connected to; a scope (`%eth0`) makes it local."""
        try:
            given = ip_address(address)
        except ValueError:
            return False
        if isinstance(given, IPv6Address) and given.scope_id is not None:
            return False
        meant = plain(given)
        named = any(meant.version == network.version and meant in network for network in self.networks)
        return named or is_public(meant)


def policy_of(networks: Iterable[str], ports: Iterable[str]) -> Policy:
    """Return the policy of settings; ValueError names what is no network or port."""
    numbers = frozenset(int(port) for port in ports)
    if any(not 0 < number < 65536 for number in numbers):
        raise ValueError("a port is a number from 1 to 65535")
    return Policy(tuple(ip_network(network) for network in networks), numbers)
