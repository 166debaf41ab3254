"""Reverse proxies in front of the desk: which are trusted, and what they know of a request."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """The addresses of proxies, whose headers are believed."""

    networks: tuple[Network, ...] = ()

    def trusts(self, address: str | None) -> bool:
        """Return whether an address is that of a proxy."""
        found = _address(address)
        return found is not None and any(found in network for network in self.networks)

    def client(self, connection: HTTPConnection) -> str:
        """Return the address that a request comes from: behind proxies, the one that the last names."""
        peer = connection.client.host if connection.client is not None else ""
        if not self.trusts(peer):
            return peer
        named = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        for address in reversed([each.strip() for each in named if each.strip()]):
            if _address(address) is None:
                break
            if not self.trusts(address):
                return address
            peer = address
        return peer

    def identity(self, connection: HTTPConnection, header: str) -> str | None:
        """Return whom a proxy names in a header.

        The header twice means that the proxy lets a browser's own through: then nobody is named.
        """
        peer = connection.client.host if connection.client is not None else None
        named = connection.headers.getlist(header)
        return named[0].strip() or None if self.trusts(peer) and len(named) == 1 else None

    def scheme(self, connection: HTTPConnection) -> str:
        """Return whether the browser came by `http` or by `https`."""
        scheme = str(connection.scope.get("scheme", "http"))
        peer = connection.client.host if connection.client is not None else None
        if not self.trusts(peer):
            return scheme
        named = connection.headers.get("x-forwarded-proto", scheme).strip().lower()
        return named if named in ("http", "https") else scheme


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the host.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    found = _address(host.strip("[]"))
    return host == "localhost" or (found is not None and found.is_loopback)


def is_address(host: str) -> bool:
    """Return whether a host is written as a number, which no name server can turn to another machine."""
    return _address(host.strip("[]")) is not None
