"""How a network's addresses are divided: alike for two zones and for three, so that a third moves none."""

from dataclasses import dataclass
from ipaddress import IPv4Network

MAX_ZONES = 3
LARGEST, SMALLEST = 16, 21
"""Prefixes of a VPC that AWS makes (/16 at most) and that hold the smallest plan (/21 at least)."""

_PRIVATE_BITS, _SMALL_BITS = 3, 6
_PRIVATE_RANGES = tuple(
    IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_OPEN_BELOW = 8
"""A list entry wider than /8 is meant to be the whole internet, in one piece or in two."""


@dataclass(frozen=True)
class SubnetPlan:
    """One CIDR for each zone, in the order of the zones."""

    public: tuple[str, ...]
    """Balancers and NAT gateways: 1/64 of the network each (1,024 addresses of a /16)."""
    private: tuple[str, ...]
    """Nodes and pods, which take an address each: 1/8 of the network each (8,192 of a /16)."""
    data: tuple[str, ...]
    """Database and cache: 1/64 each."""


def network(cidr: str) -> IPv4Network:
    """The CIDR as a network of addresses that are nobody's on the internet.

    Raises:
        ValueError: says what is wrong with it, and what would be right.
    """
    try:
        parsed = IPv4Network(cidr)
    except ValueError:
        told = f"should be an IPv4 network such as 10.0.0.0/16, its host bits zero (got {cidr!r})"
        raise ValueError(told) from None
    if not any(parsed.subnet_of(private) for private in _PRIVATE_RANGES):
        told = f"should lie in {', '.join(map(str, _PRIVATE_RANGES))} (got {cidr!r})"
        raise ValueError(told)
    return parsed


def plan(cidr: str, zones: int) -> SubnetPlan:
    """The subnets of a network for 1 to 3 zones.

    Three eighths are the private subnets, the fourth holds the small ones, four are free for growth.

    Raises:
        ValueError: the network is too small or too large; the sentence says which sizes fit.
    """
    whole = network(cidr)
    if whole.prefixlen > SMALLEST:
        told = (
            f"{cidr} is too small: {MAX_ZONES} zones with a private /24, a public /27 and a data /27 each, "
            f"and room to grow, need a /{SMALLEST} or larger"
        )
        raise ValueError(told)
    if whole.prefixlen < LARGEST:
        told = f"{cidr} is too large: AWS makes no VPC larger than a /{LARGEST}"
        raise ValueError(told)
    if not 1 <= zones <= MAX_ZONES:
        told = f"should be 1 to {MAX_ZONES} zones (got {zones})"
        raise ValueError(told)
    eighths = list(whole.subnets(prefixlen_diff=_PRIVATE_BITS))
    small = list(eighths[MAX_ZONES].subnets(prefixlen_diff=_SMALL_BITS - _PRIVATE_BITS))
    return SubnetPlan(
        public=tuple(map(str, small[:zones])),
        private=tuple(map(str, eighths[:zones])),
        data=tuple(map(str, small[MAX_ZONES : MAX_ZONES + zones])),
    )


def closed(cidr: str) -> str:
    """A range that may reach a public endpoint: any, as long as it is not the internet.

    Raises:
        ValueError: it is no IPv4 range, or wider than a /8.
    """
    try:
        parsed = IPv4Network(cidr)
    except ValueError:
        told = f"should be an IPv4 range such as 203.0.113.0/24, its host bits zero (got {cidr!r})"
        raise ValueError(told) from None
    if parsed.prefixlen < _OPEN_BELOW:
        told = f"{cidr} is open to the world: name the ranges of your offices, runners or VPN"
        raise ValueError(told)
    return str(parsed)
